//! What is new in a conversation, as two hashes and one of its tool calls.
//!
//! New is what stands from the last but one of the assistant's messages on: an agent that sends its growing
//! conversation is compared by its last two steps, so that neither a test that is run again after a change nor a step
//! that follows another one is taken for a circle. Standing instructions are left out.
//!
//! Invariants: at most 16 messages are read, and 2 KiB from either end of each of their texts; equal texts give equal
//! fingerprints on every machine.
//!
//! Source: M. Charikar, Similarity estimation techniques from rounding algorithms, STOC 2002: each bit is the sign of a
//! sum over hashed features, and two texts differ in a bit with probability `angle / pi`. Features are runs of three
//! words. Of 100 words one that is another changes 3 of 98, an angle of 0.25, 5 of 64 bits.

use crate::chat::{ContentPart, Message, Role, ToolCall};

/// Most messages that are read.
const MESSAGES: usize = 16;

/// Bytes read from either end of a text.
const BYTES: usize = 2048;

/// Words in a feature.
const RUN: usize = 3;

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    /// Equal where all of it is.
    whole: u64,
    /// Near where most of it is.
    sketch: u64,
    /// The calls of the assistant's last message, if it made any.
    pub(super) calls: Option<u64>,
}

impl Fingerprint {
    /// Of what is new in a conversation. `None`: nobody but the system speaks.
    ///
    /// ```
    /// use bellwether::chat::{Message, Role};
    /// use bellwether::recurrence::Fingerprint;
    /// let ask = |text| Fingerprint::of(&[Message::text(Role::User, text)]).unwrap();
    /// assert!(ask("read the file").is_near(&ask("Read  the file."), 0));
    /// assert!(!ask("read the file").is_near(&ask("write a test"), 2));
    /// ```
    pub fn of(messages: &[Message]) -> Option<Self> {
        let said = |message: &&Message| message.role == Role::Assistant;
        let last = messages.iter().rev().find(said);
        let mut assistants = messages.iter().enumerate().rev().filter(|(_, m)| said(m));
        let from = assistants.nth(1).map_or(0, |(at, _)| at);
        let new = messages.get(from..).unwrap_or_default();
        let new = new.iter().filter(|message| message.role != Role::System);
        let new: Vec<_> = new.rev().take(MESSAGES).collect();
        if new.is_empty() {
            return None;
        }
        let mut sketch = Sketch::default();
        for message in new.into_iter().rev() {
            sketch.word(&[message.role as u8]);
            message.content.iter().for_each(|part| sketch.part(part));
            message.tool_calls.iter().for_each(|call| sketch.call(call));
        }
        let calls = last.map_or(&[][..], |message| &message.tool_calls);
        let mut made = Sketch::default();
        calls.iter().for_each(|call| made.call(call));
        Some(Self {
            whole: sketch.whole,
            sketch: sketch.signs(),
            calls: (!calls.is_empty()).then_some(made.whole),
        })
    }

    /// Whether another one is the same, but for so many of 64 bits.
    pub fn is_near(&self, other: &Self, bits: u32) -> bool {
        self.whole == other.whole || (bits > 0 && (self.sketch ^ other.sketch).count_ones() <= bits)
    }
}

/// The sums so far.
struct Sketch {
    whole: u64,
    run: [u64; RUN],
    sums: [i32; 64],
}

impl Default for Sketch {
    fn default() -> Self {
        Self {
            whole: 0,
            run: [0; RUN],
            sums: [0; 64],
        }
    }
}

impl Sketch {
    fn part(&mut self, part: &ContentPart) {
        match part {
            ContentPart::Text(text) => self.text(text),
            ContentPart::ImageUrl(url) => self.text(url),
            ContentPart::Audio { data, .. } => self.text(data),
            ContentPart::File { data_url, .. } => self.text(data_url),
            // The model's, and another one each time.
            ContentPart::Reasoning(_) => {}
        }
    }

    /// Without its id, which is another one each time.
    fn call(&mut self, call: &ToolCall) {
        self.text(&call.name);
        self.text(&call.arguments_json);
    }

    fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let (head, rest) = bytes.split_at(bytes.len().min(BYTES));
        self.words(head);
        self.words(
            rest.get(rest.len().saturating_sub(BYTES)..)
                .unwrap_or_default(),
        );
        self.word(&bytes.len().saturating_sub(2 * BYTES).to_le_bytes());
    }

    /// Words of letters and digits, in lower case; bytes that are no ASCII are letters.
    fn words(&mut self, bytes: &[u8]) {
        let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
        for word in bytes
            .split(|byte| !is_of_word(byte))
            .filter(|w| !w.is_empty())
        {
            self.word(word);
        }
    }

    fn word(&mut self, word: &[u8]) {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in word {
            hash = (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3);
        }
        self.run.rotate_left(1);
        self.run[RUN - 1] = hash;
        let mut run = 0;
        for word in self.run {
            run = mixed(run ^ word);
        }
        self.whole = mixed(self.whole ^ hash);
        for (bit, sum) in self.sums.iter_mut().enumerate() {
            *sum = sum.saturating_add(((run >> bit) & 1) as i32 * 2 - 1);
        }
    }

    fn signs(&self) -> u64 {
        let bits = self.sums.iter().enumerate();
        bits.fold(0, |all, (bit, sum)| all | (u64::from(*sum > 0) << bit))
    }
}

/// The finalizer of SplitMix64.
const fn mixed(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
