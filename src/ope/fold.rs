//! Folds for the out-of-fold outcome model.
//!
//! Invariants: an episode is always in the same fold, on every machine and in every version (xxh3,
//! seed 0), so that an outcome model never sees the rows it is asked about, nor their duplicates.
//!
//! Source: SCIENCE 3.2 (folds by hash of the episode id, never random rows).

use xxhash_rust::xxh3::xxh3_64;

/// Number of folds.
pub const FOLDS: usize = 5;

/// The fold of an episode, below [`FOLDS`].
///
/// ```
/// use bellwether::ope::{FOLDS, fold};
/// assert_eq!(fold("episode-1"), fold("episode-1"));
/// assert!(fold("episode-1") < FOLDS);
/// ```
pub fn fold(episode: &str) -> usize {
    (xxh3_64(episode.as_bytes()) % FOLDS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_about_equal_and_do_not_move() {
        let mut sizes = [0_u32; FOLDS];
        for i in 0..10_000 {
            sizes[fold(&format!("episode {i}"))] += 1;
        }
        // Binomial(10000, 0.2): sd 40, so five sd. The hash is fixed: this passes always or never.
        assert!(sizes.iter().all(|n| (1800..=2200).contains(n)), "{sizes:?}");
        assert_eq!(["a", "b", "c", "d"].map(fold), [4, 0, 1, 4]);
    }
}
