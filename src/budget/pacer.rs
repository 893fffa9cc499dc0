//! Keeps the mean spend of a stream of requests at a budget, by a price on cost.
//!
//! An arm's utility is its quality minus price x cost. With the right price, greedy choices are the best
//! that the budget buys: they spend each dollar where it adds most, and lie on or above what a coin flip
//! between fixed arms earns ([`Hull`]). [`Pacer`] finds that price by solving for it on the last requests:
//!
//! 1. Each request's offers, with a quality drawn from what is believed of it, become one hull: the
//!    quality that each further dollar would have bought there.
//! 2. The edges of all hulls of the window, steepest first, are bought until the window has cost what it
//!    may: the slope of the edge at which the money ends is the price. (The multiple-choice knapsack,
//!    relaxed; its solution is exact, and needs neither a step size nor a largest price.)
//! 3. What it may cost: `B (1 + balance / (horizon B))` a request, the last factor within
//!    [`LEAST`] to [`MOST`], where the balance is B for each request so far minus what was spent: an error
//!    of today is paid back over the next `horizon` requests, whatever the predictions are worth.
//! 4. Where the money ends on an edge that many requests share (two arms, contexts that tell nothing), no
//!    one price spends B. So there are two, 5 % below and above the slope, and the share of requests that
//!    meet the lower one is the share of the edges between them that the money still buys: the mix of
//!    the hull ([`Price`]).
//!
//! Why drawn qualities: a policy that explores also buys arms that it does not believe the best. Solved on
//! the expected qualities alone, the price is too low by what that costs, and the money ends in the
//! middle of learning (0.002 to 0.005 points less at two of five budgets of a table of three arms).
//!
//! Why not the dual descent of SCIENCE 2.6, `lambda + eta (mean cost / B - 1)`: its step has a unit, and
//! the right prices of two tables lie between 1 and 1,100 points per USD. With a step of a tenth of the
//! steepest slope of the arms' hull (the one scale tried; 8 runs of 1,824 requests) it overspent by up to
//! 31 % in the mean and 55 % in the worst run, at tight budgets; at the loose ones it kept them and earned
//! as much as this or 0.002 points more. Under a cap on debt it overspent by up to 1.1 %, and earned up to
//! 0.005 points less than this on a table of three arms; on one of eleven the difference is noise. A step
//! on the logarithm, and the hull's slope times e^(eta x debt), lost up to 0.006 on the former.
//!
//! Invariants: the price is finite, at least 0 and at most [`Pace::ceiling`]; before anything is known
//! it is 1 / B: one request's budget is worth a whole point. No request is allowed that takes the debt
//! further beyond `slack` requests' budgets, by its prediction; what an arm costs that was never tried may
//! be another matter. Savings are kept up to `horizon` requests' budgets, so that a quiet month does not pay
//! for a wild day.
//!
//! Not here: the hard limit ([`super::Ledger`]); the cheapest arm, which its caller keeps eligible when
//! nothing is allowed; a window of time: B is for a request, whoever has USD a month divides by the
//! requests expected and calls [`Pacer::retarget`].
//!
//! Units: cost in USD, quality in points, price in points per USD.
//!
//! Source: SCIENCE 2.6. Sinha and Zoltners 1979 (the knapsack's hulls); Agrawal and Devanur 2016 (linear
//! contextual bandits with knapsacks); Jasin and Kumar 2012 (solving again on what is left).

use super::{Hull, Pace, PacerError, Params, Price};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// A window's budget at the deepest debt, as a share of B.
const LEAST: f64 = 0.1;

/// A window's budget at the highest savings, as a share of B.
const MOST: f64 = 1.5;

/// The price is solved again after this share of the window is new.
const FRESH: usize = 16;

/// What one arm would do for one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Offer {
    /// Expected utility, before the pacer's price.
    pub quality: f64,
    /// Standard deviation with which the policy draws it; 0 for a greedy one.
    pub quality_sd: f64,
    /// Expected cost.
    pub cost_usd: f64,
}

