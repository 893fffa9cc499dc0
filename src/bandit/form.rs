//! The quadratic form x' M x that a decision is made with, in f32: it reads most of what a decision
//! reads, so what it skips counts.
//!
//! Shapes: rows and columns are in reverse order, the last feature first, padded at the front to whole
//! groups of eight; x comes the same way ([`reversed`]). Every eight rows have the 8 x 8 blocks from
//! column 0 to their diagonal (d = 105: 105 blocks). An entry left of the diagonal block stands for its
//! mirror image too and is stored doubled. Reversed, because a long row is the dear one and contexts
//! begin with hashed slots, nearly all zero: a row whose x is zero is not read.
//!
//! Invariants: a row that is not read changes no bit of a finite sum; the same bits whatever the width
//! of the registers.
//!
//! Not here: the matrix that is learned (`packed`).

use super::lanes::{Group, LANES, Totals, groups};
use super::packed::Packed;
use pulp::Simd;

/// Up to so many rows of eight are taken one by one; more are taken all eight at once, which loads
/// each group of x once for all.
const FEW: u32 = 3;

/// Eight rows of eight columns; a cache line holds two rows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[repr(align(64))]
struct Block([Group<f32>; LANES]);

/// A symmetric matrix as a quadratic form.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Form {
    blocks: Vec<Block>,
}

/// Blocks before those of row group `group`.
fn start(group: usize) -> usize {
    group * (group + 1) / 2
}

/// Puts `values` into `out` in reverse order, at its end; what is before them is left as it is.
pub(super) fn reversed(values: &[f32], out: &mut [Group<f32>]) {
    for (slot, value) in out.as_flattened_mut().iter_mut().rev().zip(values) {
        *slot = *value;
    }
}

impl Form {
    /// The form of `matrix`.
    pub(super) fn new(matrix: &Packed<f64>) -> Self {
        let all = groups(matrix.dim());
        let mut blocks = vec![Block::default(); start(all)];
        for row in 0..matrix.dim() {
            // The row becomes this column, and its groups of columns become groups of rows.
            let column = all * LANES - 1 - row;
            for (from_last, entries) in matrix.row(row).enumerate() {
                let group = all - 1 - from_last;
                let twice = if group == column / LANES { 1.0 } else { 2.0 };
                let block = &mut blocks[start(group) + column / LANES];
                for (slots, entry) in block.0.iter_mut().rev().zip(entries) {
                    slots[column % LANES] = (twice * entry) as f32;
                }
            }
        }
        Self { blocks }
    }

    /// x' M x, for an x made by [`reversed`].
    #[inline(always)]
    pub(super) fn at<S: Simd>(&self, simd: S, x: &[Group<f32>]) -> f32 {
        let mut total = Totals::zero(simd);
        let mut rest = self.blocks.as_slice();
        for (group, x_rows) in x.iter().enumerate() {
            let (blocks, after) = rest.split_at((group + 1).min(rest.len()));
            rest = after;
            // A byte a row, which the compiler packs from one comparison of all eight.
            let mut seen = u64::from_le_bytes(x_rows.map(|x| u8::from(x != 0.0)));
            if seen.count_ones() > FEW {
                let mut along = [Totals::zero(simd); LANES];
                for (block, x) in blocks.iter().zip(x) {
                    for (along, m) in along.iter_mut().zip(&block.0) {
                        along.add_product(simd, m, x);
                    }
                }
                for (along, x_row) in along.iter().zip(x_rows) {
                    total.add_scaled(simd, *x_row, along);
                }
                continue;
            }
            while seen != 0 {
                let row = seen.trailing_zeros() as usize / 8 % LANES;
                seen &= seen - 1;
                let mut along = Totals::zero(simd);
                for (block, x) in blocks.iter().zip(x) {
                    along.add_product(simd, &block.0[row], x);
                }
                total.add_scaled(simd, x_rows[row], &along);
            }
        }
        total.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bandit::lanes::{pad, widest};
    use pulp::{Scalar, WithSimd};

    /// Numbers in [-1, 1) of no pattern.
    fn noise(len: usize) -> Vec<f64> {
        let number = |i| (f64::from(i) * 0.754_877_666 + 0.1).fract() * 2.0 - 1.0;
        (0..).map(number).take(len).collect()
    }

    fn matrix(dim: usize) -> Packed<f64> {
        let cells = noise(dim * dim);
        Packed::build(dim, |i, j| cells[i.max(j) * dim + i.min(j)])
    }

    fn value(form: &Form, x: &[f64]) -> f32 {
        let x: Vec<f32> = x.iter().map(|v| *v as f32).collect();
        let mut groups = vec![[0.0; LANES]; groups(x.len())];
        reversed(&x, &mut groups);
        form.at(Scalar::new(), &groups)
    }

    /// Against the matrix in f64, over every dimension and share of zeros.
    #[test]
    fn it_is_the_quadratic_form_of_its_matrix_wherever_x_is_zero() {
        for dim in [1, 4, 7, 8, 9, 31, 105] {
            let matrix = matrix(dim);
            let form = Form::new(&matrix);
            for every in 1..=9 {
                let mut x = noise(dim);
                for (_, x) in x.iter_mut().enumerate().filter(|(i, _)| i % every != 0) {
                    *x = 0.0;
                }
                let padded = pad(x.iter().copied());
                let mut y = vec![[0.0; LANES]; padded.len()];
                matrix.multiply(&padded, &mut y);
                let expected: f64 = x.iter().zip(y.as_flattened()).map(|(a, b)| a * b).sum();
                let found = f64::from(value(&form, &x));
                // 105 x 105 terms below 1, each rounded to 6e-8, in sums of some tens.
                let close = (found - expected).abs() < 2e-4;
                assert!(close, "dim {dim}, one of {every}: {found} {expected}");
            }
        }
    }

    /// A zero and the least number above it take different ways through the matrix.
    #[test]
    fn a_row_that_is_not_read_changes_no_bit() {
        let form = Form::new(&matrix(105));
        for every in 2..=9 {
            let part = |small: f64| {
                let x = noise(105).into_iter().enumerate();
                let x: Vec<_> = x
                    .map(|(i, x)| if i % every == 0 { x } else { small })
                    .collect();
                value(&form, &x).to_bits()
            };
            assert_eq!(part(0.0), part(1e-40), "one of {every}");
        }
    }

    /// The rule of the whole module: width changes no bit.
    #[test]
    fn wide_registers_give_the_bits_of_plain_numbers() {
        struct At<'a>(&'a Form, &'a [Group<f32>]);
        impl WithSimd for At<'_> {
            type Output = f32;
            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) -> f32 {
                self.0.at(simd, self.1)
            }
        }
        let form = Form::new(&matrix(105));
        for zeros in [0, 30, 100] {
            let mut x: Vec<f32> = noise(105).iter().map(|v| *v as f32).collect();
            x[..zeros].fill(0.0);
            let mut groups = vec![[0.0; LANES]; groups(105)];
            reversed(&x, &mut groups);
            let plain = form.at(Scalar::new(), &groups);
            assert_eq!(widest(At(&form, &groups)).to_bits(), plain.to_bits());
        }
    }
}
