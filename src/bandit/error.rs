//! Why statistics or scores were refused.
//!
//! Invariants: whoever returns one of these has changed nothing.
//!
//! Not here: how a policy's specification fails to parse (`spec`).

use crate::id::Name;
use crate::unit;

/// Why the statistics of an arm were refused, or an update of them.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StateError {
    /// A vector of the wrong length.
    #[error("{field} has {found} entries: allowed {expected}")]
    Length {
        /// The vector.
        field: &'static str,
        /// Its length.
        found: usize,
        /// The right length.
        expected: usize,
    },
    /// A number outside its range.
    #[error("{field} is {value}: allowed {allowed}")]
    Range {
        /// What it is.
        field: &'static str,
        /// Its value.
        value: f64,
        /// The range.
        allowed: &'static str,
    },
    /// A target that the statistics do not have.
    #[error("target is {target}: allowed less than {targets}")]
    Target {
        /// The target.
        target: usize,
        /// How many there are.
        targets: usize,
    },
    /// The precision matrix cannot be inverted: more was retracted than observed.
    #[error("pivot {row} of the precision matrix is {pivot}: allowed above 0")]
    NotPositive {
        /// Row of the pivot.
        row: usize,
        /// Its value.
        pivot: f64,
    },
}

/// Why scores do not give a pmf.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ChoiceError {
    /// Nothing to choose from.
    #[error("there are 0 arms: allowed at least 1")]
    NoArms,
    /// A vector of the wrong length.
    #[error("{field} has {found} entries: allowed {expected}, one an arm")]
    Length {
        /// The vector.
        field: &'static str,
        /// Its length.
        found: usize,
        /// Number of arms.
        expected: usize,
    },
    /// A number outside its range.
    #[error("{field} of arm {index} is {value}: allowed {allowed}")]
    Range {
        /// What it is.
        field: &'static str,
        /// The arm's position.
        index: usize,
        /// Its value.
        value: f64,
        /// The range.
        allowed: &'static str,
    },
    /// The number of samples is not a count.
    #[error("samples is {0}: allowed finite and at least 0")]
    Samples(f64),
    /// The floors leave no probability to the policy.
    #[error("the floors sum to {0}: allowed 0 to 1")]
    FloorSum(f64),
    /// The arm that the policy is fixed to is not among the eligible ones.
    #[error("arm {arm} of the fixed policy is not eligible")]
    FixedArm {
        /// The arm.
        arm: Name,
    },
    /// The result is not a pmf: a bug of ours.
    #[error(transparent)]
    Pmf(#[from] unit::Error),
}
