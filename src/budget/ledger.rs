//! A hard limit: money is reserved before it is spent, and settled when it was.
//!
//! Invariants:
//! - Spent and reserved together are at most the limit, at every moment, as long as the limit is not
//!   lowered, no settlement exceeds its reservation and none is held again that no longer fits
//!   ([`Ledger::hold`]). What one does exceed is money that is gone: it is
//!   spent all the same, and counted ([`Ledger::overrun`]).
//! - A reservation ends once: by [`Ledger::settle`] or [`Ledger::release`]. The second end of the same one
//!   is refused and changes nothing.
//! - An open reservation outlives its window: it holds its place in the next, and is spent in the window
//!   that it is settled in.
//! - A clock that is put back opens no window twice, and one that was far ahead loses none (`super::refill`).
//!
//! Not here: the worst case of a request (`eligibility`), several limits at once (`account`), who is told when money is low.
//!
//! Units: nano-dollars, of which sums stop at 9.2 billion dollars; times in UTC. The balance is brought up to `now` on every call that takes one;
//! nothing runs in between.
//!
//! Source: SCIENCE 2.6 (reserve, settle, release).

mod reading;

use super::refill::Spent;
use super::reservation::at_least_nothing;
use super::{Error, Refill, Refused, Reservation, Zone};
use crate::unit::{NanoUsd, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The account of one limit.
///
/// ```
/// use bellwether::budget::{Ledger, Refill, Refused, Window};
/// use bellwether::unit::{NanoUsd, Timestamp};
/// let now = Timestamp::from_micros(0);
/// let usd = |nano| NanoUsd::new(nano);
/// let mut ledger = Ledger::new(usd(100), Refill::Calendar(Window::Day), now).unwrap();
/// let held = ledger.reserve(usd(70), now).unwrap();
/// assert!(matches!(ledger.reserve(usd(31), now), Err(Refused::Exhausted { .. })));
/// ledger.settle(held, usd(40), now).unwrap();
/// assert_eq!(ledger.left(now).get(), 60);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    limit: NanoUsd,
    refill: Refill,
    /// Where its windows begin.
    zone: Zone,
    /// Above the limit after an overrun.
    spent: Spent,
    /// Sum of `open`.
    reserved: i64,
    open: BTreeMap<Reservation, i64>,
    next: u64,
    /// Settled above their reservations, in all.
    overrun: i64,
}

impl Ledger {
    /// An account that nothing has been spent from.
    ///
    /// ```
    /// use bellwether::budget::{Ledger, Refill, Window};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let now = Timestamp::from_micros(0);
    /// let daily = Refill::Calendar(Window::Day);
    /// let ledger = Ledger::new(NanoUsd::new(100), daily, now).unwrap();
    /// assert_eq!(ledger.spent().get(), 0);
    /// assert!(Ledger::new(NanoUsd::new(-1), daily, now).is_err());
    /// ```
    pub fn new(limit: NanoUsd, refill: Refill, now: Timestamp) -> Result<Self, Error> {
        at_least_nothing(limit)?;
        if let Refill::PerSecond(rate) = refill {
            at_least_nothing(rate)?;
        }
        Ok(Self {
            limit,
            refill,
            zone: Zone::UTC,
            spent: Spent::none((refill, Zone::UTC), now),
            reserved: 0,
            open: BTreeMap::new(),
            next: 0,
            overrun: 0,
        })
    }

    /// The same account, of which nothing has been spent yet, with its windows in another time zone.
    ///
    /// ```
    /// use bellwether::budget::{Ledger, Refill, Window, Zone};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let hour = |hours: i64| Timestamp::from_micros(hours * 3_600_000_000);
    /// let daily = Refill::Calendar(Window::Day);
    /// let ledger = Ledger::new(NanoUsd::new(100), daily, hour(0)).unwrap();
    /// let mut ledger = ledger.within(Zone::named("Asia/Tokyo").unwrap(), hour(0));
    /// ledger.charge(NanoUsd::new(40), hour(0)).unwrap();
    /// assert_eq!(ledger.left(hour(14)).get(), 60);
    /// assert_eq!(ledger.left(hour(15)).get(), 100); // midnight in Tokyo
    /// ```
    #[must_use]
    pub fn within(self, zone: Zone, now: Timestamp) -> Self {
        let spent = Spent::none((self.refill, zone), now);
        Self {
            zone,
            spent,
            ..self
        }
    }

