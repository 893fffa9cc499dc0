//! The snapshot: what the hot path reads, immutable, swapped whole.
//!
//! Invariants: a snapshot's version is the journal sequence up to which it had learned, so equal
//! versions mean equal content, but for the operator's control, which is the newest in the journal,
//! learned or not; publishing copies only the arms that changed.
//!
//! Not here: how it came about (`learner`), who swaps it (`follow`).

use super::alarm::Alarm;
use super::arm::Arm;
use super::comparison::Comparison;
use super::newcomer::Newcomer;
use super::silence::Uneven;
use super::usage::{AMOUNT, Book, Kind, LATENCY, Usage};
use crate::bandit::{Posterior, Ridge, Tempo};
use crate::budget::Pace;
use crate::id::Name;
use crate::scorecard::Scorecard;
use crate::store::Control;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What has been learned for every team.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Journal sequence up to which this was learned.
    pub version: u64,
    /// Team by team.
    pub teams: BTreeMap<Name, Arc<TeamSnapshot>>,
}

/// What has been learned for one team.
#[derive(Debug, Clone)]
pub struct TeamSnapshot {
    /// The team's scorecard.
    pub scorecard: Arc<Scorecard>,
    /// Its version.
    pub scorecard_version: u32,
    /// Arm by arm; every arm of the catalogue has an entry.
    pub arms: BTreeMap<Name, Arc<ArmSnapshot>>,
    /// Draws so far of each arm that has any. Here and not with the arm, since every decision
    /// changes them and outcomes alone change the rest.
    pub pulls: BTreeMap<Name, u64>,
    /// How many times more each arm that has been drawn is doubted than one as old as the team.
    pub doubt: BTreeMap<Name, f64>,
    /// The team's effective number of draws, for schedules.
    pub tempo: Tempo,
    /// The operator's pin and freeze, the newest in the journal.
    pub control: Control,
    /// Where its budget stands; `None` where its spend is not paced.
    pub pace: Option<Pace>,
    /// Changes of arms that were noticed, newest last.
    pub alarms: Arc<[Alarm]>,
    /// The router against the baseline, and whether the guard holds; `None` without a baseline.
    pub comparison: Option<Comparison>,
    /// Arms that joined later than the others, and what the bounds say of them.
    pub newcomers: BTreeMap<Name, Newcomer>,
    /// Signals that are reported more often of one arm than of another.
    pub uneven: Vec<Uneven>,
}

impl TeamSnapshot {
    /// The doubt of an arm that was never drawn.
    pub fn doubt_of_a_newcomer(&self) -> f64 {
        Tempo::joining(&self.tempo).doubt(&self.tempo)
    }

    /// Whether an arm joined later and was found worse: nothing more is forced of it.
    pub fn has_rejected(&self, arm: &Name) -> bool {
        self.newcomers.get(arm).is_some_and(Newcomer::is_rejected)
    }
}

/// What has been learned of one arm.
#[derive(Debug, Clone)]
pub struct ArmSnapshot {
    /// One posterior for each group of signals.
    pub groups: Vec<Posterior>,
    /// Outcomes learned from.
    pub outcomes: u64,
    /// Mean of the observed values of each target of each group; `None` where there are none.
    pub observed: Vec<Vec<Option<f64>>>,
    /// What an attempt is expected to use.
    pub expected: Expected,
}

/// What an arm's attempts are expected to use.
#[derive(Debug, Clone)]
pub struct Expected {
    output: Option<Logarithm>,
    token_share: f64,
    /// Cost over reference cost.
    ratio: Option<Vec<f32>>,
    /// Of answers and of bills.
    latency: [Option<Logarithm>; 2],
    answer_share: f64,
}

/// A quantity whose logarithm was learned.
#[derive(Debug, Clone)]
struct Logarithm {
    theta: Vec<f32>,
    smear: f64,
}

/// Most attempts that bills count as where there are answers: tokens are priced as of now, and a bill or a
/// table's row may be of other times.
const MOST_BILLS: f64 = 10.0;

impl ArmSnapshot {
    pub(super) fn new(arm: &Arm) -> Self {
        Self {
            groups: arm.groups.iter().map(Posterior::from).collect(),
            outcomes: arm.outcomes,
            observed: arm
                .observed
                .iter()
                .map(|group| group.iter().map(mean).collect())
                .collect(),
            expected: Expected::new(&arm.usage),
        }
    }
}

impl Expected {
    pub(super) fn new(usage: &Usage) -> Self {
        let books = [usage.of(Kind::Answer), usage.of(Kind::Bill)];
        let weights = |target: usize| {
            let weight = |book: &Book| book.smears[target].weight();
            books.map(|book| book.map_or(0.0, weight))
        };
        let logarithm = |book: Option<&Book>, target: usize| {
            let book = book?;
            let smear = book.smears[target].factor()?;
            let theta = theta(&book.ridge, target);
            Some(Logarithm { theta, smear })
        };
        let [answers, bills] = books;
        let billed = bills.filter(|bills| bills.smears[AMOUNT].weight() > 0.0);
        Self {
            output: logarithm(answers, AMOUNT),
            token_share: share(weights(AMOUNT)),
            ratio: billed.map(|bills| theta(&bills.ridge, AMOUNT)),
            latency: books.map(|book| logarithm(book, LATENCY)),
            answer_share: share(weights(LATENCY)),
        }
    }

    /// Output tokens, if any attempt said them.
    pub fn output_tokens(&self, x: &[f32]) -> Option<f64> {
        self.output.as_ref().map(|output| output.of(x))
    }

    /// How much of the expected cost is that of the expected tokens at today's prices, 0 to 1; the rest goes
    /// by [`Expected::cost_ratio`].
    pub fn token_share(&self) -> f64 {
        self.token_share
    }

    /// Cost as a multiple of the reference cost (256 output tokens), at least 0, by attempts that told money
    /// and no output tokens; 1 where there are none.
    pub fn cost_ratio(&self, x: &[f32]) -> f64 {
        let ratio = self.ratio.as_ref();
        ratio.map_or(1.0, |theta| dot(theta, x).max(0.0))
    }

    /// Latency in milliseconds, if any was ever seen.
    pub fn latency_ms(&self, x: &[f32]) -> Option<f64> {
        let [answers, bills] = self.latency.each_ref().map(|l| l.as_ref().map(|l| l.of(x)));
        match answers.zip(bills) {
            Some((answers, bills)) => Some(bills + self.answer_share * (answers - bills)),
            None => answers.or(bills),
        }
    }
}

/// How much answers have to say beside bills.
fn share([answers, bills]: [f64; 2]) -> f64 {
    match bills > 0.0 {
        true => answers / (answers + bills.min(MOST_BILLS)),
        false => 1.0,
    }
}

impl Logarithm {
    /// The expected value. The logarithm is held to 0 to 20 so that a wild extrapolation stays a number.
    fn of(&self, x: &[f32]) -> f64 {
        let logarithm = dot(&self.theta, x).clamp(0.0, 20.0);
        (logarithm.exp() * self.smear - 1.0).max(0.0)
    }
}

fn mean((count, sum): &(u64, f64)) -> Option<f64> {
    (*count > 0).then(|| sum / *count as f64)
}

fn theta(ridge: &Ridge, target: usize) -> Vec<f32> {
    ridge.weights(target).iter().map(|v| *v as f32).collect()
}

/// In eight sums, so that no addition waits for the one before: 5 times as fast as one.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0_f32; 8];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    f64::from(sums.iter().sum::<f32>() + rest)
}
