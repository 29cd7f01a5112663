//! Streams of inbox changes, and the tickets that open them (docs/http-api.md#notification-stream).

use grateful_storage::Repositories;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::Duration;

use chrono::TimeDelta;
use grateful_application::accounts::{LogIn, log_in};
use grateful_application::housekeeping::sweep;
use grateful_application::notifications::{Stream, StreamEvent};
use grateful_application::{
    AccessToken, App, Error, InboxWatcher, QueryLog, notifications, sessions,
};
use grateful_domain::notification::{InboxChange, InboxChangeKind, RenderedNotification};
use grateful_domain::{Emoji, Notification, NotificationId, Session};
use grateful_testkit::{MetricsCapture, PASSWORD, Scenario, create_user_named};
use tokio::time::timeout;

use crate::support::{insert_post, message_of};

#[tokio::test]
async fn a_stream_starts_at_the_last_change_and_sends_new_ones() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    let before = last_seq(&scenario).await;
    let mut stream = open_for_ana(&scenario, None).await;

    let started = next_event(&mut stream).await;
    scenario.share_link(scenario.ben).await;
    let [link] = next_changes(&mut stream).await.try_into().unwrap();

    assert!(matches!(started, StreamEvent::Started(at) if at == before && before < link.seq));
    assert_eq!(message_in(&link), "ben shared your post");
}

#[tokio::test]
async fn the_gauge_counts_open_streams() {
    let scenario = Scenario::create().await;
    let metrics = MetricsCapture::start();
    let assert_open_changed_by = |changed: &[i64]| {
        let gauge = metrics.take_named(&["grateful_streams_open"]);
        assert_eq!(gauge.into_values().collect::<Vec<_>>(), changed);
    };

    let first = open_for_ana(&scenario, None).await;
    let second = open_for_ana(&scenario, None).await;
    assert_open_changed_by(&[2]);
    drop(first);
    assert_open_changed_by(&[-1]);
    drop(second);
    assert_open_changed_by(&[-1]);
}

#[tokio::test]
async fn a_user_has_at_most_ten_streams_open() {
    let scenario = Scenario::create().await;
    let (_, session) = log_in_ana(&scenario).await;
    let open = |session: &Session| Stream::open(scenario.app.clone(), session.clone(), None);
    let mut streams = Vec::new();
    for _ in 0..10 {
        streams.push(open(&session).await.unwrap());
    }

    let rejected = open(&session).await.err().unwrap();

    let Error::RateLimited { limit, retry_after, .. } = rejected else { panic!("{rejected:?}") };
    assert_eq!((limit, retry_after), (10, TimeDelta::seconds(30)));
    let of_ben = Session { user: scenario.ben, ..session.clone() };
    open(&of_ben).await.unwrap();
    streams.pop();
    open(&session).await.unwrap();
}

#[tokio::test]
async fn converting_a_notification_to_a_batch_sends_a_removal_and_the_batch() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    let single = scenario.only_notification(scenario.ana).await.notification.id;
    let mut stream = open_started_stream(&scenario).await;

    scenario.add_heart(scenario.caro).await;

    let [removed, batch] = next_changes(&mut stream).await.try_into().unwrap();
    assert_eq!(removed.kind, InboxChangeKind::Removed(single));
    assert_eq!(message_in(&batch), "2 people engaged with your post");
    assert!(removed.seq < batch.seq);
}

#[tokio::test]
async fn reading_updating_and_withdrawing_are_streamed() {
    let scenario = Scenario::create().await;
    scenario.set_reaction(scenario.ben, Emoji::Hug).await;
    let mut stream = open_started_stream(&scenario).await;

    scenario.mark_all_read(scenario.ana).await;
    let [read] = next_changes(&mut stream).await.try_into().unwrap();
    scenario.set_reaction(scenario.ben, Emoji::Fire).await;
    let [changed] = next_changes(&mut stream).await.try_into().unwrap();
    scenario.remove_reaction(scenario.ben).await;
    let [withdrawn] = next_changes(&mut stream).await.try_into().unwrap();

    assert!(
        matches!(&read.kind, InboxChangeKind::Upserted(item) if item.notification.read_at.is_some())
    );
    assert_eq!(message_in(&changed), "ben reacted to your post with 🔥");
    assert!(matches!(withdrawn.kind, InboxChangeKind::Removed(_)), "{withdrawn:?}");
}

