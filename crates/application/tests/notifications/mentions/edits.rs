//! What an edit of a post tells anew, and takes back.

use super::*;

#[tokio::test]
async fn an_edit_tells_only_those_whom_the_post_did_not_name() {
    let stage = Stage::set().await;
    let post = publish(&stage, stage.ana, "For @ben").await;
    stage.read_everything(stage.ben).await;
    let before = stage.list(stage.ben).await;

    rewrite(&stage, post, "For @BEN and @caro").await;

    assert_eq!(stage.list(stage.ben).await, before);
    assert_eq!(stage.told(stage.caro).await, ["ana mentioned you in a post: For @BEN and @caro"]);
    stage.assert_sound().await;
}

#[tokio::test]
async fn an_edit_takes_back_what_those_were_told_whom_the_post_names_no_longer() {
    let stage = Stage::set().await;
    let post = publish(&stage, stage.ana, "For @ben and @caro").await;
    let other = publish(&stage, stage.ana, "For @ben").await;

    rewrite(&stage, post, "For @Caro alone").await;

    assert_eq!(stage.only(stage.ben).await.notification.post, Some(other));
    assert_eq!(stage.counts(stage.caro).await, (1, 1));
    stage.assert_sound().await;
}

#[tokio::test]
async fn an_edit_may_name_one_instead_of_the_other() {
    let stage = Stage::set().await;
    let dan = person(&stage.database, "dan").await;
    let post = publish(&stage, stage.ana, "For @dan and @ben").await;

    rewrite(&stage, post, "For @dan and @caro").await;

    assert_eq!(stage.told(stage.ben).await, NOBODY);
    assert_eq!(stage.told(stage.caro).await, ["ana mentioned you in a post: For @dan and @caro"]);
    assert_eq!(stage.told(dan).await, ["ana mentioned you in a post: For @dan and @ben"]);
    stage.assert_sound().await;
}

#[tokio::test]
async fn what_comments_tell_stays_where_the_post_names_somebody_no_longer() {
    let stage = Stage::set().await;
    let post = publish(&stage, stage.ana, "For @ben").await;
    stage.say_on(post, stage.caro, "Yes, @ben!").await;
    stage.say_on(post, stage.ana, "Yes, @ben!").await;
    let three = "You were mentioned 3 times";
    assert_eq!(stage.told(stage.ben).await, [three]);

    rewrite(&stage, post, "For rain").await;

    assert_eq!(stage.told(stage.ben).await, ["You were mentioned 2 times"]);
    stage.assert_sound().await;
}

#[tokio::test]
async fn whoever_is_named_again_within_a_day_is_not_told_anew() {
    let stage = Stage::set().await;
    let post = publish(&stage, stage.ana, "For @ben").await;
    read(&stage.app, stage.ben, stage.only(stage.ben).await.notification.id).await.unwrap();
    let before = stage.list(stage.ben).await;

    rewrite(&stage, post, "For rain").await;
    assert_eq!(stage.told(stage.ben).await, NOBODY);
    stage.clock.advance(TimeDelta::hours(1));
    rewrite(&stage, post, "For @ben").await;

    assert_eq!(stage.list(stage.ben).await, before);
    stage.assert_sound().await;
}

#[tokio::test]
async fn an_edit_that_touches_no_words_tells_nobody() {
    let stage = Stage::set().await;
    let post = publish(&stage, stage.ana, "For @ben").await;
    let late = person(&stage.database, "late").await;
    stage.database.execute("UPDATE posts SET content = 'For @ben and @late'").await;

    edit(&stage, post, PostEdit { title: Some(None), ..PostEdit::default() }).await;
    edit(&stage, post, showing(Visibility::Public)).await;
    rewrite(&stage, post, "For @ben, and @late").await;

    assert_eq!(stage.counts(stage.ben).await, (1, 1));
    assert_eq!(stage.told(late).await, NOBODY);
}

#[tokio::test]
async fn an_edit_tells_nobody_across_a_block() {
    let stage = Stage::set().await;
    let post = publish(&stage, stage.ana, "For rain").await;
    block(&stage.database, stage.ana, stage.ben).await;
    block(&stage.database, stage.caro, stage.ana).await;

    rewrite(&stage, post, "For @ben, @caro, @ana and @nobody").await;

    assert_eq!(stage.database.count("notifications").await, 0);
}

