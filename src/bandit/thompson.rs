//! The pmf of Thompson sampling, computed: the probability of each arm to have the greatest of
//! independent normal scores N(u_a, s_a^2).
//!
//! p_a = integral of phi_a(z) prod_{b != a} Phi_b(z) dz, by the trapezoid rule over
//! [u_g - 5 s_g, max_b (u_b + 5 s_b)], g the arm of greatest mean, in 72 to 512 steps of at most 0.8
//! times the least s, normalised to 1.
//!
//! Invariants: p is finite, not negative, and sums to 1 within rounding; equal arms get equal p. An
//! arm that beats g with a probability below 1e-6 gets 0. Sampling follows the normalised result, so
//! an error of the quadrature costs quality, never the truth of a propensity. Nothing is allocated
//! once the scratch has grown.
//!
//! Where the arms' sds are so unlike that 512 steps are too few, the small ones are raised to the
//! grid's resolution (some 1/40 of the greatest sd): the pmf is then that of slightly wider scores,
//! and means closer than that resolution are not told apart. So is an sd of 0; where all are 0, the
//! greatest means share the probability evenly.
//!
//! Not here: the scale v (`policy`), floors.
//!
//! Source: SCIENCE 2.3; the points are a few more than its 65 to fill the lanes.

use super::greedy;
use super::lanes::{Group, LANES, sum, widest};
use super::normal::cdf_and_pdf;
use pulp::{Simd, WithSimd};

/// Phi^-1(1 - 1e-6): an arm further than this below the best mean, in sds of the difference, is left
/// out.
const PRUNED: f64 = 4.753_424_308_822_899;

/// Half width of the grid in sds.
const REACH: f64 = 5.0;

/// Largest step in units of the least sd.
const STEP: f64 = 0.8;

/// Points of the grid: least, and most.
const POINTS: (usize, usize) = (72, 512);

/// Least sd that the largest grid resolves, as a share of its length: 0.8 times it is a step of
/// 1/512, with 2 % to spare because raising an sd lengthens the grid.
const RESOLUTION: f64 = 1.0 / 398.0;

/// Points evaluated before the arms are multiplied together: keeps the working set in L1.
const TILE: usize = 9;

/// Reusable memory.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    arms: Vec<Arm>,
    /// Phi of each arm at the tile's points.
    cdf: Vec<[Group<f64>; TILE]>,
    /// phi of each arm times Phi of the arms before it.
    term: Vec<[Group<f64>; TILE]>,
}

/// An arm that is in the running.
#[derive(Debug, Clone, Copy)]
struct Arm {
    index: usize,
    mean: f64,
    sd: f64,
    mass: f64,
}

/// Writes the pmf of arms with `means` and `scale * sds` to `out`, all of one length and finite, the
/// sds not negative.
pub(super) fn pmf(means: &[f64], sds: &[f64], scale: f64, buffers: &mut Buffers, out: &mut [f64]) {
    contenders(means, sds, scale, &mut buffers.arms);
    let Some(grid) = Grid::new(&mut buffers.arms) else {
        return greedy::share_best(means, out);
    };
    let arms = buffers.arms.len();
    buffers.cdf.resize(arms, [[0.0; LANES]; TILE]);
    buffers.term.resize(arms, [[0.0; LANES]; TILE]);
    widest(Quadrature { grid, buffers });
    let total: f64 = buffers.arms.iter().map(|arm| arm.mass).sum();
    out.fill(0.0);
    for arm in &buffers.arms {
        if let Some(p) = out.get_mut(arm.index) {
            *p = arm.mass / total;
        }
    }
}

/// The arms that beat the one of greatest mean with a probability of at least 1e-6.
fn contenders(means: &[f64], sds: &[f64], scale: f64, arms: &mut Vec<Arm>) {
    arms.clear();
    arms.extend(
        means
            .iter()
            .zip(sds)
            .enumerate()
            .map(|(index, (&mean, sd))| Arm {
                index,
                mean,
                sd: scale * sd,
                mass: 0.0,
            }),
    );
    let best = arms
        .iter()
        .copied()
        .reduce(|a, b| if b.mean > a.mean { b } else { a });
    if let Some(best) = best {
        arms.retain(|arm| {
            let spread = (arm.sd * arm.sd + best.sd * best.sd).sqrt();
            arm.index == best.index || best.mean - arm.mean <= PRUNED * spread
        });
    }
}

/// Where the integrand is evaluated.
#[derive(Debug, Clone, Copy)]
struct Grid {
    low: f64,
    step: f64,
    points: usize,
}

