//! `replay outcomes`, `replay traffic`, `traffic export`, `scorecard try`.

use super::args::{self, Export, Exported, Outcomes, Stream, Switch, Try};
use super::drive::some_arms;
use super::out::{self, Failure};
use bellwether::bandit::Policy;
use bellwether::config;
use bellwether::export::{self, Place, Wanted};
use bellwether::feature::Extractor;
use bellwether::id::Name;
use bellwether::replay::{
    self, Aim, Bench, Budget, Candidate, Drift, Guard, OutcomesReport, Params, Proposal,
    StreamParams, Sweep, TrafficQuestion,
};
use bellwether::report::{Judgement, Learned};
use bellwether::table::{Error, Keep, OutcomeTable, TrafficReader, write_judged};
use bellwether::unit::Timestamp;
use serde::Serialize;
use std::borrow::Cow;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Policies shown when none is named; every fixed arm comes besides.
const POLICIES: [&str; 6] = [
    "linear-thompson",
    "square-cb",
    "lin-ucb",
    "epsilon-greedy",
    "greedy",
    "uniform",
];

/// What to do about a table without a prompt that every arm has a score on.
const FEWER_ARMS: &str =
    "--min-coverage SHARE leaves out arms with few scores, --arms names those to play";

/// Streams an outcome table past policies.
pub(crate) fn outcomes(arguments: &Outcomes) -> Result<(), Failure> {
    // What is written on the command line is judged before the table is read.
    let params = Params {
        seeds: arguments.seeds,
        floor: arguments.floor,
        budget: None,
        stream: stream(&arguments.stream)?,
        incumbent: None,
    };
    let budgets = budgets(arguments)?;
    let pages = arguments.report.as_deref().map(pages).transpose()?;
    let mut policies = Vec::new();
    for text in &arguments.policies {
        policies.push(text.parse::<Policy>()?);
    }
    let table = table(arguments)?;
    if policies.is_empty() {
        policies = every_policy(&table)?;
    }
    let params = Params {
        incumbent: incumbent(arguments, &table)?,
        ..params
    };
    let extractor = Extractor::shipped()?;
    let label = arguments.task_label == Switch::On;
    let mut reports = Vec::new();
    for lambda in &arguments.lambda {
        let bench = Bench::new(&table, *lambda, &extractor, label)?;
        for budget in &budgets {
            let params = Params {
                budget: *budget,
                ..params.clone()
            };
            reports.push(play(&bench, &policies, &params)?);
        }
    }
    let sweep = Sweep::of(&reports);
    if let Some(last) = reports.last_mut() {
        last.sweep = sweep;
    }
    if let Some(pages) = &pages {
        let (reports, json) = (&reports[..], &*file_name(&pages.1));
        write_page(pages, &Learned { reports, json }.html(), &reports)?;
    }
    let text: Vec<String> = reports.iter().map(ToString::to_string).collect();
    out::write(arguments.format, &reports, &text.join("\n"))
}

/// Where the page goes, and its numbers beside it.
fn pages(page: &Path) -> Result<(PathBuf, PathBuf), Failure> {
    let beside = page.with_extension("json");
    let refused = |problem: &str| {
        let shown = page.display();
        format!("--report is {shown}: {problem}; allowed FILE.html in a folder that is there")
    };
    if page.extension().is_none_or(|ending| ending != "html") {
        return Err(refused("is no page").into());
    }
    let folder = page
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(refused("no such folder").into());
    }
    Ok((page.to_owned(), beside))
}

fn write_page(
    (page, beside): &(PathBuf, PathBuf),
    html: &str,
    numbers: &impl Serialize,
) -> Result<(), Failure> {
    let numbers = serde_json::to_string_pretty(numbers)?;
    for (path, text) in [(page, html), (beside, numbers.as_str())] {
        let failed = |error| format!("--report: {} was not written: {error}", path.display());
        std::fs::write(path, text).map_err(failed)?;
    }
    Ok(())
}

/// A file's name without its folder.
fn file_name(path: &Path) -> Cow<'_, str> {
    path.file_name().unwrap_or_default().to_string_lossy()
}

/// The table, with the arms that were asked for.
fn table(arguments: &Outcomes) -> Result<OutcomeTable, Failure> {
    let named = arguments.arms.iter().map(Name::new);
    let named: Vec<Name> = named.collect::<Result<_, _>>()?;
    let keep = Keep {
        arms: (!named.is_empty()).then_some(named),
        coverage: arguments.min_coverage,
    };
    let table = some_arms(&arguments.table, &arguments.columns, &keep);
    table.map_err(|error| match error {
        Error::Empty { .. } => Failure::from(format!("{error}; {FEWER_ARMS}")),
        other => other.into(),
    })
}

