//! WordPiece: a text to the numbers of its pieces, by BERT's lower-case rules.
//!
//! A text is cleaned and split into words (`character`); a word is taken apart from the left, each
//! time by the longest piece in the vocabulary; a word that does not come out, or has more than 100
//! characters, is one `[UNK]`.
//!
//! Invariants: [`Tokenizer::pieces`] allocates nothing and reads a text once, byte by byte; pieces come
//! in batches of 1 to [`BATCH`].
//!
//! Not here: what a piece means (`embedding`), which part of a text is read (`excerpt`).
//!
//! Source: Wu et al. 2016, section 4.1; Devlin et al. 2019, published code.

use super::character::{Class, Classes, folded};
use super::extractor::Error;
use super::vocabulary::{PIECE_BYTES, Place, Vocabulary};
use std::array;

/// Most pieces given at once.
pub(super) const BATCH: usize = 256;

/// A word of more characters is unknown.
const WORD_CHARACTERS: usize = 100;
/// Room for such a word, padded as [`Vocabulary::longest`] asks.
const WORD_BYTES: usize = 4 * WORD_CHARACTERS + PIECE_BYTES;

/// Takes texts apart.
#[derive(Debug)]
pub(super) struct Tokenizer {
    vocabulary: Vocabulary,
    /// The pieces of ASCII punctuation, by character: the most frequent words of code.
    punctuation: [u16; 128],
    classes: Classes,
}

impl Tokenizer {
    /// Reads a vocabulary, one piece a line; the line's number from 0 is the piece's number.
    pub(super) fn parse(lines: &str) -> Result<Self, Error> {
        let vocabulary = Vocabulary::parse(lines)?;
        Ok(Self {
            punctuation: array::from_fn(|code| vocabulary.alone(char::from(code as u8))),
            classes: Classes::new(),
            vocabulary,
        })
    }

    /// Gives the pieces of `text` to `visit`, in batches.
    pub(super) fn pieces(&self, text: &str, visit: impl FnMut(&[u16])) {
        let mut reader = Reader {
            tokenizer: self,
            word: Word::default(),
            batch: [0; BATCH],
            filled: 0,
            visit,
        };
        reader.read(text);
    }
}

/// The word being read, clean and lower-case.
struct Word {
    bytes: [u8; WORD_BYTES],
    length: usize,
    characters: usize,
}

impl Default for Word {
    fn default() -> Self {
        Self {
            bytes: [0; WORD_BYTES],
            length: 0,
            characters: 0,
        }
    }
}

impl Word {
    /// Adds the ASCII letters and digits at the beginning of `text`, in lower case, and tells how
    /// many there were. What does not fit is counted, not kept.
    #[inline]
    fn take(&mut self, text: &[u8]) -> usize {
        let room = WORD_CHARACTERS.saturating_sub(self.characters);
        let places = self.bytes.get_mut(self.length..self.length + room);
        let mut taken = 0;
        for (place, &byte) in places.unwrap_or_default().iter_mut().zip(text) {
            let action = ACTIONS[usize::from(byte)];
            if action <= NOT_ASCII {
                break;
            }
            *place = action;
            taken += 1;
        }
        self.length += taken;
        if taken == room {
            let more = text.iter().skip(taken);
            taken += more.take_while(|byte| byte.is_ascii_alphanumeric()).count();
        }
        self.characters += taken;
        taken
    }

    /// Adds one character. What does not fit is counted, not kept.
    fn push(&mut self, c: char) {
        if self.characters < WORD_CHARACTERS {
            let end = self.length + c.len_utf8();
            if let Some(place) = self.bytes.get_mut(self.length..end) {
                c.encode_utf8(place);
                self.length = end;
            }
        }
        self.characters += 1;
    }
}

/// What to do with a byte: an ASCII letter or digit stands for itself in lower case.
const ACTIONS: [u8; 256] = {
    let mut actions = [NOT_ASCII; 256];
    let mut byte = 0;
    while byte < 128 {
        let c = byte as u8;
        actions[byte] = match c {
            b' ' | b'\t' | b'\n' | b'\r' => SPACE,
            _ if c.is_ascii_alphanumeric() => c.to_ascii_lowercase(),
            _ if c.is_ascii_punctuation() => ALONE,
            _ => NOTHING,
        };
        byte += 1;
    }
    actions
};
const NOTHING: u8 = 0;
const SPACE: u8 = 1;
const ALONE: u8 = 2;
const NOT_ASCII: u8 = 3;

struct Reader<'a, V> {
    tokenizer: &'a Tokenizer,
    word: Word,
    batch: [u16; BATCH],
    filled: usize,
    visit: V,
}

