//! The notifications that the rows of acts call for.

mod texts;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{Act, Cause};
use grateful_domain::{UserId, closed_enum};
use uuid::Uuid;

use crate::query::statement;
use crate::schema::{emoji_reactions, follows, likes, posts};
use crate::{Connection, Result};

closed_enum! {
    /// A table whose rows are acts that users are notified of. Its code is its name.
    pub enum ActTable {
        /// Hearts.
        Hearts = "likes",
        /// Emoji reactions.
        Reactions = "emoji_reactions",
        /// Link shares and message shares.
        Shares = "shares",
        /// Comments and replies, and the mentions in them.
        Comments = "comments",
        /// Mentions in posts.
        Posts = "posts",
        /// Follows and follow requests.
        Follows = "follows",
    }
}

impl ActTable {
    /// The table with the row of an act.
    pub const fn of(act: Act) -> Self {
        match act {
            Act::Heart { .. } => Self::Hearts,
            Act::Reaction { .. } => Self::Reactions,
            Act::LinkShare { .. } | Act::MessageShare { .. } => Self::Shares,
            Act::Mention { comment: None, .. } => Self::Posts,
            Act::Mention { comment: Some(_), .. } | Act::Comment { .. } | Act::Reply { .. } => {
                Self::Comments
            }
            Act::Follow | Act::FollowRequest | Act::FollowAcceptance => Self::Follows,
        }
    }
}

/// A notification that an act calls for, if no reason speaks against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ExpectedNotification {
    pub(super) cause: Cause,
    /// When the act happened. For a mention, when the text was created.
    pub(super) at: DateTime<Utc>,
    /// The causes that notify of the same act, this one included. The notification of one is enough.
    pub(super) alternatives: Vec<Cause>,
    /// The text of the post or the comment from which the cause was derived.
    pub(super) text: Option<String>,
    /// The mentioned username, in lower case.
    pub(super) username: Option<String>,
}

impl ExpectedNotification {
    fn new(cause: Cause, at: DateTime<Utc>) -> Self {
        Self { cause, at, alternatives: vec![cause], text: None, username: None }
    }
}

/// Rows of acts, and the notifications that they call for.
#[derive(Debug)]
pub(super) struct ListedActs {
    pub(super) rows: u64,
    pub(super) last_key: Uuid,
    pub(super) expected: Vec<ExpectedNotification>,
}

impl ListedActs {
    fn new(rows: usize, last_key: Option<Uuid>) -> Self {
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        Self { rows, last_key: last_key.unwrap_or_default(), expected: vec![] }
    }
}

