//! What a request may go to, for how much. Arms a, b, c; 1 USD a request.

use super::*;
use rand::{SeedableRng, rngs::SmallRng};

const QUALITY: [f64; 3] = [0.3, 0.6, 0.9];

fn arms() -> [Name; 3] {
    ["a", "b", "c"].map(|arm| Name::new(arm).unwrap())
}

/// The pmf of the greedy policy with floors of 0.3 in all, for arms of these costs.
fn pmf(purse: &Purse, cost_usd: &[Option<f64>], young: &[usize]) -> Vec<f64> {
    let mut rule = Rule {
        policy: &Policy::Greedy,
        floor: 0.3,
        scratch: &mut Scratch::default(),
    };
    let arms = arms();
    let pmf = purse.pmf(&view(&arms, cost_usd, young), &mut rule, 0.5);
    pmf.unwrap().as_slice().to_vec()
}

fn view<'a>(arms: &'a [Name], cost_usd: &'a [Option<f64>], young: &'a [usize]) -> View<'a> {
    View {
        arms,
        quality: &QUALITY,
        sd: &[0.0; 3],
        cost_usd,
        young,
        newcomers: &[],
        samples: 100.0,
    }
}

/// A purse that knows what is on offer, with a debt.
fn purse(cost_usd: &[Option<f64>], debt_usd: f64) -> Purse {
    let mut purse = Purse::new(1.0).unwrap();
    let mut rng = SmallRng::seed_from_u64(0);
    for _ in 0..64 {
        let arms = arms();
        purse.foresee(&view(&arms, cost_usd, &[]), &Policy::Greedy, &mut rng);
        purse.record(1.0).unwrap();
    }
    purse.record(1.0 + debt_usd).unwrap();
    purse
}

#[test]
fn a_budget_for_all_takes_the_best_and_keeps_floors_that_exploring_can_pay_for() {
    let costs = [Some(0.0), Some(0.1), Some(0.5)];
    let p = pmf(&purse(&costs, 0.0), &costs, &[]);
    assert!(p[2] > 0.7, "{p:?}");
    // A twentieth of 1 USD, shared by three arms, buys one in thirty requests at 0.5 USD; a third of
    // the floor is more than that for the best.
    let least = |arm: usize, cap: f64| assert!(p[arm] > 0.0 && p[arm] <= cap, "{arm}: {p:?}");
    least(0, 0.3);
    least(1, 0.05 / 3.0 / 0.1 + 1e-12);
}

#[test]
fn an_arm_that_debt_cannot_pay_for_has_no_part() {
    let costs = [Some(0.1), Some(0.5), Some(8.0)];
    assert!(pmf(&purse(&costs, 0.0), &costs, &[])[2] > 0.0);
    // Slack of 20 USD less 15 of debt.
    let p = pmf(&purse(&costs, 15.0), &costs, &[]);
    assert_eq!(p[2], 0.0);
    assert!((p[0] + p[1] - 1.0).abs() < 1e-12);
}

#[test]
fn the_cheapest_arm_stays_when_nothing_may_be_paid_for() {
    let costs = [Some(3.0), Some(2.0), Some(8.0)];
    assert_eq!(pmf(&purse(&costs, 25.0), &costs, &[]), [0.0, 1.0, 0.0]);
}

#[test]
fn an_arm_of_unknown_cost_is_tried_whatever_is_owed() {
    let costs = [Some(0.1), Some(2.0), None];
    let p = pmf(&purse(&costs, 25.0), &costs, &[]);
    assert!(p[1] == 0.0 && p[2] > 0.0, "{p:?}");
    assert_eq!(pmf(&purse(&costs, 25.0), &costs, &[2]), [0.0, 0.0, 1.0]);
}

#[test]
fn forced_pulls_are_as_many_as_the_budget_pays_for_and_the_policy_has_the_rest() {
    let costs = [Some(0.1), Some(0.5), Some(4.6)];
    // 0.2 x 4.6 + 0.8 x 0.1 = 1.
    let p = pmf(&purse(&costs, 0.0), &costs, &[2]);
    assert!(p[2] >= 0.2 && p[2] < 0.25, "{p:?}");
    // More than ten requests' budgets are not forced.
    let costs = [Some(0.1), Some(0.5), Some(11.0)];
    let p = pmf(&purse(&costs, 0.0), &costs, &[2]);
    assert!(p[2] < 0.05, "{p:?}");
}

#[test]
fn what_is_left_out_by_debt_is_foreseen_all_the_same() {
    // The dear arm is worth its price wherever it may be paid for; 15 USD of debt drop it, but the price
    // must not fall for that.
    let costs = [Some(0.1), Some(0.5), Some(8.0)];
    let mut purse = purse(&costs, 15.0);
    let (arms, mut rng) = (arms(), SmallRng::seed_from_u64(1));
    for _ in 0..300 {
        purse.foresee(&view(&arms, &costs, &[]), &Policy::Greedy, &mut rng);
        purse.record(1.0).unwrap();
    }
    let price = purse.pacer.pace().price();
    // On the edge from b to c: 0.3 points for 7.5 USD.
    assert!(price.low < 0.04 && price.high > 0.04, "{price:?}");
}
