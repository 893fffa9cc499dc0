//! Quantities whose type carries their unit and range.
//!
//! Invariants: a [`Probability`] is in [0, 1]; a [`Pmf`] is finite, non-negative and sums to 1 within
//! 1e-12; [`NanoUsd`] never wraps. The constructors are the only road.
//!
//! Not here: how a pmf is computed (`bandit`), what a thing costs (`eligibility` for the estimate).

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Why a quantity was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// Not a probability.
    #[error("{0} is not a probability: allowed 0 to 1")]
    Probability(f64),
    /// An entry of a pmf is negative or not finite.
    #[error("entry {index} of the pmf is {value}: allowed finite and at least 0")]
    PmfEntry {
        /// Position of the entry.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A pmf does not sum to one.
    #[error("the pmf sums to {0}: allowed 1 within 1e-12")]
    PmfSum(f64),
    /// A pmf over nothing.
    #[error("a pmf needs at least one entry")]
    PmfEmpty,
    /// Money outside the range of nano-dollars in an i64 (about 9.2 billion dollars).
    #[error("{0} USD is outside the range of money: allowed -9.2e9 to 9.2e9")]
    Money(f64),
}

/// A number in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Probability(f64);

impl Probability {
    /// Impossible.
    pub const ZERO: Self = Self(0.0);
    /// Certain.
    pub const ONE: Self = Self(1.0);

    /// Checks the range.
    pub fn new(value: f64) -> Result<Self, Error> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(Error::Probability(value))
        }
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Probability {
    type Error = Error;
    fn try_from(value: f64) -> Result<Self, Error> {
        Self::new(value)
    }
}

impl From<Probability> for f64 {
    fn from(p: Probability) -> f64 {
        p.0
    }
}

/// A probability mass function over the eligible arms, in their logged order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub struct Pmf(Vec<f64>);

impl Pmf {
    /// Largest distance of the sum from 1.
    pub const TOLERANCE: f64 = 1e-12;

    /// Checks the entries and their sum.
    ///
    /// ```
    /// use bellwether::unit::Pmf;
    /// assert!(Pmf::new(vec![0.25, 0.75]).is_ok());
    /// assert!(Pmf::new(vec![0.5, 0.6]).is_err());
    /// ```
    pub fn new(p: Vec<f64>) -> Result<Self, Error> {
        if p.is_empty() {
            return Err(Error::PmfEmpty);
        }
        if let Some(index) = p.iter().position(|v| !v.is_finite() || *v < 0.0) {
            return Err(Error::PmfEntry {
                index,
                value: p[index],
            });
        }
        let sum: f64 = p.iter().sum();
        if (sum - 1.0).abs() > Self::TOLERANCE {
            return Err(Error::PmfSum(sum));
        }
        Ok(Self(p))
    }

    /// All mass on `index`, of `len` entries.
    pub fn certain(index: usize, len: usize) -> Result<Self, Error> {
        let mut p = vec![0.0; len];
        match p.get_mut(index) {
            Some(slot) => *slot = 1.0,
            None => return Err(Error::PmfEmpty),
        }
        Ok(Self(p))
    }

    /// The entries.
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }

    /// The entry whose cumulated interval holds `uniform` in [0, 1): one uniform, one draw. An entry
    /// of mass 0 is never drawn.
    ///
    /// ```
    /// use bellwether::unit::Pmf;
    /// let p = Pmf::new(vec![0.25, 0.0, 0.75]).unwrap();
    /// assert_eq!((p.draw(0.2), p.draw(0.25), p.draw(0.999)), (0, 2, 2));
    /// ```
    pub fn draw(&self, uniform: f64) -> usize {
        let mut cumulated = 0.0;
        let mut last = 0;
        for (index, p) in self.0.iter().enumerate().filter(|(_, p)| **p > 0.0) {
            last = index;
            cumulated += p;
            if uniform < cumulated {
                break;
            }
        }
        last
    }
}

impl TryFrom<Vec<f64>> for Pmf {
    type Error = Error;
    fn try_from(p: Vec<f64>) -> Result<Self, Error> {
        Self::new(p)
    }
}

impl From<Pmf> for Vec<f64> {
    fn from(p: Pmf) -> Vec<f64> {
        p.0
    }
}

/// Money in nano-dollars (1e-9 USD), the unit of every price, cost and budget.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct NanoUsd(i64);

impl NanoUsd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From a count of nano-dollars.
    pub const fn new(nano_usd: i64) -> Self {
        Self(nano_usd)
    }

    /// From dollars, rounded to the nearest nano-dollar.
    ///
    /// ```
    /// use bellwether::unit::NanoUsd;
    /// assert_eq!(NanoUsd::from_usd(0.0025).unwrap().get(), 2_500_000);
    /// ```
    pub fn from_usd(usd: f64) -> Result<Self, Error> {
        let nano = (usd * 1e9).round();
        if nano.is_finite() && nano.abs() < 9.2e18 {
            Ok(Self(nano as i64))
        } else {
            Err(Error::Money(usd))
        }
    }

    /// The count of nano-dollars.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// In dollars.
    pub fn as_usd(self) -> f64 {
        self.0 as f64 * 1e-9
    }

    /// The sum, or `None` where it would not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

/// Microseconds since the Unix epoch, UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The date that it falls on, UTC: year, month from 1, day from 1.
    ///
    /// ```
    /// use bellwether::unit::Timestamp;
    /// assert_eq!(Timestamp::from_micros(0).date(), (1970, 1, 1));
    /// assert_eq!(Timestamp::from_micros(951_782_400_000_000).date(), (2000, 2, 29));
    /// ```
    pub fn date(self) -> (i64, i64, i64) {
        // Days since 1 March of year 0, so that a leap day is a year's last; 400 years are 146,097 days.
        let days = self.0.div_euclid(86_400_000_000) + 719_468;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        // Years of the era so far: without the leap days of 4 years, of 100, and of 400.
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march + 2) / 5 + 1;
        let month = if march < 10 { march + 3 } else { march - 9 };
        (era * 400 + year + i64::from(month <= 2), month, day)
    }

    /// In words that sort as the times do, UTC, to the microsecond.
    ///
    /// ```
    /// use bellwether::unit::Timestamp;
    /// let time = Timestamp::from_micros(951_782_400_000_000 + 3_723_000_004);
    /// assert_eq!(time.rfc3339(), "2000-02-29T01:02:03.000004Z");
    /// ```
    pub fn rfc3339(self) -> String {
        let (year, month, day) = self.date();
        let of_day = self.0.rem_euclid(86_400_000_000);
        let (seconds, micros) = (of_day / 1_000_000, of_day % 1_000_000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }

    /// Later by `duration`, at most the end of time.
    pub fn after(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// Earlier by `duration`, at most the beginning of time.
    pub fn before(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
        )
    }
}
