//! What a caller asks of the router, in the house's own types.
//!
//! Invariants, held by the edges that build it and relied on below: tag keys are unique and tag
//! numbers finite; an embedding has 64 to 4096 finite entries; limits are finite and in range;
//! every message passes [`chat::Message::check`].
//!
//! Not here: reading it from the wire (`grpc::decode`), the context vector it makes (`feature`),
//! the arms it leaves (`eligibility`).
//!
//! Units: tokens; money in nano-dollars; latency in milliseconds.

use crate::chat;
use crate::decision;
use crate::eligibility::DataPolicy;
use crate::id::Name;
use crate::unit::NanoUsd;
use std::ops::RangeInclusive;

/// A request for a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The caller's label of the task: the strongest feature there is.
    pub task: Option<Name>,
    /// The piece of work that outcomes belong to.
    pub episode: Option<Name>,
    /// The conversation whose prompt cache may be warm.
    pub session: Option<Name>,
    /// Declared context: at most [`Request::MAX_TAGS`], keys unique.
    pub tags: Vec<(Name, Tag)>,
    /// The conversation; empty where the caller sends features only.
    pub messages: Vec<chat::Message>,
    /// Tools offered to the model.
    pub tools: Vec<chat::Tool>,
    /// The form asked of the answer.
    pub response_format: chat::ResponseFormat,
    /// The caller's own embedding of the prompt.
    pub embedding: Option<Vec<f32>>,
    /// Input tokens as the caller counted them. Absent: to be estimated.
    pub input_tokens: Option<u32>,
    /// Most output tokens the caller accepts. Absent: the arm's own limit.
    pub max_output_tokens: Option<u32>,
    /// How to answer.
    pub generation: chat::Generation,
    /// Limits on the choice.
    pub constraints: Constraints,
    /// Idempotency key and hash of the body.
    pub request: Option<decision::Request>,
    /// Whether the draw may explore.
    pub explore: bool,
    /// Whether the answer is to be streamed: a capability that an arm may lack.
    pub streaming: bool,
}

impl Request {
    /// Most declared tags.
    pub const MAX_TAGS: usize = 64;

    /// Most messages.
    pub const MAX_MESSAGES: usize = 4096;

    /// Most tools.
    pub const MAX_TOOLS: usize = 256;

    /// Entries of an embedding.
    pub const EMBEDDING: RangeInclusive<usize> = 64..=4096;
}

/// The value of a declared tag.
#[derive(Debug, Clone, PartialEq)]
pub enum Tag {
    /// A category, at most [`Tag::MAX_CHARS`].
    Text(String),
    /// A finite number, from minus [`Tag::MAX_NUMBER`] to it.
    Number(f64),
}

impl Tag {
    /// Most characters of a text.
    pub const MAX_CHARS: usize = 128;

    /// Beyond this a number is no scaled feature; squares of it still fit a float.
    pub const MAX_NUMBER: f64 = 1e9;
}

/// Limits the caller puts on the choice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Constraints {
    /// Only these arms. Empty: every arm of the team.
    pub allowed_arms: Vec<Name>,
    /// Never these arms.
    pub denied_arms: Vec<Name>,
    /// Most expected cost, at least 0.
    pub max_cost: Option<NanoUsd>,
    /// Most expected latency, above 0.
    pub max_latency_ms: Option<f64>,
    /// Capabilities the arm must have, beside those that the request itself implies.
    pub required_capabilities: Vec<Name>,
    /// Where the data may go. Absent: the team's default.
    pub data_policy: Option<DataPolicy>,
    /// The class of its data, which holds as well as the team's. Absent: the team's alone.
    pub data_class: Option<Name>,
    /// Only these endpoints, by their names or their providers'. Empty: any.
    pub allowed_endpoints: Vec<Name>,
    /// Never these endpoints, by their names or their providers'.
    pub denied_endpoints: Vec<Name>,
    /// These endpoints go first, in this order, by their names or their providers'.
    pub endpoint_order: Vec<Name>,
    /// What an endpoint is chosen by. Absent: by what the team's scorecard says of money and time.
    pub endpoint_sort: Option<Sort>,
    /// Endpoints whose expected milliseconds are more go after all others.
    pub preferred_latency_ms: Option<f64>,
    /// These arms in this order instead of a draw: the first that is eligible takes the request, the others
    /// are its fallbacks. Empty: the router chooses.
    pub arm_order: Vec<Name>,
    /// Nothing else may be tried where the first endpoint fails.
    pub no_fallbacks: bool,
    /// What an endpoint's dialect cannot express is left out for it, instead of excluding it.
    pub leave_out_parameters: bool,
}

impl Constraints {
    /// Most arms or endpoints of a list.
    pub const MAX_NAMES: usize = 1024;

    /// Most arms in an order of their own.
    pub const MAX_ORDERED: usize = 16;

    /// Most capabilities.
    pub const MAX_CAPABILITIES: usize = 64;

    /// Most regions.
    pub const MAX_REGIONS: usize = 64;

    /// Most certifications.
    pub const MAX_CERTIFICATIONS: usize = 64;

    /// A day: nobody waits longer, and a finite bound keeps infinities out.
    pub const MAX_LATENCY_MS: f64 = 86_400_000.0;
}

/// What an endpoint of an arm is chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The least expected cost.
    Price,
    /// The least expected time to wait, with what is under way there.
    Latency,
}

/// Which decisions of a team to list, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionQuery {
    /// Most to return, 1 to 1000.
    pub size: usize,
    /// Only those before this journal sequence.
    pub before: Option<u64>,
    /// Only of this episode.
    pub episode: Option<Name>,
    /// Only with this arm chosen.
    pub arm: Option<Name>,
}
