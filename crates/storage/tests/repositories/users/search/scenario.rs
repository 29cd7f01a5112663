//! People with names, and searches by one of them.

use grateful_domain::{UserId, UserSearchQuery};
use grateful_storage::Repositories;
use grateful_testkit::{TestDatabase, create_user};

/// A database, and somebody who searches in it, whom nobody is called like.
pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) viewer: UserId,
}

impl World {
    pub(crate) async fn create() -> Self {
        let database = TestDatabase::create().await;
        let viewer = create_user(&database).await;
        database.execute(&format!("UPDATE users SET username = 'zzz' WHERE id = {viewer}")).await;
        Self { database, viewer }
    }

    /// One with these people, each with a username and a display name, which may be empty for none.
    pub(crate) async fn of(people: &[(&str, &str)]) -> Self {
        let world = Self::create().await;
        world.add(people).await;
        world
    }

    pub(crate) async fn add(&self, people: &[(&str, &str)]) {
        let quoted = |text: &str| text.replace('\'', "''");
        let row = |(username, display_name): &(&str, &str)| {
            let (name, shown) = (quoted(username), quoted(display_name));
            format!("('{name}@example.org', '{name}', 'x', nullif('{shown}', ''))")
        };
        let rows: Vec<String> = people.iter().map(row).collect();
        let insert = "INSERT INTO users (email, username, hashed_password, display_name) VALUES";
        self.database.execute(&format!("{insert} {}", rows.join(", "))).await;
    }

    /// The usernames of those who are found, ten at most.
    pub(crate) async fn find(&self, typed: &str) -> Vec<String> {
        self.find_up_to(typed, 10).await
    }

    pub(crate) async fn find_up_to(&self, typed: &str, most: i64) -> Vec<String> {
        let Some(query) = UserSearchQuery::parse(typed) else { return Vec::new() };
        let mut conn = self.database.connect().await;
        let found = conn.users().search(self.viewer, &query, most).await.unwrap();
        found.into_iter().map(|person| person.author.username.into()).collect()
    }

    /// Who has this username.
    pub(crate) async fn id(&self, username: &str) -> UserId {
        let found = self.database.connect().await.users().find_by_username(username).await.unwrap();
        found.unwrap().id
    }
}