/// Paces one budget.
///
/// For each request: choose at [`Pace::price`] among the arms that are [allowed](Pace::allows), tell
/// what was on offer ([`Pacer::foresee`]), and what it cost ([`Pacer::record`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pacer {
    pace: Pace,
    window: VecDeque<Hull>,
    /// Requests foreseen since the price was solved.
    fresh: usize,
}

impl Pacer {
    /// Nothing spent, nothing known.
    ///
    /// ```
    /// use bellwether::budget::{Pacer, Params};
    /// let pacer = Pacer::new(Params::new(0.002)).unwrap();
    /// assert_eq!(pacer.pace().price().draw(0.5), 500.0); // 1 / 0.002
    /// assert!(Pacer::new(Params::new(0.0)).is_err());
    /// ```
    pub fn new(params: Params) -> Result<Self, PacerError> {
        params.check()?;
        Ok(Self {
            pace: Pace {
                price: Price::flat(1.0 / params.request_usd),
                params,
                balance_usd: 0.0,
            },
            window: VecDeque::new(),
            fresh: 0,
        })
    }

    /// Where it stands: what choosing for a request asks of it.
    ///
    /// ```
    /// use bellwether::budget::{Pacer, Params};
    /// let pacer = Pacer::new(Params::new(0.002)).unwrap();
    /// assert_eq!(pacer.pace().balance_usd(), 0.0);
    /// ```
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// A request was served at this cost.
    ///
    /// ```
    /// use bellwether::budget::{Pacer, Params};
    /// let mut pacer = Pacer::new(Params::new(1.0)).unwrap();
    /// pacer.record(0.5).unwrap();
    /// assert_eq!(pacer.pace().balance_usd(), 0.5);
    /// assert!(pacer.record(f64::NAN).is_err());
    /// ```
    pub fn record(&mut self, cost_usd: f64) -> Result<(), PacerError> {
        PacerError::check_cost(cost_usd)?;
        self.credit(self.pace.params.request_usd - cost_usd);
        Ok(())
    }

    /// A request that was recorded at one cost had another: a prediction that has been settled, or a
    /// cost that was told late.
    ///
    /// ```
    /// use bellwether::budget::{Pacer, Params};
    /// let mut pacer = Pacer::new(Params::new(1.0)).unwrap();
    /// pacer.record(2.0).unwrap();
    /// pacer.correct(2.0, 1.5).unwrap();
    /// assert_eq!(pacer.pace().balance_usd(), -0.5);
    /// ```
    pub fn correct(&mut self, recorded_usd: f64, cost_usd: f64) -> Result<(), PacerError> {
        PacerError::check_cost(recorded_usd)?;
        PacerError::check_cost(cost_usd)?;
        self.credit(recorded_usd - cost_usd);
        Ok(())
    }

    /// Another budget from here on. Debt and savings stay; the price is solved again at once.
    ///
    /// ```
    /// use bellwether::budget::{Offer, Pacer, Params};
    /// # use rand::{SeedableRng, rngs::SmallRng};
    /// let mut rng = SmallRng::seed_from_u64(0);
    /// let mut pacer = Pacer::new(Params::new(4.0)).unwrap();
    /// let offer = |quality, cost_usd| Offer { quality, quality_sd: 0.0, cost_usd };
    /// pacer.foresee(&[offer(0.5, 1.0), offer(0.9, 3.0)], &mut rng);
    /// assert_eq!(pacer.pace().price().high, 0.0); // 4 USD a request buy whatever is best
    /// pacer.retarget(1.0).unwrap();
    /// assert!(pacer.pace().price().low > 0.2); // 1 USD buys the cheap one: 0.4 points for 2 USD are too dear
    /// ```
    pub fn retarget(&mut self, request_usd: f64) -> Result<(), PacerError> {
        let params = Params {
            request_usd,
            ..self.pace.params
        };
        params.check()?;
        self.pace.params = params;
        self.credit(0.0);
        self.solve();
        Ok(())
    }

