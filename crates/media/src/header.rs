//! Reads and checks an image's header before anything is decoded.

use crate::jpeg::{self, JpegHeader, Scale};
use crate::limits::MAX_BYTES;
use crate::orientation::{self, Orientation};
use crate::png::{self, PngHeader};
use crate::rgb_image::RgbImage;
use crate::sizes::{LARGE_SIDE, MAX_POST_SIDE, Purpose, encode_memory_bytes};
use crate::webp::{self, WebPHeader};
use crate::{ImageError, ImageFormat};

/// A checked header: the image keeps every limit that can be checked without decoding it.
#[derive(Debug, Clone)]
pub struct ImageHeader {
    /// The file's size in bytes.
    file_bytes: usize,
    details: FormatHeader,
}

#[derive(Debug, Clone)]
enum FormatHeader {
    Jpeg(JpegHeader),
    Png(PngHeader),
    WebP(WebPHeader),
}

impl ImageHeader {
    /// Reads and checks a file's header. Takes microseconds, and no memory beyond that of a copy of the file.
    ///
    /// # Errors
    ///
    /// Every variant of [`ImageError`]. A file with a valid header may still turn out to be [`ImageError::Corrupt`] or
    /// [`ImageError::Unsupported`] when it is decoded.
    pub fn read(bytes: &[u8]) -> Result<Self, ImageError> {
        let file_bytes = bytes.len();
        if file_bytes > MAX_BYTES {
            return Err(ImageError::TooManyBytes { bytes: file_bytes });
        }
        let details = match ImageFormat::detect(bytes).ok_or(ImageError::UnknownFormat)? {
            ImageFormat::Jpeg => FormatHeader::Jpeg(JpegHeader::read(bytes)?),
            ImageFormat::Png => FormatHeader::Png(PngHeader::read(bytes)?),
            ImageFormat::WebP => FormatHeader::WebP(WebPHeader::read(bytes)?),
        };
        Ok(Self { file_bytes, details })
    }

    /// The format of the file.
    pub fn format(&self) -> ImageFormat {
        match self.details {
            FormatHeader::Jpeg(_) => ImageFormat::Jpeg,
            FormatHeader::Png(_) => ImageFormat::Png,
            FormatHeader::WebP(_) => ImageFormat::WebP,
        }
    }

    /// Width in pixels, after rotation.
    pub fn width(&self) -> u32 {
        orientation::oriented_dimensions(self.orientation(), self.stored_dimensions()).0
    }

    /// Height in pixels, after rotation.
    pub fn height(&self) -> u32 {
        orientation::oriented_dimensions(self.orientation(), self.stored_dimensions()).1
    }

    /// Upper bound for the memory in bytes that decoding and encoding take, apart from the file itself.
    pub fn memory_bytes(&self, purpose: Purpose) -> u64 {
        /// Tables, and row buffers of each thread.
        const FIXED_BYTES: u64 = 4 << 20;
        /// Copies of the file without its metadata, of its profile, and of the data that a decoder reads ahead.
        const BYTES_PER_FILE_BYTE: u64 = 4;

        let (decoding, decoded) = match &self.details {
            FormatHeader::Jpeg(header) => {
                let scale = jpeg_scale(header, purpose);
                (header.memory_bytes(scale), header.scaled_dimensions(scale))
            }
            FormatHeader::Png(header) => (header.memory_bytes(), self.stored_dimensions()),
            FormatHeader::WebP(header) => (header.memory_bytes(), self.stored_dimensions()),
        };
        let encoding = encode_memory_bytes(purpose, decoded, self.stored_dimensions());
        let file = self.file_bytes as u64 * BYTES_PER_FILE_BYTE;
        FIXED_BYTES + file + decoding.max(encoding)
    }

    pub(crate) fn orientation(&self) -> Orientation {
        match &self.details {
            FormatHeader::Jpeg(header) => header.orientation,
            FormatHeader::Png(header) => header.orientation,
            FormatHeader::WebP(header) => header.orientation,
        }
    }

    pub(crate) fn decode(&self, bytes: &[u8], purpose: Purpose) -> Result<RgbImage, ImageError> {
        match &self.details {
            FormatHeader::Jpeg(header) => jpeg::decode(bytes, header, jpeg_scale(header, purpose)),
            FormatHeader::Png(_) => png::decode(bytes),
            FormatHeader::WebP(_) => webp::decode(bytes),
        }
    }

    fn stored_dimensions(&self) -> (u32, u32) {
        match &self.details {
            FormatHeader::Jpeg(header) => (header.width, header.height),
            FormatHeader::Png(header) => (header.width, header.height),
            FormatHeader::WebP(header) => (header.width, header.height),
        }
    }
}

/// A square crop needs enough pixels on the shorter side, a whole image on the longer one.
fn jpeg_scale(header: &JpegHeader, purpose: Purpose) -> Scale {
    match purpose {
        Purpose::Profile => Scale::for_side(header.width.min(header.height), LARGE_SIDE),
        Purpose::Post => Scale::for_side(header.width.max(header.height), MAX_POST_SIDE),
    }
}
