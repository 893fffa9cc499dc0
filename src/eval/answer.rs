//! The figures that answer a question, from what the judges say.
//!
//! Not here: the judges (`replay`).

use super::error::Error;
use super::figure::Figures;
use crate::bandit::Policy;
use crate::feature::Extractor;
use crate::replay::{
    self, Bench, Budget, Comparison, HORIZON, OutcomesReport, Params, Progress, Proposal,
    TrafficQuestion, compare, outcomes,
};
use crate::table::{Columns, OutcomeTable, TrafficReader};
use std::ops::ControlFlow;
use std::path::Path;

fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// What the log in `file` says of `proposals`. A refusal of the question is the answer.
pub(super) fn traffic(file: &Path, proposals: &[Proposal]) -> Result<Figures, Error> {
    let total = TrafficReader::open(file)?.rows();
    let question = TrafficQuestion::new(Vec::new());
    let read = || TrafficReader::open(file);
    match compare(&read, Some(total), proposals, &question, &go_on) {
        Ok(found) => Ok(of_traffic(&found, proposals)),
        Err(refusal) if refusal.is_unanswerable() => {
            let mut figures = Figures::default();
            figures.text("refused", refusal.to_string());
            Ok(figures)
        }
        Err(other) => Err(other.into()),
    }
}

fn of_traffic(found: &Comparison, proposals: &[Proposal]) -> Figures {
    let report = &found.report;
    let mut figures = Figures::default();
    if let Some(world) = &found.world {
        figures.text("world", world);
    }
    figures.number("decisions used", report.used as f64);
    if let Some(logged) = &report.logged {
        figures.number("as logged: utility", logged.value);
    }
    if let Some(spend) = found.logged_spend_usd {
        figures.number("as logged: expected spend, USD a request", spend);
    }
    let spends = found.spend_usd.iter().copied();
    let spends = spends.chain(std::iter::repeat(None));
    for ((candidate, proposal), spend) in report.candidates.iter().zip(proposals).zip(spends) {
        let mut told = |what: &str, value: f64| {
            figures.number(format!("{}: {what}", proposal.name), value);
        };
        if let Some(estimate) = &candidate.doubly_robust {
            told("utility", estimate.value);
            told("utility, lower end of 95 %", estimate.lower);
            told("utility, upper end of 95 %", estimate.upper);
        }
        if let Some(difference) = &candidate.difference {
            told("gain over what was logged", difference.value);
            told("gain, lower end of 95 %", difference.lower);
            told("gain, upper end of 95 %", difference.upper);
        }
        if let Some(spend) = spend {
            told("expected spend, USD a request", spend);
        }
        if let Some(gate) = &candidate.gate {
            let may = if gate.promote { "yes" } else { "no" };
            figures.text(
                format!("{}: may take the router's place", proposal.name),
                may,
            );
        }
        if let Some(refusal) = &candidate.refusal {
            figures.text(format!("{}: refused", proposal.name), refusal.to_string());
        }
    }
    figures
}

/// What an experiment on a table is played with.
pub(super) struct Play<'a> {
    pub(super) policies: &'a [Policy],
    pub(super) seeds: u64,
    pub(super) lambda: f64,
    pub(super) budget_usd: Option<f64>,
}

/// What playing the table in `file` says.
pub(super) fn table(file: &Path, play: &Play<'_>) -> Result<Figures, Error> {
    let table = OutcomeTable::read(file, &Columns::default())?;
    let bench = Bench::new(&table, play.lambda, &Extractor::shipped()?, true)?;
    let params = Params {
        seeds: play.seeds,
        budget: play.budget_usd.map(|request_usd| Budget {
            request_usd,
            first: HORIZON,
        }),
        ..Params::default()
    };
    let report = outcomes(&bench, play.policies, &params, &go_on)?;
    Ok(of_table(&report))
}

fn of_table(report: &OutcomesReport) -> Figures {
    let mut figures = Figures::default();
    let best = &report.baselines.best_single;
    figures.number("prompts", report.prompts as f64);
    figures.text("best fixed arm", best.arm.to_string());
    figures.number("best fixed arm: reward", best.reward);
    for policy in &report.policies {
        let mut told = |what: &str, value: f64| {
            figures.number(format!("{}: {what}", policy.policy), value);
        };
        told("reward", policy.all.mean);
        told("reward, standard deviation over seeds", policy.all.sd);
        told("reward over the last fifth", policy.last_fifth.mean);
        if let Some(cost) = &policy.cost_usd {
            told("spend, USD a request", cost.mean);
        }
        told("score", policy.score.mean);
        if let Some(mix) = policy.hull_score {
            told("score of a mix of two fixed arms that spends as much", mix);
        }
    }
    figures
}

/// Gives the prices of `proposals` their worth, where neither a scorecard nor they themselves say it.
pub(super) fn at_worth(mut proposals: Vec<Proposal>, quality_usd: f64) -> Vec<Proposal> {
    for proposal in &mut proposals {
        let worth: &mut replay::Worth = &mut proposal.worth;
        if worth.scorecard.is_none() && !worth.prices.is_empty() {
            worth.quality_usd.get_or_insert(quality_usd);
        }
    }
    proposals
}
