//! A decoded image.

use crate::orientation::{self, Orientation};
use crate::resize::{self, Filter};
use crate::rgb_image::RgbImage;
use crate::sizes::{
    LARGE_SIDE, MEDIUM_SIDE, PostImage, ProfileSizes, SMALL_SIDE, THUMBNAIL_SIDE, encode,
    post_dimensions, scaled,
};
use crate::{Focus, ImageError, ImageHeader, Purpose, Square, smart_crop};

/// An image that was checked and decoded for a purpose. It holds pixels only, without the file's metadata.
#[derive(Debug, Clone)]
pub struct DecodedImage {
    /// The dimensions of the file's image after rotation.
    width: u32,
    height: u32,
    /// At the resolution that the purpose needs, and not rotated: the smaller output is rotated instead.
    pixels: RgbImage,
    orientation: Orientation,
}

impl DecodedImage {
    /// Checks a file, and decodes it at the resolution that the purpose needs.
    ///
    /// This takes up to [`ImageHeader::memory_bytes`] of memory and, for large images, hundreds of milliseconds. A
    /// server should run it on a thread that may block, and reserve the memory first.
    ///
    /// # Errors
    ///
    /// Every variant of [`ImageError`].
    pub fn decode(bytes: &[u8], purpose: Purpose) -> Result<Self, ImageError> {
        let header = ImageHeader::read(bytes)?;
        Ok(Self {
            width: header.width(),
            height: header.height(),
            pixels: header.decode(bytes, purpose)?,
            orientation: header.orientation(),
        })
    }

    /// The file's width in pixels, after rotation.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// The file's height in pixels, after rotation.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The square crop for a profile: around the focus or, without one, the most salient square.
    pub fn select_square(&self, focus: Option<Focus>) -> Square {
        match focus {
            Some(focus) => focus.square(self.width, self.height),
            None => {
                smart_crop::find_square(&self.pixels, self.orientation, self.width, self.height)
            }
        }
    }

    /// Encodes the four squares of a profile. Small images are enlarged to the exact sizes.
    pub fn encode_profile_sizes(&self, focus: Option<Focus>) -> ProfileSizes {
        let square = self.in_decoded_pixels(self.select_square(focus));
        let large = resize::square(&self.pixels, square, LARGE_SIDE);
        let large = orientation::apply(self.orientation, large);
        // Each size is made from the one before, which is twice as large.
        let halve = |image: &RgbImage, side: u32| resize::whole(image, side, side, Filter::Sharp);
        let medium = halve(&large, MEDIUM_SIDE);
        let small = halve(&medium, SMALL_SIDE);
        let thumbnail = halve(&small, THUMBNAIL_SIDE);
        ProfileSizes {
            thumbnail: encode(&thumbnail),
            small: encode(&small),
            medium: encode(&medium),
            large: encode(&large),
        }
    }

    /// Encodes the whole image for a post, reduced if a side is longer than 2048 pixels, and never enlarged.
    pub fn encode_post_image(&self) -> PostImage {
        let (width, height) = post_dimensions((self.width, self.height));
        let stored = orientation::oriented_dimensions(self.orientation, (width, height));
        let pixels = if stored == self.pixels.dimensions() {
            self.pixels.clone()
        } else {
            resize::whole(&self.pixels, stored.0, stored.1, Filter::Sharp)
        };
        PostImage { jpeg: encode(&orientation::apply(self.orientation, pixels)), width, height }
    }

    /// Converts a square of the rotated image to the decoded pixels.
    fn in_decoded_pixels(&self, square: Square) -> Square {
        let stored = orientation::oriented_dimensions(self.orientation, (self.width, self.height));
        let Square { x, y, side } =
            orientation::to_stored(self.orientation, square, stored.0, stored.1);
        let (width, height) = self.pixels.dimensions();
        let side = scaled(side, width.min(height), stored.0.min(stored.1)).max(1);
        Square {
            x: scaled(x, width, stored.0).min(width - side),
            y: scaled(y, height, stored.1).min(height - side),
            side,
        }
    }
}

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the values of the tests are small"
)]
mod tests;
