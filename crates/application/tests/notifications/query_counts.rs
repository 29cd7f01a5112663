//! How many statements it costs to tell people, and to read what one is told: the same whatever is there already.

use grateful_application::notifications::{self, ReadFilter};
use grateful_application::{comments, hearts, posts, reactions, shares};
use grateful_domain::{
    CommentText, Emoji, Limit, PageRequest, PostEdit, ShareDetails, UserId, Visibility,
};
use grateful_testkit::assert_queries;

use crate::support::{Scenario, create_comment, create_user_named, draft, try_create_post};

#[tokio::test]
async fn an_act_costs_no_more_for_a_batch_of_fifty() {
    let scenario = Scenario::create().await;
    let crowd = crowd(&scenario, 50).await;
    let Scenario { app, post, ben, .. } = &scenario;

    // Alone, as the second, and with all the others.
    for others in [&crowd[..0], &crowd[..1], &crowd[1..]] {
        for other in others {
            scenario.add_heart(*other).await;
            scenario.share_link(*other).await;
            scenario.comment(*other, "So kind").await;
        }
        assert_queries!(8, hearts::add(app, *ben, post.id));
        assert_queries!(8, reactions::set(app, *ben, post.id, Emoji::Hug));
        assert_queries!(8, reactions::set(app, *ben, post.id, Emoji::Joy));
        assert_queries!(
            8,
            shares::create(app, *ben, post.id, ShareDetails::Url, None, |_| Vec::new())
        );
        let comment = assert_queries!(8, scenario.try_comment(*ben, "So kind", None));
        let answer =
            assert_queries!(9, scenario.try_comment(scenario.caro, "Indeed", Some(comment)));

        assert_queries!(11, comments::delete(app, scenario.caro, answer));
        assert_queries!(11, comments::delete(app, *ben, comment));
        assert_queries!(8, shares::delete(app, *ben, post.id));
        assert_queries!(8, reactions::remove(app, *ben, post.id));
        assert_queries!(8, hearts::remove(app, *ben, post.id));
    }
}

#[tokio::test]
async fn an_answer_that_tells_two_costs_no_more_than_one_that_tells_one() {
    let scenario = Scenario::create().await;
    let by_author = scenario.comment(scenario.ana, "Thank you").await;
    let by_ben = scenario.comment(scenario.ben, "So kind").await;

    assert_queries!(
        9,
        create_comment(&scenario.app, scenario.caro, scenario.post.id, "Gladly", Some(by_author))
    );
    assert_queries!(
        9,
        create_comment(&scenario.app, scenario.caro, scenario.post.id, "Indeed", Some(by_ben))
    );

    assert_eq!(scenario.counts(scenario.ben).await, (1, 1));
}

#[tokio::test]
async fn naming_people_costs_the_same_for_one_and_for_fifty() {
    for people in [1, 10, 50] {
        let scenario = Scenario::create().await;
        for number in 0..2 * people {
            create_user_named(&scenario.database, &name(number)).await;
        }
        let [names, others] = [0, people].map(|first| {
            let names = (first..first + people).map(|number| format!("@{}", name(number)));
            names.collect::<Vec<_>>().join(" ")
        });
        let told = async |acts: usize| {
            let mentions = "notifications WHERE type = 'mention' AND act IS NOT NULL";
            assert_eq!(
                scenario.database.count(mentions).await,
                i64::try_from(acts * people).unwrap()
            );
        };
        let Scenario { app, ana, ben, .. } = &scenario;
        let words = |text: &str| PostEdit { content: Some(text.to_owned()), ..PostEdit::default() };
        let change = |post, edit| posts::update(app, *ana, post, edit, |_| true);
        let reword = |comment, text: &str| {
            comments::update(app, *ben, comment, CommentText::parse(text).unwrap())
        };

        let post = assert_queries!(9, try_create_post(app, *ana, draft(&names), None));
        told(1).await;
        assert_queries!(9, change(post, words("Nobody")));
        told(0).await;
        assert_queries!(9, change(post, words(&names)));
        assert_queries!(6, change(post, words(&format!("{names} ."))));
        assert_queries!(11, change(post, words(&others)));
        told(1).await;
        let hidden = PostEdit { visibility: Some(Visibility::Private), ..PostEdit::default() };
        let shown = PostEdit { visibility: Some(Visibility::Public), ..PostEdit::default() };
        assert_queries!(10, change(post, hidden));
        assert_queries!(11, change(post, shown));
        told(1).await;

        let comment = assert_queries!(8, create_comment(app, *ben, post, &names, None));
        assert_queries!(9, create_comment(app, *ben, post, &names, Some(comment)));
        assert_queries!(9, reword(comment, "Nobody"));
        assert_queries!(9, reword(comment, &names));
        assert_queries!(6, reword(comment, &format!("{names} .")));
        assert_queries!(11, reword(comment, &others));
        told(3).await;
    }
}