impl<V: FnMut(&[u16])> Reader<'_, V> {
    fn read(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match ACTIONS[usize::from(byte)] {
                NOTHING => at += 1,
                SPACE => {
                    self.end_word();
                    at += 1;
                }
                ALONE => {
                    self.end_word();
                    self.put(self.tokenizer.punctuation[usize::from(byte) % 128]);
                    self.make_room();
                    at += 1;
                }
                NOT_ASCII => {
                    let c = text.get(at..).and_then(|rest| rest.chars().next());
                    c.into_iter().for_each(|c| self.beyond_ascii(c));
                    at += c.map_or(1, char::len_utf8);
                }
                _ => at += self.word.take(bytes.get(at..).unwrap_or_default()),
            }
        }
        self.end_word();
        self.give();
    }

    fn beyond_ascii(&mut self, c: char) {
        match self.tokenizer.classes.of(c) {
            Class::Nothing => {}
            Class::Space => self.end_word(),
            Class::Word => self.word.push(c),
            Class::Fold => folded(c, |part| self.folded(part)),
            Class::Alone => {
                self.end_word();
                self.word.push(c);
                self.end_word();
            }
            Class::AloneFolded => {
                self.end_word();
                folded(c, |part| self.folded(part));
                self.end_word();
            }
        }
    }

    /// A part of a decomposed character: its marks vanish, and it may be punctuation.
    fn folded(&mut self, part: char) {
        match self.tokenizer.classes.of(part) {
            Class::Nothing => {}
            Class::Space => self.end_word(),
            Class::Alone => {
                self.end_word();
                self.word.push(part);
                self.end_word();
            }
            Class::Word | Class::Fold | Class::AloneFolded => self.word.push(part),
        }
    }

    /// Ends the word, if there is one, and begins another.
    #[inline]
    fn end_word(&mut self) {
        if self.word.characters > 0 {
            let before = self.filled;
            if self.word.characters > WORD_CHARACTERS || !self.take_apart() {
                self.filled = before;
                self.put(self.tokenizer.vocabulary.unknown());
            }
            self.word.length = 0;
            self.word.characters = 0;
            self.make_room();
        }
    }

    /// Gives the batch away unless the next word is sure to fit: it has at most 100 pieces.
    #[inline]
    fn make_room(&mut self) {
        if self.filled + WORD_CHARACTERS > BATCH {
            self.give();
        }
    }

    /// Puts the pieces of the word into the batch; false if it does not come out.
    fn take_apart(&mut self) -> bool {
        let vocabulary = &self.tokenizer.vocabulary;
        let mut start = 0;
        let mut place = Place::First;
        while start < self.word.length {
            let rest = self.word.bytes.get(start..).unwrap_or_default();
            let left = self.word.length - start;
            let Some((length, number)) = vocabulary.longest(rest, left, place) else {
                return false;
            };
            self.put(number);
            start += length;
            place = Place::Inner;
        }
        true
    }

    fn put(&mut self, number: u16) {
        if let Some(slot) = self.batch.get_mut(self.filled) {
            *slot = number;
            self.filled += 1;
        }
    }

    fn give(&mut self) {
        if let Some(batch @ [_, ..]) = self.batch.get(..self.filled) {
            (self.visit)(batch);
        }
        self.filled = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Tokenizer {
        let lines = include_str!("../../datasets/static_minilm_128/vocab.txt");
        Tokenizer::parse(lines).unwrap()
    }

    fn pieces(tokenizer: &Tokenizer, text: &str) -> Vec<u16> {
        let mut all = Vec::new();
        tokenizer.pieces(text, |batch| all.extend_from_slice(batch));
        all
    }

    fn check(lines: &str, text: &str, expected: &[u16]) {
        let tokenizer = Tokenizer::parse(lines).unwrap();
        assert_eq!(pieces(&tokenizer, text), expected, "{text:?}");
    }

    const SMALL: &str = "[UNK]\nun\n##aff\n##able\naff\nable\n.\n##f";

    #[test]
    fn the_longest_piece_is_taken_first() {
        check(SMALL, "Unaffable. affable", &[1, 2, 3, 6, 4, 3]);
        check(SMALL, "able", &[5]);
    }

    #[test]
    fn a_word_that_does_not_come_out_is_one_unknown() {
        check(SMALL, "unaffx able", &[0, 5]);
        check(SMALL, "", &[]);
    }

    #[test]
    fn a_word_of_more_than_100_characters_is_unknown() {
        check("[UNK]\na\n##a", &"a".repeat(101), &[0]);
        let mut hundred = [2; 100];
        hundred[0] = 1;
        check("[UNK]\na\n##a", &"a".repeat(100), &hundred);
    }

    #[test]
    fn more_pieces_than_a_batch_come_in_several() {
        let tokenizer = Tokenizer::parse("[UNK]\na\n##a").unwrap();
        let mut batches = Vec::new();
        tokenizer.pieces(&"aaa ".repeat(200), |batch| batches.push(batch.len()));
        assert_eq!(batches.iter().sum::<usize>(), 600);
        assert!(batches.iter().all(|&length| length <= BATCH), "{batches:?}");
    }

    /// The file holds, line by line, a text as JSON and the numbers that the Python library
    /// `tokenizers` 0.23.3 gives for it: `BertNormalizer` and `BertPreTokenizer` with this vocabulary.
    #[test]
    fn the_pieces_are_those_of_the_reference_tokenizer() {
        let tokenizer = shipped();
        let golden = include_str!("wordpiece_golden.tsv");
        assert_eq!(golden.lines().count(), 31);
        for line in golden.lines() {
            let (text, numbers) = line.split_once('\t').unwrap();
            let text: String = serde_json::from_str(text).unwrap();
            let expected: Vec<u16> = numbers
                .split_whitespace()
                .map(|number| number.parse().unwrap())
                .collect();
            assert_eq!(pieces(&tokenizer, &text), expected, "{text:?}");
        }
    }
}
