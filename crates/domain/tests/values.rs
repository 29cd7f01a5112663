//! Rules of single values.

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::{
    Bucket, DisplayName, FeedCursor, Limit, Page, Password, PostId, Rate, Recipients, ShareDetails,
    ShareMethod, Total, TrendingWindow, UserId,
};
use uuid::Uuid;

#[test]
fn an_empty_bucket_refills_a_token_in_its_part_of_the_period() {
    let now: DateTime<Utc> = DateTime::UNIX_EPOCH;
    let three_a_minute = Rate::new(3, TimeDelta::minutes(1));
    let mut bucket = Bucket::full(now);

    let taken = [(); 4].map(|()| bucket.take(three_a_minute, now));

    assert_eq!(taken, [Ok(2), Ok(1), Ok(0), Err(TimeDelta::seconds(20))]);
}

#[test]
fn share_methods_have_the_codes_of_the_database() {
    assert_eq!(ShareMethod::ALL.map(ShareMethod::code), ["url", "message"]);
}

#[test]
fn a_message_has_recipients_and_a_link_has_none() {
    let recipients = Recipients::parse(UserId::from(1), &[2, 3]).unwrap();
    let message = ShareDetails::Message { recipients, message: None };

    assert_eq!(message.recipients(), [UserId::from(2), UserId::from(3)]);
    assert_eq!(ShareDetails::Url.recipients(), []);
}

#[test]
fn a_feed_cursor_has_as_many_positions_left_as_were_not_served() {
    let post = |number| (PostId::from(Uuid::from_u128(number)), UserId::from(7));

    let cursor = FeedCursor::default().advance((0..3).map(post));

    assert_eq!((cursor.positions_served(), cursor.positions_left()), (3, 497));
}

#[test]
fn a_trending_window_has_1_to_168_hours() {
    for hours in [1, 24, 168] {
        let window = TrendingWindow::parse(hours).unwrap();
        assert_eq!(TimeDelta::from(window), TimeDelta::hours(hours));
    }
    for hours in [i64::MIN, -1, 0, 169, i64::MAX] {
        TrendingWindow::parse(hours).unwrap_err();
    }
}

#[test]
fn values_are_read_as_they_were_written() {
    assert_eq!(Password::parse("correct horse").unwrap().as_bytes(), b"correct horse");
    assert_eq!(String::from(DisplayName::parse("Ana").unwrap()), "Ana");
}

#[test]
fn a_page_has_the_total_that_was_set() {
    let page = Page::from_overfetch(vec![1, 2], Limit::parse(1).unwrap(), |item| *item);
    let total = Total::from_capped_count(7, 10);

    assert_eq!(page.with_total(Some(total)).total, Some(total));
}
