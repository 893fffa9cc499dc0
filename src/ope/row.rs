//! One logged decision as an estimator sees it, and the three dot products that make it.
//!
//! Invariants: weights are finite and at least 0.
//!
//! Units: rewards in the unit of whatever is evaluated (utility, cost, a signal); weights are pure
//! ratios of probabilities.
//!
//! Source: SCIENCE 3.2 (w_i, V(q)_i, q_i).

/// One decision with its outcome, under one target policy.
///
/// An episode with several draws has one weight, the product over its draws (SCIENCE 2.3): `weight`
/// is that product and `weight_before` the product over the draws that came earlier than this row's.
/// Where an episode has one draw, `weight` is its own and `weight_before` is 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// The number of the episode: rows of one cluster are dependent.
    pub cluster: usize,
    /// Importance weight of the whole episode.
    pub weight: f64,
    /// Importance weight of the episode's draws before this row's.
    pub weight_before: f64,
    /// The outcome seen.
    pub reward: f64,
    /// V(q): the outcome model's prediction averaged over the target policy.
    pub model_value: f64,
    /// q: the outcome model's prediction for the arm that was drawn.
    pub model_chosen: f64,
}

impl Row {
    /// The doubly robust contribution: the model's value, corrected by how far off it was on what was drawn.
    ///
    /// ```
    /// use bellwether::ope::Row;
    /// let row = Row { cluster: 0, weight: 2.0, weight_before: 1.0, reward: 1.0, model_value: 0.75, model_chosen: 0.5 };
    /// assert_eq!(row.doubly_robust(), 1.75);
    /// ```
    pub fn doubly_robust(&self) -> f64 {
        self.weight_before * self.model_value + self.weight * (self.reward - self.model_chosen)
    }
}

/// w = target / logged probability of the arm that was drawn. 0 where the target never draws it.
///
/// ```
/// use bellwether::ope::importance_weight;
/// assert_eq!(importance_weight(0.5, 0.25), 2.0);
/// assert_eq!(importance_weight(0.0, 0.25), 0.0);
/// ```
pub fn importance_weight(target: f64, propensity: f64) -> f64 {
    if target > 0.0 {
        target / propensity
    } else {
        0.0
    }
}

/// V(q) = sum over arms of target probability times predicted outcome.
///
/// ```
/// use bellwether::ope::expected;
/// assert_eq!(expected(&[0.25, 0.75], &[1.0, 0.0]), 0.25);
/// ```
pub fn expected(target: &[f64], model: &[f64]) -> f64 {
    target.iter().zip(model).map(|(p, q)| p * q).sum()
}

/// The mean of w^2 over the logged draw: sum over arms of target probability squared by the logged one. Of n rows
/// the effective sample size is about n by its mean.
///
/// ```
/// use bellwether::ope::expected_square;
/// assert_eq!(expected_square(&[1.0, 0.0], &[0.25, 0.75]), 4.0);
/// ```
pub fn expected_square(target: &[f64], logged: &[f64]) -> f64 {
    let arms = target
        .iter()
        .zip(logged)
        .filter(|(_, logged)| **logged > 0.0);
    arms.map(|(target, logged)| target * target / logged).sum()
}

/// Target probability on arms that the log could never have drawn: of these the log says nothing.
///
/// ```
/// use bellwether::ope::unsupported;
/// assert_eq!(unsupported(&[0.5, 0.5], &[1.0, 0.0]), 0.5);
/// ```
pub fn unsupported(target: &[f64], logged: &[f64]) -> f64 {
    target
        .iter()
        .zip(logged)
        .filter(|(_, logged)| **logged <= 0.0)
        .map(|(target, _)| target)
        .sum()
}

/// Target probability on arms that were drawn with less than 1 in 100: of these the log says little.
///
/// ```
/// use bellwether::ope::thin;
/// assert_eq!(thin(&[0.25, 0.75], &[0.005, 0.995]), 0.25);
/// ```
pub fn thin(target: &[f64], logged: &[f64]) -> f64 {
    let arms = target.iter().zip(logged);
    let few = arms.filter(|(_, logged)| **logged < 0.01);
    few.map(|(target, _)| target).sum()
}
