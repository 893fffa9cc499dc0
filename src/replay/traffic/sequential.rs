//! One pass in the order of the log: what holds although the logger learned, and at every peek.
//!
//! Invariants: an episode is judged by a model that saw only episodes that were over when it began.
//!
//! Not here: the bounds themselves (`ope`).

use super::report::{Anytime, Point};
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
    /// The number of the measure, and the ends of its scale.
    pub(super) measure: usize,
    pub(super) range: (f64, f64),
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
    /// Outcomes of each episode, in the order in which episodes began.
    fn episodes(&self) -> Vec<Vec<&Outcome>> {
        let mut episodes = vec![Vec::new(); self.log.episodes.len()];
        for outcome in &self.log.outcomes {
            let draw = self.log.draws.get(outcome.draw);
            if let Some(own) = draw.and_then(|draw| episodes.get_mut(draw.episode)) {
                own.push(outcome);
            }
        }
        episodes
    }

    pub(super) fn run(&self) -> Course {
        let (mut value, mut gain) = (Stabilised::default(), Stabilised::default());
        let mut plain = DifferenceTally::default();
        let mut bounds = AdvantageBounds::new(AdvantageBounds::K, self.miss);
        let (mut single, mut cut, mut used, mut rows) = (true, 0, 0, 0);
        let mut points: Vec<Point> = Vec::new();
        let all = self.episodes();
        let every = all.len().div_ceil(POINTS).max(1);
        for (number, outcomes) in all.iter().enumerate() {
            let pairs: Vec<(Weighted, Weighted)> =
                outcomes.iter().filter_map(|o| self.pair(o)).collect();
            if pairs.is_empty() {
                continue;
            }
            let square = self
                .candidate
                .episode(number)
                .map_or(1.0, |(_, square)| square);
            let total = |of: fn(&(Weighted, Weighted)) -> f64| pairs.iter().map(of).sum::<f64>();
            let own = total(|(a, _)| a.doubly_robust());
            value.add(pairs.len(), own, square);
            let apart = total(|(a, b)| a.doubly_robust() - b.doubly_robust());
            gain.add(pairs.len(), apart, self.square(number));
            plain.add(&pairs);
            rows += pairs.len();
            used += 1;
            single &= self
                .log
                .episodes
                .get(number)
                .is_some_and(|draws| draws.len() == 1);
            if single {
                cut += usize::from(self.contest(outcomes, &mut bounds));
            }
            if (number + 1).is_multiple_of(every) || number + 1 == all.len() {
                let anytime = single.then(|| self.anytime(&bounds, 0.0));
                points.extend(plain.estimate().map(|difference| Point {
                    decisions: rows,
                    difference,
                    anytime,
                }));
            }
        }
        let share = f64::from(u32::try_from(cut).unwrap_or(u32::MAX)) / f64::from(used.max(1));
        Course {
            stabilised: value.estimate(),
            difference: gain.estimate(),
            anytime: (single && rows > 0).then(|| self.anytime(&bounds, share)),
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

    /// Gives the bounds an episode of one draw: the mean of its outcomes. Tells whether that was cut.
    fn contest(&self, outcomes: &[&Outcome], bounds: &mut AdvantageBounds) -> bool {
        let values = outcomes.iter().filter_map(|o| o.value(self.measure));
        let (sum, count) = values.fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
        let Some(at) = outcomes.first().map(|outcome| outcome.draw) else {
            return false;
        };
        let policies = self.candidate.pmf(at).zip(self.incumbent.pmf(at));
        let (Some(draw), Some((candidate, incumbent))) = (self.log.draws.get(at), policies) else {
            return false;
        };
        let (low, high) = self.range;
        let scaled = |value: f64| (value - low) / (high - low);
        let model: Vec<f64> = self.model.arms(at, self.measure).map(scaled).collect();
        let reward = scaled(sum / count);
        bounds.add(&Contest {
            chosen: draw.drawn.chosen as usize,
            reward,
            logged: draw.drawn.pmf.as_slice(),
            candidate,
            incumbent,
            model: &model,
        });
        !(0.0..=1.0).contains(&reward)
    }

    fn anytime(&self, bounds: &AdvantageBounds, cut: f64) -> Anytime {
        let width = self.range.1 - self.range.0;
        Anytime {
            lower: width * bounds.lower(),
            upper: width * bounds.upper(),
            cut,
        }
    }
}
