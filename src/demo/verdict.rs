//! The verdict: a few questions that a stranger would ask, answered in plain words.
//!
//! Invariants: every answer is worked out from this run; one about several teams is a yes only where
//! it is for each of them; a word that is not everybody's is explained where it first stands.
//!
//! Not here: what the answers rest on (`facts`), with all figures (`details`).

use super::facts::{Against, Change, Drawn, HELD, Held, log_is_true};
use super::finding::all;
use super::rivals::{Kind, PILOT};
use super::section::Material;
use crate::report::{Finding, Statement};

/// The answers, the most important first.
pub(super) fn verdict(teams: &[Material<'_>]) -> Vec<Statement> {
    let pilot = format!(
        "Did the router earn more reward than a team without one, which tries every arm on the first {} % of the \
         requests and keeps the best (a pilot)?",
        100 / PILOT
    );
    let mix = "Did it give better quality than the honest rival, a static mix: a coin that sends each request to one \
               of two arms and costs the same?";
    vec![
        against(teams, Kind::Pilot, &pilot),
        against(teams, Kind::StaticMix, mix),
        change(teams),
        log(teams),
    ]
}

/// The router against a rival, team by team.
fn against(teams: &[Material<'_>], kind: Kind, question: &str) -> Statement {
    let compared = teams.iter().filter_map(|team| {
        let found = Against::of(team, kind)?;
        let (name, by) = (team.run.name(), found.difference.value);
        let words = match found.finding {
            Finding::Shown => "yes",
            Finding::Contradicted => "no",
            _ => "too close to call",
        };
        let said = format!("{name}: {words}, {by:+.3} a request");
        Some((found.finding, said))
    });
    let (findings, said): (Vec<Finding>, Vec<String>) = compared.unzip();
    let finding = match findings.len() {
        0 => Finding::Undecided,
        _ => all(findings),
    };
    Statement {
        finding,
        text: format!("{question} {}.", said.join("; ")),
    }
}

/// Whether the change was noticed, and answered.
fn change(teams: &[Material<'_>]) -> Statement {
    let changes: Vec<_> = teams
        .iter()
        .map(|team| (team.run.name(), Change::of(team)))
        .collect();
    let arm = changes.first().map_or("", |(_, change)| change.arm);
    let told = changes.iter().map(|(name, change)| {
        let [before, after] = change.shares.map(|share| 100.0 * share.value);
        let noticed = match change.delay() {
            Some(delay) => format!("alarm {delay} requests later"),
            None => "no alarm".to_owned(),
        };
        format!("{name}: {noticed}, {arm}'s share of requests from {before:.0} to {after:.0} %")
    });
    let told: Vec<String> = told.collect();
    let mistaken = changes.iter().map(|(_, change)| change.false_alarms).sum();
    let findings = changes.iter().flat_map(|(_, c)| [c.noticed(), c.left()]);
    Statement {
        finding: all(findings),
        text: format!(
            "Did it notice that {arm} silently got worse half-way, and turn away from it? {}; {}.",
            told.join("; "),
            false_alarms(mistaken)
        ),
    }
}

/// How many alarms were mistaken, in words.
pub(super) fn false_alarms(count: usize) -> String {
    match count {
        0 => "no false alarm".to_owned(),
        1 => "1 false alarm".to_owned(),
        n => format!("{n} false alarms"),
    }
}

/// What the log can say, and whether it is true.
fn log(teams: &[Material<'_>]) -> Statement {
    let (held, drawn) = (Held::of(teams), Drawn::of(teams));
    let candidates = || teams.iter().flat_map(|team| &team.judged.report.candidates);
    let asked = candidates().count();
    let refused = candidates().filter(|c| c.refusal.is_some()).count();
    Statement {
        finding: log_is_true(&held, &drawn),
        text: format!(
            "Is it true what the log alone says of other rules of choosing? It judges {} of {asked}, and {} of these {} \
             answers hold the simulator's truth within their 95 % range ({:.2} are expected); {refused} it refuses to \
             judge, having seen too little like them.",
            asked - refused,
            held.held(),
            held.total,
            HELD * held.total as f64,
        ),
    }
}
