//! Generates engagement with posts: hearts, emoji reactions, shares and comments.

use std::collections::{HashMap, HashSet};

use grateful_domain::{Emoji, Engagement, ShareQuota};

use crate::follows::Blocks;
use crate::posts::GeneratedPost;
use crate::rng::{Rng, Stream};
use crate::zipf::ZipfSampler;

/// An interaction of a user with a post; `detail` depends on the kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Interaction<T> {
    /// Microseconds since the Unix epoch.
    pub(crate) at: i64,
    /// Index of the user.
    pub(crate) user: usize,
    /// Index of the post.
    pub(crate) post: usize,
    pub(crate) detail: T,
}

/// How a post was shared.
#[derive(Debug, Clone)]
pub(crate) enum ShareTarget {
    Link,
    /// Indexes of the recipients.
    Users(Vec<usize>),
}

/// All engagement, each kind sorted by time, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Engagements {
    pub(crate) hearts: Vec<Interaction<()>>,
    pub(crate) reactions: Vec<Interaction<Emoji>>,
    pub(crate) shares: Vec<Interaction<ShareTarget>>,
    /// The detail is the index of the parent comment, for replies.
    pub(crate) comments: Vec<Interaction<Option<usize>>>,
}

/// The users, posts and blocks that engagement is generated from.
#[derive(Clone, Copy)]
pub(crate) struct EngagementContext<'a> {
    pub(crate) seed: u64,
    pub(crate) now: i64,
    pub(crate) active_users: &'a ZipfSampler,
    pub(crate) posts: &'a [GeneratedPost],
    pub(crate) blocks: &'a Blocks,
}

/// Interactions happen within this time after the post, most of them early. In microseconds.
const ATTENTION_SPAN: u64 = 14 * 86_400_000_000;

/// Attempts to draw a user and a post without such an interaction yet. After that a comment is generated instead, since
/// the number of comments per user and post is not limited.
const MAX_ATTEMPTS: u32 = 8;

impl Engagements {
    /// Generates `count` interactions with public posts. The mix is that of a community with more hearts than comments.
    pub(crate) fn generate(count: usize, context: EngagementContext<'_>) -> Self {
        let public =
            (0..context.posts.len()).filter(|post| context.posts[*post].is_public).collect();
        let mut generator = EngagementGenerator {
            context,
            popular_posts: ZipfSampler::over(public, Stream::PostPopularity, context.seed),
            rng: Rng::for_stream(Stream::Engagements, context.seed),
            unique: HashSet::new(),
            sent_per_hour: HashMap::new(),
            engagements: Self::default(),
        };
        (0..count).for_each(|_| generator.add_interaction());
        generator.engagements.sorted_with_replies(context)
    }

    fn sorted_with_replies(mut self, context: EngagementContext<'_>) -> Self {
        self.hearts.sort_by_key(|heart| heart.at);
        self.reactions.sort_by_key(|reaction| reaction.at);
        self.shares.sort_by_key(|share| share.at);
        self.comments.sort_by_key(|comment| comment.at);
        let mut rng = Rng::for_stream(Stream::Replies, context.seed);
        let mut earlier: HashMap<usize, Vec<usize>> = HashMap::new();
        for index in 0..self.comments.len() {
            let Interaction { user, post, .. } = self.comments[index];
            let thread = earlier.entry(post).or_default();
            if !thread.is_empty() && rng.chance(REPLIES) {
                let parent = thread[rng.index(thread.len())];
                let can_reply = !context.blocks.is_between(user, self.comments[parent].user);
                self.comments[index].detail = can_reply.then_some(parent);
            }
            thread.push(index);
        }
        self
    }

    /// Engagement counts per post.
    pub(crate) fn counts(&self, posts: usize) -> Vec<Engagement> {
        let mut counts = vec![Engagement::default(); posts];
        let mut senders = HashSet::new();
        self.hearts.iter().for_each(|heart| counts[heart.post].hearts += 1);
        self.reactions.iter().for_each(|reaction| counts[reaction.post].reactions += 1);
        self.comments.iter().for_each(|comment| counts[comment.post].comments += 1);
        for share in &self.shares {
            // All message shares of one user and post count once.
            let is_already_counted = matches!(share.detail, ShareTarget::Users(_))
                && !senders.insert((share.user, share.post));
            counts[share.post].shares += i32::from(!is_already_counted);
        }
        counts
    }
}