#[tokio::test]
async fn a_stream_resumed_at_any_change_misses_and_repeats_nothing() {
    let scenario = Scenario::create().await;
    let (_, session) = log_in_ana(&scenario).await;
    let history = create_history(&scenario).await;
    let list = scenario.list(scenario.ana).await;
    assert!(20 < history.len(), "{}", history.len());

    for seen_count in 0..=history.len() {
        let (before, missing) = history.split_at(seen_count);
        let after = before.last().map_or(0, |change| change.seq);
        let mut stream = open_stream(&scenario.app, &session, Some(after)).await;
        assert!(matches!(next_event(&mut stream).await, StreamEvent::Started(at) if at == after));
        let resumed = if missing.is_empty() { vec![] } else { next_changes(&mut stream).await };

        let seqs: Vec<i64> = resumed.iter().map(|change| change.seq).collect();
        let distinct: BTreeSet<i64> = seqs.iter().copied().filter(|seq| after < *seq).collect();
        assert_eq!(seqs, distinct.into_iter().collect::<Vec<_>>(), "after {after}");
        let known = missing.iter().map(|change| change.seq).collect::<BTreeSet<_>>();
        assert!(seqs.iter().all(|seq| known.contains(seq)), "after {after}");
        assert_eq!(apply_changes(before, &resumed), by_id(&list), "after {after}");
    }
}

