//! The outcome models of the doubly robust estimator: a ridge an arm on the context, of all measures at once.
//!
//! Two kinds, since two are asked for. *Out of fold*: a draw is predicted by models that saw no row of its fold, hence
//! none of its episode. *Progressive*: in the order of the log, all draws of an episode by models that saw only
//! episodes whose last draw came before its first: what bounds at every peek and stabilised means need.
//!
//! Invariants: statistics of two feature sets never mix. A model need not be right: it narrows the interval, the
//! weights remove its bias.
//!
//! Memory: 8 K M bytes a draw and kind (K arms, M measures).
//!
//! Source: SCIENCE 3.2 (5 folds by hash of episode; predict, then update), 2.2 (ridge 10, prior mean = pooled mean).

use super::error::Error;
use super::log::{Draw, Log, Outcome};
use crate::bandit::{Prior, Ridge};
use crate::id::Name;
use crate::ope::FOLDS;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Weight of the prior.
const RIDGE: f64 = 10.0;

/// Predictions of every measure for every arm of every draw.
#[derive(Debug, Default)]
pub(super) struct Predicted {
    measures: usize,
    /// Of each draw, `[arm * measures + measure]`.
    of: Vec<Vec<f64>>,
}

impl Predicted {
    /// Of one measure for the draw's arms, in its order.
    pub(super) fn arms(&self, draw: usize, measure: usize) -> impl Iterator<Item = f64> + '_ {
        let all = self.of.get(draw).map_or(&[][..], Vec::as_slice);
        let arms = all.chunks_exact(self.measures.max(1));
        arms.filter_map(move |arm| arm.get(measure).copied())
    }
}

/// The models of all arms, and the means that they start from.
#[derive(Debug, Clone)]
struct Models<'a> {
    arms: BTreeMap<(Option<&'a Name>, usize), Ridge>,
    /// Sum and number of each measure.
    seen: Vec<(f64, f64)>,
}

impl<'a> Models<'a> {
    fn new(measures: usize) -> Self {
        Self {
            arms: BTreeMap::new(),
            seen: vec![(0.0, 0.0); measures],
        }
    }

    fn count(&mut self, outcome: &Outcome) {
        for (measure, (sum, count)) in self.seen.iter_mut().enumerate() {
            if let Some(value) = outcome.value(measure) {
                *sum += value;
                *count += 1.0;
            }
        }
    }

    fn means(&self) -> Vec<f64> {
        let mean = |(sum, count): &(f64, f64)| if *count > 0.0 { sum / count } else { 0.0 };
        self.seen.iter().map(mean).collect()
    }

    fn learn(&mut self, draw: &'a Draw, outcome: &Outcome) -> Result<(), Error> {
        let Some(arm) = draw.arms.get(draw.drawn.chosen as usize) else {
            return Ok(());
        };
        let prior = || Prior::on_bias(draw.context.len(), RIDGE, &self.means());
        let prior = (!self.arms.contains_key(&(draw.feature_set.as_ref(), *arm))).then(prior);
        let model = match self.arms.entry((draw.feature_set.as_ref(), *arm)) {
            Entry::Occupied(model) => model.into_mut(),
            Entry::Vacant(place) => place.insert(Ridge::new(
                &prior.unwrap_or_else(|| Prior::on_bias(0, RIDGE, &[])),
            )?),
        };
        let values: Vec<Option<f64>> = (0..self.seen.len()).map(|m| outcome.value(m)).collect();
        model.observe(&draw.context, &values)?;
        Ok(())
    }

    fn predict(&self, draw: &Draw) -> Result<Vec<f64>, Error> {
        let means = self.means();
        let mut all = Vec::with_capacity(draw.arms.len() * means.len());
        for arm in &draw.arms {
            let from = all.len();
            all.extend_from_slice(&means);
            let model = self.arms.get(&(draw.feature_set.as_ref(), *arm));
            if let (Some(model), Some(slot)) = (model, all.get_mut(from..)) {
                model.predict(&draw.context, slot)?;
            }
        }
        Ok(all)
    }
}

