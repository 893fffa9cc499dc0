//! Bellwether: a self-hosted model router that learns from a team's own outcomes.
//!
//! # The life of a request
//!
//! 1. A call arrives ([`grpc`], or [`mod@http`] for what speaks OpenAI's API) with a key; the key names a team ([`access`]).
//! 2. [`feature`] turns the request into a context of 105 numbers; [`eligibility`] turns the catalogue
//!    into the arms that may take it, with a reason for every other one.
//! 3. [`route`] asks the published snapshot what each arm would do, prices the tokens (those cheaper that the
//!    session's prompt cache still holds: [`warmth`]), composes it to a utility by the team's [`scorecard`],
//!    and has [`bandit`] turn the utilities into a pmf. One uniform, keyed to the server's own decision id,
//!    draws the arm: once for each (episode, task), later calls inherit. An episode that is held out gets
//!    the team's baseline instead, so that what the router gains is measured.
//! 4. The [`decision::Decision`], with all that the draw depended on, is in the journal ([`store`])
//!    before the caller hears of it: written to the operating system in mode `group` (a killed process
//!    loses nothing, a power cut at most some milliseconds), on disk in mode `sync`.
//! 5. `Route` ends here. `Complete` goes on: [`complete`] asks the decision's endpoint through a
//!    [`provider`] and records the attempt, exactly once on every path. Where it fails, [`route`] opens the next
//!    road: another endpoint of the arm, another arm, each through the check that the choice passed; how every
//!    endpoint does, and which are left alone for a while, is [`standing`]. What was answered is held to what
//!    was asked ([`validate`]) and returned, repaired, asked again or answered by another arm. A repeat of its
//!    request id asks nobody: it waits for that record and is answered from it.
//!
//! # The life of a signal
//!
//! 1. Feedback is checked against the team's scorecard and put into the journal ([`learn::Intake`]).
//! 2. The learner reads the journal in order ([`learn::Follower`]): the same code on the same records
//!    live and after a crash, so a rebuild gives the same bits. A row enters its arm's regression at
//!    the first signal, the others imputed by prediction; what comes later (a late signal, a
//!    correction, a retraction, a closing time) shifts it by the exact difference.
//!    Each value is also set beside what was expected of it: an arm that changes raises an alarm
//!    ([`bandit::Detector`]), lets go of its past and is doubted anew ([`bandit::Tempo`]).
//!    Episodes are compared with those held out; a router that is shown to be worse is held to the baseline
//!    ([`learn::Comparison`]).
//!    An arm that joins later is compared with those that were there: adopted or rejected by a bound that
//!    holds at every look ([`learn::Newcomer`]).
//! 3. A new immutable [`learn::Snapshot`] is swapped in. Its version is the journal sequence that it has
//!    learned up to, and every decision names it. No state that is read back keeps a server from serving:
//!    a checkpoint that is damaged, not positive definite or of another shape is set aside (`.bad`) and
//!    told, and what it lacks is learned from the journal while decisions are made from what there is.
//!    Decisions that may still change what is learned, up to a million a team, lie in pages on disk beside the
//!    checkpoints ([`store::Pages`]): some hundreds of pages are in memory, a start reads none.
//! 4. [`replay`] reads the same records and says what another policy would have done, with an
//!    interval, or that the log cannot know.
//!
//! Longer pages, for users too: [`docs`].
//!
//! # Floors: imports run down only
//!
//! | floor | modules |
//! |---|---|
//! | 5 composition | [`server`], [`drive`], [`mod@export`], [`mod@seed`], [`scenario`], [`demo`], [`mod@eval`], the command line |
//! | 4 edges | [`proto`], [`grpc`], [`mod@http`], [`config`], [`report`] |
//! | 3 use cases | [`route`], [`complete`], [`learn`], [`access`], [`account`], [`quota`], [`loops`], [`standing`], [`warmth`], [`replay`], [`spend`] |
//! | 2 adapters | [`store`], [`table`], [`provider`], [`validate`], [`redaction`], [`telemetry`], [`tls`] |
//! | 1 maths, pure | [`feature`], [`scorecard`], [`bandit`], [`ope`], [`budget`], [`health`], [`eligibility`], [`recurrence`] |
//! | 0 vocabulary | [`id`], [`mod@unit`], [`clock`], [`decision`], [`signal`], [`chat`], [`path`], [`field`] |
//!
//! The modules of floors 1, 2 and 4 do not know each other (but `bandit` may use `feature`, and `grpc`
//! the generated `proto`). Outside crates stay in their modules: tonic in `grpc`, hyper in `http`, polars in `table`,
//! sled in `store`, the HTTP client in `provider`, rustls in `tls` and `provider`, JSON Schema and patterns in `validate`, what finds
//! personal data in `redaction`. A test holds all of
//! this (`tests/it/tidy.rs`).
//!
//! # Where this differs from the founding design, and why
//!
//! - **The learner tails the journal** instead of being fed by the request path: one road for live work
//!   and rebuild, flat memory, and snapshot versions that mean something.
//! - **Checkpoints are files, not sled values**: they are megabytes, and sled's flush is no fsync. What grows with
//!   the decisions that are open is in pages of their own, of which a checkpoint writes those that changed.
//! - **Keys that are made while the server runs stand in sled**, not in the journal: their seals mean something only
//!   beside the secret, which is there, and a revocation must be on disk in either mode ([`access`]).
//! - **Who changed what stands in a log of its own** ([`store::audit`]), each line with the hash of all before it, and
//!   not in the journal: it outlives what is let go of there, and it is read with a pager.
//! - **What is looked up stands in files of sorted keys** ([`store::index`]), written once each, so that memory does
//!   not grow with the journal and a start reads the journal from the newest file only: accounts, versions and
//!   baselines as they were there stand beside the keys ([`store::Digest`]).
//! - **`config` does not use serde**: it stops at the first mistake, and a person with five wants to see
//!   five.
//! - **Cost is learned as output tokens**, priced when a request is decided, so that a price change carries over
//!   at once; and, of a caller who knows only the money, as a ratio to what 256 output tokens would cost, for
//!   the journal has no prices to turn it into tokens by (`learn::usage`, `route::cost`).
//! - **A warm prompt cache is the endpoint's**, not the arm's, and how much of a prompt it finds is learned
//!   where the provider says it ([`warmth`]).
//! - **An arm's prior is learned from all arms** ([`bandit::Hierarchy`]) instead of ridge 10 and the pooled
//!   mean; doubt is of the coarse coordinates only, and halves as a team's decisions come (`bandit::Policy`),
//!   sooner where arms are few; newcomers have a floor of their own (`bandit::raise_newcomers`);
//!   floors fall with the gap ([`bandit::floors`]). Each with its measurement where it stands.
//! - **A hard limit holds a bound, a choice goes by what is expected**: a byte of text is a token at most, and
//!   nothing less is a bound ([`chat::InputTokens`], with what was measured), so a hold is some three times the
//!   input's cost for seconds. Of the output the bound is ours to make: where a worst case is much of what is left,
//!   less is held and the provider is told that no more may come ([`budget::Bounds`]); and who does not fit waits a
//!   while for what others settle ([`account::Waiting`]). A stream's hold does not grow while it runs (`route::bounds`).
//! - **Forgetting goes by the team's draws**, not by the wall clock: an idle weekend teaches nothing new.
//! - **`replay outcomes` learns as the server does**, but for cost: the server prices tokens, and a table has
//!   no prices.
//! - **No kernel fuses multiply and add**: a pmf logged on one machine is recomputed to the bit on
//!   another; the wider registers give the speed.
//! - **Metrics are cells of our own** instead of an exporter's, which keeps each sample until it is read
//!   ([`telemetry`]); a log line's call goes with the task, not in a span. Spans for a collector
//!   ([`telemetry::otlp`]) are made of what the metrics are told, by a queue of our own that counts what it drops.
//! - **Terms of limits are not in the journal** but for a team's amount and window: time zones, soft budgets, raises
//!   and the budgets of keys and of the organisation are the configuration's ([`account::Budgets`]); what was spent
//!   under them follows from the records all the same.
//! - **`server` is a folder**: open, serve, follow and stop do not fit one head together.
//!
//! # Deliberately absent, so far
//!
//! Pooling over families of arms. One process is a complete service; it is not highly available by itself.

