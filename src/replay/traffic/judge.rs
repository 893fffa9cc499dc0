//! A log read once, and its candidates judged one after the other.

use super::gate::{Aim, Asked, Gate, Guard, miss};
use super::report::{Bucket, CandidateReport, Measure, Range, Slice, TrafficReport};
use super::sequential::{Course, Pass};
use super::weigh::{Cover, Weighed};
use crate::ope::{
    Caution, Estimator, Overlap, Refusal, Row as Weighted, adjusted_p, difference, tail_index,
};
use crate::replay::error::Error;
use crate::replay::lift::Lift;
use crate::replay::log::{Log, Outcome};
use crate::replay::model::{Predicted, out_of_fold, progressive};
use crate::replay::propensity::PropensityCheck;
use crate::replay::target::Candidate;
use crate::replay::wanted::{Refused, Wanted};
use crate::replay::{Progress, Row, Watch};
use crate::table;
use std::collections::BTreeMap;

/// Candidates at most: the chance of a wrong yes is shared out among them.
const MOST_CANDIDATES: usize = 32;

/// Tasks at most, those with most decisions.
const MOST_SLICES: usize = 50;

/// Decisions of a task below which nothing is said of it.
const LEAST_SLICE: usize = 50;

/// Share of slices that are falsely said to differ.
const FALSE_SHARE: f64 = 0.1;

/// The chance that each bound at every peek is missed, but for a gate's.
const MISS: f64 = 0.025;

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

    fn check(&self) -> Result<(), Error> {
        let wrong = |field, value, allowed| {
            Err(Error::Setting {
                field,
                value,
                allowed,
            })
        };
        if self.candidates.len() > MOST_CANDIDATES {
            let allowed =
                "at most 32: on one log each further one makes all later ones harder to believe";
            return wrong(
                "number of candidates",
                self.candidates.len() as f64,
                allowed,
            );
        }
        let (low, high) = self.utility;
        if !(low.is_finite() && high.is_finite() && low < high) {
            return wrong("upper end of utility", high, "finite, above the lower end");
        }
        Ok(())
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
    let propensities = PropensityCheck::of(&log);
    let bench = Bench {
        question,
        fold: out_of_fold(&log)?,
        progressive: progressive(&log)?,
        incumbent: Weighed::of(&question.incumbent, &log)?,
        wanted: log.wanted(),
        faulty: propensities.calibration.refusal(),
        tasks: tasks(&log),
        log: &log,
    };
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
    let logged = logged.rows(0, &bench.fold, |_| true);
    let wanted = bench.wanted;
    Ok(TrafficReport {
        rows: log.rows,
        used: log.outcomes.len(),
        deterministic: log.deterministic,
        held_out: log.held_out,
        unobserved: log.unobserved,
        wanted,
        orphaned: log.orphaned,
        draws: log.draws.len(),
        logged: Estimator::IPS.estimate(&logged),
        lift: lift(&log),
        propensities,
        incumbent: question.incumbent.to_string(),
        candidates: reports,
    })
}

fn lift(log: &Log) -> Option<Lift> {
    let episode = |draw: usize| Some(log.draws.get(draw)?.episode);
    let router = log.outcomes.iter();
    let router = router.filter_map(|o| Some((episode(o.draw)?, o.utility)));
    Lift::of(router, log.holdout.iter().copied())
}

/// Tasks and how many outcomes they have, the most frequent first.
fn tasks(log: &Log) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for outcome in &log.outcomes {
        let draw = log.draws.get(outcome.draw);
        if let Some(task) = draw.and_then(|draw| draw.task.as_ref()) {
            *counts.entry(task.as_str()).or_default() += 1;
        }
    }
    let mut tasks: Vec<(String, usize)> =
        counts.into_iter().map(|(t, n)| (t.to_owned(), n)).collect();
    tasks.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    tasks.truncate(MOST_SLICES);
    tasks
}

/// What all candidates are judged by.
struct Bench<'a> {
    question: &'a Question,
    log: &'a Log,
    fold: Predicted,
    progressive: Predicted,
    incumbent: Weighed<'a>,
    wanted: Vec<Wanted>,
    faulty: Option<Refusal>,
    tasks: Vec<(String, usize)>,
}

