//! SQL on the database of a server.

use tokio_postgres::{NoTls, SimpleQueryMessage};

/// A connection to the database of a server, independent of the server.
#[derive(Debug)]
pub struct SqlConnection {
    client: tokio_postgres::Client,
}

impl SqlConnection {
    /// Connects to the database with this URL.
    pub async fn connect(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        Self { client }
    }

    /// Runs statements and returns the first value of the last row, or an empty text if there is no row.
    pub async fn run(&self, statements: &str) -> String {
        let messages = self.client.simple_query(statements).await;
        let messages = messages.unwrap_or_else(|error| panic!("{statements}: {error:?}"));
        let value = messages.iter().rev().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
            _ => None,
        });
        value.unwrap_or_default()
    }

    /// Runs a query and returns its first column.
    pub async fn query_column(&self, statement: &str) -> Vec<String> {
        let messages = self.client.simple_query(statement).await;
        let messages = messages.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        let values = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
            _ => None,
        });
        values.collect()
    }

    /// One line for each user whose post counts differ from their posts.
    pub async fn find_post_count_mismatches(&self) -> Vec<String> {
        self.query_column(
            "SELECT format('%s says %s and %s, has %s and %s', username, posts_count,
                           public_posts_count, count(posts.id), count(posts.id) FILTER (WHERE is_public))
             FROM users LEFT JOIN posts ON author_id = users.id
             GROUP BY users.id
             HAVING posts_count <> count(posts.id)
                 OR public_posts_count <> count(posts.id) FILTER (WHERE is_public)",
        )
        .await
    }

    /// The number of sessions of this database that wait for a lock.
    pub async fn count_lock_waiters(&self) -> u32 {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        self.run(waiting).await.parse().unwrap()
    }
}
