//! Generates authors, types and times of posts.

use grateful_domain::PostType;

use crate::rng::{Rng, Stream};
use crate::zipf::ZipfSampler;

/// A post without its text, which is generated from the post's index when it is needed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GeneratedPost {
    /// Microseconds since the Unix epoch.
    pub(crate) at: i64,
    /// Index of the author.
    pub(crate) author: usize,
    pub(crate) post_type: PostType,
    pub(crate) is_public: bool,
}

/// Per mille of posts that are public.
const PUBLIC: u64 = 930;

/// Generates `count` posts, oldest first, in the `span` microseconds before `now`. Recent times are more frequent.
pub(crate) fn generate_posts(
    count: usize,
    active_users: &ZipfSampler,
    seed: u64,
    now: i64,
    span: u64,
) -> Vec<GeneratedPost> {
    let mut rng = Rng::for_stream(Stream::Posts, seed);
    let mut posts: Vec<GeneratedPost> = (0..count)
        .map(|_| GeneratedPost {
            at: now.saturating_sub_unsigned(rng.squared_fraction_of(span)),
            author: active_users.sample(&mut rng),
            post_type: match rng.below(100) {
                0..46 => PostType::Daily,
                46..88 => PostType::Spontaneous,
                _ => PostType::Photo,
            },
            is_public: rng.chance(PUBLIC),
        })
        .collect();
    posts.sort_by_key(|post| post.at);
    // Engagement needs a public post, even in the smallest dataset.
    if posts.iter().all(|post| !post.is_public)
        && let Some(newest) = posts.last_mut()
    {
        newest.is_public = true;
    }
    posts
}
