//! Generated test images and files.

use std::io::Cursor;

use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder as _, Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

pub(crate) const RED: [u8; 3] = [200, 40, 40];
pub(crate) const GREEN: [u8; 3] = [40, 180, 60];
pub(crate) const BLUE: [u8; 3] = [40, 60, 200];
pub(crate) const YELLOW: [u8; 3] = [220, 210, 60];
pub(crate) const WHITE: [u8; 3] = [255, 255, 255];

/// Four quarters: red and green above blue and yellow.
pub(crate) fn quarters(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb(match (x < width / 2, y < height / 2) {
            (true, true) => RED,
            (false, true) => GREEN,
            (true, false) => BLUE,
            (false, false) => YELLOW,
        })
    })
}

/// An image with large and small structures.
pub(crate) fn scene(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let scale = |position: u32, length: u32| (position * 255 / length) as u8;
        let stripe = if (x * 24 / width + y * 24 / height).is_multiple_of(5) { 90 } else { 0 };
        let (dx, dy) = (scale(x, width).abs_diff(170), scale(y, height).abs_diff(90));
        if u32::from(dx).pow(2) + u32::from(dy).pow(2) < 900 {
            return Rgb([234, 171, 132]);
        }
        Rgb([scale(x, width) / 2 + stripe, scale(y, height) / 2 + 40, 160 - stripe])
    })
}

pub(crate) fn jpeg(image: &RgbImage) -> Vec<u8> {
    jpeg_with(image, |_| {})
}

pub(crate) fn progressive_jpeg(image: &RgbImage) -> Vec<u8> {
    jpeg_with(image, |encoder| encoder.set_progressive(true))
}

pub(crate) fn jpeg_with(
    image: &RgbImage,
    configure: impl Fn(&mut Encoder<&mut Vec<u8>>),
) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 92);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    configure(&mut encoder);
    let (width, height) = (image.width() as u16, image.height() as u16);
    encoder.encode(image, width, height, ColorType::Rgb).unwrap();
    file
}

/// A JPEG with samples of this colour type.
pub(crate) fn jpeg_of(samples: &[u8], (width, height): (u16, u16), colour: ColorType) -> Vec<u8> {
    let mut file = Vec::new();
    Encoder::new(&mut file, 92).encode(samples, width, height, colour).unwrap();
    file
}

/// Inserts a segment after a JPEG's first marker.
pub(crate) fn with_segment(jpeg: &[u8], marker: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xFF, marker], &length, body, &jpeg[2..]].concat()
}

pub(crate) fn png(image: &RgbImage) -> Vec<u8> {
    png_of(image, image.dimensions(), png::ColorType::Rgb, png::BitDepth::Eight)
}

pub(crate) fn png_of(
    samples: &[u8],
    (width, height): (u32, u32),
    colour: png::ColorType,
    depth: png::BitDepth,
) -> Vec<u8> {
    png_with(samples, (width, height), |encoder| {
        encoder.set_color(colour);
        encoder.set_depth(depth);
    })
}

pub(crate) fn png_with(
    samples: &[u8],
    (width, height): (u32, u32),
    configure: impl Fn(&mut png::Encoder<'_, &mut Vec<u8>>),
) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    configure(&mut encoder);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(samples).unwrap();
    writer.finish().unwrap();
    file
}

/// Inserts a chunk after a PNG's header.
pub(crate) fn with_chunk(png: &[u8], name: [u8; 4], body: &[u8]) -> Vec<u8> {
    /// Length of the signature and the header chunk.
    const HEADER_BYTES: usize = 8 + 25;

    [&png[..HEADER_BYTES], &chunk(name, body), &png[HEADER_BYTES..]].concat()
}

pub(crate) fn chunk(name: [u8; 4], body: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = png::Encoder::new(&mut file, 1, 1).write_header().unwrap();
    writer.write_chunk(png::chunk::ChunkType(name), body).unwrap();
    drop(writer);
    // Dropping the writer adds the end chunk, which has 12 bytes.
    file[33..file.len() - 12].to_vec()
}