impl Bench<'_> {
    fn judge(&self, candidate: &Candidate, number: usize) -> Result<CandidateReport, Error> {
        let weighed = Weighed::of(candidate, self.log)?;
        let rows = weighed.rows(0, &self.fold, |_| true);
        let cover = weighed.cover(|_| true);
        let overlap = Overlap::of(&rows, cover.unsupported);
        let refusal = self.refusal(&overlap, &cover);
        let weights = self.weights(&weighed);
        let mut report = CandidateReport {
            candidate: candidate.to_string(),
            not_applicable: self.log.outcomes.len() - rows.len(),
            overlap,
            thin: cover.thin,
            tail_index: tail_index(&weights),
            weights: buckets(&weights),
            cautions: Vec::new(),
            bounds: self.bounds(&weighed, refusal.as_ref()),
            refusal,
            ips: None,
            snips: None,
            doubly_robust: None,
            stabilised: None,
            difference: None,
            detectable_effect: None,
            measures: Vec::new(),
            slices: Vec::new(),
            worst_slice: None,
            course: Vec::new(),
            gate: None,
        };
        if report.refusal.is_none() {
            report.cautions = Caution::of(&overlap, cover.thin, report.tail_index);
            report.ips = Estimator::IPS.estimate(&rows);
            report.snips = Estimator::SNIPS.estimate(&rows);
            report.doubly_robust = Estimator::DOUBLY_ROBUST.estimate(&rows);
            self.fill(&mut report, &weighed, number);
        }
        if *candidate != self.question.incumbent {
            let asked = Asked {
                aim: self.question.aim,
                guards: &self.question.guards,
                peeking: self.question.peeking,
            };
            report.gate = Some(Gate::of(&report, &asked, number));
        }
        Ok(report)
    }

    fn refusal(&self, overlap: &Overlap, cover: &Cover) -> Option<Refused> {
        // Few draws like the candidate's may not have come yet: the log then looks better than it is.
        let reason = self.faulty.or_else(|| overlap.refusal());
        let reason = reason.or_else(|| overlap.too_small(cover.foretold));
        reason.map(|reason| Refused::new(reason, &self.wanted))
    }

    /// What the log says against the incumbent.
    fn fill(&self, report: &mut CandidateReport, weighed: &Weighed<'_>, number: usize) {
        for (measure, name) in self.log.measures.iter().enumerate() {
            let (found, course) = self.measure(weighed, measure, name, number);
            if measure == 0 {
                report.stabilised = course.as_ref().and_then(|course| course.stabilised);
                report.difference = found.difference;
                report.detectable_effect = found.difference.map(|d| d.detectable_effect());
                report.course = course.map(|course| course.points).unwrap_or_default();
            }
            report.measures.push(found);
        }
        report.slices = self.slices(weighed);
        let told = report
            .slices
            .iter()
            .filter(|slice| slice.rows >= LEAST_SLICE);
        let uppers = told.filter_map(|slice| Some((slice, slice.difference?.upper)));
        let worst = uppers.min_by(|a, b| a.1.total_cmp(&b.1));
        report.worst_slice = worst.map(|(slice, _)| slice.name.clone());
    }

    /// One measure, and its course where its rows suffice.
    fn measure(
        &self,
        weighed: &Weighed<'_>,
        measure: usize,
        name: &str,
        number: usize,
    ) -> (Measure, Option<Course>) {
        let known = |outcome: &Outcome| outcome.value(measure).is_some();
        let rows = weighed.rows(measure, &self.fold, known);
        let cover = weighed.cover(known);
        let overlap = Overlap::of(&rows, cover.unsupported);
        let stands = overlap
            .refusal()
            .or_else(|| overlap.too_small(cover.foretold));
        let mut found = Measure {
            name: name.to_owned(),
            rows: rows.len(),
            value: None,
            difference: None,
            stabilised: None,
            anytime: None,
        };
        if stands.is_some() {
            return (found, None);
        }
        let pairs = weighed.pairs(&self.incumbent, measure, &self.fold, known);
        let scale = self.scale(name);
        let course = Pass {
            log: self.log,
            model: &self.progressive,
            candidate: weighed,
            incumbent: &self.incumbent,
            measure,
            range: scale.unwrap_or((0.0, 1.0)),
            miss: [if self.question.peeking {
                miss(number)
            } else {
                MISS
            }; 2],
        };
        let course = course.run();
        found.value = Estimator::DOUBLY_ROBUST.estimate(&rows);
        found.difference = difference(&pairs);
        found.stabilised = course.difference;
        found.anytime = course.anytime.filter(|_| scale.is_some());
        (found, Some(course))
    }

    /// The ends of a measure's scale, where it has one.
    fn scale(&self, name: &str) -> Option<(f64, f64)> {
        let guarded = |guard: &Guard| guard.signal.as_str() == name;
        match name {
            "utility" => Some(self.question.utility),
            "quality" => Some((0.0, 1.0)),
            _ => self
                .question
                .guards
                .iter()
                .any(guarded)
                .then_some((0.0, 1.0)),
        }
    }

    fn slices(&self, weighed: &Weighed<'_>) -> Vec<Slice> {
        let mut slices: Vec<Slice> = self
            .tasks
            .iter()
            .map(|(task, _)| self.slice(weighed, task))
            .collect();
        let tests = |slice: &&mut Slice| slice.rows >= LEAST_SLICE && slice.p_value.is_some();
        let tested: Vec<&mut Slice> = slices.iter_mut().filter(tests).collect();
        let p_values: Vec<f64> = tested.iter().filter_map(|slice| slice.p_value).collect();
        for (slice, adjusted) in tested.into_iter().zip(adjusted_p(&p_values)) {
            slice.differs = adjusted <= FALSE_SHARE;
        }
        slices
    }

    fn slice(&self, weighed: &Weighed<'_>, task: &str) -> Slice {
        let of_task = |outcome: &Outcome| {
            let draw = self.log.draws.get(outcome.draw);
            let own = draw.and_then(|draw| draw.task.as_ref());
            own.is_some_and(|own| own.as_str() == task)
        };
        let rows: Vec<Weighted> = weighed.rows(0, &self.fold, of_task);
        let cover = weighed.cover(of_task);
        let overlap = Overlap::of(&rows, cover.unsupported);
        let refused = overlap
            .refusal()
            .or_else(|| overlap.too_small(cover.foretold));
        let pairs = weighed.pairs(&self.incumbent, 0, &self.fold, of_task);
        let difference = difference(&pairs).filter(|_| refused.is_none());
        Slice {
            name: task.to_owned(),
            rows: rows.len(),
            effective_sample_size: overlap.effective_sample_size,
            difference,
            p_value: difference.map(|found| found.p_value()),
            differs: false,
        }
    }

    /// The weight of each episode that has an outcome.
    fn weights(&self, weighed: &Weighed<'_>) -> Vec<f64> {
        let draws = self.log.outcomes.iter();
        let draws = draws.filter_map(|outcome| self.log.draws.get(outcome.draw));
        let mut episodes: Vec<usize> = draws.map(|draw| draw.episode).collect();
        episodes.sort_unstable();
        episodes.dedup();
        let weight = |episode: usize| Some(weighed.episode(episode)?.0);
        episodes.into_iter().filter_map(weight).collect()
    }

    /// Between what the value lies, where only arms that were never drawn stand in the way.
    fn bounds(&self, weighed: &Weighed<'_>, refusal: Option<&Refused>) -> Option<Range> {
        let Refusal::Support { .. } = refusal?.reason else {
            return None;
        };
        let end = |unseen: f64| {
            let outcomes = self.log.outcomes.iter();
            let row = |outcome| weighed.row(outcome, 0, &self.fold, Some(unseen));
            let rows: Vec<Weighted> = outcomes.filter_map(row).collect();
            let enough = Overlap::of(&rows, 0.0).refusal().is_none();
            Estimator::DOUBLY_ROBUST.estimate(&rows).filter(|_| enough)
        };
        let (low, high) = self.question.utility;
        Some(Range {
            lower: end(low)?.lower,
            upper: end(high)?.upper,
        })
    }
}

/// Weights by powers of two: 0, up to 1/8, 1/4, .. 128, and above.
fn buckets(weights: &[f64]) -> Vec<Bucket> {
    let powers = (-3..=7).map(|power| 2.0_f64.powi(power));
    let ends = std::iter::once(0.0).chain(powers).chain([f64::MAX]);
    let mut before = f64::NEG_INFINITY;
    let mut bucket = |most: f64| {
        let within = weights.iter().filter(|w| **w > before && **w <= most);
        let episodes = within.count();
        before = most;
        Bucket { most, episodes }
    };
    ends.map(&mut bucket).collect()
}
