//! A tightened budget: the price on cost at which a candidate spends no more than it.
//!
//! The price, in quality points a dollar, comes off every expected utility. A candidate that takes the best of
//! utilities (or of utilities and independent noise: `greedy`, `linear-thompson`, `lin-ucb`) spends the less the
//! higher it is, for what it spends is minus the slope of a convex function of the price; so the least price that
//! keeps the budget is found by halving, and what is found keeps it whatever the policy.
//!
//! Invariants: the spend at the price that is found is at most the budget; the same log gives the same bits.
//!
//! Not here: a budget that lets more be spent than the log did; what more money would buy is not in it. Steering
//! while requests come (`budget`).
//!
//! Source: SCIENCE 2.6 (the price of a budget), 3.1.

use super::error::Error;
use super::survey::Survey;
use super::target::{Candidate, Changed};

/// Doublings until a price counts as the highest. From a thousandth of a point for a budget's worth of money:
/// at the last one a hundredth of the budget costs more than every point there is.
const DOUBLINGS: u32 = 30;

/// Halvings: the price is right to a millionth of itself.
const HALVINGS: u32 = 20;

/// The candidate at the price that its budget asks for.
pub(super) fn tighten(
    changed: Changed,
    request_usd: f64,
    survey: &Survey,
) -> Result<Changed, Error> {
    let spent_usd = survey.spend_usd(&Candidate::Logged)?.unwrap_or(0.0);
    if request_usd >= spent_usd {
        return Err(Error::BudgetLooser {
            candidate: changed.name,
            request_usd,
            spent_usd,
        });
    }
    let at = |price: f64| Changed {
        price,
        ..changed.clone()
    };
    let spend = |price: f64| -> Result<f64, Error> {
        let candidate = Candidate::Changed(Box::new(at(price)));
        Ok(survey.spend_usd(&candidate)?.unwrap_or(0.0))
    };
    if spend(0.0)? <= request_usd {
        return Ok(at(0.0));
    }
    let (mut low, mut high) = (0.0, 1e-3 / request_usd);
    let mut least_usd = spend(high)?;
    for _ in 0..DOUBLINGS {
        if least_usd <= request_usd {
            break;
        }
        (low, high) = (high, high * 2.0);
        least_usd = spend(high)?;
    }
    if least_usd > request_usd {
        return Err(Error::BudgetBelowFloor {
            candidate: changed.name,
            request_usd,
            least_usd,
        });
    }
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        match spend(middle)? <= request_usd {
            true => high = middle,
            false => low = middle,
        }
    }
    Ok(at(high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::sample::Maker;
    use crate::replay::survey::tests::row;
    use proptest::prelude::*;

    fn survey(requests: &[([f64; 2], [f64; 2])]) -> Survey {
        let mut maker = Maker::new();
        let mut survey = Survey::new(true);
        for (utility, cost) in requests {
            survey.add(row(&mut maker, utility, cost));
        }
        survey
    }

    fn changed(chooser: &str) -> Changed {
        Changed {
            name: "x".to_owned(),
            chooser: chooser.parse().unwrap(),
            drop: vec![],
            price: 0.0,
        }
    }

    /// The dear arm is ahead by 0.1, 0.2, 0.3 and costs a dollar more. Floors are 0.05 an arm.
    const THREE: [([f64; 2], [f64; 2]); 3] = [
        ([0.6, 0.5], [2.0, 1.0]),
        ([0.7, 0.5], [2.0, 1.0]),
        ([0.8, 0.5], [2.0, 1.0]),
    ];

    #[test]
    fn the_money_stays_where_it_adds_most() {
        let survey = survey(&THREE);
        // Logged half and half: 1.5. Greedy spends 1.95; with one dear request 1.05 + 0.9 / 3 = 1.35.
        let found = tighten(changed("greedy"), 1.4, &survey).unwrap();
        assert!((found.price - 0.2).abs() < 1e-6, "{}", found.price);
        let spend = survey
            .spend_usd(&Candidate::Changed(Box::new(found)))
            .unwrap();
        assert!((spend.unwrap() - 1.35).abs() < 1e-12, "{spend:?}");
    }

    #[test]
    fn who_spends_too_little_already_pays_no_price() {
        let cheap = survey(&[([0.4, 0.5], [2.0, 1.0])]);
        assert_eq!(tighten(changed("greedy"), 1.4, &cheap).unwrap().price, 0.0);
    }

    #[test]
    fn more_money_and_too_little_are_refused() {
        let check = |request_usd: f64, expected: &str| {
            let error = tighten(changed("greedy"), request_usd, &survey(&THREE)).unwrap_err();
            assert!(error.is_unanswerable());
            assert_eq!(error.to_string(), expected);
        };
        check(
            1.5,
            "candidate x: budget.request_usd is 1.5: allowed less than 1.500000, which is what the log spent; what \
             more money would buy is not in a log, but in an outcome table (`replay outcomes --budget`)",
        );
        check(
            1.04,
            "candidate x: budget.request_usd is 1.04: allowed 1.050000 and more, which is what its floors and first \
             pulls spend whatever a dollar costs; `replay outcomes --budget` plays a table under any budget",
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_budget_is_kept_and_a_lower_price_would_break_it(
            requests in prop::collection::vec(
                ([0.0_f64..1.0, 0.0_f64..1.0], [0.5_f64..2.0, 0.1_f64..0.4]), 3..20),
            share in 0.2_f64..0.9,
            thompson in any::<bool>(),
        ) {
            let survey = survey(&requests);
            let chooser = changed(if thompson { "linear-thompson:v=1,half=1000" } else { "greedy" });
            let spend = |price: f64| {
                let at = Changed { price, ..chooser.clone() };
                survey.spend_usd(&Candidate::Changed(Box::new(at))).unwrap().unwrap()
            };
            let logged = survey.spend_usd(&Candidate::Logged).unwrap().unwrap();
            let budget = spend(1e9) + share * (logged - spend(1e9));
            let found = tighten(chooser.clone(), budget, &survey).unwrap();
            prop_assert!(spend(found.price) <= budget);
            if found.price > 0.0 {
                prop_assert!(spend(found.price * (1.0 - 1e-5)) > budget);
            }
        }
    }
}