#[tokio::test]
async fn a_stream_resumed_at_a_forgotten_change_sends_a_reset() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    let before = last_seq(&scenario).await;
    scenario.remove_heart(scenario.ben).await;
    let after = last_seq(&scenario).await;
    scenario.clock.advance(TimeDelta::hours(24) + TimeDelta::seconds(1));
    let (_, session) = log_in_ana(&scenario).await;
    assert!(matches!(
        first_event(&scenario.app, &session, Some(before)).await,
        StreamEvent::Started(_)
    ));
    sweep(&scenario.app).await.unwrap();

    for (last, is_known) in [
        (before, false),
        (0, false),
        (-1, false),
        (i64::MIN, false),
        (after, true),
        (after + 1, false),
        (i64::MAX, false),
    ] {
        match first_event(&scenario.app, &session, Some(last)).await {
            StreamEvent::Started(at) => assert!(is_known && at == last, "{last}"),
            StreamEvent::Reset(at) => assert!(!is_known && at == after, "{last}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_stream_continues_after_a_reset() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    let mut stream = open_for_ana(&scenario, Some(1_000)).await;
    assert!(matches!(next_event(&mut stream).await, StreamEvent::Reset(_)));

    scenario.share_link(scenario.ben).await;

    let [link] = next_changes(&mut stream).await.try_into().unwrap();
    assert_eq!(message_in(&link), "ben shared your post");
}

#[tokio::test]
async fn all_streams_of_an_inbox_get_the_same_changes_on_any_node() {
    let scenario = Scenario::create().await;
    let other_node = App { inbox_watcher: InboxWatcher::default(), ..scenario.app.clone() };
    let (_, session) = log_in_ana(&scenario).await;
    let mut streams = vec![
        open_stream(&scenario.app, &session, None).await,
        open_stream(&scenario.app, &session, None).await,
        open_stream(&other_node, &session, None).await,
    ];
    for stream in &mut streams {
        next_event(stream).await;
    }

    scenario.add_heart(scenario.ben).await;

    for stream in &mut streams {
        let [heart] = next_changes(stream).await.try_into().unwrap();
        assert_eq!(message_in(&heart), "ben liked your post");
    }
}

#[tokio::test]
async fn a_stream_opened_after_all_others_closed_is_woken() {
    let scenario = Scenario::create().await;
    let mut stream = open_started_stream(&scenario).await;
    scenario.add_heart(scenario.ben).await;
    next_changes(&mut stream).await;
    drop(stream);
    // The polling task still runs for the next stream, and has ended for the ones after it.
    for _ in 0..3 {
        let mut stream = open_started_stream(&scenario).await;
        scenario.remove_heart(scenario.ben).await;
        scenario.add_heart(scenario.ben).await;
        assert!(!next_changes(&mut stream).await.is_empty());
        drop(stream);
        advance_tokio_clock(Duration::from_secs(1)).await;
    }
}

#[tokio::test]
async fn a_stream_sends_no_changes_of_other_inboxes() {
    let scenario = Scenario::create().await;
    let mut stream = open_started_stream(&scenario).await;

    scenario.send_message(scenario.ben, &[scenario.caro]).await;
    scenario.share_link(scenario.ben).await;

    let [link] = next_changes(&mut stream).await.try_into().unwrap();
    assert_eq!(message_in(&link), "ben shared your post");
}

#[tokio::test]
async fn changes_are_sent_in_batches_of_at_most_100() {
    let scenario = Scenario::create().await;
    let post = insert_post(&scenario.database, scenario.ana).await;
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
    let mut stream = open_for_ana(&scenario, Some(0)).await;
    next_event(&mut stream).await;

    let mut seqs = Vec::new();
    while seqs.len() < 2500 {
        let (batch, queries) = QueryLog::record(next_changes(&mut stream)).await;
        assert!(batch.len() <= 100, "{}", batch.len());
        assert!(queries.total() <= 4, "{queries:#?}");
        seqs.extend(batch.iter().map(|change| change.seq));
    }

    assert_eq!(seqs, (1..=2500).collect::<Vec<i64>>());
}

#[tokio::test]
async fn an_idle_stream_sends_keep_alives() {
    let scenario = Scenario::create().await;
    let mut stream = open_started_stream(&scenario).await;

    assert!(matches!(next_after_idle_time(&mut stream).await, Some(StreamEvent::KeepAlive)));
    scenario.add_heart(scenario.ben).await;

    assert_eq!(next_changes(&mut stream).await.len(), 1);
}

#[tokio::test]
async fn a_silent_stream_runs_no_statement() {
    let scenario = Scenario::create().await;
    let mut stream = open_started_stream(&scenario).await;

    let (event, queries) = QueryLog::record(next_after_idle_time(&mut stream)).await;

    assert!(matches!(event, Some(StreamEvent::KeepAlive)), "{event:?}");
    assert_eq!(queries.total(), 0, "{queries:#?}");
}

#[tokio::test]
async fn an_idle_stream_ends_when_its_session_is_revoked() {
    let scenario = Scenario::create().await;
    let (token, session) = log_in_ana(&scenario).await;
    let mut ended = open_stream(&scenario.app, &session, None).await;
    let mut other = open_started_stream(&scenario).await;
    next_event(&mut ended).await;

    sessions::log_out(&scenario.app, &token).await.unwrap();

    assert!(timeout(DEADLINE, ended.next()).await.unwrap().unwrap().is_none());
    scenario.add_heart(scenario.ben).await;
    assert_eq!(next_changes(&mut other).await.len(), 1);
}

#[tokio::test]
async fn an_idle_stream_ends_after_its_session_has_expired() {
    let scenario = Scenario::create().await;
    let mut stream = open_started_stream(&scenario).await;

    scenario.clock.advance(App::SESSION_LIFETIME - TimeDelta::microseconds(1));
    assert!(matches!(next_after_idle_time(&mut stream).await, Some(StreamEvent::KeepAlive)));
    scenario.clock.advance(TimeDelta::microseconds(1));

    assert!(timeout(DEADLINE, stream.next()).await.unwrap().unwrap().is_none());
}

#[tokio::test]
async fn a_silent_stream_survives_a_short_failure_of_the_database() {
    let scenario = Scenario::create().await;
    let mut stream = open_started_stream(&scenario).await;

    scenario.database.execute("ALTER TABLE sessions RENAME TO unavailable").await;
    timeout(Duration::from_millis(700), stream.next()).await.unwrap_err();
    scenario.database.execute("ALTER TABLE unavailable RENAME TO sessions").await;
    scenario.add_heart(scenario.ben).await;

    assert_eq!(next_changes(&mut stream).await.len(), 1);
}

/// Otherwise it could go on after its session was revoked.
#[tokio::test]
async fn a_silent_stream_ends_when_its_session_cannot_be_looked_up_for_long() {
    let scenario = Scenario::create().await;
    let mut stream = open_started_stream(&scenario).await;

    scenario.database.execute("ALTER TABLE sessions RENAME TO unavailable").await;
    advance_tokio_clock(Duration::from_secs(11)).await;
    let ended = timeout(DEADLINE, stream.next()).await.unwrap();
    scenario.database.execute("ALTER TABLE unavailable RENAME TO sessions").await;

    assert!(matches!(ended, Err(Error::Unavailable(_))), "{ended:?}");
    let mut resumed = open_started_stream(&scenario).await;
    scenario.add_heart(scenario.ben).await;
    assert_eq!(next_changes(&mut resumed).await.len(), 1);
}

#[tokio::test]
async fn a_silent_stream_ends_when_the_database_does_not_answer_for_long() {
    let scenario = Scenario::create().await;
    let mut stream = open_started_stream(&scenario).await;

    let lock = scenario.database.begin("LOCK TABLE sessions").await;
    timeout(Duration::from_millis(700), stream.next()).await.unwrap_err();
    advance_tokio_clock(Duration::from_secs(11)).await;
    let ended = timeout(DEADLINE, stream.next()).await.unwrap();
    drop(lock);

    assert!(matches!(ended, Err(Error::Unavailable(_))), "{ended:?}");
    let mut resumed = open_started_stream(&scenario).await;
    scenario.add_heart(scenario.ben).await;
    assert_eq!(next_changes(&mut resumed).await.len(), 1);
}

/// A server has a runtime for each of its threads.
#[tokio::test]
async fn streams_end_with_the_runtime_that_polls_and_can_be_opened_again() {
    let scenario = Scenario::create().await;
    let (_, session) = log_in_ana(&scenario).await;
    let other_thread = scenario.app.with_database(scenario.database.pool_with(|config| config));
    let opened = session.clone();
    let open_first = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let first = runtime.block_on(open_stream(&other_thread, &opened, None));
        (runtime, first)
    };
    let (runtime, first) = std::thread::spawn(open_first).join().unwrap();
    let mut second = open_started_stream(&scenario).await;

    runtime.shutdown_background();

    let ended = timeout(DEADLINE, second.next()).await.unwrap();
    assert!(matches!(ended, Err(Error::Unavailable(_))), "{ended:?}");
    drop(first);
    let mut third = open_started_stream(&scenario).await;
    scenario.add_heart(scenario.ben).await;
    assert_eq!(next_changes(&mut third).await.len(), 1);
}

#[tokio::test]
async fn a_busy_stream_ends_after_its_session_was_revoked() {
    let scenario = Scenario::create().await;
    let (token, session) = log_in_ana(&scenario).await;
    let mut stream = open_stream(&scenario.app, &session, None).await;
    next_event(&mut stream).await;

    sessions::log_out(&scenario.app, &token).await.unwrap();
    scenario.add_heart(scenario.ben).await;

    let event = timeout(DEADLINE, stream.next()).await.unwrap().unwrap();
    assert!(event.is_none(), "{event:?}");
}

#[tokio::test]
async fn a_busy_stream_ends_after_its_session_has_expired() {
    let scenario = Scenario::create().await;
    let mut stream = open_started_stream(&scenario).await;

    scenario.clock.advance(App::SESSION_LIFETIME);
    scenario.add_heart(scenario.ben).await;

    let event = timeout(DEADLINE, stream.next()).await.unwrap().unwrap();
    assert!(event.is_none(), "{event:?}");
}

#[tokio::test]
async fn a_ticket_is_valid_once_and_for_a_minute() {
    let scenario = Scenario::create().await;
    let (token, session) = log_in_ana(&scenario).await;
    let (ticket, lifetime) = notifications::issue_ticket(&scenario.app, &session).await.unwrap();
    let (late_ticket, _) = notifications::issue_ticket(&scenario.app, &session).await.unwrap();
    assert_eq!(lifetime, TimeDelta::seconds(60));
    scenario.clock.advance(TimeDelta::milliseconds(59_999));

    let redeemed = notifications::redeem_ticket(&scenario.app, &ticket).await.unwrap();
    let again = notifications::redeem_ticket(&scenario.app, &ticket).await;
    scenario.clock.advance(TimeDelta::milliseconds(1));
    let too_late = notifications::redeem_ticket(&scenario.app, &late_ticket).await;
    let no_ticket = notifications::redeem_ticket(&scenario.app, &token).await;

    assert_eq!((redeemed.id, redeemed.user), (session.id, scenario.ana));
    for rejected in [again, too_late, no_ticket] {
        assert!(matches!(rejected, Err(Error::Unauthenticated(_))), "{rejected:?}");
    }
}

#[tokio::test]
async fn a_ticket_becomes_invalid_with_its_session() {
    let scenario = Scenario::create().await;
    let (token, session) = log_in_ana(&scenario).await;
    let (ticket, _) = notifications::issue_ticket(&scenario.app, &session).await.unwrap();

    sessions::log_out(&scenario.app, &token).await.unwrap();

    let rejected = notifications::redeem_ticket(&scenario.app, &ticket).await;
    assert!(matches!(rejected, Err(Error::Unauthenticated(_))), "{rejected:?}");
}

#[tokio::test]
async fn one_of_eight_concurrent_redemptions_of_a_ticket_succeeds() {
    let scenario = Scenario::create().await;
    let (_, session) = log_in_ana(&scenario).await;
    let (ticket, _) = notifications::issue_ticket(&scenario.app, &session).await.unwrap();

    let redemptions = (0..8).map(|_| notifications::redeem_ticket(&scenario.app, &ticket));
    let results = futures_util::future::join_all(redemptions).await;

    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
}

/// Performs acts that change Ana's inbox, and returns all changes in the order in which an open stream sends them.
async fn create_history(scenario: &Scenario) -> Vec<InboxChange> {
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
        history.extend(changes_after(scenario, after).await);
    }
    history
}

