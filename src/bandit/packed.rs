//! Symmetric matrices, half stored, in rows that wide registers can walk.
//!
//! Invariants: row `i` holds columns 0 up to the end of the group of eight that has the diagonal, so
//! the 8 x 8 blocks on the diagonal are stored whole and everything above them is left out (d = 105:
//! 5,936 numbers of 11,025). Both halves of a diagonal block are equal to the bit. Columns past the
//! dimension are zero.
//!
//! Not here: what the matrix means (`ridge`), its inverse (`cholesky`).

use super::lanes::{Group, LANES, sum, widest};
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

struct Multiply<'a> {
    matrix: &'a Packed<f64>,
    x: &'a [Group<f64>],
    y: &'a mut [Group<f64>],
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { matrix, x, y } = self;
        y.fill([0.0; LANES]);
        for (row, (block, groups)) in matrix.rows().enumerate() {
            let x_row = x.as_flattened()[row];
            let mut total = [0.0; LANES];
            // Left of the diagonal block an entry stands for its mirror image too.
            let (left, diagonal) = groups.split_at(block);
            for ((m, x), y) in left.iter().zip(x).zip(y.iter_mut()) {
                for lane in 0..LANES {
                    total[lane] += m[lane] * x[lane];
                    y[lane] += m[lane] * x_row;
                }
            }
            for (m, x) in diagonal.iter().zip(&x[block..]) {
                for lane in 0..LANES {
                    total[lane] += m[lane] * x[lane];
                }
            }
            y.as_flattened_mut()[row] += sum(total);
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
                for lane in 0..LANES {
                    m[lane] += x_row * x[lane];
                }
            }
        }
    }
}

impl Packed<f32> {
    /// `x' * self * x`, for a matrix made by [`Packed::folded`]. `x` comes as its full groups and the
    /// zero-padded rest.
    #[inline(always)]
    pub(super) fn folded_form(&self, full: &[Group<f32>], rest: &Group<f32>) -> f32 {
        let mut total = [0.0_f32; LANES];
        for (row, (block, groups)) in self.rows().enumerate() {
            let mut along = [0.0_f32; LANES];
            for (m, x) in groups.iter().zip(full) {
                for lane in 0..LANES {
                    along[lane] += m[lane] * x[lane];
                }
            }
            if let Some(m) = groups.get(full.len()) {
                for lane in 0..LANES {
                    along[lane] += m[lane] * rest[lane];
                }
            }
            let x_row = full.get(block).unwrap_or(rest)[row % LANES];
            for lane in 0..LANES {
                total[lane] += along[lane] * x_row;
            }
        }
        sum(total)
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
