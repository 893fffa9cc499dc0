//! Symmetric matrices, half stored, in tiles that wide registers can walk.
//!
//! Invariants: a tile is 4 rows of 8 columns, aligned to a cache line. Every 4 rows have the tiles
//! from column 0 to the one with their diagonal, so the 8 x 8 blocks on the diagonal are stored whole
//! and everything above them is left out (d = 105: 6,272 numbers of 11,025). Both halves of a diagonal
//! block are equal to the bit. Rows and columns past the dimension are zero.
//!
//! Not here: what the matrix means (`ridge`), its inverse (`cholesky`), the form that decisions read
//! (`form`).

use super::lanes::{Group, LANES, Totals, add_product, widest};
use pulp::{Simd, WithSimd};
use serde::{Deserialize, Serialize};

/// Rows of a tile. Each has its own total, so that no addition waits for the one before, and a group
/// of x is loaded once for all.
const ROWS: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[repr(align(64))]
struct Tile<T>([Group<T>; ROWS]);

/// A symmetric matrix of order `dim`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Packed<T> {
    dim: usize,
    tiles: Vec<Tile<T>>,
}

/// Column of the tile that has the diagonal of the rows of `block`; so many tiles are left of it.
#[inline(always)]
fn diagonal(block: usize) -> usize {
    block * ROWS / LANES
}

/// Tiles before the rows of `block`.
fn start(block: usize) -> usize {
    (block / 2 + block % 2) * (block / 2 + 1)
}

impl<T: Copy + Default> Packed<T> {
    /// Made of `entry(row, column)`, which is asked for stored entries inside the dimension only.
    pub(super) fn build(dim: usize, mut entry: impl FnMut(usize, usize) -> T) -> Self {
        let mut tiles = vec![Tile::default(); start(dim.div_ceil(ROWS))];
        for row in 0..dim {
            let block = row / ROWS;
            let along = tiles[start(block)..].iter_mut().take(diagonal(block) + 1);
            let slots = along.flat_map(|tile| &mut tile.0[row % ROWS]);
            for (column, slot) in slots.enumerate().take(dim) {
                *slot = entry(row, column);
            }
        }
        Self { dim, tiles }
    }

    /// Number of rows.
    pub(super) fn dim(&self) -> usize {
        self.dim
    }

    /// The stored groups of a row, from column 0 to its diagonal block.
    pub(super) fn row(&self, row: usize) -> impl Iterator<Item = &Group<T>> {
        let block = row / ROWS;
        let along = self.tiles.iter().skip(start(block));
        let along = along.take(diagonal(block) + 1);
        along.map(move |tile| &tile.0[row % ROWS])
    }

    /// How many numbers it has.
    pub(super) fn found(&self) -> usize {
        self.tiles.len() * ROWS * LANES
    }

    /// How many numbers a matrix of order `dim` stores.
    pub(super) fn stored(dim: usize) -> usize {
        start(dim.div_ceil(ROWS)) * ROWS * LANES
    }

    /// Whether the tiles are as many as the dimension needs: asked of what was read from disk.
    pub(super) fn well_formed(&self, dim: usize) -> bool {
        self.dim == dim && self.tiles.len() == start(dim.div_ceil(ROWS))
    }

    /// The entry of row and column, in either order.
    pub(super) fn get(&self, row: usize, column: usize) -> T {
        let (row, column) = (row.max(column), row.min(column));
        let tile = &self.tiles[start(row / ROWS) + column / LANES];
        tile.0[row % ROWS][column % LANES]
    }

    /// All stored numbers.
    pub(super) fn numbers(&self) -> impl Iterator<Item = T> {
        self.tiles
            .iter()
            .flat_map(|tile| tile.0.as_flattened())
            .copied()
    }
}

impl Packed<f64> {
    /// `scale` on the diagonal.
    #[cfg(test)]
    pub(super) fn identity(dim: usize, scale: f64) -> Self {
        Self::build(dim, |row, column| if row == column { scale } else { 0.0 })
    }

    /// Multiplies every entry by `by`.
    pub(super) fn scale(&mut self, by: f64) {
        let numbers = self.tiles.iter_mut();
        numbers.for_each(|tile| tile.0.as_flattened_mut().iter_mut().for_each(|v| *v *= by));
    }

