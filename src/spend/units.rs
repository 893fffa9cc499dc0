//! What the router saved: the cost of an episode in it, beside that of an episode that was held out.
//!
//! The unit is the episode, or the decision where it has none: what the hash held out, or did not, as a whole. With x
//! the mean cost of the router's units and y that of the held-out ones, saved are y - x for each and (y - x) n for all
//! n of the router's. The interval is that of two independent means, each with its clustered error
//! ([`crate::ope::Estimate::less`]): (y - x) -+ 1.96 sqrt(s_x^2 / n_x + s_y^2 / n_y). A unit's requests are summed
//! before, so that an episode of many calls is one observation.
//!
//! Assumptions: units do not hang together, and the share that is held out does not change within the time that is
//! asked for (or a change of prices meanwhile looks like a saving). The interval is for one look at one stretch of
//! time, not for the best of many looks; each row's stands alone.
//!
//! Rules:
//! - Nothing is said with fewer than [`LEAST_UNITS`] units on either side, nor where requests without a known cost are
//!   more frequent on one side than chance explains (p below [`UNLIKE`]).
//! - A unit counts with the requests that were made within the time, and all that their attempts cost. One that was
//!   on both sides (the share was changed while it ran) counts on neither, and is told.
//! - Another baseline begins anew: units from before it are not compared.
//!
//! Source: Neyman 1923 (difference of means between randomised groups); SCIENCE 2.3 (cells), 3.4 (clustered error).

use super::joined::Known;
use super::labels::{Labels, Names, Place};
use crate::decision::Cell;
use crate::ope::{Estimate, Estimator, MIN_EFFECTIVE_SAMPLE_SIZE, Row, Tally};
use crate::ope::{unlike_shares, unlike_shares_exactly};
use serde::Serialize;
use std::collections::HashMap;

/// Episodes of either side that are kept, at most: of more, a sample by a hash of their names.
pub const MOST_UNITS: usize = 1 << 19;

/// Fewer on a side say nothing: as few as off-policy estimates are given with.
pub(super) const LEAST_UNITS: u64 = MIN_EFFECTIVE_SAMPLE_SIZE as u64;

/// Chance under which unlike shares of unknown costs are no accident.
const UNLIKE: f64 = 0.01;

/// One episode, or one decision without.
#[derive(Debug, Clone, Copy)]
struct Unit {
    cell: Cell,
    both: bool,
    requests: u32,
    priced: u32,
    cost: i64,
}

/// All units, by what they are compared in.
#[derive(Debug)]
pub(super) struct Units {
    numbers: HashMap<Place, u32>,
    places: Vec<Place>,
    units: HashMap<(u32, u64), Unit>,
    router: Kept,
    held_out: Kept,
    most: usize,
}

/// How many of a side are kept: those whose hash ends in so many zeros.
#[derive(Debug, Clone, Copy, Default)]
struct Kept {
    units: usize,
    zeros: u32,
}

/// What the router saved in a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Saved {
    /// Whose, and in what; always with its team, never with an arm.
    #[serde(flatten)]
    pub labels: Labels,
    /// Where the traffic would have gone without a router.
    pub baseline: Option<String>,
    /// Whether something can be said.
    pub verdict: Verdict,
    /// The episodes that the router chose for, and those that were held out; absent without a baseline.
    pub compared: Option<Compared>,
    /// Saved by an episode; below 0, the router cost more. Absent where nothing can be said.
    pub episode: Option<Money>,
    /// Saved by all the router's episodes together.
    pub total: Option<Money>,
}

/// Whether something can be said of what was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// There is an interval.
    Measured,
    /// No baseline: nothing to compare with.
    NoBaseline,
    /// Too few episodes on a side.
    TooLittle,
    /// Requests without a known cost are more frequent on one side.
    Unlike,
}

/// Both sides of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Compared {
    /// The router's.
    pub router: Side,
    /// Held out for the baseline.
    pub held_out: Side,
    /// Episodes that were on both sides, and count on neither.
    pub on_both: u64,
}

