//! The lists that support cursors.

use grateful_domain::{CommentId, NotificationId, PostId, UserId};
use uuid::Uuid;

/// A list that supports cursors: its kind, and the resource or the filter that selects its items. A cursor is only valid
/// for the list that issued it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListKey {
    /// All posts, newest first.
    NewestPosts,
    /// The ranked feed. Its cursors are [`FeedCursor`](grateful_domain::FeedCursor)s, not positions.
    RankedPosts,
    /// The viewer's own posts, newest first.
    OwnPosts,
    /// The posts of one user, newest first.
    UserPosts(UserId),
    /// The hearts of a post, newest first.
    Hearts(PostId),
    /// The emoji reactions to a post, newest first.
    Reactions(PostId),
    /// The top-level comments on a post, oldest first.
    Comments(PostId),
    /// The replies to a comment, oldest first.
    Replies(CommentId),
    /// The viewer's top-level notifications, most recently updated first.
    Notifications,
    /// The viewer's unread top-level notifications, most recently updated first.
    UnreadNotifications,
    /// The children of a notification batch, newest first.
    NotificationChildren(NotificationId),
    /// The followers of a user, newest first.
    Followers(UserId),
    /// The users that a user follows, newest first.
    Following(UserId),
    /// The pending follow requests to the viewer, newest first.
    FollowRequests,
    /// The users that the viewer has blocked, newest first.
    Blocks,
}

impl ListKey {
    /// The number of the kind. It is part of cursors, so a number must not be reused.
    pub(super) const fn tag(self) -> u8 {
        match self {
            Self::NewestPosts => 1,
            Self::UserPosts(_) => 2,
            Self::Hearts(_) => 3,
            Self::Reactions(_) => 4,
            Self::Comments(_) => 5,
            Self::Replies(_) => 6,
            Self::Notifications => 7,
            Self::NotificationChildren(_) => 8,
            Self::Followers(_) => 9,
            Self::Following(_) => 10,
            Self::FollowRequests => 11,
            Self::Blocks => 12,
            Self::OwnPosts => 13,
            Self::UnreadNotifications => 14,
            Self::RankedPosts => 100,
        }
    }

    /// Identifies the list in cursors. Three bytes keep a cursor at 36 characters. Two lists share a digest in one of 16
    /// million cases; a cursor grants no access, so nothing is lost then.
    pub(super) fn digest(self) -> [u8; 3] {
        let id = match self {
            Self::UserPosts(user) | Self::Followers(user) | Self::Following(user) => {
                i64::from(user).to_be_bytes().to_vec()
            }
            Self::Hearts(post) | Self::Reactions(post) | Self::Comments(post) => {
                Uuid::from(post).as_bytes().to_vec()
            }
            Self::Replies(comment) => Uuid::from(comment).as_bytes().to_vec(),
            Self::NotificationChildren(batch) => Uuid::from(batch).as_bytes().to_vec(),
            Self::NewestPosts
            | Self::RankedPosts
            | Self::OwnPosts
            | Self::Notifications
            | Self::UnreadNotifications
            | Self::FollowRequests
            | Self::Blocks => Vec::new(),
        };
        let [first, rest @ ..] = fnv1a([&[self.tag()], &id[..]].concat().as_slice()).to_be_bytes();
        let [high, middle, low] = rest;
        // The fold that the authors of the hash recommend for fewer bits.
        [high, middle, low ^ first]
    }
}

/// The 32-bit FNV-1a hash. It is not secret: a forged cursor yields a page of the list it is sent to.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_hash_is_fnv1a() {
        // From the reference implementation.
        assert_eq!(fnv1a(b""), 0x811c_9dc5);
        assert_eq!(fnv1a(b"a"), 0xe40c_292c);
        assert_eq!(fnv1a(b"foobar"), 0xbf9c_f968);
    }

    #[test]
    fn lists_of_different_kinds_resources_and_filters_have_different_digests() {
        let mut digests = vec![
            ListKey::NewestPosts.digest(),
            ListKey::RankedPosts.digest(),
            ListKey::OwnPosts.digest(),
            ListKey::Notifications.digest(),
            ListKey::UnreadNotifications.digest(),
            ListKey::FollowRequests.digest(),
            ListKey::Blocks.digest(),
        ];
        for number in 0..50_u8 {
            let (user, id) = (UserId::from(i64::from(number)), Uuid::from_u128(number.into()));
            digests.extend(
                [
                    ListKey::UserPosts(user),
                    ListKey::Followers(user),
                    ListKey::Following(user),
                    ListKey::Hearts(id.into()),
                    ListKey::Reactions(id.into()),
                    ListKey::Comments(id.into()),
                    ListKey::Replies(id.into()),
                    ListKey::NotificationChildren(id.into()),
                ]
                .map(ListKey::digest),
            );
        }

        let distinct: HashSet<_> = digests.iter().collect();
        assert_eq!(distinct.len(), digests.len());
    }
}
