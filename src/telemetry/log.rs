//! Logs: one subscriber for the process, lines to standard error.
//!
//! A line that is logged while a call is served carries the call's `request_id`, which its reply carries as
//! `x-request-id`: the caller's, where it sent one, else ours. Lines about a decision name it (`decision`). There is no
//! line for each call: that is what metrics and the journal are for, and a release build has no debug lines at all.
//!
//! Invariants: standard output belongs to results, so nothing is logged there; the level is the
//! operator's alone (no environment variable is read); a line has at most one `request_id`.
//!
//! Not here: what is logged (each module at its edge), which call a task is at (`current`).

use super::call_id::CallId;
use super::current::call;
use std::fmt;
use std::io::IsTerminal;
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// Name of the field that tells a line's call.
const REQUEST_ID: &str = "request_id";

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Logging could not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The process has a subscriber already.
    #[error("logging was started before: allowed once a process")]
    Started,
}

/// Starts logging, once a process.
pub fn init(format: Format, level: LevelFilter) -> Result<(), Error> {
    let ansi = std::io::stderr().is_terminal();
    let lines = lines(format, level, ansi, std::io::stderr);
    lines.try_init().map_err(|_| Error::Started)
}

/// What writes lines to `writer`, in colours where `ansi` says so. For who wants them elsewhere than [`init`] does.
pub fn lines<W>(format: Format, level: LevelFilter, ansi: bool, writer: W) -> Dispatch
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(ansi)
        .with_writer(writer);
    match format {
        Format::Text => Dispatch::new(
            lines
                .map_event_format(|inner| OfCall {
                    inner: inner.with_ansi(ansi),
                    format,
                })
                .finish(),
        ),
        Format::Json => Dispatch::new(
            lines
                .json()
                .flatten_event(true)
                .map_event_format(|inner| OfCall { inner, format })
                .finish(),
        ),
    }
}

/// Lines with the id of the call that they are of.
struct OfCall<F> {
    inner: F,
    format: Format,
}

impl<S, N, F> FormatEvent<S, N> for OfCall<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let said = event.metadata().fields().field(REQUEST_ID).is_some();
        let Some(id) = call().filter(|_| !said) else {
            return self.inner.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.inner
            .format_event(context, Writer::new(&mut line), event)?;
        writer.write_str(&named(&line, id, self.format))
    }
}

/// A line with the id of its call.
fn named(line: &str, id: CallId, format: Format) -> String {
    match (format, line.strip_prefix('{')) {
        (Format::Json, Some(rest)) => format!("{{\"{REQUEST_ID}\":\"{id}\",{rest}"),
        _ => format!("{} {REQUEST_ID}={id}\n", line.trim_end_matches('\n')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::within_call;
    use std::io;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::fmt::MakeWriter;

    #[test]
    fn logging_starts_once_a_process() {
        // Another test of this process may have been first; the second call here cannot be.
        let _ = init(Format::Json, LevelFilter::ERROR);
        assert!(matches!(
            init(Format::Text, LevelFilter::ERROR),
            Err(Error::Started)
        ));
    }

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Kept {
        type Writer = Self;
        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    /// What `work` logs: each line must end with the expected text.
    fn check(format: Format, work: impl FnOnce(), expected: &[&str]) {
        let kept = Kept::default();
        let lines = lines(format, LevelFilter::INFO, false, kept.clone());
        tracing::dispatcher::with_default(&lines, work);
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), expected.len(), "{text}");
        for (line, expected) in text.lines().zip(expected) {
            assert!(line.ends_with(expected), "{line}");
        }
    }

    #[test]
    fn a_line_of_a_call_carries_its_id_and_another_does_not() {
        let work = || {
            within_call(CallId::new(0xab), || {
                tracing::error!(decision = 7, "a full disk")
            });
            tracing::error!("of nobody");
        };
        let expected = [
            "a full disk decision=7 request_id=00000000000000ab",
            "of nobody",
        ];
        check(Format::Text, work, &expected);
    }

    #[test]
    fn an_id_that_the_line_names_itself_is_not_said_twice() {
        let work = || {
            within_call(CallId::new(1), || {
                tracing::error!(request_id = "mine", "once")
            })
        };
        check(Format::Text, work, &["once request_id=\"mine\""]);
    }

    #[test]
    fn a_line_in_json_stays_one_object() {
        let kept = Kept::default();
        let lines = lines(Format::Json, LevelFilter::INFO, false, kept.clone());
        let said = CallId::said("r-1").unwrap();
        tracing::dispatcher::with_default(&lines, || {
            within_call(said, || tracing::error!("a full disk"));
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert!(
            text.starts_with("{\"request_id\":\"r-1\",\"timestamp\":\""),
            "{text}"
        );
        let mut line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(line["timestamp"].take().is_string());
        let expected = serde_json::json!({
            "request_id": "r-1",
            "timestamp": null,
            "level": "ERROR",
            "message": "a full disk",
            "target": module_path!(),
        });
        assert_eq!(line, expected);
    }
}
