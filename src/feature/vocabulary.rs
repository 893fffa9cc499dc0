//! The vocabulary of WordPiece: strings of up to 24 bytes to their numbers.
//!
//! Invariants: fixed once read; a look-up allocates nothing. Two pieces with the same lower 48 bits of
//! their hash would be one: reading the vocabulary refuses them. A string outside the vocabulary is
//! taken for a piece with odds of 1 in 2^48 a look-up.
//!
//! Not here: how a word is taken apart (`wordpiece`).
//!
//! Units: bytes of UTF-8. Strings are looked up inside a longer buffer, padded with any
//! [`PIECE_BYTES`] bytes, so that whole machine words can be read.

use super::extractor::Error;

/// Longest piece, without its `##`: three machine words are hashed.
pub(super) const PIECE_BYTES: usize = 24;

/// Twice the number of pieces at least: the upper 16 bits of a hash choose a slot.
const SLOTS: usize = 1 << 16;
const EMPTY: u64 = u64::MAX;

/// Where in a word a piece stands: the vocabulary marks inner ones with `##`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    First = 0,
    Inner = 1,
}

/// Pieces by their hash.
#[derive(Debug)]
pub(super) struct Vocabulary {
    /// Open addressing: the lower 48 bits of the hash, then 16 of the piece's number.
    slots: Vec<u64>,
    unknown: u16,
    longest: usize,
}

impl Vocabulary {
    /// Reads one piece a line; the line's number from 0 is the piece's number.
    pub(super) fn parse(lines: &str) -> Result<Self, Error> {
        let refuse = |what: String| Err(Error::Artefact { what });
        let mut vocabulary = Self {
            slots: vec![EMPTY; SLOTS],
            unknown: 0,
            longest: 0,
        };
        let most = SLOTS / 2;
        if lines.lines().count() > most {
            return refuse(format!("more than {most} pieces"));
        }
        let mut unknown = None;
        for (number, line) in (0..).zip(lines.lines()) {
            if line == "[UNK]" {
                unknown = Some(number);
            }
            let (piece, place) = match line.strip_prefix("##") {
                Some(rest) if !rest.is_empty() => (rest, Place::Inner),
                _ => (line, Place::First),
            };
            let bytes = piece.len();
            if bytes > PIECE_BYTES {
                let allowed = format!("allowed up to {PIECE_BYTES}");
                return refuse(format!("piece {number} has {bytes} bytes: {allowed}"));
            }
            if !vocabulary.insert(hash(&padded(piece), bytes, place), number) {
                return refuse(format!("piece {number} is there twice"));
            }
            vocabulary.longest = vocabulary.longest.max(bytes);
        }
        match unknown {
            Some(number) => Ok(Self {
                unknown: number,
                ..vocabulary
            }),
            None => refuse("no piece [UNK]".to_owned()),
        }
    }

    /// The piece for what is not in the vocabulary.
    pub(super) fn unknown(&self) -> u16 {
        self.unknown
    }

    /// The longest piece that the first `length` bytes of the padded `text` begin with: its length
    /// and its number.
    #[inline]
    pub(super) fn longest(&self, text: &[u8], length: usize, place: Place) -> Option<(usize, u16)> {
        let lengths = (1..=length.min(self.longest)).rev();
        let mut found = lengths.map(|length| (length, self.find(hash(text, length, place))));
        found.find_map(|(length, number)| Some((length, number?)))
    }

    /// The number of a character that is a word of its own.
    pub(super) fn alone(&self, c: char) -> u16 {
        let text = padded(c.encode_utf8(&mut [0; 4]));
        let found = self.find(hash(&text, c.len_utf8(), Place::First));
        found.unwrap_or(self.unknown)
    }

    fn insert(&mut self, hash: u64, number: u16) -> bool {
        let mut place = home(hash);
        loop {
            match self.slots.get_mut(place) {
                Some(slot) if *slot == EMPTY => {
                    *slot = hash << 16 | u64::from(number);
                    return true;
                }
                Some(slot) if *slot >> 16 != hash << 16 >> 16 => place = (place + 1) % SLOTS,
                _ => return false,
            }
        }
    }

    #[inline]
    fn find(&self, hash: u64) -> Option<u16> {
        let mut place = home(hash);
        // At most half of the slots are taken, so an empty one ends the search.
        loop {
            let slot = *self.slots.get(place)?;
            if slot == EMPTY {
                return None;
            }
            if slot >> 16 == hash << 16 >> 16 {
                #[expect(clippy::cast_possible_truncation, reason = "the lower 16 bits")]
                return Some(slot as u16);
            }
            place = (place + 1) % SLOTS;
        }
    }
}

fn padded(piece: &str) -> [u8; 2 * PIECE_BYTES] {
    let mut bytes = [0; 2 * PIECE_BYTES];
    for (place, byte) in bytes.iter_mut().zip(piece.bytes()) {
        *place = byte;
    }
    bytes
}

fn home(hash: u64) -> usize {
    (hash >> 48) as usize
}

/// Hash of the first `length` bytes of `text`: one to three machine words, what is behind masked.
#[inline]
fn hash(text: &[u8], length: usize, place: Place) -> u64 {
    let load = |offset: usize| {
        let bytes = text.get(offset..offset + 8);
        let word = bytes.and_then(|bytes| bytes.try_into().ok());
        let kept = length.saturating_sub(offset).min(8);
        word.map_or(0, u64::from_le_bytes) & MASKS[kept]
    };
    let mut hash = load(0).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    if length > 8 {
        hash ^= load(8).wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(23);
        hash ^= load(16).wrapping_mul(0x94d0_49bb_1331_11eb).rotate_left(41);
    }
    let length_and_place = (2 * length + place as usize) as u64;
    hash ^= hash >> 29;
    hash = (hash ^ length_and_place).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ hash >> 32
}

/// The lowest 0 to 8 bytes of a machine word.
const MASKS: [u64; 9] = {
    let mut masks = [u64::MAX; 9];
    let mut bytes = 0;
    while bytes < 8 {
        masks[bytes] = (1 << (8 * bytes)) - 1;
        bytes += 1;
    }
    masks
};

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, place: Place, expected: Option<(usize, u16)>) {
        let vocabulary = Vocabulary::parse("[UNK]\na\nab\n##a\n##\nabcdefghijklmnopqrst").unwrap();
        let found = vocabulary.longest(&padded(text), text.len(), place);
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn the_longest_piece_of_its_place_is_found() {
        check("abc", Place::First, Some((2, 2)));
        check("abc", Place::Inner, Some((1, 3)));
        check("b", Place::First, None);
        check("##", Place::First, Some((2, 4)));
        check("abcdefghijklmnopqrstu", Place::First, Some((20, 5)));
        check("abcdefghijklmnopqrsu", Place::First, Some((2, 2)));
    }

    #[test]
    fn damaged_vocabularies_are_refused() {
        for (lines, what) in [
            ("[UNK]\na\na", "piece 2 is there twice".to_owned()),
            ("a\nb", "no piece [UNK]".to_owned()),
            (
                &format!("[UNK]\n{}", "a".repeat(25)),
                "piece 1 has 25 bytes: allowed up to 24".to_owned(),
            ),
        ] {
            let refused = Vocabulary::parse(lines).unwrap_err();
            assert_eq!(refused, Error::Artefact { what });
        }
    }
}
