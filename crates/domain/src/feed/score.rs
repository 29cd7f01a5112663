//! Scores and ranks of posts (docs/rules.md#feed).

use std::f64::consts::LN_2;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{Engagement, Post, PostType};

/// The weights of the ranked feed (docs/rules.md#feed). To use other weights, copy [`FeedConfig::STORED`] and change
/// fields:
///
/// ```
/// # use grateful_domain::FeedConfig;
/// let mut weights = FeedConfig::STORED;
/// weights.half_life = chrono::TimeDelta::hours(6);
/// ```
///
/// Weights and bonuses are in hearts of the stored rank, 0 or above. With a negative one, the worth of a post is still at
/// least [`min_worth`](Self::min_worth).
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct FeedConfig {
    /// What a heart adds to the engagement score.
    pub heart_weight: f64,
    /// What an emoji reaction adds to the engagement score.
    pub reaction_weight: f64,
    /// What a share adds to the engagement score.
    pub share_weight: f64,
    /// The bonus of a daily post.
    pub daily_bonus: f64,
    /// The bonus of a photo post that has an image.
    pub photo_bonus: f64,
    /// The minimum worth of a post. Must be above 0, since the rank is the logarithm of the worth.
    pub min_worth: f64,
    /// The factor for posts whose author the viewer follows. Must be above 0.
    pub followed_factor: f64,
    /// How long it takes until the score of a post halves. Must be above 0, otherwise scores and ranks are not numbers.
    pub half_life: TimeDelta,
}

impl FeedConfig {
    /// The weights of the rank stored with every post. Changing one of them requires a migration.
    pub const STORED: Self = Self {
        heart_weight: 1.0,
        reaction_weight: 1.5,
        share_weight: 4.0,
        daily_bonus: 3.0,
        photo_bonus: 2.5,
        min_worth: 0.5,
        followed_factor: 2.0,
        half_life: TimeDelta::hours(24),
    };

    /// Computes the score of a post for a viewer at `now`, with its parts: `worth · relationship · 2^(−age / half_life)`
    /// (docs/rules.md#feed).
    ///
    /// The decay is at most 1, also if `created_at` is in the future because another node's clock is ahead. The score of a
    /// post older than about a thousand half-lives is 0; [`FeedConfig::rank`] still distinguishes such posts.
    pub fn score(
        &self,
        signals: &Signals,
        relationship: AuthorRelationship,
        now: DateTime<Utc>,
    ) -> Score {
        let engagement = self.engagement(signals.engagement);
        let bonus = self.bonus(signals);
        let worth = self.worth(signals);
        let relationship = self.factor(relationship);
        let age = (now - signals.created_at).max(TimeDelta::zero()).as_seconds_f64();
        let decay = (-age / self.half_life.as_seconds_f64()).exp2();
        let total = worth * relationship * decay;
        Score { total, worth, engagement, bonus, relationship, decay }
    }

    /// Computes the rank of a post for a viewer; higher ranks come first: `log2(worth · relationship) +
    /// seconds(created_at) / seconds(half_life)`, with seconds since 1970 (docs/rules.md#feed). This is the base-2 logarithm
    /// of the score, up to a constant that is the same for all posts at a given time.
    ///
    /// The rank does not depend on the current time. It changes only when the post does, so it can be stored and indexed,
    /// and the order by rank is the order by score at any time.
    pub fn rank(&self, signals: &Signals, relationship: AuthorRelationship) -> f64 {
        let since_epoch = (signals.created_at - DateTime::UNIX_EPOCH).as_seconds_f64();
        // The operations that compute the stored rank, in the same order, so that both round in the same way.
        let stored =
            self.worth(signals).ln() / LN_2 + since_epoch / self.half_life.as_seconds_f64();
        stored + self.rank_boost(relationship)
    }

    /// What the viewer's relationship to the author adds to the rank of a post.
    pub fn rank_boost(&self, relationship: AuthorRelationship) -> f64 {
        self.factor(relationship).log2()
    }

    fn factor(&self, relationship: AuthorRelationship) -> f64 {
        match relationship {
            AuthorRelationship::Followed => self.followed_factor,
            AuthorRelationship::Other => 1.0,
        }
    }

    fn engagement(&self, counts: Engagement) -> f64 {
        self.heart_weight * f64::from(counts.hearts)
            + self.reaction_weight * f64::from(counts.reactions)
            + self.share_weight * f64::from(counts.shares)
    }

