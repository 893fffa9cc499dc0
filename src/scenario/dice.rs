//! The world's own chance: the same numbers on every machine and with every version of any crate.
//!
//! Invariants: a stream follows from its keys alone; only addition, multiplication and shifts are
//! used, so that no platform's mathematical library has a say.
//!
//! Source: SplitMix64 (Steele, Lea, Flood 2014).

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// One stream of numbers.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// The stream of `keys`, such as seed, team and number.
    pub(super) fn new(keys: &[u64]) -> Self {
        Self(keys.iter().fold(0, |state, key| mix(state ^ mix(*key))))
    }

    /// Evenly spread over [0, 1).
    pub(super) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        (mix(self.0) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Evenly spread over [low, high).
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Whether something of probability `p` happens.
    pub(super) fn happens(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// One of `from`, which must not be empty.
    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[(self.uniform() * from.len() as f64) as usize]
    }

    /// A position in `weights`, as often as they say; they sum to 1.
    pub(super) fn weighted(&mut self, weights: &[f64]) -> usize {
        let uniform = self.uniform();
        let mut sum = 0.0;
        let found = weights.iter().position(|weight| {
            sum += weight;
            uniform < sum
        });
        found.unwrap_or(weights.len().saturating_sub(1))
    }
}

/// How often an arm shares the luck of the request.
const TOGETHER: f64 = 0.7;

/// The luck of one arm with one piece of work, which goes together with that of the other arms.
#[derive(Debug, Clone)]
pub(super) struct Luck {
    /// What the work brings to every arm alike.
    pub(super) shared: Dice,
    /// What it brings to this one.
    pub(super) own: Dice,
}

impl Luck {
    /// Mostly the shared luck, sometimes the arm's own. Evenly spread over [0, 1) in any case, so that
    /// odds stay what they are and only the arms' fates go together.
    pub(super) fn uniform(&mut self) -> f64 {
        let (shared, own) = (self.shared.uniform(), self.own.uniform());
        if self.own.happens(TOGETHER) {
            shared
        } else {
            own
        }
    }
}

fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(GOLDEN);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_other_keys_differ_and_fill_the_unit_interval() {
        let mut sum = 0.0;
        for key in 0..10_000 {
            let mut dice = Dice::new(&[1, key]);
            sum += dice.uniform();
            assert_ne!(dice.uniform(), Dice::new(&[2, key]).uniform());
        }
        // Mean of 10,000 uniforms: sd 0.0029. The seed is fixed; five sd would refuse a sound
        // generator once in 1.7 million.
        assert!((sum / 10_000.0 - 0.5).abs() < 0.0145, "{sum}");
    }

    #[test]
    fn the_numbers_are_the_published_ones() {
        // SplitMix64 from state 0: first output 0xe220a8397b1dcdaf.
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn shared_luck_leaves_the_odds_as_they_are() {
        let mut both = [0_u32; 2];
        for key in 0..10_000 {
            let mut luck = [[key, 0], [key, 1]].map(|own| Luck {
                shared: Dice::new(&[key]),
                own: Dice::new(&own),
            });
            let lucky = luck.each_mut().map(|luck| luck.uniform() < 0.3);
            both[0] += u32::from(lucky[0]);
            both[1] += u32::from(lucky[0] && lucky[1]);
        }
        // 0.3 and 0.3 (0.49 + 0.51 x 0.3) = 0.193; five sd are 230 and 198 of 10,000.
        assert!((2770..3230).contains(&both[0]), "{both:?}");
        assert!((1732..2128).contains(&both[1]), "{both:?}");
    }
}