/// One side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Side {
    /// Episodes (decisions where there is none) that were looked at.
    pub episodes: u64,
    /// Of how many one was looked at: 1 where all were.
    pub one_in: u64,
    /// Their requests.
    pub requests: u64,
    /// Those of them whose cost is not known: the attempt that served does not say it, or none served and one that
    /// failed does not.
    pub requests_without_cost: u64,
    /// What they cost.
    pub spent_nano_usd: i64,
}

/// Money with its 95 % interval, in nano-dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Money {
    /// The estimate.
    pub value_nano_usd: i64,
    /// Lower end.
    pub lower_nano_usd: i64,
    /// Upper end.
    pub upper_nano_usd: i64,
}

impl Money {
    /// Value, lower and upper end.
    pub fn ends(&self) -> [i64; 3] {
        [
            self.value_nano_usd,
            self.lower_nano_usd,
            self.upper_nano_usd,
        ]
    }
}

impl Default for Units {
    fn default() -> Self {
        Self::holding(MOST_UNITS)
    }
}

impl Units {
    /// So many of each side at most.
    pub(super) fn holding(most: usize) -> Self {
        Self {
            numbers: HashMap::new(),
            places: Vec::new(),
            units: HashMap::new(),
            router: Kept::default(),
            held_out: Kept::default(),
            most: most.max(1),
        }
    }

    /// How many places there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// A request of a unit.
    pub(super) fn decided(&mut self, place: Place, known: &Known) {
        let side = self.side(known.cell);
        if known.unit.trailing_zeros() < side.zeros {
            return;
        }
        let next = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(place).or_insert(next);
        if number == next {
            self.places.push(place);
        }
        let (mut new, cell) = (false, known.cell);
        let unit = self.units.entry((number, known.unit)).or_insert_with(|| {
            new = true;
            Unit {
                cell,
                both: false,
                requests: 0,
                priced: 0,
                cost: 0,
            }
        });
        unit.requests = unit.requests.saturating_add(1);
        unit.both |= unit.cell != cell;
        if new {
            self.side(cell).units += 1;
            self.thin(cell);
        }
    }

    /// What an attempt of a unit's request cost; `before`: whether what the request cost was known until then.
    pub(super) fn paid(&mut self, place: Place, known: &Known, cost: i64, before: bool) {
        let number = self.numbers.get(&place).copied();
        let unit = number.and_then(|number| self.units.get_mut(&(number, known.unit)));
        if let Some(unit) = unit {
            unit.cost = unit.cost.saturating_add(cost);
            let change = i32::from(known.told.priced()) - i32::from(before);
            unit.priced = unit.priced.saturating_add_signed(change);
        }
    }

    /// A team's comparison begins anew.
    pub(super) fn forget(&mut self, team: u32) {
        let places = &self.places;
        let other = |number: u32| places.get(number as usize).is_none_or(|p| p.team != team);
        let (mut router, mut held_out) = (0, 0);
        self.units.retain(|(number, _), unit| {
            let stays = other(*number);
            match unit.cell {
                Cell::Router => router += usize::from(stays),
                Cell::Holdout => held_out += usize::from(stays),
            }
            stays
        });
        (self.router.units, self.held_out.units) = (router, held_out);
    }

    fn side(&mut self, cell: Cell) -> &mut Kept {
        match cell {
            Cell::Router => &mut self.router,
            Cell::Holdout => &mut self.held_out,
        }
    }

    /// Halves a side as long as it is too large.
    fn thin(&mut self, cell: Cell) {
        while self.side(cell).units > self.most && self.side(cell).zeros < 63 {
            let side = self.side(cell);
            side.zeros += 1;
            let zeros = side.zeros;
            let mut left = 0;
            self.units.retain(|(_, hash), unit| {
                let stays = unit.cell != cell || hash.trailing_zeros() >= zeros;
                left += usize::from(stays && unit.cell == cell);
                stays
            });
            self.side(cell).units = left;
        }
    }

