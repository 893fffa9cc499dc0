//! `audit verify` and `audit export`: what was changed, by whom, and whether the record of it holds.
//!
//! Not here: what is looked at (`store::audit`).

use super::args::{AuditExport, AuditVerify, Format};
use super::out::{self, Failure};
use super::serve::load;
use bellwether::store::FileDisk;
use bellwether::store::audit::{self, Report};

/// Looks whether log and journal are what was written. A server may be running.
pub(crate) fn verify(arguments: &AuditVerify) -> Result<(), Failure> {
    let params = load(&arguments.config)?;
    let disk = FileDisk::look(&params.store.dir);
    let report = audit::verify(&disk, arguments.chain.as_deref())?;
    out::write(arguments.format, &report, &text(&report))?;
    match report.problems.is_empty() {
        true => Ok(()),
        false => Err("the audit log or the journal is not what was written".into()),
    }
}

fn text(report: &Report) -> String {
    let Report {
        entries,
        chain,
        segments,
        records,
        problems,
        ..
    } = report;
    let mut text = format!(
        "{entries} entries, the newest with the chain {chain}\n{records} records of the journal read, \
         {segments} closed segments compared with their entries\n"
    );
    match problems.is_empty() {
        true => text.push_str("all of it is what was written"),
        false => text.push_str(&format!("DOES NOT HOLD:\n  {}", problems.join("\n  "))),
    }
    text
}

/// Writes the log's entries: as they stand there, or for people.
pub(crate) fn export(arguments: &AuditExport) -> Result<(), Failure> {
    let params = load(&arguments.config)?;
    let report = audit::verify(&FileDisk::look(&params.store.dir), None)?;
    for line in &report.lines {
        let text = match arguments.format {
            Format::Json => serde_json::to_string(line)?,
            Format::Text => {
                let change = &line.change;
                let team = change.team.as_ref().map_or("-", |team| team.as_str());
                let action = change.action.as_str();
                format!(
                    "{:>5}  {}  {}  {action}  {team}  {}  {}",
                    line.number, line.time, change.by, change.object, change.now
                )
            }
        };
        out::line(&text)?;
    }
    match report.problems.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "what was exported does not hold:\n  {}",
            report.problems.join("\n  ")
        )
        .into()),
    }
}
