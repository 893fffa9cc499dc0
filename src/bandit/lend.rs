//! A regression that starts from what others of its kind have learned, before its own first row.
//!
//! Their rows are put together to a parent, A_par = sum s (A - A0) + the mean of their A0, and b_par alike, where
//! s is the share of a lender's rows that are its own. Of these rows the newcomer gets as many as weigh
//! `most` together (all, if they are fewer): A = A0 + c sum s (A - A0); and b = A theta_par, so that it starts
//! from the parent's expectations exactly, whatever it assumed itself. From then on these are rows like any
//! others: they fade, the prior below them may move, and own outcomes outweigh them after some `most`.
//!
//! What came in is kept by the caller ([`Borrowed`]) for as long as it may be given back: then A, b and the sums
//! lose what is left of it, as they would a row.
//!
//! Invariants: theta is the parent's, up to rounding; with one lender whose rows are its own, the lender's.
//! The spread about it (`squares`) is the lenders', scaled alike, so that the estimate of noise is not
//! fooled; the doubt's own noise (`residual`) is not lent. A refused call changes nothing.
//!
//! Not here: who lends what to whom, and how much (`learn`).
//!
//! Source: SCIENCE 2.5 (A0 = kappa A_par / n_par + ridge I, b0 = A0 theta_par).

use super::cholesky;
use super::error::StateError;
use super::fading::Fading;
use super::lanes::{Group, LANES, add_scaled, dot, pad};
use super::packed::Packed;
use super::residual::{PRIOR_COUNT, PRIOR_SD};
use super::ridge::Ridge;
use super::squares::Squares;
use super::whole::{check_len, finite};
use serde::{Deserialize, Serialize};

/// Someone to start from.
#[derive(Debug)]
pub struct Lender<'a> {
    /// What it has learned.
    pub ridge: &'a Ridge,
    /// Which of its targets each of the newcomer's is.
    pub targets: &'a [usize],
    /// How many of its rows are its own, above 0.
    pub own: f64,
}

/// What a regression has from others, beside its prior.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Borrowed {
    entered: Fading,
    count: f64,
    rows: Packed<f64>,
    moments: Vec<Vec<Group<f64>>>,
    squares: Squares,
    /// What was expected at the start, target by target.
    theta: Vec<Vec<Group<f64>>>,
}

impl Borrowed {
    /// What the lenders expect of a target at `x`; `None` where there is no such target or `x` is of
    /// another length.
    pub fn predict(&self, x: &[f32], target: usize) -> Option<f64> {
        let theta = self.theta.get(target)?;
        let x = pad(x.iter().map(|v| f64::from(*v)));
        (x.len() == theta.len()).then(|| dot(theta, &x))
    }

    /// Whether shapes and numbers are sound: asked of what was read from disk.
    pub fn is_whole(&self, dim: usize, targets: usize) -> bool {
        let groups = super::lanes::groups(dim);
        let sound = |vectors: &[Vec<Group<f64>>]| {
            let shape = vectors.len() == targets && vectors.iter().all(|v| v.len() == groups);
            shape && vectors.iter().flatten().flatten().all(|v| v.is_finite())
        };
        let rows = self.rows.well_formed(dim) && self.rows.numbers().all(f64::is_finite);
        let numbers = self.count.is_finite() && self.entered.is_whole();
        let sums = self.squares.well_formed(targets);
        rows && numbers && sums && sound(&self.moments) && sound(&self.theta)
    }
}

/// What the lenders know together.
struct Parent {
    /// Sum of own rows' x x'.
    rows: Packed<f64>,
    /// Of each target: theta, the sum of squares about the lender's theta, and the rows in which it was seen.
    targets: Vec<(Vec<Group<f64>>, f64, f64)>,
}

