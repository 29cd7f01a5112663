//! Images with the size, detail and noise of a phone's camera.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

const WIDTH: u16 = 4000;
const HEIGHT: u16 = 3000;

/// An image to measure with.
pub(crate) struct SampleImage {
    pub(crate) name: &'static str,
    pub(crate) jpeg: Vec<u8>,
}

/// The same image in several encodings.
pub(crate) fn all() -> Vec<SampleImage> {
    let rgb = generate();
    let encode = |quality, sampling, progressive| {
        let mut jpeg = Vec::new();
        let mut encoder = Encoder::new(&mut jpeg, quality);
        encoder.set_sampling_factor(sampling);
        encoder.set_progressive(progressive);
        encoder.encode(&rgb, WIDTH, HEIGHT, ColorType::Rgb).expect("an image");
        jpeg
    };
    vec![
        SampleImage {
            name: "12 MP, baseline 4:2:0",
            jpeg: encode(90, SamplingFactor::R_4_2_0, false),
        },
        SampleImage {
            name: "12 MP, progressive 4:2:0",
            jpeg: encode(88, SamplingFactor::R_4_2_0, true),
        },
    ]
}

/// Gradients, noise at several scales, and a little noise in each pixel.
fn generate() -> Vec<u8> {
    let (width, height) = (i32::from(WIDTH), i32::from(HEIGHT));
    let mut rgb = Vec::with_capacity(usize::from(WIDTH) * usize::from(HEIGHT) * 3);
    for y in 0..height {
        for x in 0..width {
            let gradients =
                [x * 160 / width, y * 160 / height, 160 - (x + y) * 160 / (width + height)];
            let clouds: i32 = [(256, 60), (64, 40), (16, 20), (4, 14), (1, 16)]
                .iter()
                .map(|&(size, depth)| cloud(x, y, size) * depth / 256)
                .sum();
            for (colour, gradient) in (0..).zip(gradients) {
                let tint = cloud(x + colour * 9001, y, 128) * 40 / 256;
                rgb.push(
                    u8::try_from((gradient + clouds + tint).clamp(0, 255)).unwrap_or_default(),
                );
            }
        }
    }
    rgb
}

/// Smooth noise from 0 to 255 with a period of `size` pixels.
fn cloud(x: i32, y: i32, size: i32) -> i32 {
    let (column, row, right, down) = (x / size, y / size, x % size, y % size);
    let corner = |column, row| i32::from(noise(column, row, size));
    let mix = |from: i32, to: i32, offset: i32| from + (to - from) * offset / size;
    let above = mix(corner(column, row), corner(column + 1, row), right);
    let below = mix(corner(column, row + 1), corner(column + 1, row + 1), right);
    mix(above, below, down)
}

/// A deterministic pseudo-random byte.
fn noise(column: i32, row: i32, size: i32) -> u8 {
    let mut hash = (column.cast_unsigned()).wrapping_mul(0x9E37_79B1)
        ^ (row.cast_unsigned()).wrapping_mul(0x85EB_CA77)
        ^ (size.cast_unsigned()).wrapping_mul(0xC2B2_AE3D);
    hash = (hash ^ hash >> 15).wrapping_mul(0x2C1B_3C6D);
    hash = (hash ^ hash >> 12).wrapping_mul(0x297A_2D39);
    (hash ^ hash >> 15).to_be_bytes()[3]
}