#[tokio::test]
async fn a_page_costs_the_same_at_any_length_and_with_batches_of_any_size() {
    for people in [2, 50] {
        let scenario = Scenario::create().await;
        fill(&scenario, people).await;
        let Scenario { app, ana, .. } = &scenario;

        for length in [1, 10, 50] {
            let page = PageRequest::first(Limit::parse(length).unwrap());
            let all =
                assert_queries!(2, notifications::list(app, *ana, ReadFilter::All, page)).items;
            let unread =
                assert_queries!(2, notifications::list(app, *ana, ReadFilter::Unread, page)).items;
            for list in [all, unread] {
                assert_eq!(i64::try_from(list.len()).unwrap(), length);
                assert!(list.iter().all(|it| it.actors.len() == people.min(8)));
            }
        }
        let page = PageRequest::first(Limit::MAX);
        let batch =
            notifications::list(app, *ana, ReadFilter::All, page).await.unwrap().items.remove(0);
        let id = batch.notification.id;
        let entries = assert_queries!(2, notifications::list_children(app, *ana, id, page)).items;
        assert_eq!(entries.len(), people);
        let counts = assert_queries!(1, notifications::count(app, *ana));
        assert_eq!((counts.unread, counts.total), (60, 60));
        assert_queries!(1, notifications::get_stats(app, *ana, None));
        assert_queries!(4, notifications::mark_read(app, *ana, id));
        assert_eq!(assert_queries!(5, notifications::mark_all_read(app, *ana)), 59);
    }
}

#[tokio::test]
async fn an_empty_list_costs_one_statement() {
    let scenario = Scenario::create().await;

    let list = assert_queries!(
        1,
        notifications::list(
            &scenario.app,
            scenario.ana,
            ReadFilter::All,
            PageRequest::first(Limit::MAX)
        )
    );

    assert!(list.items.is_empty());
}

fn name(number: usize) -> String {
    format!("f{}", 100 + number)
}

async fn crowd(scenario: &Scenario, people: usize) -> Vec<UserId> {
    let mut crowd = Vec::new();
    while crowd.len() < people {
        crowd.push(create_user_named(&scenario.database, &format!("friend_{}", crowd.len())).await);
    }
    crowd
}

/// Sixty batches for Ana, each of so many people.
async fn fill(scenario: &Scenario, people: usize) {
    let ana = scenario.ana;
    let kept = "user_id, type, title, message, data, batch_key, post_id";
    scenario
        .database
        .execute(&format!(
            "INSERT INTO users (email, username, hashed_password)
             SELECT 'p' || n || '@example.org', 'p' || n, 'x' FROM generate_series(1, {people}) n;
             INSERT INTO posts (id, author_id, content)
             SELECT gen_random_uuid(), {ana}, 'x' FROM generate_series(1, 60);
             INSERT INTO notifications (id, {kept}, is_batch, batch_count, actor_count, actor_id)
             SELECT id, {ana}, 'post_interaction', 'x', 'x', '{{}}', 'post_interaction:post:' || id, id,
                 true, {people}, {people}, (SELECT max(id) FROM users)
             FROM posts WHERE content = 'x';
             INSERT INTO notifications (id, {kept}, parent_id, act, actor_id)
             SELECT gen_random_uuid(), {ana}, 'like', 'x', 'x', '{{}}', it.batch_key, it.post_id,
                 it.id, 'like:post:' || it.post_id, users.id
             FROM notifications AS it, users WHERE users.hashed_password = 'x'"
        ))
        .await;
}
