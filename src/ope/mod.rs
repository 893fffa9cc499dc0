//! Off-policy evaluation: what a log of one policy's draws says of another policy's value.
//!
//! One path for every estimator: a logged decision becomes a [`Row`], an [`Estimator`] (a [`Form`] and a
//! [`Shrinkage`] of the weights) turns each row into contributions, their sums are the value, and the
//! [`Estimate`]'s interval comes from the same contributions, summed by cluster (episode). [`LowerBound`] and
//! [`UpperBound`] hold at every peek; [`fn@difference`] and [`AdvantageBounds`] hold two policies against each other on
//! the same rows; [`Stabilised`] is for a logger that learns as it logs; [`Family`] tunes a shrinkage. [`Panel`] and
//! [`Peeks`] have all estimators and bounds at once, for logs of millions of rows. [`Overlap`] says whether the log
//! can answer at all; [`Calibration`] whether its propensities are true; [`unlike_shares`] whether arms
//! differ in how often something happens to them. Where every outcome is known there is nothing to weigh:
//! [`fn@paired`] and [`bca`] bound a mean difference, and [`adjusted_p`] says which of many to believe.
//!
//! Not here: where rows come from and how the outcome model is fitted (`replay`: its predictions are
//! arguments), what a difference of two policies must be to change them. [`MeanSequence`] bounds a plain mean, [`EffectSequence`] what one arm
//! gains over others.
//!
//! Source: SCIENCE 3.2 to 3.4; Dudik, Langford and Li 2011 (doubly robust), Swaminathan and Joachims
//! 2015 (self-normalised); names as in the Open Bandit Pipeline.

mod advantage;
mod anytime;
mod bernstein;
mod bootstrap;
mod calibration;
mod caution;
mod difference;
mod discovery;
mod effect;
mod estimate;
mod estimator;
#[cfg(test)]
mod fixture;
mod fold;
mod moments;
mod overlap;
mod paired;
mod panel;
mod peeks;
mod row;
mod sequence;
mod shares;
mod shrinkage;
mod stabilised;
mod tuning;

pub use advantage::{AdvantageBounds, Contest};
pub use anytime::{Draw, LowerBound, UpperBound};
pub use bootstrap::bca;
pub use calibration::{ArmCalibration, Calibration, CalibrationReport};
pub use caution::{Caution, tail_index};
pub use difference::{DifferenceTally, difference, difference_from};
pub use discovery::adjusted_p;
pub use effect::{EffectSequence, Stake};
pub use estimate::Estimate;
pub use estimator::{Estimator, Form, Tally};
pub use fold::{FOLDS, fold};
pub use overlap::{MIN_EFFECTIVE_SAMPLE_SIZE, Overlap, OverlapTally, Refusal};
pub use paired::{Cluster, Paired, paired};
pub use panel::Panel;
pub use peeks::Peeks;
pub use row::{Row, expected, expected_square, importance_weight, thin, unsupported};
pub use sequence::MeanSequence;
pub use shares::{LEAST_EXPECTED, unlike_shares, unlike_shares_exactly};
pub use shrinkage::Shrinkage;
pub use stabilised::Stabilised;
pub use tuning::{CANDIDATES, Family, Rule};
