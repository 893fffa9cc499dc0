//! Inverse-gap weighting: p_a = 1 / (K + gamma_t (u_g - u_a)) for the arms below the best, which
//! share the rest.
//!
//! Source: Foster and Rakhlin 2020 (SquareCB), after Abe and Long 1999; schedule of gamma: SCIENCE 2.3.
//! Where several arms are best they share the rest evenly; the paper gives it to one of them.

use super::greedy::greatest;

/// How gamma grows with the effective number of samples t.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// gamma t.
    Linear,
    /// gamma sqrt(t).
    Sqrt,
}

impl Schedule {
    /// gamma_t.
    pub(super) fn at(self, gamma: f64, samples: f64) -> f64 {
        match self {
            Self::Linear => gamma * samples,
            Self::Sqrt => gamma * samples.sqrt(),
        }
    }
}

/// Writes the pmf for `means` (not empty, finite).
pub(super) fn pmf(means: &[f64], gamma: f64, out: &mut [f64]) {
    let best = greatest(means);
    let arms = means.len() as f64;
    let (mut spent, mut ties) = (0.0, 0.0);
    for (p, mean) in out.iter_mut().zip(means) {
        if *mean == best {
            ties += 1.0;
        } else {
            *p = (arms + gamma * (best - mean)).recip();
            spent += *p;
        }
    }
    for (p, _) in out.iter_mut().zip(means).filter(|(_, mean)| **mean == best) {
        *p = (1.0 - spent) / ties;
    }
}
