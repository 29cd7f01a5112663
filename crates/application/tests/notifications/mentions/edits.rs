//! What an edit of a post tells anew, and takes back.

use super::*;

#[tokio::test]
async fn an_edit_tells_only_those_whom_the_post_did_not_name() {
    let scenario = Scenario::create().await;
    let post = publish(&scenario, scenario.ana, "For @ben").await;
    scenario.mark_all_read(scenario.ben).await;
    let before = scenario.list(scenario.ben).await;

    rewrite(&scenario, post, "For @BEN and @caro").await;

    assert_eq!(scenario.list(scenario.ben).await, before);
    assert_eq!(
        scenario.messages(scenario.caro).await,
        ["ana mentioned you in a post: For @BEN and @caro"]
    );
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn an_edit_takes_back_what_those_were_told_whom_the_post_names_no_longer() {
    let scenario = Scenario::create().await;
    let post = publish(&scenario, scenario.ana, "For @ben and @caro").await;
    let other = publish(&scenario, scenario.ana, "For @ben").await;

    rewrite(&scenario, post, "For @Caro alone").await;

    assert_eq!(scenario.only_notification(scenario.ben).await.notification.post, Some(other));
    assert_eq!(scenario.counts(scenario.caro).await, (1, 1));
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn an_edit_may_name_one_instead_of_the_other() {
    let scenario = Scenario::create().await;
    let dan = create_user_named(&scenario.database, "dan").await;
    let post = publish(&scenario, scenario.ana, "For @dan and @ben").await;

    rewrite(&scenario, post, "For @dan and @caro").await;

    assert_eq!(scenario.messages(scenario.ben).await, NOBODY);
    assert_eq!(
        scenario.messages(scenario.caro).await,
        ["ana mentioned you in a post: For @dan and @caro"]
    );
    assert_eq!(scenario.messages(dan).await, ["ana mentioned you in a post: For @dan and @ben"]);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn what_comments_tell_stays_where_the_post_names_somebody_no_longer() {
    let scenario = Scenario::create().await;
    let post = publish(&scenario, scenario.ana, "For @ben").await;
    scenario.comment_on(post, scenario.caro, "Yes, @ben!").await;
    scenario.comment_on(post, scenario.ana, "Yes, @ben!").await;
    let three = "You were mentioned 3 times";
    assert_eq!(scenario.messages(scenario.ben).await, [three]);

    rewrite(&scenario, post, "For rain").await;

    assert_eq!(scenario.messages(scenario.ben).await, ["You were mentioned 2 times"]);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn whoever_is_named_again_within_a_day_is_not_told_anew() {
    let scenario = Scenario::create().await;
    let post = publish(&scenario, scenario.ana, "For @ben").await;
    let notification = scenario.only_notification(scenario.ben).await.notification.id;
    mark_read(&scenario.app, scenario.ben, notification).await.unwrap();
    let before = scenario.list(scenario.ben).await;

    rewrite(&scenario, post, "For rain").await;
    assert_eq!(scenario.messages(scenario.ben).await, NOBODY);
    scenario.clock.advance(TimeDelta::hours(1));
    rewrite(&scenario, post, "For @ben").await;

    assert_eq!(scenario.list(scenario.ben).await, before);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn an_edit_that_touches_no_words_tells_nobody() {
    let scenario = Scenario::create().await;
    let post = publish(&scenario, scenario.ana, "For @ben").await;
    let late = create_user_named(&scenario.database, "late").await;
    scenario.database.execute("UPDATE posts SET content = 'For @ben and @late'").await;

    edit(&scenario, post, PostEdit { title: Some(None), ..PostEdit::default() }).await;
    edit(&scenario, post, showing(Visibility::Public)).await;
    rewrite(&scenario, post, "For @ben, and @late").await;

    assert_eq!(scenario.counts(scenario.ben).await, (1, 1));
    assert_eq!(scenario.messages(late).await, NOBODY);
}

#[tokio::test]
async fn an_edit_tells_nobody_across_a_block() {
    let scenario = Scenario::create().await;
    let post = publish(&scenario, scenario.ana, "For rain").await;
    block(&scenario.database, scenario.ana, scenario.ben).await;
    block(&scenario.database, scenario.caro, scenario.ana).await;

    rewrite(&scenario, post, "For @ben, @caro, @ana and @nobody").await;

    assert_eq!(scenario.database.count("notifications").await, 0);
}

#[tokio::test]
async fn a_post_that_is_hidden_takes_back_all_that_named_somebody() {
    let scenario = Scenario::create().await;
    let post = publish(&scenario, scenario.ana, "For @ben").await;
    scenario.comment_on(post, scenario.ben, "And @caro, dear @ana").await;
    assert_eq!(scenario.counts(scenario.caro).await, (1, 1));

    edit(&scenario, post, showing(Visibility::Private)).await;

    assert_eq!(scenario.messages(scenario.ben).await, NOBODY);
    assert_eq!(scenario.messages(scenario.caro).await, NOBODY);
    assert_eq!(
        scenario.messages(scenario.ana).await,
        ["ben mentioned you in a post: And @caro, dear @ana"]
    );
    rewrite(&scenario, post, "For @ben and @caro").await;
    assert_eq!(scenario.messages(scenario.caro).await, NOBODY);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn a_post_that_is_shown_to_everybody_tells_those_whom_it_names() {
    for words in [None, Some("Now for @ben and @caro")] {
        let scenario = Scenario::create().await;
        let secret = Draft { visibility: Visibility::Private, ..draft("For @ben and @caro") };
        let post = try_create_post(&scenario.app, scenario.ana, secret, None).await.unwrap();

        let content = words.map(str::to_owned);
        edit(&scenario, post, PostEdit { content, ..showing(Visibility::Public) }).await;

        let said =
            format!("ana mentioned you in a post: {}", words.unwrap_or("For @ben and @caro"));
        assert_eq!(scenario.messages(scenario.ben).await, [said.as_str()]);
        assert_eq!(scenario.messages(scenario.caro).await, [said]);
        scenario.assert_consistent().await;
    }
}

#[tokio::test]
async fn an_edit_that_is_refused_tells_nobody() {
    let scenario = Scenario::create().await;
    let post = publish(&scenario, scenario.ana, "For @ben").await;
    let words = |text: &str| PostEdit { content: Some(text.to_owned()), ..PostEdit::default() };

    let too_long = format!("@caro {}", "x".repeat(500));
    let too_long =
        posts::update(&scenario.app, scenario.ana, post, words(&too_long), |_| true).await;
    let outdated =
        posts::update(&scenario.app, scenario.ana, post, words("@caro"), |_| false).await;
    let anothers = posts::update(&scenario.app, scenario.ben, post, words("@caro"), |_| true).await;

    assert!(too_long.is_err() && outdated.is_err() && anothers.is_err());
    assert_eq!(scenario.messages(scenario.caro).await, NOBODY);
    assert_eq!(scenario.counts(scenario.ben).await, (1, 1));
}

#[tokio::test]
async fn of_edits_at_once_the_last_one_says_who_is_told() {
    let scenario = Scenario::create().await;
    let dan = create_user_named(&scenario.database, "dan").await;
    let post = publish(&scenario, scenario.ana, "For @dan").await;

    for _ in 0..10 {
        tokio::join!(
            rewrite(&scenario, post, "For @ben and @dan"),
            rewrite(&scenario, post, "For @caro"),
            rewrite(&scenario, post, "For @caro and @dan"),
            rewrite(&scenario, post, "For rain"),
        );

        let words = posts::get(&scenario.app, grateful_domain::Viewer::Guest, post).await.unwrap();
        let words = words.post.draft.content;
        for (name, named) in [("ben", scenario.ben), ("caro", scenario.caro), ("dan", dan)] {
            let is_named = words.as_str().contains(&format!("@{name}"));
            assert_eq!(
                scenario.list(named).await.len(),
                usize::from(is_named),
                "{name}: {words:?}"
            );
        }
        scenario.assert_consistent().await;
    }
}

/// Shown to everybody while its words become others: those count that it has in the end.
#[tokio::test]
async fn a_post_whose_words_change_while_it_is_shown_tells_those_whom_they_name() {
    let scenario = Scenario::create().await;
    let secret = Draft { visibility: Visibility::Private, ..draft("For @ben") };
    let post = try_create_post(&scenario.app, scenario.ana, secret, None).await.unwrap();
    let others = format!("UPDATE posts SET content = 'For @caro' WHERE id = '{post}'");
    let others = scenario.database.begin(&others).await;

    let show = edit(&scenario, post, showing(Visibility::Public));
    tokio::join!(show, commit_once_blocking(&scenario.database, others));

    assert_eq!(scenario.messages(scenario.ben).await, NOBODY);
    assert_eq!(scenario.messages(scenario.caro).await, ["ana mentioned you in a post: For @caro"]);
}

async fn rewrite(scenario: &Scenario, post: PostId, text: &str) {
    edit(scenario, post, PostEdit { content: Some(text.to_owned()), ..PostEdit::default() }).await;
}

async fn edit(scenario: &Scenario, post: PostId, edit: PostEdit) {
    posts::update(&scenario.app, scenario.ana, post, edit, |_| true).await.unwrap();
}

fn showing(visibility: Visibility) -> PostEdit {
    PostEdit { visibility: Some(visibility), ..PostEdit::default() }
}