impl Ridge {
    /// Starts from `lenders` as if with rows that weigh `most` together.
    ///
    /// ```
    /// use bellwether::bandit::{Lender, Prior, Ridge};
    /// let mut old = Ridge::new(&Prior::on_bias(1, 1.0, &[0.5])).unwrap();
    /// (0..3).for_each(|_| drop(old.observe(&[1.0], &[Some(1.0)])));
    /// let lender = Lender { ridge: &old, targets: &[0], own: 3.0 };
    /// let mut new = Ridge::new(&Prior::on_bias(1, 1.0, &[0.2])).unwrap();
    /// new.start_from(&[lender], 2.0).unwrap();
    /// // One row's worth of 0.5 and three rows at 1.0, held by two rows and the prior's one.
    /// assert!((new.weights(0)[0] - 3.5 / 4.0).abs() < 1e-12);
    /// assert_eq!(new.count(), 2.0);
    /// ```
    pub fn start_from(
        &mut self,
        lenders: &[Lender<'_>],
        most: f64,
    ) -> Result<Borrowed, StateError> {
        let total: f64 = lenders.iter().map(|lender| lender.own).sum();
        finite("rows to start from", [total, most])?;
        let parent = Parent::new(lenders, total, self.dim, self.targets())?;
        let scale = (most / total).clamp(0.0, 1.0);
        let mut rows = parent.rows;
        rows.scale(scale);
        let mut borrowed = Borrowed {
            entered: self.fading,
            count: scale * total,
            rows,
            moments: Vec::with_capacity(parent.targets.len()),
            squares: Squares::new(parent.targets.len()),
            theta: Vec::with_capacity(parent.targets.len()),
        };
        for (target, (theta, squares, observed)) in parent.targets.into_iter().enumerate() {
            // (A0 + R) theta - A0 m, and the sum that makes the squares about theta the lenders' (`squares`).
            let mut moment = vec![[0.0; LANES]; theta.len()];
            borrowed.rows.multiply(&theta, &mut moment);
            let mut values = scale * squares + dot(&theta, &moment);
            let mean = self.prior.means.get(target).into_iter().flatten();
            let slots = moment
                .as_flattened_mut()
                .iter_mut()
                .zip(theta.as_flattened());
            for ((slot, t), (p, m)) in slots.zip(self.prior.precision.iter().zip(mean)) {
                *slot += p * (t - m);
                values += 2.0 * p * t * (t - m);
            }
            borrowed.squares.gain(target, values, scale * observed);
            borrowed.moments.push(moment);
            borrowed.theta.push(theta);
        }
        self.exchange(&borrowed, 1.0)?;
        Ok(borrowed)
    }

    /// Gives back what is left of what it started from: the state is then what its own rows make it.
    pub fn give_back(&mut self, borrowed: &Borrowed) -> Result<(), StateError> {
        self.exchange(borrowed, -self.fading.since(borrowed.entered))
    }

    /// A, b and the sums gain `share` of what is borrowed.
    fn exchange(&mut self, borrowed: &Borrowed, share: f64) -> Result<(), StateError> {
        check_len("borrowed rows", borrowed.rows.dim(), self.dim)?;
        check_len("borrowed targets", borrowed.moments.len(), self.targets())?;
        let mut changed = self.clone();
        changed.fold();
        let old = &changed.precision;
        let entry = |i, j| old.get(i, j) + share * borrowed.rows.get(i, j);
        changed.precision = Packed::build(self.dim, entry);
        for (moment, more) in changed.moments.iter_mut().zip(&borrowed.moments) {
            add_scaled(moment, share, more);
        }
        changed.squares.add(share, &borrowed.squares);
        let count = changed.count + share * borrowed.count;
        // What rounding leaves of nothing is no row.
        changed.count = if count > 1e-9 { count } else { 0.0 };
        changed.refactor()?;
        *self = changed;
        Ok(())
    }
}

impl Parent {
    fn new(
        lenders: &[Lender<'_>],
        total: f64,
        dim: usize,
        targets: usize,
    ) -> Result<Self, StateError> {
        let mut settled = Vec::with_capacity(lenders.len());
        for lender in lenders {
            check_len("context", lender.ridge.dim(), dim)?;
            check_len("targets", lender.targets.len(), targets)?;
            let mut ridge = lender.ridge.clone();
            ridge.refactor()?;
            let share = (lender.own / ridge.count()).clamp(0.0, 1.0);
            settled.push((ridge, share, lender));
        }
        let rows = Packed::build(dim, |i, j| {
            let of = |(ridge, share, _): &Settled<'_>| {
                let assumed = if i == j { prior(ridge, i) } else { 0.0 };
                share * (ridge.precision.get(i, j) - assumed)
            };
            settled.iter().map(of).sum()
        });
        let mut whole = rows.clone();
        let assumed = |i: usize| {
            let each = settled.iter();
            each.map(|(ridge, _, lender)| lender.own / total * prior(ridge, i))
                .sum()
        };
        whole.add_diagonal(&(0..dim).map(assumed).collect::<Vec<f64>>());
        let inverse = cholesky::inverse(&whole, dim)?;
        let targets = (0..targets).map(|target| {
            let (moment, squares, observed) = sums(&settled, target, total)?;
            let moment = pad(moment.into_iter());
            let mut theta = vec![[0.0; LANES]; moment.len()];
            inverse.multiply(&moment, &mut theta);
            Ok((theta, squares, observed))
        });
        let targets = targets.collect::<Result<_, StateError>>()?;
        Ok(Self { rows, targets })
    }
}

/// A lender with all its forgetting done, the share of its rows that are its own, and who it is.
type Settled<'a> = (Ridge, f64, &'a Lender<'a>);

/// What was assumed along a coordinate.
fn prior(ridge: &Ridge, at: usize) -> f64 {
    ridge.prior.precision.get(at).copied().unwrap_or(0.0)
}

/// b of the parent's target, the sum of squares about the lenders' theta, and the rows in which it was seen.
fn sums(
    settled: &[Settled<'_>],
    target: usize,
    total: f64,
) -> Result<(Vec<f64>, f64, f64), StateError> {
    let dim = settled.first().map_or(0, |(ridge, ..)| ridge.dim);
    let mut moment = vec![0.0; dim];
    let (mut squares, mut observed) = (0.0, 0.0);
    for (ridge, share, lender) in settled {
        let theirs = lender.targets.get(target).copied().unwrap_or(usize::MAX);
        let (Some(b), Some(mean)) = (ridge.moments.get(theirs), ridge.prior.means.get(theirs))
        else {
            let targets = ridge.targets();
            return Err(StateError::Target {
                target: theirs,
                targets,
            });
        };
        let weight = lender.own / total;
        let slots = moment.iter_mut().zip(b.as_flattened()).zip(mean);
        for (i, ((slot, b), mean)) in slots.enumerate() {
            let assumed = prior(ridge, i) * mean;
            *slot += share * (b - assumed) + weight * assumed;
        }
        squares += share * (ridge.scatter(theirs).0 - PRIOR_COUNT * PRIOR_SD * PRIOR_SD);
        observed += share * ridge.squares.observed(theirs);
    }
    Ok((moment, squares, observed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bandit::Prior;

    fn fresh(expected: f64) -> Ridge {
        Ridge::new(&Prior::on_bias(3, 10.0, &[expected, 0.5])).unwrap()
    }

    /// A regression with `rows` rows, about `level`.
    fn learned(rows: usize, level: f64) -> Ridge {
        let mut ridge = fresh(0.5);
        for row in 0..rows {
            let wave = (row as f32 * 0.7).sin();
            let value = level + 0.3 * f64::from(wave) + 0.1 * (row as f64 * 1.9).cos();
            let other = (row % 3 == 0).then_some(0.25);
            ridge
                .observe(&[wave, 0.5 * wave * wave, 1.0], &[Some(value), other])
                .unwrap();
            ridge.fade(0.999).unwrap();
        }
        ridge
    }

    fn start(lenders: &[(&Ridge, f64)], most: f64) -> Ridge {
        let mut new = fresh(0.9);
        let lenders = lenders.iter();
        let lenders = lenders.map(|(ridge, own)| Lender {
            ridge,
            targets: &[0, 1],
            own: *own,
        });
        let borrowed = new.start_from(&lenders.collect::<Vec<_>>(), most).unwrap();
        assert!(borrowed.is_whole(3, 2) && !borrowed.is_whole(9, 2) && !borrowed.is_whole(3, 1));
        new.validate().unwrap();
        new
    }

    fn settled(ridge: &Ridge) -> Ridge {
        let mut ridge = ridge.clone();
        ridge.refactor().unwrap();
        ridge
    }

    #[test]
    fn it_starts_from_the_parents_theta_and_doubts_more() {
        let old = settled(&learned(200, 0.6));
        let new = start(&[(&old, old.count())], 50.0);
        for target in 0..2 {
            for (found, expected) in new.weights(target).iter().zip(old.weights(target)) {
                assert!((found - expected).abs() < 1e-10, "{found} {expected}");
            }
        }
        let x = [0.3, 0.1, 1.0];
        let (before, after) = (fresh(0.9).spread(&x).unwrap(), new.spread(&x).unwrap());
        assert!(old.spread(&x).unwrap() < after && after < before);
        assert!((new.count() - 50.0).abs() < 1e-9, "{}", new.count());
    }

    #[test]
    fn few_rows_are_not_made_more() {
        let old = settled(&learned(20, 0.6));
        let new = start(&[(&old, old.count())], 50.0);
        assert!((new.count() - old.count()).abs() < 1e-9);
        // Rows that are somebody else's do not count as the lender's.
        let echo = start(&[(&old, 5.0)], 50.0);
        assert!((echo.count() - 5.0).abs() < 1e-9);
    }

    #[test]
    fn two_lenders_weigh_by_their_own_rows() {
        let (low, high) = (settled(&learned(150, 0.2)), settled(&learned(50, 0.8)));
        let new = start(&[(&low, low.count()), (&high, high.count())], 50.0);
        let at = |ridge: &Ridge| {
            let mut means = [0.0; 2];
            ridge.predict(&[0.0, 0.25, 1.0], &mut means).unwrap();
            means[0]
        };
        let share = low.count() / (low.count() + high.count());
        let mean = share * at(&low) + (1.0 - share) * at(&high);
        assert!((at(&new) - mean).abs() < 0.03, "{} {mean}", at(&new));
    }

    #[test]
    fn the_noise_that_is_lent_is_the_lenders() {
        let old = settled(&learned(400, 0.6));
        let new = start(&[(&old, old.count())], 50.0);
        let noise = |ridge: &Ridge| {
            let (squares, _) = ridge.scatter(0);
            (squares - PRIOR_COUNT * PRIOR_SD * PRIOR_SD) / ridge.count()
        };
        assert!(
            (noise(&new) - noise(&old)).abs() < 1e-9,
            "{} {}",
            noise(&new),
            noise(&old)
        );
        // Its sum stays one over rows when the prior below moves and own rows come.
        let mut later = new.clone();
        later
            .set_prior(&Prior::on_bias(3, 10.0, &[0.7, 0.5]))
            .unwrap();
        (0..50).for_each(|_| drop(later.observe(&[0.1, 0.0, 1.0], &[Some(0.6), None])));
        let later = settled(&later);
        assert!((0.0..0.05).contains(&noise(&later)), "{}", noise(&later));
    }

    #[test]
    fn what_is_given_back_leaves_own_rows_alone() {
        let old = settled(&learned(200, 0.6));
        let (mut new, mut alone) = (fresh(0.9), fresh(0.9));
        let lender = Lender {
            ridge: &old,
            targets: &[0, 1],
            own: old.count(),
        };
        let borrowed = new.start_from(&[lender], 50.0).unwrap();
        assert_eq!(
            borrowed.predict(&[0.0, 0.0, 1.0], 0),
            Some(new.weights(0)[2])
        );
        for ridge in [&mut new, &mut alone] {
            for row in 0..30 {
                let x = [(row as f32).sin(), 0.1, 1.0];
                ridge.observe(&x, &[Some(0.2), Some(0.4)]).unwrap();
                ridge.fade(0.99).unwrap();
            }
            ridge
                .set_prior(&Prior::on_bias(3, 7.0, &[0.4, 0.5]))
                .unwrap();
        }
        new.give_back(&borrowed).unwrap();
        new.validate().unwrap();
        let alone = settled(&alone);
        for target in 0..2 {
            for (found, expected) in new.weights(target).iter().zip(alone.weights(target)) {
                assert!((found - expected).abs() < 1e-9, "{found} {expected}");
            }
            let ((a, n), (b, m)) = (new.scatter(target), alone.scatter(target));
            assert!(
                (a - b).abs() < 1e-9 && (n - m).abs() < 1e-9,
                "{a} {b} {n} {m}"
            );
        }
        assert!((new.count() - alone.count()).abs() < 1e-9);
        let x = [0.3, 0.1, 1.0];
        assert!((new.spread(&x).unwrap() - alone.spread(&x).unwrap()).abs() < 1e-9);
    }

    #[test]
    fn another_shape_is_refused_and_changes_nothing() {
        let old = learned(30, 0.5);
        let wide = Ridge::new(&Prior::on_bias(4, 10.0, &[0.5, 0.5])).unwrap();
        let mut new = fresh(0.9);
        for (ridge, targets) in [(&wide, &[0, 1][..]), (&old, &[0]), (&old, &[0, 7])] {
            let lender = Lender {
                ridge,
                targets,
                own: 10.0,
            };
            assert!(new.start_from(&[lender], 50.0).is_err());
        }
        assert_eq!(new, fresh(0.9));
    }
}
