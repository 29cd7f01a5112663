//! Statements that Diesel's DSL has no words for: several changes in one, so that a row is locked no longer than need be.

/// Declares a statement with typed values and columns. Unlike `sql_query`, it is prepared once for each connection.
///
/// Its text refers to the values as `$1`, `$2` and so on, in the order of the fields.
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
                // Diesel numbers values as it meets them: here, all of them, once.
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
