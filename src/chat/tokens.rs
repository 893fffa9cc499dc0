//! How many input tokens a request has: how many to expect, and how many there can be at most.
//!
//! The two are for two things and differ by type. What is *expected* ([`InputTokens::expected`]) is what a choice
//! compares arms by, what an arm's context must have room for and what a limit on the expected cost looks at; a
//! prompt that turns out longer is refused by its provider, at no cost. The *bound* ([`InputTokens::bound`]) is
//! what a hard limit holds: money that is held comes back in seconds, money that is overspent does not.
//!
//! | what | expected | at most | source of the bound |
//! |---|---|---|---|
//! | text, names, arguments, schemas | characters / 4 | UTF-8 bytes | a token of a byte-level BPE covers a byte or more |
//! | what was thought | 0 | bytes of words and signature | the signature carries the whole thought, enciphered |
//! | an image | [`AN_IMAGE`] | [`MOST_IMAGE`] | the dearest documented size (below) |
//! | sound | 20 a second | 32 a second, of the header's length or the lowest bit rate | Gemini's rate; OpenAI counts 10 |
//! | a document of text | bytes / 4 | bytes | as text |
//! | any other document | 1,500 a page, a page of 50 kB, 20 at most | 3 a byte and [`MOST_PAGE`] | ours (below) |
//! | forms around them | 0 | constants below | ours, above what providers document |
//!
//! Why bytes and nothing closer: of five vocabularies (OpenAI's of 50, 100 and 200 thousand, Claude 2's, Llama
//! 2's) the hungriest had 0.30 tokens a byte of English and Rust, 0.49 of JSON, 0.83 of base64, 0.98 of Burmese
//! and of random Unicode, and 1.00 of numbers between commas: any share of a byte that saves much would let
//! some usual text spend past a limit. The price is that a hold is some three times the input's cost where
//! the text is prose or code. What keeps that from refusing falsely: a caller's own count is taken at its word
//! ([`InputTokens::counted`]; no hold is less than what is expected of the messages that came with it); no hold counts more input than the arm's context holds
//! (`eligibility::worst_case`); and only holds and hard limits ever see the bound.
//!
//! Where the bound is none: a vocabulary that first rewrites text by compatibility forms (T5's) can have more
//! tokens than bytes; `gpt-4o-mini` counts 33 times the tokens of an image that its elders count, at a price so
//! much lower (8 tiles are 48,169); of a document that is no text only a provider knows the pages, and a page may
//! be less than 1,500 bytes. What is spent past a hold is counted as overrun.
//!
//! Invariants: the bound is never below what is expected; another part, message or tool lowers neither.
//!
//! Not here: output tokens (`eligibility::Arm`), prices, how much of it a cache holds (`warmth`).
//!
//! Units: characters are Unicode scalar values; bytes of base64 are those that it stands for.
//!
//! Source: byte-level BPE: Radford et al. 2019, 2.2 (SentencePiece falls back to bytes too). Images: OpenAI,
//! "Images and vision" (85 + 170 for each of at most 8 tiles; at most 1,536 patches x 2.46); Anthropic, "Vision" (at
//! most 4,784); Gemini, "Understand and count tokens" (258 for each tile of 768 pixels); Together, "Vision" (1,601
//! for each of at most 4 tiles: the dearest). Pages: Anthropic, "PDF support" (1,500 to 3,000 and the page as
//! an image). Sound: Gemini, as above. Tools: Anthropic, "Tool use" (at most 735 tokens once).

use super::{ContentPart, Generation, Message, ResponseFormat, Tool, ToolCall};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Tokens that an image is expected to have: OpenAI's of 1024 x 1024 pixels.
const AN_IMAGE: u64 = 765;

/// Most tokens of an image.
const MOST_IMAGE: u64 = 6_404;

/// Most tokens of one page of a document: as an image, and 3,000 of text.
const MOST_PAGE: u64 = 4_784 + 3_000;

/// Tokens that a page is expected to have, and its bytes.
const A_PAGE: (u64, u64) = (1_500, 50_000);

/// Most pages that a document is expected to have: a wrong guess must not keep it from every context.
const EXPECTED_PAGES: u64 = 20;

/// Tokens of a second of sound: expected, and at most.
const A_SECOND: (u64, u64) = (20, 32);

/// Bytes of a second of sound: at a usual bit rate of speech (64 kbit/s), and at the lowest (4 kbit/s).
const SOUND_BYTES: (u64, u64) = (8_000, 500);

