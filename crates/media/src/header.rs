//! What the beginning of a file says, before anything is decoded.

use image::RgbImage;
use image::metadata::Orientation;

use crate::jpeg::{self, JpegHeader, Scale};
use crate::limits::MAX_BYTES;
use crate::orientation;
use crate::png::{self, PngHeader};
use crate::sizes::{LARGE, POST_SIDE, encode_memory_bytes};
use crate::webp::{self, WebPHeader};
use crate::{ImageError, ImageFormat};

/// What a picture is decoded for, which says how much of it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Four squares of somebody's face, see [`ProfileSizes`](crate::ProfileSizes).
    Profile,
    /// A picture in a post, see [`PostImage`](crate::PostImage).
    Post,
}

/// A picture that is allowed, by all that can be known without decoding it.
#[derive(Debug, Clone)]
pub struct ImageHeader {
    /// Of the file, in bytes.
    length: usize,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Jpeg(JpegHeader),
    Png(PngHeader),
    WebP(WebPHeader),
}

impl ImageHeader {
    /// Reads and checks the header of a file. This takes microseconds, and no memory beyond that of its metadata.
    ///
    /// # Errors
    ///
    /// Everything in [`ImageError`]; a file whose header is right may still turn out as [`ImageError::Corrupt`] or
    /// [`ImageError::Unsupported`] when it is decoded.
    pub fn read(bytes: &[u8]) -> Result<Self, ImageError> {
        let length = bytes.len();
        if length > MAX_BYTES {
            return Err(ImageError::TooManyBytes { bytes: length });
        }
        let source = match ImageFormat::detect(bytes).ok_or(ImageError::UnknownFormat)? {
            ImageFormat::Jpeg => Source::Jpeg(JpegHeader::read(bytes)?),
            ImageFormat::Png => Source::Png(PngHeader::read(bytes)?),
            ImageFormat::WebP => Source::WebP(WebPHeader::read(bytes)?),
        };
        Ok(Self { length, source })
    }

    /// The format of the file.
    pub fn format(&self) -> ImageFormat {
        match self.source {
            Source::Jpeg(_) => ImageFormat::Jpeg,
            Source::Png(_) => ImageFormat::Png,
            Source::WebP(_) => ImageFormat::WebP,
        }
    }

    /// Pixels across, as the picture is seen: turned already.
    pub fn width(&self) -> u32 {
        orientation::oriented_dimensions(self.orientation(), self.stored_sides()).0
    }

    /// Pixels down, as the picture is seen: turned already.
    pub fn height(&self) -> u32 {
        orientation::oriented_dimensions(self.orientation(), self.stored_sides()).1
    }

    /// Bytes of memory that decoding the file and writing what is made of it take at most, the file itself not counted.
    pub fn memory_bytes(&self, purpose: Purpose) -> u64 {
        /// Tables, and lines for each thread.
        const REST: u64 = 4 << 20;
        /// Bytes that a decoder keeps of each byte of metadata, of which a file may consist.
        const METADATA: u64 = 4;

        let (decoding, sides) = match &self.source {
            Source::Jpeg(header) => {
                let scale = jpeg_scale(header, purpose);
                (header.memory_bytes(scale), header.sides(scale))
            }
            Source::Png(header) => (header.memory_bytes(), self.stored_sides()),
            Source::WebP(header) => (header.memory_bytes(), self.stored_sides()),
        };
        let making = encode_memory_bytes(purpose, sides, self.stored_sides());
        REST + self.length as u64 * METADATA + decoding.max(making)
    }

    pub(crate) fn orientation(&self) -> Orientation {
        match &self.source {
            Source::Jpeg(header) => header.orientation,
            Source::Png(header) => header.orientation,
            Source::WebP(header) => header.orientation,
        }
    }

    pub(crate) fn decode(&self, bytes: &[u8], purpose: Purpose) -> Result<RgbImage, ImageError> {
        match &self.source {
            Source::Jpeg(header) => jpeg::decode(bytes, header, jpeg_scale(header, purpose)),
            Source::Png(_) => png::decode(bytes),
            Source::WebP(_) => webp::decode(bytes),
        }
    }

    fn stored_sides(&self) -> (u32, u32) {
        match &self.source {
            Source::Jpeg(header) => (header.width, header.height),
            Source::Png(header) => (header.width, header.height),
            Source::WebP(header) => (header.width, header.height),
        }
    }
}

/// A square needs the shorter side, all of a picture the longer one.
fn jpeg_scale(header: &JpegHeader, purpose: Purpose) -> Scale {
    match purpose {
        Purpose::Profile => Scale::for_side(header.width.min(header.height), LARGE),
        Purpose::Post => Scale::for_side(header.width.max(header.height), POST_SIDE),
    }
}
