//! What a policy would have done at every draw of the log, and the rows that follow.
//!
//! Invariants: a decision's weight is its episode's, the product over the episode's draws; an episode with a draw that
//! the policy has no answer for is left out whole.

use crate::bandit::Scratch;
use crate::ope::{Row as Weighted, expected_square, importance_weight, thin, unsupported};
use crate::replay::error::Error;
use crate::replay::log::{Log, Outcome};
use crate::replay::model::Predicted;
use crate::replay::target::Candidate;

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

/// How the policy lies on the log, over outcomes that it can be judged on.
#[derive(Debug, Default)]
pub(super) struct Cover {
    /// Its mean mass on arms never drawn.
    pub(super) unsupported: f64,
    /// Its mean mass on arms drawn with less than 1 in 100.
    pub(super) thin: f64,
    /// The effective sample size that the pmfs foretell.
    pub(super) foretold: f64,
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

    /// The rows of one measure, of the outcomes that `keep` keeps.
    pub(super) fn rows(
        &self,
        measure: usize,
        model: &Predicted,
        keep: impl Fn(&Outcome) -> bool,
    ) -> Vec<Weighted> {
        let kept = self.log.outcomes.iter().filter(|outcome| keep(outcome));
        kept.filter_map(|outcome| self.row(outcome, measure, model, None))
            .collect()
    }

    /// The two policies' views of one measure, of the outcomes that both can be judged on and `keep` keeps.
    pub(super) fn pairs(
        &self,
        other: &Self,
        measure: usize,
        model: &Predicted,
        keep: impl Fn(&Outcome) -> bool,
    ) -> Vec<(Weighted, Weighted)> {
        let kept = self.log.outcomes.iter().filter(|outcome| keep(outcome));
        let both = |outcome: &Outcome| {
            let own = self.row(outcome, measure, model, None)?;
            Some((own, other.row(outcome, measure, model, None)?))
        };
        kept.filter_map(both).collect()
    }

    /// How it lies on the outcomes that `keep` keeps.
    pub(super) fn cover(&self, keep: impl Fn(&Outcome) -> bool) -> Cover {
        let (mut n, mut squares, mut cover) = (0.0, 0.0, Cover::default());
        for outcome in self.log.outcomes.iter().filter(|outcome| keep(outcome)) {
            let draw = self.log.draws.get(outcome.draw);
            let (Some(draw), Some(pmf)) = (draw, self.pmf(outcome.draw)) else {
                continue;
            };
            let logged = draw.drawn.pmf.as_slice();
            n += 1.0;
            squares += self.episode(draw.episode).map_or(0.0, |(_, square)| square);
            cover.unsupported += unsupported(pmf, logged);
            cover.thin += thin(pmf, logged);
        }
        let rows: f64 = n;
        let least = rows.max(1.0);
        Cover {
            unsupported: cover.unsupported / least,
            thin: cover.thin / least,
            foretold: rows / (squares / least).max(1.0),
        }
    }
}
