//! The parts of a profile that the older Grateful stored as JSON.

use grateful_domain::{Institutions, Location, Preferences, Websites};
use serde_json::{Map, Value};
use url::Url;

use crate::report::Notes;
use crate::text::{self, quoted};

/// The JSON of a column. Columns without a value hold NULL or JSON `null`.
pub(crate) fn parse(json: Option<&str>) -> Option<Value> {
    json.and_then(|json| serde_json::from_str(json).ok()).filter(|value: &Value| !value.is_null())
}

/// The names of institutions.
pub(crate) fn institutions(json: Option<&str>, notes: &mut Notes) -> Option<Institutions> {
    let entries = match parse(json)? {
        Value::Array(entries) => entries,
        text @ Value::String(_) => {
            notes.add("institutions → a list of one", "a text, not a list");
            vec![text]
        }
        _ => {
            notes.add("institutions → NULL", "not a list");
            return None;
        }
    };
    let mut names = Vec::new();
    for entry in &entries {
        let Some(name) = entry.as_str() else {
            notes.add(format!("institution {entry} left out"), "not a text");
            continue;
        };
        let mut name = text::line(name).text;
        if Institutions::MAX_CHARS < name.chars().count() {
            name = name.chars().take(Institutions::MAX_CHARS).collect();
            let max = Institutions::MAX_CHARS;
            notes.add(format!("an institution cut to {max} characters"), "too long");
        }
        // Blank entries are dropped by `parse`.
        let parsed = Institutions::parse(&[name]);
        names.extend(parsed.into_iter().flat_map(|parsed| parsed.as_slice().to_vec()));
    }
    keep_first(&mut names, Institutions::MAX_ENTRIES, "institutions", notes);
    Some(Institutions::from_stored(names))
}

/// The websites that lead somewhere.
pub(crate) fn websites(json: Option<&str>, notes: &mut Notes) -> Option<Websites> {
    let Value::Array(entries) = parse(json)? else {
        notes.add("websites → NULL", "not a list");
        return None;
    };
    let mut urls = Vec::new();
    for entry in &entries {
        match entry.as_str() {
            None => notes.add(format!("website {entry} left out"), "not a text"),
            Some(raw) => urls.extend(website(raw, notes)),
        }
    }
    keep_first(&mut urls, Websites::MAX_ENTRIES, "websites", notes);
    Some(Websites::from_stored(urls))
}

fn website(raw: &str, notes: &mut Notes) -> Option<String> {
    let old = text::line(raw).text;
    if old.is_empty() {
        return None;
    }
    let (mut url, mut why) = (old.clone(), "");
    if !has_scheme(&url) {
        url = format!("https://{url}");
        why = "scheme added";
    }
    if let Some(without) = without_user(&url) {
        url = without;
        why = "user and password removed";
    }
    let parsed = Websites::parse(std::slice::from_ref(&url));
    if !parsed.is_ok_and(|websites| !websites.as_slice().is_empty()) || !has_real_host(&url) {
        notes.add(format!("website {} left out", quoted(raw)), "not http(s), or no real host");
        return None;
    }
    if !why.is_empty() {
        notes.add(format!("website {} → {}", quoted(raw), quoted(&url)), why);
    }
    Some(url)
}

/// Whether a text begins with a scheme, and not with a host and a port.
fn has_scheme(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_port = rest.starts_with(|c: char| c.is_ascii_digit());
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+-".contains(c);
    !is_port && !scheme.is_empty() && scheme.chars().all(allowed)
}

/// Whether no label of the host begins or ends with a hyphen (RFC 952), which no name has that leads somewhere.
fn has_real_host(text: &str) -> bool {
    let url = Url::parse(text).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    host.split('.').all(|label| !label.starts_with('-') && !label.ends_with('-'))
}

/// The URL without its user and its password. `None` if it has neither.
fn without_user(text: &str) -> Option<String> {
    let mut url = Url::parse(text).ok()?;
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    url.set_username("").and_then(|()| url.set_password(None)).ok()?;
    Some(url.into())
}

fn keep_first(entries: &mut Vec<String>, max: usize, what: &str, notes: &mut Notes) {
    if max < entries.len() {
        notes.add(format!("{what}: first {max} of {} kept", entries.len()), "too many");
        entries.truncate(max);
    }
}

/// The location, with numbers as coordinates.
pub(crate) fn location(json: Option<&str>, notes: &mut Notes) -> Option<Location> {
    let Value::Object(mut location) = parse(json)? else {
        notes.add("location → NULL", "not an object");
        return None;
    };
    if location.is_empty() {
        return None;
    }
    if numbers_of_texts(&mut location) {
        notes.add("location: lat and lon → numbers", "were texts");
    }
    Location::parse(location)
        .inspect_err(|error| notes.add("location → NULL", error.to_string()))
        .ok()
}

/// Replaces coordinates that are texts by numbers. Returns whether there were any.
fn numbers_of_texts(location: &mut Map<String, Value>) -> bool {
    let mut is_changed = false;
    for key in ["lat", "lon"] {
        let text = location.get(key).and_then(Value::as_str);
        let number =
            text.and_then(|text| text.trim().parse().ok()).and_then(serde_json::Number::from_f64);
        if let Some(number) = number {
            location.insert(key.to_owned(), number.into());
            is_changed = true;
        }
    }
    is_changed
}

