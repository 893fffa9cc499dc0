//! What the router gained over the held-out cell: a randomised comparison, without any weights.
//!
//! Rules, stated because numbers depend on them:
//! - By intention: the logged cell counts, whichever arm took the request, and whether the team's guard held.
//! - Decisions that chance had no part in (pinned, no-explore) count in neither cell.
//!
//! Not here: bounds that hold at every peek (`learn` keeps them for the guard).
//!
//! Units: mean utility a decision, in quality points; intervals clustered by episode.
//!
//! Source: SCIENCE 2.3 (cells), 2.7.

use crate::ope::{Estimate, Estimator, Row as Weighted};
use serde::Serialize;

/// The two cells compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lift {
    /// Mean utility of the router's cell.
    pub router: Estimate,
    /// Mean utility of the held-out cell.
    pub holdout: Estimate,
    /// The first less the second.
    pub difference: Estimate,
}

impl Lift {
    /// From (episode, utility) of each decision, episodes numbered from 0 in each cell. `None` where a cell
    /// has no outcome.
    pub(super) fn of(
        router: impl Iterator<Item = (usize, f64)>,
        holdout: impl Iterator<Item = (usize, f64)>,
    ) -> Option<Self> {
        let (router, holdout) = (mean(router)?, mean(holdout)?);
        Some(Self {
            difference: router.less(&holdout),
            router,
            holdout,
        })
    }
}

fn mean(outcomes: impl Iterator<Item = (usize, f64)>) -> Option<Estimate> {
    let row = |(cluster, reward)| Weighted {
        cluster,
        weight: 1.0,
        weight_before: 1.0,
        reward,
        model_value: 0.0,
        model_chosen: 0.0,
    };
    let rows: Vec<Weighted> = outcomes.map(row).collect();
    Estimator::IPS.estimate(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gain_is_the_difference_of_the_means_with_both_errors() {
        let alike = |values: [f64; 4]| values.into_iter().enumerate();
        let lift = Lift::of(alike([1.0, 0.0, 1.0, 1.0]), alike([0.0, 0.0, 1.0, 0.0]));
        let lift = lift.unwrap();
        assert_eq!((lift.router.value, lift.holdout.value), (0.75, 0.25));
        let difference = lift.difference;
        assert_eq!(difference.value, 0.5);
        // Each: residuals of sum of squares 3/4, x 4/3, root 1, over 4 decisions: 1/4.
        assert!((difference.standard_error - 0.125_f64.sqrt()).abs() < 1e-12);
        assert!((difference.upper - 0.5 - 1.96 * 0.125_f64.sqrt()).abs() < 1e-4);
    }

    #[test]
    fn one_cell_alone_says_nothing() {
        assert_eq!(Lift::of([(0, 1.0)].into_iter(), [].into_iter()), None);
    }
}
