//! Converts pixels with other samples to RGB: grey, alpha or inks.

/// Converts pixels of 1 sample (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGB and alpha) to RGB on a white background.
pub(crate) fn flatten_onto_white(pixels: &[u8], samples: usize, rgb: &mut [u8]) {
    let pairs = pixels.chunks_exact(samples).zip(rgb.as_chunks_mut().0);
    match samples {
        1 => pairs.for_each(|(pixel, rgb)| *rgb = [pixel[0]; 3]),
        2 => pairs.for_each(|(pixel, rgb)| *rgb = [blend_with_white(pixel[0], pixel[1]); 3]),
        3 => rgb[..pixels.len()].copy_from_slice(pixels),
        _ => pairs.for_each(|(pixel, rgb)| {
            *rgb = [pixel[0], pixel[1], pixel[2]].map(|value| blend_with_white(value, pixel[3]));
        }),
    }
}

/// Converts pixels of four samples to RGB in place: the write position never passes the read position.
pub(crate) fn compact_to_rgb(pixels: &mut Vec<u8>, to_rgb: impl Fn([u8; 4]) -> [u8; 3]) {
    let count = pixels.len() / 4;
    for index in 0..count {
        let samples = [0, 1, 2, 3].map(|sample| pixels[index * 4 + sample]);
        pixels[index * 3..][..3].copy_from_slice(&to_rgb(samples));
    }
    pixels.truncate(count * 3);
}

/// Blends a sample with white, by its alpha.
pub(crate) fn blend_with_white(value: u8, alpha: u8) -> u8 {
    255 - scale_by(255 - value, alpha)
}

/// `value · factor / 255`, rounded.
pub(crate) fn scale_by(value: u8, factor: u8) -> u8 {
    let product = u16::from(value) * u16::from(factor);
    u8::try_from((product + 127) / 255).unwrap_or(u8::MAX)
}
