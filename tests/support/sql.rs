//! A look behind the server's back.

use tokio_postgres::{NoTls, SimpleQueryMessage};

/// A connection to the database of a server.
#[derive(Debug)]
pub struct Sql {
    client: tokio_postgres::Client,
}

impl Sql {
    /// A connection to the database at this address.
    pub async fn connect(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        Self { client }
    }

    /// Runs statements. Tells the first value of the last row, if there is one.
    pub async fn run(&self, statements: &str) -> String {
        let messages = self.client.simple_query(statements).await;
        let messages = messages.unwrap_or_else(|error| panic!("{statements}: {error:?}"));
        let rows = messages.iter().rev().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
            _ => None,
        });
        rows.unwrap_or_default()
    }

    /// The whole first column of the answer.
    pub async fn column(&self, statement: &str) -> Vec<String> {
        let messages = self.client.simple_query(statement).await;
        let messages = messages.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        let values = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
            _ => None,
        });
        values.collect()
    }

    /// Everybody whose counters differ from their rows.
    pub async fn miscounted(&self) -> Vec<String> {
        self.column(
            "SELECT format('%s says %s and %s, has %s and %s', username, posts_count,
                           public_posts_count, count(posts.id), count(posts.id) FILTER (WHERE is_public))
             FROM users LEFT JOIN posts ON author_id = users.id
             GROUP BY users.id
             HAVING posts_count <> count(posts.id)
                 OR public_posts_count <> count(posts.id) FILTER (WHERE is_public)",
        )
        .await
    }

    /// How many sessions of this database wait for a lock.
    pub async fn waiting(&self) -> u32 {
        let waiting = "SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        self.run(waiting).await.parse().unwrap()
    }
}
