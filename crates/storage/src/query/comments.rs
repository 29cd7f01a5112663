//! Which comments a list shows to a viewer, and the number of replies to a comment.

use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::BigInt;
use grateful_domain::{HiddenComments, UserId, Viewer};

use super::Sql;
use crate::schema::comments;

/// The conditions for comments in a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CommentFilter {
    pub(crate) viewer: UserId,
    pub(crate) hidden: HiddenComments,
}

impl CommentFilter {
    /// The filter that leaves out all comments across a block.
    pub(crate) fn visible_to(viewer: UserId) -> Self {
        Self { viewer, hidden: HiddenComments::LeftOut }
    }

    /// True if the row `comment` is not deleted, and there is no block between the viewer and its author.
    pub(crate) fn is_visible(self, comment: &str) -> Sql {
        let author = Sql::new(format!("{comment}.author_id"));
        Sql::new(format!("({comment}.deleted_at IS NULL AND "))
            .append(Sql::not_blocked(Viewer::User(self.viewer), author))
            .sql(")")
    }

    /// True if the row `comment` is in the list: it is visible, or has a placeholder.
    pub(crate) fn is_listed(self, comment: &str) -> Sql {
        match self.hidden {
            HiddenComments::LeftOut => self.is_visible(comment),
            HiddenComments::Placeholders => Sql::new("(")
                .append(self.is_visible(comment))
                .sql(" OR ")
                .append(self.has_visible_replies(comment))
                .sql(format!(" AND {comment}.deleted_at IS NULL)")),
        }
    }

    /// True if a reply to the row `comment` is visible, or one below a reply across a block. Reads the replies until it
    /// finds one, level by level, and none below a visible one.
    pub(crate) fn has_visible_replies(self, comment: &str) -> Sql {
        let replies = || {
            Sql::new("SELECT reply.id, ")
                .append(self.is_visible("reply"))
                .sql(" AS is_visible FROM ")
        };
        Sql::new("EXISTS (WITH RECURSIVE below AS (")
            .append(replies())
            .sql(format!("comments AS reply WHERE reply.parent_id = {comment}.id \
                          AND reply.deleted_at IS NULL UNION ALL "))
            .append(replies())
            .sql("below JOIN comments AS reply ON reply.parent_id = below.id ")
            .sql("WHERE NOT below.is_visible AND reply.deleted_at IS NULL) SELECT FROM below WHERE is_visible)")
    }

    /// The number of replies to a row of `comments` that the list of replies shows.
    pub(crate) fn reply_count(self) -> ReplyCount {
        let replies = "(SELECT count(*) FROM comments AS replies \
                       WHERE replies.parent_id = comments.id AND ";
        ReplyCount(Sql::new(replies).append(self.is_listed("replies")).sql(")"))
    }

    /// Like [`CommentFilter::reply_count`], with placeholders if the viewer wrote the post of the row, for queries that do
    /// not know the post.
    pub(crate) fn reply_count_on_any_post(viewer: UserId) -> ReplyCount {
        let count = |hidden| Self { viewer, hidden }.reply_count().0;
        let count =
            Sql::new("(CASE WHEN (SELECT author_id FROM posts WHERE id = comments.post_id) = ")
                .value(viewer)
                .sql(" THEN ")
                .append(count(HiddenComments::Placeholders))
                .sql(" ELSE ")
                .append(count(HiddenComments::LeftOut))
                .sql(" END)");
        ReplyCount(count)
    }
}

/// The number of replies to a row of `comments`. See [`CommentFilter::reply_count`].
#[derive(Debug, Clone)]
pub(crate) struct ReplyCount(Sql);

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

/// The SQL depends on the filter, so the type does not identify a statement.
impl QueryId for ReplyCount {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Pg> for ReplyCount {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}
