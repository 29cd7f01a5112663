//! Pixels in memory.

/// An image of red, green and blue with 8 bits each, row by row from the top left.
///
/// It is the only type of pixels in this crate, so that the code of decoders and of the resizer is compiled once.
#[derive(Debug, Clone)]
pub(crate) struct RgbImage {
    width: u32,
    height: u32,
    samples: Vec<u8>,
}

impl RgbImage {
    /// A black image.
    pub(crate) fn new(width: u32, height: u32) -> Self {
        Self { width, height, samples: vec![0; sample_count(width, height)] }
    }

    /// An image of these samples. `None` if there are too few.
    pub(crate) fn from_samples(width: u32, height: u32, mut samples: Vec<u8>) -> Option<Self> {
        let count = sample_count(width, height);
        if samples.len() < count {
            return None;
        }
        samples.truncate(count);
        Some(Self { width, height, samples })
    }

    pub(crate) fn width(&self) -> u32 {
        self.width
    }

    pub(crate) fn height(&self) -> u32 {
        self.height
    }

    /// Width and height.
    pub(crate) fn dimensions(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    pub(crate) fn samples(&self) -> &[u8] {
        &self.samples
    }

    pub(crate) fn samples_mut(&mut self) -> &mut [u8] {
        &mut self.samples
    }

    /// The pixels, without their positions.
    pub(crate) fn pixels(&self) -> &[[u8; 3]] {
        self.samples.as_chunks().0
    }

    /// The samples of each row.
    pub(crate) fn rows_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.samples.chunks_exact_mut(self.width as usize * 3)
    }

    /// The pixel at a position inside the image.
    pub(crate) fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        self.pixels()[y as usize * self.width as usize + x as usize]
    }

    /// All pixels with their positions.
    pub(crate) fn positioned_pixels(&self) -> impl Iterator<Item = (u32, u32, [u8; 3])> {
        let positions = (0..self.height).flat_map(|y| (0..self.width).map(move |x| (x, y)));
        positions.zip(self.pixels()).map(|((x, y), pixel)| (x, y, *pixel))
    }
}

fn sample_count(width: u32, height: u32) -> usize {
    width as usize * height as usize * 3
}
