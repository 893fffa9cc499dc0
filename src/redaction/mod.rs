//! Redaction: personal data and secrets are found in text, and marks stand in their place.
//!
//! Reading order: [`Kind`] (what is looked for), [`Redactor`] (finds it in a text, in JSON, in a message).
//!
//! Invariants: a mark is `[REDACTED:KIND]`; UTF-8 stays UTF-8, valid JSON stays valid; what was redacted stays as it is when
//! it is redacted again; time grows with the length of the text, whatever stands in it.
//!
//! Not here: who asks for it, and what follows (`route`: what is kept, and what may leave). It finds what has a form: names,
//! addresses of houses and diseases have none. It is a net under people's care, and no proof that nothing was said.
//!
//! # Why `leakguard`
//!
//! Compared with `redact-core` 0.12 on 29 planted texts, ten innocent ones and the 155 KB of code of `route`
//! (leakguard 1.0.0 with its detector of telephone numbers, both optimised, on one busy core):
//!
//! | | leakguard | redact-core |
//! |---|---|---|
//! | planted that it finds | 20 | 22 |
//! | misses | IBAN in groups, `+49 30 901820`, bearer token, AWS secret, GitLab, npm, Hugging Face, password, our keys | IPv6, `sk-proj-`, `+49 30 901820`, AWS secret, Hugging Face, password, our keys; the `+1` of a number |
//! | wrongly finds | `::` of Rust as IPv6, `1999-2003` as a telephone number, a time of 14 digits as a card | `self.token` as a domain, hashes, UUIDs, dates, zip codes, the same card |
//! | code, microseconds a KB | 34 | 76 |
//! | the worst of 16 hostile texts | 59 | 2,021 (`1.1.1.1...`) |
//! | dependencies | none | aes-gcm, pbkdf2 (a release candidate), blake3, regex and 8 more |
//!
//! What leakguard misses of these, and what it wrongly finds but for a time in digits that starts like a card, is ours
//! (`token`, `pem`, `personal`; the tests of `redactor` hold the texts): five more passes over the bytes, whose time is not in the
//! table.
//!
//! Of its own are also, since its time grew with the square of the text or its finds ended too late: web tokens, private
//! keys that are cut off, addresses at the end of a sentence, and cards with a date behind them.
//!
//! An address made of version numbers (`10.15.7.1`) and the like cannot be told from what they look like.

mod conversation;
mod json;
mod kind;
mod pem;
mod personal;
mod redactor;
mod token;

pub use conversation::{Finding, Place};
pub use kind::{Kind, Kinds};
pub use redactor::{Redacted, Redactor};
