//! Mentions that an edit of a post adds or removes.

use grateful_application::profiles;
use grateful_domain::{PostEdit, ProfileEdit, Username};

use super::*;

#[tokio::test]
async fn an_edit_notifies_only_newly_mentioned_users() {
    let scenario = Scenario::create().await;
    let post = create_public_post(&scenario, scenario.ana, "For @ben").await;
    scenario.mark_all_read(scenario.ben).await;
    let before = scenario.list_stored(scenario.ben).await;

    edit_content(&scenario, post, "For @BEN and @caro").await;

    assert_eq!(scenario.list_stored(scenario.ben).await, before);
    assert_eq!(
        scenario.messages(scenario.caro).await,
        ["ana mentioned you in a post: For @BEN and @caro"]
    );
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn an_edit_withdraws_removed_mentions() {
    let scenario = Scenario::create().await;
    let post = create_public_post(&scenario, scenario.ana, "For @ben and @caro").await;
    let other = create_public_post(&scenario, scenario.ana, "For @ben").await;

    edit_content(&scenario, post, "For @Caro alone").await;

    assert_eq!(
        scenario.only_notification(scenario.ben).await.notification.subject.post,
        Some(other)
    );
    assert_eq!(scenario.counts(scenario.caro).await, (1, 1));
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn an_edit_can_replace_one_mention_by_another() {
    let scenario = Scenario::create().await;
    let dan = create_user_named(&scenario.database, "dan").await;
    let post = create_public_post(&scenario, scenario.ana, "For @dan and @ben").await;

    edit_content(&scenario, post, "For @dan and @caro").await;

    assert_eq!(scenario.messages(scenario.ben).await, NO_MESSAGES);
    assert_eq!(
        scenario.messages(scenario.caro).await,
        ["ana mentioned you in a post: For @dan and @caro"]
    );
    assert_eq!(scenario.messages(dan).await, ["ana mentioned you in a post: For @dan and @caro"]);
    scenario.assert_consistent().await;
}

/// The user is meant by both names, so nothing changes for them.
#[tokio::test]
async fn an_edit_that_replaces_a_former_username_by_the_current_one_notifies_and_withdraws_nothing()
{
    let scenario = Scenario::create().await;
    let post = create_public_post(&scenario, scenario.ana, "Thank you @ben").await;
    rename(&scenario, scenario.ben, "benjamin").await;
    scenario.mark_all_read(scenario.ben).await;
    let counts = scenario.counts(scenario.ben).await;

    for text in
        ["Thank you @benjamin", "@ben, thanks @benjamin", "Thank you @benjamin!", "Thank you @ben!"]
    {
        edit_content(&scenario, post, text).await;
        assert_eq!(scenario.counts(scenario.ben).await, counts, "{text}");
    }
    edit_content(&scenario, post, "Thank you all").await;
    assert_eq!(scenario.messages(scenario.ben).await, NO_MESSAGES);
}

#[tokio::test]
async fn a_former_username_mentions_its_former_owner() {
    let scenario = Scenario::create().await;
    rename(&scenario, scenario.ben, "benjamin").await;

    create_public_post(&scenario, scenario.ana, "Thank you @Ben and @benjamin").await;

    assert_eq!(
        scenario.messages(scenario.ben).await,
        ["ana mentioned you in a post: Thank you @Ben and @benjamin"]
    );
}

/// The name was free again, and another user has taken it.
#[tokio::test]
async fn an_edit_of_an_old_text_does_not_notify_the_new_owner_of_a_name() {
    let scenario = Scenario::create().await;
    let post = create_public_post(&scenario, scenario.ana, "Thank you @ben").await;
    rename(&scenario, scenario.ben, "benjamin").await;
    scenario.database.execute("DELETE FROM released_usernames").await;
    let newcomer = create_user_named(&scenario.database, "dan").await;
    rename(&scenario, newcomer, "ben").await;

    edit_content(&scenario, post, "Thank you @ben!").await;

    assert_eq!(scenario.messages(newcomer).await, NO_MESSAGES);
    assert_eq!(scenario.counts(scenario.ben).await.0, 1);
}

async fn rename(scenario: &Scenario, user: UserId, username: &str) {
    let username = Some(Username::parse(username).unwrap());
    let edit = ProfileEdit { username, ..ProfileEdit::default() };
    profiles::update(&scenario.app, user, edit, None).await.unwrap();
}

/// The notification of the removed mention is still there when the post becomes public again, since the job that withdraws the
/// notifications of a hidden post has not run.
#[tokio::test]
async fn a_mention_that_is_removed_while_the_post_is_private_is_withdrawn_before_the_post_is_public_again()
 {
    for is_hidden_by_the_same_edit in [true, false] {
        let scenario = Scenario::create().await;
        let post = create_public_post(&scenario, scenario.ana, "For @ben and @caro").await;
        scenario.fail_background_jobs().await;

        let content = Some("For @caro".to_owned());
        let hide = with_visibility(Visibility::Private);
        if is_hidden_by_the_same_edit {
            edit_post(&scenario, post, PostEdit { content, ..hide }).await;
        } else {
            edit_post(&scenario, post, hide).await;
            edit_content(&scenario, post, "For @caro").await;
        }
        assert_eq!(scenario.database.count("background_jobs").await, 1);
        edit_post(&scenario, post, with_visibility(Visibility::Public)).await;

        assert_eq!(scenario.messages(scenario.ben).await, NO_MESSAGES);
        assert_eq!(
            scenario.messages(scenario.caro).await,
            ["ana mentioned you in a post: For @caro"]
        );
        scenario.assert_consistent().await;
    }
}

#[tokio::test]
async fn mentions_in_comments_stay_if_the_post_removes_its_mention() {
    let scenario = Scenario::create().await;
    let post = create_public_post(&scenario, scenario.ana, "For @ben").await;
    scenario.comment_on(post, scenario.caro, "Yes, @ben!").await;
    scenario.comment_on(post, scenario.ana, "Yes, @ben!").await;
    assert_eq!(scenario.messages(scenario.ben).await, ["You were mentioned 3 times"]);

    edit_content(&scenario, post, "For rain").await;

    assert_eq!(scenario.messages(scenario.ben).await, ["You were mentioned 2 times"]);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn an_edit_without_new_mentions_notifies_no_user() {
    let scenario = Scenario::create().await;
    let post = create_public_post(&scenario, scenario.ana, "For @ben").await;
    let late = create_user_named(&scenario.database, "late").await;
    scenario.database.execute("UPDATE posts SET content = 'For @ben and @late'").await;

    edit_post(&scenario, post, PostEdit { title: Some(None), ..PostEdit::default() }).await;
    edit_post(&scenario, post, with_visibility(Visibility::Public)).await;
    edit_content(&scenario, post, "For @ben, and @late").await;

    assert_eq!(scenario.counts(scenario.ben).await, (1, 1));
    assert_eq!(scenario.messages(late).await, NO_MESSAGES);
}

#[tokio::test]
async fn an_edit_notifies_no_user_across_a_block() {
    let scenario = Scenario::create().await;
    let post = create_public_post(&scenario, scenario.ana, "For rain").await;
    block(&scenario.database, scenario.ana, scenario.ben).await;
    block(&scenario.database, scenario.caro, scenario.ana).await;

    edit_content(&scenario, post, "For @ben, @caro, @ana and @unknown").await;

    assert_eq!(scenario.database.count("notifications").await, 0);
}

#[tokio::test]
async fn hiding_a_post_withdraws_all_its_mentions_of_other_users() {
    let scenario = Scenario::create().await;
    let post = create_public_post(&scenario, scenario.ana, "For @ben").await;
    scenario.comment_on(post, scenario.ben, "And @caro, dear @ana").await;
    assert_eq!(scenario.counts(scenario.caro).await, (1, 1));

    edit_post(&scenario, post, with_visibility(Visibility::Private)).await;

    assert_eq!(scenario.messages(scenario.ben).await, NO_MESSAGES);
    assert_eq!(scenario.messages(scenario.caro).await, NO_MESSAGES);
    assert_eq!(
        scenario.messages(scenario.ana).await,
        ["ben mentioned you in a post: And @caro, dear @ana"]
    );
    edit_content(&scenario, post, "For @ben and @caro").await;
    assert_eq!(scenario.messages(scenario.caro).await, NO_MESSAGES);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn making_a_post_public_notifies_mentioned_users() {
    for content in [None, Some("Now for @ben and @caro")] {
        let scenario = Scenario::create().await;
        let private = Draft { visibility: Visibility::Private, ..draft("For @ben and @caro") };
        let post = create_post(&scenario.app, scenario.ana, private, None).await.unwrap();

        let new_content = content.map(str::to_owned);
        edit_post(
            &scenario,
            post,
            PostEdit { content: new_content, ..with_visibility(Visibility::Public) },
        )
        .await;

        let expected =
            format!("ana mentioned you in a post: {}", content.unwrap_or("For @ben and @caro"));
        assert_eq!(scenario.messages(scenario.ben).await, [expected.as_str()]);
        assert_eq!(scenario.messages(scenario.caro).await, [expected]);
        scenario.assert_consistent().await;
    }
}

#[tokio::test]
async fn a_rejected_edit_notifies_no_user() {
    let scenario = Scenario::create().await;
    let post = create_public_post(&scenario, scenario.ana, "For @ben").await;
    let with_content =
        |text: &str| PostEdit { content: Some(text.to_owned()), ..PostEdit::default() };

    let too_long = format!("@caro {}", "x".repeat(500));
    let too_long =
        posts::update(&scenario.app, scenario.ana, post, with_content(&too_long), |_| true).await;
    let stale =
        posts::update(&scenario.app, scenario.ana, post, with_content("@caro"), |_| false).await;
    let by_other_user =
        posts::update(&scenario.app, scenario.ben, post, with_content("@caro"), |_| true).await;

    assert!(too_long.is_err() && stale.is_err() && by_other_user.is_err());
    assert_eq!(scenario.messages(scenario.caro).await, NO_MESSAGES);
    assert_eq!(scenario.counts(scenario.ben).await, (1, 1));
}

#[tokio::test]
async fn after_concurrent_edits_the_notifications_match_the_last_one() {
    let scenario = Scenario::create().await;
    let dan = create_user_named(&scenario.database, "dan").await;
    let post = create_public_post(&scenario, scenario.ana, "For @dan").await;

    for _ in 0..10 {
        tokio::join!(
            edit_content(&scenario, post, "For @ben and @dan"),
            edit_content(&scenario, post, "For @caro"),
            edit_content(&scenario, post, "For @caro and @dan"),
            edit_content(&scenario, post, "For rain"),
        );

        let found = posts::get(&scenario.app, grateful_domain::Viewer::Guest, post).await.unwrap();
        let content = found.post.draft.content;
        for (name, mentioned) in [("ben", scenario.ben), ("caro", scenario.caro), ("dan", dan)] {
            let is_mentioned = content.as_str().contains(&format!("@{name}"));
            assert_eq!(
                scenario.list(mentioned).await.len(),
                usize::from(is_mentioned),
                "{name}: {content:?}"
            );
        }
        scenario.assert_consistent().await;
    }
}

/// A concurrent transaction changes the content while the post becomes public. The final content decides.
#[tokio::test]
async fn a_post_that_is_edited_while_it_becomes_public_notifies_the_users_of_the_final_content() {
    let scenario = Scenario::create().await;
    let private = Draft { visibility: Visibility::Private, ..draft("For @ben") };
    let post = create_post(&scenario.app, scenario.ana, private, None).await.unwrap();
    let edit_in_flight = format!("UPDATE posts SET content = 'For @caro' WHERE id = '{post}'");
    let edit_in_flight = scenario.database.begin(&edit_in_flight).await;

    let publish = edit_post(&scenario, post, with_visibility(Visibility::Public));
    tokio::join!(publish, commit_once_blocking(&scenario.database, edit_in_flight, 1));

    assert_eq!(scenario.messages(scenario.ben).await, NO_MESSAGES);
    assert_eq!(scenario.messages(scenario.caro).await, ["ana mentioned you in a post: For @caro"]);
}

async fn edit_content(scenario: &Scenario, post: PostId, text: &str) {
    edit_post(scenario, post, PostEdit { content: Some(text.to_owned()), ..PostEdit::default() })
        .await;
}

async fn edit_post(scenario: &Scenario, post: PostId, edit: PostEdit) {
    posts::update(&scenario.app, scenario.ana, post, edit, |_| true).await.unwrap();
}

fn with_visibility(visibility: Visibility) -> PostEdit {
    PostEdit { visibility: Some(visibility), ..PostEdit::default() }
}
