//! Functions of PostgreSQL that Diesel does not declare.

use diesel::sql_types::Text;

diesel::define_sql_function! {
    /// Converts text to lower case. The columns that use it have a collation that folds only ASCII letters.
    fn lower(text: Text) -> Text;
}
