//! Following a list as it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::Duration;

use chrono::TimeDelta;
use grateful_application::accounts::{LogIn, log_in};
use grateful_application::housekeeping::sweep;
use grateful_application::notifications::{InboxChange, InboxChangeKind, Stream, StreamEvent};
use grateful_application::{
    AccessToken, App, Error, InboxWatcher, QueryLog, notifications, sessions,
};
use grateful_domain::notification::RenderedNotification;
use grateful_domain::{Emoji, Notification, NotificationId, Session};
use grateful_storage::Repositories;
use grateful_testkit::{MetricsCapture, PASSWORD};
use tokio::time::timeout;

use crate::support::{Scenario, create_post, create_user_named, message_of};

#[tokio::test]
async fn a_stream_begins_where_the_list_is_and_tells_what_comes() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    let before = position(&scenario).await;
    let mut stream = follow(&scenario, None).await;

    let begins = next(&mut stream).await;
    scenario.share_link(scenario.ben).await;
    let [link] = changes(&mut stream).await.try_into().unwrap();

    assert!(matches!(begins, StreamEvent::Started(at) if at == before && before < link.seq));
    assert_eq!(said(&link), "ben shared your post");
}

#[tokio::test]
async fn a_stream_is_measured_as_long_as_it_is_open() {
    let scenario = Scenario::create().await;
    let measured = MetricsCapture::start();
    let open = |changed: &[i64]| {
        let gauge = measured.take_named(&["grateful_streams_open"]);
        assert_eq!(gauge.into_values().collect::<Vec<_>>(), changed);
    };

    let first = follow(&scenario, None).await;
    let second = follow(&scenario, None).await;
    open(&[2]);
    drop(first);
    open(&[-1]);
    drop(second);
    open(&[-1]);
}

#[tokio::test]
async fn a_single_that_becomes_a_batch_leaves_and_the_batch_comes() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    let single = scenario.only_notification(scenario.ana).await.notification.id;
    let mut stream = begun(&scenario).await;

    scenario.add_heart(scenario.caro).await;

    let [left, came] = changes(&mut stream).await.try_into().unwrap();
    assert_eq!(left.kind, InboxChangeKind::Removed(single));
    assert_eq!(said(&came), "2 people engaged with your post");
    assert!(left.seq < came.seq);
}

#[tokio::test]
async fn reading_undoing_and_changing_are_told_too() {
    let scenario = Scenario::create().await;
    scenario.set_reaction(scenario.ben, Emoji::Hug).await;
    let mut stream = begun(&scenario).await;

    scenario.mark_all_read(scenario.ana).await;
    let [read] = changes(&mut stream).await.try_into().unwrap();
    scenario.set_reaction(scenario.ben, Emoji::Fire).await;
    let [changed] = changes(&mut stream).await.try_into().unwrap();
    scenario.remove_reaction(scenario.ben).await;
    let [gone] = changes(&mut stream).await.try_into().unwrap();

    assert!(
        matches!(&read.kind, InboxChangeKind::Upserted(it) if it.notification.read_at.is_some())
    );
    assert_eq!(said(&changed), "ben reacted to your post with 🔥");
    assert!(matches!(gone.kind, InboxChangeKind::Removed(_)), "{gone:?}");
}

#[tokio::test]
async fn whoever_goes_on_from_anywhere_misses_nothing_and_meets_nothing_twice() {
    let scenario = Scenario::create().await;
    let (_, session) = signed_in(&scenario).await;
    let history = a_history(&scenario).await;
    let list = scenario.list(scenario.ana).await;
    assert!(20 < history.len(), "{}", history.len());

    for seen in 0..=history.len() {
        let (before, missing) = history.split_at(seen);
        let behind = before.last().map_or(0, |change| change.seq);
        let mut stream = open(&scenario.app, &session, Some(behind)).await;
        assert!(matches!(next(&mut stream).await, StreamEvent::Started(at) if at == behind));
        let resumed = if missing.is_empty() { vec![] } else { changes(&mut stream).await };

        let numbers: Vec<i64> = resumed.iter().map(|change| change.seq).collect();
        let distinct: BTreeSet<i64> = numbers.iter().copied().filter(|seq| behind < *seq).collect();
        assert_eq!(numbers, distinct.into_iter().collect::<Vec<_>>(), "behind {behind}");
        let known = missing.iter().map(|change| change.seq).collect::<BTreeSet<_>>();
        assert!(numbers.iter().all(|seq| known.contains(seq)), "behind {behind}");
        assert_eq!(replayed(before, &resumed), shown(&list), "behind {behind}");
    }
}