/// One report.
fn play(bench: &Bench, policies: &[Policy], params: &Params) -> Result<OutcomesReport, Failure> {
    let bar = out::bar(0, "replaying");
    let watch = |progress: replay::Progress| {
        bar.set_length(progress.total.unwrap_or(0) as u64);
        bar.set_position(progress.done as u64);
        ControlFlow::Continue(())
    };
    let report = replay::outcomes(bench, policies, params, &watch);
    bar.finish_and_clear();
    Ok(report?)
}

/// What policies may spend: a report for each, or one without a limit.
fn budgets(arguments: &Outcomes) -> Result<Vec<Option<Budget>>, Failure> {
    let first = arguments.budget_steps;
    let of = |request_usd: &f64| {
        let budget = Budget {
            request_usd: *request_usd,
            first,
        };
        budget.check().map(|()| Some(budget))
    };
    if arguments.budget.is_empty() {
        return Ok(vec![None]);
    }
    Ok(arguments.budget.iter().map(of).collect::<Result<_, _>>()?)
}

/// The policy that others are held against: an arm of the table, or a policy.
fn incumbent(arguments: &Outcomes, table: &OutcomeTable) -> Result<Option<Policy>, Failure> {
    let Some(named) = &arguments.incumbent else {
        return Ok(None);
    };
    let arms = table.arms.iter();
    if let Some(arm) = arms.clone().find(|arm| arm.as_str() == named) {
        return Ok(Some(Policy::Fixed { arm: arm.clone() }));
    }
    let refused = |problem| {
        let arms: Vec<&str> = arms.map(Name::as_str).collect();
        let arms = arms.join(", ");
        format!("--incumbent is {named}: no arm of the table ({arms}), and as a policy: {problem}")
    };
    Ok(Some(named.parse::<Policy>().map_err(refused)?))
}

/// What is done to the streams.
fn stream(arguments: &Stream) -> Result<StreamParams, Failure> {
    let drift = arguments.drift.as_deref();
    Ok(StreamParams {
        seed_rows: arguments.seed_rows,
        delay: arguments.delay,
        missing: arguments.missing,
        drift: drift.map(str::parse::<Drift>).transpose()?,
    })
}

/// The policies that are shown when none is named.
fn every_policy(table: &OutcomeTable) -> Result<Vec<Policy>, Failure> {
    let mut policies = Vec::new();
    for text in POLICIES {
        policies.push(text.parse::<Policy>()?);
    }
    let fixed = |arm: &Name| Policy::Fixed { arm: arm.clone() };
    policies.extend(table.arms.iter().map(fixed));
    Ok(policies)
}

/// Judges candidates on exported traffic.
pub(crate) fn traffic(arguments: &Exported) -> Result<(), Failure> {
    let pages = arguments.report.as_deref().map(pages).transpose()?;
    let proposals = proposals(&arguments.candidates)?;
    let choosers = proposals.iter().map(|proposal| proposal.chooser.clone());
    let question = TrafficQuestion {
        incumbent: arguments.incumbent.parse()?,
        aim: match arguments.aim {
            args::Aim::Utility => Aim::Utility,
            args::Aim::Saving => Aim::Saving,
        },
        guards: guards(&arguments.guards)?,
        peeking: arguments.peeking,
        utility: scale(&arguments.utility)?,
        ..TrafficQuestion::new(choosers.collect())
    };
    question.check()?;
    let read = || TrafficReader::open(&arguments.file);
    let total = read()?.rows();
    let bar = out::bar(total, "replaying");
    let watch = |progress: replay::Progress| {
        bar.set_length(progress.total.unwrap_or(total) as u64);
        bar.set_position(progress.done as u64);
        ControlFlow::Continue(())
    };
    let report = replay::compare(&read, Some(total), &proposals, &question, &watch);
    bar.finish_and_clear();
    let report = report?;
    if let Some(pages) = &pages {
        let file = file_name(&arguments.file);
        let traffic = match &report.world {
            Some(world) => format!("{file}, {world}"),
            None => file.to_string(),
        };
        let page = Judgement {
            report: &report.report,
            traffic: &traffic,
            json: &file_name(&pages.1),
        };
        write_page(pages, &page.html(), &report)?;
    }
    if let Some(file) = &arguments.table {
        write_judged(file, &report.report.table())?;
    }
    out::write(arguments.format, &report, &report.to_string())
}

