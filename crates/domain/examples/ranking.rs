//! A feed of things that are no gratitude posts: the notice board of a garden, ranked with weights of its own.
//!
//! `cargo run -p grateful-domain --example ranking`

use std::error::Error;
use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::{
    AuthorRelationship, Candidate, CandidateLists, Engagement, FeedConfig, FeedCursor, PostId,
    PostType, Signals, Slot, compose,
};
use uuid::Uuid;

/// Something that hangs on the board. The domain knows nothing of it.
struct Notice {
    number: u32,
    by: i64,
    words: &'static str,
    thanks: i32,
    hours_old: i64,
}

const GARDENER: i64 = 1;
const BEEKEEPER: i64 = 2;
const NEIGHBOUR: i64 = 3;

const BOARD: [Notice; 7] = [
    Notice { number: 1, by: GARDENER, words: "Tomatoes to give away", thanks: 12, hours_old: 3 },
    Notice { number: 2, by: GARDENER, words: "Compost is ready", thanks: 9, hours_old: 4 },
    Notice { number: 3, by: GARDENER, words: "Water is back", thanks: 8, hours_old: 5 },
    Notice { number: 4, by: BEEKEEPER, words: "First honey", thanks: 30, hours_old: 30 },
    Notice { number: 5, by: BEEKEEPER, words: "Mind the hives", thanks: 2, hours_old: 2 },
    Notice { number: 6, by: NEIGHBOUR, words: "Lost: one glove", thanks: 0, hours_old: 1 },
    Notice { number: 7, by: NEIGHBOUR, words: "Seeds to swap", thanks: 3, hours_old: 20 },
];

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", board()?);
    Ok(())
}

/// The whole board in pages of four, each line with why it stands there.
pub(crate) fn board() -> Result<String, Box<dyn Error>> {
    let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    let config = weights();

    // A rank changes only when the notice does, so it could be stored and indexed. The clock has no part in it.
    let candidates = BOARD.map(|notice| Candidate {
        id: id_of(&notice),
        author: notice.by.into(),
        rank: config.rank(&signals(&notice, now), relationship(&notice)),
        created_at: posted_at(&notice, now),
    });
    let sources = CandidateLists::of(candidates.into());

    let mut page = String::new();
    let mut walk = FeedCursor::default();
    loop {
        let places = compose(&sources, &walk, 4)?;
        if places.is_empty() {
            return Ok(page);
        }
        writeln!(page, "after {} places", walk.positions_served())?;
        for place in &places {
            let Some(notice) = BOARD.iter().find(|it| id_of(it) == place.post.id) else { continue };
            let score = config.score(&signals(notice, now), relationship(notice), now);
            let why = match place.slot {
                Slot::Ranked => "ranked",
                Slot::Fresh => "fresh",
            };
            // Worth times relationship times decay is the score.
            writeln!(
                page,
                "  {:<22} {why:<6} {:>5.2} = {:>4.1} × {:.1} × {:.3}",
                notice.words, score.total, score.worth, score.relationship, score.decay
            )?;
        }
        // All that the next page needs is what was served. It travels with the reader as a text.
        let served = places.iter().map(|it| (it.post.id, it.post.author));
        walk = FeedCursor::from_cursor(&walk.advance(served).to_cursor())?;
    }
}

/// A board is read more often than a feed: half is gone after six hours, and nothing has a bonus.
fn weights() -> FeedConfig {
    let mut weights = FeedConfig::STORED;
    weights.half_life = TimeDelta::hours(6);
    (weights.daily_bonus, weights.photo_bonus) = (0.0, 0.0);
    weights
}

fn signals(notice: &Notice, now: DateTime<Utc>) -> Signals {
    Signals {
        engagement: Engagement { hearts: notice.thanks, ..Engagement::default() },
        post_type: PostType::Daily,
        has_image: false,
        created_at: posted_at(notice, now),
    }
}

fn posted_at(notice: &Notice, now: DateTime<Utc>) -> DateTime<Utc> {
    now - TimeDelta::hours(notice.hours_old)
}

/// Whoever reads this board follows the beekeeper.
fn relationship(notice: &Notice) -> AuthorRelationship {
    if notice.by == BEEKEEPER { AuthorRelationship::Followed } else { AuthorRelationship::Other }
}

fn id_of(notice: &Notice) -> PostId {
    Uuid::from_u128(notice.number.into()).into()
}
