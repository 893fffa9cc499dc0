//! Weights made smaller: less variance for some bias.
//!
//! Invariants: no weight grows (but for [`Shrinkage::SubGaussian`], which lifts those below 1); 0 stays 0.
//!
//! Source: SCIENCE 3.2; clipping: Bottou et al. 2013; switching: Wang, Agarwal and Dudik 2017; optimistic
//! shrinkage: Su et al. 2020; sub-Gaussian: Metelli, Russo and Restelli 2021.

/// What is done to an importance weight w.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shrinkage {
    /// Nothing.
    None,
    /// min(w, most).
    Clip(f64),
    /// w where it is at most this, else 0: the model alone speaks there.
    Switch(f64),
    /// l w / (w^2 + l).
    Optimistic(f64),
    /// w / (1 - l + l w), l in [0, 1].
    SubGaussian(f64),
}

impl Shrinkage {
    /// The weight that is used for `weight`, which is at least 0.
    ///
    /// ```
    /// use bellwether::ope::Shrinkage;
    /// assert_eq!(Shrinkage::Clip(2.0).of(3.0), 2.0);
    /// assert_eq!(Shrinkage::Switch(2.0).of(3.0), 0.0);
    /// assert_eq!(Shrinkage::Optimistic(3.0).of(3.0), 0.75);
    /// assert_eq!(Shrinkage::SubGaussian(0.5).of(3.0), 1.5);
    /// ```
    #[must_use]
    pub fn of(self, weight: f64) -> f64 {
        match self {
            Self::None => weight,
            Self::Clip(most) => weight.min(most),
            Self::Switch(most) if weight <= most => weight,
            Self::Switch(_) => 0.0,
            Self::Optimistic(l) => l * weight / (weight * weight + l),
            Self::SubGaussian(l) => weight / (1.0 - l + l * weight),
        }
    }
}
