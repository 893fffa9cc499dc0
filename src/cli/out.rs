//! Writing results to standard output and failures to standard error.

use super::args::Format;
use serde::Serialize;
use std::io::Write;

/// Why a command failed, for a person.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// Writes `text` or the JSON of `value`. A reader that has gone away (a closed pipe) is no failure.
pub(crate) fn write(format: Format, value: &impl Serialize, text: &str) -> Result<(), Failure> {
    match format {
        Format::Text => line(text),
        Format::Json => line(&serde_json::to_string_pretty(value)?),
    }
}

/// Writes a line.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    match writeln!(std::io::stdout().lock(), "{}", text.trim_end()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A bar on standard error while `total` things are done; hidden where that is no terminal.
#[cfg(feature = "analytics")]
pub(crate) fn bar(total: usize, what: &'static str) -> indicatif::ProgressBar {
    let bar = indicatif::ProgressBar::new(total as u64);
    if let Ok(style) = indicatif::ProgressStyle::with_template(
        "{msg} [{bar:32}] {human_pos}/{human_len} {elapsed} (left {eta})",
    ) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(what);
    bar
}