    /// Adds `values` to the diagonal.
    pub(super) fn add_diagonal(&mut self, values: &[f64]) {
        for (row, value) in values.iter().enumerate().take(self.dim) {
            let tile = &mut self.tiles[start(row / ROWS) + row / LANES];
            tile.0[row % ROWS][row % LANES] += value;
        }
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
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { matrix, x, y } = self;
        y.fill([0.0; LANES]);
        let mut rest = matrix.tiles.as_slice();
        for (block, x_rows) in x.as_flattened().as_chunks::<ROWS>().0.iter().enumerate() {
            let (tiles, after) = rest.split_at((diagonal(block) + 1).min(rest.len()));
            rest = after;
            let mut along = [Totals::zero(simd); ROWS];
            for (column, (tile, x)) in tiles.iter().zip(x).enumerate() {
                for (along, m) in along.iter_mut().zip(&tile.0) {
                    along.add_product(simd, m, x);
                }
                // Left of the diagonal block an entry stands for its mirror image too.
                if column < diagonal(block) {
                    let mut mirrored = y[column];
                    for (m, x_row) in tile.0.iter().zip(x_rows) {
                        mirrored = add_product(mirrored, *m, [*x_row; LANES]);
                    }
                    y[column] = mirrored;
                }
            }
            let own = y.as_flattened_mut()[block * ROWS..].iter_mut();
            for (y, along) in own.zip(along) {
                *y += along.sum();
            }
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
        let Self { matrix, sign, x } = self;
        let mut rest = matrix.tiles.as_mut_slice();
        for (block, x_rows) in x.as_flattened().as_chunks::<ROWS>().0.iter().enumerate() {
            let (tiles, after) = rest.split_at_mut((diagonal(block) + 1).min(rest.len()));
            rest = after;
            let x_rows = x_rows.map(|x| [sign * x; LANES]);
            for (tile, x) in tiles.iter_mut().zip(x) {
                for (m, x_row) in tile.0.iter_mut().zip(&x_rows) {
                    *m = add_product(*m, *x_row, *x);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bandit::lanes::pad;
    use pulp::Scalar;

    /// Numbers in [-1, 1) of no pattern.
    fn noise(len: usize) -> impl ExactSizeIterator<Item = f64> {
        (0..len).map(|i| (i as f64 * 0.754_877_666 + 0.1).fract() * 2.0 - 1.0)
    }

    fn dense(dim: usize) -> Packed<f64> {
        let cells: Vec<f64> = noise(dim * dim).collect();
        Packed::build(dim, |i, j| cells[i.max(j) * dim + i.min(j)])
    }

    #[test]
    fn every_dimension_multiplies_as_a_full_matrix_does() {
        for dim in (1..=34).chain([64, 105, 112]) {
            let plain = dense(dim);
            let mut matrix = plain.clone();
            let x = pad(noise(dim));
            matrix.add_outer(-1.0, &x);
            let mut y = vec![[7.0; LANES]; x.len()];
            matrix.multiply(&x, &mut y);
            for row in 0..dim {
                let flat = x.as_flattened();
                let expected: f64 = (0..dim)
                    .map(|j| (plain.get(row, j) - flat[row] * flat[j]) * flat[j])
                    .sum();
                let found = y.as_flattened()[row];
                assert!((found - expected).abs() < 1e-11, "dim {dim} row {row}");
            }
            assert!(y.as_flattened()[dim..].iter().all(|v| *v == 0.0));
            assert_eq!(matrix.found(), Packed::<f64>::stored(dim));
        }
    }

    /// The rule of the whole module: width changes no bit.
    #[test]
    fn wide_registers_give_the_bits_of_plain_numbers() {
        let dim = 105;
        let x = pad(noise(dim));
        let (mut wide, mut plain) = (dense(dim), dense(dim));
        wide.add_outer(-1.0, &x);
        Scalar::new().vectorize(AddOuter {
            matrix: &mut plain,
            sign: -1.0,
            x: &x,
        });
        assert_eq!(wide, plain);
        let (mut y_wide, mut y_plain) = (vec![[0.0; LANES]; x.len()], vec![[0.0; LANES]; x.len()]);
        wide.multiply(&x, &mut y_wide);
        Scalar::new().vectorize(Multiply {
            matrix: &plain,
            x: &x,
            y: &mut y_plain,
        });
        assert_eq!(y_wide, y_plain);
    }
}
