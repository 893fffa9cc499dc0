//! Which words a decision keeps.
//!
//! Invariants: the record says itself whether its content is as it was said, whatever the team records later.
//!
//! Not here: how words are redacted (`redaction`), and when (`route`, `complete`).

use super::Decision;

/// How redacted content begins.
const REDACTED: &str = "{\"redacted\":";

/// Which words are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// None.
    None,
    /// With marks in place of personal data and secrets.
    Redacted,
    /// All of them.
    Whole,
}

impl Decision {
    /// What is kept of redacted messages, a JSON list. The record says itself that it is not word for word, whatever
    /// the team records later.
    pub fn redacted(messages: &str) -> String {
        format!("{REDACTED}{messages}}}")
    }

    /// Which words of its answer are kept: as of those of its request.
    pub fn words(&self) -> Words {
        match &self.content {
            None => Words::None,
            Some(content) if content.starts_with(REDACTED) => Words::Redacted,
            Some(_) => Words::Whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sample::decision;

    #[test]
    fn a_record_says_which_words_it_keeps() {
        let of = |content: Option<&str>| {
            let content = content.map(str::to_owned);
            Decision {
                content,
                ..decision(1)
            }
            .words()
        };
        assert_eq!(of(None), Words::None);
        assert_eq!(of(Some("[]")), Words::Whole);
        assert_eq!(of(Some(&Decision::redacted("[]"))), Words::Redacted);
        assert_eq!(Decision::redacted("[]"), r#"{"redacted":[]}"#);
    }
}