pub(crate) fn webp(image: &RgbImage) -> Vec<u8> {
    webp_of(image, image.dimensions(), ExtendedColorType::Rgb8)
}

/// A lossless WebP.
pub(crate) fn webp_of(
    samples: &[u8],
    (width, height): (u32, u32),
    colour: ExtendedColorType,
) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    WebPEncoder::new_lossless(&mut file).write_image(samples, width, height, colour).unwrap();
    file.into_inner()
}

/// A WebP file of these chunks.
pub(crate) fn riff(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (name, data) in chunks {
        body.extend_from_slice(&riff_chunk(**name, data));
    }
    riff_chunk(*b"RIFF", &body)
}

pub(crate) fn riff_chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u32).to_le_bytes();
    let padding = if data.len().is_multiple_of(2) { &[][..] } else { &[0] };
    [&name[..], &length, data, padding].concat()
}

/// The contents of the `VP8X` chunk of an extended WebP.
pub(crate) fn canvas(flags: u8, width: u32, height: u32) -> Vec<u8> {
    let [width, height] = [width - 1, height - 1].map(u32::to_le_bytes);
    [&[flags, 0, 0, 0], &width[..3], &height[..3]].concat()
}

/// The encoded frame of a WebP without other chunks.
pub(crate) fn encoded_frame(webp: &[u8]) -> &[u8] {
    let length = u32::from_le_bytes(webp[16..20].try_into().unwrap());
    &webp[20..][..length as usize]
}

/// An animation frame, in the top left corner.
pub(crate) fn webp_frame(width: u32, height: u32, data: &[u8]) -> Vec<u8> {
    let [width, height] = [width - 1, height - 1].map(u32::to_le_bytes);
    [&[0; 6], &width[..3], &height[..3], &[1, 0, 0, 0], data].concat()
}

pub(crate) fn animated_webp(image: &RgbImage, frames: usize) -> Vec<u8> {
    let (width, height) = image.dimensions();
    let first = webp_frame(width, height, &riff_chunk(*b"VP8L", encoded_frame(&webp(image))));
    let dark = webp(&RgbImage::new(2, 2));
    let other = webp_frame(2, 2, &riff_chunk(*b"VP8L", encoded_frame(&dark)));
    let canvas = canvas(0x02, width, height);
    let mut chunks: Vec<(&[u8; 4], &[u8])> =
        vec![(b"VP8X", &canvas), (b"ANIM", &[0; 6]), (b"ANMF", &first)];
    chunks.resize(frames + 2, (b"ANMF", &other));
    riff(&chunks)
}

/// An animated PNG whose other frames are small and black.
pub(crate) fn animated_png(image: &RgbImage, frames: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let (width, height) = image.dimensions();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_animated(frames, 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(image).unwrap();
    for _ in 1..frames {
        writer.set_frame_dimension(2, 2).unwrap();
        writer.write_image_data(&[0; 12]).unwrap();
    }
    writer.finish().unwrap();
    file
}

/// The four quarters at 32 by 48 pixels, encoded by libwebp.
pub(crate) fn lossy_webp() -> Vec<u8> {
    decode_hex(
        "52494646700000005745425056503820640000003005009d012a200030003e993c9649a5a322213abcc800b013096600\
         ae558dfe01f881b163c5bf11bf202bff020861f1355c00feec227363bceb8d133e39a14dea6eb3693bf9befe439cfff7\
         82aaf21ae8eef4a3fffedbdc8d755958fc96563480b08000",
    )
}

/// The same with a fully transparent lower half.
pub(crate) fn lossy_webp_with_alpha() -> Vec<u8> {
    decode_hex(
        "524946469200000057454250565038580a000000100000001f00002f0000414c50480e00000001100b26f94be7b02b22\
         72fef107565038205e0000009005009d012a200030003ea9449b49a623a2a1355bf800c015096200c3a98dfe01f881ad\
         c7c03f19b8408efd0453c776ba5f05466400feeb340c7d911b2477e530f2904a3e3c4bbc525cfda2c4d15a4e04da1e09\
         67abfdb93a1880000000",
    )
}

fn decode_hex(text: &str) -> Vec<u8> {
    let digits = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    text.as_bytes().chunks(2).map(digits).collect()
}

/// EXIF data with an orientation only.
pub(crate) fn exif(orientation: u8) -> Vec<u8> {
    tiff(&[(0x0112, 3, [orientation, 0, 0, 0])])
}

/// EXIF data of entries with tag, value type and value.
pub(crate) fn tiff(entries: &[(u16, u16, [u8; 4])]) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    tiff.extend_from_slice(&(entries.len() as u16).to_le_bytes());
    for (tag, kind, value) in entries {
        tiff.extend_from_slice(&tag.to_le_bytes());
        tiff.extend_from_slice(&kind.to_le_bytes());
        tiff.extend_from_slice(&1_u32.to_le_bytes());
        tiff.extend_from_slice(value);
    }
    tiff.extend_from_slice(&[0; 4]);
    tiff
}

