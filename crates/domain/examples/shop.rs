//! Events of another service: what a seller in a shop is notified of, with windows and limits of the shop's own.
//!
//! `cargo run -p grateful-domain --example shop`

use std::fmt::{self, Write as _};

use chrono::{DateTime, TimeDelta};
use grateful_domain::batching::{
    BatchLimits, BatchPolicy, Cause, Deliverability, Event, Inbox, InboxUpdate, Notification,
    StartLimits,
};

/// The settings of the shop. They could come from a file.
#[derive(Debug, Clone, PartialEq)]
struct Shop {
    orders: BatchLimits,
    reviews: BatchLimits,
    per_day: StartLimits,
}

/// What customers do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Order { number: u32, item: &'static str },
    Review { item: &'static str },
    Refund { number: u32 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Order,
    Review,
    Refund,
}

/// How many of five stars a review gives.
type Stars = Option<u8>;

impl BatchPolicy for Shop {
    type User = &'static str;
    type Act = Act;
    type ActKey = Act;
    type Kind = Kind;
    type Key = (Kind, &'static str);
    type Id = u64;
    type Subject = &'static str;
    type Details = Stars;

    fn kind(&self, act: &Act) -> Kind {
        match act {
            Act::Order { .. } => Kind::Order,
            Act::Review { .. } => Kind::Review,
            Act::Refund { .. } => Kind::Refund,
        }
    }

    /// A customer can review an item once. The stars do not make another review.
    fn act_key(&self, act: &Act) -> Act {
        act.clone()
    }

    fn batch_key(&self, cause: &Cause<Self>) -> Option<Self::Key> {
        let kind = self.kind(&cause.act);
        (kind != Kind::Refund).then(|| (kind, self.subject(&cause.act)))
    }

    fn subject(&self, act: &Act) -> &'static str {
        match act {
            Act::Order { item, .. } | Act::Review { item } => item,
            Act::Refund { .. } => "a refund",
        }
    }

    fn batch_limits(&self, act: &Act) -> BatchLimits {
        if let Act::Review { .. } = act { self.reviews } else { self.orders }
    }

    fn start_limits(&self, _kind: Kind) -> StartLimits {
        self.per_day
    }
}

fn main() -> fmt::Result {
    print!("{}", run()?);
    Ok(())
}

/// Two days of a shop. Returns the inbox of the seller after each step.
pub(crate) fn run() -> Result<String, fmt::Error> {
    let [minutes, hours, days] = [TimeDelta::minutes, TimeDelta::hours, TimeDelta::days];
    let shop = Shop {
        orders: BatchLimits::DEFAULT
            .with_max_age(days(2))
            .with_conversion_window(hours(6))
            .with_max_size(3),
        reviews: BatchLimits::DEFAULT.with_max_age(days(30)).with_conversion_window(days(7)),
        per_day: StartLimits::new(days(1), 10, 2),
    };
    let mut seller = Seller { inbox: Inbox::with_policy(shop, "Ana"), output: String::new() };

    // Orders within six hours become one notification, which takes up to three of them for two days.
    seller.record("Ben", Act::Order { number: 1, item: "lamps" }, None, hours(0));
    seller.record("Caro", Act::Order { number: 2, item: "lamps" }, None, hours(5));
    seller.print("Two orders of lamps")?;
    seller.record("Ben", Act::Order { number: 3, item: "lamps" }, None, hours(40));
    seller.record("Dan", Act::Order { number: 4, item: "lamps" }, None, hours(41));
    seller.print("Two more the next day")?;

    // A cancelled order leaves its notification. Placed again within a day, it returns and is not new.
    seller.inbox.mark_all_read(DateTime::UNIX_EPOCH + hours(42));
    let cancelled = Act::Order { number: 2, item: "lamps" };
    let cause = seller.cause("Caro", cancelled.clone());
    let at = DateTime::UNIX_EPOCH + hours(43);
    seller.inbox.update(&InboxUpdate::Withdraw { cause, at }, Deliverability::Allowed);
    seller.print("Caro cancels her order")?;
    seller.record("Caro", cancelled, None, hours(44));
    seller.print("Caro orders after all")?;

    // A review that was edited is not new either.
    seller.record("Caro", Act::Review { item: "lamps" }, Some(4), hours(45));
    seller.inbox.change_details("Caro", &Act::Review { item: "lamps" }, Some(5));
    seller.print("Caro reviews the lamp, and adds a star")?;

    // One customer can start two notifications a day.
    for number in 1..=3 {
        seller.record("Ben", Act::Refund { number }, None, hours(46) + minutes(number.into()));
    }
    seller.print("Ben returns three orders")?;
    writeln!(seller.output, "  {} held back", seller.inbox.held_back())?;
    Ok(seller.output)
}

struct Seller {
    inbox: Inbox<Shop>,
    output: String,
}

impl Seller {
    fn cause(&self, actor: &'static str, act: Act) -> Cause<Shop> {
        Cause { recipient: *self.inbox.owner(), actor, act }
    }

    fn record(&mut self, actor: &'static str, act: Act, details: Stars, time: TimeDelta) {
        let cause = self.cause(actor, act);
        let at = DateTime::UNIX_EPOCH + time;
        // Any ids that increase will do.
        let id = time.num_seconds().unsigned_abs() * 2;
        let event = Event { cause, details, at, id, batch_id: id + 1 };
        self.inbox.record(&event, Deliverability::Allowed);
    }

    fn print(&mut self, heading: &str) -> fmt::Result {
        writeln!(self.output, "{heading}")?;
        for notification in self.inbox.top_level() {
            let mark = if notification.read_at.is_none() { '●' } else { '○' };
            writeln!(self.output, "  {mark} {}", text(notification))?;
        }
        Ok(())
    }
}

/// The texts are the shop's own.
fn text(notification: &Notification<Shop>) -> String {
    let (actor, item) = (notification.actor.unwrap_or("A customer"), notification.subject);
    let counts = notification.batch_counts();
    match notification.kind {
        Kind::Order if 1 < counts.actor_count => {
            let (orders, customers) = (counts.child_count, counts.actor_count);
            format!("{orders} orders of {item} by {customers} customers")
        }
        Kind::Order if 1 < counts.child_count => {
            format!("{actor} ordered {item} {} times", counts.child_count)
        }
        Kind::Order => format!("{actor} ordered {item}"),
        Kind::Review => {
            let stars = "★".repeat(notification.details.unwrap_or_default().into());
            format!("{actor} gives {item} {stars}")
        }
        Kind::Refund => format!("{actor} asks for {item}"),
    }
}
