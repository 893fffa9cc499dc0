//! The text block from the shipped static embedding: the mean of the pieces' rows, at length 1.
//!
//! Read are the first 2048 and the last 1024 bytes of the last user message, then the beginning of
//! the system prompt: at most 512 bytes, and no more than of the user's text where there is any,
//! so that a prompt that is the same on every call does not outweigh what is asked.
//!
//! Invariants: norm 1, or 0 where nothing was read; sums are integers, so no order of adding and no
//! machine changes a bit of them.
//!
//! Not here: how the embedding was made (`datasets/static_minilm_128/README.md`).
//!
//! Shapes: the file has 128 columns, most important first; the first 64 are kept.

use super::excerpt;
use super::extractor::{Error, unit_length};
use super::wordpiece::{BATCH, Vocabulary};
use pulp::Arch;
use safetensors::{Dtype, SafeTensors};
use std::array;

const USER_HEAD_BYTES: usize = 2048;
const USER_TAIL_BYTES: usize = 1024;
const SYSTEM_BYTES: usize = 512;

const COLUMNS: usize = 64;

/// Added to each signed byte of the file: unsigned ones are cheaper to widen.
const BIAS: u8 = 128;

static TENSORS: &[u8] =
    include_bytes!("../../datasets/static_minilm_128/static_minilm_128.safetensors");
static VOCABULARY: &str = include_str!("../../datasets/static_minilm_128/vocab.txt");

/// A vocabulary and a row for each piece.
#[derive(Debug)]
pub(super) struct StaticEmbedding {
    vocabulary: Vocabulary,
    rows: Vec<Row>,
    scales: [f32; COLUMNS],
}

/// One cache line: a piece's bytes, each with [`BIAS`] added.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Row([u8; COLUMNS]);

impl StaticEmbedding {
    /// The embedding that is part of the program.
    pub(super) fn shipped() -> Result<Self, Error> {
        let refuse = |what: String| Error::Artefact { what };
        let tensors = SafeTensors::deserialize(TENSORS).map_err(|e| refuse(e.to_string()))?;
        let tensor = |name: &str, dtype: Dtype| {
            let view = tensors.tensor(name).map_err(|e| refuse(e.to_string()))?;
            match view.dtype() == dtype {
                true => Ok(view),
                false => Err(refuse(format!("{name} is not {dtype:?}"))),
            }
        };
        let (embeddings, scales) = (
            tensor("embeddings", Dtype::I8)?,
            tensor("scales", Dtype::F32)?,
        );
        let pieces = VOCABULARY.lines().count();
        let &[width] = scales.shape() else {
            return Err(refuse(format!("scales has shape {:?}", scales.shape())));
        };
        if width < COLUMNS || embeddings.shape() != [pieces, width] {
            let shape = embeddings.shape();
            return Err(refuse(format!("embeddings has shape {shape:?}")));
        }
        let row = |row: &[u8]| {
            Row(array::from_fn(|j| {
                row.get(j).map_or(0, |byte| byte.wrapping_add(BIAS))
            }))
        };
        let (numbers, _) = scales.data().as_chunks::<4>();
        Ok(Self {
            vocabulary: Vocabulary::parse(VOCABULARY)?,
            rows: embeddings.data().chunks_exact(width).map(row).collect(),
            scales: array::from_fn(|j| numbers.get(j).map_or(0.0, |&b| f32::from_le_bytes(b))),
        })
    }

    /// The text block.
    pub(super) fn block(&self, user: &[&str], system: &[&str]) -> [f32; COLUMNS] {
        let mut sum = Sum::default();
        excerpt::ends(user, USER_HEAD_BYTES, USER_TAIL_BYTES, |text| {
            self.add(text, &mut sum);
        });
        let system_bytes = match excerpt::length(user) {
            0 => SYSTEM_BYTES,
            bytes => bytes.min(SYSTEM_BYTES),
        };
        excerpt::ends(system, system_bytes, 0, |text| self.add(text, &mut sum));
        // Length 1 makes dividing by the number of pieces needless.
        let bias = i64::from(sum.pieces) * i64::from(BIAS);
        unit_length(&array::from_fn(|j| {
            let (total, scale) = (sum.totals[j], self.scales[j]);
            (i64::from(total) - bias) as f64 * f64::from(scale)
        }))
    }

    fn add(&self, text: &str, sum: &mut Sum) {
        self.vocabulary.pieces(text, |numbers| {
            sum.pieces += u32::try_from(numbers.len()).unwrap_or(0);
            let totals = self.total(numbers);
            for (all, total) in sum.totals.iter_mut().zip(totals) {
                *all += u32::from(total);
            }
        });
    }

    /// Column sums of at most [`BATCH`] rows: 256 x 255 fits in 16 bits.
    fn total(&self, numbers: &[u16]) -> [u16; COLUMNS] {
        const { assert!(BATCH * 255 <= u16::MAX as usize) };
        // Compiled once more for machines with wider registers; integers, so the sums are the same.
        Arch::new().dispatch(|| {
            let mut totals = [0; COLUMNS];
            for &number in numbers {
                if let Some(Row(row)) = self.rows.get(usize::from(number)) {
                    for (total, &byte) in totals.iter_mut().zip(row) {
                        *total += u16::from(byte);
                    }
                }
            }
            totals
        })
    }
}

/// Column sums over the pieces read.
struct Sum {
    pieces: u32,
    totals: [u32; COLUMNS],
}

impl Default for Sum {
    fn default() -> Self {
        Self {
            pieces: 0,
            totals: [0; COLUMNS],
        }
    }
}
