//! Everything together.

mod telling;

use chrono::{DateTime, Utc};
use grateful_domain::{
    Comment, CommentId, CommentText, Content, Draft, Emoji, Engagement, Follow, FollowState,
    HeartId, LocationName, Post, PostId, PostType, ReactionId, Recipients, Share, ShareDetails,
    ShareId, ShareMessage, Title, UserId, Visibility,
};

use crate::answers::{Act, Answers, Sent, Stage};
use crate::dice::{About, Dice};
use crate::edges::{Drawn, drawn};
use crate::people::{Person, address_of, name_of, preferences_of, profile_of};
use crate::posts::{Posted, posted};
use crate::size::{Size, SizeError};
use crate::told::{Told, newest};
use crate::zipf::Zipf;
use crate::{texts, words};

/// A heart, before anybody is shown beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heart {
    /// Its id.
    pub id: HeartId,
    /// Whose.
    pub by: UserId,
    /// To what.
    pub post: PostId,
    /// When.
    pub at: DateTime<Utc>,
}

/// An emoji, before anybody is shown beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reaction {
    /// Its id.
    pub id: ReactionId,
    /// Whose.
    pub by: UserId,
    /// On what.
    pub post: PostId,
    /// Which.
    pub emoji: Emoji,
    /// When.
    pub at: DateTime<Utc>,
}

/// A made-up world, and every row of it. Rows of a kind come with the oldest first.
#[derive(Debug)]
pub struct World {
    seed: u64,
    now: i64,
    /// The ids of the people, by their number.
    ids: Vec<UserId>,
    posts: Vec<Posted>,
    counts: Vec<Engagement>,
    edges: Vec<Drawn>,
    answers: Answers,
    told: Vec<Told>,
}

/// For how long people have been posting, in microseconds.
const SPAN: u64 = 180 * DAY;
/// For how long they joined before that.
const JOINING: u64 = 365 * DAY;
const DAY: u64 = 86_400_000_000;

impl World {
    /// A world of this size and seed, whose newest moment is not after `now`, of people with these ids. Both sort as they
    /// are given; the id of a post or an act follows from the seed and its time alone.
    ///
    /// # Errors
    /// There cannot be such a world. People without an id do not exist, those beyond the size are not asked for.
    pub fn imagine(
        size: Size,
        seed: u64,
        now: DateTime<Utc>,
        people: Vec<UserId>,
    ) -> Result<Self, SizeError> {
        let size = Size { people: size.people.min(people.len()), ..size };
        size.check()?;
        let now = now.timestamp_micros();
        let active = Zipf::of(size.people, About::Activity, seed);
        let posts = posted(size.posts, &active, seed, now, SPAN);
        let (edges, blocks) = drawn(size.follows, size.people, &active, seed, (now, SPAN));
        let stage = Stage { seed, now, active: &active, posts: &posts, blocks: &blocks };
        let answers = match size.engagements {
            0 => Answers::default(),
            many => Answers::draw(many, stage),
        };
        let counts = answers.counted(posts.len());
        let told = newest(size.notifications, &posts, &edges, &answers);
        Ok(Self { seed, now, ids: people, posts, counts, edges, answers, told })
    }

    /// The people, with the numbers beside them.
    pub fn people(&self) -> impl ExactSizeIterator<Item = Person> {
        let mut tallies = vec![[0_i64; 4]; self.ids.len()];
        for edge in self.edges.iter().filter(|edge| edge.edge == FollowState::Active) {
            tallies[edge.followed][0] += 1;
            tallies[edge.follower][1] += 1;
        }
        for post in &self.posts {
            tallies[post.author][2] += 1;
            tallies[post.author][3] += i64::from(post.is_public);
        }
        let many = self.ids.len() as u64;
        let first = self.now.saturating_sub_unsigned(SPAN + JOINING);
        tallies.into_iter().enumerate().map(move |(number, tally)| {
            let [followers, following, posts, public_posts] = tally;
            let username = name_of(self.seed, number);
            let profile = profile_of(self.seed, number);
            Person {
                id: self.ids[number],
                email: address_of(&username),
                username,
                display_name: profile.display_name,
                bio: profile.bio,
                city: profile.city,
                preferences: preferences_of(number),
                joined_at: moment(first.saturating_add_unsigned(JOINING / many * number as u64)),
                followers,
                following,
                posts,
                public_posts,
            }
        })
    }

    /// The posts, with the numbers beside them.
    pub fn posts(&self) -> impl ExactSizeIterator<Item = Post> {
        self.posts.iter().enumerate().map(|(number, posted)| Post {
            id: self.post_id(number),
            author: self.ids[posted.author],
            draft: self.draft(number, posted),
            created_at: moment(posted.at),
            updated_at: None,
            engagement: self.counts[number],
        })
    }