    /// Holds a place for a request that costs at most `worst_case`.
    ///
    /// ```
    /// use bellwether::budget::{Ledger, Refill, Refused};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let start = Timestamp::from_micros(0);
    /// // 10 nano-dollars a second, up to 100.
    /// let refill = Refill::PerSecond(NanoUsd::new(10));
    /// let mut ledger = Ledger::new(NanoUsd::new(100), refill, start).unwrap();
    /// let held = ledger.reserve(NanoUsd::new(100), start).unwrap();
    /// ledger.settle(held, NanoUsd::new(100), start).unwrap();
    /// let refused = ledger.reserve(NanoUsd::new(15), start).unwrap_err();
    /// let again = Timestamp::from_micros(1_500_000); // 15 leak out in 1.5 s
    /// assert_eq!(refused, Refused::Exhausted {
    ///     asked: NanoUsd::new(15),
    ///     left: NanoUsd::ZERO,
    ///     again: Some(again),
    /// });
    /// assert!(ledger.reserve(NanoUsd::new(15), again).is_ok());
    /// ```
    pub fn reserve(&mut self, worst_case: NanoUsd, now: Timestamp) -> Result<Reservation, Refused> {
        self.may_reserve(worst_case, now)?;
        Ok(self.open(worst_case))
    }

    /// Whether [`Ledger::reserve`] would, if nothing else happens meanwhile: several accounts are asked before
    /// one of them grants.
    ///
    /// ```
    /// use bellwether::budget::{Ledger, Refill, Window};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let now = Timestamp::from_micros(0);
    /// let daily = Refill::Calendar(Window::Day);
    /// let mut ledger = Ledger::new(NanoUsd::new(100), daily, now).unwrap();
    /// assert!(ledger.may_reserve(NanoUsd::new(100), now).is_ok());
    /// assert!(ledger.may_reserve(NanoUsd::new(101), now).is_err());
    /// assert_eq!(ledger.left(now).get(), 100);
    /// ```
    pub fn may_reserve(&mut self, worst_case: NanoUsd, now: Timestamp) -> Result<(), Refused> {
        at_least_nothing(worst_case).map_err(|_| Refused::Negative(worst_case))?;
        let left = self.left(now);
        if worst_case > left {
            return Err(Refused::Exhausted {
                asked: worst_case,
                left,
                again: self.fits(worst_case),
            });
        }
        Ok(())
    }

    /// Holds a place that was granted before, whatever is left now: one that a record tells of, after a
    /// restart.
    ///
    /// ```
    /// use bellwether::budget::{Ledger, Refill, Window};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let now = Timestamp::from_micros(0);
    /// let daily = Refill::Calendar(Window::Day);
    /// let mut ledger = Ledger::new(NanoUsd::new(100), daily, now).unwrap();
    /// ledger.hold(NanoUsd::new(130), now).unwrap();
    /// assert_eq!((ledger.reserved().get(), ledger.left(now).get()), (130, 0));
    /// ```
    pub fn hold(&mut self, granted: NanoUsd, now: Timestamp) -> Result<Reservation, Error> {
        at_least_nothing(granted)?;
        self.spent.advance((self.refill, self.zone), now);
        Ok(self.open(granted))
    }

    fn open(&mut self, amount: NanoUsd) -> Reservation {
        let held = Reservation(self.next);
        self.next += 1;
        self.open.insert(held, amount.get());
        self.reserved = self.reserved.saturating_add(amount.get());
        held
    }