pub mod docs;
#[cfg(test)]
mod fuzz;

pub mod chat;
pub mod clock;
pub mod decision;
pub mod field;
pub mod id;
pub mod path;
pub mod signal;
pub mod unit;

pub mod bandit;
pub mod budget;
pub mod eligibility;
pub mod feature;
pub mod health;
pub mod ope;
pub mod recurrence;
pub mod scorecard;

pub mod provider;
pub mod redaction;
pub mod store;
#[cfg(feature = "analytics")]
pub mod table;
pub mod telemetry;
pub mod tls;
pub mod validate;

pub mod access;
pub mod account;
pub mod complete;
pub mod learn;
pub mod loops;
pub mod quota;
#[cfg(feature = "analytics")]
pub mod replay;
pub mod route;
pub mod spend;
pub mod standing;
pub mod warmth;

pub mod config;
pub mod grpc;
pub mod http;
pub mod proto;
pub mod report;

#[cfg(feature = "analytics")]
pub mod demo;
#[cfg(feature = "analytics")]
pub mod drive;
#[cfg(feature = "analytics")]
pub mod eval;
#[cfg(feature = "analytics")]
pub mod export;
#[cfg(feature = "analytics")]
pub mod scenario;
#[cfg(feature = "analytics")]
pub mod seed;
pub mod server;
