//! Every standard estimator and every member of the tuned families at once: what they have in common (the weight, what
//! the model leaves, the model's value) is computed once a row, and each then costs a few additions.
//!
//! Invariants: each estimate is the one that [`super::Estimator::estimate`] gives of the same rows, each choice follows
//! from the same sums; nothing is kept of a row but sums; two panels of other episodes merge into the panel of both.
//!
//! Not here: what the estimators are ([`super::Estimator`]), how a parameter is chosen ([`super::Rule`]).
//!
//! Units: a lane is one estimator that is a mean; lanes stand in groups of eight, which compilers turn into wide
//! registers. Nothing is fused, so the sums do not depend on the machine.
#![allow(
    clippy::needless_range_loop,
    reason = "lanes of several groups by one number: compilers make wide registers of it"
)]

use super::estimator::{by_episode, mean, same_episode, spread};
use super::moments::Moments;
use super::tuning::{CANDIDATES, Member, Members};
use super::{Estimate, Estimator, Family, Form, Row, Rule, Shrinkage, Tally};
use pulp::Arch;

/// Lanes of a group.
const LANES: usize = CANDIDATES.len();
/// A group for each family, and one for the estimators of [`PLAIN`].
const GROUPS: usize = Family::ALL.len() + 1;

type Group = [f64; LANES];

/// The other estimators that are means, in the last group's order; its last lane has the reward as logged.
const PLAIN: [Estimator; LANES - 1] = [
    Estimator::IPS,
    Estimator::plain(Form::DirectMethod),
    Estimator::DOUBLY_ROBUST,
    Estimator::of(Form::Ips, Shrinkage::SubGaussian(0.01)),
    Estimator::of(Form::DoublyRobust, Shrinkage::SubGaussian(0.01)),
    Estimator::of(Form::Ips, Shrinkage::SubGaussian(0.1)),
    Estimator::of(Form::DoublyRobust, Shrinkage::SubGaussian(0.1)),
];

/// Sums over episodes, from which all estimates follow.
#[derive(Debug, Clone)]
pub struct Panel {
    lanes: [Lanes; GROUPS],
    /// Episodes by their number of rows: what all lanes share.
    rows: Moments<1>,
    /// What each family's smaller weights leave out: sums of (w - its weight)(r - q).
    lost: [Group; Family::ALL.len()],
    squares: f64,
    greatest: f64,
    ratios: [Tally; 2],
}

/// Sums of eight estimators, as [`Moments`] has them of one.
#[derive(Debug, Clone, Copy, Default)]
struct Lanes {
    shift: Group,
    sum: Group,
    square: Group,
    /// With the number of rows.
    cross: Group,
}

/// What a row adds.
struct Added {
    lanes: [Group; GROUPS],
    lost: [Group; Family::ALL.len()],
}

impl Default for Panel {
    fn default() -> Self {
        let normalised = Estimator::plain(Form::SelfNormalisedDoublyRobust);
        Self {
            lanes: [Lanes::default(); GROUPS],
            rows: Moments::default(),
            lost: [[0.0; LANES]; Family::ALL.len()],
            squares: 0.0,
            greatest: 0.0,
            ratios: [Tally::new(Estimator::SNIPS), Tally::new(normalised)],
        }
    }
}

impl Panel {
    /// Of rows in any order.
    #[must_use]
    pub fn of(rows: &[Row]) -> Self {
        let mut panel = Self::default();
        for episode in by_episode(rows).chunk_by(same_episode) {
            panel.add(episode);
        }
        panel
    }

    /// Takes in the rows of one episode.
    ///
    /// ```
    /// use bellwether::ope::{Estimator, Panel, Row};
    /// let row = |cluster, weight, reward| Row {
    ///     cluster, weight, weight_before: 1.0, reward, model_value: 0.75, model_chosen: 0.5,
    /// };
    /// let mut panel = Panel::default();
    /// panel.add(&[row(0, 2.0, 1.0)]);
    /// panel.add(&[row(1, 0.0, 0.0)]);
    /// // As the example of `Estimator::estimate` has them.
    /// assert_eq!(panel.estimate(Estimator::IPS).unwrap().value, 1.0);
    /// assert_eq!(panel.estimate(Estimator::DOUBLY_ROBUST).unwrap().value, 1.25);
    /// assert_eq!(panel.logged().unwrap().value, 0.5);
    /// ```
    pub fn add(&mut self, episode: &[Row]) {
        // Compiled once more for machines with wider registers.
        Arch::new().dispatch(|| self.take(episode));
    }

