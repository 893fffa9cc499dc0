//! Telemetry: what an operator sees of a running server: lines of log, metrics, and spans of calls.
//!
//! Reading order: [`table`] (every metric there is), [`Metrics`] (what is told to them), [`Underway`] (one call),
//! [`Witness`] (who is told of each by itself), [`otlp`] (spans and events for a collector), [`mod@log`].
//!
//! Metrics are cells of our own, made at the start, one for each series that the configuration allows: telling one
//! is a look-up by name and an addition to an atomic. (The usual exporter keeps each sample of a histogram until
//! somebody reads it, which grows where nobody does, and makes its labels anew unless its handles are kept: then
//! all that it adds is the text format, which is `text`.)
//!
//! Invariants: no value of a label comes from a caller: they are names of the configuration and words of ours, so
//! the number of series is known at the start; telling takes no lock, waits for nobody and allocates nothing, unless
//! there is a witness. Teams are tenants: they are in no label and no span unless the operator asks for that.
//!
//! Not here: who tells (`route`, `complete`, `learn::Intake`), the listener (`server`).
//!
//! Units: seconds and US dollars in the text, nanoseconds and nano-dollars in the cells.

mod call;
mod call_id;
mod cell;
mod current;
mod grid;
mod guarded;
mod limit;
pub mod log;
mod metrics;
mod now;
pub mod otlp;
mod parent;
mod reason;
pub mod table;
mod text;
mod witness;

pub use call::{Method, Outcome, Underway};
pub use call_id::CallId;
pub use current::{Call, call, of_call, within_call};
pub use log::{Error, Format, init};
pub use metrics::{Labels, Metrics, Taken};
pub use now::Now;
pub use parent::Parent;
pub use witness::{End, Lost, Span, Witness};