#[tokio::test]
async fn a_post_that_is_hidden_takes_back_all_that_named_somebody() {
    let stage = Stage::set().await;
    let post = publish(&stage, stage.ana, "For @ben").await;
    stage.say_on(post, stage.ben, "And @caro, dear @ana").await;
    assert_eq!(stage.counts(stage.caro).await, (1, 1));

    edit(&stage, post, showing(Visibility::Private)).await;

    assert_eq!(stage.told(stage.ben).await, NOBODY);
    assert_eq!(stage.told(stage.caro).await, NOBODY);
    assert_eq!(stage.told(stage.ana).await, ["ben mentioned you in a post: And @caro, dear @ana"]);
    rewrite(&stage, post, "For @ben and @caro").await;
    assert_eq!(stage.told(stage.caro).await, NOBODY);
    stage.assert_sound().await;
}

#[tokio::test]
async fn a_post_that_is_shown_to_everybody_tells_those_whom_it_names() {
    for words in [None, Some("Now for @ben and @caro")] {
        let stage = Stage::set().await;
        let secret = Draft { visibility: Visibility::Private, ..draft("For @ben and @caro") };
        let post = try_publish(&stage.app, stage.ana, secret, None).await.unwrap();

        let content = words.map(str::to_owned);
        edit(&stage, post, PostEdit { content, ..showing(Visibility::Public) }).await;

        let said =
            format!("ana mentioned you in a post: {}", words.unwrap_or("For @ben and @caro"));
        assert_eq!(stage.told(stage.ben).await, [said.as_str()]);
        assert_eq!(stage.told(stage.caro).await, [said]);
        stage.assert_sound().await;
    }
}

#[tokio::test]
async fn an_edit_that_is_refused_tells_nobody() {
    let stage = Stage::set().await;
    let post = publish(&stage, stage.ana, "For @ben").await;
    let words = |text: &str| PostEdit { content: Some(text.to_owned()), ..PostEdit::default() };

    let too_long = format!("@caro {}", "x".repeat(500));
    let too_long = posts::update(&stage.app, stage.ana, post, words(&too_long), |_| true).await;
    let outdated = posts::update(&stage.app, stage.ana, post, words("@caro"), |_| false).await;
    let anothers = posts::update(&stage.app, stage.ben, post, words("@caro"), |_| true).await;

    assert!(too_long.is_err() && outdated.is_err() && anothers.is_err());
    assert_eq!(stage.told(stage.caro).await, NOBODY);
    assert_eq!(stage.counts(stage.ben).await, (1, 1));
}

#[tokio::test]
async fn of_edits_at_once_the_last_one_says_who_is_told() {
    let stage = Stage::set().await;
    let dan = person(&stage.database, "dan").await;
    let post = publish(&stage, stage.ana, "For @dan").await;

    for _ in 0..10 {
        tokio::join!(
            rewrite(&stage, post, "For @ben and @dan"),
            rewrite(&stage, post, "For @caro"),
            rewrite(&stage, post, "For @caro and @dan"),
            rewrite(&stage, post, "For rain"),
        );

        let words = posts::get(&stage.app, grateful_domain::Viewer::Guest, post).await.unwrap();
        let words = words.post.draft.content;
        for (name, named) in [("ben", stage.ben), ("caro", stage.caro), ("dan", dan)] {
            let is_named = words.as_str().contains(&format!("@{name}"));
            assert_eq!(stage.list(named).await.len(), usize::from(is_named), "{name}: {words:?}");
        }
        stage.assert_sound().await;
    }
}

/// Shown to everybody while its words become others: those count that it has in the end.
#[tokio::test]
async fn a_post_whose_words_change_while_it_is_shown_tells_those_whom_they_name() {
    let stage = Stage::set().await;
    let secret = Draft { visibility: Visibility::Private, ..draft("For @ben") };
    let post = try_publish(&stage.app, stage.ana, secret, None).await.unwrap();
    let others = format!("UPDATE posts SET content = 'For @caro' WHERE id = '{post}'");
    let others = stage.database.begin(&others).await;

    let show = edit(&stage, post, showing(Visibility::Public));
    tokio::join!(show, commit_when_waited_for(&stage.database, others));

    assert_eq!(stage.told(stage.ben).await, NOBODY);
    assert_eq!(stage.told(stage.caro).await, ["ana mentioned you in a post: For @caro"]);
}

async fn rewrite(stage: &Stage, post: PostId, text: &str) {
    edit(stage, post, PostEdit { content: Some(text.to_owned()), ..PostEdit::default() }).await;
}

async fn edit(stage: &Stage, post: PostId, edit: PostEdit) {
    posts::update(&stage.app, stage.ana, post, edit, |_| true).await.unwrap();
}

fn showing(visibility: Visibility) -> PostEdit {
    PostEdit { visibility: Some(visibility), ..PostEdit::default() }
}
