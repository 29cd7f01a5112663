use chrono::TimeDelta;
use grateful_domain::{NotificationType, PostId, ShareId};
use rstest::rstest;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

const ANA: i64 = 1;

fn post() -> PostId {
    World::sample_post(true).into()
}

/// The moment of the sample, and minutes after a day long ago.
fn minute(minutes: i64) -> DateTime<Utc> {
    World::sample().now - TimeDelta::days(300) + TimeDelta::minutes(minutes)
}

fn act(actor: i64, act: Act, minutes: i64) -> LoadedAct {
    let cause = Cause { recipient: ANA.into(), actor: actor.into(), act };
    LoadedAct { cause, at: minute(minutes), details: EventDetails::default() }
}

fn heart(actor: i64) -> LoadedAct {
    act(actor, Act::Heart { post: post() }, 0)
}

fn sent(actor: i64, share: u128, minutes: i64) -> LoadedAct {
    let share = ShareId::from(Uuid::from_u128(share));
    act(actor, Act::MessageShare { post: post(), share }, minutes)
}

fn notice(id: u128, kind: &str, data: &Value, minutes: i64) -> OldNotice {
    OldNotice {
        id: Uuid::from_u128(id).to_string(),
        user_id: ANA,
        kind: kind.to_owned(),
        data: Some(data.to_string()),
        created_at: minute(minutes),
        last_updated_at: Some(minute(minutes)),
        batch_count: Some(1),
        ..OldNotice::default()
    }
}

fn like(id: u128, actor: i64, minutes: i64) -> OldNotice {
    let data = json!({"post_id": post().to_string(), "actor_user_id": actor.to_string()});
    notice(id, "like", &data, minutes)
}

fn batch(id: u128, minutes: i64) -> OldNotice {
    let data = json!({"post_id": post().to_string(), "actor_user_id": "2"});
    OldNotice {
        is_batch: true,
        batch_count: Some(9),
        ..notice(id, "post_interaction", &data, minutes)
    }
}

fn in_batch(notice: OldNotice, batch: u128) -> OldNotice {
    OldNotice { parent_id: Some(Uuid::from_u128(batch).to_string()), ..notice }
}

fn run(acts: &[LoadedAct], old: &[OldNotice]) -> Reconciled {
    reconcile(ANA, acts.to_vec(), old, &World::sample())
}

fn whys(reconciled: &Reconciled) -> Vec<&str> {
    reconciled.changes.iter().map(|change| change.why.as_str()).collect()
}

#[rstest]
#[case("comment", json!({"post_id": "x"}), "type 'comment'")]
#[case("like", json!({}), "no data")]
#[case("like", json!([1]), "no data")]
#[case("like", json!({"post_id": "x", "actor_user_id": "99"}), "no known user did it")]
#[case("like", json!({"post_id": "x", "liker_username": "User2"}), "no known user did it")]
#[case("like", json!({"post_id": "x", "actor_user_id": "1"}), "one's own act")]
#[case("like", json!({"post_id": "x", "actor_user_id": "2"}), "its post is not there")]
#[case("like", json!({"actor_user_id": "2"}), "its post is not there")]
#[case("like", json!({"post_id": World::sample_post(true).to_string(), "actor_user_id": 2}), "taken back since")]
#[case("follow", json!({"follower_id": 4}), "taken back since")]
#[case("mention", json!({"post_id": World::sample_post(true).to_string(), "actor_user_id": "2"}), "the text does not name them any more")]
#[case("mention", json!({"post_id": World::sample_post(false).to_string(), "author_username": "user2"}), "named in a private post")]
fn a_notice_without_an_act_is_skipped(#[case] kind: &str, #[case] data: Value, #[case] why: &str) {
    let reconciled = run(&[], &[notice(7, kind, &data, 0)]);

    assert_eq!(whys(&reconciled), [why]);
    assert_eq!((reconciled.skipped, reconciled.inbox.notifications.len()), (1, 0));
}

#[test]
fn a_notice_across_a_block_is_skipped() {
    let across = OldNotice { user_id: 2, ..notice(7, "follow", &json!({"follower_id": 3}), 0) };
    let reconciled = reconcile(2, vec![], &[across], &World::sample());
    assert_eq!(whys(&reconciled), ["across a block"]);
}

#[test]
fn of_several_notices_for_one_act_the_newest_stays() {
    let reconciled = run(&[heart(2)], &[like(1, 2, 5), like(2, 2, 9), like(3, 2, 7)]);

    let ids: Vec<_> =
        reconciled.inbox.notifications.iter().map(|(it, _)| Uuid::from(it.id)).collect();
    assert_eq!(ids, [Uuid::from_u128(2)]);
    assert_eq!(whys(&reconciled), ["a later notice is about the same act"; 2]);
}

