//! The number of replies to a comment.

use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::BigInt;
use grateful_domain::UserId;

use crate::schema::comments;

/// The number of replies to a row of `comments` that the viewer can see: those by users without a block to or from the
/// viewer.
#[derive(Debug, Clone, Copy, QueryId)]
pub(crate) struct ReplyCount {
    viewer: i64,
}

impl ReplyCount {
    pub(crate) fn visible_to(viewer: UserId) -> Self {
        Self { viewer: viewer.into() }
    }
}

impl Expression for ReplyCount {
    type SqlType = BigInt;
}

impl<Table> AppearsOnTable<Table> for ReplyCount where comments::id: AppearsOnTable<Table> {}

impl<Table> SelectableExpression<Table> for ReplyCount where
    comments::id: SelectableExpression<Table>
{
}

impl<Grouped> ValidGrouping<Grouped> for ReplyCount {
    type IsAggregate = is_aggregate::No;
}

impl QueryFragment<Pg> for ReplyCount {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "(SELECT count(*) FROM comments AS replies WHERE replies.parent_id = comments.id \
             AND NOT (replies.author_id = ANY (SELECT followed_id FROM follows \
             WHERE status = 'blocked' AND follower_id = ",
        );
        out.push_bind_param::<BigInt, _>(&self.viewer)?;
        out.push_sql(
            ")) AND NOT (replies.author_id = ANY (SELECT follower_id FROM follows \
             WHERE status = 'blocked' AND followed_id = ",
        );
        out.push_bind_param::<BigInt, _>(&self.viewer)?;
        out.push_sql(")))");
        Ok(())
    }
}