    /// The request has cost `actual`: its reservation ends. What `actual` is above it is counted all the
    /// same, and returned.
    ///
    /// ```
    /// use bellwether::budget::{Error, Ledger, Refill, Window};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let now = Timestamp::from_micros(0);
    /// let daily = Refill::Calendar(Window::Day);
    /// let mut ledger = Ledger::new(NanoUsd::new(100), daily, now).unwrap();
    /// let held = ledger.reserve(NanoUsd::new(30), now).unwrap();
    /// assert_eq!(ledger.settle(held, NanoUsd::new(32), now).unwrap().get(), 2);
    /// assert_eq!(ledger.left(now).get(), 68);
    /// assert_eq!(ledger.settle(held, NanoUsd::new(32), now), Err(Error::NotOpen(held)));
    /// assert_eq!(ledger.left(now).get(), 68);
    /// ```
    pub fn settle(
        &mut self,
        held: Reservation,
        actual: NanoUsd,
        now: Timestamp,
    ) -> Result<NanoUsd, Error> {
        at_least_nothing(actual)?;
        let reserved = self.close(held, now)?;
        let over = (actual.get() - reserved).max(0);
        self.spend(actual, over);
        Ok(NanoUsd::new(over))
    }

    /// The request has cost nothing: its reservation ends.
    ///
    /// ```
    /// use bellwether::budget::{Ledger, Refill, Window};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let now = Timestamp::from_micros(0);
    /// let daily = Refill::Calendar(Window::Day);
    /// let mut ledger = Ledger::new(NanoUsd::new(100), daily, now).unwrap();
    /// let held = ledger.reserve(NanoUsd::new(30), now).unwrap();
    /// ledger.release(held, now).unwrap();
    /// assert_eq!(ledger.left(now).get(), 100);
    /// assert!(ledger.release(held, now).is_err());
    /// ```
    pub fn release(&mut self, held: Reservation, now: Timestamp) -> Result<(), Error> {
        self.close(held, now).map(|_| ())
    }

    /// Money that was spent without a reservation, or after it was released: a cost that was told late.
    /// It is counted as overrun.
    ///
    /// ```
    /// use bellwether::budget::{Ledger, Refill, Window};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let now = Timestamp::from_micros(0);
    /// let daily = Refill::Calendar(Window::Day);
    /// let mut ledger = Ledger::new(NanoUsd::new(100), daily, now).unwrap();
    /// ledger.charge(NanoUsd::new(10), now).unwrap();
    /// assert_eq!((ledger.spent().get(), ledger.overrun().get()), (10, 10));
    /// ```
    pub fn charge(&mut self, actual: NanoUsd, now: Timestamp) -> Result<(), Error> {
        at_least_nothing(actual)?;
        self.spent.advance((self.refill, self.zone), now);
        self.spend(actual, actual.get());
        Ok(())
    }

    /// Another limit from here on. What is spent and reserved stays: below it, nothing is granted until
    /// the window ends or enough has leaked out.
    ///
    /// ```
    /// use bellwether::budget::{Ledger, Refill, Window};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let now = Timestamp::from_micros(0);
    /// let daily = Refill::Calendar(Window::Day);
    /// let mut ledger = Ledger::new(NanoUsd::new(100), daily, now).unwrap();
    /// ledger.reserve(NanoUsd::new(30), now).unwrap();
    /// ledger.change_limit(NanoUsd::new(50)).unwrap();
    /// assert_eq!(ledger.left(now).get(), 20);
    /// ```
    pub fn change_limit(&mut self, limit: NanoUsd) -> Result<(), Error> {
        at_least_nothing(limit)?;
        self.limit = limit;
        Ok(())
    }

    /// What may be reserved now.
    ///
    /// ```
    /// use bellwether::budget::{Ledger, Refill, Window};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let day = |days: i64| Timestamp::from_micros(days * 86_400_000_000);
    /// let daily = Refill::Calendar(Window::Day);
    /// let mut ledger = Ledger::new(NanoUsd::new(100), daily, day(0)).unwrap();
    /// ledger.charge(NanoUsd::new(40), day(0)).unwrap();
    /// assert_eq!(ledger.left(day(0)).get(), 60);
    /// assert_eq!(ledger.left(day(1)).get(), 100);
    /// ```
    pub fn left(&mut self, now: Timestamp) -> NanoUsd {
        self.spent.advance((self.refill, self.zone), now);
        let taken = self.spent.amount().saturating_add(self.reserved);
        NanoUsd::new(self.limit.get().saturating_sub(taken).max(0))
    }