pub(crate) fn jpeg_with_exif(jpeg: &[u8], exif: &[u8]) -> Vec<u8> {
    with_segment(jpeg, 0xE1, &[b"Exif\0\0", exif].concat())
}

pub(crate) fn png_with_exif(png: &[u8], exif: &[u8]) -> Vec<u8> {
    with_chunk(png, *b"eXIf", exif)
}

pub(crate) fn webp_with_exif(image: &RgbImage, exif: &[u8]) -> Vec<u8> {
    let canvas = canvas(0x08, image.width(), image.height());
    let webp = webp(image);
    riff(&[(b"VP8X", &canvas), (b"VP8L", encoded_frame(&webp)), (b"EXIF", exif)])
}

/// Writes bits, the lowest of each byte first.
#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    length: usize,
}

impl BitWriter {
    fn write(&mut self, value: u64, bits: usize) {
        for index in 0..bits {
            if self.length.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value >> index & 1) as u8) << (self.length % 8);
            self.length += 1;
        }
    }

    /// Writes a prefix code with a single symbol, which takes no bits.
    fn write_single_symbol_code(&mut self, symbol: u64) {
        self.write(0b101, 3);
        self.write(symbol, 8);
    }

    /// Writes a prefix code whose first 2,048 symbols have 11 bits. It takes ten bytes, since a code length that all
    /// symbols have takes none.
    fn write_wide_code(&mut self) {
        // The lengths of the code length code. Only the last one, for 11 bits, is not 0.
        self.write(11 << 1, 5);
        self.write(1 << 42, 45);
        // Twelve bits with the number of symbols, less 2.
        self.write(1 | 5 << 1, 4);
        self.write(2_046, 12);
    }
}

/// A lossless WebP of 4 by 4 pixels with this many prefix code groups, which take the decoder 70 kB each: the only pixel
/// of its entropy image names the last.
pub(crate) fn webp_with_code_groups(count: u64) -> Vec<u8> {
    let mut bits = BitWriter::default();
    bits.write(0x2F, 8);
    bits.write(3 | 3 << 14, 32);
    // No transform, a colour cache of 2,048 colours, and an entropy image for blocks of 4 by 4 pixels.
    bits.write(0b110_1110, 7);
    bits.write(0, 4);
    let last = count - 1;
    for symbol in [last & 0xFF, last >> 8, 0, 0, 0] {
        bits.write_single_symbol_code(symbol);
    }
    for _ in 0..count {
        bits.write_wide_code();
        (0..4).for_each(|_| bits.write_single_symbol_code(0));
    }
    // The pixels: the first symbol of the wide code has eleven zeros.
    (0..16).for_each(|_| bits.write(0, 11));
    bits.write(0, 64);
    riff(&[(b"VP8L", &bits.bytes)])
}