    fn bonus(&self, signals: &Signals) -> f64 {
        match signals.post_type {
            PostType::Daily => self.daily_bonus,
            PostType::Photo if signals.has_image => self.photo_bonus,
            PostType::Photo | PostType::Spontaneous => 0.0,
        }
    }

    fn worth(&self, signals: &Signals) -> f64 {
        (self.engagement(signals.engagement) + self.bonus(signals)).max(self.min_worth)
    }
}

/// The properties of a post that its score depends on.
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

/// The relationship of the viewer to the author of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthorRelationship {
    /// The viewer follows the author, and the follow is active.
    Followed,
    /// Any other case, including the viewer's own posts.
    Other,
}

/// The score of a post with its parts. The total is the product of worth, relationship and decay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    pub total: f64,
    /// Engagement plus bonus, but at least [`FeedConfig::min_worth`].
    pub worth: f64,
    pub engagement: f64,
    pub bonus: f64,
    /// The factor for the viewer's relationship to the author.
    pub relationship: f64,
    /// The factor for the age of the post.
    pub decay: f64,
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "sums and products of these numbers are exact")]
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
    fn the_bonus_depends_on_the_post_type_and_the_image(
        #[case] post_type: PostType,
        #[case] has_image: bool,
        #[case] bonus: f64,
    ) {
        let signals = Signals { post_type, has_image, ..signals() };

        let score = STORED.score(&signals, AuthorRelationship::Other, signals.created_at);

        assert_eq!([score.bonus, score.worth], [bonus, bonus.max(0.5)]);
    }

    #[test]
    fn comments_do_not_change_the_score() {
        let engagement = Engagement { hearts: 1, reactions: 10, shares: 100, comments: 1000 };
        let signals = Signals { engagement, ..signals() };

        let score = STORED.score(&signals, AuthorRelationship::Other, signals.created_at);

        assert_eq!([score.engagement, score.worth, score.total], [416.0, 419.0, 419.0]);
    }

    #[test]
    fn a_day_halves_the_score_and_following_doubles_it() {
        let signals = signals();

        let now = signals.created_at + TimeDelta::hours(24);
        let score = STORED.score(&signals, AuthorRelationship::Followed, now);

        assert_eq!([score.decay, score.relationship, score.total], [0.5, 2.0, 3.0]);
    }

    #[test]
    fn a_post_dated_in_the_future_scores_like_a_new_one() {
        let signals = signals();

        let now = signals.created_at - TimeDelta::days(30);
        let score = STORED.score(&signals, AuthorRelationship::Other, now);

        assert_eq!([score.decay, score.total], [1.0, 3.0]);
    }

    #[test]
    fn following_adds_one_to_the_rank_and_so_does_a_day() {
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
            config in configs(), post in posts(), relationship in relationships(), age in 0..80_000_000_i64,
        ) {
            let now = post.created_at + TimeDelta::seconds(age);
            let score = config.score(&post, relationship, now);

            let product = score.worth * score.relationship * score.decay;
            prop_assert!((product - score.total).abs() <= 1e-9 * score.total);
            let worth = (score.engagement + score.bonus).max(config.min_worth);
            prop_assert_eq!(worth, score.worth);
        }

        #[test]
        fn the_order_by_rank_is_the_order_by_score_at_any_time(
            config in configs(), one in (posts(), relationships()), other in (posts(), relationships()),
            later in 0..80_000_000_i64,
        ) {
            let now = one.0.created_at.max(other.0.created_at) + TimeDelta::seconds(later);
            let rank = |(post, relationship): &(Signals, AuthorRelationship)| config.rank(post, *relationship);
            let score = |(post, relationship): &(Signals, AuthorRelationship)| config.score(post, *relationship, now).total;

            // Doubles of this magnitude are accurate to about 1e-11.
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
        // The score underflows to 0 after a thousand half-lives. The half-life is at least a day here, so no post gets so
        // old.
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
            |(
                (heart_weight, reaction_weight, share_weight, daily_bonus, photo_bonus),
                min_worth,
                followed_factor,
                hours,
            )| {
                let half_life = TimeDelta::hours(hours);
                FeedConfig {
                    heart_weight,
                    reaction_weight,
                    share_weight,
                    daily_bonus,
                    photo_bonus,
                    min_worth,
                    followed_factor,
                    half_life,
                }
            },
        );
        prop_oneof![Just(FeedConfig::STORED), other]
    }
}
