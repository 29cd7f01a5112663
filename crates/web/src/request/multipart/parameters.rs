//! Parameters of a header value.

/// Iterates over the names and values of the parameters in `form-data; name="image"; filename="a.png"`.
///
/// Skips what it cannot read: clients send file names with any bytes and any quotes, and the server does not use them.
pub(super) struct Parameters<'v> {
    rest: &'v str,
}

impl<'v> Parameters<'v> {
    /// Reads the parameters of `value`, which follow its first semicolon.
    pub(super) fn of(value: &'v str) -> Self {
        Self { rest: value.split_once(';').unwrap_or_default().1 }
    }

    /// Returns the value of the first parameter with this name.
    pub(super) fn find(mut self, name: &str) -> Option<String> {
        self.find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
    }
}

impl<'v> Iterator for Parameters<'v> {
    type Item = (&'v str, String);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.rest = self.rest.trim_start_matches([';', ' ', '\t']);
            let (name, rest) = self.rest.split_at(self.rest.find(['=', ';'])?);
            self.rest = rest;
            if let Some(value) = rest.strip_prefix('=') {
                let (value, rest) = split_value(value.trim_start());
                self.rest = rest;
                return Some((name.trim_end(), value));
            }
        }
    }
}

/// Splits text that starts with the value of a parameter into the value, without its quotes, and the other parameters.
fn split_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = split_at_semicolon(text);
        return (value.trim_end().to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => value.extend(characters.next()),
            _ => value.push(character),
        }
    }
    (value, split_at_semicolon(characters.as_str()).1)
}

fn split_at_semicolon(text: &str) -> (&str, &str) {
    text.split_at(text.find(';').unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::none("form-data", &[])]
    #[case::token("form-data; name=a", &[("name", "a")])]
    #[case::quoted(r#"form-data; name="a; b=c""#, &[("name", "a; b=c")])]
    #[case::escaped(r#"form-data; name="a\"b\\""#, &[("name", r#"a"b\"#)])]
    #[case::spaces("form-data ;\tname = a ; other = \"b\" ", &[("name", "a"), ("other", "b")])]
    #[case::no_value("form-data; a; ; name=b; c", &[("name", "b")])]
    #[case::empty("form-data; name=\"\"; filename=", &[("name", ""), ("filename", "")])]
    #[case::unescaped_quotes(r#"x; filename="a"b"c.png"; name="d""#, &[("filename", "a"), ("name", "d")])]
    #[case::open_quotes(r#"x; name="a"; filename="b"#, &[("name", "a"), ("filename", "b")])]
    #[case::open_escape(r#"x; name="a"; filename="b\"#, &[("name", "a"), ("filename", "b")])]
    fn parameters_are_read(#[case] value: &str, #[case] expected: &[(&str, &str)]) {
        let parameters: Vec<_> = Parameters::of(value).collect();

        let parameters: Vec<_> = parameters.iter().map(|(n, value)| (*n, value.as_str())).collect();
        assert_eq!(parameters, expected);
    }

    #[test]
    fn the_first_of_repeated_parameters_counts_and_names_ignore_case() {
        let value = "multipart/form-data; BOUNDARY=a; boundary=b";

        assert_eq!(Parameters::of(value).find("boundary"), Some("a".to_owned()));
        assert_eq!(Parameters::of(value).find("charset"), None);
    }
}
