//! The excerpt of a text that is looked at: its first and last bytes, so that the work is bounded.
//!
//! Invariants: pieces are cut at character boundaries, come in order and never overlap; a text that
//! fits is visited whole.
//!
//! Units: bytes of UTF-8.

/// Visits the first `head` and the last `tail` bytes of `parts` taken as one text, part by part.
pub(super) fn ends(parts: &[&str], head: usize, tail: usize, mut visit: impl FnMut(&str)) {
    let total = length(parts);
    if total <= head + tail {
        parts.iter().for_each(|part| visit(part));
        return;
    }
    let tail_start = total - tail;
    let mut start = 0;
    for part in parts {
        let end = start + part.len();
        if start < head {
            let cut = part.floor_char_boundary(head - start);
            visit(part.get(..cut).unwrap_or_default());
        }
        if end > tail_start {
            let cut = part.ceil_char_boundary(tail_start.saturating_sub(start));
            visit(part.get(cut..).unwrap_or_default());
        }
        start = end;
    }
}

/// Bytes in all.
pub(super) fn length(parts: &[&str]) -> usize {
    parts.iter().map(|part| part.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parts: &[&str], (head, tail): (usize, usize), expected: &[&str]) {
        let mut seen = Vec::new();
        ends(parts, head, tail, |piece| {
            if !piece.is_empty() {
                seen.push(piece.to_owned());
            }
        });
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_text_that_fits_is_visited_whole() {
        check(&["abc", "def"], (4, 2), &["abc", "def"]);
        check(&[], (4, 2), &[]);
    }

    #[test]
    fn a_longer_text_gives_its_two_ends() {
        check(&["abcdefghij"], (4, 2), &["abcd", "ij"]);
        check(&["abc", "def", "ghij"], (4, 2), &["abc", "d", "ij"]);
        check(&["abcdefghij"], (4, 0), &["abcd"]);
        check(&["abc", "def", "g", "h"], (1, 4), &["a", "ef", "g", "h"]);
    }

    #[test]
    fn cuts_fall_between_characters() {
        // Each is two bytes; a cut inside one leaves it out.
        check(&["éééé"], (3, 3), &["é", "é"]);
    }
}