    /// When so much may be reserved, if nothing else is spent or settled: now, later, or nobody knows.
    ///
    /// ```
    /// use bellwether::budget::{Ledger, Refill, Window};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let day = |days: i64| Timestamp::from_micros(days * 86_400_000_000);
    /// let daily = Refill::Calendar(Window::Day);
    /// let mut ledger = Ledger::new(NanoUsd::new(100), daily, day(0)).unwrap();
    /// ledger.charge(NanoUsd::new(40), day(0)).unwrap();
    /// assert_eq!(ledger.again(NanoUsd::new(60), day(0)), Some(day(0)));
    /// assert_eq!(ledger.again(NanoUsd::new(61), day(0)), Some(day(1)));
    /// assert_eq!(ledger.again(NanoUsd::new(101), day(0)), None);
    /// ```
    pub fn again(&mut self, asked: NanoUsd, now: Timestamp) -> Option<Timestamp> {
        if asked <= self.left(now) {
            return Some(now);
        }
        self.fits(asked)
    }

    /// The limit.
    ///
    /// ```
    /// use bellwether::budget::{Ledger, Refill, Window};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let now = Timestamp::from_micros(0);
    /// let ledger = Ledger::new(NanoUsd::new(100), Refill::Calendar(Window::Week), now).unwrap();
    /// assert_eq!(ledger.limit().get(), 100);
    /// ```
    pub fn limit(&self) -> NanoUsd {
        self.limit
    }

    /// Spent in the window of the last call, or not yet leaked out.
    ///
    /// ```
    /// use bellwether::budget::{Ledger, Refill};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// // 10 nano-dollars a second leak out of 25.
    /// let refill = Refill::PerSecond(NanoUsd::new(10));
    /// let mut ledger = Ledger::new(NanoUsd::new(100), refill, Timestamp::from_micros(0)).unwrap();
    /// ledger.charge(NanoUsd::new(25), Timestamp::from_micros(0)).unwrap();
    /// ledger.left(Timestamp::from_micros(2_000_000));
    /// assert_eq!(ledger.spent().get(), 5);
    /// ```
    pub fn spent(&self) -> NanoUsd {
        NanoUsd::new(self.spent.amount())
    }

    /// Reserved by requests that have not ended.
    ///
    /// ```
    /// use bellwether::budget::{Ledger, Refill, Window};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let now = Timestamp::from_micros(0);
    /// let monthly = Refill::Calendar(Window::Month);
    /// let mut ledger = Ledger::new(NanoUsd::new(100), monthly, now).unwrap();
    /// ledger.reserve(NanoUsd::new(30), now).unwrap();
    /// ledger.reserve(NanoUsd::new(20), now).unwrap();
    /// assert_eq!(ledger.reserved().get(), 50);
    /// ```
    pub fn reserved(&self) -> NanoUsd {
        NanoUsd::new(self.reserved)
    }

    /// Spent above reservations, since the account was opened: 0 as long as worst cases are.
    ///
    /// ```
    /// use bellwether::budget::{Ledger, Refill, Window};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let now = Timestamp::from_micros(0);
    /// let daily = Refill::Calendar(Window::Day);
    /// let mut ledger = Ledger::new(NanoUsd::new(100), daily, now).unwrap();
    /// let held = ledger.reserve(NanoUsd::new(30), now).unwrap();
    /// ledger.settle(held, NanoUsd::new(35), now).unwrap();
    /// assert_eq!(ledger.overrun().get(), 5);
    /// ```
    pub fn overrun(&self) -> NanoUsd {
        NanoUsd::new(self.overrun)
    }

    /// Ends a reservation and says what was held.
    fn close(&mut self, held: Reservation, now: Timestamp) -> Result<i64, Error> {
        let reserved = self.open.remove(&held).ok_or(Error::NotOpen(held))?;
        self.spent.advance((self.refill, self.zone), now);
        self.reserved -= reserved;
        Ok(reserved)
    }

    fn spend(&mut self, actual: NanoUsd, over: i64) {
        self.spent.add(actual);
        self.overrun = self.overrun.saturating_add(over);
    }

