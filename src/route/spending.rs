//! What a team's budget says of one request: what a dollar costs, which arms it pays for, what it holds.
//!
//! In order: [`Spending::open`] before anything is estimated, [`Spending::withhold`] on the estimates,
//! [`Spending::cut`] and [`Spending::forced`] in the draw, [`Spending::hold`] for the arm drawn.
//!
//! Rules, stated because numbers depend on them:
//! - The hard limit looks at what is enough to ask an arm with ([`Bounds`]), pacing at its expected cost.
//! - Pacing alone never refuses a request: the cheapest arm that the limit pays for stays.
//! - An arm that an operator pinned, that the episode has already, or that is its baseline is not paced: only
//!   the limit stops it.
//!
//! Invariants: the account is this request's alone from `open` to `hold`, so that what was left when arms
//! were chosen from is left when the one drawn is held.
//!
//! Not here: the maths (`budget`), the account (`account`), the price's movements (`learn`).
//!
//! Source: SCIENCE 2.6.

use super::error::{BudgetExhausted, Error};
use super::estimate::Estimates;
use crate::access::Grant;
use crate::account::{Accounts, Purse};
use crate::budget::{Bounds, Pace, Refused};
use crate::decision::{Allowance, Excluded, Reason, Withheld};
use crate::id::{DecisionId, Name, Purpose, Secret};
use crate::unit::{NanoUsd, Timestamp};

/// A budget's part in one decision. The default has no say.
#[derive(Debug, Default)]
pub(super) struct Spending<'a> {
    pace: Option<Pace>,
    purse: Option<Purse<'a>>,
    /// What a dollar costs this request, in quality points.
    price: f64,
    /// Whether an arm's first pull is afforded now: a uniform in [0, 1).
    turn: f64,
    withheld: Vec<Withheld>,
    /// Whether we ask the endpoint.
    asks: bool,
}

/// Why the budget keeps an arm out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// More than is left of the limit.
    Limit,
    /// More than one decision may cost.
    Each,
    /// More than pacing lets a request cost.
    Pace,
}

impl<'a> Spending<'a> {
    /// Opens the accounts that pay and draws the price.
    pub(super) fn open(
        accounts: &'a Accounts,
        caller: &Grant,
        pace: Option<Pace>,
        (secret, id): (&Secret, DecisionId),
        now: Timestamp,
    ) -> Self {
        let price = |pace: Pace| pace.price().draw(secret.uniform_for(id, Purpose::Price));
        Self {
            pace,
            purse: accounts.purse(&caller.team, &caller.key, now),
            price: pace.map_or(0.0, price),
            turn: pace.map_or(0.0, |_| secret.uniform_for(id, Purpose::Turn)),
            ..Self::default()
        }
    }

    /// That we ask the endpoint ourselves, or not.
    pub(super) fn asking(mut self, asks: bool) -> Self {
        self.asks = asks;
        self.purse = self.purse.map(|purse| purse.asking(asks));
        self
    }

    pub(super) fn price(&self) -> f64 {
        self.price
    }

    /// Takes the arms out that the budget does not pay for, with their reasons. `granted` is the arm that
    /// pacing has no say in; `bounds` is asked by place among the eligible.
    pub(super) fn withhold(
        &mut self,
        estimates: &mut Estimates,
        granted: Option<&Name>,
        bounds: impl Fn(usize) -> Option<Bounds>,
        excluded: &mut Vec<Excluded>,
    ) -> Result<(), Error> {
        let left = self.purse.as_mut().map(Purse::left);
        let told = self.purse.as_mut().and_then(Purse::own_left);
        let most = self.purse.as_ref().and_then(Purse::most);
        let worst: Vec<Option<NanoUsd>> = match left {
            // One that cannot be said is not affordable.
            Some(_) => estimates
                .places
                .iter()
                .map(|place| bounds(*place).map(|bounds| bounds.enough))
                .collect(),
            None => Vec::new(),
        };
        let stops = self.stops(estimates, granted, [left, most], &worst);
        let hard = |stop: &Option<Stop>| matches!(stop, Some(Stop::Limit | Stop::Each));
        if stops.iter().all(hard) && !stops.is_empty() {
            return Err(self.exhausted(worst.iter().copied().flatten().min(), most));
        }
        for (index, stop) in stops.iter().enumerate() {
            if let Some(stop) = stop {
                let worst = worst.get(index).copied().flatten();
                excluded.push(excluded_by(*stop, estimates, index, [worst, told, most]));
                self.withheld.push(withheld(estimates, index));
            }
        }
        let keep: Vec<bool> = stops.iter().map(Option::is_none).collect();
        if keep.contains(&false) {
            estimates.retain(&keep);
        }
        Ok(())
    }