/// Most tokens of what a chat template puts around a request.
const MOST_REQUEST: u64 = 64;

/// ... around a message; one of its parts; a call of a tool.
const MOST_MESSAGE: u64 = 16;
const MOST_PART: u64 = 4;
const MOST_CALL: u64 = 32;

/// ... before all tools, and around each.
const MOST_TOOLS: u64 = 768;
const MOST_TOOL: u64 = 64;

/// ... around the form that is asked of the answer.
const MOST_FORMAT: u64 = 512;

/// A number of tokens that is not exceeded.
///
/// ```
/// use bellwether::chat::TokenBound;
/// let bound = TokenBound::new(3).and(TokenBound::new(4));
/// assert_eq!((bound.get(), bound.at_most(5).get()), (7, 5));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TokenBound(u32);

impl TokenBound {
    /// So many at most.
    pub const fn new(tokens: u32) -> Self {
        Self(tokens)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Of these and those together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Where there cannot be more than `most` either.
    #[must_use]
    pub fn at_most(self, most: u32) -> Self {
        Self(self.0.min(most))
    }
}

/// Input tokens of a request.
///
/// ```
/// use bellwether::chat::{InputTokens, Message, ResponseFormat, Role};
/// let said = [Message::text(Role::User, "12345678")];
/// let tokens = InputTokens::of(&said, &[], &ResponseFormat::Text);
/// assert_eq!(tokens.expected(), 2);
/// // 8 bytes, and 64 + 16 + 4 of forms.
/// assert_eq!(tokens.bound().get(), 92);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InputTokens {
    expected: u32,
    bound: TokenBound,
}

impl InputTokens {
    /// As the caller counted them, which is taken at its word.
    pub const fn counted(tokens: u32) -> Self {
        Self {
            expected: tokens,
            bound: TokenBound(tokens),
        }
    }

    /// With no less than `tokens` held.
    #[must_use]
    pub fn at_least(self, tokens: u32) -> Self {
        let bound = TokenBound(self.bound.0.max(tokens));
        Self { bound, ..self }
    }

    /// Of what is said, offered and asked for.
    pub fn of(messages: &[Message], tools: &[Tool], format: &ResponseFormat) -> Self {
        let mut sum = Sum {
            most: MOST_REQUEST,
            ..Sum::default()
        };
        messages.iter().for_each(|message| sum.message(message));
        sum.tools(tools);
        sum.format(format);
        sum.tokens()
    }

    /// Where these messages follow.
    #[must_use]
    pub fn and<'a>(self, more: impl IntoIterator<Item = &'a Message>) -> Self {
        let mut sum = Sum::default();
        more.into_iter().for_each(|message| sum.message(message));
        let more = sum.tokens();
        Self {
            expected: self.expected.saturating_add(more.expected),
            bound: self.bound.and(more.bound),
        }
    }

    /// Where it is said how to answer: a parameter that we pass on unread may be put before the model.
    #[must_use]
    pub fn beside(self, generation: &Generation) -> Self {
        let mut sum = Sum::default();
        for extra in &generation.extra {
            sum.hidden(&extra.name);
            sum.hidden(&extra.json);
        }
        let bound = self.bound.and(sum.tokens().bound);
        Self { bound, ..self }
    }

    /// How many to expect.
    pub const fn expected(self) -> u32 {
        self.expected
    }

    /// How many there can be.
    pub const fn bound(self) -> TokenBound {
        self.bound
    }
}

/// Tokens of a text of `characters`, estimated: 4 characters a token, rounded up.
///
/// ```
/// assert_eq!(bellwether::chat::estimated_tokens(9), 3);
/// ```
pub fn estimated_tokens(characters: usize) -> u32 {
    u32::try_from(characters.div_ceil(4)).unwrap_or(u32::MAX)
}

/// What was counted so far.
#[derive(Default)]
struct Sum {
    /// Characters of text.
    characters: usize,
    /// Tokens that are expected beside those.
    expected: u64,
    most: u64,
}

impl Sum {
    /// Text that is expected at four characters a token.
    fn text(&mut self, text: &str) {
        self.characters = self.characters.saturating_add(text.chars().count());
        self.hidden(text);
    }

    /// Text that is not expected to count.
    fn hidden(&mut self, text: &str) {
        self.most += text.len() as u64;
    }

    fn add(&mut self, (expected, most): (u64, u64)) {
        self.expected += expected;
        self.most += most;
    }

