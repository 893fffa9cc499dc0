//! The promise that every provider keeps.
//!
//! Not here: which endpoint is asked and how often (`complete`). A provider tries once.

use super::{Answer, Embedded, Error, Kind, Patience, Pieces, Prompt};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::fmt::Debug;

/// An endpoint that answers prompts. Dropping the future or the stream ends the call.
pub trait Provider: Send + Sync + Debug {
    /// The whole answer, or an error at the latest when `patience` has ended.
    fn complete<'a>(
        &'a self,
        prompt: Prompt<'a>,
        patience: Patience,
    ) -> BoxFuture<'a, Result<Answer, Error>>;

    /// The answer in pieces. The future is ready when the endpoint has accepted the prompt; the
    /// stream ends with [`Piece::Done`](super::Piece::Done) or with an error, at the latest when
    /// `patience` has ended.
    fn stream<'a>(
        &'a self,
        prompt: Prompt<'a>,
        patience: Patience,
    ) -> BoxFuture<'a, Result<Pieces, Error>>;

    /// Vectors for texts, in their order. [`Kind::Unsupported`] where the dialect has none.
    fn embed<'a>(
        &'a self,
        _model: &'a str,
        _texts: &'a [String],
        _dimensions: Option<u32>,
        _patience: Patience,
    ) -> BoxFuture<'a, Result<Embedded, Error>> {
        async { Err(Kind::Unsupported.into()) }.boxed()
    }
}
