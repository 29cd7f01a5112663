//! Users with chosen names, and a viewer who searches.

use grateful_domain::{UserId, UserSearchQuery};
use grateful_storage::Repositories;
use grateful_test_database::{TestDatabase, create_user};

/// A database with a viewer, whose username `zzz` no search term matches.
pub(crate) struct Scenario {
    pub(crate) database: TestDatabase,
    pub(crate) viewer: UserId,
}

impl Scenario {
    pub(crate) async fn create() -> Self {
        let database = TestDatabase::create().await;
        let viewer = create_user(&database).await;
        database.execute(&format!("UPDATE users SET username = 'zzz' WHERE id = {viewer}")).await;
        Self { database, viewer }
    }

    /// Creates a scenario with these users, given as username and display name. An empty display name means none.
    pub(crate) async fn with_users(users: &[(&str, &str)]) -> Self {
        let scenario = Self::create().await;
        scenario.add(users).await;
        scenario
    }

    pub(crate) async fn add(&self, users: &[(&str, &str)]) {
        let quoted = |text: &str| text.replace('\'', "''");
        let row = |(username, display_name): &(&str, &str)| {
            let (name, shown) = (quoted(username), quoted(display_name));
            format!("('{name}@example.org', '{name}', 'x', nullif('{shown}', ''))")
        };
        let rows: Vec<String> = users.iter().map(row).collect();
        let insert = "INSERT INTO users (email, username, hashed_password, display_name) VALUES";
        self.database.execute(&format!("{insert} {}", rows.join(", "))).await;
    }

    /// The usernames found, at most 10.
    pub(crate) async fn find(&self, term: &str) -> Vec<String> {
        self.find_limited(term, 10).await
    }

    pub(crate) async fn find_limited(&self, term: &str, max: i64) -> Vec<String> {
        let Some(query) = UserSearchQuery::parse(term) else { return Vec::new() };
        let mut conn = self.database.connect().await;
        let found = conn.users().search(self.viewer, &query, max).await.unwrap();
        found.into_iter().map(|user| user.author.username.into()).collect()
    }

    /// The id of the user with this username.
    pub(crate) async fn id(&self, username: &str) -> UserId {
        let found = self.database.connect().await.users().find_by_username(username).await.unwrap();
        found.unwrap().id
    }
}