impl Grid {
    /// The grid for `arms`, whose small sds it raises to its resolution. None where it has no length
    /// that floating point can divide.
    fn new(arms: &mut [Arm]) -> Option<Self> {
        let (low, high) = ends(arms)?;
        let least = (high - low) * RESOLUTION;
        for arm in arms.iter_mut() {
            arm.sd = arm.sd.max(least);
        }
        let (low, high) = ends(arms)?;
        let length = high - low;
        let size = low.abs().max(high.abs());
        if !(length.is_finite() && length > 1e-12 * size) || length < f64::MIN_POSITIVE * 1e6 {
            return None;
        }
        let narrowest = arms.iter().fold(f64::INFINITY, |s, arm| s.min(arm.sd));
        let wanted = (length / (STEP * narrowest)).ceil() as usize + 1;
        let points = wanted.next_multiple_of(LANES).clamp(POINTS.0, POINTS.1);
        let step = length / (points - 1) as f64;
        Some(Self { low, step, points })
    }
}

/// First and last point for `arms`.
fn ends(arms: &[Arm]) -> Option<(f64, f64)> {
    let best = arms
        .iter()
        .reduce(|a, b| if b.mean > a.mean { b } else { a })?;
    let high = arms
        .iter()
        .fold(f64::NEG_INFINITY, |h, arm| h.max(arm.mean + REACH * arm.sd));
    Some((best.mean - REACH * best.sd, high))
}

struct Quadrature<'a> {
    grid: Grid,
    buffers: &'a mut Buffers,
}

impl WithSimd for Quadrature<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { grid, buffers } = self;
        let mut from = 0;
        while from < grid.points {
            let groups = ((grid.points - from) / LANES).min(TILE);
            tile(&grid, from, groups, buffers);
            from += groups * LANES;
        }
    }
}