    /// What stops each arm.
    fn stops(
        &self,
        estimates: &Estimates,
        granted: Option<&Name>,
        [left, most]: [Option<NanoUsd>; 2],
        worst: &[Option<NanoUsd>],
    ) -> Vec<Option<Stop>> {
        let over = |index: usize, most: Option<NanoUsd>| match (most, worst.get(index)) {
            (Some(most), Some(worst)) => worst.is_none_or(|worst| worst > most),
            _ => false,
        };
        let paced = |index: usize| {
            let cost_usd = estimates.cost_usd[index];
            self.pace.is_some_and(|pace| !pace.allows(cost_usd))
                && granted != Some(&estimates.arms[index])
        };
        let stop = |index: usize| match () {
            () if over(index, most) => Some(Stop::Each),
            () if over(index, left) => Some(Stop::Limit),
            () if paced(index) => Some(Stop::Pace),
            () => None,
        };
        let mut stops: Vec<_> = (0..estimates.arms.len()).map(stop).collect();
        if !stops.contains(&None) {
            let affordable = (0..stops.len()).filter(|index| stops[*index] == Some(Stop::Pace));
            let cost = |index: &usize| estimates.cost_usd[*index];
            if let Some(cheapest) = affordable.min_by(|a, b| cost(a).total_cmp(&cost(b))) {
                stops[cheapest] = None;
            }
        }
        stops
    }

    /// The refusal of a request that even its cheapest arm is too dear for.
    fn exhausted(&mut self, cheapest: Option<NanoUsd>, most: Option<NanoUsd>) -> Error {
        let Some(purse) = &mut self.purse else {
            return Error::Bug("a limit without an account");
        };
        let too_much = most.filter(|most| cheapest.is_some_and(|cheapest| cheapest > *most));
        let each = too_much.is_some();
        let left = too_much.unwrap_or_else(|| purse.left());
        let Some(owner) = purse.narrowest(each) else {
            return Error::Bug("a limit of nobody");
        };
        let refill = cheapest.filter(|_| !each);
        Error::from(BudgetExhausted {
            owner,
            each,
            asked: cheapest.unwrap_or(left),
            left,
            refill: refill.and_then(|cheapest| purse.refill(cheapest)),
        })
    }

    /// Cuts floors so that exploring costs at most its share of the budget.
    pub(super) fn cut(&self, floor: &mut [f64], cost_usd: &[f64]) {
        if let Some(pace) = &self.pace {
            let arms = floor.len();
            for (floor, cost) in floor.iter_mut().zip(cost_usd) {
                *floor = floor.min(pace.floor_cap(*cost, arms));
            }
        }
    }

    /// The arms that the draw is forced to: `young` ones, as far as their first pulls are afforded; none
    /// while they wait for their turn.
    pub(super) fn forced(&self, mut young: Vec<u32>, cost_usd: &[f64]) -> Vec<u32> {
        let Some(pace) = &self.pace else {
            return young;
        };
        let cost = |index: u32| cost_usd.get(index as usize).copied().unwrap_or(0.0);
        young.retain(|index| pace.forces(cost(*index)));
        let cheapest = cost_usd.iter().copied().fold(f64::INFINITY, f64::min);
        let mean = young.iter().map(|index| cost(*index)).sum::<f64>() / young.len() as f64;
        if self.turn >= pace.forced_share(cheapest, mean) {
            young.clear();
        }
        young
    }

