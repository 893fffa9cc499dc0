//! A bandit that learns as it plays a stream: what the server's learner (`learn`) does for a scorecard of
//! one signal, on the same statistics.
//!
//! Quality is learned by arm on a common prior ([`Hierarchy`]); cost apart from it, in units of c_ref, so
//! that utility = quality - lambda x cost. (The server learns tokens and prices them; a table has no
//! prices.)
//!
//! Invariants: an arm's statistics see only the steps at which it was chosen; rows that a table gives
//! away beforehand ([`Learner::seed`]) teach every arm.
//!
//! Not here: the draw, and when an outcome arrives (`play`).
//!
//! Source: SCIENCE 2.2 (3 forced uniform pulls an arm), 2.6 (cost apart).

use crate::bandit::{
    Detector, Hierarchy, PRIOR_SD, Posterior, Prior, Ridge, StateError, Tempo, is_newcomer,
};
use crate::feature::{DIM, ENDS};

/// First guess of the prior's precision.
const RIDGE: f64 = 10.0;

/// Precision of the prior of costs. It is small: costs are nearly sure, and arms lie far apart.
const COST_RIDGE: f64 = 1.0;

/// Learns the qualities and costs of some arms.
#[derive(Debug)]
pub(super) struct Learner {
    forced_pulls: usize,
    pulls: Vec<usize>,
    /// The team's, and each arm's.
    tempo: Tempo,
    tempi: Vec<Tempo>,
    detectors: Vec<Detector>,
    rows: u64,
    /// Sum of the scores.
    scores: f64,
    hierarchy: Hierarchy,
    qualities: Vec<Ridge>,
    posteriors: Vec<Posterior>,
    /// Weight of cost in the utility, and the regressions where costs count.
    lambda: f64,
    costs: Vec<Ridge>,
}

/// What came of one step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) score: f64,
    /// Cost over c_ref.
    pub(super) cost: f64,
}

impl Learner {
    /// Costs are learned where they count: where `lambda` is above 0, or under a budget.
    pub(super) fn new(
        arms: usize,
        lambda: f64,
        budget: bool,
        forced_pulls: usize,
    ) -> Result<Self, StateError> {
        let hierarchy = Hierarchy::new(&ENDS, RIDGE, &[0.5])?;
        let quality = Ridge::new(hierarchy.prior())?;
        let cost = Ridge::new(&Prior::on_bias(DIM, COST_RIDGE, &[0.0]))?;
        Ok(Self {
            forced_pulls,
            pulls: vec![0; arms],
            tempo: Tempo::default(),
            tempi: vec![Tempo::default(); arms],
            detectors: vec![Detector::default(); arms],
            rows: 0,
            scores: 0.0,
            posteriors: vec![Posterior::from(&quality); arms],
            qualities: vec![quality; arms],
            hierarchy,
            lambda,
            costs: vec![cost; if lambda > 0.0 || budget { arms } else { 0 }],
        })
    }

    /// The arms that have not had their forced pulls.
    pub(super) fn forced(&self) -> Vec<usize> {
        let young = |(arm, pulls): (usize, &usize)| (*pulls < self.forced_pulls).then_some(arm);
        self.pulls.iter().enumerate().filter_map(young).collect()
    }

    /// Which arms joined after the others and have been chosen little.
    pub(super) fn newcomers(&self) -> Vec<bool> {
        let arms = self.pulls.iter().zip(&self.tempi);
        let new = arms.map(|(pulls, tempo)| is_newcomer(*pulls as u64, tempo.doubt(&self.tempo)));
        new.collect()
    }

    /// Effective number of choices.
    pub(super) fn samples(&self) -> f64 {
        self.tempo.time()
    }

    /// Outcomes learned from.
    #[cfg(test)]
    pub(super) fn rows(&self) -> f64 {
        self.rows as f64
    }

    /// Writes each arm's expected utility and its standard deviation in the units of the policies
    /// (residual sd / 0.3 x sqrt(h)).
    pub(super) fn score(
        &self,
        x: &[f32],
        utility: &mut [f64],
        sd: &mut [f64],
    ) -> Result<(), StateError> {
        let mut one = [0.0];
        let arms = self.posteriors.iter().zip(&self.tempi);
        for (((posterior, tempo), u), s) in arms.zip(utility.iter_mut()).zip(sd) {
            let h = posterior.score(x, &mut one)?;
            [*u] = one;
            let doubt = tempo.doubt(&self.tempo);
            *s = doubt * (posterior.noise(&[1.0]) * h).sqrt() / PRIOR_SD;
        }
        for (cost, u) in self.costs.iter().zip(utility) {
            cost.predict(x, &mut one)?;
            *u -= self.lambda * one[0];
        }
        Ok(())
    }

