//! `seed`: an outcome table, or published rates, into a stopped server's journal.

use super::args::Seed;
use super::drive::table;
use super::out::{self, Failure};
use bellwether::clock::SystemClock;
use bellwether::config;
use bellwether::seed::{self, Options, Rates};
use bellwether::table::Layout;
use std::path::Path;

/// Teaches a team an outcome table, or published rates.
pub(crate) async fn seed(arguments: &Seed) -> Result<(), Failure> {
    let params = config::load(&arguments.config.config);
    let params = params.map_err(|problems| config::render(&problems))?;
    let signals = pairs("--signal", "COLUMN_OR_SCORE=SIGNAL", &arguments.signals)?;
    let arms = pairs("--arm", "TABLE_NAME=ARM", &arguments.arms)?;
    match (&arguments.outcomes, &arguments.priors) {
        (Some(file), _) => {
            let options = Options {
                team: arguments.team.clone(),
                prompts: arguments.rows,
                signals,
                arms,
                weight: arguments.weight,
            };
            outcomes(&params, arguments, file, &options).await
        }
        (None, Some(file)) => {
            let mut layout = Layout::parse(&arguments.columns.map)?;
            layout.percent = arguments.percent;
            layout.only = pairs("--where", "COLUMN=VALUE", &arguments.only)?;
            let options = Rates {
                team: arguments.team.clone(),
                file: file.clone(),
                layout,
                signals,
                arms,
                pseudo_count: arguments.pseudo_count,
            };
            let done = seed::teach_rates(&params, &SystemClock, &options).await?;
            out::write(arguments.format, &done, &done.to_string())
        }
        (None, None) => Err("--outcomes or --priors is missing: what to teach".into()),
    }
}

async fn outcomes(
    params: &config::Params,
    arguments: &Seed,
    file: &Path,
    options: &Options,
) -> Result<(), Failure> {
    let table = table(file, &arguments.columns)?;
    let bar = out::bar(table.prompts.len(), "seeding");
    let progress = |done: usize, total: usize| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let done = seed::seed(params, &SystemClock, &table, options, progress).await;
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
