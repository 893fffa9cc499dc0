//! What all candidates of a log are judged by, and the judging of one.

use super::gate::{Asked, Gate, SAVING, miss};
use super::report::{Bucket, CandidateReport, Measure, Range, Slice};
use super::sequential::{Course, Pass};
use super::weigh::{Cover, Weighed};
use super::{Aim, Question};
use crate::ope::{
    Caution, Estimate, Estimator, Overlap, Refusal, Row as Weighted, adjusted_p, difference,
    difference_from, tail_index,
};
use crate::replay::error::Error;
use crate::replay::log::{Log, Outcome};
use crate::replay::model::{Predicted, out_of_fold, progressive};
use crate::replay::target::Candidate;
use crate::replay::wanted::{Refused, Wanted};
use std::collections::BTreeMap;

/// Decisions of a task below which nothing is said of it.
const LEAST_SLICE: usize = 50;

/// Share of slices that are falsely said to differ.
const FALSE_SHARE: f64 = 0.1;

/// The chance that each bound at every peek is missed, but for a gate's.
const MISS: f64 = 0.025;

/// What all candidates are judged by.
pub(super) struct Bench<'a> {
    question: &'a Question,
    log: &'a Log,
    pub(super) fold: Predicted,
    progressive: Predicted,
    incumbent: Weighed<'a>,
    pub(super) wanted: Vec<Wanted>,
    faulty: Option<Refusal>,
    all: Vec<&'a Outcome>,
    /// Outcomes of each task with enough of them.
    tasks: BTreeMap<&'a str, Vec<&'a Outcome>>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        question: &'a Question,
        log: &'a Log,
        faulty: Option<Refusal>,
    ) -> Result<Self, Error> {
        let mut tasks: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
        for outcome in &log.outcomes {
            let draw = log.draws.get(outcome.draw);
            if let Some(task) = draw.and_then(|draw| draw.task.as_ref()) {
                tasks.entry(task.as_str()).or_default().push(outcome);
            }
        }
        tasks.retain(|_, outcomes| outcomes.len() >= LEAST_SLICE);
        Ok(Self {
            question,
            log,
            fold: out_of_fold(log)?,
            progressive: progressive(log)?,
            incumbent: Weighed::of(&question.incumbent, log)?,
            wanted: log.wanted(),
            faulty,
            all: log.outcomes.iter().collect(),
            tasks,
        })
    }

    /// Why the log cannot answer for the incumbent.
    pub(super) fn incumbent_refusal(&self) -> Option<Refused> {
        self.refused(&self.incumbent.cover(&self.all))
    }

    fn refused(&self, cover: &Cover) -> Option<Refused> {
        let reason = self.faulty.or_else(|| cover.refusal());
        reason.map(|reason| Refused::new(reason, &self.wanted))
    }

    pub(super) fn judge(
        &self,
        candidate: &Candidate,
        number: usize,
    ) -> Result<CandidateReport, Error> {
        let weighed = Weighed::of(candidate, self.log)?;
        let rows = weighed.rows(&self.all, 0, &self.fold);
        let cover = weighed.cover(&self.all);
        let refusal = self.refused(&cover);
        let weights = self.weights(&weighed);
        let both = weighed
            .pairs(&self.incumbent, &self.all, 0, &self.fold)
            .len();
        let mut report = CandidateReport {
            candidate: candidate.to_string(),
            not_applicable: self.all.len() - rows.len(),
            overlap: cover.overlap,
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
            saving: None,
            applicable: both as f64 / self.all.len().max(1) as f64,
            slices: Vec::new(),
            worst_slice: None,
            course: Vec::new(),
            gate: None,
        };
        if report.refusal.is_none() {
            report.cautions = Caution::of(&cover.overlap, cover.thin, report.tail_index);
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
                incumbent: self.incumbent_refusal().is_none(),
            };
            report.gate = Some(Gate::of(&report, &asked, number));
        }
        Ok(report)
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
            } else if name == "cost_usd" && self.question.aim == Aim::Saving {
                report.saving = found.difference.and_then(|_| self.saving(weighed, measure));
            }
            report.measures.push(found);
        }
        report.slices = self.slices(weighed);
        let uppers = report.slices.iter();
        let uppers = uppers.filter_map(|slice| Some((slice, slice.difference?.upper)));
        let worst = uppers.min_by(|a, b| a.1.total_cmp(&b.1));
        report.worst_slice = worst.map(|(slice, _)| slice.name.clone());
    }

    /// One measure, and its course where its rows suffice for both.
    fn measure(
        &self,
        weighed: &Weighed<'_>,
        measure: usize,
        name: &str,
        number: usize,
    ) -> (Measure, Option<Course>) {
        let of = self.known(measure);
        let pairs = weighed.pairs(&self.incumbent, &of, measure, &self.fold);
        let mut found = Measure {
            name: name.to_owned(),
            rows: pairs.len(),
            value: None,
            difference: None,
            stabilised: None,
            anytime: None,
        };
        if weighed.cover(&of).refusal().is_some() {
            return (found, None);
        }
        let rows = weighed.rows(&of, measure, &self.fold);
        found.value = Estimator::DOUBLY_ROBUST.estimate(&rows);
        let mut course = self.pass(weighed, measure, 1.0, number).run();
        // The value stands by itself; what is said against the incumbent does not.
        if self.incumbent.cover(&of).refusal().is_some() {
            course.points.clear();
            return (found, Some(course));
        }
        found.difference = difference(&pairs);
        found.stabilised = course.difference;
        found.anytime = course.anytime;
        (found, Some(course))
    }

    fn known(&self, measure: usize) -> Vec<&'a Outcome> {
        let known = |outcome: &&Outcome| outcome.value(measure).is_some();
        self.all.iter().copied().filter(known).collect()
    }

    fn pass<'b>(
        &'b self,
        weighed: &'b Weighed<'b>,
        measure: usize,
        share: f64,
        number: usize,
    ) -> Pass<'b> {
        let peeking = self.question.peeking;
        Pass {
            log: self.log,
            model: &self.progressive,
            candidate: weighed,
            incumbent: &self.incumbent,
            measure,
            share,
            range: self
                .log
                .measures
                .get(measure)
                .and_then(|name| self.scale(name)),
            miss: [if peeking { miss(number) } else { MISS }; 2],
        }
    }

    /// Cost less what it must be below.
    fn saving(&self, weighed: &Weighed<'_>, measure: usize) -> Option<[Estimate; 2]> {
        let pairs = weighed.pairs(&self.incumbent, &self.known(measure), measure, &self.fold);
        let stabilised = self
            .pass(weighed, measure, 1.0 - SAVING, 0)
            .run()
            .difference;
        Some([difference_from(&pairs, 1.0 - SAVING)?, stabilised?])
    }

    /// The ends of a measure's scale, where it has one.
    fn scale(&self, name: &str) -> Option<(f64, f64)> {
        let mut guards = self.question.guards.iter();
        match name {
            "utility" => Some(self.question.utility),
            "quality" => Some((0.0, 1.0)),
            _ => guards
                .any(|guard| guard.signal.as_str() == name)
                .then_some((0.0, 1.0)),
        }
    }

    /// The tasks, the most frequent first.
    fn slices(&self, weighed: &Weighed<'_>) -> Vec<Slice> {
        let slice = |(task, of): (&&str, &Vec<&Outcome>)| self.slice(weighed, task, of);
        let mut slices: Vec<Slice> = self.tasks.iter().map(slice).collect();
        slices.sort_by_key(|slice| std::cmp::Reverse(slice.rows));
        let tested = slices.iter_mut().filter(|slice| slice.p_value.is_some());
        let tested: Vec<&mut Slice> = tested.collect();
        let p_values: Vec<f64> = tested.iter().filter_map(|slice| slice.p_value).collect();
        for (slice, adjusted) in tested.into_iter().zip(adjusted_p(&p_values)) {
            slice.differs = adjusted <= FALSE_SHARE;
        }
        slices
    }

    fn slice(&self, weighed: &Weighed<'_>, task: &str, of: &[&Outcome]) -> Slice {
        let cover = weighed.cover(of);
        let refused = cover
            .refusal()
            .or_else(|| self.incumbent.cover(of).refusal());
        let pairs = weighed.pairs(&self.incumbent, of, 0, &self.fold);
        let difference = difference(&pairs).filter(|_| refused.is_none());
        Slice {
            name: task.to_owned(),
            rows: pairs.len(),
            effective_sample_size: cover.overlap.effective_sample_size,
            difference,
            p_value: difference.map(|found| found.p_value()),
            differs: false,
        }
    }

    /// The weight of each episode that has an outcome.
    fn weights(&self, weighed: &Weighed<'_>) -> Vec<f64> {
        let episodes = self.log.by_episode().into_iter().enumerate();
        let seen = episodes.filter(|(_, outcomes)| !outcomes.is_empty());
        let weight = |(episode, _): (usize, Vec<&Outcome>)| Some(weighed.episode(episode)?.0);
        seen.filter_map(weight).collect()
    }

    /// Between what the value lies, where only arms that were never drawn stand in the way, and episodes have one draw:
    /// of several, what comes after such an arm is not known either.
    fn bounds(&self, weighed: &Weighed<'_>, refusal: Option<&Refused>) -> Option<Range> {
        let Refusal::Support { .. } = refusal?.reason else {
            return None;
        };
        if self.log.episodes.iter().any(|draws| draws.len() > 1) {
            return None;
        }
        let end = |unseen: f64| {
            let row = |outcome: &&Outcome| weighed.row(outcome, 0, &self.fold, Some(unseen));
            let rows: Vec<Weighted> = self.all.iter().filter_map(row).collect();
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
    let powers = (-3..=7).map(|power| Some(2.0_f64.powi(power)));
    let ends = std::iter::once(Some(0.0)).chain(powers).chain([None]);
    let mut before = f64::NEG_INFINITY;
    let mut bucket = |most: Option<f64>| {
        let end = most.unwrap_or(f64::INFINITY);
        let within = weights.iter().filter(|w| **w > before && **w <= end);
        let episodes = within.count();
        before = end;
        Bucket { most, episodes }
    };
    ends.map(&mut bucket).collect()
}
