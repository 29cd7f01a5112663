//! Statement counts of recording and reading notifications. They do not depend on the number of existing rows.

use grateful_application::notifications::{self, ReadFilter};
use grateful_application::{comments, hearts, posts, reactions, shares};
use grateful_domain::{
    CommentText, Emoji, Limit, PageRequest, PostEdit, ShareDetails, UserId, Visibility,
};
use grateful_testkit::{
    Scenario, assert_queries, create_comment, create_post, create_user_named, draft,
};

#[tokio::test]
async fn an_act_on_a_batch_of_fifty_needs_no_more_statements() {
    let scenario = Scenario::create().await;
    let friends = create_friends(&scenario, 50).await;
    let Scenario { app, post, ben, .. } = &scenario;

    // Before the acts of any friend, after those of one friend, and after those of all friends.
    for group in [&friends[..0], &friends[..1], &friends[1..]] {
        for friend in group {
            scenario.add_heart(*friend).await;
            scenario.share_link(*friend).await;
            scenario.comment(*friend, "So kind").await;
        }
        assert_queries!(8, hearts::add(app, *ben, post.id));
        assert_queries!(8, reactions::set(app, *ben, post.id, Emoji::Hug));
        assert_queries!(8, reactions::set(app, *ben, post.id, Emoji::Joy));
        assert_queries!(
            8,
            shares::create(app, *ben, post.id, ShareDetails::Url, None, |_| Vec::new())
        );
        let comment = assert_queries!(8, scenario.try_comment(*ben, "So kind", None));
        let reply =
            assert_queries!(9, scenario.try_comment(scenario.caro, "Indeed", Some(comment)));

        assert_queries!(18, comments::delete(app, scenario.caro, reply));
        assert_queries!(18, comments::delete(app, *ben, comment));
        assert_queries!(9, shares::delete(app, *ben, post.id));
        assert_queries!(9, reactions::remove(app, *ben, post.id));
        assert_queries!(9, hearts::remove(app, *ben, post.id));
    }
}

