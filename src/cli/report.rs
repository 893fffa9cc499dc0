//! `report spend`: what was spent, and what the router saved.
//!
//! Not here: the figures (`spend`), the page (`report`).

use super::args::{By, ReportSpend, Shape};
use super::out::{self, Failure};
use bellwether::budget::Zone;
use bellwether::config;
use bellwether::id::Name;
use bellwether::spend::{self, Dimension, Spent, Wanted};
use std::path::Path;

/// Reads the journal, and writes what was spent.
pub(crate) fn spend(arguments: &ReportSpend) -> Result<(), Failure> {
    let wanted = wanted(arguments)?;
    let spent = spend::spend(&arguments.data, &wanted)?;
    let text = match arguments.format {
        Shape::Table => spent.to_string(),
        Shape::Json => serde_json::to_string_pretty(&spent)?,
        Shape::Html => return page(arguments, &spent),
    };
    match &arguments.out {
        Some(file) => write(file, &format!("{}\n", text.trim_end())),
        None => out::line(&text),
    }
}

/// What is asked for, if it can be.
fn wanted(arguments: &ReportSpend) -> Result<Wanted, Failure> {
    let from = day("--from", arguments.from.as_deref())?;
    let to = day("--to", arguments.to.as_deref())?;
    if let (Some(first), Some(last)) = (from, to)
        && first > last
    {
        let [first, last] = [first, last].map(spend::date);
        return Err(format!("--from is {first}, after --to, {last}: allowed at most that").into());
    }
    let zone = &arguments.zone;
    let unknown =
        || format!("--zone is {zone}: no such time zone; allowed as Europe/Berlin, or UTC");
    let mut by = Vec::new();
    for one in arguments.by.iter().map(dimension) {
        if !by.contains(&one) {
            by.push(one);
        }
    }
    Ok(Wanted {
        from,
        to,
        zone: Zone::named(zone).ok_or_else(unknown)?,
        team: arguments.team.as_ref().map(Name::new).transpose()?,
        by,
    })
}

fn dimension(by: &By) -> Dimension {
    match by {
        By::Team => Dimension::Team,
        By::Key => Dimension::Key,
        By::Task => Dimension::Task,
        By::Arm => Dimension::Arm,
        By::Day => Dimension::Day,
    }
}

/// A date as a day counted from 1970-01-01.
fn day(option: &str, text: Option<&str>) -> Result<Option<i64>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let midnight = Some(text).filter(|text| !text.contains('T'));
    match midnight.and_then(config::time) {
        Some(midnight) => Ok(Some(midnight.micros() / 86_400_000_000)),
        None => Err(format!("{option} is {text}: no day; allowed as 2026-01-31").into()),
    }
}

/// The page, and its numbers beside it.
fn page(arguments: &ReportSpend, spent: &Spent) -> Result<(), Failure> {
    let Some(file) = &arguments.out else {
        return Err("--format html needs --out FILE.html".into());
    };
    if file.extension().is_none_or(|ending| ending != "html") {
        return Err(format!("--out is {}: is no page; allowed FILE.html", file.display()).into());
    }
    let beside = file.with_extension("json");
    let json = beside.file_name().unwrap_or_default().to_string_lossy();
    write(
        file,
        &bellwether::report::Spending { spent, json: &json }.html(),
    )?;
    write(&beside, &serde_json::to_string_pretty(spent)?)
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error| format!("--out: {} was not written: {error}", file.display());
    Ok(std::fs::write(file, text).map_err(failed)?)
}
