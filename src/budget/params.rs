//! What a pacer keeps to, and what it refuses.
//!
//! Invariants: settings within the ranges that the fields state, once a pacer has taken them.
//!
//! Units: USD a request; the others in requests.

use serde::{Deserialize, Serialize};

/// What a pacer refuses.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PacerError {
    /// A setting out of its range.
    #[error("{setting} of the pacer is {value}: allowed {allowed}")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// A cost that is no cost.
    #[error("a cost of {0} USD cannot be paced: allowed finite and at least 0")]
    Cost(f64),
}

impl PacerError {
    /// Refuses what is no cost.
    pub(super) fn check_cost(cost_usd: f64) -> Result<(), Self> {
        if cost_usd.is_finite() && cost_usd >= 0.0 {
            Ok(())
        } else {
            Err(Self::Cost(cost_usd))
        }
    }
}

/// What a pacer keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Params {
    /// B: mean USD a request; above 0.
    pub request_usd: f64,
    /// Requests that the price is solved on; 1 to 65,536.
    pub window: usize,
    /// Requests over which debt is paid back; at least 1.
    pub horizon: f64,
    /// Most debt that a request may lead into, in requests' budgets; at least 1.
    pub slack: f64,
}

impl Params {
    /// The settings that were measured, for a budget of `request_usd` a request.
    ///
    /// ```
    /// use bellwether::budget::Params;
    /// let params = Params::new(0.002);
    /// assert_eq!((params.request_usd, params.window), (0.002, 256));
    /// ```
    pub fn new(request_usd: f64) -> Self {
        Self {
            request_usd,
            window: 256,
            horizon: 100.0,
            slack: 20.0,
        }
    }

    pub(super) fn check(&self) -> Result<(), PacerError> {
        let window = self.window as f64;
        let settings = [
            ("request_usd", self.request_usd, 1e-12, 1e6, "1e-12 to 1e6"),
            ("window", window, 1.0, 65_536.0, "1 to 65,536"),
            ("horizon", self.horizon, 1.0, 1e9, "1 to 1e9"),
            ("slack", self.slack, 1.0, 1e9, "1 to 1e9"),
        ];
        for (setting, value, least, most, allowed) in settings {
            if !(least..=most).contains(&value) {
                return Err(PacerError::Setting {
                    setting,
                    value,
                    allowed,
                });
            }
        }
        Ok(())
    }
}
