//! `seed`: an outcome table into a stopped server's journal.

use super::args::Seed;
use super::drive::table;
use super::out::{self, Failure};
use bellwether::clock::SystemClock;
use bellwether::config;
use bellwether::seed::{self, Options};

/// Teaches a team an outcome table.
pub(crate) async fn seed(arguments: &Seed) -> Result<(), Failure> {
    let params = config::load(&arguments.config.config);
    let params = params.map_err(|problems| config::render(&problems))?;
    let options = Options {
        team: arguments.team.clone(),
        prompts: arguments.rows,
        signals: pairs("--signal", "COLUMN_OR_SCORE=SIGNAL", &arguments.signals)?,
        arms: pairs("--arm", "TABLE_NAME=ARM", &arguments.arms)?,
        weight: arguments.weight,
    };
    let table = table(&arguments.outcomes, &arguments.columns)?;
    let bar = out::bar(table.prompts.len(), "seeding");
    let progress = |done: usize, total: usize| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let done = seed::seed(&params, &SystemClock, &table, &options, progress).await;
    bar.finish_and_clear();
    let done = done?;
    out::write(arguments.format, &done, &done.to_string())
}

/// Reads A=B, split at the last sign of equality, since names of models may have one.
fn pairs(field: &str, shape: &str, texts: &[String]) -> Result<Vec<(String, String)>, Failure> {
    let pair = |text: &String| match text.rsplit_once('=') {
        Some((from, to)) if !from.is_empty() && !to.is_empty() => {
            Ok((from.to_owned(), to.to_owned()))
        }
        _ => Err(format!("{field} is {text}: allowed {shape}").into()),
    };
    texts.iter().map(pair).collect()
}
