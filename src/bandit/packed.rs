//! Symmetric matrices, half stored, in rows that wide registers can walk.
//!
//! Invariants: row `i` holds columns 0 up to the end of the group of eight that has the diagonal, so
//! the 8 x 8 blocks on the diagonal are stored whole and everything above them is left out (d = 105:
//! 5,936 numbers of 11,025). Both halves of a diagonal block are equal to the bit. Columns past the
//! dimension are zero.
//!
//! Not here: what the matrix means (`ridge`), its inverse (`cholesky`).

use super::lanes::{Group, LANES, Totals, add_product, widest};
use pulp::{Simd, WithSimd};
use serde::{Deserialize, Serialize};

/// A symmetric matrix of order `dim`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Packed<T> {
    dim: usize,
    groups: Vec<Group<T>>,
}

/// Groups before row `row`: the rows of block `q` have `q + 1` groups each.
fn start(row: usize) -> usize {
    let (block, rest) = (row / LANES, row % LANES);
    (LANES / 2 * block + rest) * (block + 1)
}

impl<T: Copy + Default> Packed<T> {
    /// Made of `entry(row, column)`, which is asked for stored entries inside the dimension only.
    pub(super) fn build(dim: usize, mut entry: impl FnMut(usize, usize) -> T) -> Self {
        let mut groups = vec![[T::default(); LANES]; start(dim)];
        for row in 0..dim {
            let stored = groups[start(row)..start(row + 1)].as_flattened_mut();
            for (column, slot) in stored.iter_mut().enumerate().take(dim) {
                *slot = entry(row, column);
            }
        }
        Self { dim, groups }
    }

    /// How many numbers a matrix of order `dim` stores.
    pub(super) fn stored(dim: usize) -> usize {
        start(dim) * LANES
    }

    /// Whether the groups are as many as the dimension needs: asked of what was read from disk.
    pub(super) fn well_formed(&self, dim: usize) -> bool {
        self.dim == dim && self.groups.len() == start(dim)
    }

    /// The entry of row and column, in either order.
    pub(super) fn get(&self, row: usize, column: usize) -> T {
        let (row, column) = (row.max(column), row.min(column));
        self.groups[start(row) + column / LANES][column % LANES]
    }

    /// All stored numbers.
    pub(super) fn numbers(&self) -> &[T] {
        self.groups.as_flattened()
    }

    /// Rows with the position of their block, which is also the number of groups left of it.
    #[inline(always)]
    fn rows(&self) -> impl Iterator<Item = (usize, &[Group<T>])> {
        let mut rest = self.groups.as_slice();
        (0..self.dim).map(move |row| {
            let (head, tail) = rest.split_at(row / LANES + 1);
            rest = tail;
            (row / LANES, head)
        })
    }
}

impl Packed<f64> {
    /// `scale` on the diagonal.
    pub(super) fn identity(dim: usize, scale: f64) -> Self {
        Self::build(dim, |row, column| if row == column { scale } else { 0.0 })
    }

    /// `y = self * x`.
    pub(super) fn multiply(&self, x: &[Group<f64>], y: &mut [Group<f64>]) {
        widest(Multiply { matrix: self, x, y });
    }

    /// `self += sign * x * x'`, with `sign` 1 or -1 so that both halves of a block stay equal.
    pub(super) fn add_outer(&mut self, sign: f64, x: &[Group<f64>]) {
        widest(AddOuter {
            matrix: self,
            sign,
            x,
        });
    }
}

/// Four rows of `width` groups times x, not yet summed over lanes.
#[inline(always)]
fn quad_along<S: Simd>(
    simd: S,
    rows: &[Group<f32>],
    x: &[Group<f32>],
    width: usize,
) -> [Totals<S, f32>; QUAD] {
    let (upper, lower) = rows.split_at(2 * width);
    let ((a, b), (c, d)) = (upper.split_at(width), lower.split_at(width));
    let mut along = [Totals::zero(simd); QUAD];
    for ((((x, a), b), c), d) in x.iter().zip(a).zip(b).zip(c).zip(d) {
        along[0].add_product(simd, a, x);
        along[1].add_product(simd, b, x);
        along[2].add_product(simd, c, x);
        along[3].add_product(simd, d, x);
    }
    along
}

struct Multiply<'a> {
    matrix: &'a Packed<f64>,
    x: &'a [Group<f64>],
    y: &'a mut [Group<f64>],
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { matrix, x, y } = self;
        y.fill([0.0; LANES]);
        for (row, (block, groups)) in matrix.rows().enumerate() {
            let x_row = x.as_flattened()[row];
            let mut total = Totals::zero(simd);
            // Left of the diagonal block an entry stands for its mirror image too.
            let (left, diagonal) = groups.split_at(block);
            for ((m, x), y) in left.iter().zip(x).zip(y.iter_mut()) {
                total.add_product(simd, m, x);
                *y = add_product(*y, *m, [x_row; LANES]);
            }
            for (m, x) in diagonal.iter().zip(&x[block..]) {
                total.add_product(simd, m, x);
            }
            y.as_flattened_mut()[row] += total.sum();
        }
    }
}

struct AddOuter<'a> {
    matrix: &'a mut Packed<f64>,
    sign: f64,
    x: &'a [Group<f64>],
}

impl WithSimd for AddOuter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let mut rest = self.matrix.groups.as_mut_slice();
        for row in 0..self.matrix.dim {
            let (groups, tail) = rest.split_at_mut(row / LANES + 1);
            rest = tail;
            let x_row = self.sign * self.x.as_flattened()[row];
            for (m, x) in groups.iter_mut().zip(self.x) {
                *m = add_product(*m, [x_row; LANES], *x);
            }
        }
    }
}

/// Rows that a quadratic form walks at a time: each has its own total, so that no addition waits for
/// the one before, and each group of x is loaded once for all.
const QUAD: usize = 4;

impl Packed<f32> {
    /// `x' * self * x`, for a matrix made by [`Packed::folded`].
    #[inline(always)]
    pub(super) fn folded_form<S: Simd>(&self, simd: S, x: &[Group<f32>]) -> f32 {
        let mut total = Totals::zero(simd);
        let mut rest = self.groups.as_slice();
        for (block, x_rows) in x.iter().enumerate() {
            let (width, rows) = (block + 1, LANES.min(self.dim - block * LANES));
            let (head, tail) = rest.split_at(rows * width);
            rest = tail;
            let (quads, x_quads) = (
                head.chunks_exact(QUAD * width),
                x_rows[..rows].chunks_exact(QUAD),
            );
            let (singles, x_singles) = (quads.remainder(), x_quads.remainder());
            for (quad, x_quad) in quads.zip(x_quads) {
                let along = quad_along(simd, quad, x, width);
                for (along, x_row) in along.iter().zip(x_quad) {
                    total.add_scaled(simd, *x_row, along);
                }
            }
            for (row, x_row) in singles.chunks_exact(width).zip(x_singles) {
                let mut along = Totals::zero(simd);
                for (m, x) in row.iter().zip(x) {
                    along.add_product(simd, m, x);
                }
                total.add_scaled(simd, *x_row, &along);
            }
        }
        total.sum()
    }

    /// `matrix` in f32 with the entries left of the diagonal blocks doubled: each is met once where
    /// the full form meets it twice.
    pub(super) fn folded(matrix: &Packed<f64>) -> Self {
        Self::build(matrix.dim, |row, column| {
            let twice = if row / LANES == column / LANES {
                1.0
            } else {
                2.0
            };
            (twice * matrix.get(row, column)) as f32
        })
    }
}
