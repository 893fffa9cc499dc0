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
use super::wordpiece::{BATCH, Tokenizer};
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
    tokenizer: Tokenizer,
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
            tokenizer: Tokenizer::parse(VOCABULARY)?,
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
        self.tokenizer.pieces(text, |numbers| {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> StaticEmbedding {
        StaticEmbedding::shipped().unwrap()
    }

    #[test]
    fn a_sentence_has_the_mean_of_its_rows() {
        // Computed from the file by another program: the rows of the ten pieces summed, times the
        // scales, at length 1.
        let block = shipped().block(&["The quick brown fox jumps over the lazy dog."], &[]);
        for (place, expected) in [
            (0, -0.099_955_14),
            (1, -0.334_303_73),
            (2, -0.066_851),
            (3, -0.372_479_6),
            (63, -0.052_392_93),
        ] {
            let found: f32 = block[place];
            assert!((found - expected).abs() < 1e-6, "{place}: {found}");
        }
    }

    #[test]
    fn alike_sentences_are_nearer_than_unlike_ones() {
        let embedding = shipped();
        let cosine = |a: &str, b: &str| -> f32 {
            let (a, b) = (embedding.block(&[a], &[]), embedding.block(&[b], &[]));
            a.iter().zip(&b).map(|(x, y)| x * y).sum()
        };
        let near = cosine("Where is my parcel?", "The package has not arrived.");
        let far = cosine("Where is my parcel?", "Integrate x squared from 0 to 1.");
        assert!(near > far + 0.2, "{near} {far}");
    }

    #[test]
    fn only_the_ends_of_a_long_text_count() {
        let embedding = shipped();
        let (head, tail) = ("alpha ".repeat(400), "omega ".repeat(200));
        let long = format!("{head}{}{tail}", "middle ".repeat(7_000_000));
        let short = [
            &head[..USER_HEAD_BYTES],
            &tail[tail.len() - USER_TAIL_BYTES..],
        ];
        assert_eq!(embedding.block(&[&long], &[]), embedding.block(&short, &[]));
    }

    #[test]
    fn the_system_prompt_counts_no_more_than_what_is_asked() {
        let embedding = shipped();
        let system = "You are a careful engineer. ".repeat(1000);
        let asked = "Where is my parcel?";
        let block = embedding.block(&[asked], &[&system]);
        assert_eq!(block, embedding.block(&[asked], &[&system[..asked.len()]]));
        assert_ne!(block, embedding.block(&[asked], &[]));
        let alone = embedding.block(&[], &[&system]);
        assert_eq!(alone, embedding.block(&[], &[&system[..SYSTEM_BYTES]]));
    }

    #[test]
    fn nothing_has_no_direction() {
        assert_eq!(shipped().block(&["", " \n"], &[]), [0.0; COLUMNS]);
    }
}