    /// Whether the limit pays for a request within these bounds. What cannot be said it does not pay for.
    pub(super) fn affords(&mut self, bounds: Option<Bounds>) -> bool {
        let Some(purse) = &mut self.purse else {
            return true;
        };
        let bounds = bounds.and_then(|bounds| purse.within(bounds));
        bounds.is_some_and(|bounds| bounds.enough <= purse.left())
    }

    /// Holds what the endpoint chosen may cost; what is kept with the decision, where the team has a
    /// budget.
    pub(super) fn hold(
        mut self,
        decision: DecisionId,
        bounds: Option<Bounds>,
    ) -> Result<Option<Allowance>, Error> {
        let mut held = NanoUsd::ZERO;
        if let Some(purse) = &mut self.purse {
            let bounds = bounds.ok_or(Error::Bug("an endpoint without a worst case"))?;
            let gone = Error::Bug("what was left is gone");
            held = purse.amount(bounds).ok_or(gone)?;
            purse
                .hold(decision, held)
                .map_err(|refused| match refused {
                    Refused::Exhausted { .. } => Error::Bug("what was left is gone"),
                    Refused::Negative(_) => Error::Bug("a price below nothing"),
                })?;
        }
        let budgeted = self.purse.is_some() || self.pace.is_some();
        Ok(budgeted.then_some(Allowance {
            price: self.price,
            held,
            withheld: self.withheld,
            asks: self.asks && self.purse.is_some(),
        }))
    }
}

fn withheld(estimates: &Estimates, index: usize) -> Withheld {
    Withheld {
        arm: estimates.arms[index].clone(),
        utility: estimates.utility[index],
        utility_sd: estimates.utility_sd[index],
        cost_usd: estimates.cost_usd[index],
    }
}

