//! The files of Swagger UI in the ZIP archive that a crate embeds in the binary.

use std::io::Read;

use flate2::read::DeflateDecoder;
use memchr::memmem;

const ARCHIVE: &[u8] = utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;

/// Signature of the record at the end, which says where the directory starts.
const END: &[u8] = b"PK\x05\x06";

/// Signature of an entry of the directory.
const ENTRY: &[u8] = b"PK\x01\x02";

/// The archive's code of the compression method deflate. The other one in use is 0, none.
const DEFLATE: usize = 8;

/// A file as it is in the archive.
#[derive(Debug)]
pub(super) struct ArchivedFile {
    pub(super) is_compressed: bool,
    /// CRC-32 of the decompressed file, and its size in bytes, as in the trailer of a gzip file.
    trailer: [[u8; 4]; 2],
    content: &'static [u8],
}

impl ArchivedFile {
    /// Finds a file of Swagger UI by its name.
    pub(super) fn find(name: &str) -> Option<Self> {
        let end = memmem::rfind(ARCHIVE, END)?;
        let mut entry = ARCHIVE.get(four_bytes(ARCHIVE, end + 16)?..)?;
        while entry.starts_with(ENTRY) {
            let [path, extra, comment] = [28, 30, 32].map(|offset| two_bytes(entry, offset));
            let (path, rest) = entry.get(46..)?.split_at_checked(path?)?;
            if name_in_dist(path) == Some(name) {
                return Self::of_entry(entry);
            }
            entry = rest.get(extra? + comment?..)?;
        }
        None
    }

    fn of_entry(entry: &[u8]) -> Option<Self> {
        let [checksum, size] = [16, 24].map(|offset| entry.get(offset..)?.first_chunk());
        let header = ARCHIVE.get(four_bytes(entry, 42)?..)?;
        let start = 30 + two_bytes(header, 26)? + two_bytes(header, 28)?;
        Some(Self {
            is_compressed: two_bytes(entry, 10)? == DEFLATE,
            trailer: [*checksum?, *size?],
            content: header.get(start..)?.get(..four_bytes(entry, 20)?)?,
        })
    }

    /// The file as gzip, if it is compressed. Both formats contain the same compressed data, so nothing is compressed here.
    pub(super) fn gzip(&self) -> Vec<u8> {
        /// Magic number, deflate, no flags, no time of change, no level, unknown file system.
        const HEADER: [u8; 10] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF];

        [&HEADER[..], self.content, self.trailer.as_flattened()].concat()
    }

    /// The file itself.
    pub(super) fn bytes(&self) -> Vec<u8> {
        if !self.is_compressed {
            return self.content.to_vec();
        }
        let mut bytes = Vec::new();
        // Fails only for a broken archive, and this one is part of the binary.
        _ = DeflateDecoder::new(self.content).read_to_end(&mut bytes);
        bytes
    }
}

/// The name of a file in `dist`, the folder with what a server serves.
fn name_in_dist(path: &[u8]) -> Option<&str> {
    let (_release, path) = str::from_utf8(path).ok()?.split_once('/')?;
    path.strip_prefix("dist/").filter(|name| !name.is_empty())
}

fn two_bytes(bytes: &[u8], offset: usize) -> Option<usize> {
    Some(u16::from_le_bytes(*bytes.get(offset..)?.first_chunk()?).into())
}

fn four_bytes(bytes: &[u8], offset: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(*bytes.get(offset..)?.first_chunk()?)).ok()
}
