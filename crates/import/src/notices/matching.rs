//! Which act an older notice is about.

use std::collections::{HashMap, HashSet};

use grateful_domain::notification::{Act, Cause};
use grateful_domain::{PostId, UserId};
use grateful_storage::LoadedAct;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Entry, OldNotice};
use crate::report::Change;
use crate::world::World;
use crate::{ids, profile};

/// The older notices with an act, and what became of the others.
pub(super) struct Matched {
    pub(super) entries: Vec<Entry>,
    pub(super) changes: Vec<Change>,
    pub(super) skipped: u64,
    pub(super) made: u64,
}

/// What an older notice says of its act. Which share a message is, only the shares say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Named {
    Act(Act),
    Message(PostId),
}

/// An older notice that names an act.
struct Candidate<'o> {
    old: &'o OldNotice,
    actor: i64,
    named: Named,
}

const LATER: &str = "a later notice is about the same act";
const TAKEN_BACK: &str = "taken back since";

/// Finds the act of each older notice. Of several for one act, the newest stays.
pub(super) fn entries(
    recipient: i64,
    acts: &[LoadedAct],
    old: &[OldNotice],
    world: &World,
) -> Matched {
    let mut matched = Matched { entries: vec![], changes: vec![], skipped: 0, made: 0 };
    let mut candidates = Vec::new();
    let actors = actors_of_entries(old, world);
    for notice in old {
        let found = candidate(recipient, notice, world);
        match found {
            Ok(found) if !notice.is_batch => candidates.push(found),
            // In an older shape the first single became the batch, and stands for its own act.
            Ok(found) if !actors.contains(&(notice.id.as_str(), found.actor)) => {
                candidates.push(found);
            }
            Err(why) if !notice.is_batch => matched.skip(notice, &why),
            _ => (),
        }
    }
    // The newest first.
    candidates.sort_by(|one, other| {
        (other.old.created_at, &other.old.id).cmp(&(one.old.created_at, &one.old.id))
    });
    let mut known = KnownActs::of(acts);
    for candidate in candidates {
        match known.take(recipient, &candidate, world) {
            Ok(act) => matched.keep(&candidate, act, world),
            Err(_) if candidate.old.is_batch => (),
            Err(why) => matched.skip(candidate.old, &why),
        }
    }
    matched
}

impl Matched {
    fn skip(&mut self, notice: &OldNotice, why: &str) {
        self.skipped += 1;
        let what = format!("{} to {} skipped", notice.kind, notice.user_id);
        self.note(&notice.id, what, why);
    }

    fn keep(&mut self, candidate: &Candidate<'_>, act: LoadedAct, world: &World) {
        let OldNotice { id, is_batch, created_at, .. } = candidate.old;
        let (new_id, batch) = if *is_batch {
            let made = ids::derived(&format!("{id} entry"));
            self.made += 1;
            let why = "older shape: the first single became the batch";
            self.note(id, format!("an entry {made} is made of the batch itself"), why);
            (made, Some(id.clone()))
        } else {
            if let Some((what, why)) = ids::change(id) {
                self.note(id, what, why);
            }
            (ids::of_row(id), candidate.old.parent_id.clone())
        };
        let read_at = candidate.old.read_at(world.now);
        let created_at = (*created_at).min(world.now);
        self.entries.push(Entry { id: new_id.into(), act, created_at, read_at, batch });
    }

    fn note(&mut self, id: &str, what: String, why: &str) {
        let (id, why) = (id.to_owned(), why.to_owned());
        self.changes.push(Change { table: "notifications", id, what, why });
    }
}

/// The actors that the entries of each batch name.
fn actors_of_entries<'o>(old: &'o [OldNotice], world: &World) -> HashSet<(&'o str, i64)> {
    let named = old.iter().filter_map(|notice| {
        let parent = notice.parent_id.as_deref()?;
        let data = data(notice)?;
        Some((parent, actor(&data, world)?))
    });
    named.collect()
}

/// The act that a notice names.
///
/// # Errors
/// Why it is about no act that a notification could be about.
fn candidate<'o>(
    recipient: i64,
    old: &'o OldNotice,
    world: &World,
) -> Result<Candidate<'o>, String> {
    let is_known = ["like", "emoji_reaction", "post_shared", "mention", "follow", "new_follower"];
    if !is_known.contains(&old.kind.as_str()) {
        return Err(format!("type '{}'", old.kind));
    }
    let data = data(old).ok_or("no data")?;
    let actor = actor(&data, world).ok_or("no known user did it")?;
    if actor == recipient {
        return Err("one's own act".to_owned());
    }
    if world.is_blocked(actor, recipient) {
        return Err("across a block".to_owned());
    }
    let named = match old.kind.as_str() {
        "follow" | "new_follower" => Named::Act(Act::Follow),
        kind => {
            let id = data.get("post_id").and_then(Value::as_str).map(ids::of_row);
            let id = id.filter(|id| world.posts.contains_key(id));
            act_on(kind, id.ok_or("its post is not there")?, &data)
        }
    };
    Ok(Candidate { old, actor, named })
}

