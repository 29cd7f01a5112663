//! A picture in memory.

use image::RgbImage;
use image::metadata::Orientation;

use crate::resize::{self, Filter};
use crate::sizes::{
    LARGE, MEDIUM, PostImage, ProfileSizes, SMALL, THUMBNAIL, encode, post_dimensions, scaled,
};
use crate::{Focus, ImageError, ImageHeader, Purpose, Square, orientation, smart_crop};

/// A picture that was checked and decoded for a purpose. Of its file nothing is left but pixels.
#[derive(Debug, Clone)]
pub struct DecodedImage {
    /// What the file has, the right way up.
    width: u32,
    height: u32,
    /// As many of them as the purpose needs, as the file has them: what is made of them is turned, since it is smaller.
    pixels: RgbImage,
    orientation: Orientation,
}

impl DecodedImage {
    /// Checks a file, and decodes as much of it as the purpose needs.
    ///
    /// It takes up to [`ImageHeader::memory_bytes`] of memory and, for large pictures, hundreds of milliseconds: on a server
    /// it belongs on a thread that may be blocked, behind a count of the bytes that are taken already.
    ///
    /// # Errors
    ///
    /// Everything in [`ImageError`].
    pub fn decode(bytes: &[u8], purpose: Purpose) -> Result<Self, ImageError> {
        let header = ImageHeader::read(bytes)?;
        Ok(Self {
            width: header.width(),
            height: header.height(),
            pixels: header.decode(bytes, purpose)?,
            orientation: header.orientation(),
        })
    }

    /// Pixels across that the file has, the right way up.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Pixels down that the file has, the right way up.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The square that a profile shows: around the focus or, without one, where there is most to see.
    pub fn select_square(&self, focus: Option<Focus>) -> Square {
        match focus {
            Some(focus) => focus.square(self.width, self.height),
            None => {
                smart_crop::find_square(&self.pixels, self.orientation, self.width, self.height)
            }
        }
    }

    /// The four squares of a profile. Small pictures are enlarged to the exact sizes.
    pub fn encode_profile_sizes(&self, focus: Option<Focus>) -> ProfileSizes {
        let square = self.decoded(self.select_square(focus));
        let large = resize::square(&self.pixels, square, LARGE);
        let large = orientation::apply(self.orientation, large);
        // Each from the one before, which is twice as large.
        let smaller = |from: &RgbImage, side: u32| resize::all(from, side, side, Filter::Sharp);
        let medium = smaller(&large, MEDIUM);
        let small = smaller(&medium, SMALL);
        let thumbnail = smaller(&small, THUMBNAIL);
        ProfileSizes {
            thumbnail: encode(&thumbnail),
            small: encode(&small),
            medium: encode(&medium),
            large: encode(&large),
        }
    }

    /// The picture for a post: all of it, made smaller where a side is longer than 2048, and never larger.
    pub fn encode_post_image(&self) -> PostImage {
        let (width, height) = post_dimensions((self.width, self.height));
        let (across, down) = orientation::oriented_dimensions(self.orientation, (width, height));
        let pixels = if (across, down) == self.pixels.dimensions() {
            self.pixels.clone()
        } else {
            resize::all(&self.pixels, across, down, Filter::Sharp)
        };
        PostImage { jpeg: encode(&orientation::apply(self.orientation, pixels)), width, height }
    }

    /// Where a square is in what was decoded.
    fn decoded(&self, square: Square) -> Square {
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