    /// Each arm's expected cost over c_ref, at least 0; nothing for an arm whose cost was never seen.
    pub(super) fn costs(&self, x: &[f32]) -> Result<Vec<Option<f64>>, StateError> {
        let mut one = [0.0];
        let mut cost = |cost: &Ridge| {
            cost.predict(x, &mut one)?;
            Ok((cost.count() > 0.0).then(|| one[0].max(0.0)))
        };
        self.costs.iter().map(&mut cost).collect()
    }

    /// An arm was chosen: its outcome may come later, or never. What was learned fades a little.
    pub(super) fn chose(&mut self, arm: usize) -> Result<(), StateError> {
        self.tempo.tick();
        let mut costs = self.costs.iter_mut();
        let arms = self.qualities.iter_mut().zip(&mut self.posteriors);
        let tempi = self.tempi.iter_mut().zip(&self.pulls);
        for ((quality, posterior), (tempo, pulls)) in arms.zip(tempi) {
            let cost = costs.next();
            if *pulls == 0 {
                // An arm that joins now.
                *tempo = Tempo::joining(&self.tempo);
                continue;
            }
            let keep = tempo.tick();
            if quality.fade(keep)? {
                *posterior = Posterior::from(&*quality);
            }
            if let Some(cost) = cost {
                cost.fade(keep)?;
            }
        }
        if let Some(pulls) = self.pulls.get_mut(arm) {
            *pulls += 1;
        }
        Ok(())
    }

    /// Learns the arms' outcomes of a row that is given away. It counts as a pull of each: what is known
    /// need not be forced.
    pub(super) fn seed(
        &mut self,
        x: &[f32],
        seen: impl Iterator<Item = (usize, Seen)>,
    ) -> Result<(), StateError> {
        for (arm, seen) in seen {
            if let Some(pulls) = self.pulls.get_mut(arm) {
                *pulls += 1;
            }
            // Time passes for doubt; nothing fades, for all of it is known at the start.
            for tempo in self.tempi.iter_mut().chain([&mut self.tempo]) {
                tempo.tick();
            }
            self.observe(x, arm, seen)?;
        }
        Ok(())
    }

    /// Learns what came of a step.
    pub(super) fn observe(&mut self, x: &[f32], arm: usize, seen: Seen) -> Result<(), StateError> {
        if let Some(cost) = self.costs.get_mut(arm) {
            cost.observe(x, &[Some(seen.cost)])?;
        }
        let Some(quality) = self.qualities.get_mut(arm) else {
            return Ok(());
        };
        let mut expected = [0.0];
        quality.predict(x, &mut expected)?;
        quality.observe(x, &[Some(seen.score)])?;
        let detector = self.detectors.get_mut(arm);
        let change = detector.and_then(|d| d.watch(expected[0], seen.score));
        if let (Some(change), Some(tempo)) = (change, self.tempi.get_mut(arm)) {
            tempo.changed(quality, 0, &change)?;
        }
        if let Some(posterior) = self.posteriors.get_mut(arm) {
            *posterior = Posterior::from(&*quality);
        }
        self.rows += 1;
        self.scores += seen.score;
        if self.hierarchy.is_due(self.rows) {
            let mut arms: Vec<&mut Ridge> = self.qualities.iter_mut().collect();
            let pooled = (self.scores + 0.5) / (self.rows as f64 + 1.0);
            self.hierarchy.refit(self.rows, &[pooled], &mut arms)?;
            self.posteriors = self.qualities.iter().map(Posterior::from).collect();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(learner: &mut Learner, steps: usize, arm: impl Fn(usize) -> usize) {
        let mut x = [0.0; DIM];
        x[DIM - 1] = 1.0;
        for step in 0..steps {
            let seen = Seen {
                score: 0.5,
                cost: 0.0,
            };
            learner.chose(arm(step)).unwrap();
            learner.observe(&x, arm(step), seen).unwrap();
        }
    }

    #[test]
    fn an_arm_first_chosen_late_is_a_newcomer_for_20_choices_and_one_that_was_there_is_not() {
        let mut learner = Learner::new(3, 0.0, false, 3).unwrap();
        // The third arm is there from the start, and hardly chosen.
        play(&mut learner, 200, |step| 2 * usize::from(step < 3));
        assert_eq!(learner.newcomers(), [false, false, false]);
        play(&mut learner, 100, |_| 0);
        assert_eq!(learner.newcomers(), [false, true, false]);
        assert_eq!(learner.forced(), [1]);
        play(&mut learner, 19, |_| 1);
        assert_eq!(learner.newcomers(), [false, true, false]);
        play(&mut learner, 1, |_| 1);
        assert_eq!(learner.newcomers(), [false; 3]);
    }
}