    /// Each place with what it came to.
    pub(super) fn saved(
        &self,
        names: &Names,
        baseline: impl Fn(u32) -> Option<u32>,
    ) -> Vec<(Place, Saved)> {
        let mut by_place: Vec<Vec<(u64, Unit)>> = vec![Vec::new(); self.places.len()];
        for ((number, hash), unit) in &self.units {
            if let Some(units) = by_place.get_mut(*number as usize) {
                units.push((*hash, *unit));
            }
        }
        let one_in = |kept: &Kept| 1_u64 << kept.zeros;
        let one_in = [one_in(&self.router), one_in(&self.held_out)];
        let places = self.places.iter().zip(by_place);
        let all = places.filter(|(_, units)| !units.is_empty());
        let all = all.map(|(place, mut units)| {
            // Sums of floats depend on their order.
            units.sort_unstable_by_key(|(hash, _)| *hash);
            let baseline = baseline(place.team).and_then(|arm| names.name(arm));
            let mut saved = judged(&units, one_in);
            saved.labels = Labels::of(place, names);
            saved.baseline = baseline.map(ToString::to_string);
            (*place, saved)
        });
        all.collect()
    }
}

/// What these units say.
fn judged(units: &[(u64, Unit)], one_in: [u64; 2]) -> Saved {
    let (router, router_mean) = side(units, Cell::Router, one_in[0]);
    let (held_out, held_out_mean) = side(units, Cell::Holdout, one_in[1]);
    let on_both = units.iter().filter(|(_, unit)| unit.both).count() as u64;
    let missing = [router, held_out].map(|side| (side.requests_without_cost, side.requests));
    // Where few are expected, tables are counted.
    let chance = unlike_shares(&missing).unwrap_or_else(|| unlike_shares_exactly(missing));
    let unlike = chance < UNLIKE;
    let few = router.episodes < LEAST_UNITS || held_out.episodes < LEAST_UNITS;
    let verdict = match (few, unlike) {
        (true, _) => Verdict::TooLittle,
        (false, true) => Verdict::Unlike,
        (false, false) => Verdict::Measured,
    };
    let estimate = held_out_mean.zip(router_mean);
    let estimate = estimate.filter(|_| verdict == Verdict::Measured);
    let estimate = estimate.map(|(held_out, router)| held_out.less(&router));
    let all = router.episodes as f64 * router.one_in as f64;
    Saved {
        labels: Labels::default(),
        baseline: None,
        verdict,
        compared: Some(Compared {
            router,
            held_out,
            on_both,
        }),
        episode: estimate.map(|estimate| money(&estimate, 1.0)),
        total: estimate.map(|estimate| money(&estimate, all)),
    }
}

/// A side's sums, and the mean cost of its units in nano-dollars.
fn side(units: &[(u64, Unit)], cell: Cell, one_in: u64) -> (Side, Option<Estimate>) {
    let mut side = Side {
        one_in,
        ..Side::default()
    };
    let mut tally = Tally::new(Estimator::IPS);
    let own = units.iter().filter(|(_, u)| u.cell == cell && !u.both);
    for (cluster, (_, unit)) in own.enumerate() {
        side.episodes += 1;
        side.requests += u64::from(unit.requests);
        side.requests_without_cost += u64::from(unit.requests.saturating_sub(unit.priced));
        side.spent_nano_usd = side.spent_nano_usd.saturating_add(unit.cost);
        // The unit was held out, or not, for certain: nothing is weighed.
        tally.add(&[Row {
            cluster,
            weight: 1.0,
            weight_before: 1.0,
            reward: unit.cost as f64,
            model_value: 0.0,
            model_chosen: 0.0,
        }]);
    }
    (side, tally.estimate())
}

fn money(estimate: &Estimate, times: f64) -> Money {
    // A float beyond the range of money becomes its end.
    let of = |value: f64| (value * times).round() as i64;
    Money {
        value_nano_usd: of(estimate.value),
        lower_nano_usd: of(estimate.lower),
        upper_nano_usd: of(estimate.upper),
    }
}
