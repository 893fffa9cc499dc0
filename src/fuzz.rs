//! Fuzzing: real inputs, changed at random but repeatably, given to whatever reads bytes from outside.
//!
//! A test named `fuzz` beside each reader (proto conversion, HTTP bodies, configuration, schemas and answers, events and
//! answers of each dialect, journal recovery, the audit log, texts of keys) says what must hold of what it made of them;
//! that it neither panics nor runs out of memory is held here. In the suite each runs a small number of times. Any
//! number of executions for each target, and other changes:
//!
//! ```text
//! BELLWETHER_FUZZ=1000000 BELLWETHER_FUZZ_SEED=7 cargo test --lib fuzz -- --nocapture --test-threads 1
//! ```
//!
//! An input that fails is printed whole, as a Rust string of bytes.
//!
//! Not here: coverage feedback (cargo-fuzz needs a nightly compiler), anything outside tests.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use xxhash_rust::xxh3::xxh3_64;

/// Longest input.
const LONGEST: usize = 64 << 10;

/// Most memory that a run by itself may ever hold.
const MOST_MIB: u64 = 1024;

/// Pieces that mean something to some reader.
const PIECES: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b":",
    b",",
    b"\\",
    b"\n",
    b"\r\n",
    b"\n\n",
    b"data:",
    b"data: [DONE]\n\n",
    b"null",
    b"true",
    b"-0",
    b"1e999",
    b"-1",
    b"18446744073709551616",
    b"9223372036854775807",
    b"0.1",
    b"\\u0000",
    b"\\ud800",
    b"\xff",
    b"\xf0\x9f\x92\xa9",
    b"\xef\xbb\xbf",
    b"\0",
    b"$ref",
    b"\"$ref\":\"#\"",
    b"pattern",
    b"(a+)+$",
    b"[[",
    b"]]",
    b"= ",
    b"#",
    b"'''",
    b"bw_",
    b"/128",
    b"::",
    b"\x7f\xff\xff\xff\x07",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
];

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        (self.next() % count.max(1) as u64) as usize
    }

    /// A part of so many bytes, short more often than long.
    fn part(&mut self, length: usize) -> std::ops::Range<usize> {
        let from = self.below(length + 1);
        let most = [4, 16, 256, length][self.below(4)];
        from..from + self.below(most.min(length - from) + 1)
    }
}

fn changed(chance: &mut Chance, inputs: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = inputs[chance.below(inputs.len())].clone();
    for _ in 0..=chance.below(8) {
        let (length, part) = (bytes.len(), chance.part(bytes.len()));
        match chance.below(9) {
            0 if length > 0 => bytes[part.start.min(length - 1)] ^= 1 << chance.below(8),
            1 if length > 0 => bytes[part.start.min(length - 1)] = chance.next() as u8,
            2 => drop(bytes.drain(part)),
            3 => bytes.truncate(part.start),
            4 => {
                let again = bytes[part.clone()].to_vec();
                bytes.splice(part.start..part.start, again);
            }
            5 => {
                let other = &inputs[chance.below(inputs.len())];
                let from = chance.part(other.len());
                bytes.splice(part, other[from].iter().copied());
            }
            6 => {
                // Deep nesting, long numbers and texts.
                let piece = PIECES[chance.below(PIECES.len())];
                let times = [8, 200, 3000][chance.below(3)];
                bytes.splice(part.start..part.start, piece.repeat(times));
            }
            _ => {
                let piece = PIECES[chance.below(PIECES.len())];
                bytes.splice(part, piece.iter().copied());
            }
        }
        bytes.truncate(LONGEST);
    }
    bytes
}

fn said(variable: &str) -> Option<u64> {
    let said = std::env::var(variable).ok()?;
    Some(said.parse().expect("a whole number"))
}

/// The most memory that this process ever held, where the system tells.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}

/// Gives `run` changed `inputs`, `usual` times if nothing else is asked for, the inputs themselves first.
pub(crate) fn fuzz(target: &str, usual: u64, inputs: &[&[u8]], mut run: impl FnMut(&[u8])) {
    let inputs: Vec<Vec<u8>> = inputs.iter().map(|input| input.to_vec()).collect();
    let asked = said("BELLWETHER_FUZZ");
    let seed = said("BELLWETHER_FUZZ_SEED").unwrap_or_default();
    let mut chance = Chance(xxh3_64(target.as_bytes()) ^ seed);
    let executions = asked.unwrap_or(usual);
    for execution in 0..executions {
        let whole = usize::try_from(execution)
            .ok()
            .and_then(|at| inputs.get(at))
            .cloned();
        let input = whole.unwrap_or_else(|| changed(&mut chance, &inputs));
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(&input))) {
            println!(
                "{target} fails at execution {execution} of: b\"{}\"",
                input.escape_ascii()
            );
            resume_unwind(panic);
        }
    }
    println!(
        "{target}: {executions} executions, at most {} MiB in this process so far",
        peak_mib()
    );
    assert!(
        asked.is_none() || peak_mib() < MOST_MIB,
        "{target}: more than {MOST_MIB} MiB"
    );
}
