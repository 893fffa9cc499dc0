//! The outcome model of the doubly robust estimator: a ridge an arm on the context, out of fold.
//!
//! Invariants: a draw is predicted by models that saw no row of its fold, hence none of its episode.
//! Statistics of two feature sets never mix. The model need not be right: it narrows the interval,
//! the weights remove its bias.
//!
//! Source: SCIENCE 3.2 (5 folds by hash of episode), 2.2 (ridge 10, prior mean = pooled mean).

use super::error::Error;
use super::log::Log;
use crate::bandit::{Prior, Ridge};
use crate::id::Name;
use crate::ope::FOLDS;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Weight of the prior.
const RIDGE: f64 = 10.0;

/// Predicted utility of each draw's arms, in the draw's order of arms.
pub(super) fn out_of_fold(log: &Log) -> Result<Vec<Vec<f64>>, Error> {
    let pooled = pooled_means(log);
    let mut models: Vec<BTreeMap<(Option<&Name>, usize), Ridge>> = vec![BTreeMap::new(); FOLDS];
    for outcome in &log.outcomes {
        let Some(draw) = log.draws.get(outcome.draw) else {
            continue;
        };
        let Some(arm) = draw.arms.get(draw.drawn.chosen as usize) else {
            continue;
        };
        for (fold, (models, mean)) in models.iter_mut().zip(&pooled).enumerate() {
            if fold == draw.fold {
                continue;
            }
            let key = (draw.feature_set.as_ref(), *arm);
            let model = match models.entry(key) {
                Entry::Occupied(model) => model.into_mut(),
                Entry::Vacant(place) => {
                    let prior = Prior::on_bias(draw.context.len(), RIDGE, &[*mean]);
                    place.insert(Ridge::new(&prior)?)
                }
            };
            model.observe(&draw.context, &[Some(outcome.utility)])?;
        }
    }
    log.draws
        .iter()
        .map(|draw| {
            let models = models.get(draw.fold);
            let mean = pooled.get(draw.fold).copied().unwrap_or(0.0);
            let predict = |arm: &usize| {
                let key = (draw.feature_set.as_ref(), *arm);
                let mut value = [mean];
                if let Some(model) = models.and_then(|models| models.get(&key)) {
                    model.predict(&draw.context, &mut value)?;
                }
                let [value] = value;
                Ok(value)
            };
            draw.arms.iter().map(predict).collect()
        })
        .collect()
}

/// Mean utility outside each fold.
fn pooled_means(log: &Log) -> Vec<f64> {
    let (mut sums, mut counts) = ([0.0; FOLDS], [0.0; FOLDS]);
    for outcome in &log.outcomes {
        let own = log.draws.get(outcome.draw).map(|draw| draw.fold);
        for fold in (0..FOLDS).filter(|fold| Some(*fold) != own) {
            sums[fold] += outcome.utility;
            counts[fold] += 1.0;
        }
    }
    let mean = |(sum, count): (&f64, &f64)| if *count > 0.0 { sum / count } else { 0.0 };
    sums.iter().zip(&counts).map(mean).collect()
}