/// Maximum time to wait for an expected event.
const DEADLINE: Duration = Duration::from_secs(10);

/// Logs Ana in.
pub(crate) async fn log_in_ana(scenario: &Scenario) -> (AccessToken, Session) {
    let (email, password) = ("ana@example.org".to_owned(), PASSWORD.to_owned());
    let token = log_in(&scenario.app, LogIn { email, password, user_agent: None }).await.unwrap();
    let session = sessions::authenticate(&scenario.app, &token).await.unwrap();
    (token, session)
}

async fn open_stream(app: &App, session: &Session, last: Option<i64>) -> Stream {
    Stream::open(app.clone(), session.clone(), last).await.unwrap()
}

/// Opens a stream of Ana's inbox.
async fn open_for_ana(scenario: &Scenario, last: Option<i64>) -> Stream {
    let (_, session) = log_in_ana(scenario).await;
    open_stream(&scenario.app, &session, last).await
}

/// Opens a stream of Ana's inbox, and takes its first event.
async fn open_started_stream(scenario: &Scenario) -> Stream {
    let mut stream = open_for_ana(scenario, None).await;
    assert!(matches!(next_event(&mut stream).await, StreamEvent::Started(_)));
    stream
}

/// Opens a stream and returns the first event.
async fn first_event(app: &App, session: &Session, last: Option<i64>) -> StreamEvent {
    next_event(&mut open_stream(app, session, last).await).await
}