#[tokio::test]
async fn a_reply_that_notifies_two_users_needs_no_more_statements_than_one_that_notifies_one() {
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
async fn mentions_need_the_same_number_of_statements_for_one_and_for_fifty_users() {
    for count in [1, 10, 50] {
        let scenario = Scenario::create().await;
        for number in 0..2 * count {
            create_user_named(&scenario.database, &username(number)).await;
        }
        let [names, other_names] = [0, count].map(|first| {
            let names = (first..first + count).map(|number| format!("@{}", username(number)));
            names.collect::<Vec<_>>().join(" ")
        });
        let assert_mentions = async |acts: usize| {
            let mentions = "notifications WHERE type = 'mention' AND act IS NOT NULL";
            assert_eq!(
                scenario.database.count(mentions).await,
                i64::try_from(acts * count).unwrap()
            );
        };
        let Scenario { app, ana, ben, .. } = &scenario;
        let with_content =
            |text: &str| PostEdit { content: Some(text.to_owned()), ..PostEdit::default() };
        let update_post = |post, edit| posts::update(app, *ana, post, edit, |_| true);
        let update_comment = |comment, text: &str| {
            comments::update(app, *ben, comment, CommentText::parse(text).unwrap())
        };

        let post = assert_queries!(9, create_post(app, *ana, draft(&names), None));
        assert_mentions(1).await;
        assert_queries!(9, update_post(post, with_content("No names")));
        assert_mentions(0).await;
        assert_queries!(9, update_post(post, with_content(&names)));
        assert_queries!(6, update_post(post, with_content(&format!("{names} ."))));
        assert_queries!(10, update_post(post, with_content(&other_names)));
        assert_mentions(1).await;
        let hide = PostEdit { visibility: Some(Visibility::Private), ..PostEdit::default() };
        let show = PostEdit { visibility: Some(Visibility::Public), ..PostEdit::default() };
        assert_queries!(17, update_post(post, hide));
        assert_queries!(11, update_post(post, show));
        assert_mentions(1).await;

        let comment = assert_queries!(8, create_comment(app, *ben, post, &names, None));
        assert_queries!(9, create_comment(app, *ben, post, &names, Some(comment)));
        assert_queries!(9, update_comment(comment, "No names"));
        assert_queries!(9, update_comment(comment, &names));
        assert_queries!(6, update_comment(comment, &format!("{names} .")));
        assert_queries!(10, update_comment(comment, &other_names));
        assert_mentions(3).await;
    }
}

#[tokio::test]
async fn a_page_of_any_length_and_batch_size_needs_the_same_number_of_statements() {
    for count in [2, 50] {
        let scenario = Scenario::create().await;
        insert_batches(&scenario, count).await;
        let Scenario { app, ana, .. } = &scenario;

        for length in [1, 10, 50] {
            let page = PageRequest::first(Limit::parse(length).unwrap());
            let all =
                assert_queries!(2, notifications::list(app, *ana, ReadFilter::All, page)).items;
            let unread =
                assert_queries!(2, notifications::list(app, *ana, ReadFilter::Unread, page)).items;
            for list in [all, unread] {
                assert_eq!(i64::try_from(list.len()).unwrap(), length);
                assert!(list.iter().all(|item| item.actors.len() == count.min(8)));
            }
        }
        let page = PageRequest::first(Limit::MAX);
        let batch =
            notifications::list(app, *ana, ReadFilter::All, page).await.unwrap().items.remove(0);
        let id = batch.notification.id;
        let children =
            assert_queries!(3 in 2, notifications::list_children(app, *ana, id, page)).items;
        assert_eq!(children.len(), count);
        let counts = assert_queries!(1, notifications::count(app, *ana));
        assert_eq!((counts.unread, counts.total), (60, 60));
        assert_queries!(1, notifications::get_stats(app, *ana, None));
        assert_queries!(4, notifications::mark_read(app, *ana, id));
        assert_eq!(assert_queries!(6, notifications::mark_all_read(app, *ana)), 59);
    }
}

#[tokio::test]
async fn an_empty_list_needs_one_statement() {
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

fn username(number: usize) -> String {
    format!("f{}", 100 + number)
}

async fn create_friends(scenario: &Scenario, count: usize) -> Vec<UserId> {
    let mut friends = Vec::new();
    while friends.len() < count {
        friends.push(
            create_user_named(&scenario.database, &format!("friend_{}", friends.len())).await,
        );
    }
    friends
}

/// Inserts 60 batches of `actor_count` actors each into Ana's inbox.
async fn insert_batches(scenario: &Scenario, actor_count: usize) {
    let ana = scenario.ana;
    let columns = "user_id, type, title, message, data, batch_key, post_id";
    scenario
        .database
        .execute(&format!(
            "INSERT INTO users (email, username, hashed_password)
             SELECT 'p' || n || '@example.org', 'p' || n, 'x' FROM generate_series(1, {actor_count}) n;
             INSERT INTO posts (id, author_id, content)
             SELECT gen_random_uuid(), {ana}, 'x' FROM generate_series(1, 60);
             INSERT INTO notifications (id, {columns}, is_batch, batch_count, actor_count, actor_id)
             SELECT id, {ana}, 'post_interaction', 'x', 'x', '{{}}', 'post_interaction:post:' || id, id,
                 true, {actor_count}, {actor_count}, (SELECT max(id) FROM users)
             FROM posts WHERE content = 'x';
             INSERT INTO notifications (id, {columns}, parent_id, act, actor_id)
             SELECT gen_random_uuid(), {ana}, 'like', 'x', 'x', '{{}}', it.batch_key, it.post_id,
                 it.id, 'like:post:' || it.post_id, users.id
             FROM notifications AS it, users WHERE users.hashed_password = 'x'"
        ))
        .await;
    scenario.database.recount_inboxes().await;
}