    #[inline(always)]
    fn take(&mut self, episode: &[Row]) {
        let mut values = [[0.0; LANES]; GROUPS];
        for row in episode {
            let added = Added::of(row);
            let lanes = values.as_flattened_mut().iter_mut();
            lanes
                .zip(added.lanes.as_flattened())
                .for_each(|(all, one)| *all += one);
            let lost = self.lost.as_flattened_mut().iter_mut();
            lost.zip(added.lost.as_flattened())
                .for_each(|(all, one)| *all += one);
            self.squares += row.weight * row.weight;
            self.greatest = self.greatest.max(row.weight);
        }
        if self.rows.count == 0 {
            for (lanes, values) in self.lanes.iter_mut().zip(&values) {
                lanes.shift = *values;
            }
        }
        self.rows.add([episode.len() as f64]);
        let [first] = self.rows.shift;
        let apart = episode.len() as f64 - first;
        for (lanes, values) in self.lanes.iter_mut().zip(&values) {
            lanes.add(values, apart);
        }
        for tally in &mut self.ratios {
            tally.add(episode);
        }
    }

    /// Takes in what another one has, of other episodes.
    pub fn merge(&mut self, other: &Self) {
        let merged = |group: usize, lane: usize| {
            let mut moments = self.moments(group, lane);
            moments.merge(&other.moments(group, lane));
            moments
        };
        self.lanes = std::array::from_fn(|group| {
            Lanes::of(&std::array::from_fn(|lane| merged(group, lane)))
        });
        self.rows.merge(&other.rows);
        let lost = self.lost.as_flattened_mut().iter_mut();
        lost.zip(other.lost.as_flattened())
            .for_each(|(own, theirs)| *own += theirs);
        self.squares += other.squares;
        self.greatest = self.greatest.max(other.greatest);
        for (own, theirs) in self.ratios.iter_mut().zip(&other.ratios) {
            own.merge(theirs);
        }
    }

    /// The estimate of one of [`Estimator::STANDARD`] or of a member of a [`Family`] whose parameter is a candidate.
    /// `None` for others, and where it is not defined.
    #[must_use]
    pub fn estimate(&self, estimator: Estimator) -> Option<Estimate> {
        if let Some(ratio) = self.ratios.iter().find(|r| r.estimator() == estimator) {
            return ratio.estimate();
        }
        let (group, lane) = place(estimator)?;
        mean(&self.moments(group, lane))
    }

    /// The mean reward as logged.
    #[must_use]
    pub fn logged(&self) -> Option<Estimate> {
        mean(&self.moments(GROUPS - 1, LANES - 1))
    }

    /// The candidate that `rule` chooses. `None` for fewer than two rows.
    #[must_use]
    pub fn choose(&self, family: Family, rule: Rule) -> Option<f64> {
        let group = Family::ALL.iter().position(|other| *other == family)?;
        let [rows] = self.rows.sums();
        let member = |lane: usize| {
            let (mean, variance) = spread(&self.moments(group, lane)).unwrap_or_default();
            let lost = self.lost.get(group).and_then(|lost| lost.get(lane));
            Member {
                lambda: CANDIDATES.get(lane).copied().unwrap_or_default(),
                mean,
                variance,
                lost: lost.copied().unwrap_or_default(),
            }
        };
        let members = Members {
            rows,
            squares: self.squares,
            greatest: self.greatest,
            all: std::array::from_fn(member),
        };
        members.choose(rule)
    }

    /// Rows and values of one lane.
    fn moments(&self, group: usize, lane: usize) -> Moments<2> {
        let of = |part: fn(&Lanes) -> &Group| {
            let lanes = self.lanes.get(group).map(part);
            lanes.and_then(|g| g.get(lane)).copied().unwrap_or_default()
        };
        let ([shift], [sum], [[square]]) = (self.rows.shift, self.rows.sum, self.rows.products);
        Moments {
            count: self.rows.count,
            shift: [shift, of(|l| &l.shift)],
            sum: [sum, of(|l| &l.sum)],
            products: [[square, 0.0], [of(|l| &l.cross), of(|l| &l.square)]],
        }
    }
}

/// Group and lane of an estimator that is a mean.
fn place(estimator: Estimator) -> Option<(usize, usize)> {
    let plain = PLAIN.iter().position(|plain| *plain == estimator);
    let member = |(group, family): (usize, &Family)| {
        let found = |lambda: &f64| family.member(*lambda) == estimator;
        Some((group, CANDIDATES.iter().position(found)?))
    };
    let members = || Family::ALL.iter().enumerate().find_map(member);
    plain.map(|lane| (GROUPS - 1, lane)).or_else(members)
}

impl Lanes {
    fn of(moments: &[Moments<2>; LANES]) -> Self {
        Self {
            shift: moments.map(|m| m.shift[1]),
            sum: moments.map(|m| m.sum[1]),
            square: moments.map(|m| m.products[1][1]),
            cross: moments.map(|m| m.products[1][0]),
        }
    }

