//! Hand-written statements, for what Diesel's DSL cannot express: several changes in one round trip, and reads whose plan
//! depends on how they are written.

/// Declares a statement with named, typed parameters and typed columns. Unlike `sql_query`, the statement is prepared once
/// per connection.
///
/// The text is one whole statement: a literal, a file (`include_str!`), or the result of a function. It is evaluated once. A
/// parameter is written `:name`.
macro_rules! statement {
    (
        $(#[$doc:meta])*
        $seen:vis $name:ident { $($param:ident: $rust:ty as $sql:ty),+ $(,)? } -> $columns:ty, $text:expr
    ) => {
        $(#[$doc])*
        #[derive(diesel::query_builder::QueryId)]
        $seen struct $name {
            $($seen $param: $rust),+
        }

        impl $name {
            /// The text, split at its parameters.
            fn text() -> &'static $crate::query::StatementText {
                use $crate::query::StatementText;
                static TEXT: std::sync::LazyLock<StatementText> = std::sync::LazyLock::new(|| {
                    StatementText::new(&[$(stringify!($param)),+], &$text)
                });
                &TEXT
            }
        }

        impl diesel::query_builder::Query for $name {
            type SqlType = $columns;
        }

        impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for $name {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
            ) -> diesel::QueryResult<()> {
                let text = Self::text();
                for part in text.parts() {
                    match *part {
                        $crate::query::Part::Sql(ref sql) => out.push_sql(sql),
                        $crate::query::Part::Param(name) => match name {
                            $(stringify!($param) => out.push_bind_param::<$sql, _>(&self.$param)?,)+
                            _ => {}
                        },
                    }
                }
                Ok(())
            }
        }

        #[cfg(test)]
        inventory::submit! {
            $crate::query::golden::Statement {
                name: stringify!($name),
                params: &[$((stringify!($param), stringify!($sql))),+],
                text: $name::text,
            }
        }
    };
}

pub(crate) use statement;

/// The text of a statement, ready to be sent.
#[derive(Debug)]
pub(crate) struct StatementText(Vec<Part>);

/// A part of a statement.
#[derive(Debug, PartialEq)]
pub(crate) enum Part {
    /// Text to send as it is.
    Sql(String),
    /// The first use of a parameter. Diesel binds the value and writes its number; later uses are text (`$1`).
    Param(&'static str),
}

impl StatementText {
    /// Splits a text at the first use of each parameter, and removes comments.
    pub(crate) fn new(params: &[&'static str], text: &str) -> Self {
        let (mut parts, mut sql, mut bound) = (vec![], String::new(), vec![]);
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let token = &rest[..token_len(rest, first)];
            rest = &rest[token.len()..];
            let Some(name) = token.strip_prefix(':').filter(|name| is_name(name)) else {
                sql.push_str(if token.starts_with("--") { "" } else { token });
                continue;
            };
            if let Some(index) = bound.iter().position(|it| *it == name) {
                sql.extend([String::from("$"), (index + 1).to_string()]);
            } else if let Some(param) = params.iter().find(|it| **it == name) {
                bound.push(name);
                parts.extend([Part::Sql(std::mem::take(&mut sql)), Part::Param(param)]);
            } else {
                // PostgreSQL refuses it, and the test of all statements names it.
                sql.push_str(token);
            }
        }
        parts.push(Part::Sql(sql));
        Self(parts)
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The parameters, in the order of their numbers.
    #[cfg(test)]
    pub(crate) fn params(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter_map(|part| match part {
            Part::Param(name) => Some(*name),
            Part::Sql(_) => None,
        })
    }

    /// The text as PostgreSQL receives it.
    #[cfg(test)]
    pub(crate) fn numbered(&self) -> String {
        let mut number = 0;
        let mut text = |part: &Part| match part {
            Part::Sql(sql) => sql.clone(),
            Part::Param(_) => {
                number += 1;
                format!("${number}")
            }
        };
        self.0.iter().map(&mut text).collect()
    }
}

/// The length of the token that starts with `first`: a comment, a quoted text, a cast, a parameter, or any other character.
fn token_len(text: &str, first: char) -> usize {
    let rest = &text[first.len_utf8()..];
    let to_end_of = |end: char| rest.find(end).map_or(text.len(), |at| at + 1 + end.len_utf8());
    match first {
        '-' if rest.starts_with('-') => rest.find('\n').map_or(text.len(), |at| at + 1),
        '\'' | '"' => to_end_of(first),
        ':' if rest.starts_with(':') => 2,
        ':' => 1 + rest.find(|c: char| !is_name_char(c)).unwrap_or(rest.len()),
        _ => first.len_utf8(),
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
}

const fn is_name_char(c: char) -> bool {
    matches!(c, 'a'..='z' | '0'..='9' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_bound_once_and_then_referred_to_by_its_number() {
        assert_eq!(numbered("SELECT :b, :a, :b"), "SELECT $1, $2, $1");
    }

    #[test]
    fn comments_are_removed_and_quoted_texts_and_casts_are_kept() {
        let text = "SELECT ':a --' || :a::text -- a comment with 'quotes' and :b\nFROM \":b\"";
        assert_eq!(numbered(text), "SELECT ':a --' || $1::text \nFROM \":b\"");
    }

    #[test]
    fn a_name_that_is_no_parameter_is_left_for_postgresql_to_refuse() {
        assert_eq!(numbered("SELECT :other"), "SELECT :other");
    }

    fn numbered(text: &str) -> String {
        StatementText::new(&["a", "b"], text).numbered()
    }
}
