//! Vectors in groups of eight lanes: what lets plain loops run on wide registers.
//!
//! Invariants: a vector of `dim` numbers fills `dim / 8` groups rounded up, the rest of the last group
//! is zero. Sums over lanes are taken in one fixed order and a product is rounded before it is added,
//! so that the result does not depend on the registers that computed it.
//!
//! Not here: matrices (`packed`).

use pulp::{Arch, Simd, WithSimd};
use std::ops::{Add, Mul};

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

/// Inner product.
pub(super) fn dot(a: &[Group<f64>], b: &[Group<f64>]) -> f64 {
    let mut total = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        total = add_product(total, *a, *b);
    }
    sum(total)
}

/// `y += scale * x`.
pub(super) fn add_scaled(y: &mut [Group<f64>], scale: f64, x: &[Group<f64>]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = add_product(*y, [scale; LANES], *x);
    }
}

/// Sum of the lanes: halves added until one is left.
#[inline(always)]
pub(super) fn sum<T: Copy + Add<Output = T>>(g: Group<T>) -> T {
    let [a, b, c, d] = [g[0] + g[4], g[1] + g[5], g[2] + g[6], g[3] + g[7]];
    (a + c) + (b + d)
}

/// `total + a * b`, lane by lane. Values, not references: the compiler then sees whole registers.
#[inline(always)]
pub(super) fn add_product<T>(total: Group<T>, a: Group<T>, b: Group<T>) -> Group<T>
where
    T: Copy + Add<Output = T> + Mul<Output = T>,
{
    let mut out = total;
    for lane in 0..LANES {
        out[lane] = total[lane] + a[lane] * b[lane];
    }
    out
}

/// A number that registers hold several of.
pub(super) trait Lane: Copy + Default + Add<Output = Self> {
    /// The register.
    type Register<S: Simd>: Copy;

    /// `value` in every lane.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Register<S>;

    /// `group` as registers.
    fn registers<S: Simd>(group: &Group<Self>) -> &[Self::Register<S>];

    /// `group` as registers to write to.
    fn registers_mut<S: Simd>(group: &mut Group<Self>) -> &mut [Self::Register<S>];

    /// `total + a * b`, rounded twice.
    fn add_product<S: Simd>(
        simd: S,
        total: Self::Register<S>,
        a: Self::Register<S>,
        b: Self::Register<S>,
    ) -> Self::Register<S>;
}

/// Sums in the making, one a lane, kept in registers: the compiler keeps plain arrays there only
/// where no sum over lanes follows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Totals<S: Simd, T: Lane> {
    /// A group fills `8 / lanes of a register` of these.
    registers: [T::Register<S>; LANES],
}

impl<S: Simd, T: Lane> Totals<S, T> {
    #[inline(always)]
    pub(super) fn zero(simd: S) -> Self {
        Self {
            registers: [T::splat(simd, T::default()); LANES],
        }
    }

    /// Adds `a * b`.
    #[inline(always)]
    pub(super) fn add_product(&mut self, simd: S, a: &Group<T>, b: &Group<T>) {
        let pairs = T::registers::<S>(a).iter().zip(T::registers::<S>(b));
        for (total, (a, b)) in self.registers.iter_mut().zip(pairs) {
            *total = T::add_product(simd, *total, *a, *b);
        }
    }

    /// Adds `scale * other`.
    #[inline(always)]
    pub(super) fn add_scaled(&mut self, simd: S, scale: T, other: &Self) {
        let scale = T::splat(simd, scale);
        for (total, other) in self.registers.iter_mut().zip(&other.registers) {
            *total = T::add_product(simd, *total, *other, scale);
        }
    }

    /// Sum of all lanes.
    #[inline(always)]
    pub(super) fn sum(self) -> T {
        let mut group = [T::default(); LANES];
        for (slot, total) in T::registers_mut::<S>(&mut group)
            .iter_mut()
            .zip(self.registers)
        {
            *slot = total;
        }
        sum(group)
    }
}

impl Lane for f32 {
    type Register<S: Simd> = S::f32s;

    #[inline(always)]
    fn splat<S: Simd>(simd: S, value: Self) -> S::f32s {
        simd.splat_f32s(value)
    }

    #[inline(always)]
    fn registers<S: Simd>(group: &Group<Self>) -> &[S::f32s] {
        const { assert!(LANES.is_multiple_of(S::F32_LANES)) };
        S::as_simd_f32s(group).0
    }

    #[inline(always)]
    fn registers_mut<S: Simd>(group: &mut Group<Self>) -> &mut [S::f32s] {
        S::as_mut_simd_f32s(group).0
    }

    #[inline(always)]
    fn add_product<S: Simd>(simd: S, total: S::f32s, a: S::f32s, b: S::f32s) -> S::f32s {
        simd.add_f32s(total, simd.mul_f32s(a, b))
    }
}

impl Lane for f64 {
    type Register<S: Simd> = S::f64s;

    #[inline(always)]
    fn splat<S: Simd>(simd: S, value: Self) -> S::f64s {
        simd.splat_f64s(value)
    }

    #[inline(always)]
    fn registers<S: Simd>(group: &Group<Self>) -> &[S::f64s] {
        const { assert!(LANES.is_multiple_of(S::F64_LANES)) };
        S::as_simd_f64s(group).0
    }

    #[inline(always)]
    fn registers_mut<S: Simd>(group: &mut Group<Self>) -> &mut [S::f64s] {
        S::as_mut_simd_f64s(group).0
    }

    #[inline(always)]
    fn add_product<S: Simd>(simd: S, total: S::f64s, a: S::f64s, b: S::f64s) -> S::f64s {
        simd.add_f64s(total, simd.mul_f64s(a, b))
    }
}
