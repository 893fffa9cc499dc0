//! A log read once, and its candidates judged one after the other.

use super::bench::Bench;
use super::question::Question;
use super::report::TrafficReport;
use super::weigh::Weighed;
use crate::ope::Estimator;
use crate::replay::error::Error;
use crate::replay::lift::Lift;
use crate::replay::log::{Log, Outcome};
use crate::replay::propensity::PropensityCheck;
use crate::replay::target::Candidate;
use crate::replay::{Progress, Row, Watch};
use crate::table;

/// Judges candidates on `rows`, one team's decisions in the order they were made. `total` is the number of rows, if
/// known; `watch` is told of each thousand rows and each candidate, never the same twice.
pub fn traffic(
    rows: impl Iterator<Item = Result<Row, table::Error>>,
    total: Option<usize>,
    question: &Question,
    watch: &Watch<'_>,
) -> Result<TrafficReport, Error> {
    question.check()?;
    let passes = 1 + question.candidates.len();
    let log = Log::gather(rows, total.map(|rows| rows * passes), watch)?;
    question.check_guards(&log)?;
    let propensities = PropensityCheck::of(&log);
    let bench = Bench::new(question, &log, propensities.calibration.refusal())?;
    let mut reports = Vec::with_capacity(question.candidates.len());
    for (number, candidate) in question.candidates.iter().enumerate() {
        reports.push(bench.judge(candidate, number)?);
        let done = log.rows * (1 + reports.len());
        let total = Some(log.rows * passes);
        if done > 0 && watch(Progress { done, total }).is_break() {
            return Err(Error::Stopped);
        }
    }
    let logged = Weighed::of(&Candidate::Logged, &log)?;
    let outcomes: Vec<&Outcome> = log.outcomes.iter().collect();
    let logged = Estimator::IPS.estimate(&logged.rows(&outcomes, 0, &bench.fold));
    let (episodes, several_draws) = draws(&log);
    let incumbent_refusal = bench.incumbent_refusal();
    Ok(TrafficReport {
        rows: log.rows,
        used: log.outcomes.len(),
        deterministic: log.deterministic,
        held_out: log.held_out,
        unobserved: log.unobserved,
        wanted: bench.wanted,
        orphaned: log.orphaned,
        draws: log.draws.len(),
        logged,
        lift: lift(&log),
        propensities,
        episodes,
        several_draws,
        terms: question.terms(),
        incumbent: question.incumbent.to_string(),
        incumbent_refusal,
        candidates: reports,
    })
}

/// Episodes with an outcome, and those of them with several draws.
fn draws(log: &Log) -> (usize, usize) {
    let seen = log.by_episode().into_iter().zip(&log.episodes);
    let seen = seen.filter(|(outcomes, _)| !outcomes.is_empty());
    seen.fold((0, 0), |(all, several), (_, draws)| {
        (all + 1, several + usize::from(draws.len() > 1))
    })
}

fn lift(log: &Log) -> Option<Lift> {
    let episode = |draw: usize| Some(log.draws.get(draw)?.episode);
    let router = log.outcomes.iter();
    let router = router.filter_map(|o| Some((episode(o.draw)?, o.utility)));
    Lift::of(router, log.holdout.iter().copied())
}
