//! The whole dataset and its rows.

mod inboxes;

use chrono::{DateTime, Utc};
use grateful_domain::{
    Comment, CommentId, CommentText, Content, Draft, Emoji, Engagement, Follow, FollowState,
    HeartId, LocationName, Post, PostId, PostType, ReactionId, Recipients, Share, ShareDetails,
    ShareId, ShareMessage, Title, UserId, Visibility,
};

use crate::dataset_size::{DatasetSize, DatasetSizeError};
use crate::engagements::{EngagementContext, Engagements, Interaction, ShareTarget};
use crate::events::{SelectedEvents, select_events};
use crate::follows::{GeneratedFollow, generate_follows};
use crate::posts::{GeneratedPost, generate_posts};
use crate::rng::{Rng, Stream};
use crate::users::{GeneratedUser, email_of, preferences_of, profile_of, username_of};
use crate::zipf::ZipfSampler;
use crate::{texts, word_lists};

/// A heart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeneratedHeart {
    /// The id.
    pub id: HeartId,
    /// The user who added it.
    pub user: UserId,
    /// The post.
    pub post: PostId,
    /// When it was added.
    pub at: DateTime<Utc>,
}

/// An emoji reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeneratedReaction {
    /// The id.
    pub id: ReactionId,
    /// The user who added it.
    pub user: UserId,
    /// The post.
    pub post: PostId,
    /// The emoji.
    pub emoji: Emoji,
    /// When it was added.
    pub at: DateTime<Utc>,
}

/// A generated dataset. Each method returns the rows of one kind, oldest first.
#[derive(Debug)]
pub struct Dataset {
    seed: u64,
    now: i64,
    /// User ids by index.
    user_ids: Vec<UserId>,
    posts: Vec<GeneratedPost>,
    engagement_counts: Vec<Engagement>,
    follows: Vec<GeneratedFollow>,
    engagements: Engagements,
    events: SelectedEvents,
}

/// Posts and follows are at most this old, in microseconds.
const POSTING_SPAN: u64 = 180 * DAY;
/// Users sign up during this time before the first post, in microseconds.
const SIGN_UP_SPAN: u64 = 365 * DAY;
const DAY: u64 = 86_400_000_000;

impl Dataset {
    /// Generates a dataset of this size and seed for users with these ids. Nothing in it is newer than `now`.
    ///
    /// `user_ids` should have `size.users` ids; if it has fewer, only that many users are generated. The users have these
    /// ids in the given order. The id of any other row depends only on the seed, its index within its kind and its time.
    ///
    /// # Errors
    /// The size is impossible (see [`DatasetSize::check`]).
    pub fn generate(
        size: DatasetSize,
        seed: u64,
        now: DateTime<Utc>,
        user_ids: Vec<UserId>,
    ) -> Result<Self, DatasetSizeError> {
        let size = DatasetSize { users: size.users.min(user_ids.len()), ..size };
        size.check()?;
        let now = now.timestamp_micros();
        let active_users = ZipfSampler::below(size.users, Stream::Activity, seed);
        let posts = generate_posts(size.posts, &active_users, seed, now, POSTING_SPAN);
        let (follows, blocks) =
            generate_follows(size.follows, size.users, &active_users, seed, (now, POSTING_SPAN));
        let context = EngagementContext {
            seed,
            now,
            active_users: &active_users,
            posts: &posts,
            blocks: &blocks,
        };
        let engagements = match size.engagements {
            0 => Engagements::default(),
            count => Engagements::generate(count, context),
        };
        let engagement_counts = engagements.counts(posts.len());
        let events = select_events(size.notifications, &posts, &follows, &engagements);
        Ok(Self { seed, now, user_ids, posts, engagement_counts, follows, engagements, events })
    }

    /// The users, with their counters.
    pub fn users(&self) -> impl ExactSizeIterator<Item = GeneratedUser> {
        let mut counters = vec![[0_i64; 4]; self.user_ids.len()];
        for follow in self.follows.iter().filter(|follow| follow.state == FollowState::Active) {
            counters[follow.followed][0] += 1;
            counters[follow.follower][1] += 1;
        }
        for post in &self.posts {
            counters[post.author][2] += 1;
            counters[post.author][3] += i64::from(post.is_public);
        }
        let users = self.user_ids.len() as u64;
        let first = self.now.saturating_sub_unsigned(POSTING_SPAN + SIGN_UP_SPAN);
        counters.into_iter().enumerate().map(move |(index, counters)| {
            let [followers, following, posts, public_posts] = counters;
            let username = username_of(self.seed, index);
            let profile = profile_of(self.seed, index);
            let joined_at = first.saturating_add_unsigned(SIGN_UP_SPAN / users * index as u64);
            GeneratedUser {
                id: self.user_ids[index],
                email: email_of(&username),
                username,
                display_name: profile.display_name,
                bio: profile.bio,
                city: profile.city,
                preferences: preferences_of(index),
                joined_at: to_datetime(joined_at),
                followers,
                following,
                posts,
                public_posts,
            }
        })
    }

