//! A value with its 95 % interval.
//!
//! Not here: where it comes from ([`super::Estimator`]).

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal};

/// The 97.5 % point of the standard normal: two-sided 95 %.
pub(super) const Z_95: f64 = 1.959_963_984_540_054;

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

    /// The one-sided lower bound that is above the truth with chance `miss`; minus infinity where the error is.
    ///
    /// ```
    /// use bellwether::ope::Estimate;
    /// let found = Estimate { value: 0.5, standard_error: 0.1, lower: 0.0, upper: 0.0 };
    /// assert!((found.lower_at(0.025) - (0.5 - 0.196)).abs() < 1e-4);
    /// assert!((found.upper_at(0.05) - (0.5 + 0.1645)).abs() < 1e-4);
    /// ```
    pub fn lower_at(&self, miss: f64) -> f64 {
        self.value - quantile(miss) * self.standard_error
    }

    /// The one-sided upper bound that is below the truth with chance `miss`.
    pub fn upper_at(&self, miss: f64) -> f64 {
        self.value + quantile(miss) * self.standard_error
    }

    /// The two-sided p-value of 0; 1 where the error is infinite, or the value no more than rounding (1e-12).
    ///
    /// ```
    /// use bellwether::ope::Estimate;
    /// let found = Estimate { value: -0.196, standard_error: 0.1, lower: 0.0, upper: 0.0 };
    /// assert!((found.p_value() - 0.05).abs() < 1e-4);
    /// ```
    pub fn p_value(&self) -> f64 {
        match self.value.abs() < 1e-12 {
            true => 1.0,
            false => 2.0 * Normal::standard().sf(self.value.abs() / self.standard_error),
        }
    }

    /// The smallest true difference that a test at one-sided 5 % would find with 80 % power: 2.49
    /// standard errors (SCIENCE 3.7).
    pub fn detectable_effect(&self) -> f64 {
        2.49 * self.standard_error
    }
}

/// The 1 - `miss` point of the standard normal.
fn quantile(miss: f64) -> f64 {
    Normal::standard().inverse_cdf(1.0 - miss)
}
