//! What WordPiece does with a character: BERT's cleaning and splitting rules, by character.
//!
//! Control, format and private-use characters and non-spacing marks vanish; white space separates;
//! punctuation and CJK ideographs are words of their own; the rest is decomposed (NFD), freed of its
//! marks and made lower-case.
//!
//! Not here: words and pieces (`wordpiece`).
//!
//! Source: BERT's `BasicTokenizer` (Devlin et al. 2019, its published code), lower-case form.

use unicode_normalization::char::decompose_canonical;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// What becomes of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Part of a word, as it is.
    Word,
    /// Part of a word after [`folded`].
    Fold,
    /// A word of its own.
    Alone,
    /// A word of its own after [`folded`].
    AloneFolded,
    /// Ends a word.
    Space,
    /// Vanishes.
    Nothing,
}

/// Classes of the characters before this one are kept in a table: all scripts with an alphabet.
const TABLED: usize = 0x3000;

/// Classes by character.
#[derive(Debug)]
pub(super) struct Classes(Vec<Class>);

impl Classes {
    pub(super) fn new() -> Self {
        let tabled = (0..TABLED as u32).filter_map(char::from_u32);
        Self(tabled.map(classify).collect())
    }

    #[inline]
    pub(super) fn of(&self, c: char) -> Class {
        match self.0.get(c as usize) {
            Some(&class) => class,
            None => classify(c),
        }
    }
}

fn classify(c: char) -> Class {
    use GeneralCategory::{Control, Format, NonspacingMark, PrivateUse};
    // The two large scripts beyond the table, first: no look-up of their properties.
    match c {
        '\u{4e00}'..='\u{9fff}' => return Class::Alone,
        '\u{ac00}'..='\u{d7a3}' => return Class::Fold,
        '\t' | '\n' | '\r' => return Class::Space,
        '\u{fffd}' => return Class::Nothing,
        _ => {}
    }
    match c.general_category() {
        Control | Format | PrivateUse => Class::Nothing,
        _ if c.is_whitespace() => Class::Space,
        _ if is_ideograph(c) && changes(c) => Class::AloneFolded,
        _ if is_ideograph(c) => Class::Alone,
        NonspacingMark => Class::Nothing,
        _ if changes(c) => Class::Fold,
        _ if c.is_ascii_punctuation() => Class::Alone,
        _ if c.general_category_group() == GeneralCategoryGroup::Punctuation => Class::Alone,
        _ => Class::Word,
    }
}

/// The blocks that BERT takes for Chinese: ideographs, not kana or Hangul.
fn is_ideograph(c: char) -> bool {
    matches!(c,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{2a6df}' | '\u{2a700}'..='\u{2ceaf}' | '\u{2f800}'..='\u{2fa1f}')
}

/// Decomposed and lower-case, one character at a time.
pub(super) fn folded(c: char, mut visit: impl FnMut(char)) {
    decompose_canonical(c, |part| part.to_lowercase().for_each(&mut visit));
}

fn changes(c: char) -> bool {
    let mut same = true;
    folded(c, |part| same &= part == c);
    !same
}
