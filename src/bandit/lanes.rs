//! Vectors in groups of eight lanes: what lets plain loops run on wide registers.
//!
//! Invariants: a vector of `dim` numbers fills `dim / 8` groups rounded up, the rest of the last group
//! is zero. Sums over lanes are taken in one fixed order, so that the result does not depend on the
//! width of the registers that computed it.
//!
//! Not here: matrices (`packed`).

use pulp::{Arch, WithSimd};

/// Lanes in a group: two AVX2 registers of f64, one of f32.
pub(super) const LANES: usize = 8;

/// One group.
pub(super) type Group<T> = [T; LANES];

/// Runs `op` compiled for the widest instructions this machine has. `op` and all it calls must be
/// `#[inline(always)]`, or they are compiled for the oldest machine.
pub(super) fn widest<Op: WithSimd>(op: Op) -> Op::Output {
    Arch::new().dispatch(op)
}

/// Number of groups that hold `dim` numbers.
pub(super) fn groups(dim: usize) -> usize {
    dim.div_ceil(LANES)
}

/// `values` as f64 in groups, padded with zeros.
pub(super) fn pad(values: impl ExactSizeIterator<Item = f64>) -> Vec<Group<f64>> {
    let mut out = vec![[0.0; LANES]; groups(values.len())];
    for (slot, value) in out.as_flattened_mut().iter_mut().zip(values) {
        *slot = value;
    }
    out
}

/// Sum of the lanes, pairwise.
#[inline(always)]
pub(super) fn sum<T: Copy + std::ops::Add<Output = T>>(g: Group<T>) -> T {
    ((g[0] + g[4]) + (g[2] + g[6])) + ((g[1] + g[5]) + (g[3] + g[7]))
}

/// Inner product.
#[inline(always)]
pub(super) fn dot(a: &[Group<f64>], b: &[Group<f64>]) -> f64 {
    let mut total = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            total[lane] += a[lane] * b[lane];
        }
    }
    sum(total)
}

/// `y += scale * x`.
#[inline(always)]
pub(super) fn add_scaled(y: &mut [Group<f64>], scale: f64, x: &[Group<f64>]) {
    for (y, x) in y.iter_mut().zip(x) {
        for lane in 0..LANES {
            y[lane] += scale * x[lane];
        }
    }
}