fn act_on(kind: &str, post: Uuid, data: &Map<String, Value>) -> Named {
    let post = PostId::from(post);
    let is_message = data.get("share_method").and_then(Value::as_str) == Some("message");
    match kind {
        "like" => Named::Act(Act::Heart { post }),
        "emoji_reaction" => Named::Act(Act::Reaction { post }),
        "mention" => Named::Act(Act::Mention { post, comment: None }),
        _ if is_message => Named::Message(post),
        _ => Named::Act(Act::LinkShare { post }),
    }
}

fn data(old: &OldNotice) -> Option<Map<String, Value>> {
    match profile::parse(old.data.as_deref())? {
        Value::Object(data) if !data.is_empty() => Some(data),
        _ => None,
    }
}

/// The user who did it: by id, or by the name that they had.
fn actor(data: &Map<String, Value>, world: &World) -> Option<i64> {
    let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
    let by_id =
        ["actor_user_id", "follower_id"].iter().find_map(|key| data.get(*key).and_then(number));
    if let Some(id) = by_id {
        return world.user(id).map(|_| id);
    }
    let names = [
        "actor_username",
        "liker_username",
        "reactor_username",
        "sharer_username",
        "author_username",
        "follower_username",
    ];
    let name = names.iter().find_map(|key| data.get(*key).and_then(Value::as_str))?;
    world.accounts.of_old_username(name)
}

/// The acts of one recipient that no notice was found for yet.
struct KnownActs {
    free: HashMap<Cause, LoadedAct>,
    noticed: HashSet<Cause>,
    /// The messages of one sender with one post, oldest first.
    messages: HashMap<(UserId, PostId), Vec<LoadedAct>>,
    noticed_messages: HashSet<(UserId, PostId)>,
}

impl KnownActs {
    fn of(acts: &[LoadedAct]) -> Self {
        let (mut free, mut messages) = (HashMap::new(), HashMap::<_, Vec<LoadedAct>>::new());
        for act in acts {
            match act.cause.act {
                Act::MessageShare { post, .. } => {
                    messages.entry((act.cause.actor, post)).or_default().push(act.clone());
                }
                _ => {
                    free.insert(act.cause, act.clone());
                }
            }
        }
        for sent in messages.values_mut() {
            sent.sort_by_key(|act| (act.at, act.cause.act.dedup_key()));
        }
        Self { free, noticed: HashSet::new(), messages, noticed_messages: HashSet::new() }
    }

    /// Takes the act of a notice. Notices come newest first, and so do the messages that they are matched with.
    fn take(
        &mut self,
        recipient: i64,
        candidate: &Candidate<'_>,
        world: &World,
    ) -> Result<LoadedAct, String> {
        let (recipient, actor) = (UserId::from(recipient), UserId::from(candidate.actor));
        match candidate.named {
            Named::Message(post) => {
                let sent = self.messages.get_mut(&(actor, post)).and_then(Vec::pop);
                let is_later = self.noticed_messages.contains(&(actor, post));
                let why = if is_later { LATER } else { TAKEN_BACK };
                let sent = sent.ok_or_else(|| why.to_owned())?;
                self.noticed_messages.insert((actor, post));
                Ok(sent)
            }
            Named::Act(act) => {
                let cause = Cause { recipient, actor, act };
                if self.noticed.contains(&cause) {
                    return Err(LATER.to_owned());
                }
                let found = self.free.remove(&cause).ok_or_else(|| why_gone(cause, world))?;
                self.noticed.insert(cause);
                Ok(found)
            }
        }
    }
}

/// Why there is no such act.
fn why_gone(cause: Cause, world: &World) -> String {
    let Act::Mention { post, .. } = cause.act else { return TAKEN_BACK.to_owned() };
    if world.posts.get(&post.into()).is_some_and(|post| !post.is_public) {
        return "named in a private post".to_owned();
    }
    let name = world.accounts.username(cause.recipient.into());
    let is_renamed = name.is_some_and(|name| name.why.is_some());
    let why = "the text does not name them any more";
    if is_renamed { format!("{why} (renamed)") } else { why.to_owned() }
}
