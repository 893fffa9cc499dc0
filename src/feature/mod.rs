//! Features: a request becomes a context, the vector that the bandit learns on (SCIENCE 2.1).
//!
//! The context has [`DIM`] = 105 coordinates in four blocks: 32 of what the caller declared (task,
//! tags, form of the answer), 64 of the text, 8 of the text's structure, and the constant 1.
//!
//! Invariants: every coordinate is finite; each block's norm is at most 1, so norm(x)^2 <= 4; the
//! last coordinate is 1; the same request gives the same bits. The work is bounded whatever the
//! length of the text, and [`Extractor::extract`] allocates nothing.
//!
//! Not here: what was asked over the wire (`grpc`), what is learned from the vector (`bandit`). The
//! turn of the conversation, its tokens and its cached prefix are left out: a caller for whom they
//! matter sends them as number tags.
//!
//! A set of features has a name, [`Extractor::feature_set`], logged with each decision. Any change to
//! what a coordinate means is a new name: statistics of two sets are never mixed.

mod character;
mod declared;
mod embedding;
mod excerpt;
mod extractor;
mod projection;
mod request;
mod structural;
mod vocabulary;
mod wordpiece;

pub use extractor::{DIM, ENDS, Error, Extractor};
pub use request::{Request, Tag, TagValue};
