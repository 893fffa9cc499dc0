//! The best arm, ties shared evenly.
//!
//! Even sharing, not the lowest index: before anything is learned all arms are equal, and an order of
//! the catalogue should not decide which is tried.

/// Writes the pmf that shares the probability among the greatest of `scores` (not empty, no NaN).
pub(super) fn share_best(scores: &[f64], out: &mut [f64]) {
    let best = greatest(scores);
    let ties = scores.iter().filter(|s| **s == best).count();
    for (p, score) in out.iter_mut().zip(scores) {
        *p = if *score == best {
            1.0 / ties as f64
        } else {
            0.0
        };
    }
}

/// The greatest of `scores`.
pub(super) fn greatest(scores: &[f64]) -> f64 {
    scores.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}
