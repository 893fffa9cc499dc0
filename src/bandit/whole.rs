//! Whether numbers given, or read back from disk, can serve.

use super::error::StateError;
use super::lanes::groups;
use super::packed::Packed;
use super::ridge::Ridge;

/// Most features: 128 MB of statistics an arm, far above any use.
const MAX_DIM: usize = 4096;

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
        }
        self.prior.validate()?;
        check_len("prior precision", self.prior.dim(), self.dim)?;
        check_len("prior means", self.prior.means.len(), self.targets())?;
        if !self.spread.well_formed(self.dim) {
            return Err(range(
                "coarse block",
                f64::NAN,
                "finite, above 0 on the diagonal",
            ));
        }
        if !(self.kept > 0.0 && self.kept <= 1.0 && self.fading.is_whole()) {
            return Err(range("share kept", self.kept, "above 0, to 1"));
        }
        if !(self.count.is_finite() && self.count >= 0.0) {
            return Err(range("count", self.count, "finite and at least 0"));
        }
        if !self.residuals.well_formed(self.targets()) {
            return Err(range("residuals", f64::NAN, "finite, one row a target"));
        }
        Ok(())
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
