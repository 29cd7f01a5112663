//! Fragments of SQL that Diesel's DSL cannot express.

use chrono::{DateTime, Utc};
use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Text, Timestamptz, Uuid as SqlUuid};
use grateful_domain::{CommentId, NotificationId, PostId, UserId};
use uuid::Uuid;

/// A fragment of SQL with typed values. In Diesel's DSL it is a condition. Unlike `diesel::dsl::sql`, it does not keep the
/// statement from being prepared.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sql(Vec<Fragment>);

#[derive(Debug, Clone)]
enum Fragment {
    Text(String),
    Value(Value),
}

/// A bound value.
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
    Texts(Vec<String>),
}

impl Sql {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self::default().sql(text)
    }

    /// Appends text.
    pub(crate) fn sql(mut self, text: impl Into<String>) -> Self {
        self.0.push(Fragment::Text(text.into()));
        self
    }

    /// Appends a bound value.
    pub(crate) fn value(mut self, value: impl Into<Value>) -> Self {
        self.0.push(Fragment::Value(value.into()));
        self
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
    Vec<String> => Texts,
}

impl Expression for Sql {
    type SqlType = Bool;
}

impl<Table> AppearsOnTable<Table> for Sql {}

impl<Table> SelectableExpression<Table> for Sql {}

impl<Grouped> ValidGrouping<Grouped> for Sql {
    type IsAggregate = is_aggregate::Never;
}

/// The SQL depends on the fragments, so the type does not identify a statement.
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
                    out.push_bind_param::<Timestamptz, _>(time)?;
                }
                Fragment::Value(Value::Id(id)) => out.push_bind_param::<SqlUuid, _>(id)?,
                Fragment::Value(Value::Ids(ids)) => {
                    out.push_bind_param::<Array<SqlUuid>, _>(ids)?;
                }
                Fragment::Value(Value::Number(number)) => {
                    out.push_bind_param::<BigInt, _>(number)?;
                }
                Fragment::Value(Value::Numbers(numbers)) => {
                    out.push_bind_param::<Array<BigInt>, _>(numbers)?;
                }
                Fragment::Value(Value::Small(number)) => {
                    out.push_bind_param::<Integer, _>(number)?;
                }
                Fragment::Value(Value::Double(number)) => {
                    out.push_bind_param::<Double, _>(number)?;
                }
                Fragment::Value(Value::Text(text)) => out.push_bind_param::<Text, _>(text)?,
                Fragment::Value(Value::Texts(texts)) => {
                    out.push_bind_param::<Array<Text>, _>(texts)?;
                }
            }
        }
        Ok(())
    }
}

diesel::define_sql_function! {
    /// Converts text to lower case. The columns that use it have a collation that folds only ASCII letters.
    fn lower(text: Text) -> Text;
}
