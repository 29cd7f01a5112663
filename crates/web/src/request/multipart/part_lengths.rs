//! Hides the `Content-Length` headers of parts from the multipart library.
//!
//! RFC 7578 §4.8 says to ignore them. The library believes them: a number that is too small cuts the content, and any
//! other wrong number refuses the form.

use std::future::ready;

use actix_web::error::PayloadError;
use actix_web::web::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use memchr::{memchr, memmem};

/// The name of the header, and one of the same length that has no meaning.
const LENGTH: &[u8] = b"content-length:";
const NO_LENGTH: &[u8] = b"x-ignored-size:";

/// Returns the chunks of a form without the `Content-Length` headers of its parts. All other bytes stay as they are.
///
/// Ends with an overflow after about `max_bytes`, since parts are not all that a form can have.
pub(super) fn without_part_lengths<P: Stream<Item = Result<Bytes, PayloadError>>>(
    payload: P,
    boundary: &str,
    max_bytes: usize,
) -> impl Stream<Item = Result<Bytes, PayloadError>> + use<P> {
    let mut scanner = Scanner::new(boundary);
    let mut received_bytes = 0;
    let chunks = payload.map(Some).chain(stream::once(ready(None)));
    let chunks = chunks.map(move |chunk| match chunk {
        Some(Ok(_)) if max_bytes < received_bytes => Err(PayloadError::Overflow),
        Some(Ok(chunk)) => {
            received_bytes += chunk.len();
            Ok(scanner.push(&chunk))
        }
        Some(Err(error)) => Err(error),
        None => Ok(scanner.finish()),
    });
    // The library can stall after several empty chunks.
    chunks.try_filter(|chunk| ready(!chunk.is_empty()))
}

/// Follows the structure of a form.
struct Scanner {
    state: State,
    /// The received bytes that are not passed on yet.
    buffer: BytesMut,
    /// A line break, two hyphens and the boundary.
    delimiter: Vec<u8>,
}

/// Where the next byte is.
#[derive(Clone, Copy)]
enum State {
    /// At the start of a line outside contents: of a header or of the text before the first part.
    LineStart,
    /// Within such a line.
    Line,
    /// In the content of a part, which ends with the delimiter.
    Content,
}

/// The result of a step.
enum Step {
    /// The bytes up to this index are done.
    Done(usize),
    /// The bytes from this index on cannot be judged before more are received.
    Wait(usize),
}

impl Scanner {
    fn new(boundary: &str) -> Self {
        let delimiter = format!("\r\n--{boundary}").into_bytes();
        Self { state: State::LineStart, buffer: BytesMut::new(), delimiter }
    }

    /// Adds a chunk. Returns the bytes that are done.
    fn push(&mut self, chunk: &[u8]) -> Bytes {
        self.buffer.extend_from_slice(chunk);
        let mut position = 0;
        loop {
            match self.step(position) {
                Step::Done(end) => position = end,
                Step::Wait(end) => return self.buffer.split_to(end).freeze(),
            }
        }
    }

    /// Returns the rest of the bytes.
    fn finish(&mut self) -> Bytes {
        self.buffer.split().freeze()
    }

    fn step(&mut self, start: usize) -> Step {
        let length = self.buffer.len();
        let rest = &mut self.buffer[start..];
        match self.state {
            State::LineStart if rest.starts_with(b"\r\n") => {
                self.state = State::Content;
                Step::Done(start + 2)
            }
            State::LineStart if rest.len() < LENGTH.len() && memchr(b'\n', rest).is_none() => {
                Step::Wait(start)
            }
            State::LineStart => {
                hide_length(rest);
                self.state = State::Line;
                Step::Done(start)
            }
            State::Line => match memchr(b'\n', rest) {
                Some(index) => {
                    self.state = State::LineStart;
                    Step::Done(start + index + 1)
                }
                None => Step::Wait(length),
            },
            State::Content => match memmem::find(rest, &self.delimiter) {
                Some(index) => {
                    self.state = State::Line;
                    Step::Done(start + index + self.delimiter.len())
                }
                // The delimiter can start in the last bytes.
                None => Step::Wait(start.max((length + 1).saturating_sub(self.delimiter.len()))),
            },
        }
    }
}

/// Replaces the name of the header at the start of a line, if it is `Content-Length`.
fn hide_length(line: &mut [u8]) {
    if let Some(name) = line.get_mut(..LENGTH.len())
        && name.eq_ignore_ascii_case(LENGTH)
    {
        name.copy_from_slice(NO_LENGTH);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Passes a form with the boundary `XX` through the scanner in chunks of this size.
    fn scan(form: &[u8], chunk_size: usize) -> Vec<u8> {
        let mut scanner = Scanner::new("XX");
        let mut output = Vec::new();
        for chunk in form.chunks(chunk_size) {
            output.extend(scanner.push(chunk));
            assert!(scanner.buffer.len() < LENGTH.len().max(scanner.delimiter.len()));
        }
        output.extend(scanner.finish());
        output
    }

    #[test]
    fn only_lengths_in_the_headers_of_parts_are_replaced() {
        let form =
            b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Length: 1\r\n\r\n\
            Content-Length: 2\r\ncontent-length: 3\r\n--X\r\n\
            \r\n--XX\r\ncontent-LENGTH:4\r\nX-Content-Length: 5\r\n\r\n\
            \r\n--XX\r\nContent-Length: 6\r\n\r\nb\r\n--XX--\r\n";
        let expected =
            b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\nx-ignored-size: 1\r\n\r\n\
            Content-Length: 2\r\ncontent-length: 3\r\n--X\r\n\
            \r\n--XX\r\nx-ignored-size:4\r\nX-Content-Length: 5\r\n\r\n\
            \r\n--XX\r\nx-ignored-size: 6\r\n\r\nb\r\n--XX--\r\n";

        for chunk_size in 1..=form.len() {
            assert_eq!(scan(form, chunk_size), expected, "{chunk_size}");
        }
    }

    #[test]
    fn text_before_the_first_part_does_not_hide_it() {
        let form = b"Hello\r\n\r\nworld\r\n--XX\r\nContent-Length: 1\r\n\r\nab\r\n--XX--";

        let output = scan(form, 7);

        assert!(memmem::find(&output, b"x-ignored-size: 1\r\n\r\nab").is_some());
    }

    proptest! {
        #[test]
        fn bytes_without_a_length_stay_as_they_are(
            form in prop::collection::vec(prop::sample::select(b"\r\n-X:ac".to_vec()), 0..200),
            chunk_size in 1_usize..20,
        ) {
            prop_assert_eq!(scan(&form, chunk_size), form);
        }
    }
}
