//! `drive`: an outcome table against a running server.

use super::args::{Drive, Remote, Switch};
use super::out::{self, Failure};
use bellwether::drive::{self, Options};
use bellwether::table::{Columns, Error, Keep, OutcomeTable};
use std::path::Path;

/// Reads a table with a line on the prompts that were left out.
pub(crate) fn table(path: &Path, columns: &super::args::Columns) -> Result<OutcomeTable, Failure> {
    Ok(some_arms(path, columns, &Keep::default())?)
}

/// The same with some of the arms.
pub(crate) fn some_arms(
    path: &Path,
    columns: &super::args::Columns,
    keep: &Keep,
) -> Result<OutcomeTable, Error> {
    let table = OutcomeTable::read_some(path, &Columns::parse(&columns.map)?, keep)?;
    if table.dropped > 0 {
        let (dropped, name) = (table.dropped, &table.name);
        eprintln!("{name}: {dropped} prompts left out, some arm has no score on them");
    }
    Ok(table)
}

/// Plays the table, or prints the configuration that matches it.
pub(crate) async fn drive(arguments: &Drive) -> Result<(), Failure> {
    if let Some(path) = &arguments.print_config {
        let table = table(path, &arguments.columns)?;
        let text = drive::configuration(
            &table,
            arguments.lambda,
            &drive::folder(&table),
            "linear-thompson",
        )?;
        return out::line(&text);
    }
    let Some(path) = &arguments.outcomes else {
        return Err("--outcomes is missing: the table to play".into());
    };
    if !(0.0..=1.0).contains(&arguments.feedback_loss) {
        let given = arguments.feedback_loss;
        return Err(format!("--feedback-loss is {given}: allowed 0 to 1").into());
    }
    let table = table(path, &arguments.columns)?;
    let Remote { addr, key, tls } = &arguments.remote;
    let options = Options {
        address: addr.clone(),
        key: key.clone(),
        trust: tls.trust(),
        team: arguments.team.clone(),
        seed: arguments.seed,
        limit: arguments.limit,
        feedback_delay: arguments.feedback_delay,
        feedback_loss: arguments.feedback_loss,
        lambda: arguments.lambda,
        task_label: arguments.task_label == Switch::On,
    };
    let bar = out::bar(table.prompts.len(), "driving");
    let progress = |done: usize, total: usize| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let report = drive::play(&table, &options, progress).await;
    bar.finish_and_clear();
    let report = report?;
    out::write(arguments.format, &report, &report.text())
}
