//! What the log says.
//!
//! Not here: how it is found (`judge`), how it reads (`text`).

use super::gate::{Aim, Gate, Guard};
use crate::ope::{Caution, Estimate, Overlap};
use crate::replay::lift::Lift;
use crate::replay::propensity::PropensityCheck;
use crate::replay::wanted::{Refused, Wanted};
use serde::Serialize;

/// What the log says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrafficReport {
    /// Decisions read.
    pub rows: usize,
    /// Decisions used: drawn by chance, with an outcome.
    pub used: usize,
    /// Left out as pinned or no-explore, or inherited from such: another population.
    pub deterministic: usize,
    /// Left out as held out for the team's baseline: candidates are judged within the router's cell.
    pub held_out: usize,
    /// Left out for want of an outcome.
    pub unobserved: usize,
    /// The signals that those want.
    pub wanted: Vec<Wanted>,
    /// Left out because the draw they inherit from is not in the log.
    pub orphaned: usize,
    /// Draws, with an outcome or not.
    pub draws: usize,
    /// Mean utility as logged.
    pub logged: Option<Estimate>,
    /// What the router's cell gained over the held-out one. Absent where one of them has no outcome.
    pub lift: Option<Lift>,
    /// Whether the propensities are true.
    pub propensities: PropensityCheck,
    /// Episodes of the draws used, and those of them with several draws: with one such there are no bounds at every
    /// peek.
    pub episodes: usize,
    /// See `episodes`.
    pub several_draws: usize,
    /// What candidates are judged by.
    pub terms: Terms,
    /// What candidates are held against.
    pub incumbent: String,
    /// Why the log cannot answer for the incumbent; then nothing is said against it.
    pub incumbent_refusal: Option<Refused>,
    /// The candidates, in the order asked.
    pub candidates: Vec<CandidateReport>,
}

/// What candidates are judged by, besides the incumbent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Terms {
    /// What a change is for.
    pub aim: Aim,
    /// Signals that must not move the wrong way.
    pub guards: Vec<Guard>,
    /// Whether gates go by bounds that hold at every peek.
    pub peeking: bool,
    /// The scale of utility: what is beyond is cut for bounds at every peek.
    pub utility: Range,
}

/// What the log says of one candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidateReport {
    /// Its specification.
    pub candidate: String,
    /// Decisions used that are passed over because the candidate's fixed arm was not eligible in their episode.
    pub not_applicable: usize,
    /// How well the log covers it.
    pub overlap: Overlap,
    /// Its mean probability on arms that were drawn with less than 1 in 100.
    pub thin: f64,
    /// Hill's index of the largest twentieth of the weights: below 2 their variance is not to be relied on. Absent
    /// with fewer than 200 episodes of positive weight.
    pub tail_index: Option<f64>,
    /// How the weights of its episodes are spread.
    pub weights: Vec<Bucket>,
    /// What to be wary of, though the estimates stand.
    pub cautions: Vec<Caution>,
    /// Why there are no estimates, if there are none.
    pub refusal: Option<Refused>,
    /// Where it is refused for arms that were never drawn: between what its value lies if an outcome there may be
    /// anything on the scale of utility.
    pub bounds: Option<Range>,
    /// Inverse propensity scoring.
    pub ips: Option<Estimate>,
    /// Self-normalised.
    pub snips: Option<Estimate>,
    /// Doubly robust with an out-of-fold model: the headline.
    pub doubly_robust: Option<Estimate>,
    /// Doubly robust with a progressive model, stabilised: for a logger that learned.
    pub stabilised: Option<Estimate>,
    /// Its utility less the incumbent's, on the same decisions.
    pub difference: Option<Estimate>,
    /// Smallest true difference from the incumbent this log would show (one-sided 5 %, power 80 %).
    pub detectable_effect: Option<f64>,
    /// Utility, quality, cost, latency and every signal, by the same weights.
    pub measures: Vec<Measure>,
    /// What of the incumbent's cost is surely saved, where that is the aim: cost less 95 % of the incumbent's, plain
    /// and stabilised.
    pub saving: Option<[Estimate; 2]>,
    /// Share of the decisions used on which candidate and incumbent can both be judged.
    pub applicable: f64,
    /// The difference in utility, task by task, of tasks with 50 decisions or more; none where decisions have no task.
    pub slices: Vec<Slice>,
    /// The slice of the lowest upper bound of the difference, among those with 50 decisions or more.
    pub worst_slice: Option<String>,
    /// The difference in utility as the log grew.
    pub course: Vec<Point>,
    /// Whether it may take the incumbent's place. Absent where it is the incumbent.
    pub gate: Option<Gate>,
}

/// Episodes with a weight in a range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bucket {
    /// Weights up to this, and above the one before; the first: 0. Absent: without end.
    pub most: Option<f64>,
    /// Episodes.
    pub episodes: usize,
}

/// From one value to another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Range {
    /// The lower end.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
}

/// One measure under the candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measure {
    /// `utility`, `quality`, `cost_usd`, `latency_ms` or a signal, in its own unit.
    pub name: String,
    /// Decisions of which it is known and on which candidate and incumbent can both be judged.
    pub rows: usize,
    /// Its value, doubly robust. Absent where an effective sample size of 100 is not reached on its decisions.
    pub value: Option<Estimate>,
    /// That less the incumbent's. Absent too where the log cannot answer for the incumbent.
    pub difference: Option<Estimate>,
    /// The same, stabilised.
    pub stabilised: Option<Estimate>,
    /// Bounds of the difference that hold at every peek, where the measure has a scale (utility, quality, guards) and
    /// every episode has one draw.
    pub anytime: Option<Anytime>,
}

/// Bounds that hold at every peek, of the mean an episode.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Anytime {
    /// The lower one.
    pub lower: f64,
    /// The upper one.
    pub upper: f64,
    /// Share of outcomes that were off the scale and cut to it: the bounds are of what was cut.
    pub cut: f64,
}

/// The decisions of one task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Slice {
    /// The task.
    pub name: String,
    /// Decisions used.
    pub rows: usize,
    /// The effective sample size of the candidate there.
    pub effective_sample_size: f64,
    /// Utility less the incumbent's. Absent where the effective sample size is below 100.
    pub difference: Option<Estimate>,
    /// Two-sided p-value of no difference.
    pub p_value: Option<f64>,
    /// Whether it differs, with at most one false one in ten of those that are said to (Benjamini and Hochberg).
    pub differs: bool,
}

/// How the difference in utility stood.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// Decisions so far.
    pub decisions: usize,
    /// The difference, plain, with a progressive model.
    pub difference: Estimate,
    /// The bounds at every peek.
    pub anytime: Option<Range>,
}
