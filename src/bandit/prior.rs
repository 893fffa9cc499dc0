//! What is assumed of an arm before its first row.
//!
//! Invariants: none by itself; [`Prior::validate`] is asked before it is used.
//!
//! Units: precision in units of the noise's (a precision of 10 weighs as ten rows along the coordinate);
//! means in those of the targets.

use super::error::StateError;
use serde::{Deserialize, Serialize};

/// A normal prior on theta, independent over coordinates: N(mean, noise / precision).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prior {
    /// Weight of the prior on each coordinate: the diagonal of A before the first row.
    pub precision: Vec<f64>,
    /// Expected theta of each target, one number a coordinate.
    pub means: Vec<Vec<f64>>,
    /// How many leading coordinates are coarse: with the last, the bias, they alone carry an arm's
    /// uncertainty (`Ridge::spread`).
    pub coarse: usize,
}

impl Prior {
    /// The same precision everywhere, the expected value of each target on the bias coordinate, and no
    /// coordinate that is not coarse.
    ///
    /// ```
    /// use bellwether::bandit::Prior;
    /// let prior = Prior::on_bias(3, 10.0, &[0.5]);
    /// assert_eq!(prior.means, [[0.0, 0.0, 0.5]]);
    /// assert_eq!((prior.precision[0], prior.coarse), (10.0, 2));
    /// ```
    #[must_use]
    pub fn on_bias(dim: usize, precision: f64, expected: &[f64]) -> Self {
        let mean = |value: &f64| {
            let mut mean = vec![0.0; dim];
            if let Some(last) = mean.last_mut() {
                *last = *value;
            }
            mean
        };
        Self {
            precision: vec![precision; dim],
            means: expected.iter().map(mean).collect(),
            coarse: dim.saturating_sub(1),
        }
    }

    /// Number of coordinates.
    pub fn dim(&self) -> usize {
        self.precision.len()
    }

    /// Whether a regression can start from it.
    pub(super) fn validate(&self) -> Result<(), StateError> {
        let dim = self.dim();
        if let Some(value) = self
            .precision
            .iter()
            .find(|p| !(p.is_finite() && **p > 0.0))
        {
            return Err(StateError::Range {
                field: "ridge",
                value: *value,
                allowed: "finite and above 0",
            });
        }
        if self.coarse >= dim.max(1) {
            return Err(StateError::Range {
                field: "coarse coordinates",
                value: self.coarse as f64,
                allowed: "less than the dimension",
            });
        }
        for mean in &self.means {
            if mean.len() != dim {
                return Err(StateError::Length {
                    field: "prior mean",
                    found: mean.len(),
                    expected: dim,
                });
            }
            if let Some(value) = mean.iter().find(|v| !v.is_finite()) {
                return Err(StateError::Range {
                    field: "prior mean",
                    value: *value,
                    allowed: "finite",
                });
            }
        }
        Ok(())
    }
}