async fn next_event(stream: &mut Stream) -> StreamEvent {
    timeout(DEADLINE, stream.next()).await.unwrap().unwrap().unwrap()
}

async fn next_changes(stream: &mut Stream) -> Vec<InboxChange> {
    match next_event(stream).await {
        StreamEvent::Changes(changes) => changes,
        other => panic!("{other:?}"),
    }
}

/// Advances tokio's clock by 15 s without changes, and returns the next event.
async fn next_after_idle_time(stream: &mut Stream) -> Option<StreamEvent> {
    let mut next = pin!(stream.next());
    timeout(Duration::from_millis(500), &mut next).await.unwrap_err();
    advance_tokio_clock(Duration::from_secs(15)).await;
    timeout(Duration::from_secs(5), next).await.unwrap().unwrap()
}

/// Advances tokio's clock without waiting.
async fn advance_tokio_clock(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

/// The sequence number of the last change of Ana's inbox.
async fn last_seq(scenario: &Scenario) -> i64 {
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

async fn changes_after(scenario: &Scenario, after: i64) -> Vec<InboxChange> {
    let mut conn = scenario.database.connect().await;
    conn.notifications().list_changes(scenario.ana, after, 100).await.unwrap()
}

#[track_caller]
fn message_in(change: &InboxChange) -> String {
    match &change.kind {
        InboxChangeKind::Upserted(notification) => message_of(notification),
        InboxChangeKind::Removed(_) => panic!("{change:?}"),
    }
}

/// The notifications that a client has after it applied these changes.
fn apply_changes(
    before: &[InboxChange],
    resumed: &[InboxChange],
) -> BTreeMap<NotificationId, RenderedNotification> {
    let mut list = BTreeMap::new();
    for change in before.iter().chain(resumed) {
        match &change.kind {
            InboxChangeKind::Upserted(item) => {
                drop(list.insert(item.notification.id, without_closed_at(item)));
            }
            InboxChangeKind::Removed(id) => drop(list.remove(id)),
        }
    }
    list
}

fn by_id(list: &[RenderedNotification]) -> BTreeMap<NotificationId, RenderedNotification> {
    list.iter().map(|item| (item.notification.id, without_closed_at(item))).collect()
}

/// Clears `closed_at`, which clients cannot see.
fn without_closed_at(rendered: &RenderedNotification) -> RenderedNotification {
    let notification = Notification { closed_at: None, ..rendered.notification.clone() };
    RenderedNotification { notification, ..rendered.clone() }
}
