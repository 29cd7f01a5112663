//! An inbox without a database: the notifications of a user whose post gets hearts and reactions.
//!
//! `cargo run -p grateful-domain --example batching`

use std::collections::HashMap;
use std::error::Error;
use std::fmt::{self, Write as _};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::notification::{
    Act, Cause, Deliverability, Event, EventDetails, Inbox, QuotedTexts,
};
use grateful_domain::{Author, Emoji, NotificationId, PostId, UserId, Username};
use uuid::Uuid;

/// The owner of the inbox.
const ANA: i64 = 1;
const BEN: i64 = 2;
const CARO: i64 = 3;

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", run()?);
    Ok(())
}

/// Records, updates and withdraws notifications. Returns the inbox after each step.
pub(crate) fn run() -> Result<String, Box<dyn Error>> {
    let mut scenario = Scenario::new(UserId::from(ANA));
    let post = PostId::from(Uuid::from_u128(0xa));
    let (ben, caro) = (author(BEN, "ben")?, author(CARO, "caro")?);

    // The first heart is a single notification.
    scenario.record(&ben, Act::Heart { post }, None);
    scenario.print_inbox("Ben gives a heart")?;

    // Another act within the hour converts it to a batch. Further acts join the batch for a day.
    scenario.record(&caro, Act::Heart { post }, None);
    scenario.record(&ben, Act::Reaction { post }, Some(Emoji::Hug));
    scenario.print_inbox("Caro gives a heart, and Ben reacts with a hug")?;

    // Recording the same act again has no effect.
    scenario.record(&caro, Act::Heart { post }, None);
    scenario.mark_all_read();
    scenario.print_inbox("Ana reads all notifications")?;

    // Changing or withdrawing an act does not make the batch unread.
    let fire = EventDetails::of_emoji(Emoji::Fire);
    scenario.inbox.change_details(ben.id, &Act::Reaction { post }, fire);
    scenario.inbox.withdraw(caro.id, &Act::Heart { post }, scenario.now);
    scenario.print_inbox("Ben changes his reaction to fire, and Caro removes her heart")?;

    // Repeating an act within a day of its withdrawal restores the notification without making it unread.
    scenario.record(&caro, Act::Heart { post }, None);
    scenario.print_inbox("Caro gives the heart again")?;

    // Follow requests are not batched. At most twenty notifications of a type start within an hour.
    for number in 1..=23 {
        let stranger = author(100 + number, &format!("stranger_{number}"))?;
        scenario.record(&stranger, Act::FollowRequest, None);
    }
    let (unread, held_back) = (scenario.inbox.counts().unread, scenario.inbox.held_back());
    writeln!(scenario.output, "23 users request to follow Ana")?;
    writeln!(scenario.output, "  {unread} unread, {held_back} held back")?;
    Ok(scenario.output)
}

/// An inbox with a manual clock and the printed output.
struct Scenario {
    inbox: Inbox,
    owner: UserId,
    authors: HashMap<UserId, Author>,
    now: DateTime<Utc>,
    last_id: u128,
    output: String,
}

impl Scenario {
    fn new(owner: UserId) -> Self {
        let now = DateTime::UNIX_EPOCH + TimeDelta::hours(12);
        Self {
            inbox: Inbox::new(owner),
            owner,
            authors: HashMap::new(),
            now,
            last_id: 0,
            output: String::new(),
        }
    }

    /// Records an act one minute after the previous one.
    fn record(&mut self, actor: &Author, act: Act, emoji: Option<Emoji>) {
        self.now += TimeDelta::minutes(1);
        self.authors.insert(actor.id, actor.clone());
        let event = Event {
            cause: Cause { recipient: self.owner, actor: actor.id, act },
            details: emoji.map(EventDetails::of_emoji).unwrap_or_default(),
            at: self.now,
            id: self.new_id(),
            batch_id: self.new_id(),
        };
        // The caller knows whether one of the users has blocked the other or the type is muted.
        self.inbox.record(&event, Deliverability::Allowed);
    }

    fn mark_all_read(&mut self) {
        self.inbox.mark_all_read(self.now);
    }

    /// The caller creates the ids. A service would use `Uuid::now_v7()`.
    fn new_id(&mut self) -> NotificationId {
        self.last_id += 1;
        Uuid::from_u128(self.last_id).into()
    }

    fn print_inbox(&mut self, heading: &str) -> fmt::Result {
        writeln!(self.output, "{heading}")?;
        // The caller looks up the users, and the current texts of the post and the comment if the owner can see them.
        let author_of = |user| self.authors.get(&user).cloned();
        let post = Some("For the bus driver who waited.".to_owned());
        let quoted = QuotedTexts { post, comment: None };
        for notification in self.inbox.top_level() {
            let mark = if notification.read_at.is_none() { '●' } else { '○' };
            let text = self.inbox.render(notification, &quoted, author_of).text;
            writeln!(self.output, "  {mark} {}: {}", text.title, text.message)?;
            for child in self.inbox.children(notification.id) {
                let text = self.inbox.render(child, &quoted, author_of).text;
                writeln!(self.output, "      {}", text.message)?;
            }
        }
        Ok(())
    }
}

fn author(id: i64, username: &str) -> Result<Author, Box<dyn Error>> {
    Ok(Author::new(id.into(), Username::parse(username)?))
}
