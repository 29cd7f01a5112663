//! Shares by link and by message.

use chrono::{DateTime, Utc};
use grateful_domain::{
    PostId, Recipients, Share, ShareDetails, ShareId, ShareMessage, TextError, UserId,
};
use serde_json::Value;
use uuid::Uuid;

use super::{note_id, target, when};
use crate::report::{Notes, Skipped};
use crate::text::{self, Cleaned, quoted};
use crate::world::World;
use crate::{ids, profile};

/// A row of the older `shares`.
#[derive(Debug, Clone, Default)]
pub(crate) struct OldShare {
    pub(crate) id: String,
    pub(crate) user_id: i64,
    pub(crate) post_id: String,
    pub(crate) method: String,
    pub(crate) recipients: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) created_at: Option<DateTime<Utc>>,
}

/// What one user has shared of one post so far, where rows come in the order of user, post and time.
#[derive(Debug, Default)]
pub(crate) struct SharesSoFar {
    pair: Option<(i64, Uuid)>,
    has_link: bool,
    has_message: bool,
}

impl SharesSoFar {
    fn turn_to(&mut self, user: i64, post: Uuid) {
        if self.pair != Some((user, post)) {
            *self = Self { pair: Some((user, post)), ..Self::default() };
        }
    }
}

/// Mends a share. Returns it with whether it counts: all messages of one user with one post count once.
pub(crate) fn mend(
    old: &OldShare,
    so_far: &mut SharesSoFar,
    world: &World,
    notes: &mut Notes,
) -> Result<(Share, bool), Skipped> {
    let (post, facts) = target(&old.post_id, old.user_id, world)?;
    so_far.turn_to(old.user_id, post);
    let mut inner = Notes::default();
    let (details, is_counted) = match old.method.to_lowercase().as_str() {
        "url" if so_far.has_link => {
            return Err(Skipped::because("the same person took the link before"));
        }
        "url" => (ShareDetails::Url, true),
        "message" => (by_message(old, world, &mut inner)?, !so_far.has_message),
        _ => return Err(Skipped::because(format!("method {}", quoted(&old.method)))),
    };
    match &details {
        ShareDetails::Url => so_far.has_link = true,
        ShareDetails::Message { .. } => so_far.has_message = true,
    }
    note_id(&old.id, &mut inner);
    let created_at = when(old.created_at, None, facts, world, &mut inner);
    *notes = inner;
    let share = Share {
        id: ShareId::from(ids::of_row(&old.id)),
        user: UserId::from(old.user_id),
        post: PostId::from(post),
        details,
        created_at,
    };
    Ok((share, is_counted))
}

fn by_message(old: &OldShare, world: &World, notes: &mut Notes) -> Result<ShareDetails, Skipped> {
    let (recipients, left_out) = recipients(old, world);
    if recipients.is_empty() {
        return Err(Skipped::because("a message without recipients"));
    }
    if !left_out.is_empty() {
        notes.add(format!("recipients left out: {}", left_out.join(", ")), "");
    }
    if Recipients::MAX < recipients.len() {
        let (count, max) = (recipients.len(), Recipients::MAX);
        notes.add(format!("all {count} recipients kept"), format!("{max} allowed"));
    }
    let message = old.message.as_deref().and_then(|raw| message(raw, notes));
    Ok(ShareDetails::Message { recipients: Recipients::from_stored(recipients), message })
}

/// The users that the message went to, and those that are left out, with the reason.
fn recipients(old: &OldShare, world: &World) -> (Vec<UserId>, Vec<String>) {
    let json = match profile::parse(old.recipients.as_deref()) {
        // The list was stored as the text of its JSON.
        Some(Value::String(text)) => profile::parse(Some(&text)),
        json => json,
    };
    let Some(Value::Array(entries)) = json else { return (vec![], vec![]) };
    let (mut recipients, mut left_out) = (Vec::new(), Vec::new());
    for entry in entries {
        let number = entry.as_i64().or_else(|| entry.as_str()?.trim().parse().ok());
        let id = number.map(UserId::from);
        let why = match (number, id) {
            (Some(number), _) if number == old.user_id => "the sender",
            (Some(number), _) if world.user(number).is_none() => "no such user",
            (_, Some(id)) if recipients.contains(&id) => "twice",
            (_, Some(id)) => {
                recipients.push(id);
                continue;
            }
            (_, None) => "no id",
        };
        left_out.push(format!("{entry}: {why}"));
    }
    (recipients, left_out)
}

fn message(raw: &str, notes: &mut Notes) -> Option<ShareMessage> {
    let Cleaned { text, is_cut } = text::lines(raw);
    if is_cut {
        notes.add("message cleaned", "control characters");
    }
    match ShareMessage::parse(&text) {
        Ok(message) => message,
        Err(TextError::TooLong { chars, max }) => {
            notes.add("message kept whole", format!("{chars} characters, {max} allowed"));
            Some(ShareMessage::from_stored(text))
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn old(method: &str, recipients: Option<&str>) -> OldShare {
        OldShare {
            id: "f3e9a032-c8d3-4928-93a1-80e44f188c03".to_owned(),
            user_id: 1,
            post_id: World::sample_post(true).to_string(),
            method: method.to_owned(),
            recipients: recipients.map(str::to_owned),
            message: None,
            created_at: Some(World::sample().now),
        }
    }

    #[rstest]
    #[case("[2, 3]", &[2, 3], "")]
    #[case(r#""[2, 3]""#, &[2, 3], "")]
    #[case(r#"["2", 2, null, 99, 1]"#, &[2], "recipients left out: 2: twice, null: no id, 99: no such user, 1: the sender | ")]
    fn recipients_are_read_however_they_were_stored(
        #[case] json: &str,
        #[case] expected: &[i64],
        #[case] line: &str,
    ) {
        let mut notes = Notes::default();
        let mut so_far = SharesSoFar::default();
        let (share, _) =
            mend(&old("message", Some(json)), &mut so_far, &World::sample(), &mut notes).unwrap();

        let ids: Vec<i64> = share.details.recipients().iter().map(|id| i64::from(*id)).collect();
        assert_eq!(ids, expected);
        assert_eq!(notes.lines(), Vec::from_iter(Some(line).filter(|line| !line.is_empty())));
    }

    #[rstest]
    #[case(old("email", None), "method 'email'")]
    #[case(old("message", None), "a message without recipients")]
    #[case(old("message", Some("null")), "a message without recipients")]
    #[case(old("message", Some("[1]")), "a message without recipients")]
    fn a_share_that_reached_no_one_is_skipped(#[case] old: OldShare, #[case] why: &str) {
        let mut so_far = SharesSoFar::default();
        let skipped = mend(&old, &mut so_far, &World::sample(), &mut Notes::default());
        assert_eq!(skipped.unwrap_err().why, why);
    }

    #[test]
    fn the_first_link_and_the_first_message_of_one_person_count() {
        let (world, mut so_far) = (World::sample(), SharesSoFar::default());
        let mut counted = |old: &OldShare| {
            mend(old, &mut so_far, &world, &mut Notes::default()).map(|(_, is_counted)| is_counted)
        };

        assert_eq!(counted(&old("message", Some("[2]"))), Ok(true));
        assert_eq!(counted(&old("url", None)), Ok(true));
        assert_eq!(counted(&old("message", Some("[3]"))), Ok(false));
        assert!(counted(&old("url", None)).is_err());
        let by_another = OldShare { user_id: 2, ..old("url", Some("[1]")) };
        assert_eq!(counted(&by_another), Ok(true));
    }
}
