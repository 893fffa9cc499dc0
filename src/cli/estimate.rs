//! `estimate`.

use super::args::{Estimate, Guess};
use super::out::{self, Failure};
use bellwether::replay::{self, FirstGuess, LoggedTarget, Question};
use bellwether::table::{LoggedColumns, LoggedReader};
use std::ops::ControlFlow;

/// Judges a target policy on logged bandit feedback.
pub(crate) fn estimate(arguments: &Estimate) -> Result<(), Failure> {
    let question = Question {
        target: arguments.target.parse()?,
        rows: arguments.rows.parse()?,
        regardless: arguments.regardless,
        first_guess: match arguments.first_guess {
            Guess::Capped => FirstGuess::Capped,
            Guess::Half => FirstGuess::Half,
        },
    };
    let columns = LoggedColumns::parse(&arguments.columns)?;
    let own = question.target == LoggedTarget::Columns;
    let reader = LoggedReader::open(&arguments.log, &columns, own)?;
    let bar = out::bar(reader.rows().unwrap_or(0), "reading");
    let watch = |progress: replay::Progress| {
        bar.set_position(progress.done as u64);
        ControlFlow::Continue(())
    };
    let report = replay::estimate(reader, &question, &watch);
    bar.finish_and_clear();
    let report = report?;
    out::write(arguments.format, &report, &report.to_string())
}