fn excluded_by(
    stop: Stop,
    estimates: &Estimates,
    index: usize,
    [worst, told, most]: [Option<NanoUsd>; 3],
) -> Excluded {
    let usd = |sum: Option<NanoUsd>| sum.map_or(f64::NAN, NanoUsd::as_usd);
    let detail = match stop {
        Stop::Limit => match told {
            Some(left) => format!(
                "costs {:.9} USD at worst > {:.9} USD left of the budget",
                usd(worst),
                left.as_usd()
            ),
            None => format!(
                "costs {:.9} USD at worst, more than is left of the organisation's budget",
                usd(worst)
            ),
        },
        Stop::Each => format!(
            "costs {:.9} USD at worst > {:.9} USD that a decision may cost",
            usd(worst),
            usd(most)
        ),
        Stop::Pace => format!(
            "expected cost {:.9} USD > what pacing lets a request cost now",
            estimates.cost_usd[index]
        ),
    };
    Excluded {
        arm: estimates.arms[index].clone(),
        reason: Reason::Budget,
        detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Budgets;
    use crate::budget::{Limit, Pacer, Params, Refill, Window};
    use crate::id::Mint;

    /// Arms at 1, 2 and 40 dollars, of worst cases ten times that.
    fn estimates() -> Estimates {
        let arms = ["small", "middle", "large"].map(|arm| Name::new(arm).unwrap());
        Estimates {
            arms: arms.to_vec(),
            places: vec![0, 1, 2],
            signals: Vec::new(),
            utility: vec![0.1, 0.2, 0.3],
            utility_sd: vec![0.0; 3],
            signal_mean: Vec::new(),
            signal_sd: Vec::new(),
            cost_usd: vec![1.0, 2.0, 40.0],
            reference_cost_usd: vec![1.0; 3],
            latency_ms: vec![f64::NAN; 3],
            samples: 0.0,
            pulls: vec![0; 3],
            newcomer: vec![false; 3],
        }
    }

    fn worst_case(place: usize) -> Option<NanoUsd> {
        [10, 20, 400].get(place).map(|usd| NanoUsd::new(*usd))
    }

    fn bounds(place: usize) -> Option<Bounds> {
        worst_case(place).map(Bounds::whole)
    }

    fn accounts(limit: i64) -> Accounts {
        let limit = Limit {
            usd: NanoUsd::new(limit),
            refill: Refill::Calendar(Window::Day),
        };
        Accounts::new([(Name::new("t").unwrap(), limit)]).unwrap()
    }

    fn pace(request_usd: f64) -> Option<Pace> {
        Some(*Pacer::new(Params::new(request_usd)).unwrap().pace())
    }

    /// A decision's part of the budget; the arms that stay, those that do not, or the refusal.
    fn check(
        (limit, pace): (Option<i64>, Option<Pace>),
        granted: Option<&str>,
        expected: Result<(&[&str], &[&str]), &str>,
    ) {
        let accounts = limit.map(accounts).unwrap_or_default();
        let mint = Mint::new(Secret::new([1; 32]), 0);
        let now = Timestamp::from_micros(1_000_000);
        let id = mint.next(now);
        let caller = Grant {
            key: Name::new("k").unwrap(),
            team: Name::new("t").unwrap(),
            scopes: Default::default(),
            arms: None,
            bounds: Default::default(),
        };
        let mut spending = Spending::open(&accounts, &caller, pace, (mint.secret(), id), now);
        let granted = granted.map(|arm| Name::new(arm).unwrap());
        let (mut estimates, mut excluded) = (estimates(), Vec::new());
        let found = spending.withhold(&mut estimates, granted.as_ref(), bounds, &mut excluded);
        let names = |arms: Vec<Name>| arms.iter().map(ToString::to_string).collect::<Vec<_>>();
        match (found, expected) {
            (Ok(()), Ok((stay, out))) => {
                assert_eq!(names(estimates.arms.clone()), stay);
                assert!(excluded.iter().all(|e| e.reason == Reason::Budget));
                assert_eq!(names(excluded.into_iter().map(|e| e.arm).collect()), out);
                let held = worst_case(estimates.places[0]).filter(|_| limit.is_some());
                let bounds = bounds(estimates.places[0]);
                let allowance = spending.hold(id, bounds).unwrap();
                let withheld =
                    |a: &Allowance| names(a.withheld.iter().map(|w| w.arm.clone()).collect());
                assert_eq!(
                    allowance.as_ref().map(withheld),
                    Some(out.iter().map(ToString::to_string).collect())
                );
                assert_eq!(allowance.unwrap().held, held.unwrap_or_default());
            }
            (Err(refused), Err(expected)) => assert_eq!(refused.to_string(), expected),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_limit_looks_at_the_worst_case_and_pacing_at_what_is_expected() {
        check(
            (Some(30), None),
            None,
            Ok((&["small", "middle"], &["large"])),
        );
        // 20 requests' budgets of debt at most.
        check(
            (None, pace(1.0)),
            None,
            Ok((&["small", "middle"], &["large"])),
        );
        check(
            (Some(500), pace(2.0)),
            None,
            Ok((&["small", "middle", "large"], &[])),
        );
    }

    /// What is said of the large arm, and held for the small one, where the organisation has so much left.
    fn told_under(organisation: i64, worst: i64) -> (String, i64) {
        let limit = |usd: i64| Limit {
            usd: NanoUsd::new(usd),
            refill: Refill::PerSecond(NanoUsd::new(1)),
        };
        let budgets = Budgets {
            organisation: Some(limit(organisation).into()),
            teams: [(Name::new("t").unwrap(), limit(10_000).into())].into(),
            ..Budgets::default()
        };
        let accounts = Accounts::new(budgets).unwrap();
        let mint = Mint::new(Secret::new([1; 32]), 0);
        let now = Timestamp::from_micros(1_000_000);
        let id = mint.next(now);
        let caller = Grant {
            key: Name::new("k").unwrap(),
            team: Name::new("t").unwrap(),
            scopes: Default::default(),
            arms: None,
            bounds: Default::default(),
        };
        let mut spending = Spending::open(&accounts, &caller, None, (mint.secret(), id), now);
        let (mut estimates, mut excluded) = (estimates(), Vec::new());
        spending
            .withhold(&mut estimates, None, bounds, &mut excluded)
            .unwrap();
        let within = Bounds {
            enough: NanoUsd::new(1),
            worst: NanoUsd::new(worst),
        };
        let held = spending.hold(id, Some(within)).unwrap().unwrap().held;
        (excluded[0].detail.clone(), held.get())
    }

    #[test]
    fn what_all_teams_have_left_is_told_to_none() {
        let (told, held) = told_under(300, 1_000);
        let other = told_under(399, 1_000);
        let said = "costs 0.000000400 USD at worst, more than is left of the organisation's budget";
        assert_eq!((told.as_str(), held), (said, 64));
        assert_eq!((told, held), other);
    }

    #[test]
    fn pacing_alone_leaves_the_cheapest() {
        check(
            (None, pace(0.01)),
            None,
            Ok((&["small"], &["middle", "large"])),
        );
        check(
            (Some(500), pace(0.01)),
            None,
            Ok((&["small"], &["middle", "large"])),
        );
    }

    #[test]
    fn an_arm_that_the_episode_has_is_stopped_by_the_limit_only() {
        check(
            (None, pace(0.01)),
            Some("large"),
            Ok((&["large"], &["small", "middle"])),
        );
        check(
            (Some(30), pace(1.0)),
            Some("large"),
            Ok((&["small", "middle"], &["large"])),
        );
    }

    #[test]
    fn what_pays_for_no_arm_is_refused_with_the_figures() {
        let refused = "the budget of t has 0.000000009 USD left, less what is held for requests under way: the cheapest arm costs 0.000000010 USD at worst";
        check((Some(9), None), None, Err(refused));
    }

    #[test]
    fn a_team_without_a_budget_has_no_allowance() {
        let mut spending = Spending::default();
        let (mut estimates, mut excluded) = (estimates(), Vec::new());
        spending
            .withhold(&mut estimates, None, bounds, &mut excluded)
            .unwrap();
        assert_eq!((estimates.arms.len(), excluded.len()), (3, 0));
        let id = Secret::new([1; 32]).mint(Timestamp::from_micros(0), 1);
        assert_eq!(spending.hold(id, bounds(0)).unwrap(), None);
    }

    #[test]
    fn first_pulls_wait_for_their_turn_and_dear_ones_are_not_forced() {
        let forced = |turn: f64| {
            let spending = Spending {
                pace: pace(1.5),
                turn,
                ..Spending::default()
            };
            spending.forced(vec![1, 2], &[1.0, 2.0, 40.0])
        };
        // 2 USD for half of the requests, and 1 USD for the others, is 1.5.
        assert_eq!(forced(0.49), [1]);
        assert_eq!(forced(0.51), [0_u32; 0]);
        let free = Spending::default();
        assert_eq!(free.forced(vec![1, 2], &[1.0, 2.0, 40.0]), [1, 2]);
    }

    #[test]
    fn floors_are_cut_to_what_exploring_may_cost() {
        let spending = Spending {
            pace: pace(1.0),
            ..Spending::default()
        };
        let mut floor = [0.01, 0.01];
        // A twentieth of 1 USD, shared by 2.
        spending.cut(&mut floor, &[1.0, 10.0]);
        assert!((floor[0] - 0.01).abs() < 1e-15 && (floor[1] - 0.0025).abs() < 1e-15);
    }
}
