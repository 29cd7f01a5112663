//! Hand-written statements, for what Diesel's DSL cannot express: mostly several changes in one statement, so that rows are
//! locked no longer than necessary.

/// Declares a statement with typed values and columns. Unlike `sql_query`, the statement is prepared once per connection.
///
/// The text refers to the fields as `$1`, `$2` and so on, in their order.
macro_rules! statement {
    (
        $(#[$doc:meta])*
        $seen:vis $name:ident($($field:ident: $rust:ty as $sql:ty),+) -> $columns:ty { $text:expr }
    ) => {
        $(#[$doc])*
        #[derive(diesel::query_builder::QueryId)]
        $seen struct $name {
            $($seen $field: $rust),+
        }

        impl diesel::query_builder::Query for $name {
            type SqlType = $columns;
        }

        impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for $name {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
            ) -> diesel::QueryResult<()> {
                // Diesel numbers bound values in the order of their first use, so all are bound here once, in field order.
                out.push_sql("WITH given AS (SELECT ");
                let mut separator = "";
                $(
                    out.push_sql(separator);
                    out.push_bind_param::<$sql, _>(&self.$field)?;
                    separator = ", ";
                )+
                _ = separator;
                out.push_sql("), ");
                out.push_sql($text);
                Ok(())
            }
        }
    };
}

pub(crate) use statement;
