//! Connection URLs for a Unix socket.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

pub(crate) fn connection_url(socket_dir: &Path, database: &str) -> String {
    connection_url_of(&[socket_dir], database)
}

/// Socket directories take the place of hosts, so their slashes are percent-encoded.
pub(crate) fn connection_url_of(socket_dirs: &[&Path], database: &str) -> String {
    let mut url = String::from("postgresql://grateful@");
    for (index, socket_dir) in socket_dirs.iter().enumerate() {
        if 0 < index {
            url.push(',');
        }
        encode(socket_dir.as_os_str().as_bytes(), &mut url);
    }
    url.push('/');
    encode(database.as_bytes(), &mut url);
    url
}

fn encode(bytes: &[u8], output: &mut String) {
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            output.push(char::from(*byte));
        } else {
            let _ = write!(output, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_and_spaces_are_encoded() {
        let url = connection_url(Path::new("/tmp/grateful-7-ab"), "a db?");

        assert_eq!(url, "postgresql://grateful@%2Ftmp%2Fgrateful-7-ab/a%20db%3F");
    }
}
