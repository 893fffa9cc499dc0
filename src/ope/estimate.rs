//! A value with its 95 % interval.
//!
//! Not here: where it comes from ([`super::Estimator`]).

use serde::Serialize;

/// The 97.5 % point of the standard normal: two-sided 95 %.
const Z_95: f64 = 1.959_963_984_540_054;

/// A value and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The point estimate.
    pub value: f64,
    /// Its standard error, clustered.
    pub standard_error: f64,
    /// Lower end of the 95 % interval.
    pub lower: f64,
    /// Upper end of the 95 % interval.
    pub upper: f64,
}

impl Estimate {
    pub(super) fn new(value: f64, standard_error: f64) -> Self {
        Self {
            value,
            standard_error,
            lower: value - Z_95 * standard_error,
            upper: value + Z_95 * standard_error,
        }
    }

    /// This less another one that is independent of it.
    ///
    /// ```
    /// use bellwether::ope::Estimate;
    /// let of = |value, standard_error| Estimate { value, standard_error, lower: 0.0, upper: 0.0 };
    /// let gain = of(0.75, 0.03).less(&of(0.5, 0.04));
    /// assert_eq!((gain.value, gain.standard_error), (0.25, 0.05));
    /// assert!((gain.lower - (0.25 - 1.96 * 0.05)).abs() < 1e-5);
    /// ```
    pub fn less(&self, other: &Self) -> Self {
        let value = self.value - other.value;
        let standard_error = self.standard_error.hypot(other.standard_error);
        Self::new(value, standard_error)
    }

    /// The smallest true difference that a test at one-sided 5 % would find with 80 % power: 2.49
    /// standard errors (SCIENCE 3.7).
    pub fn detectable_effect(&self) -> f64 {
        2.49 * self.standard_error
    }
}
