//! The acts that a load has brought, read back in the order of their recipients.

use chrono::{DateTime, Utc};
use grateful_domain::notification::{Act, Cause, EventDetails};
use grateful_domain::{Emoji, PostId, ShareId, ShareMessage};
use tokio_postgres::Row;
use uuid::Uuid;

use super::BulkLoad;
use crate::{Result, StorageError};

/// An act that may notify its recipient, with what the notification needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedAct {
    /// The act, its actor and its recipient. Whether the recipient may see it is not checked.
    pub cause: Cause,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What only the act says.
    pub details: EventDetails,
}

/// Mentions are not among the rows: the texts have them.
const ACTS: &str = "DECLARE acts NO SCROLL CURSOR FOR
SELECT * FROM (
    SELECT post.author_id AS recipient, it.user_id AS actor, 'like' AS kind, it.post_id, it.id,
        it.created_at, NULL AS emoji_code, NULL AS message_content
    FROM likes AS it JOIN posts AS post ON post.id = it.post_id
    UNION ALL
    SELECT post.author_id, it.user_id, 'emoji_reaction', it.post_id, it.id, it.created_at, it.emoji_code, NULL
    FROM emoji_reactions AS it JOIN posts AS post ON post.id = it.post_id
    UNION ALL
    SELECT post.author_id, it.user_id, 'url', it.post_id, it.id, it.created_at, NULL, NULL
    FROM shares AS it JOIN posts AS post ON post.id = it.post_id WHERE share_method = 'url'
    UNION ALL
    SELECT sent.user_id, it.user_id, 'message', it.post_id, it.id, it.created_at, NULL, it.message_content
    FROM shares AS it JOIN share_recipients AS sent ON sent.share_id = it.id
    UNION ALL
    SELECT followed_id, follower_id, status, NULL, id, created_at, NULL, NULL
    FROM follows WHERE status IN ('active', 'pending')
) AS act
ORDER BY recipient";

impl BulkLoad {
    /// Begins to read the acts of the database, in the order of their recipients: hearts, reactions, shares, follows and
    /// requests. [`BulkLoad::next_acts`] reads them.
    pub async fn open_acts(&self) -> Result<()> {
        self.client.batch_execute(ACTS).await.map_err(StorageError::from_driver)
    }

    /// The next acts, up to `limit`. None are left if there are none.
    pub async fn next_acts(&self, limit: u32) -> Result<Vec<LoadedAct>> {
        let fetch = format!("FETCH {limit} FROM acts");
        let rows = self.client.query(&fetch, &[]).await.map_err(StorageError::from_driver)?;
        Ok(rows.iter().filter_map(loaded_act).collect())
    }
}

fn loaded_act(row: &Row) -> Option<LoadedAct> {
    let id = row.get::<_, Uuid>("id");
    let post = row.get::<_, Option<Uuid>>("post_id").map(PostId::from);
    let act = match row.get("kind") {
        "like" => Act::Heart { post: post? },
        "emoji_reaction" => Act::Reaction { post: post? },
        "url" => Act::LinkShare { post: post? },
        "message" => Act::MessageShare { post: post?, share: ShareId::from(id) },
        "active" => Act::Follow,
        _ => Act::FollowRequest,
    };
    let emoji =
        row.get::<_, Option<&str>>("emoji_code").and_then(|code| Emoji::from_code(code).ok());
    let message = row.get::<_, Option<String>>("message_content");
    let [recipient, actor] = ["recipient", "actor"].map(|user| row.get::<_, i64>(user).into());
    let mut details = EventDetails::default();
    details.emoji = emoji;
    details.share_message = message.map(ShareMessage::from_stored);
    Some(LoadedAct { cause: Cause { recipient, actor, act }, at: row.get("created_at"), details })
}
