//! The structural block: eight plain facts of the last user message.
//!
//! With L the number of code points: ln(1 + L) / 10; digits, min(1, 5 x count / L); line breaks,
//! min(1, count / 20); code, 1 if it holds a fence, "def " or "class "; maths, min(1, 20 x count of
//! `+-*/=^\$<>` / L); 1 if it holds "?"; options, 1 if a line starts with A to E and ")", "." or ":",
//! after spaces and a "(" if any; beyond ASCII, min(1, 5 x count / L).
//!
//! In a context the eight are halved, which puts all but a few texts inside the unit ball, and
//! shortened to norm 1 where they are still longer.
//!
//! A text of more than [`SCAN_BYTES`] is judged by its beginning; its L is scaled up from there.
//! Digits are those of ASCII and their full-width, super- and subscript forms.
//!
//! Source: SCIENCE 2.1, whose fixtures also count an option letter after "(".

use super::excerpt;
use super::extractor::at_most_unit;
use pulp::Arch;

/// Length of the block.
pub(super) const COUNT: usize = 8;

/// How much of the text is judged, in bytes.
const SCAN_BYTES: usize = 8192;

/// Places the features inside the unit ball: their norm is 2.1 at most on 12,698 prompts of three
/// public tables, 1.05 on average.
const SCALE: f64 = 0.5;

/// The block of a text.
pub(super) fn block(parts: &[&str]) -> [f32; COUNT] {
    at_most_unit(&features(parts).map(|feature| feature * SCALE))
}

/// The eight features as defined above.
fn features(parts: &[&str]) -> [f64; COUNT] {
    let mut seen = Seen::default();
    excerpt::ends(parts, SCAN_BYTES, 0, |piece| seen.add(piece));
    if seen.bytes == 0 {
        return [0.0; COUNT];
    }
    let scanned = seen.characters as f64;
    let length = scanned * (excerpt::length(parts) as f64 / seen.bytes as f64);
    let share = |count: u32, factor: f64| (factor * f64::from(count) / scanned).min(1.0);
    let flag = |set: bool| f64::from(u8::from(set));
    [
        (1.0 + length).ln() / 10.0,
        share(seen.digits, 5.0),
        (f64::from(seen.line_breaks) / 20.0).min(1.0),
        flag(seen.code),
        share(seen.maths, 20.0),
        flag(seen.question),
        flag(seen.options),
        share(seen.beyond_ascii, 5.0),
    ]
}

#[derive(Default)]
struct Seen {
    bytes: usize,
    characters: u32,
    digits: u32,
    line_breaks: u32,
    maths: u32,
    beyond_ascii: u32,
    code: bool,
    pairs: bool,
    question: bool,
    options: bool,
}

impl Seen {
    fn add(&mut self, text: &str) {
        // Compiled once more for machines with wider registers; integers, so the counts are the same.
        Arch::new().dispatch(|| self.add_bytes(text.as_bytes()));
        if !text.is_ascii() {
            let digits = text.chars().filter(|&c| is_digit_beyond_ascii(c)).count();
            self.digits += u32::try_from(digits).unwrap_or(u32::MAX);
        }
        // A line with an option holds one of these pairs, few other lines do.
        self.options = self.options || self.pairs && text.split('\n').any(is_option);
    }

    #[inline(always)]
    fn add_bytes(&mut self, text: &[u8]) {
        self.bytes += text.len();
        // Counters of one byte over chunks of at most 255 let the compiler count 16 or 32 at once.
        for chunk in text.chunks(255) {
            let (mut ascii, mut lead, mut digits, mut breaks) = (0u8, 0u8, 0u8, 0u8);
            let (mut maths, mut question) = (0u8, 0u8);
            for &byte in chunk {
                ascii += u8::from(byte < 0x80);
                lead += u8::from(byte >= 0xc0);
                digits += u8::from(byte.wrapping_sub(b'0') < 10);
                breaks += u8::from(byte == b'\n');
                maths += u8::from(is_maths(byte));
                question += u8::from(byte == b'?');
            }
            self.characters += u32::from(ascii) + u32::from(lead);
            self.beyond_ascii += u32::from(lead);
            self.digits += u32::from(digits);
            self.line_breaks += u32::from(breaks);
            self.maths += u32::from(maths);
            self.question |= question > 0;
        }
        self.code |= holds(text, b"```") | holds(text, b"def ") | holds(text, b"class ");
        self.pairs |= any(text, |[letter, mark]| {
            matches!(letter, b'A'..=b'E') & matches!(mark, b')' | b'.' | b':')
        });
    }
}

#[inline(always)]
fn holds<const N: usize>(text: &[u8], word: &[u8; N]) -> bool {
    any(text, |window: &[u8; N]| {
        window
            .iter()
            .zip(word)
            .fold(true, |same, (a, b)| same & (a == b))
    })
}

