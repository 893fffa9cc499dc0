//! Endpoints in this process that note who asks them and fail in every way that a provider can.

use super::ask::Ask;
use super::chance::Chance;
use bellwether::chat::{ContentPart, Message, Role};
use bellwether::decision::Usage;
use bellwether::provider::{
    Answer, Embedded, Error, FinishReason, Kind, Patience, Piece, Pieces, Prompt, Provider,
};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Who was asked what, in order: places of endpoints by the request's id.
#[derive(Debug, Default)]
pub(super) struct Log(Mutex<BTreeMap<u64, Vec<usize>>>);

impl Log {
    /// Notes it; how many asked before for the same request.
    fn tried(&self, id: u64, place: usize) -> usize {
        let mut tried = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tries = tried.entry(id).or_default();
        tries.push(place);
        tries.len() - 1
    }

    pub(super) fn of(&self, id: u64) -> Vec<usize> {
        let mut tried = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tried.remove(&id).unwrap_or_default()
    }

    /// What was asked and has not been taken: requests with the places of endpoints.
    pub(super) fn left(&self) -> BTreeMap<u64, Vec<usize>> {
        let tried = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tried.clone()
    }
}

/// What goes wrong.
enum Fault {
    None,
    Fails(Kind),
    Hangs,
    /// It says what no check takes.
    Garbage,
    /// After so many pieces, and how.
    Breaks(usize, Break),
}

enum Break {
    Error,
    End,
    Silence,
}

#[derive(Debug)]
pub(super) struct Watched {
    pub(super) place: usize,
    pub(super) seed: u64,
    pub(super) log: Arc<Log>,
}

impl Watched {
    fn asked(&self, text: &str) -> (Fault, usize) {
        let id = Ask::of(text);
        let nth = self.log.tried(id, self.place);
        let mut chance = Chance::new(self.seed ^ id.wrapping_mul(0x9e37_79b9) ^ (nth as u64) << 48);
        let fault = match chance.below(20) {
            0..=7 => Fault::None,
            8..=13 => Fault::Fails(chance.one(&Kind::ALL)),
            14 => Fault::Hangs,
            15..=17 => Fault::Garbage,
            18 => Fault::Breaks(chance.below(2), Break::Error),
            _ if chance.hit(0.5) => Fault::Breaks(chance.below(2), Break::End),
            _ => Fault::Breaks(chance.below(2), Break::Silence),
        };
        (fault, chance.below(4))
    }
}

/// Others have their turn meanwhile.
async fn yielded(times: usize) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

/// Silence, for as long as it is waited for.
async fn silence(deadline: Instant, most: Duration) -> Error {
    let limit = Instant::now() + most;
    sleep_until(limit.min(deadline)).await;
    match limit <= deadline {
        true => Kind::Timeout.into(),
        false => Kind::DeadlineExceeded.into(),
    }
}

fn text(prompt: &Prompt<'_>) -> String {
    let first = prompt
        .messages
        .first()
        .and_then(|message| message.content.first());
    match first {
        Some(ContentPart::Text(text)) => text.clone(),
        other => panic!("{other:?}"),
    }
}

fn usage() -> Usage {
    Usage {
        input: Some(100),
        cached_input: Some(50),
        output: Some(10),
        ..Usage::default()
    }
}

fn done() -> Result<Piece, Error> {
    Ok(Piece::Done {
        finish_reason: FinishReason::Stop,
        usage: usage(),
    })
}

fn said(text: &str) -> Result<Piece, Error> {
    Ok(Piece::Text(text.to_owned()))
}

impl Provider for Watched {
    fn complete<'a>(
        &'a self,
        prompt: Prompt<'a>,
        patience: Patience,
    ) -> BoxFuture<'a, Result<Answer, Error>> {
        async move {
            let (fault, turns) = self.asked(&text(&prompt));
            yielded(turns).await;
            let words = match fault {
                Fault::None => "{\"a\": 1}",
                Fault::Garbage => "{\"a\": ",
                Fault::Fails(kind) => return Err(kind.into()),
                Fault::Breaks(..) => return Err(Kind::Cut.into()),
                Fault::Hangs => return Err(silence(patience.deadline, patience.total).await),
            };
            Ok(Answer {
                message: Message::text(Role::Assistant, words),
                finish_reason: FinishReason::Stop,
                usage: usage(),
                latency: Duration::from_millis(5),
            })
        }
        .boxed()
    }

    fn stream<'a>(
        &'a self,
        prompt: Prompt<'a>,
        patience: Patience,
    ) -> BoxFuture<'a, Result<Pieces, Error>> {
        async move {
            let (fault, turns) = self.asked(&text(&prompt));
            yielded(turns).await;
            let whole = || vec![said("{\"a\""), said(": 1}"), done()];
            let (deadline, idle) = (patience.deadline, patience.idle.min(patience.first));
            let pieces = match fault {
                Fault::None => stream::iter(whole()).boxed(),
                Fault::Garbage => stream::iter([said("{"), done()]).boxed(),
                Fault::Fails(kind) => return Err(kind.into()),
                Fault::Hangs => return Err(silence(deadline, idle).await),
                Fault::Breaks(after, how) => {
                    let begun = stream::iter(whole().into_iter().take(after));
                    match how {
                        Break::Error => begun
                            .chain(stream::iter([Err(Kind::ServerError.into())]))
                            .boxed(),
                        Break::End => begun.boxed(),
                        Break::Silence => begun
                            .chain(stream::once(
                                async move { Err(silence(deadline, idle).await) },
                            ))
                            .boxed(),
                    }
                }
            };
            Ok(pieces)
        }
        .boxed()
    }

    fn embed<'a>(
        &'a self,
        _model: &'a str,
        texts: &'a [String],
        _dimensions: Option<u32>,
        patience: Patience,
    ) -> BoxFuture<'a, Result<Embedded, Error>> {
        async move {
            let (fault, turns) = self.asked(&texts[0]);
            yielded(turns).await;
            match fault {
                Fault::None => Ok(Embedded {
                    vectors: vec![vec![0.5; 4]],
                    usage: usage(),
                }),
                Fault::Garbage => Err(Kind::Malformed.into()),
                Fault::Fails(kind) => Err(kind.into()),
                Fault::Breaks(..) => Err(Kind::Cut.into()),
                Fault::Hangs => Err(silence(patience.deadline, patience.total).await),
            }
        }
        .boxed()
    }
}
