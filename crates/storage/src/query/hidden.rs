//! Users who are hidden from a viewer.

use diesel::expression::ValidGrouping;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Nullable};

/// True if `user` is not hidden from the viewer: there is no block between them, and the account is not deleted. Guests have
/// no blocks. The rule is the function `hidden_users` of the database; hand-written statements name it too.
pub(crate) fn not_hidden<User>(viewer: Option<i64>, user: User) -> NotHidden<User> {
    NotHidden { viewer, user }
}

/// The result of [`not_hidden`].
#[derive(Debug, Clone, Copy, QueryId, ValidGrouping)]
pub(crate) struct NotHidden<User> {
    viewer: Option<i64>,
    user: User,
}

impl<User: Expression> Expression for NotHidden<User> {
    type SqlType = Bool;
}

impl<User: AppearsOnTable<Table>, Table> AppearsOnTable<Table> for NotHidden<User> {}

impl<User: SelectableExpression<Table>, Table> SelectableExpression<Table> for NotHidden<User> {}

impl<User: QueryFragment<Pg>> QueryFragment<Pg> for NotHidden<User> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        // One hashed lookup for a whole list. `<> ALL` would search the users again for every row.
        out.push_sql("NOT (");
        self.user.walk_ast(out.reborrow())?;
        out.push_sql(" = ANY (SELECT user_id FROM hidden_users(");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.viewer)?;
        out.push_sql(")))");
        Ok(())
    }
}