#[test]
fn the_newest_notice_of_a_message_is_about_the_newest_message() {
    let message = |id, minutes| {
        let data = json!({
            "post_id": post().to_string(), "actor_user_id": "2", "share_method": "message",
        });
        notice(id, "post_shared", &data, minutes)
    };
    let acts = [sent(2, 0xd1, 1), sent(2, 0xd2, 2)];

    let reconciled = run(&acts, &[message(1, 3), message(2, 4)]);

    let acts: Vec<_> = reconciled
        .inbox
        .notifications
        .iter()
        .map(|(it, _)| (Uuid::from(it.id).as_u128(), it.act.clone().unwrap()))
        .collect();
    let key = |share: u128| format!("post_shared:share:{}", Uuid::from_u128(share));
    assert_eq!(acts, [(1, key(0xd1)), (2, key(0xd2))]);
    let third = run(&[sent(2, 0xd1, 1)], &[message(1, 3), message(2, 4), message(3, 5)]);
    assert_eq!(whys(&third), ["a later notice is about the same act"; 2]);
}

#[test]
fn a_batch_counts_its_entries_and_people_and_shows_the_newest() {
    let reaction = act(2, Act::Reaction { post: post() }, 1);
    let data = json!({"post_id": post().to_string(), "actor_user_id": "2"});
    let old = [
        batch(9, 1),
        in_batch(like(1, 2, 0), 9),
        in_batch(like(2, 4, 2), 9),
        in_batch(notice(3, "emoji_reaction", &data, 3), 9),
    ];

    let reconciled = run(&[heart(2), heart(4), reaction], &old);

    let (top, seq) = &reconciled.inbox.notifications[0];
    let counts = top.batch.unwrap();
    assert_eq!((counts.child_count, counts.actor_count, *seq), (3, 2, 1));
    assert_eq!((top.kind, top.actor), (NotificationType::PostInteraction, Some(2.into())));
    assert_eq!((top.created_at, top.last_updated_at), (minute(1), minute(3)));
    let entries = &reconciled.inbox.notifications[1..];
    assert_eq!(entries.len(), 3);
    assert!(
        entries.iter().all(|(it, seq)| it.parent == Some(top.id) && it.key.is_none() && *seq == 0)
    );
    assert_eq!((reconciled.inbox.counts.total, reconciled.inbox.counts.unread), (1, 1));
    assert_eq!(whys(&reconciled), ["counted again"]);
}

#[test]
fn a_batch_without_entries_is_skipped_and_an_entry_without_its_batch_stands_alone() {
    let reconciled = run(&[heart(2)], &[batch(9, 1), in_batch(like(1, 2, 0), 8)]);

    assert_eq!(reconciled.skipped, 1);
    assert_eq!(
        whys(&reconciled),
        ["its parent is no batch of the same person", "no entry is left"]
    );
    let (single, _) = &reconciled.inbox.notifications[0];
    assert_eq!((single.parent, single.key.is_some()), (None, true));
}

/// Links and messages shared one batch; ours have a key each. That with the newest entry keeps the id.
#[test]
fn a_batch_of_two_keys_is_split() {
    let shared = |id, actor: i64, method: &str, minutes| {
        let data = json!({
            "post_id": post().to_string(), "actor_user_id": actor, "share_method": method,
        });
        in_batch(notice(id, "post_shared", &data, minutes), 9)
    };
    let link = |actor, minutes| act(actor, Act::LinkShare { post: post() }, minutes);
    let acts = [link(2, 1), link(3, 2), sent(4, 0xd1, 3)];
    let old = [
        OldNotice { kind: "post_shared".to_owned(), ..batch(9, 2) },
        shared(1, 2, "url", 1),
        shared(2, 3, "url", 2),
        shared(3, 4, "message", 3),
    ];

    let reconciled = run(&acts, &old);

    let batches: Vec<_> = reconciled
        .inbox
        .notifications
        .iter()
        .filter_map(|(it, _)| Some((Uuid::from(it.id), it.batch?.child_count)))
        .collect();
    let key = format!("{} post_shared:post:{}", Uuid::from_u128(9), post());
    assert_eq!(batches, [(ids::derived(&key), 2), (Uuid::from_u128(9), 1)]);
    assert_eq!(reconciled.made, 1);

    let reconciled =
        run(&[link(2, 1), sent(4, 0xd1, 3)], &[old[0].clone(), old[1].clone(), old[3].clone()]);
    let alone: Vec<_> = reconciled
        .inbox
        .notifications
        .iter()
        .filter(|(it, _)| it.parent.is_none() && it.batch.is_none())
        .map(|(it, _)| Uuid::from(it.id))
        .collect();
    assert_eq!(alone, [Uuid::from_u128(1)]);
}