    /// The posts, with their engagement counts.
    pub fn posts(&self) -> impl ExactSizeIterator<Item = Post> {
        self.posts.iter().enumerate().map(|(index, post)| Post {
            id: self.post_id(index),
            author: self.user_ids[post.author],
            draft: self.draft(index, post),
            created_at: to_datetime(post.at),
            updated_at: None,
            engagement: self.engagement_counts[index],
        })
    }

    /// The follows, follow requests and blocks.
    pub fn follows(&self) -> impl ExactSizeIterator<Item = Follow> {
        self.follows.iter().enumerate().map(|(index, follow)| Follow {
            id: Rng::for_item(Stream::FollowId, self.seed, index).uuid_v7(follow.at).into(),
            follower: self.user_ids[follow.follower],
            followed: self.user_ids[follow.followed],
            state: follow.state,
            created_at: to_datetime(follow.at),
        })
    }

    /// The hearts.
    pub fn hearts(&self) -> impl ExactSizeIterator<Item = GeneratedHeart> {
        self.engagements.hearts.iter().enumerate().map(|(index, heart)| GeneratedHeart {
            id: HeartId::from(self.interaction_id(Stream::HeartId, index, heart)),
            user: self.user_ids[heart.user],
            post: self.post_id(heart.post),
            at: to_datetime(heart.at),
        })
    }

    /// The emoji reactions.
    pub fn reactions(&self) -> impl ExactSizeIterator<Item = GeneratedReaction> {
        self.engagements.reactions.iter().enumerate().map(|(index, reaction)| GeneratedReaction {
            id: ReactionId::from(self.interaction_id(Stream::ReactionId, index, reaction)),
            user: self.user_ids[reaction.user],
            post: self.post_id(reaction.post),
            emoji: reaction.detail,
            at: to_datetime(reaction.at),
        })
    }

    /// The shares, by link and by message.
    pub fn shares(&self) -> impl ExactSizeIterator<Item = Share> {
        self.engagements.shares.iter().enumerate().map(|(index, share)| Share {
            id: self.share_id(index),
            user: self.user_ids[share.user],
            post: self.post_id(share.post),
            details: self.share_details(index, share),
            created_at: to_datetime(share.at),
        })
    }

    /// The comments; a reply follows its parent.
    pub fn comments(&self) -> impl ExactSizeIterator<Item = Comment> {
        self.engagements.comments.iter().enumerate().map(|(index, comment)| Comment {
            id: self.comment_id(index),
            post: self.post_id(comment.post),
            author: self.user_ids[comment.user],
            parent: comment.detail.map(|parent| self.comment_id(parent)),
            text: self.comment_text(index),
            created_at: to_datetime(comment.at),
            updated_at: None,
        })
    }

    /// Number of events recorded in inboxes, including those that the hourly limit holds back.
    pub fn event_count(&self) -> usize {
        self.events.newest.len()
    }

    fn draft(&self, index: usize, post: &GeneratedPost) -> Draft {
        let mut rng = Rng::for_item(Stream::PostText, self.seed, index);
        let content = texts::content(post.post_type, &mut rng);
        let has_title = post.post_type == PostType::Daily && rng.chance(300);
        let title = has_title.then(|| rng.choose(word_lists::TITLES).to_owned());
        let location = rng.chance(140).then(|| rng.choose(word_lists::CITIES).to_owned());
        Draft {
            title: title.map(Title::from_stored),
            content: Content::from_stored(content),
            post_type: post.post_type,
            image_url: None,
            location: location.map(LocationName::from_stored),
            visibility: Visibility::from_is_public(post.is_public),
        }
    }

    fn share_details(&self, index: usize, share: &Interaction<ShareTarget>) -> ShareDetails {
        let ShareTarget::Users(users) = &share.detail else { return ShareDetails::Url };
        let user_ids: Vec<i64> = users.iter().map(|user| self.user_ids[*user].into()).collect();
        ShareDetails::Message {
            recipients: Recipients::parse(self.user_ids[share.user], &user_ids)
                .expect("one to three distinct users without the sender"),
            message: self.share_message(index),
        }
    }

    fn share_message(&self, index: usize) -> Option<ShareMessage> {
        let message = texts::share_message(&mut Rng::for_item(Stream::ShareText, self.seed, index));
        message.map(ShareMessage::from_stored)
    }

    fn comment_text(&self, index: usize) -> CommentText {
        let mut rng = Rng::for_item(Stream::CommentText, self.seed, index);
        CommentText::from_stored(texts::comment(&mut rng))
    }

    fn post_id(&self, index: usize) -> PostId {
        Rng::for_item(Stream::PostId, self.seed, index).uuid_v7(self.posts[index].at).into()
    }

    fn share_id(&self, index: usize) -> ShareId {
        self.interaction_id(Stream::ShareId, index, &self.engagements.shares[index]).into()
    }

    fn comment_id(&self, index: usize) -> CommentId {
        self.interaction_id(Stream::CommentId, index, &self.engagements.comments[index]).into()
    }

    fn interaction_id<T>(
        &self,
        stream: Stream,
        index: usize,
        interaction: &Interaction<T>,
    ) -> uuid::Uuid {
        Rng::for_item(stream, self.seed, index).uuid_v7(interaction.at)
    }
}

/// Converts microseconds since the Unix epoch.
fn to_datetime(at: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at).unwrap_or_default()
}