    fn message(&mut self, message: &Message) {
        self.most += MOST_MESSAGE;
        message.content.iter().for_each(|part| self.part(part));
        message.tool_calls.iter().for_each(|call| self.call(call));
        self.hidden(message.tool_call_id.as_deref().unwrap_or_default());
    }

    fn part(&mut self, part: &ContentPart) {
        self.most += MOST_PART;
        match part {
            ContentPart::Text(text) => self.text(text),
            ContentPart::ImageUrl(_) => self.add((AN_IMAGE, MOST_IMAGE)),
            ContentPart::Audio { data, .. } => self.add(sound(data)),
            ContentPart::File { name, data_url } => {
                self.hidden(name);
                self.add(document(data_url));
            }
            ContentPart::Reasoning(thought) => {
                self.hidden(&thought.text);
                self.hidden(thought.signature.as_deref().unwrap_or_default());
            }
        }
    }

    fn call(&mut self, call: &ToolCall) {
        self.most += MOST_CALL;
        self.hidden(&call.id);
        self.text(&call.name);
        self.text(&call.arguments_json);
    }

    fn tools(&mut self, tools: &[Tool]) {
        if !tools.is_empty() {
            self.most += MOST_TOOLS;
        }
        for tool in tools {
            self.most += MOST_TOOL;
            self.text(&tool.name);
            self.text(&tool.description);
            self.text(&tool.parameters_json_schema);
        }
    }

    fn format(&mut self, format: &ResponseFormat) {
        match format {
            ResponseFormat::Text => {}
            ResponseFormat::JsonObject => self.most += MOST_FORMAT,
            ResponseFormat::JsonSchema(schema) => {
                self.most += MOST_FORMAT;
                self.text(schema);
            }
        }
    }

    fn tokens(self) -> InputTokens {
        let tokens = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let expected = u64::from(estimated_tokens(self.characters)).saturating_add(self.expected);
        InputTokens {
            expected: tokens(expected),
            // A quarter of a token is rounded up, for all text at once.
            bound: TokenBound(tokens(self.most.max(expected))),
        }
    }
}

/// Tokens of sound in base64: expected, and at most.
fn sound(data: &str) -> (u64, u64) {
    let bytes = decoded(data);
    let (usual, lowest) = match wave_bytes_a_second(data) {
        Some(rate) => (rate, rate),
        None => SOUND_BYTES,
    };
    let tokens = |rate: u64, a_second: u64| (bytes * a_second).div_ceil(rate);
    (tokens(usual, A_SECOND.0), tokens(lowest, A_SECOND.1))
}

/// Bytes of a second of uncompressed sound, by the header of a WAV file; `None` for all else. What a decoder plays
/// it by counts: rate, channels and bits of a sample.
fn wave_bytes_a_second(data: &str) -> Option<u64> {
    const HEADER: usize = 36;
    let head = data.get(..HEADER / 3 * 4)?;
    let head = STANDARD.decode(head).ok()?;
    let is = |at: usize, word: &[u8]| head.get(at..at + word.len()) == Some(word);
    let number = |at: usize, bytes: usize| {
        let digits = head.get(at..at + bytes)?.iter().rev();
        Some(digits.fold(0, |sum, digit| (sum << 8) | u64::from(*digit)))
    };
    let (plain, float) = (Some(1), Some(3));
    let format = number(20, 2);
    if !is(0, b"RIFF") || !is(8, b"WAVEfmt ") || (format != plain && format != float) {
        return None;
    }
    let (channels, rate, bits) = (number(22, 2)?, number(24, 4)?, number(34, 2)?);
    let bytes = rate.saturating_mul(channels).saturating_mul(bits) / 8;
    Some(bytes.max(SOUND_BYTES.1))
}

/// Tokens of a document in a data URL: expected, and at most.
fn document(data_url: &str) -> (u64, u64) {
    let (head, data) = data_url.split_once(',').unwrap_or(("", data_url));
    let bytes = match head.ends_with(";base64") {
        true => decoded(data),
        false => data.len() as u64,
    };
    if head.starts_with("data:text/") {
        return (bytes.div_ceil(4), bytes);
    }
    let (tokens, page_bytes) = A_PAGE;
    let pages = bytes.div_ceil(page_bytes).clamp(1, EXPECTED_PAGES);
    (pages * tokens, MOST_PAGE + bytes * 3)
}

/// Bytes that base64 stands for, at most.
fn decoded(base64: &str) -> u64 {
    (base64.len() as u64).div_ceil(4) * 3
}

#[cfg(test)]
mod tests;
