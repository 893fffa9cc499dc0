//! One pass in the order of the log: what holds although the logger learned, and at every peek.
//!
//! Invariants: an episode is judged by a model that saw only episodes that were over when it began.
//!
//! Not here: the bounds themselves (`ope`).

use super::report::{Anytime, Point, Range};
use super::weigh::Weighed;
use crate::ope::{
    AdvantageBounds, Contest, DifferenceTally, Estimate, Row as Weighted, Stabilised,
};
use crate::replay::log::{Log, Outcome};
use crate::replay::model::Predicted;

/// Points of a course at most.
const POINTS: usize = 50;

/// What is compared.
pub(super) struct Pass<'a> {
    pub(super) log: &'a Log,
    pub(super) model: &'a Predicted,
    pub(super) candidate: &'a Weighed<'a>,
    pub(super) incumbent: &'a Weighed<'a>,
    pub(super) measure: usize,
    /// The share of the incumbent that the candidate is held against; 1: all of it.
    pub(super) share: f64,
    /// The ends of the measure's scale, where it has one, and there are bounds at every peek.
    pub(super) range: Option<(f64, f64)>,
    /// The chances that lower and upper bound are missed.
    pub(super) miss: [f64; 2],
}

/// What it says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Course {
    pub(super) stabilised: Option<Estimate>,
    pub(super) difference: Option<Estimate>,
    pub(super) anytime: Option<Anytime>,
    pub(super) points: Vec<Point>,
}

impl Pass<'_> {
    pub(super) fn run(&self) -> Course {
        let (mut value, mut gain) = (Stabilised::default(), Stabilised::default());
        let mut plain = DifferenceTally::from_share(self.share);
        let (mut peeks, mut rows) = (Peeks::new(self), 0);
        let mut points: Vec<Point> = Vec::new();
        let all = self.log.by_episode();
        let every = all.len().div_ceil(POINTS).max(1);
        for (number, over) in self.log.in_order() {
            for episode in over {
                let own = self.candidate.episode(episode);
                value.over(own.map_or(1.0, |(_, square)| square));
                gain.over(self.square(episode));
            }
            let outcomes = all.get(number).map_or(&[][..], Vec::as_slice);
            let pairs = outcomes.iter().filter_map(|o| self.pair(o));
            let pairs: Vec<(Weighted, Weighted)> = pairs.collect();
            if !pairs.is_empty() {
                let total =
                    |of: fn(&(Weighted, Weighted)) -> f64| pairs.iter().map(of).sum::<f64>();
                let own = total(|(a, _)| a.doubly_robust());
                value.add(pairs.len(), own);
                let other = total(|(_, b)| b.doubly_robust());
                gain.add(pairs.len(), own - self.share * other);
                plain.add(&pairs);
                rows += pairs.len();
                peeks.add(number, outcomes);
            }
            if (number + 1).is_multiple_of(every) || number + 1 == all.len() {
                points.extend(plain.estimate().map(|difference| Point {
                    decisions: rows,
                    difference,
                    anytime: peeks.bounds(),
                }));
            }
        }
        Course {
            stabilised: value.estimate(),
            difference: gain.estimate(),
            anytime: peeks.bounds().map(|bounds| Anytime {
                lower: bounds.lower,
                upper: bounds.upper,
                cut: peeks.cut as f64 / peeks.outcomes.max(1) as f64,
            }),
            points,
        }
    }

    fn pair(&self, outcome: &Outcome) -> Option<(Weighted, Weighted)> {
        let of = |policy: &Weighed<'_>| policy.row(outcome, self.measure, self.model, None);
        Some((of(self.candidate)?, of(self.incumbent)?))
    }

    /// The expected square of the difference of the two weights, of an episode with one draw; at most twice the sum of
    /// their own elsewhere.
    fn square(&self, episode: usize) -> f64 {
        let draws = self
            .log
            .episodes
            .get(episode)
            .map_or(&[][..], Vec::as_slice);
        let pmfs = |draw: usize| {
            let logged = self.log.draws.get(draw)?.drawn.pmf.as_slice();
            Some((self.candidate.pmf(draw)?, self.incumbent.pmf(draw)?, logged))
        };
        if let [draw] = draws
            && let Some((a, b, logged)) = pmfs(*draw)
        {
            let arms = a
                .iter()
                .zip(b)
                .zip(logged)
                .filter(|(_, logged)| **logged > 0.0);
            return arms.map(|((a, b), p)| (a - b) * (a - b) / p).sum();
        }
        let own = |policy: &Weighed<'_>| policy.episode(episode).map_or(1.0, |(_, square)| square);
        own(self.candidate) + own(self.incumbent)
    }
}

/// Bounds at every peek as they grow, as long as every episode has one draw.
struct Peeks<'a> {
    pass: &'a Pass<'a>,
    /// Absent: no scale, or an episode with several draws came.
    bounds: Option<AdvantageBounds>,
    /// Outcomes, and those off the scale.
    outcomes: usize,
    cut: usize,
}

impl<'a> Peeks<'a> {
    fn new(pass: &'a Pass<'a>) -> Self {
        Self {
            pass,
            bounds: pass.range.map(|_| AdvantageBounds::new(pass.miss)),
            outcomes: 0,
            cut: 0,
        }
    }

    /// Takes in an episode: the mean of its outcomes.
    fn add(&mut self, episode: usize, outcomes: &[&Outcome]) {
        let draws = self.pass.log.episodes.get(episode);
        let (Some([at]), Some((low, high))) = (draws.map(Vec::as_slice), self.pass.range) else {
            self.bounds = None;
            return;
        };
        let (pass, Some(bounds)) = (self.pass, self.bounds.as_mut()) else {
            return;
        };
        let scaled = |value: f64| (value - low) / (high - low);
        let values = outcomes.iter().filter_map(|o| o.value(pass.measure));
        let (mut sum, mut count) = (0.0, 0.0);
        for value in values.map(scaled) {
            self.outcomes += 1;
            self.cut += usize::from(!(0.0..=1.0).contains(&value));
            sum += value.clamp(0.0, 1.0);
            count += 1.0;
        }
        let policies = pass.candidate.pmf(*at).zip(pass.incumbent.pmf(*at));
        let (Some(draw), Some((candidate, incumbent))) = (pass.log.draws.get(*at), policies) else {
            return;
        };
        let model: Vec<f64> = pass.model.arms(*at, pass.measure).map(scaled).collect();
        bounds.add(&Contest {
            chosen: draw.drawn.chosen as usize,
            reward: sum / count,
            logged: draw.drawn.pmf.as_slice(),
            candidate,
            incumbent,
            model: &model,
        });
    }

    fn bounds(&self) -> Option<Range> {
        let (bounds, (low, high)) = self.bounds.as_ref().zip(self.pass.range)?;
        Some(Range {
            lower: (high - low) * bounds.lower(),
            upper: (high - low) * bounds.upper(),
        })
    }
}
