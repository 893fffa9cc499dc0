//! `POST /v1/chat/completions`: read, ask the use case, answer whole or in pieces.
//!
//! Invariants: no call outlives its caller's deadline.
//!
//! Not here: any decision.

use super::body::Reply;
use super::call::{CallId, deadline};
use super::chat_request::{self, Wanted};
use super::routing::Known;
use super::status::Failure;
use super::{chat_reply, sse};
use crate::complete::Complete;
use http::HeaderMap;
use tokio::time::{Instant, timeout_at};

/// Answers one call that came in at `arrived`.
pub(super) async fn answer(
    complete: &Complete,
    known: Known<'_>,
    call: CallId,
    head: &HeaderMap,
    body: &[u8],
    arrived: Instant,
) -> Result<Reply, Failure> {
    let Wanted {
        request,
        include_usage,
    } = chat_request::read(body, head, known)?;
    let deadline = deadline(head, request.streaming, arrived);
    let late = |_| Failure::DeadlineExceeded;
    if request.streaming {
        let asked = complete.stream(known.grant, &request, deadline);
        let streaming = timeout_at(deadline, asked).await.map_err(late)??;
        return Ok(sse::reply(call, streaming, include_usage, deadline));
    }
    let asked = complete.complete(known.grant, &request, deadline);
    let done = timeout_at(deadline, asked).await.map_err(late)??;
    Ok(chat_reply::whole(&done))
}
