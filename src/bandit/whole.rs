//! Whether numbers given, or read back from disk, can serve.

use super::cholesky;
use super::error::StateError;
use super::lanes::{LANES, groups, pad};
use super::packed::Packed;
use super::ridge::Ridge;

/// Most features: 128 MB of statistics an arm, far above any use.
const MAX_DIM: usize = 4096;

/// Most that A A^-1 may differ from 1 (SCIENCE 2.2: the bound of the audit).
const STRAYED: f64 = 1e-6;

impl Ridge {
    /// Whether the state can serve: asked of whatever was read from disk, before it is used.
    pub fn validate(&self) -> Result<(), StateError> {
        check_dim(self.dim)?;
        let expected = groups(self.dim);
        for (field, vectors) in [("moments", &self.moments), ("weights", &self.weights)] {
            check_len(field, vectors.len(), self.targets())?;
            for vector in vectors {
                check_len(field, vector.len(), expected)?;
                finite(field, vector.as_flattened().iter().copied())?;
            }
        }
        for (field, matrix) in [("precision", &self.precision), ("inverse", &self.inverse)] {
            if !matrix.well_formed(self.dim) {
                let found = matrix.found();
                let expected = Packed::<f64>::stored(self.dim);
                return Err(StateError::Length {
                    field,
                    found,
                    expected,
                });
            }
            finite(field, matrix.numbers())?;
            let mut diagonal = (0..self.dim).map(|i| matrix.get(i, i));
            if let Some(value) = diagonal.find(|v| *v <= 0.0) {
                return Err(range(field, value, "above 0 on the diagonal"));
            }
            cholesky::positive(matrix, self.dim)?;
        }
        let strayed = self.strayed();
        if strayed.is_nan() || strayed > STRAYED {
            return Err(range(
                "precision times inverse less 1",
                strayed,
                "at most 1e-6",
            ));
        }
        self.prior.validate()?;
        check_len("prior precision", self.prior.dim(), self.dim)?;
        check_len("prior means", self.prior.means.len(), self.targets())?;
        if !self.spread.well_formed(self.dim) {
            return Err(range("coarse block", f64::NAN, "finite, positive definite"));
        }
        if !(self.kept > 0.0 && self.kept <= 1.0 && self.fading.is_whole()) {
            return Err(range("share kept", self.kept, "above 0, to 1"));
        }
        if !(self.count.is_finite() && self.count >= 0.0) {
            return Err(range("count", self.count, "finite and at least 0"));
        }
        if !self.squares.well_formed(self.targets()) {
            return Err(range("squares", f64::NAN, "finite, one a target"));
        }
        if !self.residuals.well_formed(self.targets()) {
            return Err(range("residuals", f64::NAN, "finite, one row a target"));
        }
        Ok(())
    }
}

impl Ridge {
    /// The sum of |A A^-1 v - v| for one v of ones of either sign.
    fn strayed(&self) -> f64 {
        let v = pad((0..self.dim).map(|i| if i % 3 == 0 { -1.0 } else { 1.0 }));
        let (mut once, mut twice) = (vec![[0.0; LANES]; v.len()], vec![[0.0; LANES]; v.len()]);
        self.inverse.multiply(&v, &mut once);
        self.precision.multiply(&once, &mut twice);
        let pairs = twice.as_flattened().iter().zip(v.as_flattened());
        pairs.map(|(a, b)| (a - b).abs()).sum()
    }
}

pub(super) fn range(field: &'static str, value: f64, allowed: &'static str) -> StateError {
    StateError::Range {
        field,
        value,
        allowed,
    }
}

pub(super) fn check_dim(dim: usize) -> Result<(), StateError> {
    if (1..=MAX_DIM).contains(&dim) {
        Ok(())
    } else {
        Err(range("dim", dim as f64, "1 to 4096"))
    }
}

pub(super) fn check_len(
    field: &'static str,
    found: usize,
    expected: usize,
) -> Result<(), StateError> {
    if found == expected {
        Ok(())
    } else {
        Err(StateError::Length {
            field,
            found,
            expected,
        })
    }
}

pub(super) fn finite(
    field: &'static str,
    values: impl IntoIterator<Item = f64>,
) -> Result<(), StateError> {
    match values.into_iter().find(|v| !v.is_finite()) {
        Some(value) => Err(range(field, value, "finite")),
        None => Ok(()),
    }
}
