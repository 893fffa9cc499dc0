//! Stands around a stream: keeps its deadline, catches its panic, and tells a whole one from a cut one.
//!
//! Invariants: it ends after its terminal message and with status OK, or with exactly one failure and
//! nothing after it; a source that just stops is a failure; what the source logs is of its call, also as it is
//! dropped.
//!
//! Not here: the call before the stream began (`guard`).

use super::guard::{Call, panic_text};
use super::status::Failure;
use futures_util::Stream;
use futures_util::stream::BoxStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::time::Sleep;
use tonic::Status;

/// What a method streams.
pub(super) type Replies<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A guarded stream.
pub(super) struct Guarded<T> {
    inner: Option<BoxStream<'static, Result<T, Failure>>>,
    deadline: Option<Pin<Box<Sleep>>>,
    is_last: fn(&T) -> bool,
    call: Call,
}

impl<T> Guarded<T> {
    /// Guards `inner`, whose terminal message `is_last` knows.
    pub(super) fn new(
        call: Call,
        inner: BoxStream<'static, Result<T, Failure>>,
        is_last: fn(&T) -> bool,
    ) -> Self {
        let deadline = call
            .deadline
            .map(|at| Box::pin(tokio::time::sleep_until(at)));
        Self {
            inner: Some(inner),
            deadline,
            is_last,
            call,
        }
    }

    /// The next item; `None` where the source stopped short.
    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T, Failure>>> {
        let Some(inner) = self.inner.as_mut() else {
            return Poll::Ready(None);
        };
        let polled = catch_unwind(AssertUnwindSafe(|| inner.as_mut().poll_next(context)));
        let item = polled
            .unwrap_or_else(|panic| Poll::Ready(Some(Err(Failure::Internal(panic_text(&*panic))))));
        let late = item.is_pending()
            && self
                .deadline
                .as_mut()
                .is_some_and(|at| at.as_mut().poll(context).is_ready());
        if late {
            return Poll::Ready(Some(Err(Failure::DeadlineExceeded)));
        }
        item
    }

    fn polled(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T, Status>>> {
        if self.inner.is_none() {
            return Poll::Ready(None);
        }
        let item = match std::task::ready!(self.next(context)) {
            Some(item) => item,
            None => Err(Failure::Internal(
                "a stream stopped without its end".to_owned(),
            )),
        };
        if item.as_ref().map_or(true, self.is_last) {
            self.inner = None;
        }
        Poll::Ready(Some(item.map_err(|failure| self.call.refuse(&failure))))
    }
}

impl<T> Stream for Guarded<T> {
    type Item = Result<T, Status>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        this.call.log(|| this.polled(context))
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        let inner = self.inner.take();
        self.call.log(|| drop(inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::CallId;
    use futures_util::{StreamExt, stream};
    use std::sync::{Arc, Mutex};
    use tonic::Code;

    #[tokio::test]
    async fn what_a_source_logs_is_of_its_call() {
        let call = Call {
            id: CallId::new(9),
            ..Call::default()
        };
        let source = stream::iter([5, 0]).map(|n| match crate::telemetry::call() {
            Some(id) if id == CallId::new(9) => Ok(n),
            _ => Err(Failure::DeadlineExceeded),
        });
        check(call, source.boxed(), &[Ok(5), Ok(0)]).await;
    }

    #[tokio::test]
    async fn what_a_source_logs_as_its_caller_goes_is_of_its_call() {
        struct Told(Arc<Mutex<Option<CallId>>>);
        impl Drop for Told {
            fn drop(&mut self) {
                *self.0.lock().unwrap() = crate::telemetry::call();
            }
        }
        let call = Call {
            id: CallId::new(9),
            ..Call::default()
        };
        let told = Arc::new(Mutex::new(None));
        let held = Told(Arc::clone(&told));
        let source = stream::iter([1]).chain(stream::pending()).map(move |n| {
            let _held = &held;
            Ok(n)
        });
        let mut guarded = Guarded::new(call, source.boxed(), |n| *n == 0);
        let first = StreamExt::next(&mut guarded).await;
        assert_eq!(first.map(Result::unwrap), Some(1));
        drop(guarded);
        assert_eq!(*told.lock().unwrap(), Some(CallId::new(9)));
    }

    /// What a caller sees of a source; 0 is the terminal message.
    async fn check(
        call: Call,
        source: BoxStream<'static, Result<u32, Failure>>,
        expected: &[Result<u32, Code>],
    ) {
        let seen: Vec<_> = Guarded::new(call, source, |n| *n == 0)
            .map(|item| item.map_err(|status| status.code()))
            .collect()
            .await;
        assert_eq!(seen, expected);
    }

    #[tokio::test]
    async fn a_stream_ends_with_its_terminal_message() {
        let source = stream::iter([Ok(2), Ok(1), Ok(0), Ok(9)]).boxed();
        check(Call::default(), source, &[Ok(2), Ok(1), Ok(0)]).await;
    }

    #[tokio::test]
    async fn a_source_that_stops_short_is_a_failure() {
        let source = stream::iter([Ok(2)]).boxed();
        check(Call::default(), source, &[Ok(2), Err(Code::Internal)]).await;
    }

    #[tokio::test]
    async fn nothing_follows_a_failure() {
        let source = stream::iter([Ok(2), Err(Failure::StoreFull), Ok(0)]).boxed();
        check(
            Call::default(),
            source,
            &[Ok(2), Err(Code::ResourceExhausted)],
        )
        .await;
    }

    #[tokio::test]
    async fn a_panic_ends_one_stream() {
        let source = stream::iter([1, 2]).map(|n| if n == 2 { panic!("no") } else { Ok(n) });
        check(
            Call::default(),
            source.boxed(),
            &[Ok(1), Err(Code::Internal)],
        )
        .await;
    }

    #[tokio::test]
    async fn a_deadline_ends_a_stream_that_says_nothing_more() {
        let deadline = tokio::time::Instant::now();
        let call = Call {
            deadline: Some(deadline),
            ..Call::default()
        };
        let source = stream::iter([Ok(1)]).chain(stream::pending()).boxed();
        check(call, source, &[Ok(1), Err(Code::DeadlineExceeded)]).await;
    }
}