    /// When `asked`, which is more than is left, will fit.
    fn fits(&self, asked: NanoUsd) -> Option<Timestamp> {
        let room =
            i128::from(self.limit.get()) - i128::from(self.reserved) - i128::from(asked.get());
        if room < 0 {
            return None;
        }
        self.spent.falls_to(room, (self.refill, self.zone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Window;
    use proptest::prelude::*;

    const DAY: i64 = 86_400_000_000;
    const DAILY: Refill = Refill::Calendar(Window::Day);

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn usd(nano: i64) -> NanoUsd {
        NanoUsd::new(nano)
    }

    fn ledger(limit: i64, refill: Refill) -> Ledger {
        Ledger::new(usd(limit), refill, at(0)).unwrap()
    }

    /// Spent, reserved and left at a moment.
    fn check(ledger: &mut Ledger, micros: i64, expected: [i64; 3]) {
        let left = ledger.left(at(micros));
        let found = [ledger.spent(), ledger.reserved(), left].map(NanoUsd::get);
        assert_eq!(found, expected);
        assert!(ledger.is_whole());
    }

    #[test]
    fn the_second_end_of_a_reservation_is_refused_and_changes_nothing() {
        let mut ledger = ledger(100, DAILY);
        let held = ledger.reserve(usd(60), at(0)).unwrap();
        ledger.settle(held, usd(50), at(0)).unwrap();
        let before = ledger.clone();
        assert_eq!(
            ledger.settle(held, usd(50), at(1)),
            Err(Error::NotOpen(held))
        );
        assert_eq!(ledger.release(held, at(1)), Err(Error::NotOpen(held)));
        assert_eq!(ledger, before);
    }

    #[test]
    fn a_reservation_holds_its_place_in_the_next_window_and_is_spent_there() {
        let mut ledger = ledger(100, DAILY);
        let held = ledger.reserve(usd(60), at(DAY - 1)).unwrap();
        check(&mut ledger, DAY, [0, 60, 40]);
        ledger.settle(held, usd(50), at(DAY + 1)).unwrap();
        check(&mut ledger, DAY + 1, [50, 0, 50]);
        check(&mut ledger, 2 * DAY, [0, 0, 100]);
    }

    #[test]
    fn what_a_settlement_exceeds_its_reservation_by_is_spent_all_the_same() {
        let mut ledger = ledger(100, DAILY);
        let held = ledger.reserve(usd(90), at(0)).unwrap();
        assert_eq!(ledger.settle(held, usd(150), at(0)), Ok(usd(60)));
        check(&mut ledger, 0, [150, 0, 0]);
        assert!(ledger.reserve(usd(1), at(0)).is_err());
        assert_eq!(ledger.overrun(), usd(60));
    }

    #[test]
    fn a_negative_amount_is_refused_and_changes_nothing() {
        let mut ledger = ledger(100, DAILY);
        let held = ledger.reserve(usd(10), at(0)).unwrap();
        let before = ledger.clone();
        assert_eq!(
            ledger.reserve(usd(-1), at(0)),
            Err(Refused::Negative(usd(-1)))
        );
        let negative = Err(Error::Negative(usd(-1)));
        assert_eq!(ledger.settle(held, usd(-1), at(0)).map(|_| ()), negative);
        assert_eq!(ledger.charge(usd(-1), at(0)), negative);
        assert_eq!(ledger.change_limit(usd(-1)), negative);
        assert_eq!(ledger, before);
    }

    #[test]
    fn time_that_runs_backwards_opens_no_window_twice() {
        for refill in [DAILY, Refill::PerSecond(usd(1))] {
            let mut ledger = ledger(100, refill);
            ledger.charge(usd(80), at(DAY)).unwrap();
            check(&mut ledger, 0, [80, 0, 20]);
            check(&mut ledger, DAY, [80, 0, 20]);
        }
    }

    /// What is spent as time goes, and is put back, in an account that spends 10 each time that it is asked.
    fn steps(times: &[i64], expected: &[i64]) {
        let mut ledger = ledger(1_000, DAILY);
        let spent = times.iter().map(|time| {
            ledger.charge(usd(10), at(*time)).unwrap();
            ledger.spent().get()
        });
        assert_eq!(spent.collect::<Vec<_>>(), expected, "{times:?}");
    }

    #[test]
    fn a_clock_that_is_put_back_and_forth_over_midnight_opens_one_window() {
        let (eve, morning) = (DAY - 1, DAY + 1);
        steps(
            &[eve, morning, eve, morning, eve, morning],
            &[10, 10, 20, 30, 40, 50],
        );
        // And the next one in its time.
        steps(&[morning, eve, 2 * DAY - 1, 2 * DAY], &[10, 20, 30, 10]);
    }

    #[test]
    fn a_clock_that_was_years_ahead_loses_no_window_once_it_is_right() {
        let far = 3_000 * DAY;
        // The jump opens a window; put back, that is today's, and tomorrow's comes tomorrow.
        steps(
            &[1, far, 2, DAY, DAY + 1, 2 * DAY],
            &[10, 10, 20, 10, 20, 10],
        );
    }

    #[test]
    fn less_than_a_nano_dollar_leaks_out_in_the_end() {
        let mut ledger = ledger(100, Refill::PerSecond(usd(1)));
        ledger.charge(usd(10), at(0)).unwrap();
        for tenth in 1..=30 {
            ledger.left(at(tenth * 100_000));
        }
        check(&mut ledger, 3_000_000, [7, 0, 93]);
    }

    #[test]
    fn a_refusal_says_when_the_money_will_be_there() {
        let again = |refill, spent, held, asked| {
            let mut ledger = ledger(100, refill);
            ledger.reserve(usd(held), at(0)).unwrap();
            ledger.charge(usd(spent), at(0)).unwrap();
            match ledger.reserve(usd(asked), at(0)) {
                Err(Refused::Exhausted { again, .. }) => again.map(Timestamp::micros),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(again(DAILY, 90, 0, 20), Some(DAY));
        assert_eq!(again(DAILY, 90, 0, 101), None);
        assert_eq!(again(DAILY, 0, 90, 20), None);
        // 10 too many at 4 a second.
        assert_eq!(again(Refill::PerSecond(usd(4)), 90, 0, 20), Some(2_500_000));
        assert_eq!(again(Refill::PerSecond(usd(0)), 90, 0, 20), None);
    }

    #[test]
    fn a_sum_that_is_not_what_is_open_is_not_whole() {
        let mut ledger = ledger(100, DAILY);
        ledger.reserve(usd(10), at(0)).unwrap();
        ledger.reserved = 9;
        assert!(!ledger.is_whole());
    }

    /// What may happen to an account.
    #[derive(Debug, Clone)]
    enum Step {
        Reserve(i64),
        /// Ends the i-th reservation ever made, open or not, at this share of it.
        Settle(usize, f64),
        Release(usize),
        Charge(i64),
        /// By this much, backwards too.
        Time(i64),
        /// Written down and read again.
        Restart,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (-10_i64..600).prop_map(Step::Reserve),
            3 => (0_usize..20, 0.0_f64..1.5).prop_map(|(which, share)| Step::Settle(which, share)),
            1 => (0_usize..20).prop_map(Step::Release),
            1 => (-10_i64..100).prop_map(Step::Charge),
            2 => (-DAY / 2..DAY).prop_map(Step::Time),
            1 => Just(Step::Restart),
        ]
    }

    fn refill() -> impl Strategy<Value = Refill> {
        prop_oneof![
            Just(Refill::Calendar(Window::Day)),
            Just(Refill::Calendar(Window::Week)),
            Just(Refill::Calendar(Window::Month)),
            // A thousand nano-dollars leak out in a day or so.
            (0_i64..3).prop_map(|rate| Refill::PerSecond(usd(rate))),
        ]
    }

    /// What an account should be, in the simplest words.
    #[derive(Default)]
    struct Book {
        made: Vec<(Reservation, i64)>,
        open: Vec<Reservation>,
        /// All that was ever settled or charged, and the part of it above reservations.
        spent: i64,
        over: i64,
    }

    impl Book {
        fn reserved(&self) -> i64 {
            let open = self
                .made
                .iter()
                .filter(|(held, _)| self.open.contains(held));
            open.map(|(_, amount)| amount).sum()
        }

        /// Whether it was open; it is not any more.
        fn end(&mut self, held: Reservation) -> bool {
            let before = self.open.len();
            self.open.retain(|other| *other != held);
            self.open.len() < before
        }
    }

    /// One step on the account and in the book; says what was newly spent.
    fn take(ledger: &mut Ledger, book: &mut Book, step: &Step, now: &mut i64) -> i64 {
        let before = book.spent;
        match *step {
            Step::Reserve(amount) => {
                let left = ledger.left(at(*now)).get();
                let made = ledger.reserve(usd(amount), at(*now));
                assert_eq!(made.is_ok(), (0..=left).contains(&amount));
                if let Ok(held) = made {
                    book.made.push((held, amount));
                    book.open.push(held);
                }
            }
            Step::Settle(which, share) => {
                if let Some(&(held, amount)) = book.made.get(which) {
                    let actual = (amount as f64 * share) as i64;
                    let settled = ledger.settle(held, usd(actual), at(*now));
                    assert_eq!(settled.is_ok(), book.end(held));
                    if let Ok(over) = settled {
                        book.spent += actual;
                        book.over += over.get();
                        assert_eq!(over.get(), (actual - amount).max(0));
                    }
                }
            }
            Step::Release(which) => {
                if let Some(&(held, _)) = book.made.get(which) {
                    assert_eq!(ledger.release(held, at(*now)).is_ok(), book.end(held));
                }
            }
            Step::Charge(amount) => {
                if ledger.charge(usd(amount), at(*now)).is_ok() {
                    book.spent += amount;
                    book.over += amount;
                }
            }
            Step::Time(by) => *now += by,
            Step::Restart => {
                let written = postcard::to_stdvec(ledger).unwrap();
                *ledger = postcard::from_bytes(&written).unwrap();
            }
        }
        book.spent - before
    }

    proptest! {
        #[test]
        fn no_interleaving_exceeds_the_limit_or_loses_money(
            limit in 0_i64..2000,
            refill in refill(),
            steps in proptest::collection::vec(step(), 1..80),
        ) {
            let mut ledger = ledger(limit, refill);
            let mut book = Book::default();
            let mut now = 0;
            for step in &steps {
                ledger.left(at(now));
                let before = ledger.spent().get();
                let new = take(&mut ledger, &mut book, step, &mut now);
                prop_assert!(ledger.is_whole());
                // Nothing is lost: what was spent is on the account, what is held is what is open.
                prop_assert_eq!(ledger.spent().get(), before + new);
                prop_assert_eq!(ledger.reserved().get(), book.reserved());
                prop_assert_eq!(ledger.overrun().get(), book.over);
                let taken = ledger.spent().get() + ledger.reserved().get();
                prop_assert!(taken <= limit + book.over, "{} {} {}", taken, limit, book.over);
            }
        }

        #[test]
        fn a_bucket_grants_its_limit_and_what_leaks_out_and_no_more(
            limit in 0_i64..1000,
            rate in 0_i64..50,
            steps in proptest::collection::vec((0_i64..3_000_000, 0_i64..100), 1..60),
        ) {
            let mut ledger = ledger(limit, Refill::PerSecond(usd(rate)));
            let (mut now, mut granted) = (0, 0);
            for (wait, asked) in steps {
                now += wait;
                if let Ok(held) = ledger.reserve(usd(asked), at(now)) {
                    ledger.settle(held, usd(asked), at(now)).unwrap();
                    granted += asked;
                }
                prop_assert!(granted <= limit + rate * now / 1_000_000);
            }
        }

        #[test]
        fn what_is_said_to_fit_then_fits_then_and_not_before(
            limit in 1_i64..1000,
            rate in 1_i64..1_000,
            spent in 0_i64..1000,
            asked in 0_i64..1000,
        ) {
            let mut ledger = ledger(limit, Refill::PerSecond(usd(rate)));
            ledger.charge(usd(spent), at(0)).unwrap();
            if let Err(Refused::Exhausted { again: Some(again), .. }) = ledger.reserve(usd(asked), at(0)) {
                let just_before = at(again.micros() - 1);
                prop_assert!(ledger.clone().reserve(usd(asked), just_before).is_err());
                prop_assert!(ledger.reserve(usd(asked), again).is_ok());
            } else {
                // Nothing asked always fits, even after an overrun.
                prop_assert!(asked > limit || asked <= (limit - spent).max(0));
            }
        }
    }
}
