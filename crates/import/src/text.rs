//! Texts of the older Grateful, which stored them as they were sent.

use chrono::{DateTime, SecondsFormat, Utc};
use unicode_normalization::UnicodeNormalization;

use crate::report::Notes;

/// A text in the form of ours: trimmed, composed, with line feeds alone and without control characters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cleaned {
    pub(crate) text: String,
    /// Whether characters were removed, other than line ends and tabs, which are replaced.
    pub(crate) is_cut: bool,
}

/// Cleans a text that may have several lines.
pub(crate) fn lines(raw: &str) -> Cleaned {
    let replaced = raw.replace("\r\n", "\n").replace(['\r', '\u{85}'], "\n").replace('\t', " ");
    clean(&replaced, |c| c.is_control() && c != '\n')
}

/// Cleans a text of one line.
pub(crate) fn line(raw: &str) -> Cleaned {
    clean(&raw.replace(['\r', '\n', '\t', '\u{85}'], " "), char::is_control)
}

/// Cleans a name, which has no characters that change the direction of the text around it either.
pub(crate) fn name(raw: &str) -> Cleaned {
    clean(&raw.replace(['\r', '\n', '\t', '\u{85}'], " "), |c| c.is_control() || turns(c))
}

/// Whether a character is a control of the direction (Unicode Standard Annex 9, section 2).
fn turns(c: char) -> bool {
    matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn clean(text: &str, is_removed: impl Fn(char) -> bool) -> Cleaned {
    let kept: String = text.chars().filter(|c| !is_removed(*c)).collect();
    Cleaned { is_cut: kept.len() != text.len(), text: kept.trim().nfc().collect() }
}

/// A text that the operator sees in quotes.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.escape_debug())
}

/// Not later than `now`: a time that lies ahead would keep its row at the head of every list until then.
pub(crate) fn not_ahead(at: DateTime<Utc>, now: DateTime<Utc>, notes: &mut Notes) -> DateTime<Utc> {
    if at <= now {
        return at;
    }
    let day = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    notes.add("created_at → the moment of the import", format!("{day} lies ahead"));
    now
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::carriage_returns("a\r\nb\rc", "a\nb\nc", false)]
    #[case::tabs_and_space_around(" \ta\tb\n ", "a b", false)]
    #[case::decomposed("e\u{301}te\u{301}", "été", false)]
    #[case::a_bell("\u{200B}quiet\u{7}bell", "\u{200B}quietbell", true)]
    #[case::direction_is_kept_in_texts("Party\u{202E}yt", "Party\u{202E}yt", false)]
    fn texts_keep_all_that_can_be_read(
        #[case] raw: &str,
        #[case] text: &str,
        #[case] is_cut: bool,
    ) {
        assert_eq!(lines(raw), Cleaned { text: text.to_owned(), is_cut });
    }

    #[test]
    fn a_line_has_no_line_ends_and_a_name_no_controls_of_direction() {
        assert_eq!(line("a\r\nb"), Cleaned { text: "a  b".to_owned(), is_cut: false });
        assert_eq!(name("Party\u{202E}yt"), Cleaned { text: "Partyyt".to_owned(), is_cut: true });
    }

    #[test]
    fn only_a_time_that_lies_ahead_is_replaced() {
        let now = DateTime::UNIX_EPOCH;
        let mut notes = Notes::default();
        assert_eq!(not_ahead(now, now, &mut notes), now);
        assert_eq!(notes.lines(), [""; 0]);

        assert_eq!(not_ahead(now + chrono::TimeDelta::days(1), now, &mut notes), now);
        assert_eq!(
            notes.lines(),
            ["created_at → the moment of the import | 1970-01-02T00:00:00Z lies ahead"]
        );
    }
}