/// In the older shape a batch of likes has the entries of the others only.
#[test]
fn a_batch_that_was_the_first_single_becomes_an_entry_of_itself() {
    let first = OldNotice { is_batch: true, batch_count: Some(2), ..like(9, 2, 0) };

    let reconciled = run(&[heart(2), heart(4)], &[first, in_batch(like(1, 4, 5), 9)]);

    let made = ids::derived(&format!("{} entry", Uuid::from_u128(9)));
    let ids: Vec<_> =
        reconciled.inbox.notifications.iter().map(|(it, _)| Uuid::from(it.id)).collect();
    assert_eq!(ids, [Uuid::from_u128(9), made, Uuid::from_u128(1)]);
    assert_eq!((reconciled.made, reconciled.skipped), (1, 0));
}

#[rstest]
#[case::none(&[false, false], false, false)]
#[case::all_entries(&[true, true], false, true)]
#[case::the_batch(&[false, true], true, true)]
#[case::one_entry(&[false, true], false, false)]
fn a_batch_is_read_if_it_was_or_if_all_its_entries_are(
    #[case] entries: &[bool],
    #[case] batch_read: bool,
    #[case] expected: bool,
) {
    let read = |notice: OldNotice, read| OldNotice { read, ..notice };
    let old = [
        read(batch(9, 1), batch_read),
        read(in_batch(like(1, 2, 0), 9), entries[0]),
        read(in_batch(like(2, 4, 2), 9), entries[1]),
    ];

    let reconciled = run(&[heart(2), heart(4)], &old);

    let (top, _) = &reconciled.inbox.notifications[0];
    assert_eq!(top.read_at.is_some(), expected);
    let children = &reconciled.inbox.notifications[1..];
    assert!(!expected || children.iter().all(|(it, _)| it.read_at.is_some()));
    assert_eq!(reconciled.inbox.counts.unread, i64::from(!expected));
}

#[test]
fn of_the_notifications_with_one_key_the_newest_stays_open() {
    let reconciled =
        run(&[heart(2), heart(4), heart(5)], &[like(1, 2, 9), like(2, 4, 3), like(3, 5, 6)]);

    let closed: Vec<_> = reconciled
        .inbox
        .notifications
        .iter()
        .map(|(it, seq)| (Uuid::from(it.id).as_u128(), *seq, it.closed_at.is_some()))
        .collect();
    assert_eq!(closed, [(2, 1, true), (3, 2, true), (1, 3, false)]);
}

#[test]
fn recent_acts_without_a_notice_are_read_and_closed_or_suppressed_if_muted() {
    let recent = LoadedAct { at: World::sample().now - TimeDelta::days(1), ..heart(2) };
    let mut world = World::sample();

    let noted = reconcile(ANA, vec![recent.clone(), heart(4)], &[], &world);
    let [(only, _)] = &noted.inbox.notifications[..] else { panic!("{noted:?}") };
    assert_eq!((only.read_at, only.closed_at), (Some(recent.at), Some(recent.at)));
    assert_eq!((noted.made, noted.inbox.counts.unread), (1, 0));

    let muted = json!({"notifications": {"like": false}}).as_object().unwrap().clone();
    let preferences = Some(Box::new(Preferences::from_stored(muted)));
    world.users.get_mut(&ANA).unwrap().preferences = preferences;
    let suppressed = reconcile(ANA, vec![recent], &[], &world);
    assert_eq!(suppressed.inbox.notifications.len(), 0);
    assert_eq!(suppressed.suppressed[0].reason, SuppressionReason::Muted);
}

#[test]
fn acts_that_our_rules_do_not_notify_of_have_no_notice() {
    let hidden = act(
        2,
        Act::MessageShare {
            post: World::sample_post(false).into(),
            share: ShareId::from(Uuid::nil()),
        },
        0,
    );
    let to_another = LoadedAct {
        cause: Cause { recipient: 4.into(), ..hidden.cause },
        at: World::sample().now,
        details: EventDetails::default(),
    };
    let across = LoadedAct {
        cause: Cause { recipient: 2.into(), actor: 3.into(), act: Act::Follow },
        ..to_another.clone()
    };
    for (recipient, act) in [(4, to_another), (2, across)] {
        let reconciled = reconcile(recipient, vec![act], &[], &World::sample());
        assert_eq!(reconciled.inbox.notifications.len(), 0, "{recipient}");
    }
}