#[tokio::test]
async fn whoever_goes_on_from_what_is_forgotten_has_to_read_the_list_anew() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    let before = position(&scenario).await;
    scenario.remove_heart(scenario.ben).await;
    let behind = position(&scenario).await;
    scenario.clock.advance(TimeDelta::hours(24) + TimeDelta::seconds(1));
    let (_, session) = signed_in(&scenario).await;
    assert!(matches!(first(&scenario.app, &session, Some(before)).await, StreamEvent::Started(_)));
    sweep(&scenario.app).await.unwrap();

    for (last, is_known) in [
        (before, false),
        (0, false),
        (-1, false),
        (i64::MIN, false),
        (behind, true),
        (behind + 1, false),
        (i64::MAX, false),
    ] {
        match first(&scenario.app, &session, Some(last)).await {
            StreamEvent::Started(at) => assert!(is_known && at == last, "{last}"),
            StreamEvent::Reset(at) => assert!(!is_known && at == behind, "{last}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn behind_a_reset_a_stream_goes_on() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    let mut stream = follow(&scenario, Some(1_000)).await;
    assert!(matches!(next(&mut stream).await, StreamEvent::Reset(_)));

    scenario.share_link(scenario.ben).await;

    let [link] = changes(&mut stream).await.try_into().unwrap();
    assert_eq!(said(&link), "ben shared your post");
}

#[tokio::test]
async fn everybody_who_follows_a_list_is_told_the_same_on_any_node() {
    let scenario = Scenario::create().await;
    let elsewhere = App { inbox_watcher: InboxWatcher::default(), ..scenario.app.clone() };
    let (_, session) = signed_in(&scenario).await;
    let mut streams = vec![
        open(&scenario.app, &session, None).await,
        open(&scenario.app, &session, None).await,
        open(&elsewhere, &session, None).await,
    ];
    for stream in &mut streams {
        next(stream).await;
    }

    scenario.add_heart(scenario.ben).await;

    for stream in &mut streams {
        let [heart] = changes(stream).await.try_into().unwrap();
        assert_eq!(said(&heart), "ben liked your post");
    }
}

#[tokio::test]
async fn whoever_comes_after_all_have_left_is_woken_too() {
    let scenario = Scenario::create().await;
    let mut stream = begun(&scenario).await;
    scenario.add_heart(scenario.ben).await;
    changes(&mut stream).await;
    drop(stream);
    // The next stream finds the one who asks still there, and the ones after it find nobody.
    for _ in 0..3 {
        let mut stream = begun(&scenario).await;
        scenario.remove_heart(scenario.ben).await;
        scenario.add_heart(scenario.ben).await;
        assert!(!changes(&mut stream).await.is_empty());
        drop(stream);
        advance(Duration::from_secs(1)).await;
    }
}

#[tokio::test]
async fn nobody_is_told_what_is_in_the_list_of_another() {
    let scenario = Scenario::create().await;
    let mut stream = begun(&scenario).await;

    scenario.send_message(scenario.ben, &[scenario.caro]).await;
    scenario.share_link(scenario.ben).await;

    let [link] = changes(&mut stream).await.try_into().unwrap();
    assert_eq!(said(&link), "ben shared your post");
}

#[tokio::test]
async fn thousands_of_changes_come_in_small_portions() {
    let scenario = Scenario::create().await;
    let post = create_post(&scenario.database, scenario.ana).await;
    scenario
        .database
        .execute(&format!(
            "INSERT INTO inboxes (user_id, last_seq) VALUES ({ana}, 2500);
             INSERT INTO notification_removals (user_id, seq, notification_id, removed_at)
             SELECT {ana}, n, gen_random_uuid(), now() FROM generate_series(1, 2500, 2) n;
             INSERT INTO notifications (id, user_id, actor_id, type, title, message, post_id, seq)
             SELECT gen_random_uuid(), {ana}, {ben}, 'like', 'x', 'x', '{post}', n FROM generate_series(2, 2500, 2) n",
            ana = scenario.ana,
            ben = scenario.ben,
        ))
        .await;
    let mut stream = follow(&scenario, Some(0)).await;
    next(&mut stream).await;

    let mut numbers = Vec::new();
    while numbers.len() < 2500 {
        let (portion, queries) = QueryLog::record(changes(&mut stream)).await;
        assert!(portion.len() <= 100, "{}", portion.len());
        assert!(queries.total() <= 4, "{queries:#?}");
        numbers.extend(portion.iter().map(|change| change.seq));
    }

    assert_eq!(numbers, (1..=2500).collect::<Vec<i64>>());
}

#[tokio::test]
async fn a_stream_says_nothing_while_nothing_happens_and_then_that_it_is_there() {
    let scenario = Scenario::create().await;
    let mut stream = begun(&scenario).await;

    assert!(matches!(after_a_silence(&mut stream).await, Some(StreamEvent::KeepAlive)));
    scenario.add_heart(scenario.ben).await;

    assert_eq!(changes(&mut stream).await.len(), 1);
}

#[tokio::test]
async fn a_stream_ends_in_silence_when_its_session_has_ended() {
    let scenario = Scenario::create().await;
    let (token, session) = signed_in(&scenario).await;
    let mut stream = open(&scenario.app, &session, None).await;
    next(&mut stream).await;

    sessions::log_out(&scenario.app, &token).await.unwrap();

    assert!(after_a_silence(&mut stream).await.is_none());
}

#[tokio::test]
async fn a_stream_tells_nothing_more_once_its_session_has_ended() {
    let scenario = Scenario::create().await;
    let (token, session) = signed_in(&scenario).await;
    let mut stream = open(&scenario.app, &session, None).await;
    next(&mut stream).await;

    sessions::log_out(&scenario.app, &token).await.unwrap();
    scenario.add_heart(scenario.ben).await;

    let told = timeout(DEADLINE, stream.next()).await.unwrap().unwrap();
    assert!(told.is_none(), "{told:?}");
}

#[tokio::test]
async fn a_stream_tells_nothing_more_once_its_session_has_expired() {
    let scenario = Scenario::create().await;
    let mut stream = begun(&scenario).await;

    scenario.clock.advance(App::SESSION_LIFETIME);
    scenario.add_heart(scenario.ben).await;

    let told = timeout(DEADLINE, stream.next()).await.unwrap().unwrap();
    assert!(told.is_none(), "{told:?}");
}

#[tokio::test]
async fn a_ticket_is_good_once_and_for_a_minute() {
    let scenario = Scenario::create().await;
    let (token, session) = signed_in(&scenario).await;
    let (ticket, lifetime) = notifications::issue_ticket(&scenario.app, &session).await.unwrap();
    let (late, _) = notifications::issue_ticket(&scenario.app, &session).await.unwrap();
    assert_eq!(lifetime, TimeDelta::seconds(60));
    scenario.clock.advance(TimeDelta::milliseconds(59_999));

    let used = notifications::redeem_ticket(&scenario.app, &ticket).await.unwrap();
    let again = notifications::redeem_ticket(&scenario.app, &ticket).await;
    scenario.clock.advance(TimeDelta::milliseconds(1));
    let too_late = notifications::redeem_ticket(&scenario.app, &late).await;
    let no_ticket = notifications::redeem_ticket(&scenario.app, &token).await;

    assert_eq!((used.id, used.user), (session.id, scenario.ana));
    for refused in [again, too_late, no_ticket] {
        assert!(matches!(refused, Err(Error::Unauthenticated(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_ticket_ends_with_its_session() {
    let scenario = Scenario::create().await;
    let (token, session) = signed_in(&scenario).await;
    let (ticket, _) = notifications::issue_ticket(&scenario.app, &session).await.unwrap();

    sessions::log_out(&scenario.app, &token).await.unwrap();

    let refused = notifications::redeem_ticket(&scenario.app, &ticket).await;
    assert!(matches!(refused, Err(Error::Unauthenticated(_))), "{refused:?}");
}

#[tokio::test]
async fn a_ticket_opens_one_stream_however_many_ask_at_once() {
    let scenario = Scenario::create().await;
    let (_, session) = signed_in(&scenario).await;
    let (ticket, _) = notifications::issue_ticket(&scenario.app, &session).await.unwrap();

    let all = (0..8).map(|_| notifications::redeem_ticket(&scenario.app, &ticket));
    let redeemed = futures_util::future::join_all(all).await;

    assert_eq!(redeemed.iter().filter(|it| it.is_ok()).count(), 1);
}

/// All that ever happens to Ana's list, as somebody sees it who is always there.
async fn a_history(scenario: &Scenario) -> Vec<InboxChange> {
    let dora = create_user_named(&scenario.database, "dora").await;
    let mut history: Vec<InboxChange> = Vec::new();
    for step in 0..24 {
        match step {
            0 | 9 | 17 => scenario.add_heart(scenario.ben).await,
            1 => scenario.share_link(scenario.ben).await,
            2 | 12 | 22 => scenario.add_heart(scenario.caro).await,
            3 => scenario.set_reaction(dora, Emoji::Hug).await,
            4 => drop(scenario.comment(scenario.ben, "So kind").await),
            5 | 14 | 23 => scenario.remove_heart(scenario.ben).await,
            6 | 18 => scenario.mark_all_read(scenario.ana).await,
            7 => scenario.set_reaction(dora, Emoji::Joy).await,
            8 => scenario.share_link(dora).await,
            10 => scenario.clock.advance(TimeDelta::hours(25)),
            11 | 20 => scenario.remove_heart(scenario.caro).await,
            13 => scenario.set_reaction(scenario.caro, Emoji::Star).await,
            15 => scenario.remove_reaction(dora).await,
            16 => drop(scenario.comment(dora, "Lovely").await),
            19 => scenario.remove_reaction(scenario.caro).await,
            21 => scenario.add_heart(dora).await,
            _ => unreachable!(),
        }
        let after = history.last().map_or(0, |change| change.seq);
        history.extend(changes_behind(scenario, after).await);
    }
    history
}

/// How long anything may take that must come.
const DEADLINE: Duration = Duration::from_secs(10);

/// Ana's session, and what proves it.
pub(crate) async fn signed_in(scenario: &Scenario) -> (AccessToken, Session) {
    let (email, password) = ("ana@example.org".to_owned(), PASSWORD.to_owned());
    let token = log_in(&scenario.app, LogIn { email, password, user_agent: None }).await.unwrap();
    let session = sessions::authenticate(&scenario.app, &token).await.unwrap();
    (token, session)
}

async fn open(app: &App, session: &Session, last: Option<i64>) -> Stream {
    Stream::open(app.clone(), session.clone(), last).await.unwrap()
}

/// A stream of Ana's list.
async fn follow(scenario: &Scenario, last: Option<i64>) -> Stream {
    let (_, session) = signed_in(scenario).await;
    open(&scenario.app, &session, last).await
}

/// A stream of Ana's list that has said where it begins.
async fn begun(scenario: &Scenario) -> Stream {
    let mut stream = follow(scenario, None).await;
    assert!(matches!(next(&mut stream).await, StreamEvent::Started(_)));
    stream
}

/// What a stream says first.
async fn first(app: &App, session: &Session, last: Option<i64>) -> StreamEvent {
    next(&mut open(app, session, last).await).await
}

async fn next(stream: &mut Stream) -> StreamEvent {
    timeout(DEADLINE, stream.next()).await.unwrap().unwrap().unwrap()
}

async fn changes(stream: &mut Stream) -> Vec<InboxChange> {
    match next(stream).await {
        StreamEvent::Changes(changes) => changes,
        other => panic!("{other:?}"),
    }
}

/// What a stream says when nothing has happened for a quarter of a minute, of which only a moment is waited for.
async fn after_a_silence(stream: &mut Stream) -> Option<StreamEvent> {
    let mut next = pin!(stream.next());
    timeout(Duration::from_millis(500), &mut next).await.unwrap_err();
    advance(Duration::from_secs(15)).await;
    timeout(Duration::from_secs(5), next).await.unwrap().unwrap()
}

/// Moves the time of timers on, without waiting for it.
async fn advance(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

/// How far Ana's list has come.
async fn position(scenario: &Scenario) -> i64 {
    scenario
        .database
        .connect()
        .await
        .notifications()
        .find_inbox_position(scenario.ana)
        .await
        .unwrap()
        .last_seq
}

async fn changes_behind(scenario: &Scenario, after: i64) -> Vec<InboxChange> {
    let mut conn = scenario.database.connect().await;
    conn.notifications().list_changes(scenario.ana, after, 100).await.unwrap()
}

#[track_caller]
fn said(change: &InboxChange) -> String {
    match &change.kind {
        InboxChangeKind::Upserted(notification) => message_of(notification),
        InboxChangeKind::Removed(_) => panic!("{change:?}"),
    }
}

/// What a client shows that has seen these changes.
fn replayed(
    before: &[InboxChange],
    resumed: &[InboxChange],
) -> BTreeMap<NotificationId, RenderedNotification> {
    let mut list = BTreeMap::new();
    for change in before.iter().chain(resumed) {
        match &change.kind {
            InboxChangeKind::Upserted(it) => drop(list.insert(it.notification.id, visible(it))),
            InboxChangeKind::Removed(id) => drop(list.remove(id)),
        }
    }
    list
}

fn shown(list: &[RenderedNotification]) -> BTreeMap<NotificationId, RenderedNotification> {
    list.iter().map(|it| (it.notification.id, visible(it))).collect()
}

/// That a notification gathers no more is nothing that anybody sees.
fn visible(it: &RenderedNotification) -> RenderedNotification {
    let notification = Notification { closed_at: None, ..it.notification.clone() };
    RenderedNotification { notification, ..it.clone() }
}
