//! Sums and products of a stream of vectors, from which means, and variances of any linear combination, follow.
//!
//! Invariants: the first vector is subtracted from all (the shift), so that the variance of values far from 0 keeps
//! its digits; nothing is kept of a vector but these sums.
//!
//! Source: the shifted-data algorithm, Chan, Golub and LeVeque 1983.

/// Sums over vectors of `N` numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moments<const N: usize> {
    pub(super) count: u64,
    pub(super) shift: [f64; N],
    /// Of v - shift.
    pub(super) sum: [f64; N],
    /// Of (v - shift)(v - shift)', the lower half.
    pub(super) products: [[f64; N]; N],
}

impl<const N: usize> Default for Moments<N> {
    fn default() -> Self {
        Self {
            count: 0,
            shift: [0.0; N],
            sum: [0.0; N],
            products: [[0.0; N]; N],
        }
    }
}

impl<const N: usize> Moments<N> {
    pub(super) fn add(&mut self, vector: [f64; N]) {
        if self.count == 0 {
            self.shift = vector;
        }
        self.count += 1;
        let mut apart = [0.0; N];
        for ((apart, value), shift) in apart.iter_mut().zip(vector).zip(self.shift) {
            *apart = value - shift;
        }
        for (sum, a) in self.sum.iter_mut().zip(apart) {
            *sum += a;
        }
        for (i, (row, a)) in self.products.iter_mut().zip(apart).enumerate() {
            for (product, b) in row.iter_mut().zip(apart).take(i + 1) {
                *product += a * b;
            }
        }
    }

    /// Takes in what another one has, as if its vectors had come after: its sums are moved to the shift of this one.
    pub(super) fn merge(&mut self, other: &Self) {
        if self.count == 0 || other.count == 0 {
            if other.count > 0 {
                *self = *other;
            }
            return;
        }
        let (n, theirs) = (other.count(), other.sum);
        let mut moved = [0.0; N];
        for ((moved, theirs), own) in moved.iter_mut().zip(other.shift).zip(self.shift) {
            *moved = theirs - own;
        }
        let rows = self.products.iter_mut().zip(other.products);
        for (i, ((row, added), (d, s))) in rows.zip(moved.into_iter().zip(theirs)).enumerate() {
            let cells = row.iter_mut().zip(added).zip(moved.into_iter().zip(theirs));
            for ((product, added), (e, t)) in cells.take(i + 1) {
                *product += added + d * t + e * s + n * d * e;
            }
        }
        for ((sum, s), d) in self.sum.iter_mut().zip(theirs).zip(moved) {
            *sum += s + n * d;
        }
        self.count += other.count;
    }

    /// Vectors taken in.
    pub(super) fn count(&self) -> f64 {
        self.count as f64
    }

    /// Their sums.
    pub(super) fn sums(&self) -> [f64; N] {
        let mut sums = [0.0; N];
        for ((total, sum), shift) in sums.iter_mut().zip(self.sum).zip(self.shift) {
            *total = sum + self.count() * shift;
        }
        sums
    }

    /// The sum of (c v - mean of c v)^2 for these coefficients c.
    pub(super) fn scatter(&self, coefficients: [f64; N]) -> f64 {
        let n = self.count().max(1.0);
        let mut total = 0.0;
        for (i, (row, a)) in self.products.iter().zip(coefficients).enumerate() {
            for (j, (product, b)) in row.iter().zip(coefficients).take(i + 1).enumerate() {
                let (s, t) = (self.sum.get(i), self.sum.get(j));
                let both = s.zip(t).map_or(0.0, |(s, t)| s * t);
                let times = if i == j { 1.0 } else { 2.0 };
                total += times * a * b * (product - both / n);
            }
        }
        total.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_and_scatter_are_those_of_two_passes(
            vectors in prop::collection::vec(prop::array::uniform3(-5.0_f64..5.0), 1..40),
            coefficients in prop::array::uniform3(-2.0_f64..2.0),
            far in -1e6_f64..1e6,
            parts in 1_usize..5,
        ) {
            // In parts that are merged: with one, in one go.
            let mut moments = Moments::default();
            for part in 0..parts {
                let mut own = Moments::default();
                for v in vectors.iter().skip(part).step_by(parts) {
                    own.add(v.map(|x| x + far));
                }
                moments.merge(&own);
            }
            let n = vectors.len() as f64;
            let value = |v: &[f64; 3]| v.iter().zip(coefficients).map(|(x, c)| x * c).sum::<f64>();
            let mean = vectors.iter().map(value).sum::<f64>() / n;
            let wanted: f64 = vectors.iter().map(|v| (value(v) - mean).powi(2)).sum();
            prop_assert!((moments.scatter(coefficients) - wanted).abs() < 1e-6);
            let sums = moments.sums();
            for (i, sum) in sums.iter().enumerate() {
                let wanted: f64 = vectors.iter().map(|v| v[i] + far).sum();
                prop_assert!((sum - wanted).abs() < 1e-6);
            }
        }
    }
}