    /// What was on offer for one request: every eligible arm, those included that are not
    /// [allowed](Pace::allows). An offer that is not finite is passed over.
    ///
    /// ```
    /// use bellwether::budget::{Offer, Pacer, Params};
    /// # use rand::{SeedableRng, rngs::SmallRng};
    /// let mut rng = SmallRng::seed_from_u64(0);
    /// let mut pacer = Pacer::new(Params::new(2.0)).unwrap();
    /// let offer = |quality, cost_usd| Offer { quality, quality_sd: 0.0, cost_usd };
    /// // A request on which 2 USD more buy 0.4 points, and one on which they buy 0.1.
    /// pacer.foresee(&[offer(0.5, 1.0), offer(0.9, 3.0)], &mut rng);
    /// pacer.foresee(&[offer(0.5, 1.0), offer(0.6, 3.0)], &mut rng);
    /// // 2 USD each: the dear offer on the first, the cheap one on the second. The money ends on the
    /// // edge of 0.2 points per USD, all of which is bought: everyone meets the price just below.
    /// let price = pacer.pace().price();
    /// assert!((price.low - 0.2 / 1.05).abs() < 1e-12 && price.share == 1.0);
    /// ```
    pub fn foresee(&mut self, offers: &[Offer], rng: &mut impl Rng) {
        let points: Vec<(f64, f64)> = offers
            .iter()
            .map(|offer| {
                let quality = offer.quality + offer.quality_sd * bell(rng);
                (offer.cost_usd, quality)
            })
            .collect();
        let hull = Hull::of(&points);
        if hull.points().is_empty() {
            return;
        }
        while self.window.len() >= self.pace.params.window {
            self.window.pop_front();
        }
        self.window.push_back(hull);
        self.fresh += 1;
        if self.fresh >= self.window.len().div_ceil(FRESH) {
            self.solve();
        }
    }

    /// Whether the state can serve: asked of whatever was read from disk, before it is used.
    ///
    /// ```
    /// use bellwether::budget::{Pacer, Params};
    /// assert!(Pacer::new(Params::new(1.0)).unwrap().is_whole());
    /// ```
    pub fn is_whole(&self) -> bool {
        let window = self.window.len() <= self.pace.params.window
            && self.window.iter().all(|hull| !hull.points().is_empty());
        self.pace.is_whole() && window
    }

    fn credit(&mut self, usd: f64) {
        let most = self.pace.params.horizon * self.pace.params.request_usd;
        self.pace.balance_usd = (self.pace.balance_usd + usd).clamp(f64::MIN, most);
    }

    /// The price at which the window would have cost what it may.
    fn solve(&mut self) {
        self.fresh = 0;
        let budget = self.pace.params.request_usd;
        let owed = self.pace.balance_usd / (self.pace.params.horizon * budget);
        let target = budget * (1.0 + owed).clamp(LEAST, MOST) * self.window.len() as f64;
        let cheapest = self.window.iter().filter_map(|hull| hull.points().first());
        let money = target - cheapest.map(|(cost, _)| cost).sum::<f64>();
        let mut edges: Vec<(f64, f64)> = self.window.iter().flat_map(Hull::edges).collect();
        edges.sort_by(|a, b| b.1.total_cmp(&a.1));
        self.pace.price = Price::at_which(money, &edges, self.pace.ceiling());
    }
}

