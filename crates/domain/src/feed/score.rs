//! What a post is worth, and how that fades.

use std::f64::consts::LN_2;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{Engagement, Post, PostType};

/// What weighs how much in a feed (rules §1). For other weights, take [`FeedConfig::STORED`] and set what differs:
///
/// ```
/// # use grateful_domain::FeedConfig;
/// let mut weights = FeedConfig::STORED;
/// weights.half_life = chrono::TimeDelta::hours(6);
/// ```
///
/// Weights and bonuses are in hearts of the stored rank, 0 or above; with a negative one, a worth is still never less than
/// [`least_worth`](Self::least_worth).
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct FeedConfig {
    /// What a heart adds to the engagement.
    pub heart: f64,
    /// What an emoji adds.
    pub reaction: f64,
    /// What passing it on adds.
    pub share: f64,
    /// What a daily post has over others.
    pub daily_bonus: f64,
    /// What a photo post has over others, if it has an image.
    pub photo_bonus: f64,
    /// What every post is worth, above 0: a rank is the logarithm of a worth.
    pub least_worth: f64,
    /// How many times as much a post is worth to those who follow its author, above 0.
    pub followed: f64,
    /// How long it takes until a post is worth half as much: above 0, else neither scores nor ranks are numbers.
    pub half_life: TimeDelta,
}

impl FeedConfig {
    /// The weights of the rank that is stored beside every post: changing one of them is a migration.
    pub const STORED: Self = Self {
        heart: 1.0,
        reaction: 1.5,
        share: 4.0,
        daily_bonus: 3.0,
        photo_bonus: 2.5,
        least_worth: 0.5,
        followed: 2.0,
        half_life: TimeDelta::hours(24),
    };

    /// What a post is worth to somebody now, in its parts: `worth · relationship · 2^(−age / half_life)` (rules §1).
    ///
    /// A post from the future, by another node's clock, has decayed to more than 1.
    /// Of a post that is older than about a thousand half-lives it is 0; its [`FeedConfig::rank`] still tells it from others.
    pub fn score(
        &self,
        of: &Signals,
        relationship: AuthorRelationship,
        now: DateTime<Utc>,
    ) -> Score {
        let engagement = self.engagement(of.engagement);
        let bonus = self.bonus(of);
        let worth = self.worth(of);
        let relationship = self.factor(relationship);
        let age = (now - of.created_at).as_seconds_f64();
        let decay = (-age / self.half_life.as_seconds_f64()).exp2();
        let total = worth * relationship * decay;
        Score { total, worth, engagement, bonus, relationship, decay }
    }

    /// Where a post stands for somebody, the higher the better: `log2(worth · relationship) + seconds(created_at) /
    /// seconds(half_life)`, seconds since 1970 (rules §1). That is the base-2 logarithm of its score, up to a number that is
    /// the same for all posts at a moment.
    ///
    /// The clock has no part in it, so it changes only when the post does, and can be stored and indexed; and order by rank is
    /// order by score whenever one looks.
    pub fn rank(&self, of: &Signals, relationship: AuthorRelationship) -> f64 {
        let age_of_time = (of.created_at - DateTime::UNIX_EPOCH).as_seconds_f64();
        // Written as PostgreSQL computes it.
        let stored = self.worth(of).ln() / LN_2 + age_of_time / self.half_life.as_seconds_f64();
        stored + self.lift(relationship)
    }

    /// What somebody's relationship to the author adds to the rank of a post.
    pub fn lift(&self, relationship: AuthorRelationship) -> f64 {
        self.factor(relationship).log2()
    }

    fn factor(&self, relationship: AuthorRelationship) -> f64 {
        match relationship {
            AuthorRelationship::Followed => self.followed,
            AuthorRelationship::Other => 1.0,
        }
    }

    fn engagement(&self, of: Engagement) -> f64 {
        self.heart * f64::from(of.hearts)
            + self.reaction * f64::from(of.reactions)
            + self.share * f64::from(of.shares)
    }

    fn bonus(&self, of: &Signals) -> f64 {
        match of.post_type {
            PostType::Daily => self.daily_bonus,
            PostType::Photo if of.has_image => self.photo_bonus,
            PostType::Photo | PostType::Spontaneous => 0.0,
        }
    }

    fn worth(&self, of: &Signals) -> f64 {
        (self.engagement(of.engagement) + self.bonus(of)).max(self.least_worth)
    }
}

/// All of a post that its score depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signals {
    pub engagement: Engagement,
    pub post_type: PostType,
    pub has_image: bool,
    pub created_at: DateTime<Utc>,
}

impl From<&Post> for Signals {
    fn from(post: &Post) -> Self {
        Self {
            engagement: post.engagement,
            post_type: post.draft.post_type,
            has_image: post.draft.image_url.is_some(),
            created_at: post.created_at,
        }
    }
}

/// What the author of a post is to whoever looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthorRelationship {
    /// Somebody else whom they follow, actively.
    Followed,
    /// Anybody else, they themselves too.
    Other,
}

