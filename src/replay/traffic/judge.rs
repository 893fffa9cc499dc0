//! A log read once, and its candidates judged one after the other.

use super::bench::Bench;
use super::gate::{Aim, Guard};
use super::report::TrafficReport;
use super::weigh::Weighed;
use crate::id::Name;
use crate::ope::Estimator;
use crate::replay::error::Error;
use crate::replay::lift::Lift;
use crate::replay::log::{Log, Outcome};
use crate::replay::propensity::PropensityCheck;
use crate::replay::target::Candidate;
use crate::replay::{Progress, Row, Watch};
use crate::table;

/// Candidates at most: the chance of a wrong yes is shared out among them.
pub const MOST_CANDIDATES: usize = 32;

/// What is asked of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The policies to judge, 1 to 32.
    pub candidates: Vec<Candidate>,
    /// What they are held against.
    pub incumbent: Candidate,
    /// What a change is for.
    pub aim: Aim,
    /// Signals that must not move the wrong way.
    pub guards: Vec<Guard>,
    /// Whether somebody looks now and then and stops when it suits: gates then go by bounds that allow it.
    pub peeking: bool,
    /// Ends of the scale of utility, for bounds at every peek: what is beyond is cut, and counted.
    pub utility: (f64, f64),
}

impl Question {
    /// Whether these are worth the logged policy's place.
    pub fn new(candidates: Vec<Candidate>) -> Self {
        Self {
            candidates,
            incumbent: Candidate::Logged,
            aim: Aim::Utility,
            guards: Vec::new(),
            peeking: false,
            utility: (0.0, 1.0),
        }
    }

    /// Refuses too many candidates, a scale without ends, and what goes not together.
    pub fn check(&self) -> Result<(), Error> {
        if self.candidates.len() > MOST_CANDIDATES {
            return Err(Error::Setting {
                field: "number of candidates",
                value: self.candidates.len() as f64,
                allowed: "at most 32: on one log each further one makes all later ones harder to believe",
            });
        }
        let (low, high) = self.utility;
        if !((high - low).is_finite() && low < high) {
            return Err(Error::Scale { low, high });
        }
        match self.peeking && self.aim == Aim::Saving {
            true => Err(Error::SavingPeeking),
            false => Ok(()),
        }
    }

    /// Whether guards are of signals that the log has.
    fn check_guards(&self, log: &Log) -> Result<(), Error> {
        let signals = log.signals();
        let known = |guard: &&Guard| signals.iter().any(|s| *s == guard.signal.as_str());
        let Some(guard) = self.guards.iter().find(|guard| !known(guard)) else {
            return Ok(());
        };
        let names = signals.iter().filter_map(|signal| Name::new(signal).ok());
        Err(Error::Guard {
            signal: guard.signal.clone(),
            allowed: names.collect(),
        })
    }
}

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
