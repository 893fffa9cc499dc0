//! What a policy would have done at every draw of the log, and the rows that follow.
//!
//! Invariants: a decision's weight is its episode's, the product over the episode's draws; an episode with a draw that
//! the policy has no answer for is left out whole.

use crate::bandit::Scratch;
use crate::ope::{
    Overlap, Refusal, Row as Weighted, expected_square, importance_weight, thin, unsupported,
};
use crate::replay::error::Error;
use crate::replay::log::{Log, Outcome};
use crate::replay::model::Predicted;
use crate::replay::target::Candidate;
use std::collections::BTreeMap;

/// A policy's view of a log.
pub(super) struct Weighed<'a> {
    log: &'a Log,
    draws: Vec<Option<Weight>>,
    /// Of each episode its weight and the expected square of it.
    episodes: Vec<Option<(f64, f64)>>,
}

/// What the policy makes of one draw.
struct Weight {
    pmf: Vec<f64>,
    own: f64,
    /// Product over the episode's earlier draws.
    before: f64,
    square: f64,
}

/// How the policy lies on some outcomes.
#[derive(Debug)]
pub(super) struct Cover {
    pub(super) overlap: Overlap,
    /// Its mean mass on arms drawn with less than 1 in 100.
    pub(super) thin: f64,
    /// The effective sample size, of episodes, that the pmfs foretell.
    foretold: f64,
}

impl<'a> Weighed<'a> {
    pub(super) fn of(candidate: &Candidate, log: &'a Log) -> Result<Self, Error> {
        let mut draws = Vec::with_capacity(log.draws.len());
        let mut scratch = Scratch::default();
        for draw in &log.draws {
            let target = candidate.pmf(&draw.drawn, &mut scratch)?;
            draws.push(target.map(|target| {
                let pmf = target.as_slice().to_vec();
                let chosen = pmf.get(draw.drawn.chosen as usize).copied();
                Weight {
                    own: importance_weight(chosen.unwrap_or(0.0), draw.drawn.propensity()),
                    before: 1.0,
                    square: expected_square(&pmf, draw.drawn.pmf.as_slice()),
                    pmf,
                }
            }));
        }
        let mut episodes = Vec::with_capacity(log.episodes.len());
        for own in &log.episodes {
            let mut product = Some((1.0, 1.0));
            for draw in own {
                let weight = draws.get_mut(*draw).and_then(Option::as_mut);
                product = product.zip(weight).map(|((before, square), weight)| {
                    weight.before = before;
                    (before * weight.own, square * weight.square)
                });
            }
            episodes.push(product);
        }
        Ok(Self {
            log,
            draws,
            episodes,
        })
    }

    /// Its pmf at a draw, where it can be judged there.
    pub(super) fn pmf(&self, draw: usize) -> Option<&[f64]> {
        self.episode(self.log.draws.get(draw)?.episode)?;
        let weight = self.draws.get(draw)?.as_ref()?;
        Some(&weight.pmf)
    }

    /// Weight of an episode and its expected square, where it can be judged there.
    pub(super) fn episode(&self, episode: usize) -> Option<(f64, f64)> {
        self.episodes.get(episode).copied().flatten()
    }

    /// An outcome's row for one measure. `unseen` stands for the model on arms that could not be drawn.
    pub(super) fn row(
        &self,
        outcome: &Outcome,
        measure: usize,
        model: &Predicted,
        unseen: Option<f64>,
    ) -> Option<Weighted> {
        let reward = outcome.value(measure)?;
        let draw = self.log.draws.get(outcome.draw)?;
        let (weight, _) = self.episode(draw.episode)?;
        let own = self.draws.get(outcome.draw)?.as_ref()?;
        let chosen = draw.drawn.chosen as usize;
        let (mut value, mut model_chosen) = (0.0, 0.0);
        let arms = own.pmf.iter().zip(draw.drawn.pmf.as_slice());
        for (arm, ((p, logged), q)) in arms.zip(model.arms(outcome.draw, measure)).enumerate() {
            value += p * unseen.filter(|_| *logged <= 0.0).unwrap_or(q);
            if arm == chosen {
                model_chosen = q;
            }
        }
        Some(Weighted {
            cluster: draw.episode,
            weight,
            weight_before: own.before,
            reward,
            model_value: value,
            model_chosen,
        })
    }

    /// The rows of one measure.
    pub(super) fn rows(&self, of: &[&Outcome], measure: usize, model: &Predicted) -> Vec<Weighted> {
        let rows = of.iter();
        rows.filter_map(|outcome| self.row(outcome, measure, model, None))
            .collect()
    }

    /// The two policies' views of one measure, where both can be judged.
    pub(super) fn pairs(
        &self,
        other: &Self,
        of: &[&Outcome],
        measure: usize,
        model: &Predicted,
    ) -> Vec<(Weighted, Weighted)> {
        let both = |outcome: &&Outcome| {
            let own = self.row(outcome, measure, model, None)?;
            Some((own, other.row(outcome, measure, model, None)?))
        };
        of.iter().filter_map(both).collect()
    }

    /// How it lies on these outcomes.
    pub(super) fn cover(&self, of: &[&Outcome]) -> Cover {
        let (mut n, mut unsupported_mass, mut thin_mass) = (0.0, 0.0, 0.0);
        let mut episodes: BTreeMap<usize, f64> = BTreeMap::new();
        let mut rows = Vec::with_capacity(of.len());
        for outcome in of {
            let draw = self.log.draws.get(outcome.draw);
            let own = self.draws.get(outcome.draw).and_then(Option::as_ref);
            let (Some(draw), Some(own)) = (draw, own) else {
                continue;
            };
            let Some((weight, _)) = self.episode(draw.episode) else {
                continue;
            };
            let logged = draw.drawn.pmf.as_slice();
            n += 1.0;
            *episodes.entry(draw.episode).or_default() += 1.0;
            unsupported_mass += unsupported(&own.pmf, logged);
            thin_mass += thin(&own.pmf, logged);
            rows.push(Weighted {
                cluster: draw.episode,
                weight,
                weight_before: own.before,
                reward: 0.0,
                model_value: 0.0,
                model_chosen: 0.0,
            });
        }
        let rows_or_one = f64::max(n, 1.0);
        let square = |(episode, rows): (&usize, &f64)| {
            let (_, square) = self.episode(*episode).unwrap_or((1.0, 1.0));
            rows * rows * square.max(1.0)
        };
        let squares: f64 = episodes.iter().map(square).sum();
        Cover {
            overlap: Overlap::of(&rows, unsupported_mass / rows_or_one),
            thin: thin_mass / rows_or_one,
            foretold: n * n / f64::max(squares, 1.0),
        }
    }
}

impl Cover {
    /// Why nothing may be said there, if so. Few draws like the policy's may not have come yet: the log then looks
    /// better than it is, and what the pmfs foretell must suffice too.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        let refusal = self.overlap.refusal();
        refusal.or_else(|| self.overlap.too_small(self.foretold))
    }
}
