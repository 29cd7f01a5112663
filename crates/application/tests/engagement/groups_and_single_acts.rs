//! Acts in groups and one after another, on two databases.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use grateful_application::{App, Combiner, CombinerLimits, follows, hearts, reactions};
use grateful_domain::{Emoji, PostId, UserId};
use grateful_testkit::{
    FakeClock, TestApp, TestDatabase, a_post, assert_consistent, block, create_user,
};

use crate::support::outcome;

/// The same rounds of acts, in groups and one after another, give the same results and leave the same rows.
#[tokio::test]
async fn a_group_has_the_results_and_leaves_the_rows_of_its_acts_one_after_another() {
    let (grouped, single) = (World::create().await, World::create().await);
    for round in 0..60 {
        let acts: Vec<_> = (0..12).map(|number| RoundAct::choose(round, number)).collect();
        let in_group = join_all(acts.iter().map(|act| grouped.run(*act))).await;
        let mut one_by_one = vec![];
        for act in &acts {
            one_by_one.push(single.run(*act).await);
        }

        assert_eq!(in_group, one_by_one, "round {round}: {acts:?}");
        assert_eq!(grouped.rows().await, single.rows().await, "round {round}: {acts:?}");
        grouped.clock.advance(TimeDelta::minutes(7));
        single.clock.advance(TimeDelta::minutes(7));
    }
    assert_consistent(&grouped.app).await;
}

/// Users and posts, the same in every world.
struct World {
    app: App,
    clock: Arc<FakeClock>,
    database: TestDatabase,
    users: Vec<UserId>,
    posts: Vec<PostId>,
}

/// An act of a user on a post or toward another user, by index.
#[derive(Debug, Clone, Copy)]
struct RoundAct {
    kind: usize,
    user: usize,
    target: usize,
    emoji: usize,
}

impl RoundAct {
    /// All acts of a round are of one kind, since kinds have groups of their own.
    fn choose(round: usize, number: usize) -> Self {
        // The digits of a product that mixes both.
        let mixed = (round * 7_919 + number * 104_729 + 12_345).wrapping_mul(2_654_435_761) >> 7;
        Self {
            kind: [0, 2, 0, 1, 2, 3, 4, 5][round % 8],
            user: mixed % 6,
            target: mixed / 6 % 5,
            emoji: mixed / 30 % 10,
        }
    }
}

impl World {
    async fn create() -> Self {
        let TestApp { app, clock, database, .. } = TestApp::create().await;
        // One group at a time, so that their order does not depend on which of two ends first.
        let limits =
            CombinerLimits { groups: 1, wait: Duration::from_mins(1), ..CombinerLimits::default() };
        let app = App { combiner: Combiner::new(limits), ..app };
        let mut users = join_all((0..6).map(|_| create_user(&database))).await;
        users.sort();
        let mut posts = vec![];
        for author in 0..5 {
            posts.push(a_post().by(users[author / 2]).insert_into(&database).await.id);
        }
        let approving = format!(
            r#"UPDATE users SET profile_preferences = '{{"approve_followers": true}}' WHERE id = {}"#,
            users[1]
        );
        database.execute(&approving).await;
        block(&database, users[0], users[5]).await;
        Self { app, clock, database, users, posts }
    }

    async fn run(&self, act: RoundAct) -> &'static str {
        let RoundAct { kind, user, target, emoji } = act;
        let (app, user, post) = (&self.app, self.users[user], self.posts[target]);
        let other = self.users[target];
        match kind {
            0 => outcome(&hearts::add(app, user, post).await),
            1 => outcome(&hearts::remove(app, user, post).await),
            2 => outcome(&reactions::set(app, user, post, Emoji::ALL[emoji]).await),
            3 => outcome(&reactions::remove(app, user, post).await),
            // Two users who act toward each other are in different groups, in any order.
            4 | 5 if user <= other => "nothing",
            4 => outcome(&follows::follow(app, user, other).await),
            _ => outcome(&follows::unfollow(app, user, other).await),
        }
    }

    /// All rows that the acts change, without random ids.
    async fn rows(&self) -> Vec<String> {
        let number = |id: &str| format!("(SELECT count(*) FROM users WHERE users.id <= {id})");
        let post = "(SELECT count(*) FROM posts WHERE posts.id <= it.post_id)";
        let (user, actor) = (number("it.user_id"), number("it.actor_id"));
        let (follower, followed) = (number("it.follower_id"), number("it.followed_id"));
        self.database
            .lines(&format!(
                "SELECT concat_ws(' ', 'heart', {user}, {post}, created_at) AS line FROM likes AS it
                 UNION ALL
                 SELECT concat_ws(' ', 'reaction', {user}, {post}, emoji_code, created_at)
                 FROM emoji_reactions AS it
                 UNION ALL
                 SELECT concat_ws(' ', 'follow', {follower}, {followed}, status, created_at) FROM follows AS it
                 WHERE status <> 'blocked'
                 UNION ALL
                 SELECT concat_ws(' ', 'post', (SELECT count(*) FROM posts AS them WHERE them.id <= it.id),
                     hearts_count, reactions_count)
                 FROM posts AS it
                 UNION ALL
                 SELECT concat_ws(' ', 'user', followers_count, following_count,
                     (SELECT count(*) FROM users AS them WHERE them.id <= it.id))
                 FROM users AS it
                 UNION ALL
                 SELECT concat_ws(' ', 'notification', {user}, CASE WHEN is_batch THEN 0 ELSE {actor} END, type, {post},
                     CASE WHEN NOT is_batch THEN data::text END, read, created_at, last_updated_at, closed_at, parent_id IS NULL, batch_count, actor_count)
                 FROM notifications AS it
                 UNION ALL
                 SELECT concat_ws(' ', 'quota', {user}, type, held_back, actor_ids::text IS NULL)
                 FROM notification_quotas AS it
                 ORDER BY 1"
            ))
            .await
    }
}