/// Per mille of comments that reply to an earlier one.
const REPLIES: u64 = 380;

/// Interactions that a user can have with a post at most once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum UniqueKind {
    Heart,
    Reaction,
    LinkShare,
}

struct EngagementGenerator<'a> {
    context: EngagementContext<'a>,
    popular_posts: ZipfSampler,
    rng: Rng,
    /// Existing interactions as (kind, user, post).
    unique: HashSet<(UniqueKind, usize, usize)>,
    /// Number of sent posts by user and hour.
    sent_per_hour: HashMap<(usize, i64), u32>,
    engagements: Engagements,
}

impl EngagementGenerator<'_> {
    fn add_interaction(&mut self) {
        match self.rng.below(1_000) {
            0..560 => match self.draw_unique(UniqueKind::Heart) {
                Some(heart) => self.engagements.hearts.push(heart),
                None => self.add_comment(),
            },
            560..820 => match self.draw_unique(UniqueKind::Reaction) {
                Some(reaction) => {
                    let emoji = Emoji::ALL[self.rng.index(Emoji::ALL.len())];
                    self.engagements.reactions.push(reaction.with_detail(emoji));
                }
                None => self.add_comment(),
            },
            820..880 => match self.draw_unique(UniqueKind::LinkShare) {
                Some(share) => {
                    self.engagements.shares.push(share.with_detail(ShareTarget::Link));
                }
                None => self.add_comment(),
            },
            880..900 => self.add_message_share(),
            _ => self.add_comment(),
        }
    }

    fn draw_unique(&mut self, kind: UniqueKind) -> Option<Interaction<()>> {
        (0..MAX_ATTEMPTS).find_map(|_| {
            let interaction = self.draw();
            self.unique.insert((kind, interaction.user, interaction.post)).then_some(interaction)
        })
    }

    fn add_comment(&mut self) {
        let interaction = self.draw();
        self.engagements.comments.push(interaction.with_detail(None));
    }

    /// Adds a share with one to three recipients, or a comment if no recipient was found or the user has reached the
    /// hourly limit.
    fn add_message_share(&mut self) {
        let interaction = self.draw();
        let author = self.context.posts[interaction.post].author;
        let count = 1 + self.rng.index(3);
        let mut recipients: Vec<usize> = Vec::with_capacity(count);
        for _ in 0..MAX_ATTEMPTS {
            let recipient = self.context.active_users.sample(&mut self.rng);
            let is_blocked = [interaction.user, author]
                .iter()
                .any(|user| self.context.blocks.is_between(*user, recipient));
            if recipients.len() < count
                && recipient != interaction.user
                && !is_blocked
                && !recipients.contains(&recipient)
            {
                recipients.push(recipient);
            }
        }
        // Any period of an hour lies within two clock hours, so half the limit per clock hour keeps the limit.
        let sent = self
            .sent_per_hour
            .entry((interaction.user, interaction.at / 3_600_000_000))
            .or_default();
        if recipients.is_empty() || ShareQuota::MAX_PER_HOUR / 2 <= *sent {
            return self.engagements.comments.push(interaction.with_detail(None));
        }
        *sent += 1;
        self.engagements.shares.push(interaction.with_detail(ShareTarget::Users(recipients)));
    }

    /// Draws a post, a user without a block between them and its author, and a time soon after the post.
    fn draw(&mut self) -> Interaction<()> {
        let post = self.popular_posts.sample(&mut self.rng);
        let GeneratedPost { author, at, .. } = self.context.posts[post];
        let mut users = (0..MAX_ATTEMPTS).map(|_| self.context.active_users.sample(&mut self.rng));
        let user =
            users.find(|user| !self.context.blocks.is_between(*user, author)).unwrap_or(author);
        let age = u64::try_from(self.context.now - at).unwrap_or_default();
        let delay = self.rng.cubed_fraction_of(age.min(ATTENTION_SPAN));
        Interaction { at: at.saturating_add_unsigned(delay), user, post, detail: () }
    }
}

impl Interaction<()> {
    fn with_detail<T>(self, detail: T) -> Interaction<T> {
        let Self { at, user, post, .. } = self;
        Interaction { at, user, post, detail }
    }
}
