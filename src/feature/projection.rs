//! The caller's own embedding, 64 to 4096 numbers, brought to 64.
//!
//! Number i goes to coordinate i mod 64 with the sign of bit 0 of splitmix64(i); the sum is scaled to
//! length 1. An embedding of 64 numbers keeps all its angles, a longer one keeps them on average,
//! with an error of about 1/8 in the cosine of two directions.
//!
//! Invariants: norm 1, or 0 for the zero vector; the signs are part of the feature set's name.
//!
//! Source: count sketch, Charikar, Chen and Farach-Colton 2002; feature hashing, Weinberger et al.
//! 2009, lemma 2. A dense sign matrix has the same variance on dense vectors and costs 64 times more.

use super::extractor::{Error, unit_length};
use std::ops::RangeInclusive;

/// Lengths that can be projected.
pub(super) const LENGTHS: RangeInclusive<usize> = 64..=4096;
const COORDINATES: usize = 64;

/// The text block of `embedding`, whose length the caller has checked.
pub(super) fn block(embedding: &[f32]) -> Result<[f32; COORDINATES], Error> {
    let mut sums = [0.0; COORDINATES];
    let mut position = 0_u64;
    for (row, chunk) in embedding.chunks(COORDINATES).enumerate() {
        for (column, (sum, &value)) in sums.iter_mut().zip(chunk).enumerate() {
            if !value.is_finite() {
                let index = row * COORDINATES + column;
                return Err(Error::EmbeddingNotFinite { index, value });
            }
            let negative = splitmix64(position) & 1 == 1;
            *sum += f64::from(if negative { -value } else { value });
            position += 1;
        }
    }
    Ok(unit_length(&sums))
}

/// Output number `position` of the generator SplitMix64 with seed 0 (Steele, Lea and Flood 2014).
fn splitmix64(position: u64) -> u64 {
    let mut z = position.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