/// The preferences. `awaited` are the users whose requests wait for an answer of this one: ours would accept them by itself
/// unless the user approves followers.
pub(crate) fn preferences(
    json: Option<&str>,
    awaited: &[i64],
    notes: &mut Notes,
) -> Option<Preferences> {
    let old = match parse(json) {
        None => None,
        Some(Value::Object(preferences)) => {
            let parsed = Preferences::parse(preferences);
            parsed
                .inspect_err(|error| notes.add("profile_preferences → NULL", error.to_string()))
                .ok()
        }
        Some(_) => {
            notes.add("profile_preferences → NULL", "not an object");
            None
        }
    };
    let approves = old.as_ref().is_some_and(Preferences::approve_followers);
    let Some(first) = awaited.first().filter(|_| !approves) else { return old };
    let requests = match awaited.len() {
        1 => format!("the request of {first} waits for an answer"),
        count => format!("{count} requests wait for an answer"),
    };
    notes.add("profile_preferences: approve_followers set", requests);
    let mut preferences = old.map(|old| old.as_map().clone()).unwrap_or_default();
    preferences.insert("approve_followers".to_owned(), true.into());
    Some(Preferences::from_stored(preferences))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(r#"["A", "", "B"]"#, Some(&["A", "B"] as &[_]), &[])]
    #[case("null", None, &[])]
    #[case("[]", Some(&[] as &[_]), &[])]
    #[case(r#""One text""#, Some(&["One text"] as &[_]), &["institutions → a list of one | a text, not a list"])]
    #[case(r#"{"a": 1}"#, None, &["institutions → NULL | not a list"])]
    #[case(r#"[7, "A"]"#, Some(&["A"] as &[_]), &["institution 7 left out | not a text"])]
    fn institutions_are_a_list_of_texts(
        #[case] json: &str,
        #[case] expected: Option<&[&str]>,
        #[case] lines: &[&str],
    ) {
        let mut notes = Notes::default();
        let names = institutions(Some(json), &mut notes);

        assert_eq!(
            names.as_ref().map(Institutions::as_slice),
            expected
                .map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>())
                .as_deref()
        );
        assert_eq!(notes.lines(), lines);
    }

    #[test]
    fn long_lists_and_long_names_are_cut() {
        let mut notes = Notes::default();
        let long = vec!["x".repeat(101); 12];
        let names = institutions(Some(&json!(long).to_string()), &mut notes).unwrap();

        assert_eq!(names.as_slice(), vec!["x".repeat(100); 10]);
        assert_eq!(notes.lines().last().unwrap(), "institutions: first 10 of 12 kept | too many");
    }

    #[rstest]
    #[case("https://fine.test", Some("https://fine.test"), "")]
    #[case(
        "example.org/me",
        Some("https://example.org/me"),
        "website 'example.org/me' → 'https://example.org/me' | scheme added"
    )]
    #[case(
        "example.org:8080",
        Some("https://example.org:8080"),
        "website 'example.org:8080' → 'https://example.org:8080' | scheme added"
    )]
    #[case(
        "https://user:secret@ok.test/x",
        Some("https://ok.test/x"),
        "website 'https://user:secret@ok.test/x' → 'https://ok.test/x' | user and password removed"
    )]
    #[case(
        "javascript:alert(1)",
        None,
        "website 'javascript:alert(1)' left out | not http(s), or no real host"
    )]
    #[case(
        "ftp://files.test",
        None,
        "website 'ftp://files.test' left out | not http(s), or no real host"
    )]
    #[case(
        "http://-bad-.test",
        None,
        "website 'http://-bad-.test' left out | not http(s), or no real host"
    )]
    #[case("  ", None, "")]
    fn websites_lead_somewhere(#[case] raw: &str, #[case] url: Option<&str>, #[case] line: &str) {
        let mut notes = Notes::default();
        let urls = websites(Some(&json!([raw]).to_string()), &mut notes).unwrap();

        assert_eq!(urls.as_slice().first().map(String::as_str), url);
        assert_eq!(notes.lines(), Vec::from_iter(Some(line).filter(|line| !line.is_empty())));
    }

    #[rstest]
    #[case(json!({}), None, "")]
    #[case(json!({"display_name": "B", "lat": "52.5", "lon": "13.3"}), Some(52.5), "location: lat and lon → numbers | were texts")]
    #[case(json!({"display_name": "B", "lat": 1, "lon": 2}), Some(1.0), "")]
    #[case(json!({"display_name": "B", "lat": 91, "lon": 0}), None, "location → NULL | lat must be a number from -90 to 90")]
    #[case(json!(["B"]), None, "location → NULL | not an object")]
    fn a_location_has_numbers_within_range(
        #[case] json: Value,
        #[case] lat: Option<f64>,
        #[case] line: &str,
    ) {
        let mut notes = Notes::default();
        let found = location(Some(&json.to_string()), &mut notes);

        assert_eq!(found.and_then(|found| found.as_map()["lat"].as_f64()), lat);
        assert_eq!(notes.lines(), Vec::from_iter(Some(line).filter(|line| !line.is_empty())));
    }

    #[test]
    fn a_user_whose_requests_wait_approves_followers() {
        let mut notes = Notes::default();
        let theme = preferences(Some(r#"{"theme": "dark"}"#), &[13], &mut notes).unwrap();
        assert_eq!(json!(theme.as_map()), json!({"theme": "dark", "approve_followers": true}));
        assert_eq!(
            notes.lines(),
            ["profile_preferences: approve_followers set | the request of 13 waits for an answer"]
        );

        let mut notes = Notes::default();
        let approving = r#"{"approve_followers": true}"#;
        assert!(preferences(Some(approving), &[13], &mut notes).is_some());
        assert_eq!(preferences(Some(r#"["dark"]"#), &[], &mut notes), None);
        assert_eq!(notes.lines(), ["profile_preferences → NULL | not an object"]);
    }
}
