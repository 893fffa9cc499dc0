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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signs_are_those_of_splitmix64() {
        // The first three outputs for seed 0, as published with the generator.
        let outputs = [0, 1, 2].map(splitmix64);
        assert_eq!(
            outputs,
            [
                0xe220_a839_7b1d_cdaf,
                0x6e78_9e6a_a1b9_65f4,
                0x06c4_5d18_8009_454f
            ]
        );
        let mut axis = [0.0; 64];
        axis[0] = 2.0;
        assert_eq!(block(&axis).unwrap()[0], -1.0);
    }

    #[test]
    fn an_embedding_of_64_keeps_its_angles() {
        let mut a = [0.0; 64];
        let mut b = [0.0; 64];
        (a[0], a[9]) = (3.0, 4.0);
        (b[0], b[30]) = (1.0, 1.0);
        let (a, b) = (block(&a).unwrap(), block(&b).unwrap());
        let cosine: f32 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
        assert!((cosine - 0.6 / 2_f32.sqrt()).abs() < 1e-6, "{cosine}");
    }

    #[test]
    fn longer_embeddings_keep_their_angles_on_average() {
        // 200 pairs of 1536 fixed numbers with cosine about 0.5: an error of 1/8 each would leave a
        // mean error of 0.009. The numbers are fixed, so this either always holds or never.
        let number = |i: u64| splitmix64(i ^ 0xabcd) as f64 / 2_f64.powi(63) - 1.0;
        let mut errors = Vec::new();
        for pair in 0..200_u64 {
            let of = |from: u64| (0..1536).map(move |i| number((pair << 32) + (from << 16) + i));
            let shared: Vec<f64> = of(0).collect();
            let mix = |own: u64| -> Vec<f32> {
                shared
                    .iter()
                    .zip(of(own))
                    .map(|(s, o)| (s + o) as f32)
                    .collect()
            };
            let (a, b) = (mix(1), mix(2));
            let dot = |x: &[f32], y: &[f32]| -> f64 {
                x.iter().zip(y).map(|(x, y)| f64::from(x * y)).sum()
            };
            let cosine = dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt();
            errors.push(dot(&block(&a).unwrap(), &block(&b).unwrap()) - cosine);
        }
        let mean = errors.iter().sum::<f64>() / 200.0;
        let sd = (errors.iter().map(|e| e * e).sum::<f64>() / 200.0).sqrt();
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((0.05..0.16).contains(&sd), "{sd}");
    }

    #[test]
    fn the_largest_and_the_smallest_numbers_do_not_overflow() {
        for value in [f32::MAX, f32::MIN_POSITIVE / 8.0] {
            let block = block(&[value; 4096]).unwrap();
            let norm: f32 = block.iter().map(|x| x * x).sum();
            assert!((norm - 1.0).abs() < 1e-5, "{value}: {norm}");
        }
        assert_eq!(block(&[0.0; 100]).unwrap(), [0.0; 64]);
    }

    #[test]
    fn a_number_that_is_not_finite_is_refused_by_its_place() {
        let mut embedding = [0.0; 100];
        embedding[70] = f32::NAN;
        let refused = block(&embedding).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "embedding[70] is NaN: allowed finite numbers"
        );
    }
}