    /// Who follows whom, asked to, or was blocked.
    pub fn edges(&self) -> impl ExactSizeIterator<Item = Follow> {
        self.edges.iter().enumerate().map(|(number, edge)| Follow {
            id: Dice::of(About::EdgeId, self.seed, number).id(edge.at).into(),
            follower: self.ids[edge.follower],
            followed: self.ids[edge.followed],
            state: edge.edge,
            created_at: moment(edge.at),
        })
    }

    /// The hearts.
    pub fn hearts(&self) -> impl ExactSizeIterator<Item = Heart> {
        self.answers.hearts.iter().enumerate().map(|(number, act)| Heart {
            id: HeartId::from(self.id(About::HeartId, number, act)),
            by: self.ids[act.by],
            post: self.post_id(act.post),
            at: moment(act.at),
        })
    }

    /// The emoji.
    pub fn reactions(&self) -> impl ExactSizeIterator<Item = Reaction> {
        self.answers.reactions.iter().enumerate().map(|(number, act)| Reaction {
            id: ReactionId::from(self.id(About::ReactionId, number, act)),
            by: self.ids[act.by],
            post: self.post_id(act.post),
            emoji: act.what,
            at: moment(act.at),
        })
    }

    /// The shares, by link and to people.
    pub fn shares(&self) -> impl ExactSizeIterator<Item = Share> {
        self.answers.shares.iter().enumerate().map(|(number, act)| Share {
            id: self.share_id(number),
            by: self.ids[act.by],
            post: self.post_id(act.post),
            details: self.sent(number, act),
            created_at: moment(act.at),
        })
    }

    /// The comments, each behind the one that it answers.
    pub fn comments(&self) -> impl ExactSizeIterator<Item = Comment> {
        self.answers.comments.iter().enumerate().map(|(number, act)| Comment {
            id: self.comment_id(number),
            post: self.post_id(act.post),
            author: self.ids[act.by],
            parent: act.what.map(|parent| self.comment_id(parent)),
            text: self.comment_text(number),
            created_at: moment(act.at),
            updated_at: None,
        })
    }

    /// How many acts somebody is told of, those that the hourly limit holds back among them.
    pub fn told(&self) -> usize {
        self.told.len()
    }

    fn draft(&self, number: usize, posted: &Posted) -> Draft {
        let mut dice = Dice::of(About::PostText, self.seed, number);
        let content = texts::content(posted.post_type, &mut dice);
        let has_title = posted.post_type == PostType::Daily && dice.chance(300);
        let title = has_title.then(|| dice.pick(words::TITLES).to_owned());
        let place = dice.chance(140).then(|| dice.pick(words::CITIES).to_owned());
        Draft {
            title: title.map(Title::from_stored),
            content: Content::from_stored(content),
            post_type: posted.post_type,
            image_url: None,
            location: place.map(LocationName::from_stored),
            visibility: Visibility::from_is_public(posted.is_public),
        }
    }

    fn sent(&self, number: usize, act: &Act<Sent>) -> ShareDetails {
        let Sent::To(people) = &act.what else { return ShareDetails::Url };
        let people: Vec<i64> = people.iter().map(|person| self.ids[*person].into()).collect();
        ShareDetails::Message {
            recipients: Recipients::parse(self.ids[act.by], &people)
                .expect("one to three others, each once"),
            message: self.message(number),
        }
    }

    fn message(&self, number: usize) -> Option<ShareMessage> {
        let message = texts::message(&mut Dice::of(About::ShareText, self.seed, number));
        message.map(ShareMessage::from_stored)
    }

    fn comment_text(&self, number: usize) -> CommentText {
        let mut dice = Dice::of(About::CommentText, self.seed, number);
        CommentText::from_stored(texts::comment(&mut dice))
    }

    fn post_id(&self, number: usize) -> PostId {
        Dice::of(About::PostId, self.seed, number).id(self.posts[number].at).into()
    }

    fn share_id(&self, number: usize) -> ShareId {
        self.id(About::ShareId, number, &self.answers.shares[number]).into()
    }

    fn comment_id(&self, number: usize) -> CommentId {
        self.id(About::CommentId, number, &self.answers.comments[number]).into()
    }

    fn id<T>(&self, kind: About, number: usize, act: &Act<T>) -> uuid::Uuid {
        Dice::of(kind, self.seed, number).id(act.at)
    }
}

fn moment(at: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at).unwrap_or_default()
}
