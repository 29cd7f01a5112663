//! A ranked feed of other items than posts: the notice board of a garden, with custom weights.
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

/// A notice on the board. The domain crate does not know this type.
struct Notice {
    number: u32,
    author: i64,
    text: &'static str,
    thanks: i32,
    hours_old: i64,
}

const GARDENER: i64 = 1;
const BEEKEEPER: i64 = 2;
const NEIGHBOUR: i64 = 3;

const BOARD: [Notice; 7] = [
    Notice { number: 1, author: GARDENER, text: "Tomatoes to give away", thanks: 12, hours_old: 3 },
    Notice { number: 2, author: GARDENER, text: "Compost is ready", thanks: 9, hours_old: 4 },
    Notice { number: 3, author: GARDENER, text: "Water is back", thanks: 8, hours_old: 5 },
    Notice { number: 4, author: BEEKEEPER, text: "First honey", thanks: 30, hours_old: 30 },
    Notice { number: 5, author: BEEKEEPER, text: "Mind the hives", thanks: 2, hours_old: 2 },
    Notice { number: 6, author: NEIGHBOUR, text: "Lost: one glove", thanks: 0, hours_old: 1 },
    Notice { number: 7, author: NEIGHBOUR, text: "Seeds to swap", thanks: 3, hours_old: 20 },
];

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", run()?);
    Ok(())
}

/// The whole board in pages of four. Each line shows the score and its parts.
pub(crate) fn run() -> Result<String, Box<dyn Error>> {
    let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    let config = weights();

    // The rank does not depend on the current time, so a service could store and index it.
    let candidates = BOARD.map(|notice| Candidate {
        id: id_of(&notice),
        author: notice.author.into(),
        rank: config.rank(&signals(&notice, now), relationship(&notice)),
        created_at: posted_at(&notice, now),
    });
    let lists = CandidateLists::from_posts(candidates.into());

    let mut output = String::new();
    let mut cursor = FeedCursor::default();
    loop {
        let page = compose(&lists, &cursor, 4)?;
        if page.is_empty() {
            return Ok(output);
        }
        writeln!(output, "after {} positions", cursor.positions_served())?;
        for item in &page {
            let Some(notice) = BOARD.iter().find(|notice| id_of(notice) == item.post.id) else {
                continue;
            };
            let score = config.score(&signals(notice, now), relationship(notice), now);
            let slot = match item.slot {
                Slot::Ranked => "ranked",
                Slot::Fresh => "fresh",
            };
            // The score is the product of worth, relationship and decay.
            writeln!(
                output,
                "  {:<22} {slot:<6} {:>5.2} = {:>4.1} × {:.1} × {:.3}",
                notice.text, score.total, score.worth, score.relationship, score.decay
            )?;
        }
        // The cursor contains the served posts. A service hands it to the client, and gets it back for the next page.
        let served = page.iter().map(|item| (item.post.id, item.post.author));
        cursor = cursor.advance(served);
    }
}

/// Notices age faster than posts: the half-life is six hours. No type has a bonus.
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

/// The viewer follows the beekeeper.
fn relationship(notice: &Notice) -> AuthorRelationship {
    if notice.author == BEEKEEPER {
        AuthorRelationship::Followed
    } else {
        AuthorRelationship::Other
    }
}

fn id_of(notice: &Notice) -> PostId {
    Uuid::from_u128(notice.number.into()).into()
}
