//! Connection URLs for a socket in a folder.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// The folder stands where a host would, so its slashes are encoded.
pub(crate) fn url(socket: &Path, database: &str) -> String {
    let mut url = String::from("postgresql://grateful@");
    encode(socket.as_os_str().as_bytes(), &mut url);
    url.push('/');
    encode(database.as_bytes(), &mut url);
    url
}

fn encode(bytes: &[u8], into: &mut String) {
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            into.push(char::from(*byte));
        } else {
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_and_spaces_are_encoded() {
        let url = url(Path::new("/tmp/grateful-7-ab"), "a db?");

        assert_eq!(url, "postgresql://grateful@%2Ftmp%2Fgrateful-7-ab/a%20db%3F");
    }
}
