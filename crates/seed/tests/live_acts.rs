//! Properties of the acts of live users.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta};
use grateful_domain::{CommentText, Content, PostType};
use grateful_seed::{LiveAct, LiveActKind, LiveActs, LiveEngagement};

fn acts(seed: u64, days: i64) -> Vec<LiveAct> {
    LiveActs::new(seed, 50, DateTime::UNIX_EPOCH + TimeDelta::days(days)).take(5_000).collect()
}

#[test]
fn the_seed_and_the_newest_post_determine_the_acts() {
    assert_eq!(acts(1, 20_000), acts(1, 20_000));
    assert_ne!(acts(1, 20_000), acts(2, 20_000));
    assert_ne!(acts(1, 20_000), acts(1, 20_001));
}

#[test]
fn posts_and_comments_are_valid() {
    for act in acts(3, 20_000) {
        match act.kind {
            LiveActKind::Publish(draft) => {
                let text = draft.content.as_str();
                assert_eq!(Content::parse(text, draft.post_type), Ok(draft.content.clone()));
                assert_eq!(PostType::detect(text, false), draft.post_type, "{text}");
            }
            LiveActKind::Engage { with: LiveEngagement::Comment(text), .. } => {
                assert_eq!(CommentText::parse(text.as_str()), Ok(text.clone()));
            }
            LiveActKind::Engage { .. } => (),
        }
    }
}

#[test]
fn every_user_acts_and_every_rank_is_drawn_the_first_one_most_often() {
    let acts = acts(4, 20_000);
    let mut ranks = [0; LiveActs::MAX_RANK];
    for act in &acts {
        if let LiveActKind::Engage { rank, .. } = act.kind {
            ranks[rank] += 1;
        }
    }

    assert_eq!(acts.iter().map(|act| act.user).collect::<HashSet<_>>().len(), 50);
    assert_eq!(ranks.iter().max(), Some(&ranks[0]), "{ranks:?}");
    assert!(ranks.iter().all(|count| 0 < *count), "{ranks:?}");
}

#[test]
fn half_of_the_acts_are_hearts_and_one_in_sixteen_is_a_post() {
    let acts = acts(5, 20_000);
    let count = |is_counted: fn(&LiveActKind) -> bool| {
        acts.iter().filter(|act| is_counted(&act.kind)).count()
    };

    assert!((240..360).contains(&count(|kind| matches!(kind, LiveActKind::Publish(_)))));
    let hearts =
        count(|kind| matches!(kind, LiveActKind::Engage { with: LiveEngagement::Heart, .. }));
    assert!((2_300..2_600).contains(&hearts), "{hearts}");
    let follows = count(|kind| {
        matches!(kind, LiveActKind::Engage { with: LiveEngagement::FollowAuthor, .. })
    });
    assert!((300..500).contains(&follows), "{follows}");
}