/// Whether `test` is true of `N` bytes in a row. Without an early exit, so that it is done on 16 or
/// 32 places at once.
#[inline(always)]
fn any<const N: usize>(text: &[u8], test: impl Fn(&[u8; N]) -> bool) -> bool {
    text.array_windows()
        .fold(false, |found, window| found | test(window))
}

#[inline(always)]
fn is_maths(byte: u8) -> bool {
    matches!(
        byte,
        b'+' | b'-' | b'*' | b'/' | b'=' | b'^' | b'\\' | b'$' | b'<' | b'>'
    )
}

fn is_digit_beyond_ascii(c: char) -> bool {
    matches!(c, '²' | '³' | '¹' | '⁰' | '⁴'..='⁹' | '₀'..='₉' | '０'..='９')
}

fn is_option(line: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix('(').unwrap_or(line);
    matches!(line.as_bytes(), [b'A'..=b'E', b')' | b'.' | b':', ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, feature: usize, expected: f64) {
        let found = features(&[text])[feature];
        assert!((found - expected).abs() < 1e-12, "{text:?}: {found}");
    }

    #[test]
    fn each_feature_is_as_defined() {
        check("", 0, 0.0);
        check("é2", 0, 3_f64.ln() / 10.0);
        check("a1b²......", 1, 1.0);
        check("1...................", 1, 0.25);
        check("a\nb\n", 2, 0.1);
        check("undef x", 3, 1.0);
        check("my class is", 3, 1.0);
        check("``` rust", 3, 1.0);
        check("``, def, classes", 3, 0.0);
        check(&format!("x^2{}", " ".repeat(97)), 4, 0.2);
        check("why?", 5, 1.0);
        check("why", 5, 0.0);
        check("é.........", 7, 0.5);
    }

    #[test]
    fn an_option_is_a_letter_and_a_mark_at_the_start_of_a_line() {
        check("Pick:\nA) yes", 6, 1.0);
        check("Pick:\n   (E) no", 6, 1.0);
        check("\nB: maybe", 6, 1.0);
        check("Vitamin C. is", 6, 0.0);
        check("\nF) no", 6, 0.0);
        check("\nAB) no", 6, 0.0);
    }

    #[test]
    fn parts_count_together() {
        let parts = features(&["def f", "(x):\n 1?"]);
        assert_eq!(parts, features(&["def f(x):\n 1?"]));
    }

    #[test]
    fn a_long_text_is_judged_by_its_beginning_and_its_length() {
        let long = "ab1?".repeat(100_000);
        let features = features(&[&long]);
        assert!((features[0] - 400_001_f64.ln() / 10.0).abs() < 1e-12);
        assert_eq!(features[1], 1.0);
        assert_eq!(features[5], 1.0);
    }

    #[cfg(feature = "analytics")]
    #[test]
    fn the_reference_features_of_three_tables_are_reproduced() {
        use polars::prelude::{ParquetReader, SerReader};
        for table in ["llmrouter_mix", "paretobandit_k4", "routerbench_subset"] {
            let shared = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared");
            let stem = format!("{shared}/fixtures/features/{table}");
            let Ok(array) = std::fs::read(format!("{stem}.struct8.npy")) else {
                println!("skipped: ../shared/fixtures/features/{table}.struct8.npy is absent");
                continue;
            };
            let index = std::fs::read_to_string(format!("{stem}.index.json")).unwrap();
            let index: serde_json::Value = serde_json::from_str(&index).unwrap();
            let prompts =
                std::fs::File::open(format!("{shared}/datasets/{table}.parquet")).unwrap();
            let prompts = ParquetReader::new(prompts).finish().unwrap();
            let column = |name: &str| prompts.column(name).unwrap().str().unwrap();
            let prompts: std::collections::BTreeMap<_, _> = column("prompt_id")
                .iter()
                .zip(column("prompt").iter())
                .collect();
            // The header of an .npy file: ten bytes, the last two the length of the rest.
            let start = 10 + usize::from(u16::from_le_bytes([array[8], array[9]]));
            let (numbers, _) = array[start..].as_chunks::<4>();
            let rows = numbers.chunks_exact(COUNT);
            let ids = index["ids"].as_array().unwrap();
            assert_eq!(rows.len(), ids.len());
            for (row, id) in rows.zip(ids) {
                let prompt = prompts[&id.as_str()].unwrap();
                for (expected, found) in row.iter().zip(features(&[prompt])) {
                    let expected = f64::from(f32::from_le_bytes(*expected));
                    assert!(
                        (found - expected).abs() < 1e-6,
                        "{table} {id}: {found} {expected}"
                    );
                }
            }
        }
    }
}
