//! The boundaries of messages in one direction of a connection.

/// The kind of the packet with which a client starts its session. It has no kind on the wire.
pub(super) const STARTUP: u8 = 0;

/// The most bytes that are kept of a message. Errors are shorter.
const MAX_KEPT: usize = 16 * 1024;

/// Splits a stream of bytes into messages of PostgreSQL's protocol.
pub(super) struct Messages {
    /// Bytes before the first message.
    raw: usize,
    /// Messages at the start that have a length but no kind. The last one is the start of the session.
    untyped: usize,
    /// The kind of message whose body is kept.
    kept: Option<u8>,
    header: [u8; 5],
    filled: usize,
    /// The number of bytes of the body that are still to come.
    left: usize,
    body: Vec<u8>,
}

impl Messages {
    /// What a client sends, beginning with this number of messages without a kind.
    pub(super) fn of_client(untyped: usize) -> Self {
        Self::new(0, untyped, None)
    }

    /// What a server sends after this number of other bytes. Keeps the bodies of errors.
    pub(super) fn of_server(raw: usize) -> Self {
        Self::new(raw, 0, Some(b'E'))
    }

    fn new(raw: usize, untyped: usize, kept: Option<u8>) -> Self {
        Self { raw, untyped, kept, header: [0; 5], filled: 0, left: 0, body: Vec::new() }
    }

    /// Calls `on_message` with the kind and the kept body of each message that ends in these bytes.
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut on_message: impl FnMut(u8, &[u8])) {
        let skipped = self.raw.min(bytes.len());
        self.raw -= skipped;
        bytes = &bytes[skipped..];
        while !bytes.is_empty() {
            let header_len = if 0 < self.untyped { 4 } else { 5 };
            if self.filled < header_len {
                let (start, rest) = bytes.split_at(bytes.len().min(header_len - self.filled));
                self.header[self.filled..self.filled + start.len()].copy_from_slice(start);
                self.filled += start.len();
                bytes = rest;
                if self.filled < header_len {
                    return;
                }
                self.left = body_len(&self.header[header_len - 4..header_len]);
            }
            let (body, rest) = bytes.split_at(bytes.len().min(self.left));
            if self.kept == Some(self.header[0]) {
                let room = MAX_KEPT - self.body.len();
                self.body.extend_from_slice(&body[..body.len().min(room)]);
            }
            self.left -= body.len();
            bytes = rest;
            if self.left == 0 {
                self.finish(&mut on_message);
            }
        }
    }

    fn finish(&mut self, on_message: &mut impl FnMut(u8, &[u8])) {
        self.filled = 0;
        if 0 < self.untyped {
            self.untyped -= 1;
            if self.untyped == 0 {
                on_message(STARTUP, &[]);
            }
        } else {
            on_message(self.header[0], &self.body);
            self.body.clear();
        }
    }
}

/// The length of a message counts itself.
fn body_len(length: &[u8]) -> usize {
    let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    length.saturating_sub(4)
}

/// The field of an error message with this code, such as `C` for the SQLSTATE.
pub(super) fn error_field(body: &[u8], code: u8) -> Option<&str> {
    let field = body.split(|byte| *byte == 0).find(|field| field.first() == Some(&code))?;
    std::str::from_utf8(&field[1..]).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[kind], &length[..], body].concat()
    }

    fn collect(messages: &mut Messages, chunks: &[&[u8]]) -> Vec<(u8, Vec<u8>)> {
        let mut found = Vec::new();
        for chunk in chunks {
            messages.feed(chunk, |kind, body| found.push((kind, body.to_vec())));
        }
        found
    }

    proptest! {
        #[test]
        fn messages_are_found_wherever_the_stream_is_cut(
            bodies in prop::collection::vec((prop::sample::select(&b"ETDZ"[..]), prop::collection::vec(any::<u8>(), 0..20)), 0..10),
            size in 1_usize..30,
        ) {
            let stream: Vec<u8> =
                [b"S".to_vec()].into_iter().chain(bodies.iter().map(|(kind, body)| message(*kind, body))).flatten().collect();
            let chunks: Vec<&[u8]> = stream.chunks(size).collect();

            let found = collect(&mut Messages::of_server(1), &chunks);

            let kept = |(kind, body): &(u8, Vec<u8>)| (*kind, if *kind == b'E' { body.clone() } else { Vec::new() });
            prop_assert_eq!(found, bodies.iter().map(kept).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_client_starts_with_messages_without_a_kind() {
        let stream =
            [&[0, 0, 0, 8, 1, 2, 3, 4][..], &[0, 0, 0, 5, 9], &message(b'Q', b"x\0")].concat();

        let found = collect(&mut Messages::of_client(2), &[&stream]);

        assert_eq!(found.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [STARTUP, b'Q']);
    }

    #[test]
    fn fields_of_an_error_are_found_by_their_code() {
        let body = b"SFATAL\0C57P01\0Mterminating connection\0\0";

        assert_eq!(error_field(body, b'C'), Some("57P01"));
        assert_eq!(error_field(body, b'M'), Some("terminating connection"));
        assert_eq!(error_field(body, b'D'), None);
    }
}
