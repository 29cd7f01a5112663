//! Pieces of SQL that Diesel's DSL has no words for.

use chrono::{DateTime, Utc};
use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Text, Timestamptz, Uuid as SqlUuid};
use grateful_domain::{CommentId, NotificationId, PostId, UserId, Viewer};
use uuid::Uuid;

/// A piece of SQL with typed values; a condition, where it stands in Diesel's DSL. Unlike `diesel::dsl::sql`, it leaves the
/// statement prepared.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sql(Vec<Fragment>);

#[derive(Debug, Clone)]
enum Fragment {
    Text(String),
    Value(Value),
}

/// A value in a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Time(DateTime<Utc>),
    Id(Uuid),
    Ids(Vec<Uuid>),
    Number(i64),
    Numbers(Vec<i64>),
    Small(i32),
    Double(f64),
    Text(String),
}

impl Sql {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self::default().sql(text)
    }

    /// Goes on with this text.
    pub(crate) fn sql(mut self, text: impl Into<String>) -> Self {
        self.0.push(Fragment::Text(text.into()));
        self
    }

    /// Goes on with this value.
    pub(crate) fn value(mut self, value: impl Into<Value>) -> Self {
        self.0.push(Fragment::Value(value.into()));
        self
    }

    /// Goes on with this piece.
    pub(crate) fn append(mut self, fragment: Self) -> Self {
        self.0.extend(fragment.0);
        self
    }

    /// Whether no block stands between `viewer` and this person; always so for guests.
    pub(crate) fn not_blocked(viewer: Viewer, person: Self) -> Self {
        let Some(viewer) = viewer.user() else { return Self::new("true") };
        Self::new("(NOT (")
            .append(person.clone())
            .sql(" = ANY (SELECT followed_id FROM follows WHERE status = 'blocked' AND follower_id = ")
            .value(viewer)
            .sql(")) AND NOT (")
            .append(person)
            .sql(" = ANY (SELECT follower_id FROM follows WHERE status = 'blocked' AND followed_id = ")
            .value(viewer)
            .sql(")))")
    }
}

macro_rules! values {
    ($($from:ty => $variant:ident),+ $(,)?) => {
        $(
            impl From<$from> for Value {
                fn from(value: $from) -> Self {
                    Self::$variant(value.into())
                }
            }
        )+
    };
}

values! {
    DateTime<Utc> => Time,
    Uuid => Id,
    PostId => Id,
    CommentId => Id,
    NotificationId => Id,
    Vec<Uuid> => Ids,
    i64 => Number,
    UserId => Number,
    Vec<i64> => Numbers,
    i32 => Small,
    f64 => Double,
    String => Text,
}

impl Expression for Sql {
    type SqlType = Bool;
}

impl<Table> AppearsOnTable<Table> for Sql {}

impl<Table> SelectableExpression<Table> for Sql {}

impl<Grouped> ValidGrouping<Grouped> for Sql {
    type IsAggregate = is_aggregate::Never;
}

/// Its text depends on its parts, so its type does not tell one statement from another.
impl QueryId for Sql {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Pg> for Sql {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        for fragment in &self.0 {
            match fragment {
                Fragment::Text(text) => out.push_sql(text),
                Fragment::Value(Value::Time(time)) => {
                    out.push_bind_param::<Timestamptz, _>(time)?
                }
                Fragment::Value(Value::Id(id)) => out.push_bind_param::<SqlUuid, _>(id)?,
                Fragment::Value(Value::Ids(ids)) => {
                    out.push_bind_param::<Array<SqlUuid>, _>(ids)?
                }
                Fragment::Value(Value::Number(number)) => {
                    out.push_bind_param::<BigInt, _>(number)?
                }
                Fragment::Value(Value::Numbers(numbers)) => {
                    out.push_bind_param::<Array<BigInt>, _>(numbers)?;
                }
                Fragment::Value(Value::Small(number)) => {
                    out.push_bind_param::<Integer, _>(number)?
                }
                Fragment::Value(Value::Double(number)) => {
                    out.push_bind_param::<Double, _>(number)?
                }
                Fragment::Value(Value::Text(text)) => out.push_bind_param::<Text, _>(text)?,
            }
        }
        Ok(())
    }
}

diesel::define_sql_function! {
    /// The text in lower case; the columns it is used on fold ASCII letters alone.
    fn lower(text: Text) -> Text;
}