/// Lists up to `limit` rows after the key `after`. Returns `None` if there are no more.
pub(super) async fn list(
    conn: &mut Connection,
    table: ActTable,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Option<ListedActs>> {
    let after = after.unwrap_or_default();
    let listed = match table {
        ActTable::Hearts => {
            let hearts = likes::table
                .inner_join(posts::table.on(posts::id.eq(likes::post_id)))
                .filter(likes::id.gt(after))
                .order(likes::id)
                .limit(limit)
                .select((
                    likes::id,
                    posts::id,
                    posts::author_id,
                    likes::user_id,
                    likes::created_at,
                ));
            of_rows(hearts.load(conn).await?, |post| Act::Heart { post: post.into() })
        }
        ActTable::Reactions => {
            let reactions = emoji_reactions::table
                .inner_join(posts::table.on(posts::id.eq(emoji_reactions::post_id)))
                .filter(emoji_reactions::id.gt(after))
                .order(emoji_reactions::id)
                .limit(limit)
                .select((
                    emoji_reactions::id,
                    posts::id,
                    posts::author_id,
                    emoji_reactions::user_id,
                    emoji_reactions::created_at,
                ));
            of_rows(reactions.load(conn).await?, |post| Act::Reaction { post: post.into() })
        }
        ActTable::Shares => of_shares(ListShares { after, limit }.load(conn).await?),
        ActTable::Comments => texts::list_comments(conn, after, limit).await?,
        ActTable::Posts => texts::list_posts(conn, after, limit).await?,
        ActTable::Follows => {
            let follows = follows::table
                .filter(follows::id.gt(after))
                .filter(follows::status.ne("blocked"))
                .order(follows::id)
                .limit(limit)
                .select((
                    follows::id,
                    follows::follower_id,
                    follows::followed_id,
                    follows::status.eq("active"),
                    follows::created_at,
                ));
            of_follows(follows.load(conn).await?)
        }
    };
    Ok((listed.rows != 0).then_some(listed))
}

fn listed<R>(
    rows: Vec<R>,
    key: impl Fn(&R) -> Uuid,
    expected: impl Fn(R) -> Vec<ExpectedNotification>,
) -> ListedActs {
    let listed = ListedActs::new(rows.len(), rows.last().map(key));
    ListedActs { expected: rows.into_iter().flat_map(expected).collect(), ..listed }
}

/// The key of the row, the post, its author, the actor and the time.
type PostActRow = (Uuid, Uuid, i64, i64, DateTime<Utc>);

fn of_rows(rows: Vec<PostActRow>, act: impl Fn(Uuid) -> Act) -> ListedActs {
    listed(
        rows,
        |row| row.0,
        |(_, post, author, actor, at)| {
            let cause = Cause { recipient: author.into(), actor: actor.into(), act: act(post) };
            vec![ExpectedNotification::new(cause, at)]
        },
    )
}

/// As [`PostActRow`], whether it is a link share, and the recipients.
type ShareRow = (PostActRow, bool, Vec<i64>);

fn of_shares(rows: Vec<ShareRow>) -> ListedActs {
    listed(
        rows,
        |row| row.0.0,
        |((share, post, author, actor, at), is_link, recipients)| {
            let post = post.into();
            let (act, recipients) = if is_link {
                (Act::LinkShare { post }, vec![author])
            } else {
                (Act::MessageShare { post, share: share.into() }, recipients)
            };
            let cause =
                |recipient: i64| Cause { recipient: recipient.into(), actor: actor.into(), act };
            recipients.into_iter().map(|to| ExpectedNotification::new(cause(to), at)).collect()
        },
    )
}

/// The key of the row, the follower, the followed user, whether the follow is active, and its time.
type FollowRow = (Uuid, i64, i64, bool, DateTime<Utc>);

fn of_follows(rows: Vec<FollowRow>) -> ListedActs {
    listed(
        rows,
        |row| row.0,
        |(_, follower, followed, is_active, at)| {
            let (follower, followed) = (UserId::from(follower), UserId::from(followed));
            let of_follower = |act| Cause { recipient: followed, actor: follower, act };
            if !is_active {
                return vec![ExpectedNotification::new(of_follower(Act::FollowRequest), at)];
            }
            // The row does not say whether the follow was requested and accepted.
            let act = Act::FollowAcceptance;
            let acceptance = Cause { recipient: follower, actor: followed, act };
            let follow = ExpectedNotification::new(of_follower(Act::Follow), at);
            let alternatives = vec![follow.cause, acceptance];
            vec![ExpectedNotification { alternatives, ..follow }]
        },
    )
}

statement! {
    ListShares { after: Uuid as SqlUuid, limit: i64 as BigInt } -> (
        (SqlUuid, SqlUuid, BigInt, BigInt, Timestamptz), Bool, Array<BigInt>
    ),
    "WITH part AS MATERIALIZED (
        SELECT * FROM shares WHERE id > :after ORDER BY id LIMIT :limit
    )
    SELECT part.id, part.post_id, post.author_id, part.user_id, part.created_at, part.share_method = 'url',
        ARRAY(SELECT user_id FROM share_recipients WHERE share_id = part.id ORDER BY user_id)
    FROM part JOIN posts AS post ON post.id = part.post_id ORDER BY part.id"
}
