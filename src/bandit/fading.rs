//! How much of an arm's past is left: the product of all its forgetting, which a row remembers at its
//! entry so that a late correction changes it by what it still weighs.
//!
//! Invariants: a stamp never underflows, however long an arm lives: it is a number in [1/2, 1] and a
//! count of halvings. Multiplication only, so that all machines agree to the bit (a logarithm would not).

use serde::{Deserialize, Serialize};

/// A stamp.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fading {
    share: f64,
    halvings: u64,
}

impl Default for Fading {
    fn default() -> Self {
        Self {
            share: 1.0,
            halvings: 0,
        }
    }
}

impl Fading {
    /// Everything before now weighs `keep` times what it did, `keep` in (0, 1].
    pub(super) fn fade(&mut self, keep: f64) {
        self.share *= keep;
        while self.share < 0.5 {
            self.share *= 2.0;
            self.halvings += 1;
        }
    }

    /// What is left now of something that entered at `then`.
    pub(super) fn since(&self, then: Self) -> f64 {
        let halvings = self.halvings.saturating_sub(then.halvings);
        // 2^-halvings to the bit; what has halved a thousand times is nothing.
        let power = 1023_u64.saturating_sub(halvings);
        let left = f64::from_bits(power.min(1023) << 52);
        if power == 0 {
            0.0
        } else {
            self.share / then.share * left
        }
    }

    /// Whether it can be trusted: asked of what was read from disk.
    pub fn is_whole(&self) -> bool {
        (0.5..=1.0).contains(&self.share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_the_product_of_what_was_kept_since() {
        let mut now = Fading::default();
        now.fade(0.3);
        let then = now;
        for _ in 0..10 {
            now.fade(0.8);
        }
        assert!((now.since(then) - 0.8_f64.powi(10)).abs() < 1e-15);
        assert!((now.since(Fading::default()) - 0.3 * 0.8_f64.powi(10)).abs() < 1e-15);
        assert_eq!(now.since(now), 1.0);
    }

    #[test]
    fn a_stamp_outlives_what_a_number_can_hold() {
        let mut now = Fading::default();
        (0..5000).for_each(|_| now.fade(0.5));
        assert!(now.is_whole());
        assert_eq!(now.since(Fading::default()), 0.0);
    }
}
