//! An inbox without a database: what a person is told of an afternoon in which others liked her post.
//!
//! `cargo run -p grateful-domain --example batching`

use std::error::Error;
use std::fmt::{self, Write as _};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::notification::{Act, Cause, Deliverability, Event, EventDetails, Inbox};
use grateful_domain::{Author, Emoji, NotificationId, PostId, UserId, Username};
use uuid::Uuid;

/// Whose inbox it is.
const ANA: i64 = 1;
const BEN: i64 = 2;
const CARO: i64 = 3;

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", story()?);
    Ok(())
}

/// The afternoon as Ana reads it.
pub(crate) fn story() -> Result<String, Box<dyn Error>> {
    let mut ana = Reader::new(UserId::from(ANA));
    let post = PostId::from(Uuid::from_u128(0xa));
    let (ben, caro) = (person(BEN, "ben")?, person(CARO, "caro")?);

    // The first heart is a notification by itself.
    ana.hears(&ben, Act::Heart { post }, None);
    ana.shows("Ben gives a heart")?;

    // A second one within the hour makes a batch of the two, and whatever comes within a day joins it.
    ana.hears(&caro, Act::Heart { post }, None);
    ana.hears(&ben, Act::Reaction { post }, Some(Emoji::Hug));
    ana.shows("Caro gives one too, and Ben leaves a hug")?;

    // An event that is told of twice is told of once.
    ana.hears(&caro, Act::Heart { post }, None);
    ana.reads_all();
    ana.shows("Ana reads it")?;

    // Changing one's mind is no news: it stays read. Neither is taking something back.
    ana.inbox.update_reaction(&ben, Act::Reaction { post }, Emoji::Fire);
    ana.inbox.withdraw(caro.id, Act::Heart { post }, ana.now);
    ana.shows("Ben turns the hug into a fire, and Caro takes her heart back")?;

    // Whoever does again what they undid within a day is no news either.
    ana.hears(&caro, Act::Heart { post }, None);
    ana.shows("Caro gives it again")?;

    // Requests to follow are never gathered; at most twenty of a type begin within an hour.
    for number in 1..=23 {
        let stranger = person(100 + number, &format!("stranger_{number}"))?;
        ana.hears(&stranger, Act::FollowRequest, None);
    }
    let (unread, held_back) = (ana.inbox.unread_count(), ana.inbox.held_back());
    writeln!(ana.page, "23 strangers ask to follow\n  {unread} unread, {held_back} held back")?;
    Ok(ana.page)
}

/// An inbox, a clock that this program moves, and what was shown of it.
struct Reader {
    inbox: Inbox,
    owner: UserId,
    now: DateTime<Utc>,
    ids: u128,
    page: String,
}

impl Reader {
    fn new(owner: UserId) -> Self {
        let now = DateTime::UNIX_EPOCH + TimeDelta::hours(12);
        Self { inbox: Inbox::new(owner), owner, now, ids: 0, page: String::new() }
    }

    /// A minute later, somebody does something.
    fn hears(&mut self, actor: &Author, act: Act, emoji: Option<Emoji>) {
        self.now += TimeDelta::minutes(1);
        let event = Event {
            cause: Cause { recipient: self.owner, actor: actor.id, act },
            details: EventDetails {
                emoji,
                ..EventDetails::for_post("For the bus driver who waited.")
            },
            at: self.now,
            id: self.new_id(),
            batch_id: self.new_id(),
        };
        // Whether the two have blocked each other, or such notifications are switched off, is for the caller to know.
        self.inbox.record(&event, actor, Deliverability::Allowed);
    }

    fn reads_all(&mut self) {
        self.inbox.mark_all_read(self.now);
    }

    /// Ids are made by the caller, like the time. A service would take `Uuid::now_v7()`.
    fn new_id(&mut self) -> NotificationId {
        self.ids += 1;
        Uuid::from_u128(self.ids).into()
    }

    fn shows(&mut self, what_happened: &str) -> fmt::Result {
        writeln!(self.page, "{what_happened}")?;
        for it in self.inbox.top_level() {
            let sign = if it.read_at.is_none() { '●' } else { '○' };
            writeln!(self.page, "  {sign} {}: {}", it.text.title, it.text.message)?;
            for entry in self.inbox.children(it.id) {
                writeln!(self.page, "      {}", entry.text.message)?;
            }
        }
        Ok(())
    }
}

fn person(id: i64, username: &str) -> Result<Author, Box<dyn Error>> {
    let username = Username::parse(username)?;
    Ok(Author { id: id.into(), username, display_name: None, profile_image_url: None })
}
