//! Log lines in JSON.
//!
//! The lines equal those of `tracing_subscriber`'s own JSON format, which a test compares byte for byte. That format keeps
//! the fields of a span as text, and parses the text again for every line; it took half of the time of a request without
//! a database.

use std::fmt::{self, Debug};
use std::io;

use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing::{Event, Subscriber};
use tracing_log::NormalizeEvent as _;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Formats an event as one JSON object: time, level, the event's fields, target, and the innermost span.
pub(super) struct JsonLine;

impl<S> FormatEvent<S, JsonMembers> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonMembers>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        // Events of the `log` crate have their target in a field.
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
        writer.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut writer)?;
        write!(writer, "\",\"level\":\"{}\"", metadata.level())?;
        let mut members = Members { writer: writer.by_ref(), is_first: false, result: Ok(()) };
        event.record(&mut members);
        members.result?;
        writer.write_str(",\"target\":")?;
        write_text(&mut writer, metadata.target())?;
        let span =
            event.parent().and_then(|id| context.span(id)).or_else(|| context.lookup_current());
        if let Some(span) = span {
            writer.write_str(",\"span\":{")?;
            if let Some(members) = span.extensions().get::<FormattedFields<JsonMembers>>()
                && !members.is_empty()
            {
                writer.write_str(members)?;
                writer.write_char(',')?;
            }
            writer.write_str("\"name\":")?;
            write_text(&mut writer, span.name())?;
            writer.write_char('}')?;
        }
        writer.write_str("}\n")
    }
}

/// Formats the fields of a span as the members of a JSON object, without its braces.
pub(super) struct JsonMembers;

impl<'w> FormatFields<'w> for JsonMembers {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut members = Members { writer, is_first: true, result: Ok(()) };
        fields.record(&mut members);
        members.result
    }

    fn add_fields(
        &self,
        current: &'w mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        let is_first = current.is_empty();
        let mut members = Members { writer: current.as_writer(), is_first, result: Ok(()) };
        fields.record(&mut members);
        members.result
    }
}

/// Writes fields as members of a JSON object.
struct Members<'w> {
    writer: Writer<'w>,
    /// Whether the next member is the first of its object.
    is_first: bool,
    result: fmt::Result,
}

impl Members<'_> {
    fn write(
        &mut self,
        field: &Field,
        value: impl FnOnce(Utf8Writer<'_, '_>) -> serde_json::Result<()>,
    ) {
        if self.result.is_ok() {
            self.result = self.try_write(field, value);
        }
    }

    fn try_write(
        &mut self,
        field: &Field,
        value: impl FnOnce(Utf8Writer<'_, '_>) -> serde_json::Result<()>,
    ) -> fmt::Result {
        if !std::mem::take(&mut self.is_first) {
            self.writer.write_char(',')?;
        }
        write_text(&mut self.writer, field.name())?;
        self.writer.write_char(':')?;
        value(Utf8Writer(&mut self.writer)).map_err(|_| fmt::Error)
    }
}

impl Visit for Members<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.write(field, |writer| serde_json::to_writer(writer, &value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.write(field, |writer| serde_json::to_writer(writer, &value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.write(field, |writer| serde_json::to_writer(writer, &value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.write(field, |writer| serde_json::to_writer(writer, &value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.write(field, |writer| serde_json::to_writer(writer, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.write(field, |writer| serde_json::to_writer(writer, &format_args!("{value:?}")));
    }
}

/// Writes a JSON string.
fn write_text(writer: &mut Writer<'_>, text: &str) -> fmt::Result {
    serde_json::to_writer(Utf8Writer(writer), text).map_err(|_| fmt::Error)
}

/// Lets `serde_json` write to a text.
struct Utf8Writer<'a, 'w>(&'a mut Writer<'w>);

impl io::Write for Utf8Writer<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = str::from_utf8(bytes).map_err(io::Error::other)?;
        self.0.write_str(text).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Buffer {
        /// The lines without their timestamps.
        fn lines(&self) -> Vec<String> {
            let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            let (head, tail) = ("{\"timestamp\":\"".len(), "0000-00-00T00:00:00.000000Z".len());
            text.lines().map(|line| format!("{}{}", &line[..head], &line[head + tail..])).collect()
        }
    }

    #[test]
    fn lines_equal_those_of_the_library() {
        let (ours, theirs) = (Buffer::default(), Buffer::default());
        let (our_writer, their_writer) = (ours.clone(), theirs.clone());
        let subscriber = tracing_subscriber::registry()
            .with(
                tracing_subscriber::fmt::layer()
                    .fmt_fields(JsonMembers)
                    .event_format(JsonLine)
                    .with_writer(move || our_writer.clone()),
            )
            .with(
                tracing_subscriber::fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_span_list(false)
                    .with_writer(move || their_writer.clone()),
            );

        tracing::subscriber::with_default(subscriber, || {
            let error = io::Error::other("a \"quoted\" cause");
            tracing::info!(
                http.method = "GET",
                status = 200_u16,
                user.id = Some(-7_i64),
                none = None::<i64>,
                large = u64::MAX,
                duration_ms = 0.25,
                whole = 3.0,
                infinite = f64::INFINITY,
                is_ok = true,
                debug = ?["a\\b", "\u{1}\n\t"],
                display = %"über \u{2028}",
                error = &error as &dyn std::error::Error,
                "GET {} \"{}\"",
                "/posts/{id}",
                200
            );
            tracing::warn!("Without fields");
            let span = tracing::info_span!("request", id = %"a-1", later = tracing::field::Empty);
            span.in_scope(|| tracing::error!(n = 1, "In a span"));
            span.record("later", "now \"then\"");
            span.in_scope(|| {
                tracing::debug!(target: "other \"target\"", "In a span with more fields");
                tracing::info_span!("inner").in_scope(|| tracing::trace!("In two spans"));
            });
            tracing::info_span!("bare", later = tracing::field::Empty).in_scope(|| {
                tracing::Span::current().record("later", 5);
                tracing::info!(parent: &span, "Of another span");
                tracing::info!("Of this span");
            });
        });

        assert_eq!(theirs.lines().len(), 7, "{:#?}", theirs.lines());
        assert_eq!(ours.lines(), theirs.lines());
    }
}