/// Predictions by models that saw nothing of the draw's fold.
pub(super) fn out_of_fold(log: &Log) -> Result<Predicted, Error> {
    let measures = log.measures.len();
    let mut models = vec![Models::new(measures); FOLDS];
    let drawn = |outcome: &Outcome| log.draws.get(outcome.draw);
    let others = |fold: usize, draw: &Draw| fold != draw.fold;
    for (fold, models) in models.iter_mut().enumerate() {
        for outcome in &log.outcomes {
            if drawn(outcome).is_some_and(|draw| others(fold, draw)) {
                models.count(outcome);
            }
        }
        for outcome in &log.outcomes {
            if let Some(draw) = drawn(outcome).filter(|draw| others(fold, draw)) {
                models.learn(draw, outcome)?;
            }
        }
    }
    let predict = |draw: &Draw| match models.get(draw.fold) {
        Some(models) => models.predict(draw),
        None => Ok(Vec::new()),
    };
    Ok(Predicted {
        measures,
        of: log.draws.iter().map(predict).collect::<Result<_, _>>()?,
    })
}

/// Predictions by models that saw only episodes that were over.
pub(super) fn progressive(log: &Log) -> Result<Predicted, Error> {
    let measures = log.measures.len();
    let outcomes = log.by_episode();
    let mut models = Models::new(measures);
    let mut of = vec![Vec::new(); log.draws.len()];
    for (number, over) in log.in_order() {
        for outcome in over.iter().filter_map(|e| outcomes.get(*e)).flatten() {
            models.count(outcome);
            if let Some(draw) = log.draws.get(outcome.draw) {
                models.learn(draw, outcome)?;
            }
        }
        for draw in log.episodes.get(number).into_iter().flatten() {
            if let (Some(slot), Some(draw)) = (of.get_mut(*draw), log.draws.get(*draw)) {
                *slot = models.predict(draw)?;
            }
        }
    }
    Ok(Predicted { measures, of })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::sample::Maker;
    use crate::replay::Row;
    use std::ops::ControlFlow;

    /// Six decisions, the second and the fifth of one episode, with these utilities.
    fn log(utilities: [f64; 6]) -> Log {
        let mut maker = Maker::new();
        let rows: Vec<_> = (0..6)
            .map(|i| {
                let episode = format!("e{}", if i == 4 { 1 } else { i });
                let mut row = Row::new(maker.decision(Some(&episode)));
                row.utility = Some(utilities[i]);
                Ok(row)
            })
            .collect();
        let go_on = |_| ControlFlow::Continue(());
        Log::gather(rows.into_iter(), None, &go_on).unwrap()
    }

    #[test]
    fn a_progressive_model_sees_only_episodes_that_were_over_before_the_draw_s_own_began() {
        let base = [0.5; 6];
        let of = |utilities| progressive(&log(utilities)).unwrap().of;
        let usual = of(base);
        // Whether a change of outcome i moves the predictions of draw j.
        for changed in 0..6 {
            let mut utilities = base;
            utilities[changed] = 0.9;
            let moved: Vec<bool> = of(utilities)
                .iter()
                .zip(&usual)
                .map(|(a, b)| a != b)
                .collect();
            let wanted: Vec<bool> = (0..6)
                .map(|draw| {
                    let began = if draw == 4 { 1 } else { draw };
                    let over = if changed == 1 { 4 } else { changed };
                    over < began
                })
                .collect();
            assert_eq!(moved, wanted, "outcome {changed}");
        }
    }

    #[test]
    fn an_out_of_fold_model_sees_nothing_of_its_own_fold() {
        let (base, folds) = (log([0.5; 6]), |log: &Log| -> Vec<usize> {
            log.draws.iter().map(|draw| draw.fold).collect()
        });
        let folds = folds(&base);
        let usual = out_of_fold(&base).unwrap().of;
        for changed in 0..6 {
            let mut utilities = [0.5; 6];
            utilities[changed] = 0.9;
            let found = out_of_fold(&log(utilities)).unwrap().of;
            for (draw, (a, b)) in found.iter().zip(&usual).enumerate() {
                assert_eq!(
                    a != b,
                    folds[draw] != folds[changed],
                    "outcome {changed}, draw {draw}"
                );
            }
        }
    }
}