/// Of mean 0 and standard deviation 1, within 3.47: four uniforms, since a logarithm is not the same on
/// every machine.
fn bell(rng: &mut impl Rng) -> f64 {
    let uniforms: [f64; 4] = rng.random();
    (uniforms.iter().sum::<f64>() - 2.0) * 3.0_f64.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    fn pacer(request_usd: f64) -> Pacer {
        Pacer::new(Params::new(request_usd)).unwrap()
    }

    fn offer(quality: f64, quality_sd: f64, cost_usd: f64) -> Offer {
        Offer {
            quality,
            quality_sd,
            cost_usd,
        }
    }

    /// The best allowed arm at the price; the cheapest is always allowed.
    fn choose(pacer: &Pacer, offers: &[Offer], rng: &mut SmallRng) -> Offer {
        let price = pacer.pace().price().draw(rng.random());
        let utility = |o: &Offer| o.quality - price * o.cost_usd;
        let cheapest = offers
            .iter()
            .min_by(|a, b| a.cost_usd.total_cmp(&b.cost_usd));
        let allowed = offers.iter().filter(|o| pacer.pace().allows(o.cost_usd));
        let best = allowed.max_by(|a, b| utility(a).total_cmp(&utility(b)));
        *best.or(cheapest).unwrap()
    }

    /// Mean quality and spend, the latter in budgets, over `steps` requests with offers drawn by `draw`.
    fn play(
        request_usd: f64,
        steps: usize,
        mut draw: impl FnMut(&mut SmallRng) -> Vec<Offer>,
    ) -> (f64, f64) {
        let mut rng = SmallRng::seed_from_u64(7);
        let mut pacer = pacer(request_usd);
        let (mut quality, mut spent) = (0.0, 0.0);
        for _ in 0..steps {
            let offers = draw(&mut rng);
            let chosen = choose(&pacer, &offers, &mut rng);
            pacer.foresee(&offers, &mut rng);
            pacer.record(chosen.cost_usd).unwrap();
            assert!(pacer.is_whole());
            quality += chosen.quality;
            spent += chosen.cost_usd;
        }
        let n = steps as f64;
        (quality / n, spent / n / request_usd)
    }

    /// Fixed arms, all requests alike: at least `expected` quality within the budget.
    fn check(request_usd: f64, arms: &[(f64, f64)], expected: f64) {
        let offers: Vec<Offer> = arms.iter().map(|(cost, q)| offer(*q, 0.0, *cost)).collect();
        let (quality, spend) = play(request_usd, 2000, |_| offers.clone());
        // At most the slack of 20 requests too much.
        assert!(spend <= 1.01, "{spend} of {request_usd}");
        assert!(quality >= expected - 0.002, "{quality} {expected}");
    }

    #[test]
    fn a_budget_between_two_arms_earns_what_their_mix_does() {
        let arms = [(2.9e-5, 0.793), (5.3e-4, 0.923), (1.5e-2, 0.932)];
        let hull = Hull::of(&arms);
        for budget in [8.3e-5, 2.3e-4, 6.6e-4, 1.9e-3, 5.3e-3, 2e-2] {
            check(budget, &arms, hull.at(budget).unwrap());
        }
    }

    #[test]
    fn a_debt_beyond_the_slack_is_paid_back_by_an_arm_within_the_budget() {
        let offers = [
            offer(0.1, 0.0, 0.05),
            offer(0.9, 0.0, 0.6),
            offer(1.0, 0.0, 20.0),
        ];
        let mut rng = SmallRng::seed_from_u64(2);
        let mut pacer = pacer(1.0);
        for _ in 0..50 {
            pacer.foresee(&offers, &mut rng);
            pacer.record(1.0).unwrap();
        }
        pacer.record(26.0).unwrap();
        // 25 USD of debt and a slack of 20: 0.75 USD a request pay it back, and buy the good arm.
        let chosen: Vec<f64> = (0..10)
            .map(|_| {
                let chosen = choose(&pacer, &offers, &mut rng).cost_usd;
                pacer.foresee(&offers, &mut rng);
                pacer.record(chosen).unwrap();
                chosen
            })
            .collect();
        assert_eq!(chosen, [0.6; 10]);
    }

    #[test]
    fn a_budget_below_the_cheapest_arm_buys_nothing_else() {
        let offers = vec![offer(0.5, 0.0, 2.0), offer(0.9, 0.0, 3.0)];
        let (quality, _) = play(1.0, 1000, |_| offers.clone());
        assert!(quality < 0.51, "{quality}");
    }

    #[test]
    fn money_goes_where_it_buys_most() {
        // The dear arm helps on half of the requests only; the budget affords it on half.
        let draw = |rng: &mut SmallRng| {
            let helps = if rng.random_bool(0.5) { 0.4 } else { 0.01 };
            vec![offer(0.5, 0.0, 1.0), offer(0.5 + helps, 0.0, 3.0)]
        };
        let (quality, spend) = play(2.0, 4000, draw);
        // The best that can be is 0.7; a blind coin earns 0.6025.
        assert!(quality > 0.685 && spend <= 1.005, "{quality} {spend}");
    }

    #[test]
    fn a_budget_that_does_not_bind_costs_nothing() {
        let mut rng = SmallRng::seed_from_u64(1);
        let mut pacer = pacer(10.0);
        for _ in 0..1000 {
            pacer.foresee(&[offer(0.5, 0.1, 1.0), offer(0.9, 0.1, 3.0)], &mut rng);
            pacer.record(3.0).unwrap();
        }
        assert_eq!(pacer.pace().price(), Price::flat(0.0));
        // Savings end at `horizon` requests' worth.
        assert_eq!(pacer.pace().balance_usd(), 1000.0);
    }

    #[test]
    fn a_drawn_quality_has_the_mean_and_spread_it_should() {
        let mut rng = SmallRng::seed_from_u64(3);
        let n = 100_000;
        let drawn: Vec<f64> = (0..n).map(|_| bell(&mut rng)).collect();
        let mean = drawn.iter().sum::<f64>() / f64::from(n);
        let variance = drawn.iter().map(|z| z * z).sum::<f64>() / f64::from(n);
        // Four standard errors.
        assert!(mean.abs() < 0.013 && (variance - 1.0).abs() < 0.018);
    }

    #[test]
    fn an_offer_that_is_not_finite_is_passed_over() {
        let mut rng = SmallRng::seed_from_u64(1);
        let mut pacer = pacer(1.0);
        let before = pacer.clone();
        pacer.foresee(
            &[offer(f64::NAN, 0.0, 1.0), offer(1.0, 0.0, f64::INFINITY)],
            &mut rng,
        );
        pacer.foresee(&[], &mut rng);
        assert_eq!(pacer, before);
    }

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        let refused = |params: Params| match Pacer::new(params) {
            Err(PacerError::Setting { setting, .. }) => setting,
            other => panic!("{other:?}"),
        };
        let good = Params::new(1.0);
        assert_eq!(refused(Params::new(f64::NAN)), "request_usd");
        assert_eq!(refused(Params { window: 0, ..good }), "window");
        let horizon = 0.5;
        assert_eq!(refused(Params { horizon, ..good }), "horizon");
        let slack = f64::INFINITY;
        assert_eq!(refused(Params { slack, ..good }), "slack");
    }

    #[test]
    fn a_state_out_of_range_is_not_whole() {
        let mut pacer = pacer(1.0);
        pacer.pace.price.low = f64::NAN;
        assert!(!pacer.is_whole());
        pacer.pace.price = Price::flat(1.0);
        assert!(pacer.is_whole());
        pacer.pace.balance_usd = f64::NEG_INFINITY;
        assert!(!pacer.is_whole());
    }

    proptest! {
        #[test]
        fn whatever_is_on_offer_the_price_stays_in_range_and_a_restart_changes_nothing(
            request_usd in 1e-6_f64..10.0,
            requests in proptest::collection::vec(
                proptest::collection::vec((-1.0_f64..2.0, 0.0_f64..1.0, 0.0_f64..20.0), 1..6),
                1..60,
            ),
        ) {
            let mut rng = SmallRng::seed_from_u64(5);
            let mut pacer = pacer(request_usd);
            for request in requests {
                let offers: Vec<Offer> =
                    request.iter().map(|(q, sd, cost)| offer(*q, *sd, *cost)).collect();
                let chosen = choose(&pacer, &offers, &mut rng);
                pacer.foresee(&offers, &mut rng);
                pacer.record(chosen.cost_usd).unwrap();
                prop_assert!(pacer.is_whole());
                let written = postcard::to_stdvec(&pacer).unwrap();
                prop_assert_eq!(&postcard::from_bytes::<Pacer>(&written).unwrap(), &pacer);
            }
        }
    }
}
