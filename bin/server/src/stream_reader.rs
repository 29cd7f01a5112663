//! Reads an asynchronous stream with blocking calls.

use std::io::{self, Read};
use std::pin::Pin;

use futures_util::{Stream, StreamExt as _};
use tokio::runtime::Handle;

/// A reader of a stream of chunks, for blocking threads.
pub(crate) struct StreamReader<B, E> {
    stream: Pin<Box<dyn Stream<Item = Result<B, E>> + Send>>,
    handle: Handle,
    chunk: Option<B>,
    /// How much of the chunk is read.
    position: usize,
}

impl<B: AsRef<[u8]>, E> StreamReader<B, E> {
    pub(crate) fn new(
        stream: impl Stream<Item = Result<B, E>> + Send + 'static,
        handle: Handle,
    ) -> Self {
        Self { stream: Box::pin(stream.fuse()), handle, chunk: None, position: 0 }
    }
}

impl<B, E> Read for StreamReader<B, E>
where
    B: AsRef<[u8]>,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let rest =
                self.chunk.as_ref().map_or(&[][..], |chunk| &chunk.as_ref()[self.position..]);
            if !rest.is_empty() {
                let read = rest.len().min(buffer.len());
                buffer[..read].copy_from_slice(&rest[..read]);
                self.position += read;
                return Ok(read);
            }
            let Some(next) = self.handle.block_on(self.stream.next()) else { return Ok(0) };
            self.chunk = Some(next.map_err(io::Error::other)?);
            self.position = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_of_any_size_are_read_in_order_and_an_error_ends_them() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let chunks = [Ok("ab"), Ok(""), Ok("cdef"), Err("lost")];
        let stream = futures_util::stream::iter(chunks);
        let mut reader = StreamReader::new(stream, runtime.handle().clone());
        let mut text = String::new();

        let error = reader.read_to_string(&mut text).unwrap_err();

        assert_eq!((text.as_str(), error.to_string().as_str()), ("abcdef", "lost"));
    }

    #[test]
    fn a_stream_is_not_read_beyond_its_end() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        // Panics beyond its end.
        let stream = futures_util::stream::unfold(true, async |is_first| {
            is_first.then_some((Ok::<_, io::Error>("ab"), false))
        });
        let mut reader = StreamReader::new(stream, runtime.handle().clone());

        let read = [reader.read(&mut [0; 8]), reader.read(&mut [0; 8]), reader.read(&mut [0; 8])];

        assert_eq!(read.map(Result::unwrap), [2, 0, 0]);
    }
}
