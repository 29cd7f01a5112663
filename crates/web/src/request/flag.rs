//! Booleans in text: in query parameters and in forms.

/// Parses a boolean: `true`, `1`, `yes`, `on` or `false`, `0`, `no`, `off`, in any case. Clients of the server that this
/// one replaced send `True` and `False`.
pub(crate) fn parse_flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_read_in_all_their_forms_and_in_any_case() {
        for text in ["true", "True", "TRUE", "1", "yes", "Yes", "on", "ON"] {
            assert_eq!(parse_flag(text), Some(true), "{text}");
        }
        for text in ["false", "False", "FALSE", "0", "no", "No", "off", "OFF"] {
            assert_eq!(parse_flag(text), Some(false), "{text}");
        }
        for text in ["", "2", "t", "truee", "ｔｒｕｅ"] {
            assert_eq!(parse_flag(text), None, "{text}");
        }
    }
}