/// Adds the points `from ..` of `groups` groups to each arm's mass.
#[inline(always)]
fn tile(grid: &Grid, from: usize, groups: usize, buffers: &mut Buffers) {
    let mut z = [[0.0; LANES]; TILE];
    let mut product = [[1.0; LANES]; TILE];
    for (i, z) in z.as_flattened_mut().iter_mut().enumerate() {
        *z = grid.low + grid.step * (from + i) as f64;
    }
    let rows = buffers.cdf.iter_mut().zip(&mut buffers.term);
    for (arm, (cdf, term)) in buffers.arms.iter().zip(rows) {
        let scale = arm.sd.recip();
        let points = z[..groups].as_flattened().iter();
        let cells = cdf
            .as_flattened_mut()
            .iter_mut()
            .zip(term.as_flattened_mut());
        for ((z, product), (cdf, term)) in points.zip(product.as_flattened_mut()).zip(cells) {
            let (below, density) = cdf_and_pdf((z - arm.mean) * scale);
            *cdf = below;
            *term = density * scale * *product;
            *product *= below;
        }
    }
    // Now from the last arm back; the trapezoid's half weights ride on the product.
    let mut product = [[1.0; LANES]; TILE];
    if from == 0 {
        product[0][0] = 0.5;
    }
    if from + groups * LANES == grid.points {
        product[groups - 1][LANES - 1] = 0.5;
    }
    let rows = buffers.cdf.iter().zip(&buffers.term);
    for (arm, (cdf, term)) in buffers.arms.iter_mut().zip(rows).rev() {
        let mut mass = [0.0; LANES];
        for ((cdf, term), product) in cdf.iter().zip(term).zip(&mut product[..groups]) {
            for lane in 0..LANES {
                mass[lane] += term[lane] * product[lane];
                product[lane] *= cdf[lane];
            }
        }
        arm.mass += sum(mass);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use pulp::Scalar;
    use statrs::distribution::{Continuous, ContinuousCDF, Normal};

    fn computed(means: &[f64], sds: &[f64]) -> Vec<f64> {
        let mut out = vec![f64::NAN; means.len()];
        pmf(means, sds, 1.0, &mut Buffers::default(), &mut out);
        out
    }

    /// The integral by the midpoint rule, every arm on its own fine grid.
    fn reference(means: &[f64], sds: &[f64]) -> Vec<f64> {
        let arms: Vec<_> = means
            .iter()
            .zip(sds)
            .map(|(m, s)| Normal::new(*m, *s).unwrap())
            .collect();
        let narrowest = sds.iter().copied().fold(f64::INFINITY, f64::min);
        let mass = arms.iter().enumerate().map(|(a, arm)| {
            let step = narrowest / 4.0;
            let points = (16.0 * sds[a] / step).ceil() as usize;
            let each = (0..points).map(|i| {
                let z = means[a] - 8.0 * sds[a] + (i as f64 + 0.5) * step;
                let others = arms.iter().enumerate().filter(|(b, _)| *b != a);
                step * arm.pdf(z) * others.map(|(_, other)| other.cdf(z)).product::<f64>()
            });
            each.sum()
        });
        mass.collect()
    }

    fn check(means: &[f64], sds: &[f64], expected: &[f64], tolerance: f64) {
        let found = computed(means, sds);
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() <= tolerance,
                "{found} {expected} of {means:?} {sds:?}"
            );
        }
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn one_arm_is_certain() {
        check(&[0.3], &[0.1], &[1.0], 0.0);
        check(&[0.3], &[0.0], &[1.0], 0.0);
    }

    #[test]
    fn without_uncertainty_the_best_share_evenly() {
        check(&[0.5, 0.7, 0.7, 0.1], &[0.0; 4], &[0.0, 0.5, 0.5, 0.0], 0.0);
    }

    #[test]
    fn equal_arms_get_equal_shares() {
        check(&[0.5; 7], &[0.03; 7], &[1.0 / 7.0; 7], 1e-15);
    }

    #[test]
    fn one_certain_arm_among_uncertain_ones_is_a_threshold() {
        // P(N(0.5, 0.1^2) > 0.6) = 1 - Phi(1).
        let above = 0.158_655_253_931_457_05;
        check(&[0.6, 0.5], &[0.0, 0.1], &[1.0 - above, above], 2e-4);
        // Two certain arms share what the uncertain one leaves.
        check(
            &[0.6, 0.5, 0.6],
            &[0.0, 0.1, 0.0],
            &[(1.0 - above) / 2.0, above, (1.0 - above) / 2.0],
            2e-3,
        );
    }

    #[test]
    fn sds_of_very_different_sizes_are_resolved_to_a_thousandth() {
        for ratio in [1e-2_f64, 1e-4, 1e-8, 1e-300] {
            // P(N(0, 1) > 0.3) with a nearly certain rival.
            let above = 1.0 - Normal::standard().cdf(0.3 / (1.0 + ratio * ratio).sqrt());
            check(&[0.3, 0.0], &[ratio, 1.0], &[1.0 - above, above], 1e-3);
        }
    }

    #[test]
    fn an_arm_out_of_reach_gets_nothing() {
        // 0.8 is 5.66 sds of the difference below; 4.7 sds is still in.
        let p = computed(&[1.0, 0.2, 1.0 - 4.7 * 0.1 * 2.0_f64.sqrt()], &[0.1; 3]);
        assert!(p[1] == 0.0 && p[2] > 1e-6, "{p:?}");
    }

    #[test]
    fn extreme_sizes_still_give_a_pmf() {
        for (means, sds) in [
            ([1e300, 1e300], [1e290, 1e-290]),
            ([1e-300, 2e-300], [1e-305, 1e-310]),
            ([f64::MAX, -f64::MAX], [f64::MAX, f64::MAX]),
            ([1e16, 1e16 + 2.0], [1e-9, 1e-9]),
        ] {
            let p = computed(&means, &sds);
            let sum: f64 = p.iter().sum();
            assert!(
                (sum - 1.0).abs() < 1e-12 && p.iter().all(|p| *p >= 0.0),
                "{p:?}"
            );
        }
    }

    #[test]
    fn wide_registers_give_the_bits_of_plain_numbers() {
        let (means, sds) = ([0.5, 0.52, 0.47, 0.51], [0.02, 0.001, 0.03, 0.05]);
        let mut plain = Buffers::default();
        contenders(&means, &sds, 1.0, &mut plain.arms);
        let grid = Grid::new(&mut plain.arms).unwrap();
        assert!(grid.points > TILE * LANES);
        plain.cdf.resize(4, [[0.0; LANES]; TILE]);
        plain.term.resize(4, [[0.0; LANES]; TILE]);
        let mut wide = Buffers::default();
        pmf(&means, &sds, 1.0, &mut wide, &mut [0.0; 4]);
        let buffers = &mut plain;
        Scalar::new().vectorize(Quadrature { grid, buffers });
        let bits = |b: &Buffers| b.arms.iter().map(|a| a.mass.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&plain), bits(&wide));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn two_arms_agree_with_the_closed_form(
            gap in -0.5_f64..0.5, s in 0.005_f64..0.2, t in 0.005_f64..0.2,
        ) {
            let first = Normal::standard().cdf(gap / (s * s + t * t).sqrt());
            let p = computed(&[0.5 + gap, 0.5], &[s, t]);
            prop_assert!((p[0] - first).abs() < 1e-6, "{} {first}", p[0]);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn several_arms_agree_with_a_fine_integral(
            arms in prop::collection::vec((0.4_f64..0.6, 0.01_f64..0.1), 1..8),
        ) {
            let (means, sds): (Vec<_>, Vec<_>) = arms.into_iter().unzip();
            for (found, expected) in computed(&means, &sds).iter().zip(reference(&means, &sds)) {
                // Arms pruned below 1e-6 and tails cut at 5 sd.
                prop_assert!((found - expected).abs() < 4e-6, "{found} {expected}");
            }
        }
    }
}
