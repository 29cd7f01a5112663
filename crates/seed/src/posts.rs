//! Who posted what, and when.

use grateful_domain::PostType;

use crate::dice::{About, Dice};
use crate::zipf::Zipf;

/// A post, as far as others care: its words come from its number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Posted {
    /// Microseconds after 1970.
    pub(crate) at: i64,
    /// By their number.
    pub(crate) author: usize,
    pub(crate) post_type: PostType,
    pub(crate) is_public: bool,
}

/// How often in a thousand a post is for everybody.
const PUBLIC: u64 = 930;

/// So many posts, the oldest first: `span` microseconds up to `now`, and more of them the nearer to it.
pub(crate) fn posted(many: usize, active: &Zipf, seed: u64, now: i64, span: u64) -> Vec<Posted> {
    let mut dice = Dice::about(About::Posts, seed);
    let mut posts: Vec<Posted> = (0..many)
        .map(|_| Posted {
            at: now.saturating_sub_unsigned(dice.small_part(span)),
            author: active.pick(&mut dice),
            post_type: match dice.below(100) {
                0..46 => PostType::Daily,
                46..88 => PostType::Spontaneous,
                _ => PostType::Photo,
            },
            is_public: dice.chance(PUBLIC),
        })
        .collect();
    posts.sort_by_key(|post| post.at);
    // Whoever asks for engagement gets it, in the smallest of worlds too.
    if posts.iter().all(|post| !post.is_public)
        && let Some(newest) = posts.last_mut()
    {
        newest.is_public = true;
    }
    posts
}
