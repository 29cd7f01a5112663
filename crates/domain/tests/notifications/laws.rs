//! The laws of rules §4, over whatever several people do, and whenever.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::notification::{Act, Deliverability, HourlyQuota, WithdrawnNotification};
use grateful_domain::{Emoji, Notification, NotificationId, NotificationType};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseResult;

use crate::story::{Story, comment, heart, link, mention, message, person, post, reaction, reply};

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// Done, whether or not it was done before.
    Act(i64, usize, Deliverability),
    Undo(i64, usize),
    Change(i64, Emoji),
    Read(Index),
    ReadAll,
    Wait(TimeDelta),
}

/// What people do: all there is to do on one post, and a little beside.
fn acts() -> Vec<Act> {
    vec![
        heart(),
        reaction(),
        link(),
        message(1),
        message(2),
        mention(None),
        mention(Some(1)),
        comment(2),
        comment(3),
        reply(4),
        Act::Follow,
        Act::FollowRequest,
        Act::FollowAcceptance,
        Act::Heart { post: post(2) },
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 2..8_i64;
    let some_act = || prop_oneof![3 => 0..2_usize, 2 => 2..acts().len()];
    let standing = prop_oneof![
        12 => Just(Deliverability::Allowed),
        1 => Just(Deliverability::Muted),
        1 => Just(Deliverability::Blocked),
    ];
    let minutes = prop_oneof![
        6 => 0..20_i64,
        2 => select(vec![59, 60, 61]),
        1 => select(vec![23 * 60, 24 * 60, 24 * 60 + 1]),
    ];
    let step = prop_oneof![
        8 => (who(), some_act(), standing).prop_map(|(who, act, how)| Step::Act(who, act, how)),
        5 => (who(), some_act()).prop_map(|(who, act)| Step::Undo(who, act)),
        1 => (who(), select(&Emoji::ALL[..])).prop_map(|(who, emoji)| Step::Change(who, emoji)),
        2 => any::<Index>().prop_map(Step::Read),
        1 => Just(Step::ReadAll),
        4 => minutes.prop_map(|minutes| Step::Wait(TimeDelta::minutes(minutes))),
    ];
    vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold_after_every_step(steps in steps()) {
        let mut world = World::begin();
        for step in steps {
            world.play(&step).map_err(|error| error.with(&step))?;
            lists_keep_the_laws(&world.story)?;
            world.is_told_exactly_once()?;
        }
    }

    #[test]
    fn no_more_than_twenty_start_in_a_window_and_no_fewer_than_may(gaps in vec(0..9_i64, 1..120)) {
        let mut story = Story::begin();
        let mut window: Option<(DateTime<Utc>, i32)> = None;

        for (number, gap) in (0..).zip(gaps) {
            story.wait_minutes(gap);
            let before = story.inbox.held_back();
            story.act(2, Act::Heart { post: post(number) });

            let open = window.filter(|(opened, _)| story.now - *opened < HourlyQuota::WINDOW);
            let started = open.map_or(0, |(_, started)| started);
            prop_assert_eq!(story.inbox.held_back() - before, u64::from(started == 20));
            window = Some((open.map_or(story.now, |it| it.0), (started + 1).min(20)));
        }
    }
}

trait With {
    fn with(self, step: &Step) -> Self;
}

impl With for TestCaseError {
    fn with(self, step: &Step) -> Self {
        match self {
            Self::Fail(reason) => Self::fail(format!("{step:?}: {reason}")),
            reject @ Self::Reject(_) => reject,
        }
    }
}

/// The inbox, and what should be known of it.
struct World {
    story: Story,
    /// What is done, and whether it was told of.
    done: BTreeMap<(i64, usize), bool>,
    /// What was told, and taken back since.
    undone: HashMap<(i64, usize), (DateTime<Utc>, Notification)>,
}

impl World {
    fn begin() -> Self {
        Self { story: Story::begin(), done: BTreeMap::new(), undone: HashMap::new() }
    }

    fn play(&mut self, step: &Step) -> TestCaseResult {
        match *step {
            Step::Act(who, act, standing) => self.act(who, act, standing),
            Step::Undo(who, act) => self.undo(who, act),
            Step::Change(who, emoji) => self.change(who, emoji),
            Step::Read(place) => self.read(place),
            Step::ReadAll => self.read_all(),
            Step::Wait(time) => {
                self.story.wait(time);
                Ok(())
            }
        }
    }

    fn act(&mut self, who: i64, number: usize, standing: Deliverability) -> TestCaseResult {
        let (before, held_back) = (self.story.everything(), self.story.inbox.held_back());
        let (act, told) = (acts()[number], self.done.contains_key(&(who, number)));
        self.story.act_under(who, act, standing);
        let is_held_back = held_back < self.story.inbox.held_back();

        if told {
            // Only what was told of is known; what was not is another try at the same.
            let was_told = self.done[&(who, number)];
            if was_told {
                prop_assert_eq!(self.story.everything(), before);
                return Ok(());
            }
        }
        let is_told = standing == Deliverability::Allowed && !is_held_back;
        self.done.insert((who, number), is_told);
        if !is_told {
            prop_assert_eq!(self.story.everything(), before);
            return Ok(());
        }
        let back = self.undone.remove(&(who, number));
        let back =
            back.filter(|(at, _)| self.story.now - *at <= WithdrawnNotification::RESTORE_WINDOW);
        // A comment does not come back: what is said again is another one.
        let back = back.filter(|_| act.comment().is_none());
        match back {
            Some((_, old)) => self.came_back(&before, &old, who, act),
            None => self.is_news(who, act),
        }
    }

    fn is_news(&self, who: i64, act: Act) -> TestCaseResult {
        let entry = self.find(who, act).unwrap();
        let id = entry.parent.unwrap_or(entry.id);
        let top = self.story.inbox.top_level().into_iter().find(|it| it.id == id).unwrap();
        prop_assert_eq!(entry.read_at, None);
        prop_assert_eq!((top.read_at, top.last_updated_at), (None, self.story.now));
        prop_assert_eq!(entry.created_at, self.story.now);
        Ok(())
    }

    /// Law 5.
    fn came_back(
        &self,
        before: &[Notification],
        old: &Notification,
        who: i64,
        act: Act,
    ) -> TestCaseResult {
        let back = self.find(who, act).unwrap();
        prop_assert_eq!((back.id, back.created_at), (old.id, old.created_at));
        prop_assert!(old.read_at.is_none() || back.read_at == old.read_at);
        self.nothing_is_made_unread_or_moved_up(before)?;
        let unread = before.iter().filter(|it| it.is_top_level() && it.read_at.is_none()).count();
        let alone = usize::from(back.is_top_level() && back.read_at.is_none());
        prop_assert_eq!(self.story.inbox.unread_count(), unread + alone);
        Ok(())
    }

    fn undo(&mut self, who: i64, number: usize) -> TestCaseResult {
        let act = acts()[number];
        let (before, entry) = (self.story.everything(), self.find(who, act));
        self.story.undo(who, act);

        prop_assert_eq!(self.find(who, act), None);
        self.nothing_is_made_unread_or_moved_up(&before)?;
        if self.done.remove(&(who, number)) == Some(true) {
            self.undone.insert((who, number), (self.story.now, entry.unwrap()));
        } else {
            prop_assert_eq!(self.story.everything(), before);
        }
        Ok(())
    }

    /// Law 4: but for what the entry and its batch say, all is as before.
    fn change(&mut self, who: i64, emoji: Emoji) -> TestCaseResult {
        let (before, entry) = (self.story.everything(), self.find(who, reaction()));
        self.story.inbox.update_reaction(&person(who), reaction(), emoji);

        let touched = entry.iter().flat_map(|it| [Some(it.id), it.parent]).flatten();
        let touched: BTreeSet<NotificationId> = touched.collect();
        for (before, after) in before.iter().zip(self.story.everything()) {
            let mut as_before = after.clone();
            if touched.contains(&after.id) {
                as_before.text.clone_from(&before.text);
                as_before.data.clone_from(&before.data);
            }
            prop_assert_eq!(&as_before, before);
        }
        let changed = self.find(who, reaction());
        prop_assert_eq!(changed.is_some(), entry.is_some());
        prop_assert!(changed.is_none_or(|it| it.data["emoji_code"] == emoji.code()));
        Ok(())
    }

    /// Law 6.
    fn read(&mut self, place: Index) -> TestCaseResult {
        let before = self.story.everything();
        if before.is_empty() {
            return Ok(());
        }
        let id = before[place.index(before.len())].id;
        prop_assert!(self.story.inbox.mark_read(id, self.story.now));

        for (before, after) in before.iter().zip(self.story.everything()) {
            let is_read = before.id == id || before.parent == Some(id);
            let read_at = before.read_at.or(is_read.then_some(self.story.now));
            prop_assert_eq!(after, Notification { read_at, ..before.clone() });
        }
        Ok(())
    }

    fn read_all(&mut self) -> TestCaseResult {
        let unread = self.story.inbox.unread_count();

        prop_assert_eq!(self.story.inbox.mark_all_read(self.story.now), unread);

        prop_assert!(self.story.everything().iter().all(|it| it.read_at.is_some()));
        Ok(())
    }

    fn nothing_is_made_unread_or_moved_up(&self, before: &[Notification]) -> TestCaseResult {
        let before: HashMap<_, _> = before.iter().map(|it| (it.id, it)).collect();
        for after in self.story.everything() {
            let Some(before) = before.get(&after.id) else { continue };
            prop_assert!(before.read_at.is_none() || after.read_at == before.read_at);
            prop_assert_eq!(after.last_updated_at, before.last_updated_at);
            prop_assert_eq!(after.created_at, before.created_at);
        }
        Ok(())
    }

    fn find(&self, who: i64, act: Act) -> Option<Notification> {
        let name = Some(act.dedup_key());
        let is_it = |it: &Notification| it.actor == Some(who.into()) && it.act == name;
        self.story.everything().into_iter().find(is_it)
    }

    /// Law 3.
    fn is_told_exactly_once(&self) -> TestCaseResult {
        let mut told: Vec<_> = self
            .story
            .everything()
            .into_iter()
            .filter(|it| it.batch.is_none())
            .map(|it| (it.actor.unwrap(), it.act.unwrap()))
            .collect();
        let done = self.done.iter().filter(|(_, told)| **told);
        let mut done: Vec<_> =
            done.map(|((who, number), _)| ((*who).into(), acts()[*number].dedup_key())).collect();
        told.sort();
        done.sort();
        prop_assert_eq!(told, done);
        Ok(())
    }
}

fn lists_keep_the_laws(story: &Story) -> TestCaseResult {
    let mut open = BTreeSet::new();
    for top in story.inbox.top_level() {
        prop_assert!(top.is_top_level());
        if let Some(key) = top.key.as_ref().filter(|_| top.is_open()) {
            prop_assert!(open.insert(key), "law 1: {} is open twice", key);
        }
        let entries = story.inbox.children(top.id);
        if top.batch.is_some() {
            batch_keeps_the_laws(top, &entries)?;
        } else {
            prop_assert!(entries.is_empty());
            prop_assert!(top.act.is_some());
            prop_assert_eq!(&top.text, &top.render_text(person(number_of(top)).name(), None));
        }
    }
    let unread = story.inbox.top_level().into_iter().filter(|it| it.read_at.is_none()).count();
    prop_assert_eq!(story.inbox.unread_count(), unread);
    Ok(())
}

fn batch_keeps_the_laws(batch: &Notification, entries: &[&Notification]) -> TestCaseResult {
    let people: BTreeSet<_> = entries.iter().map(|it| it.actor).collect();
    let gathered = batch.batch_counts();
    prop_assert_eq!(usize::try_from(gathered.child_count).unwrap(), entries.len(), "law 2");
    prop_assert_eq!(usize::try_from(gathered.actor_count).unwrap(), people.len(), "law 2");
    prop_assert!(!entries.is_empty(), "law 4: the last entry takes its batch");
    prop_assert!(batch.read_at.is_none() || entries.iter().all(|it| it.read_at.is_some()), "law 6");
    prop_assert!(batch.act.is_none());
    prop_assert!(entries.iter().all(|it| it.key == batch.key && it.batch.is_none()));

    let newest = entries[0];
    prop_assert_eq!((batch.actor, batch.comment), (newest.actor, newest.comment));
    prop_assert_eq!(&batch.data, &newest.data);
    let own = entries.iter().filter(|it| it.actor == newest.actor);
    let mut emoji = own.filter(|it| it.kind == NotificationType::EmojiReaction);
    let emoji = emoji.next().map(|it| it.data["emoji_code"].as_str().unwrap());
    let emoji = emoji.map(|code| Emoji::from_code(code).unwrap());
    prop_assert_eq!(&batch.text, &batch.render_text(person(number_of(batch)).name(), emoji));
    Ok(())
}

fn number_of(it: &Notification) -> i64 {
    it.actor.unwrap().into()
}
