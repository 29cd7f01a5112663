//! What is transparent is shown on white.

/// Makes red, green and blue of pixels of 1 sample for grey, 2 with alpha, 3 for colours, 4 with alpha.
pub(crate) fn flatten_onto_white(pixels: &[u8], samples: usize, rgb: &mut [u8]) {
    let both = pixels.chunks_exact(samples).zip(rgb.as_chunks_mut().0);
    match samples {
        1 => both.for_each(|(pixel, rgb)| *rgb = [pixel[0]; 3]),
        2 => both.for_each(|(pixel, rgb)| *rgb = [blend_with_white(pixel[0], pixel[1]); 3]),
        3 => rgb[..pixels.len()].copy_from_slice(pixels),
        _ => both.for_each(|(pixel, rgb)| {
            *rgb = [pixel[0], pixel[1], pixel[2]].map(|value| blend_with_white(value, pixel[3]));
        }),
    }
}

/// Makes three samples of four, in the same memory: three never reach past the four that they are made of.
pub(crate) fn compact_to_rgb(pixels: &mut Vec<u8>, rgb: impl Fn([u8; 4]) -> [u8; 3]) {
    let count = pixels.len() / 4;
    for at in 0..count {
        let four = [0, 1, 2, 3].map(|sample| pixels[at * 4 + sample]);
        pixels[at * 3..][..3].copy_from_slice(&rgb(four));
    }
    pixels.truncate(count * 3);
}

/// A value that lets white through.
pub(crate) fn blend_with_white(value: u8, alpha: u8) -> u8 {
    255 - scale_by(255 - value, alpha)
}

/// So many of 255 parts of a value, rounded.
pub(crate) fn scale_by(value: u8, parts: u8) -> u8 {
    let product = u16::from(value) * u16::from(parts);
    u8::try_from((product + 127) / 255).unwrap_or(u8::MAX)
}