/// Why a post stands where it stands: worth, relationship and decay multiply to the total.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    pub total: f64,
    /// Engagement and bonus, but never less than a bit.
    pub worth: f64,
    pub engagement: f64,
    pub bonus: f64,
    /// How many times as much it is worth to this viewer.
    pub relationship: f64,
    /// What is left of it at its age.
    pub decay: f64,
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "sums and products of such numbers are exact")]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const STORED: FeedConfig = FeedConfig::STORED;

    #[rstest]
    #[case(PostType::Daily, false, 3.0)]
    #[case(PostType::Daily, true, 3.0)]
    #[case(PostType::Photo, true, 2.5)]
    #[case(PostType::Photo, false, 0.0)]
    #[case(PostType::Spontaneous, true, 0.0)]
    fn the_type_of_a_post_earns_a_bonus(
        #[case] post_type: PostType,
        #[case] has_image: bool,
        #[case] bonus: f64,
    ) {
        let signals = Signals { post_type, has_image, ..signals() };

        let score = STORED.score(&signals, AuthorRelationship::Other, signals.created_at);

        assert_eq!([score.bonus, score.worth], [bonus, bonus.max(0.5)]);
    }

    #[test]
    fn hearts_emoji_and_shares_weigh_and_comments_do_not() {
        let engagement = Engagement { hearts: 1, reactions: 10, shares: 100, comments: 1000 };
        let signals = Signals { engagement, ..signals() };

        let score = STORED.score(&signals, AuthorRelationship::Other, signals.created_at);

        assert_eq!([score.engagement, score.worth, score.total], [416.0, 419.0, 419.0]);
    }

    #[test]
    fn a_day_halves_a_score_and_following_doubles_it() {
        let signals = signals();

        let now = signals.created_at + TimeDelta::hours(24);
        let score = STORED.score(&signals, AuthorRelationship::Followed, now);

        assert_eq!([score.decay, score.relationship, score.total], [0.5, 2.0, 3.0]);
    }

    #[test]
    fn following_adds_one_to_a_rank_and_so_does_a_day() {
        let signals = signals();
        let a_day_later =
            Signals { created_at: signals.created_at + TimeDelta::hours(24), ..signals };

        let other = STORED.rank(&signals, AuthorRelationship::Other);

        assert_eq!(STORED.rank(&signals, AuthorRelationship::Followed) - other, 1.0);
        assert_eq!(STORED.rank(&a_day_later, AuthorRelationship::Other) - other, 1.0);
    }

    proptest! {
        #[test]
        fn the_parts_multiply_to_the_total(
            config in configs(), post in posts(), whose in relationships(), age in 0..80_000_000_i64,
        ) {
            let now = post.created_at + TimeDelta::seconds(age);
            let score = config.score(&post, whose, now);

            let product = score.worth * score.relationship * score.decay;
            prop_assert!((product - score.total).abs() <= 1e-9 * score.total);
            let worth = (score.engagement + score.bonus).max(config.least_worth);
            prop_assert_eq!(worth, score.worth);
        }

        #[test]
        fn order_by_rank_is_order_by_score_at_any_moment(
            config in configs(), one in (posts(), relationships()), other in (posts(), relationships()),
            later in 0..80_000_000_i64,
        ) {
            let now = one.0.created_at.max(other.0.created_at) + TimeDelta::seconds(later);
            let rank = |(post, whose): &(Signals, AuthorRelationship)| config.rank(post, *whose);
            let score = |(post, whose): &(Signals, AuthorRelationship)| config.score(post, *whose, now).total;

            // Numbers of this size are exact to about 1e-11.
            if rank(&one) > rank(&other) + 1e-9 {
                prop_assert!(score(&one) > score(&other));
            }
            let difference = (score(&one) / score(&other)).log2();
            prop_assert!((rank(&one) - rank(&other) - difference).abs() < 1e-6);
        }
    }

    fn signals() -> Signals {
        Signals {
            engagement: Engagement::default(),
            post_type: PostType::Daily,
            has_image: false,
            created_at: DateTime::UNIX_EPOCH + TimeDelta::days(20_000),
        }
    }

    fn posts() -> impl Strategy<Value = Signals> {
        let engagement = (0..1_000_000, 0..1000, 0..1000)
            .prop_map(|(hearts, reactions, shares)| (hearts, reactions, shares));
        // Ages of a thousand half-lives are where a score ends at 0: half-lives are at least an hour here.
        let micros = 1_760_000_000_000_000..1_762_000_000_000_000_i64;
        (engagement, prop::sample::select(&PostType::ALL[..]), any::<bool>(), micros).prop_map(
            |((hearts, reactions, shares), post_type, has_image, micros)| Signals {
                engagement: Engagement { hearts, reactions, shares, comments: 0 },
                post_type,
                has_image,
                created_at: DateTime::from_timestamp_micros(micros).unwrap(),
            },
        )
    }

    fn relationships() -> impl Strategy<Value = AuthorRelationship> {
        prop::sample::select(&[AuthorRelationship::Followed, AuthorRelationship::Other][..])
    }

    fn configs() -> impl Strategy<Value = FeedConfig> {
        let weight = || 0.0..10.0;
        let weights = (weight(), weight(), weight(), weight(), weight());
        let other = (weights, 0.01..1.0, 1.0..10.0, 24..1000_i64).prop_map(
            |((heart, reaction, share, daily_bonus, photo_bonus), least_worth, followed, hours)| {
                let half_life = TimeDelta::hours(hours);
                FeedConfig {
                    heart,
                    reaction,
                    share,
                    daily_bonus,
                    photo_bonus,
                    least_worth,
                    followed,
                    half_life,
                }
            },
        );
        prop_oneof![Just(FeedConfig::STORED), other]
    }
}