fn guards(texts: &[String]) -> Result<Vec<Guard>, Failure> {
    let guards = texts.iter().map(|text| text.parse::<Guard>());
    Ok(guards.collect::<Result<_, _>>()?)
}

/// Two ends, as 0:1.
fn scale(text: &str) -> Result<(f64, f64), Failure> {
    let ends = text.split_once(':');
    let ends = ends.and_then(|(low, high)| Some((low.parse().ok()?, high.parse().ok()?)));
    ends.ok_or_else(|| format!("--utility is {text}: allowed LOW:HIGH, two numbers").into())
}

/// Specifications and files; the problems of all files at once.
fn proposals(candidates: &[String]) -> Result<Vec<Proposal>, Failure> {
    let (mut proposals, mut problems) = (Vec::new(), Vec::new());
    for text in candidates {
        if !text.ends_with(".toml") {
            proposals.push(Proposal::from(text.parse::<Candidate>()?));
            continue;
        }
        match config::load_candidate(Path::new(text)) {
            Ok(proposal) => proposals.push(proposal),
            Err(found) => problems.extend(found),
        }
    }
    match problems.is_empty() {
        true => Ok(proposals),
        false => Err(config::render(&problems).into()),
    }
}

/// Writes a journal's decisions with their outcomes to Parquet.
pub(crate) fn export(arguments: &Export) -> Result<(), Failure> {
    let since = arguments.since.as_deref().map(time).transpose()?;
    let place = place(arguments)?;
    let wanted = Wanted {
        since,
        team: arguments.team.clone(),
    };
    let bar = out::bar(0, "exporting");
    let progress = |done, total: Option<u64>| {
        bar.set_position(done);
        if let Some(total) = total {
            bar.set_length(total);
        }
    };
    let done = export::export(&arguments.data, place, &wanted, progress);
    bar.finish_and_clear();
    let done = done?;
    let mut text = format!(
        "{} decisions ({} with an outcome) of {} records written to {}",
        done.decisions,
        done.with_outcome,
        done.records,
        arguments.out.display()
    );
    if let (Some(days), Some(dropped)) = (done.days, done.dropped_days) {
        text.push_str(&format!(
            ": {days} days of a team written, {dropped} old ones removed"
        ));
    }
    out::write(arguments.format, &done, &text)
}

/// A file, or a folder.
fn place(arguments: &Export) -> Result<Place<'_>, Failure> {
    let out = &arguments.out;
    if out.extension().is_none_or(|ending| ending != "parquet") {
        return Ok(Place::Folder(
            out,
            arguments.keep_days.map(|days| days as usize),
        ));
    }
    match arguments.keep_days {
        Some(_) => {
            Err("--keep-days is for a folder: allowed where --out does not end in .parquet".into())
        }
        None => Ok(Place::File(out)),
    }
}

/// A day as 2026-01-31, or a moment as 2026-01-31T12:00:00Z.
fn time(text: &str) -> Result<Timestamp, Failure> {
    config::time(text).ok_or_else(|| {
        format!("--since is {text}: allowed 2026-01-31 or 2026-01-31T12:00:00Z, in UTC").into()
    })
}

/// Scores exported traffic by another scorecard.
pub(crate) fn try_scorecard(arguments: &Try) -> Result<(), Failure> {
    let loaded = bellwether::config::load_scorecard(&arguments.file);
    let (scorecard, _) = loaded.map_err(|problems| bellwether::config::render(&problems))?;
    let reader = TrafficReader::open(&arguments.traffic)?;
    let report = replay::rescore(reader, &scorecard)?;
    out::write(arguments.format, &report, &report.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_page_in_a_folder_that_is_there_with_its_numbers_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let (page, beside) = pages(&folder.path().join("curves.html")).unwrap();
        assert_eq!(page.with_extension("json"), beside);
        assert!(pages(Path::new("curves.html")).is_ok());
        for (path, problem) in [
            ("curves.json", "is no page"),
            ("no/such/page.html", "no such folder"),
        ] {
            let refused = pages(Path::new(path)).unwrap_err().to_string();
            assert!(
                refused.starts_with(&format!("--report is {path}: {problem}")),
                "{refused}"
            );
        }
    }
}