    /// Adds the values of an episode whose number of rows is `apart` more than that of the first.
    #[inline(always)]
    fn add(&mut self, values: &Group, apart: f64) {
        let mut moved = [0.0; LANES];
        for i in 0..LANES {
            moved[i] = values[i] - self.shift[i];
            self.sum[i] += moved[i];
            self.square[i] += moved[i] * moved[i];
        }
        if apart != 0.0 {
            for i in 0..LANES {
                self.cross[i] += apart * moved[i];
            }
        }
    }
}

impl Added {
    /// The contributions of [`Estimator`], each where [`place`] has it.
    #[inline(always)]
    fn of(row: &Row) -> Self {
        let (w, reward) = (row.weight, row.reward);
        let (value, left) = (
            row.weight_before * row.model_value,
            reward - row.model_chosen,
        );
        let mut weights = [[0.0; LANES]; 3];
        for (i, l) in CANDIDATES.into_iter().enumerate() {
            weights[0][i] = if w < l { w } else { l };
            weights[1][i] = if w <= l { w } else { 0.0 };
            weights[2][i] = l * w / (w * w + l);
        }
        let [clip, switch, optimistic] = weights;
        let robust = |weights: Group| weights.map(|weight| value + weight * left);
        let [a, b] = [0.01, 0.1].map(|l| Shrinkage::SubGaussian(l).of(w));
        let plain = [
            w * reward,
            value,
            value + w * left,
            a * reward,
            value + a * left,
            b * reward,
            value + b * left,
            reward,
        ];
        let ips = clip.map(|weight| weight * reward);
        Self {
            lanes: [ips, robust(clip), robust(switch), robust(optimistic), plain],
            lost: [
                clip.map(|weight| (w - weight) * reward),
                clip.map(|weight| (w - weight) * left),
                switch.map(|weight| (w - weight) * left),
                optimistic.map(|weight| (w - weight) * left),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(found: Option<Estimate>, wanted: Option<Estimate>) -> bool {
        let close = |a: f64, b: f64| a == b || (a - b).abs() <= 1e-9 * b.abs().max(1.0);
        match (found, wanted) {
            (Some(found), Some(wanted)) => {
                close(found.value, wanted.value)
                    && close(found.standard_error, wanted.standard_error)
            }
            (None, None) => true,
            _ => false,
        }
    }

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        let row = (
            0_usize..12,
            0.0_f64..30.0,
            0.0_f64..3.0,
            -1.0_f64..2.0,
            0.0_f64..1.0,
            0.0_f64..1.0,
        );
        let row = row.prop_map(|(cluster, weight, before, reward, value, chosen)| Row {
            cluster,
            // Some 0, as a target's own are.
            weight: if weight < 5.0 { 0.0 } else { weight - 5.0 },
            weight_before: before,
            reward,
            model_value: value,
            model_chosen: chosen,
        });
        prop::collection::vec(row, 0..60)
    }

    proptest! {
        /// Episodes of several rows too, in one go and in two panels that are merged.
        #[test]
        fn each_estimate_is_the_estimators_own(rows in rows(), cut in 0_usize..12) {
            let whole = Panel::of(&rows);
            let (early, late): (Vec<Row>, Vec<Row>) = rows.iter().partition(|row| row.cluster < cut);
            let mut merged = Panel::of(&early);
            merged.merge(&Panel::of(&late));
            let members = Family::ALL.map(|family| CANDIDATES.map(|l| family.member(l)));
            for estimator in Estimator::STANDARD.iter().chain(members.as_flattened()) {
                let wanted = estimator.estimate(&rows);
                let found = [&whole, &merged].map(|panel| panel.estimate(*estimator));
                prop_assert!(near(found[0], wanted), "{estimator}: {found:?}, not {wanted:?}");
                prop_assert!(near(found[1], wanted), "{estimator}, merged: {found:?}, not {wanted:?}");
            }
            let unweighted: Vec<Row> = rows.iter().map(|row| Row { weight: 1.0, ..*row }).collect();
            prop_assert!(near(merged.logged(), Estimator::IPS.estimate(&unweighted)));
        }
    }

    #[test]
    fn other_estimators_are_not_made_up() {
        let other = Estimator::of(Form::Ips, Shrinkage::Clip(3.0));
        let row = Row {
            cluster: 0,
            weight: 1.0,
            weight_before: 1.0,
            reward: 1.0,
            model_value: 0.0,
            model_chosen: 0.0,
        };
        assert_eq!(Panel::of(&[row]).estimate(other), None);
        assert_eq!(Panel::default().estimate(Estimator::IPS), None);
    }
}
