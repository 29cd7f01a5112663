//! Cursors as URL-safe text that is opaque to clients (docs/http-api.md#pagination).

mod list_key;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike as _};
use grateful_domain::{FeedCursor, Position, SeenPostKey};
use uuid::Uuid;

pub(crate) use self::list_key::ListKey;

/// Encodes a position as a cursor of `list`: the digest of the list, microseconds since 1970, and the id.
pub(crate) fn encode(list: ListKey, position: Position) -> String {
    let micros = position.at.timestamp_micros().to_be_bytes();
    let bytes = [&list.digest()[..], &micros, position.id.as_bytes()].concat();
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes a cursor of `list`. `None` for text that [`encode`] did not write for the same list.
pub(crate) fn decode(list: ListKey, cursor: &str) -> Option<Position> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (micros, id) = bytes.strip_prefix(&list.digest())?.split_first_chunk()?;
    let at = DateTime::from_timestamp_micros(i64::from_be_bytes(*micros))?;
    // The years that a timestamp in a response can have (RFC 3339). PostgreSQL can store all of them.
    let is_possible = (1..=9999).contains(&at.year());
    Uuid::from_slice(id).ok().filter(|_| is_possible).map(|id| Position { at, id })
}

/// Encodes a cursor of the ranked feed. The text has at most 5,378 characters, since a feed without positions left has no
/// next page.
pub(crate) fn encode_feed(cursor: &FeedCursor) -> String {
    let mut bytes = vec![ListKey::RankedPosts.tag()];
    bytes.extend(cursor.recent_authors().iter().flat_map(|id| i64::from(*id).to_be_bytes()));
    bytes.extend(cursor.seen_posts().iter().flat_map(|key| key.0));
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes a cursor of the ranked feed. `None` for text that [`encode_feed`] did not write for a page with a next one.
///
/// A forged cursor yields the page that belongs to it: it grants no access and costs no more than any other cursor.
pub(crate) fn decode_feed(cursor: &str) -> Option<FeedCursor> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (tag, words) = bytes.split_first()?;
    let (words, rest) = words.as_chunks::<8>();
    // Each position is a word of 8 bytes. The last five positions also have a word for their author.
    let (authors, seen) = words.split_at(FeedCursor::MAX_RECENT_AUTHORS.min(words.len() / 2));
    let authors = authors.iter().map(|author| i64::from_be_bytes(*author).into()).collect();
    let seen = seen.iter().copied().map(SeenPostKey).collect();
    let is_of_feed = *tag == ListKey::RankedPosts.tag() && rest.is_empty();
    FeedCursor::resume(seen, authors).filter(|_| is_of_feed)
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use grateful_domain::UserId;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cursors_of_other_lists_are_rejected() {
        let (one, other) = (UserId::from(1), UserId::from(2));
        let cursor = encode(ListKey::Followers(one), A_POSITION);
        let feed_cursor = encode_feed(&cursor_after(3));

        assert_eq!(decode(ListKey::Followers(one), &cursor), Some(A_POSITION));
        for list in [ListKey::Followers(other), ListKey::Following(one), ListKey::NewestPosts] {
            assert_eq!(decode(list, &cursor), None, "{list:?}");
            assert_eq!(decode(list, &feed_cursor), None, "{list:?}");
            assert_eq!(decode_feed(&encode(list, A_POSITION)), None, "{list:?}");
        }
        assert_eq!(decode_feed(&encode(ListKey::RankedPosts, A_POSITION)), None);
    }

    #[test]
    fn cursors_have_36_characters_and_those_of_the_feed_fit_into_a_uri() {
        let longest = cursor_after(FeedCursor::MAX_POSITIONS - 1);

        assert_eq!(encode(ListKey::NewestPosts, A_POSITION).len(), 36);
        assert_eq!(encode_feed(&longest).len(), 5378);
    }

    #[test]
    fn a_cursor_with_missing_or_extra_bytes_is_rejected() {
        let list = ListKey::NewestPosts;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(encode(list, A_POSITION)).unwrap();
        let feed = BASE64_URL_SAFE_NO_PAD.decode(encode_feed(&cursor_after(3))).unwrap();
        let longer = |bytes: &[u8], extra| [bytes, &vec![0; extra]].concat();

        for broken in [&bytes[..26], &bytes[..3], &bytes[..2], &[], &longer(&bytes, 1)] {
            assert_eq!(decode(list, &BASE64_URL_SAFE_NO_PAD.encode(broken)), None, "{broken:?}");
        }
        for broken in [&feed[..feed.len() - 8], &feed[..feed.len() - 1], &longer(&feed, 8), &[100]]
        {
            assert_eq!(decode_feed(&BASE64_URL_SAFE_NO_PAD.encode(broken)), None, "{broken:?}");
        }
    }

    #[test]
    fn times_that_no_item_can_have_are_rejected() {
        let too_late = Position { at: DateTime::<Utc>::MAX_UTC, ..A_POSITION };

        assert_eq!(decode(ListKey::NewestPosts, &encode(ListKey::NewestPosts, too_late)), None);
    }

    proptest! {
        #[test]
        fn cursors_decode_to_the_encoded_position(micros in -62_135_596_800_000_000_i64..253_402_300_800_000_000, id: u128) {
            let at = DateTime::from_timestamp_micros(micros).unwrap();
            let position = Position { at, id: Uuid::from_u128(id) };
            prop_assert_eq!(decode(ListKey::OwnPosts, &encode(ListKey::OwnPosts, position)), Some(position));
        }

        #[test]
        fn cursors_of_the_feed_decode_to_what_was_encoded(positions in 1..FeedCursor::MAX_POSITIONS) {
            let cursor = cursor_after(positions);
            prop_assert_eq!(decode_feed(&encode_feed(&cursor)), Some(cursor));
        }

        #[test]
        fn decoding_any_text_does_not_panic(text in ".{0,60}") {
            _ = decode(ListKey::NewestPosts, &text);
            _ = decode_feed(&text);
        }

        #[test]
        fn any_decoded_bytes_are_those_that_are_encoded(mut bytes in prop::collection::vec(any::<u8>(), 1..200)) {
            bytes[0] = ListKey::RankedPosts.tag();
            if let Some(cursor) = decode_feed(&BASE64_URL_SAFE_NO_PAD.encode(&bytes)) {
                prop_assert_eq!(BASE64_URL_SAFE_NO_PAD.decode(encode_feed(&cursor)).unwrap(), bytes);
            }
        }
    }

    const A_POSITION: Position = Position { at: DateTime::UNIX_EPOCH, id: Uuid::nil() };

    fn cursor_after(positions: usize) -> FeedCursor {
        let posts = (1..=positions).map(|n| {
            let n = u64::try_from(n).unwrap();
            (Uuid::from_u64_pair(0, n * 77).into(), UserId::from(i64::try_from(n % 7).unwrap()))
        });
        FeedCursor::default().advance(posts)
    }
}
