//! Images, and the multipart forms that upload them.

/// Returns a PNG with a colour gradient.
pub fn a_png(width: u32, height: u32) -> Vec<u8> {
    a_png_with(width, height, |_| ())
}

/// Returns a PNG with a comment in its metadata (a `tEXt` chunk).
pub fn a_png_with_comment(text: &str) -> Vec<u8> {
    a_png_with(40, 30, |encoder| {
        encoder.add_text_chunk("Comment".to_owned(), text.to_owned()).unwrap();
    })
}

fn a_png_with(
    width: u32,
    height: u32,
    change: impl FnOnce(&mut png::Encoder<'_, &mut Vec<u8>>),
) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    change(&mut encoder);
    encoder.set_color(png::ColorType::Rgb);
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let [right, down] = [width.max(2) - 1, height.max(2) - 1];
    let colour =
        |(x, y)| [x * 255 / right, y * 255 / down, 128].map(|level: u32| level.to_le_bytes()[0]);
    let pixels: Vec<u8> = pixels.flat_map(colour).collect();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&pixels).unwrap();
    writer.finish().unwrap();
    file
}

/// Returns an all-black PNG of many pixels and few bytes.
pub fn a_large_png(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let pixels = vec![0; usize::try_from(width.div_ceil(8) * height).unwrap()];
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&pixels).unwrap();
    writer.finish().unwrap();
    file
}

/// The boundary of [`multipart_form`].
pub const BOUNDARY: &str = "a-line-that-occurs-nowhere-else";

/// Encodes `parts` (name, content) as `multipart/form-data`, as browsers do. Parts named `file` or `image` are files.
pub fn multipart_form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut form = Vec::new();
    for (name, content) in parts {
        let is_file = ["file", "image"].contains(name);
        let file = if is_file { "; filename=\"IMG_1.PNG\"\r\nContent-Type: image/png" } else { "" };
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n"
        );
        form.extend_from_slice(head.as_bytes());
        form.extend_from_slice(content);
        form.extend_from_slice(b"\r\n");
    }
    form.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    form
}
