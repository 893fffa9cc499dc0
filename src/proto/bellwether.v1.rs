//! Generated from `proto/bellwether/v1/` by `tests/it/generated.rs`; do not edit.

/// A key and its value, describing the request. Strings are hashed into the context one-hot;
/// numbers scale the slot of their key.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ContextTag {
    /// Name of the tag, 1 to 128 characters, unique within a request.
    #[prost(string, tag = "1")]
    pub key: ::prost::alloc::string::String,
    /// The value; exactly one is required.
    #[prost(oneof = "context_tag::Value", tags = "2, 3")]
    pub value: ::core::option::Option<context_tag::Value>,
}
/// Nested message and enum types in `ContextTag`.
pub mod context_tag {
    /// The value; exactly one is required.
    #[derive(Clone, PartialEq, ::prost::Oneof)]
    pub enum Value {
        /// A category, at most 128 characters.
        #[prost(string, tag = "2")]
        Text(::prost::alloc::string::String),
        /// A number from -1e9 to 1e9; put it on a scale of about -1 to 1.
        #[prost(double, tag = "3")]
        Number(f64),
    }
}
/// One part of a message's content.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ContentPart {
    /// The part; exactly one is required.
    #[prost(oneof = "content_part::Part", tags = "1, 2, 3, 4, 5")]
    pub part: ::core::option::Option<content_part::Part>,
}
/// Nested message and enum types in `ContentPart`.
pub mod content_part {
    /// The part; exactly one is required.
    #[derive(Clone, PartialEq, Eq, Hash, ::prost::Oneof)]
    pub enum Part {
        /// Plain text, UTF-8.
        #[prost(string, tag = "1")]
        Text(::prost::alloc::string::String),
        /// Address of an image (https or data:image URL). Requires an arm with capability `vision`.
        #[prost(string, tag = "2")]
        ImageUrl(::prost::alloc::string::String),
        /// Sound. Requires an arm with capability `audio`.
        #[prost(message, tag = "3")]
        Audio(super::Audio),
        /// A document. Requires an arm with capability `files`.
        #[prost(message, tag = "4")]
        File(super::File),
        /// What the model thought, of an assistant's message: send it back unchanged with the results of the
        /// tools that it called.
        #[prost(message, tag = "5")]
        Reasoning(super::Reasoning),
    }
}
/// Sound.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Audio {
    /// The bytes, in base64; required.
    #[prost(string, tag = "1")]
    pub data: ::prost::alloc::string::String,
    /// Their format: "wav", "mp3", "flac", "opus", "ogg", "aac", "aiff" or "pcm16".
    #[prost(string, tag = "2")]
    pub format: ::prost::alloc::string::String,
}
/// A document.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct File {
    /// Its name, at most 256 bytes; may be empty.
    #[prost(string, tag = "1")]
    pub name: ::prost::alloc::string::String,
    /// The document as "data:MEDIA-TYPE;base64,...".
    #[prost(string, tag = "2")]
    pub data_url: ::prost::alloc::string::String,
}
/// What a model thought before it answered. Only the dialect that made it can read it; endpoints of
/// others are asked without it.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Reasoning {
    /// The words; empty where only the signature was given.
    #[prost(string, tag = "1")]
    pub text: ::prost::alloc::string::String,
    /// The provider's own proof, to be sent back as it is. Empty: none.
    #[prost(string, tag = "2")]
    pub signature: ::prost::alloc::string::String,
    /// The dialect that made it.
    #[prost(string, tag = "3")]
    pub dialect: ::prost::alloc::string::String,
    /// The tool call that it belongs to. Empty: none.
    #[prost(string, tag = "4")]
    pub tool_call_id: ::prost::alloc::string::String,
}
/// One chat message.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Message {
    /// Who speaks; required.
    #[prost(enumeration = "Role", tag = "1")]
    pub role: i32,
    /// Content, in order; may be empty only where `tool_calls` is not.
    #[prost(message, repeated, tag = "2")]
    pub content: ::prost::alloc::vec::Vec<ContentPart>,
    /// Calls the assistant asked for.
    #[prost(message, repeated, tag = "3")]
    pub tool_calls: ::prost::alloc::vec::Vec<ToolCall>,
    /// For a ROLE_TOOL message: the call it answers.
    #[prost(string, tag = "4")]
    pub tool_call_id: ::prost::alloc::string::String,
}
/// A call of a tool by the model.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ToolCall {
    /// Id given by the model, unique within the conversation, at most 256 bytes.
    #[prost(string, tag = "1")]
    pub id: ::prost::alloc::string::String,
    /// Name of the tool, 1 to 128 characters.
    #[prost(string, tag = "2")]
    pub name: ::prost::alloc::string::String,
    /// Arguments, a JSON object as text.
    #[prost(string, tag = "3")]
    pub arguments_json: ::prost::alloc::string::String,
}
/// A tool the model may call. Requires an arm with capability `tools`.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Tool {
    /// Name, 1 to 128 characters.
    #[prost(string, tag = "1")]
    pub name: ::prost::alloc::string::String,
    /// What it does, for the model.
    #[prost(string, tag = "2")]
    pub description: ::prost::alloc::string::String,
    /// JSON Schema of its arguments, as text; empty means no arguments.
    #[prost(string, tag = "3")]
    pub parameters_json_schema: ::prost::alloc::string::String,
}
/// The form asked of the answer.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ResponseFormat {
    /// The kind.
    #[prost(enumeration = "response_format::Kind", tag = "1")]
    pub kind: i32,
    /// JSON Schema as text; required with KIND_JSON_SCHEMA, refused otherwise.
    #[prost(string, tag = "2")]
    pub json_schema: ::prost::alloc::string::String,
}
/// Nested message and enum types in `ResponseFormat`.
pub mod response_format {
    /// Kinds of format.
    #[derive(
        Clone,
        Copy,
        Debug,
        PartialEq,
        Eq,
        Hash,
        PartialOrd,
        Ord,
        ::prost::Enumeration
    )]
    #[repr(i32)]
    pub enum Kind {
        /// Not said: plain text.
        Unspecified = 0,
        /// Plain text.
        Text = 1,
        /// Any JSON object. Requires capability `json`.
        JsonObject = 2,
        /// JSON that satisfies `json_schema`. Requires capability `json_schema`.
        JsonSchema = 3,
    }
    impl Kind {
        /// String value of the enum field names used in the ProtoBuf definition.
        ///
        /// The values are not transformed in any way and thus are considered stable
        /// (if the ProtoBuf definition does not change) and safe for programmatic use.
        pub fn as_str_name(&self) -> &'static str {
            match self {
                Self::Unspecified => "KIND_UNSPECIFIED",
                Self::Text => "KIND_TEXT",
                Self::JsonObject => "KIND_JSON_OBJECT",
                Self::JsonSchema => "KIND_JSON_SCHEMA",
            }
        }
        /// Creates an enum from field names used in the ProtoBuf definition.
        pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
            match value {
                "KIND_UNSPECIFIED" => Some(Self::Unspecified),
                "KIND_TEXT" => Some(Self::Text),
                "KIND_JSON_OBJECT" => Some(Self::JsonObject),
                "KIND_JSON_SCHEMA" => Some(Self::JsonSchema),
                _ => None,
            }
        }
    }
}
/// How a model is asked to answer. What an endpoint's dialect cannot express excludes the endpoint, unless
/// `Constraints.require_parameters` is false: then it is left out for that endpoint.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Generation {
    /// Share of the probability that is sampled from, 0 to 1. Absent: the endpoint's default.
    #[prost(double, optional, tag = "1")]
    pub top_p: ::core::option::Option<f64>,
    /// At most 16 texts, none empty, at which the answer ends.
    #[prost(string, repeated, tag = "2")]
    pub stop: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// Seed of the sampling. Absent: the endpoint's own.
    #[prost(int64, optional, tag = "3")]
    pub seed: ::core::option::Option<i64>,
    /// Dislike of words that were said, -2 to 2. Absent: the endpoint's default.
    #[prost(double, optional, tag = "4")]
    pub presence_penalty: ::core::option::Option<f64>,
    /// Dislike of words by how often they were said, -2 to 2. Absent: the endpoint's default.
    #[prost(double, optional, tag = "5")]
    pub frequency_penalty: ::core::option::Option<f64>,
    /// How long to think: "none", "minimal", "low", "medium", "high" or "xhigh". Empty: the endpoint's default.
    #[prost(string, tag = "6")]
    pub reasoning_effort: ::prost::alloc::string::String,
    /// Which tool to call: "auto", "none", "required", or the name of an offered one as "function:NAME".
    /// Empty: auto.
    #[prost(string, tag = "7")]
    pub tool_choice: ::prost::alloc::string::String,
    /// Whether several tools may be called at once. Absent: the endpoint's default.
    #[prost(bool, optional, tag = "8")]
    pub parallel_tool_calls: ::core::option::Option<bool>,
}
/// What the request is, as far as the caller says.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct RequestContext {
    /// The caller's own label of the task ("fix-test", "triage"): the strongest feature there is.
    /// Absent: the request belongs to the unnamed task.
    #[prost(string, optional, tag = "1")]
    pub task: ::core::option::Option<::prost::alloc::string::String>,
    /// The piece of work that outcomes belong to. The arm is drawn once for each (episode, task) and
    /// inherited by later calls. Absent: this decision is an episode of its own.
    #[prost(string, optional, tag = "2")]
    pub episode_id: ::core::option::Option<::prost::alloc::string::String>,
    /// The conversation whose prompt cache may be warm. Absent: none.
    #[prost(string, optional, tag = "3")]
    pub session_id: ::core::option::Option<::prost::alloc::string::String>,
    /// At most 64 tags.
    #[prost(message, repeated, tag = "4")]
    pub tags: ::prost::alloc::vec::Vec<ContextTag>,
    /// The conversation, at most 4096 messages of at most 1024 parts. May be empty for `Route` with
    /// features only (task, tags, embedding).
    #[prost(message, repeated, tag = "5")]
    pub messages: ::prost::alloc::vec::Vec<Message>,
    /// Tools offered to the model; at most 256, each name once.
    #[prost(message, repeated, tag = "6")]
    pub tools: ::prost::alloc::vec::Vec<Tool>,
    /// The answer's form. Absent: plain text.
    #[prost(message, optional, tag = "7")]
    pub response_format: ::core::option::Option<ResponseFormat>,
    /// The caller's own embedding of the prompt: 64 to 4096 finite numbers, the same length on every
    /// request of the team. Projected to 64 by a fixed, versioned matrix; replaces the built-in text
    /// embedding. Empty: the built-in one.
    #[prost(float, repeated, tag = "8")]
    pub embedding: ::prost::alloc::vec::Vec<f32>,
    /// Input tokens, 0 to 1e8, if the caller has counted them. Absent: estimated (characters / 4 of text, usual
    /// numbers for images, sound and documents), and the most that there can be is held where money is limited.
    #[prost(int64, optional, tag = "9")]
    pub input_tokens: ::core::option::Option<i64>,
    /// Most output tokens the caller will accept, 1 to 1e8. Absent: the arm's own limit.
    #[prost(int64, optional, tag = "10")]
    pub max_output_tokens: ::core::option::Option<i64>,
}
/// Limits the caller puts on the choice. Every arm excluded by one is listed with its reason. A name
/// that the configuration does not have is INVALID_FIELD, with the names that it has.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Constraints {
    /// Only these arms, at most 1024. Empty: every arm of the team.
    #[prost(string, repeated, tag = "1")]
    pub allowed_arms: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// Never these arms, at most 1024.
    #[prost(string, repeated, tag = "2")]
    pub denied_arms: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// Most expected cost of this call, in nano-dollars, at least 0. Absent: no limit.
    #[prost(int64, optional, tag = "3")]
    pub max_cost_nano_usd: ::core::option::Option<i64>,
    /// Most expected latency in milliseconds, above 0 and at most a day. Absent: no limit.
    #[prost(double, optional, tag = "4")]
    pub max_latency_ms: ::core::option::Option<f64>,
    /// At most 64 capabilities that the arm must have, beside those that the request itself implies.
    #[prost(string, repeated, tag = "5")]
    pub required_capabilities: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// Where the data may go, of where the team lets it go. Absent: wherever the team does.
    #[prost(message, optional, tag = "6")]
    pub data_policy: ::core::option::Option<DataPolicy>,
    /// Only these endpoints, at most 1024, by their names or their providers'. Empty: any.
    #[prost(string, repeated, tag = "7")]
    pub allowed_endpoints: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// Never these endpoints, at most 1024, by their names or their providers'.
    #[prost(string, repeated, tag = "8")]
    pub denied_endpoints: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// These arms in this order instead of a draw, at most 16: the first that is eligible takes the request, the
    /// others are its fallbacks. No other arm does. Empty: the router chooses.
    #[prost(string, repeated, tag = "9")]
    pub arm_order: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// Whether another endpoint or arm may be tried when one fails. Absent: true.
    #[prost(bool, optional, tag = "10")]
    pub allow_fallbacks: ::core::option::Option<bool>,
    /// Whether an endpoint must be able to express all of `generation`. Absent: true.
    #[prost(bool, optional, tag = "11")]
    pub require_parameters: ::core::option::Option<bool>,
    /// These endpoints of an arm go first, in this order, at most 64, by their names or their providers'.
    #[prost(string, repeated, tag = "12")]
    pub endpoint_order: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// What an endpoint of an arm is chosen by. Unspecified: what the scorecard says of money and time.
    #[prost(enumeration = "EndpointSort", tag = "13")]
    pub endpoint_sort: i32,
    /// The class of the request's data, one that the configuration has: what it demands of endpoints holds beside
    /// what the team and `data_policy` demand. Absent: the team's class alone.
    #[prost(string, optional, tag = "14")]
    pub data_class: ::core::option::Option<::prost::alloc::string::String>,
}
/// Where a request's data may go.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct DataPolicy {
    /// Only endpoints in these regions, at most 64. Empty: any.
    #[prost(string, repeated, tag = "1")]
    pub regions: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// Only endpoints that keep nothing after answering.
    #[prost(bool, tag = "2")]
    pub zero_retention: bool,
    /// Only endpoints that do not train on requests.
    #[prost(bool, tag = "3")]
    pub no_training: bool,
    /// Only endpoints that have all of these certifications, at most 64. Empty: any.
    #[prost(string, repeated, tag = "4")]
    pub certifications: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
}
/// What an arm is expected to do on this request, as the learner saw it at `snapshot_version`.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ArmEstimate {
    /// The arm.
    #[prost(string, tag = "1")]
    pub arm: ::prost::alloc::string::String,
    /// Probability with which this arm was drawn, in \[0, 1\]; over eligible arms they sum to 1. While the
    /// team has drawn some of them fewer than 3 times, these share the draw evenly, whatever is expected.
    #[prost(double, tag = "2")]
    pub probability: f64,
    /// Least probability that the policy keeps for the arm, in \[0, 1\]. Zero where nothing was drawn:
    /// pinned, inherited or without exploration.
    #[prost(double, tag = "3")]
    pub floor: f64,
    /// Expected utility under the scorecard (quality points minus cost and latency).
    #[prost(double, tag = "4")]
    pub utility: f64,
    /// Standard deviation of `utility`, before the policy's own scale (the v of linear-thompson).
    #[prost(double, tag = "5")]
    pub utility_sd: f64,
    /// Expected signals.
    #[prost(message, repeated, tag = "6")]
    pub signals: ::prost::alloc::vec::Vec<SignalEstimate>,
    /// Expected cost in nano-dollars.
    #[prost(int64, tag = "7")]
    pub cost_nano_usd: i64,
    /// Expected latency in milliseconds. Absent: nothing known yet.
    #[prost(double, optional, tag = "8")]
    pub latency_ms: ::core::option::Option<f64>,
}
/// An expected signal, on the scorecard's normalised scale: 0 worst, 1 best.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SignalEstimate {
    /// Name of the signal in the scorecard.
    #[prost(string, tag = "1")]
    pub name: ::prost::alloc::string::String,
    /// Expected value.
    #[prost(double, tag = "2")]
    pub mean: f64,
    /// Standard deviation of the expectation (not of the outcome).
    #[prost(double, tag = "3")]
    pub sd: f64,
}
/// An arm left out of the draw.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ExcludedArm {
    /// The arm.
    #[prost(string, tag = "1")]
    pub arm: ::prost::alloc::string::String,
    /// Why.
    #[prost(enumeration = "ExclusionReason", tag = "2")]
    pub reason: i32,
    /// What exactly: the missing capability, the limit and the figure.
    #[prost(string, tag = "3")]
    pub detail: ::prost::alloc::string::String,
}
/// A provider deployment that serves an arm.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Endpoint {
    /// Name in the configuration.
    #[prost(string, tag = "1")]
    pub name: ::prost::alloc::string::String,
    /// The arm it serves.
    #[prost(string, tag = "2")]
    pub arm: ::prost::alloc::string::String,
    /// Wire dialect: "simulated", "openai", "azure", "anthropic" or "gemini".
    #[prost(string, tag = "3")]
    pub provider: ::prost::alloc::string::String,
    /// The model's name there.
    #[prost(string, tag = "4")]
    pub model: ::prost::alloc::string::String,
    /// Base URL of its API; empty for the simulated provider.
    #[prost(string, tag = "5")]
    pub base_url: ::prost::alloc::string::String,
    /// Region the data goes to.
    #[prost(string, tag = "6")]
    pub region: ::prost::alloc::string::String,
}
/// Tokens used.
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Usage {
    /// Input tokens, cached ones included, at least 0.
    #[prost(int64, optional, tag = "1")]
    pub input_tokens: ::core::option::Option<i64>,
    /// Input tokens read from the provider's cache, at most `input_tokens`.
    #[prost(int64, optional, tag = "2")]
    pub cached_input_tokens: ::core::option::Option<i64>,
    /// Output tokens, at least 0.
    #[prost(int64, optional, tag = "3")]
    pub output_tokens: ::core::option::Option<i64>,
    /// True where the provider did not say all of it and characters were counted instead.
    #[prost(bool, tag = "4")]
    pub estimated: bool,
    /// Input tokens written to the provider's cache, at a price of their own; part of `input_tokens`.
    #[prost(int64, optional, tag = "5")]
    pub cache_write_tokens: ::core::option::Option<i64>,
    /// Output tokens that were thought and not said; part of `output_tokens`.
    #[prost(int64, optional, tag = "6")]
    pub reasoning_tokens: ::core::option::Option<i64>,
}
/// One try at an endpoint.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Attempt {
    /// The arm served.
    #[prost(string, tag = "1")]
    pub arm: ::prost::alloc::string::String,
    /// The endpoint called.
    #[prost(string, tag = "2")]
    pub endpoint: ::prost::alloc::string::String,
    /// When it ended.
    #[prost(message, optional, tag = "3")]
    pub end_time: ::core::option::Option<::prost_types::Timestamp>,
    /// Wall time in milliseconds.
    #[prost(double, optional, tag = "4")]
    pub latency_ms: ::core::option::Option<f64>,
    /// Tokens used.
    #[prost(message, optional, tag = "5")]
    pub usage: ::core::option::Option<Usage>,
    /// What it cost, in nano-dollars.
    #[prost(int64, optional, tag = "6")]
    pub cost_nano_usd: ::core::option::Option<i64>,
    /// Empty if it succeeded, else the kind of error ("timeout", "rate_limited", ...).
    #[prost(string, tag = "7")]
    pub error: ::prost::alloc::string::String,
    /// True if the caller reported it (`ReportAttempt`), false if Bellwether made the call.
    #[prost(bool, tag = "8")]
    pub reported: bool,
    /// Milliseconds until the first piece of a streamed answer. Absent: not streamed, or none came.
    #[prost(double, optional, tag = "9")]
    pub first_token_ms: ::core::option::Option<f64>,
}
/// What a check found of an answer.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct AnswerCheck {
    /// Which check: "json", "json_schema", "tool_arguments", "refusal", "truncation", or an operator's own.
    #[prost(string, tag = "1")]
    pub check: ::prost::alloc::string::String,
    /// Whether the answer passed.
    #[prost(bool, tag = "2")]
    pub passed: bool,
    /// Why it did not, without its words. Empty if it passed.
    #[prost(string, tag = "3")]
    pub problem: ::prost::alloc::string::String,
}
/// The value of a signal; exactly one is required.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SignalValue {
    /// The value.
    #[prost(oneof = "signal_value::Value", tags = "1, 2, 3")]
    pub value: ::core::option::Option<signal_value::Value>,
}
/// Nested message and enum types in `SignalValue`.
pub mod signal_value {
    /// The value.
    #[derive(Clone, PartialEq, ::prost::Oneof)]
    pub enum Value {
        /// Yes or no.
        #[prost(bool, tag = "1")]
        Flag(bool),
        /// A finite number in the signal's own unit.
        #[prost(double, tag = "2")]
        Number(f64),
        /// A comment in words, at most 8192 bytes; kept, never learned from. Personal data and secrets that are
        /// recognised in it are replaced by marks before it is kept, unless the team records full content.
        #[prost(string, tag = "3")]
        Comment(::prost::alloc::string::String),
    }
}
/// Who or what judged.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Evaluator {
    /// Name ("ci", "support-lead", "judge-gpt"), 1 to 128 characters.
    #[prost(string, tag = "1")]
    pub name: ::prost::alloc::string::String,
    /// Version of the evaluator, at most 128 bytes; may be empty.
    #[prost(string, tag = "2")]
    pub version: ::prost::alloc::string::String,
}
/// Who speaks in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum Role {
    /// Not said: refused.
    Unspecified = 0,
    /// Standing instructions to the model.
    System = 1,
    /// The person or program that asks.
    User = 2,
    /// The model's own earlier words.
    Assistant = 3,
    /// The result of a tool call.
    Tool = 4,
}
impl Role {
    /// String value of the enum field names used in the ProtoBuf definition.
    ///
    /// The values are not transformed in any way and thus are considered stable
    /// (if the ProtoBuf definition does not change) and safe for programmatic use.
    pub fn as_str_name(&self) -> &'static str {
        match self {
            Self::Unspecified => "ROLE_UNSPECIFIED",
            Self::System => "ROLE_SYSTEM",
            Self::User => "ROLE_USER",
            Self::Assistant => "ROLE_ASSISTANT",
            Self::Tool => "ROLE_TOOL",
        }
    }
    /// Creates an enum from field names used in the ProtoBuf definition.
    pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
        match value {
            "ROLE_UNSPECIFIED" => Some(Self::Unspecified),
            "ROLE_SYSTEM" => Some(Self::System),
            "ROLE_USER" => Some(Self::User),
            "ROLE_ASSISTANT" => Some(Self::Assistant),
            "ROLE_TOOL" => Some(Self::Tool),
            _ => None,
        }
    }
}
/// What an endpoint of an arm is chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum EndpointSort {
    /// Not said: money and time, as the team's scorecard weighs them.
    Unspecified = 0,
    /// The least expected cost.
    Price = 1,
    /// The least expected time to wait.
    Latency = 2,
}
impl EndpointSort {
    /// String value of the enum field names used in the ProtoBuf definition.
    ///
    /// The values are not transformed in any way and thus are considered stable
    /// (if the ProtoBuf definition does not change) and safe for programmatic use.
    pub fn as_str_name(&self) -> &'static str {
        match self {
            Self::Unspecified => "ENDPOINT_SORT_UNSPECIFIED",
            Self::Price => "ENDPOINT_SORT_PRICE",
            Self::Latency => "ENDPOINT_SORT_LATENCY",
        }
    }
    /// Creates an enum from field names used in the ProtoBuf definition.
    pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
        match value {
            "ENDPOINT_SORT_UNSPECIFIED" => Some(Self::Unspecified),
            "ENDPOINT_SORT_PRICE" => Some(Self::Price),
            "ENDPOINT_SORT_LATENCY" => Some(Self::Latency),
            _ => None,
        }
    }
}
/// Why an arm could not be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum ExclusionReason {
    /// Never sent.
    Unspecified = 0,
    /// The key may not use it, or the caller left it out of `allowed_arms`.
    NotAllowed = 1,
    /// The caller named it in `denied_arms`.
    Denied = 2,
    /// It lacks a capability that the request needs.
    Capability = 3,
    /// The prompt and the answer do not fit its context length.
    ContextLength = 4,
    /// No endpoint of it satisfies the data policy.
    DataPolicy = 5,
    /// Expected cost above `max_cost_nano_usd`.
    MaxCost = 6,
    /// Expected latency above `max_latency_ms`.
    MaxLatency = 7,
    /// No endpoint has a price that holds today.
    NoPrice = 8,
    /// What is left of the team's budget does not pay for it.
    Budget = 9,
    /// Its endpoints have failed, and are not asked for a while.
    Unavailable = 10,
    /// None of its endpoints can express what is asked, or the caller excluded them.
    Parameters = 11,
}
impl ExclusionReason {
    /// String value of the enum field names used in the ProtoBuf definition.
    ///
    /// The values are not transformed in any way and thus are considered stable
    /// (if the ProtoBuf definition does not change) and safe for programmatic use.
    pub fn as_str_name(&self) -> &'static str {
        match self {
            Self::Unspecified => "EXCLUSION_REASON_UNSPECIFIED",
            Self::NotAllowed => "EXCLUSION_REASON_NOT_ALLOWED",
            Self::Denied => "EXCLUSION_REASON_DENIED",
            Self::Capability => "EXCLUSION_REASON_CAPABILITY",
            Self::ContextLength => "EXCLUSION_REASON_CONTEXT_LENGTH",
            Self::DataPolicy => "EXCLUSION_REASON_DATA_POLICY",
            Self::MaxCost => "EXCLUSION_REASON_MAX_COST",
            Self::MaxLatency => "EXCLUSION_REASON_MAX_LATENCY",
            Self::NoPrice => "EXCLUSION_REASON_NO_PRICE",
            Self::Budget => "EXCLUSION_REASON_BUDGET",
            Self::Unavailable => "EXCLUSION_REASON_UNAVAILABLE",
            Self::Parameters => "EXCLUSION_REASON_PARAMETERS",
        }
    }
    /// Creates an enum from field names used in the ProtoBuf definition.
    pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
        match value {
            "EXCLUSION_REASON_UNSPECIFIED" => Some(Self::Unspecified),
            "EXCLUSION_REASON_NOT_ALLOWED" => Some(Self::NotAllowed),
            "EXCLUSION_REASON_DENIED" => Some(Self::Denied),
            "EXCLUSION_REASON_CAPABILITY" => Some(Self::Capability),
            "EXCLUSION_REASON_CONTEXT_LENGTH" => Some(Self::ContextLength),
            "EXCLUSION_REASON_DATA_POLICY" => Some(Self::DataPolicy),
            "EXCLUSION_REASON_MAX_COST" => Some(Self::MaxCost),
            "EXCLUSION_REASON_MAX_LATENCY" => Some(Self::MaxLatency),
            "EXCLUSION_REASON_NO_PRICE" => Some(Self::NoPrice),
            "EXCLUSION_REASON_BUDGET" => Some(Self::Budget),
            "EXCLUSION_REASON_UNAVAILABLE" => Some(Self::Unavailable),
            "EXCLUSION_REASON_PARAMETERS" => Some(Self::Parameters),
            _ => None,
        }
    }
}
/// Asks for a decision.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct RouteRequest {
    /// What the request is. Absent: nothing is known of it.
    #[prost(message, optional, tag = "1")]
    pub context: ::core::option::Option<RequestContext>,
    /// Limits on the choice. Absent: none.
    #[prost(message, optional, tag = "2")]
    pub constraints: ::core::option::Option<Constraints>,
    /// Idempotency key, 1 to 128 characters. The same id with the same body returns the first
    /// decision; with another body it is REQUEST_ID_REUSED. A repeat goes by its own key and the rules that hold when it
    /// comes: fallbacks that may not be asked any more are left out, and where the endpoint may not it is
    /// NO_ELIGIBLE_ARM. Absent: not idempotent.
    #[prost(string, optional, tag = "3")]
    pub request_id: ::core::option::Option<::prost::alloc::string::String>,
    /// Whether this request may explore. Absent: true. False draws the best arm with probability 1
    /// and marks the decision as deterministic.
    #[prost(bool, optional, tag = "4")]
    pub explore: ::core::option::Option<bool>,
}
/// A decision.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct RouteResponse {
    /// Id for feedback; unforgeable.
    #[prost(string, tag = "1")]
    pub decision_id: ::prost::alloc::string::String,
    /// The arm to use.
    #[prost(string, tag = "2")]
    pub arm: ::prost::alloc::string::String,
    /// The endpoint to call.
    #[prost(message, optional, tag = "3")]
    pub endpoint: ::core::option::Option<Endpoint>,
    /// Where to go if it fails, best first; each passed the same checks.
    #[prost(message, repeated, tag = "4")]
    pub fallbacks: ::prost::alloc::vec::Vec<Endpoint>,
    /// Probability with which `arm` was drawn: 1 where it was pinned, inherited or chosen without
    /// exploration.
    #[prost(double, tag = "5")]
    pub propensity: f64,
    /// Every eligible arm, in the order that the probabilities were drawn in.
    #[prost(message, repeated, tag = "6")]
    pub estimates: ::prost::alloc::vec::Vec<ArmEstimate>,
    /// Every other arm of the catalogue, with its reason.
    #[prost(message, repeated, tag = "7")]
    pub excluded: ::prost::alloc::vec::Vec<ExcludedArm>,
    /// Policy that chose, with its parameters.
    #[prost(string, tag = "8")]
    pub policy: ::prost::alloc::string::String,
    /// Version of the scorecard.
    #[prost(int64, tag = "9")]
    pub scorecard_version: i64,
    /// Version of the learned snapshot: the journal sequence number up to which it had learned.
    #[prost(int64, tag = "10")]
    pub snapshot_version: i64,
    /// True if the arm was inherited from an earlier decision of the same episode and task.
    #[prost(bool, tag = "11")]
    pub inherited: bool,
    /// Id of the feature set that made the context.
    #[prost(string, tag = "12")]
    pub feature_set: ::prost::alloc::string::String,
    /// True if the request_id had been used before: this is the first call's decision, from the record.
    #[prost(bool, tag = "13")]
    pub repeated: bool,
    /// What a dollar cost under the team's budget, in quality points: every `utility` has paid it for its
    /// expected cost. 0 where the team's spend is not paced.
    #[prost(double, tag = "14")]
    pub budget_price: f64,
    /// Held on the team's budget until an attempt is reported or made, in nano-dollars: the worst case of
    /// this request. An hour without an attempt lets it go. 0 where the team has no hard limit.
    #[prost(int64, tag = "15")]
    pub held_nano_usd: i64,
    /// True if the episode is held out to measure the router by: the team's baseline took it, unless that was
    /// not eligible, or a pin or a request without exploration went before it.
    #[prost(bool, tag = "16")]
    pub held_out: bool,
    /// What the team's guardrail found in the request. Absent: nothing, or the team has none.
    #[prost(message, optional, tag = "17")]
    pub guardrail: ::core::option::Option<Guardrail>,
    /// What was found of an episode that goes round, where its team only warns: the rule, and how many calls. Empty:
    /// nothing was.
    #[prost(string, tag = "18")]
    pub loop_warning: ::prost::alloc::string::String,
}
/// What a team's guardrail (`\[teams.guardrail\]`) found in a request, and what it did. It looks into the texts of
/// messages, arguments of tool calls, descriptions and schemas of tools, the schema of the answer and the texts at
/// which it ends; not into images, sound and documents.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Guardrail {
    /// What it did. A request that it refuses has no reply but GUARDRAIL_BLOCKED.
    #[prost(enumeration = "GuardrailAction", tag = "1")]
    pub action: i32,
    /// What it found, in the request's order, at most 64. Never the text.
    #[prost(message, repeated, tag = "2")]
    pub findings: ::prost::alloc::vec::Vec<GuardrailFinding>,
}
/// What was found in one place.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct GuardrailFinding {
    /// The field, as `context.messages\[2\]`.
    #[prost(string, tag = "1")]
    pub field: ::prost::alloc::string::String,
    /// Kinds of what was found, as in the configuration: "email", "credit_card", "aws_key" and so on.
    #[prost(string, repeated, tag = "2")]
    pub kinds: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
}
/// Tells of an attempt that the caller made.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ReportAttemptRequest {
    /// The decision it belongs to; required.
    #[prost(string, tag = "1")]
    pub decision_id: ::prost::alloc::string::String,
    /// The endpoint called. Empty: the one that the decision named.
    #[prost(string, tag = "2")]
    pub endpoint: ::prost::alloc::string::String,
    /// Tokens used.
    #[prost(message, optional, tag = "3")]
    pub usage: ::core::option::Option<Usage>,
    /// Wall time in milliseconds, at least 0.
    #[prost(double, optional, tag = "4")]
    pub latency_ms: ::core::option::Option<f64>,
    /// What it cost, in nano-dollars, at least 0. Absent: from usage and the endpoint's prices.
    #[prost(int64, optional, tag = "5")]
    pub cost_nano_usd: ::core::option::Option<i64>,
    /// Empty if it succeeded, else the kind of error, at most 128 characters.
    #[prost(string, tag = "6")]
    pub error: ::prost::alloc::string::String,
    /// Idempotency key. Absent: every report is an attempt of its own.
    #[prost(string, optional, tag = "7")]
    pub request_id: ::core::option::Option<::prost::alloc::string::String>,
}
/// The attempt as kept.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ReportAttemptResponse {
    /// The attempt, with its cost filled in.
    #[prost(message, optional, tag = "1")]
    pub attempt: ::core::option::Option<Attempt>,
}
/// Asks for a decision and an answer.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct CompleteRequest {
    /// What the request is; `messages` is required.
    #[prost(message, optional, tag = "1")]
    pub context: ::core::option::Option<RequestContext>,
    /// Limits on the choice. Absent: none.
    #[prost(message, optional, tag = "2")]
    pub constraints: ::core::option::Option<Constraints>,
    /// Idempotency key, 1 to 128 characters: one key pays for one answer at most. A repeat with the same
    /// body waits while the first call is at work, then gets its end from the record; no endpoint is
    /// asked. An answer comes again word by word where the team records content (`recording = "full"`),
    /// with `decision.repeated`; elsewhere, also where the words are kept redacted, the repeat is ANSWER_NOT_KEPT,
    /// which names the decision, so that an empty answer is never taken for one. A call that failed, or whose caller went away, fails
    /// again with ALL_ATTEMPTS_FAILED; a new key asks again. Only where nothing was asked, or the server
    /// died over it, does a repeat ask. With another body: REQUEST_ID_REUSED. Absent: not idempotent.
    #[prost(string, optional, tag = "3")]
    pub request_id: ::core::option::Option<::prost::alloc::string::String>,
    /// Whether this request may explore. Absent: true.
    #[prost(bool, optional, tag = "4")]
    pub explore: ::core::option::Option<bool>,
    /// Sampling temperature, 0 to 2. Absent: the endpoint's default.
    #[prost(double, optional, tag = "5")]
    pub temperature: ::core::option::Option<f64>,
    /// How to answer, besides. Absent: the endpoint's defaults.
    #[prost(message, optional, tag = "6")]
    pub generation: ::core::option::Option<Generation>,
}
/// The answer.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct CompleteResponse {
    /// The decision.
    #[prost(message, optional, tag = "1")]
    pub decision: ::core::option::Option<RouteResponse>,
    /// The model's message.
    #[prost(message, optional, tag = "2")]
    pub message: ::core::option::Option<Message>,
    /// Why it stopped: "stop", "length", "tool_calls", "content_filter".
    #[prost(string, tag = "3")]
    pub finish_reason: ::prost::alloc::string::String,
    /// The attempt that served it.
    #[prost(message, optional, tag = "4")]
    pub attempt: ::core::option::Option<Attempt>,
    /// Every attempt, in order; the last one without an error served it. `decision.arm` is the arm that was chosen, each
    /// attempt's `arm` the one that was asked.
    #[prost(message, repeated, tag = "5")]
    pub attempts: ::prost::alloc::vec::Vec<Attempt>,
    /// What was checked of the answer. Empty: nothing.
    #[prost(message, repeated, tag = "6")]
    pub checks: ::prost::alloc::vec::Vec<AnswerCheck>,
    /// True if the answer's JSON was repaired, as the team's checks allow.
    #[prost(bool, tag = "7")]
    pub repaired: bool,
}
/// Asks for a decision and an answer in pieces.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StreamCompleteRequest {
    /// What is asked.
    #[prost(message, optional, tag = "1")]
    pub request: ::core::option::Option<CompleteRequest>,
}
/// A piece of a streamed answer.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StreamCompleteResponse {
    /// Exactly one: first `decision`, then any number of `text_delta`, `tool_call` and `reasoning`, last `done`.
    #[prost(oneof = "stream_complete_response::Event", tags = "1, 2, 3, 4, 5")]
    pub event: ::core::option::Option<stream_complete_response::Event>,
}
/// Nested message and enum types in `StreamCompleteResponse`.
pub mod stream_complete_response {
    /// Exactly one: first `decision`, then any number of `text_delta`, `tool_call` and `reasoning`, last `done`.
    #[derive(Clone, PartialEq, ::prost::Oneof)]
    pub enum Event {
        /// The decision, before the first token.
        #[prost(message, tag = "1")]
        Decision(super::RouteResponse),
        /// The next characters of the answer.
        #[prost(string, tag = "2")]
        TextDelta(::prost::alloc::string::String),
        /// The end: the whole answer was sent.
        #[prost(message, tag = "3")]
        Done(super::StreamDone),
        /// A whole call of a tool.
        #[prost(message, tag = "4")]
        ToolCall(super::ToolCall),
        /// What the model thinks, in pieces.
        #[prost(message, tag = "5")]
        Reasoning(super::Reasoning),
    }
}
/// The terminal message of a stream.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct StreamDone {
    /// The decision.
    #[prost(string, tag = "1")]
    pub decision_id: ::prost::alloc::string::String,
    /// Why the model stopped.
    #[prost(string, tag = "2")]
    pub finish_reason: ::prost::alloc::string::String,
    /// The attempt that served it: arm, usage, cost.
    #[prost(message, optional, tag = "3")]
    pub attempt: ::core::option::Option<Attempt>,
    /// Every attempt, in order; the last one without an error served it.
    #[prost(message, repeated, tag = "4")]
    pub attempts: ::prost::alloc::vec::Vec<Attempt>,
    /// What was checked of the answer. Empty: nothing.
    #[prost(message, repeated, tag = "5")]
    pub checks: ::prost::alloc::vec::Vec<AnswerCheck>,
}
/// Asks to close an episode.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct CloseEpisodeRequest {
    /// The episode; required.
    #[prost(string, tag = "1")]
    pub episode_id: ::prost::alloc::string::String,
    /// Idempotency key. Absent: closing twice is harmless anyway.
    #[prost(string, optional, tag = "2")]
    pub request_id: ::core::option::Option<::prost::alloc::string::String>,
}
/// What closing did.
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct CloseEpisodeResponse {
    /// Decisions of the episode.
    #[prost(int64, tag = "1")]
    pub decision_count: i64,
    /// True if it had been closed before.
    #[prost(bool, tag = "2")]
    pub already_closed: bool,
}
/// Asks for one decision.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct GetDecisionRequest {
    /// Its id; required.
    #[prost(string, tag = "1")]
    pub decision_id: ::prost::alloc::string::String,
}
/// One decision.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct GetDecisionResponse {
    /// The record.
    #[prost(message, optional, tag = "1")]
    pub decision: ::core::option::Option<DecisionRecord>,
}
/// Asks for decisions, newest first.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ListDecisionsRequest {
    /// Most to return, 0 to 1000. Zero: 50.
    #[prost(int32, tag = "1")]
    pub page_size: i32,
    /// From an earlier reply. Empty: from the newest.
    #[prost(string, tag = "2")]
    pub page_token: ::prost::alloc::string::String,
    /// Only of this episode. Empty: all.
    #[prost(string, tag = "3")]
    pub episode_id: ::prost::alloc::string::String,
    /// Only with this chosen arm. Empty: all.
    #[prost(string, tag = "4")]
    pub arm: ::prost::alloc::string::String,
}
/// A page of decisions.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ListDecisionsResponse {
    /// The records, newest first.
    #[prost(message, repeated, tag = "1")]
    pub decisions: ::prost::alloc::vec::Vec<DecisionRecord>,
    /// For the next page. Empty: this was the last.
    #[prost(string, tag = "2")]
    pub next_page_token: ::prost::alloc::string::String,
}
/// A decision with all that followed.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct DecisionRecord {
    /// The decision as it was replied, but for the fallbacks: those are not kept.
    #[prost(message, optional, tag = "1")]
    pub decision: ::core::option::Option<RouteResponse>,
    /// When it was made.
    #[prost(message, optional, tag = "2")]
    pub create_time: ::core::option::Option<::prost_types::Timestamp>,
    /// The task. Absent: unnamed.
    #[prost(string, optional, tag = "3")]
    pub task: ::core::option::Option<::prost::alloc::string::String>,
    /// The episode. Absent: none.
    #[prost(string, optional, tag = "4")]
    pub episode_id: ::core::option::Option<::prost::alloc::string::String>,
    /// The session. Absent: none.
    #[prost(string, optional, tag = "5")]
    pub session_id: ::core::option::Option<::prost::alloc::string::String>,
    /// Tries, in order.
    #[prost(message, repeated, tag = "6")]
    pub attempts: ::prost::alloc::vec::Vec<Attempt>,
    /// Sum of the attempts' costs, in nano-dollars.
    #[prost(int64, tag = "7")]
    pub cost_nano_usd: i64,
    /// Signals received so far, in order; retracted ones are left out.
    #[prost(message, repeated, tag = "8")]
    pub signals: ::prost::alloc::vec::Vec<ReceivedSignal>,
    /// True if exploration was off (explore=false, a pin, or the baseline of an episode held out):
    /// propensity 1. Not said of an inherited decision, whose arm was drawn by an earlier one.
    #[prost(bool, tag = "9")]
    pub deterministic: bool,
}
/// A signal as received.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ReceivedSignal {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: ::prost::alloc::string::String,
    /// Its value.
    #[prost(message, optional, tag = "2")]
    pub value: ::core::option::Option<SignalValue>,
    /// Who judged.
    #[prost(message, optional, tag = "3")]
    pub evaluator: ::core::option::Option<Evaluator>,
    /// When the outcome was seen.
    #[prost(message, optional, tag = "4")]
    pub observed_time: ::core::option::Option<::prost_types::Timestamp>,
    /// True if it was given for the episode.
    #[prost(bool, tag = "5")]
    pub episode_level: bool,
}
/// What a guardrail does where it finds something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum GuardrailAction {
    /// Not said.
    Unspecified = 0,
    /// Refuses the call: GUARDRAIL_BLOCKED.
    Block = 1,
    /// Complete: the provider got marks such as `\[REDACTED:EMAIL\]` in place of what was found, every endpoint the same.
    /// Route: the caller sends the prompt itself, so nothing was changed.
    Redact = 2,
    /// Nothing but to tell of it.
    Flag = 3,
}
impl GuardrailAction {
    /// String value of the enum field names used in the ProtoBuf definition.
    ///
    /// The values are not transformed in any way and thus are considered stable
    /// (if the ProtoBuf definition does not change) and safe for programmatic use.
    pub fn as_str_name(&self) -> &'static str {
        match self {
            Self::Unspecified => "GUARDRAIL_ACTION_UNSPECIFIED",
            Self::Block => "GUARDRAIL_ACTION_BLOCK",
            Self::Redact => "GUARDRAIL_ACTION_REDACT",
            Self::Flag => "GUARDRAIL_ACTION_FLAG",
        }
    }
    /// Creates an enum from field names used in the ProtoBuf definition.
    pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
        match value {
            "GUARDRAIL_ACTION_UNSPECIFIED" => Some(Self::Unspecified),
            "GUARDRAIL_ACTION_BLOCK" => Some(Self::Block),
            "GUARDRAIL_ACTION_REDACT" => Some(Self::Redact),
            "GUARDRAIL_ACTION_FLAG" => Some(Self::Flag),
            _ => None,
        }
    }
}
/// Generated client implementations.
pub mod router_service_client {
    #![allow(
        unused_variables,
        dead_code,
        missing_docs,
        clippy::wildcard_imports,
        clippy::let_unit_value,
    )]
    use tonic::codegen::*;
    use tonic::codegen::http::Uri;
    /// Decides which arm takes a request, and serves it if asked to. Needs a key with the scope `route`;
    /// `Complete` and `StreamComplete` need `complete`, `CloseEpisode` needs `feedback`.
    #[derive(Debug, Clone)]
    pub struct RouterServiceClient<T> {
        inner: tonic::client::Grpc<T>,
    }
    impl RouterServiceClient<tonic::transport::Channel> {
        /// Attempt to create a new client by connecting to a given endpoint.
        pub async fn connect<D>(dst: D) -> Result<Self, tonic::transport::Error>
        where
            D: TryInto<tonic::transport::Endpoint>,
            D::Error: Into<StdError>,
        {
            let conn = tonic::transport::Endpoint::new(dst)?.connect().await?;
            Ok(Self::new(conn))
        }
    }
    impl<T> RouterServiceClient<T>
    where
        T: tonic::client::GrpcService<tonic::body::Body>,
        T::Error: Into<StdError>,
        T::ResponseBody: Body<Data = Bytes> + std::marker::Send + 'static,
        <T::ResponseBody as Body>::Error: Into<StdError> + std::marker::Send,
    {
        pub fn new(inner: T) -> Self {
            let inner = tonic::client::Grpc::new(inner);
            Self { inner }
        }
        pub fn with_origin(inner: T, origin: Uri) -> Self {
            let inner = tonic::client::Grpc::with_origin(inner, origin);
            Self { inner }
        }
        pub fn with_interceptor<F>(
            inner: T,
            interceptor: F,
        ) -> RouterServiceClient<InterceptedService<T, F>>
        where
            F: tonic::service::Interceptor,
            T::ResponseBody: Default,
            T: tonic::codegen::Service<
                http::Request<tonic::body::Body>,
                Response = http::Response<
                    <T as tonic::client::GrpcService<tonic::body::Body>>::ResponseBody,
                >,
            >,
            <T as tonic::codegen::Service<
                http::Request<tonic::body::Body>,
            >>::Error: Into<StdError> + std::marker::Send + std::marker::Sync,
        {
            RouterServiceClient::new(InterceptedService::new(inner, interceptor))
        }
        /// Compress requests with the given encoding.
        ///
        /// This requires the server to support it otherwise it might respond with an
        /// error.
        #[must_use]
        pub fn send_compressed(mut self, encoding: CompressionEncoding) -> Self {
            self.inner = self.inner.send_compressed(encoding);
            self
        }
        /// Enable decompressing responses.
        #[must_use]
        pub fn accept_compressed(mut self, encoding: CompressionEncoding) -> Self {
            self.inner = self.inner.accept_compressed(encoding);
            self
        }
        /// Limits the maximum size of a decoded message.
        ///
        /// Default: `4MB`
        #[must_use]
        pub fn max_decoding_message_size(mut self, limit: usize) -> Self {
            self.inner = self.inner.max_decoding_message_size(limit);
            self
        }
        /// Limits the maximum size of an encoded message.
        ///
        /// Default: `usize::MAX`
        #[must_use]
        pub fn max_encoding_message_size(mut self, limit: usize) -> Self {
            self.inner = self.inner.max_encoding_message_size(limit);
            self
        }
        /// Decides only; the caller calls the endpoint itself. The decision is in the journal before the
        /// reply. Errors: INVALID_FIELD, NOT_ALLOWED (a task that the key may not ask for), REQUEST_ID_REUSED,
        /// NO_ELIGIBLE_ARM, STORE_FULL, GUARDRAIL_BLOCKED (the team's guardrail refuses what the request holds), RATE_LIMITED
        /// (a limit on requests, tokens or calls at once, with the wait as RetryInfo), EPISODE_LOOPING (the episode goes
        /// round: close it to begin anew); where every endpoint that
        /// it may use is left alone for a while, with the wait as RetryInfo: ENDPOINTS_UNAVAILABLE (they have
        /// failed), ENDPOINTS_RATE_LIMITED (all of them were asked too much).
        pub async fn route(
            &mut self,
            request: impl tonic::IntoRequest<super::RouteRequest>,
        ) -> std::result::Result<tonic::Response<super::RouteResponse>, tonic::Status> {
            self.inner
                .ready()
                .await
                .map_err(|e| {
                    tonic::Status::unknown(
                        format!("Service was not ready: {}", e.into()),
                    )
                })?;
            let codec = tonic_prost::ProstCodec::default();
            let path = http::uri::PathAndQuery::from_static(
                "/bellwether.v1.RouterService/Route",
            );
            let mut req = request.into_request();
            req.extensions_mut()
                .insert(GrpcMethod::new("bellwether.v1.RouterService", "Route"));
            self.inner.unary(req, path, codec).await
        }
        /// Tells what happened when the caller called the provider itself. Errors: INVALID_FIELD,
        /// DECISION_NOT_FOUND, REQUEST_ID_REUSED, STORE_FULL.
        pub async fn report_attempt(
            &mut self,
            request: impl tonic::IntoRequest<super::ReportAttemptRequest>,
        ) -> std::result::Result<
            tonic::Response<super::ReportAttemptResponse>,
            tonic::Status,
        > {
            self.inner
                .ready()
                .await
                .map_err(|e| {
                    tonic::Status::unknown(
                        format!("Service was not ready: {}", e.into()),
                    )
                })?;
            let codec = tonic_prost::ProstCodec::default();
            let path = http::uri::PathAndQuery::from_static(
                "/bellwether.v1.RouterService/ReportAttempt",
            );
            let mut req = request.into_request();
            req.extensions_mut()
                .insert(GrpcMethod::new("bellwether.v1.RouterService", "ReportAttempt"));
            self.inner.unary(req, path, codec).await
        }
        /// Decides, calls the chosen arm's endpoint and returns its answer. Errors: those of Route, and
        /// ALL_ATTEMPTS_FAILED, DEADLINE_EXCEEDED, ANSWER_NOT_KEPT (a repeated request_id).
        pub async fn complete(
            &mut self,
            request: impl tonic::IntoRequest<super::CompleteRequest>,
        ) -> std::result::Result<
            tonic::Response<super::CompleteResponse>,
            tonic::Status,
        > {
            self.inner
                .ready()
                .await
                .map_err(|e| {
                    tonic::Status::unknown(
                        format!("Service was not ready: {}", e.into()),
                    )
                })?;
            let codec = tonic_prost::ProstCodec::default();
            let path = http::uri::PathAndQuery::from_static(
                "/bellwether.v1.RouterService/Complete",
            );
            let mut req = request.into_request();
            req.extensions_mut()
                .insert(GrpcMethod::new("bellwether.v1.RouterService", "Complete"));
            self.inner.unary(req, path, codec).await
        }
        /// As Complete, in pieces. Ends with a `done` message; a stream without one was cut: by the deadline
        /// (DEADLINE_EXCEEDED), or by the provider (ANSWER_CUT_OFF, whose ErrorInfo tells in its metadata what was
        /// served and charged: decision_id, arm, endpoint, error, output_tokens, cost_nano_usd). A request_id
        /// may repeat one of Complete, and the other way round.
        pub async fn stream_complete(
            &mut self,
            request: impl tonic::IntoRequest<super::StreamCompleteRequest>,
        ) -> std::result::Result<
            tonic::Response<tonic::codec::Streaming<super::StreamCompleteResponse>>,
            tonic::Status,
        > {
            self.inner
                .ready()
                .await
                .map_err(|e| {
                    tonic::Status::unknown(
                        format!("Service was not ready: {}", e.into()),
                    )
                })?;
            let codec = tonic_prost::ProstCodec::default();
            let path = http::uri::PathAndQuery::from_static(
                "/bellwether.v1.RouterService/StreamComplete",
            );
            let mut req = request.into_request();
            req.extensions_mut()
                .insert(
                    GrpcMethod::new("bellwether.v1.RouterService", "StreamComplete"),
                );
            self.inner.server_streaming(req, path, codec).await
        }
        /// Closes an episode: signals still missing take the value that the scorecard gives a missing one.
        /// Errors: INVALID_FIELD (also for an episode that no decision names), REQUEST_ID_REUSED, STORE_FULL.
        pub async fn close_episode(
            &mut self,
            request: impl tonic::IntoRequest<super::CloseEpisodeRequest>,
        ) -> std::result::Result<
            tonic::Response<super::CloseEpisodeResponse>,
            tonic::Status,
        > {
            self.inner
                .ready()
                .await
                .map_err(|e| {
                    tonic::Status::unknown(
                        format!("Service was not ready: {}", e.into()),
                    )
                })?;
            let codec = tonic_prost::ProstCodec::default();
            let path = http::uri::PathAndQuery::from_static(
                "/bellwether.v1.RouterService/CloseEpisode",
            );
            let mut req = request.into_request();
            req.extensions_mut()
                .insert(GrpcMethod::new("bellwether.v1.RouterService", "CloseEpisode"));
            self.inner.unary(req, path, codec).await
        }
        /// One decision: what was chosen, from what, why others were not, what followed. Errors:
        /// DECISION_NOT_FOUND.
        pub async fn get_decision(
            &mut self,
            request: impl tonic::IntoRequest<super::GetDecisionRequest>,
        ) -> std::result::Result<
            tonic::Response<super::GetDecisionResponse>,
            tonic::Status,
        > {
            self.inner
                .ready()
                .await
                .map_err(|e| {
                    tonic::Status::unknown(
                        format!("Service was not ready: {}", e.into()),
                    )
                })?;
            let codec = tonic_prost::ProstCodec::default();
            let path = http::uri::PathAndQuery::from_static(
                "/bellwether.v1.RouterService/GetDecision",
            );
            let mut req = request.into_request();
            req.extensions_mut()
                .insert(GrpcMethod::new("bellwether.v1.RouterService", "GetDecision"));
            self.inner.unary(req, path, codec).await
        }
        /// Decisions of the key's team, newest first. Errors: INVALID_FIELD.
        pub async fn list_decisions(
            &mut self,
            request: impl tonic::IntoRequest<super::ListDecisionsRequest>,
        ) -> std::result::Result<
            tonic::Response<super::ListDecisionsResponse>,
            tonic::Status,
        > {
            self.inner
                .ready()
                .await
                .map_err(|e| {
                    tonic::Status::unknown(
                        format!("Service was not ready: {}", e.into()),
                    )
                })?;
            let codec = tonic_prost::ProstCodec::default();
            let path = http::uri::PathAndQuery::from_static(
                "/bellwether.v1.RouterService/ListDecisions",
            );
            let mut req = request.into_request();
            req.extensions_mut()
                .insert(GrpcMethod::new("bellwether.v1.RouterService", "ListDecisions"));
            self.inner.unary(req, path, codec).await
        }
    }
}
/// Generated server implementations.
pub mod router_service_server {
    #![allow(
        unused_variables,
        dead_code,
        missing_docs,
        clippy::wildcard_imports,
        clippy::let_unit_value,
    )]
    use tonic::codegen::*;
    /// Generated trait containing gRPC methods that should be implemented for use with RouterServiceServer.
    #[async_trait]
    pub trait RouterService: std::marker::Send + std::marker::Sync + 'static {
        /// Decides only; the caller calls the endpoint itself. The decision is in the journal before the
        /// reply. Errors: INVALID_FIELD, NOT_ALLOWED (a task that the key may not ask for), REQUEST_ID_REUSED,
        /// NO_ELIGIBLE_ARM, STORE_FULL, GUARDRAIL_BLOCKED (the team's guardrail refuses what the request holds), RATE_LIMITED
        /// (a limit on requests, tokens or calls at once, with the wait as RetryInfo), EPISODE_LOOPING (the episode goes
        /// round: close it to begin anew); where every endpoint that
        /// it may use is left alone for a while, with the wait as RetryInfo: ENDPOINTS_UNAVAILABLE (they have
        /// failed), ENDPOINTS_RATE_LIMITED (all of them were asked too much).
        async fn route(
            &self,
            request: tonic::Request<super::RouteRequest>,
        ) -> std::result::Result<tonic::Response<super::RouteResponse>, tonic::Status>;
        /// Tells what happened when the caller called the provider itself. Errors: INVALID_FIELD,
        /// DECISION_NOT_FOUND, REQUEST_ID_REUSED, STORE_FULL.
        async fn report_attempt(
            &self,
            request: tonic::Request<super::ReportAttemptRequest>,
        ) -> std::result::Result<
            tonic::Response<super::ReportAttemptResponse>,
            tonic::Status,
        >;
        /// Decides, calls the chosen arm's endpoint and returns its answer. Errors: those of Route, and
        /// ALL_ATTEMPTS_FAILED, DEADLINE_EXCEEDED, ANSWER_NOT_KEPT (a repeated request_id).
        async fn complete(
            &self,
            request: tonic::Request<super::CompleteRequest>,
        ) -> std::result::Result<
            tonic::Response<super::CompleteResponse>,
            tonic::Status,
        >;
        /// Server streaming response type for the StreamComplete method.
        type StreamCompleteStream: tonic::codegen::tokio_stream::Stream<
                Item = std::result::Result<super::StreamCompleteResponse, tonic::Status>,
            >
            + std::marker::Send
            + 'static;
        /// As Complete, in pieces. Ends with a `done` message; a stream without one was cut: by the deadline
        /// (DEADLINE_EXCEEDED), or by the provider (ANSWER_CUT_OFF, whose ErrorInfo tells in its metadata what was
        /// served and charged: decision_id, arm, endpoint, error, output_tokens, cost_nano_usd). A request_id
        /// may repeat one of Complete, and the other way round.
        async fn stream_complete(
            &self,
            request: tonic::Request<super::StreamCompleteRequest>,
        ) -> std::result::Result<
            tonic::Response<Self::StreamCompleteStream>,
            tonic::Status,
        >;
        /// Closes an episode: signals still missing take the value that the scorecard gives a missing one.
        /// Errors: INVALID_FIELD (also for an episode that no decision names), REQUEST_ID_REUSED, STORE_FULL.
        async fn close_episode(
            &self,
            request: tonic::Request<super::CloseEpisodeRequest>,
        ) -> std::result::Result<
            tonic::Response<super::CloseEpisodeResponse>,
            tonic::Status,
        >;
        /// One decision: what was chosen, from what, why others were not, what followed. Errors:
        /// DECISION_NOT_FOUND.
        async fn get_decision(
            &self,
            request: tonic::Request<super::GetDecisionRequest>,
        ) -> std::result::Result<
            tonic::Response<super::GetDecisionResponse>,
            tonic::Status,
        >;
        /// Decisions of the key's team, newest first. Errors: INVALID_FIELD.
        async fn list_decisions(
            &self,
            request: tonic::Request<super::ListDecisionsRequest>,
        ) -> std::result::Result<
            tonic::Response<super::ListDecisionsResponse>,
            tonic::Status,
        >;
    }
    /// Decides which arm takes a request, and serves it if asked to. Needs a key with the scope `route`;
    /// `Complete` and `StreamComplete` need `complete`, `CloseEpisode` needs `feedback`.
    #[derive(Debug)]
    pub struct RouterServiceServer<T> {
        inner: Arc<T>,
        accept_compression_encodings: EnabledCompressionEncodings,
        send_compression_encodings: EnabledCompressionEncodings,
        max_decoding_message_size: Option<usize>,
        max_encoding_message_size: Option<usize>,
    }
    impl<T> RouterServiceServer<T> {
        pub fn new(inner: T) -> Self {
            Self::from_arc(Arc::new(inner))
        }
        pub fn from_arc(inner: Arc<T>) -> Self {
            Self {
                inner,
                accept_compression_encodings: Default::default(),
                send_compression_encodings: Default::default(),
                max_decoding_message_size: None,
                max_encoding_message_size: None,
            }
        }
        pub fn with_interceptor<F>(
            inner: T,
            interceptor: F,
        ) -> InterceptedService<Self, F>
        where
            F: tonic::service::Interceptor,
        {
            InterceptedService::new(Self::new(inner), interceptor)
        }
        /// Enable decompressing requests with the given encoding.
        #[must_use]
        pub fn accept_compressed(mut self, encoding: CompressionEncoding) -> Self {
            self.accept_compression_encodings.enable(encoding);
            self
        }
        /// Compress responses with the given encoding, if the client supports it.
        #[must_use]
        pub fn send_compressed(mut self, encoding: CompressionEncoding) -> Self {
            self.send_compression_encodings.enable(encoding);
            self
        }
        /// Limits the maximum size of a decoded message.
        ///
        /// Default: `4MB`
        #[must_use]
        pub fn max_decoding_message_size(mut self, limit: usize) -> Self {
            self.max_decoding_message_size = Some(limit);
            self
        }
        /// Limits the maximum size of an encoded message.
        ///
        /// Default: `usize::MAX`
        #[must_use]
        pub fn max_encoding_message_size(mut self, limit: usize) -> Self {
            self.max_encoding_message_size = Some(limit);
            self
        }
    }
    impl<T, B> tonic::codegen::Service<http::Request<B>> for RouterServiceServer<T>
    where
        T: RouterService,
        B: Body + std::marker::Send + 'static,
        B::Error: Into<StdError> + std::marker::Send + 'static,
    {
        type Response = http::Response<tonic::body::Body>;
        type Error = std::convert::Infallible;
        type Future = BoxFuture<Self::Response, Self::Error>;
        fn poll_ready(
            &mut self,
            _cx: &mut Context<'_>,
        ) -> Poll<std::result::Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }
        fn call(&mut self, req: http::Request<B>) -> Self::Future {
            match req.uri().path() {
                "/bellwether.v1.RouterService/Route" => {
                    #[allow(non_camel_case_types)]
                    struct RouteSvc<T: RouterService>(pub Arc<T>);
                    impl<
                        T: RouterService,
                    > tonic::server::UnaryService<super::RouteRequest> for RouteSvc<T> {
                        type Response = super::RouteResponse;
                        type Future = BoxFuture<
                            tonic::Response<Self::Response>,
                            tonic::Status,
                        >;
                        fn call(
                            &mut self,
                            request: tonic::Request<super::RouteRequest>,
                        ) -> Self::Future {
                            let inner = Arc::clone(&self.0);
                            let fut = async move {
                                <T as RouterService>::route(&inner, request).await
                            };
                            Box::pin(fut)
                        }
                    }
                    let accept_compression_encodings = self.accept_compression_encodings;
                    let send_compression_encodings = self.send_compression_encodings;
                    let max_decoding_message_size = self.max_decoding_message_size;
                    let max_encoding_message_size = self.max_encoding_message_size;
                    let inner = self.inner.clone();
                    let fut = async move {
                        let method = RouteSvc(inner);
                        let codec = tonic_prost::ProstCodec::default();
                        let mut grpc = tonic::server::Grpc::new(codec)
                            .apply_compression_config(
                                accept_compression_encodings,
                                send_compression_encodings,
                            )
                            .apply_max_message_size_config(
                                max_decoding_message_size,
                                max_encoding_message_size,
                            );
                        let res = grpc.unary(method, req).await;
                        Ok(res)
                    };
                    Box::pin(fut)
                }
                "/bellwether.v1.RouterService/ReportAttempt" => {
                    #[allow(non_camel_case_types)]
                    struct ReportAttemptSvc<T: RouterService>(pub Arc<T>);
                    impl<
                        T: RouterService,
                    > tonic::server::UnaryService<super::ReportAttemptRequest>
                    for ReportAttemptSvc<T> {
                        type Response = super::ReportAttemptResponse;
                        type Future = BoxFuture<
                            tonic::Response<Self::Response>,
                            tonic::Status,
                        >;
                        fn call(
                            &mut self,
                            request: tonic::Request<super::ReportAttemptRequest>,
                        ) -> Self::Future {
                            let inner = Arc::clone(&self.0);
                            let fut = async move {
                                <T as RouterService>::report_attempt(&inner, request).await
                            };
                            Box::pin(fut)
                        }
                    }
                    let accept_compression_encodings = self.accept_compression_encodings;
                    let send_compression_encodings = self.send_compression_encodings;
                    let max_decoding_message_size = self.max_decoding_message_size;
                    let max_encoding_message_size = self.max_encoding_message_size;
                    let inner = self.inner.clone();
                    let fut = async move {
                        let method = ReportAttemptSvc(inner);
                        let codec = tonic_prost::ProstCodec::default();
                        let mut grpc = tonic::server::Grpc::new(codec)
                            .apply_compression_config(
                                accept_compression_encodings,
                                send_compression_encodings,
                            )
                            .apply_max_message_size_config(
                                max_decoding_message_size,
                                max_encoding_message_size,
                            );
                        let res = grpc.unary(method, req).await;
                        Ok(res)
                    };
                    Box::pin(fut)
                }
                "/bellwether.v1.RouterService/Complete" => {
                    #[allow(non_camel_case_types)]
                    struct CompleteSvc<T: RouterService>(pub Arc<T>);
                    impl<
                        T: RouterService,
                    > tonic::server::UnaryService<super::CompleteRequest>
                    for CompleteSvc<T> {
                        type Response = super::CompleteResponse;
                        type Future = BoxFuture<
                            tonic::Response<Self::Response>,
                            tonic::Status,
                        >;
                        fn call(
                            &mut self,
                            request: tonic::Request<super::CompleteRequest>,
                        ) -> Self::Future {
                            let inner = Arc::clone(&self.0);
                            let fut = async move {
                                <T as RouterService>::complete(&inner, request).await
                            };
                            Box::pin(fut)
                        }
                    }
                    let accept_compression_encodings = self.accept_compression_encodings;
                    let send_compression_encodings = self.send_compression_encodings;
                    let max_decoding_message_size = self.max_decoding_message_size;
                    let max_encoding_message_size = self.max_encoding_message_size;
                    let inner = self.inner.clone();
                    let fut = async move {
                        let method = CompleteSvc(inner);
                        let codec = tonic_prost::ProstCodec::default();
                        let mut grpc = tonic::server::Grpc::new(codec)
                            .apply_compression_config(
                                accept_compression_encodings,
                                send_compression_encodings,
                            )
                            .apply_max_message_size_config(
                                max_decoding_message_size,
                                max_encoding_message_size,
                            );
                        let res = grpc.unary(method, req).await;
                        Ok(res)
                    };
                    Box::pin(fut)
                }
                "/bellwether.v1.RouterService/StreamComplete" => {
                    #[allow(non_camel_case_types)]
                    struct StreamCompleteSvc<T: RouterService>(pub Arc<T>);
                    impl<
                        T: RouterService,
                    > tonic::server::ServerStreamingService<super::StreamCompleteRequest>
                    for StreamCompleteSvc<T> {
                        type Response = super::StreamCompleteResponse;
                        type ResponseStream = T::StreamCompleteStream;
                        type Future = BoxFuture<
                            tonic::Response<Self::ResponseStream>,
                            tonic::Status,
                        >;
                        fn call(
                            &mut self,
                            request: tonic::Request<super::StreamCompleteRequest>,
                        ) -> Self::Future {
                            let inner = Arc::clone(&self.0);
                            let fut = async move {
                                <T as RouterService>::stream_complete(&inner, request).await
                            };
                            Box::pin(fut)
                        }
                    }
                    let accept_compression_encodings = self.accept_compression_encodings;
                    let send_compression_encodings = self.send_compression_encodings;
                    let max_decoding_message_size = self.max_decoding_message_size;
                    let max_encoding_message_size = self.max_encoding_message_size;
                    let inner = self.inner.clone();
                    let fut = async move {
                        let method = StreamCompleteSvc(inner);
                        let codec = tonic_prost::ProstCodec::default();
                        let mut grpc = tonic::server::Grpc::new(codec)
                            .apply_compression_config(
                                accept_compression_encodings,
                                send_compression_encodings,
                            )
                            .apply_max_message_size_config(
                                max_decoding_message_size,
                                max_encoding_message_size,
                            );
                        let res = grpc.server_streaming(method, req).await;
                        Ok(res)
                    };
                    Box::pin(fut)
                }
                "/bellwether.v1.RouterService/CloseEpisode" => {
                    #[allow(non_camel_case_types)]
                    struct CloseEpisodeSvc<T: RouterService>(pub Arc<T>);
                    impl<
                        T: RouterService,
                    > tonic::server::UnaryService<super::CloseEpisodeRequest>
                    for CloseEpisodeSvc<T> {
                        type Response = super::CloseEpisodeResponse;
                        type Future = BoxFuture<
                            tonic::Response<Self::Response>,
                            tonic::Status,
                        >;
                        fn call(
                            &mut self,
                            request: tonic::Request<super::CloseEpisodeRequest>,
                        ) -> Self::Future {
                            let inner = Arc::clone(&self.0);
                            let fut = async move {
                                <T as RouterService>::close_episode(&inner, request).await
                            };
                            Box::pin(fut)
                        }
                    }
                    let accept_compression_encodings = self.accept_compression_encodings;
                    let send_compression_encodings = self.send_compression_encodings;
                    let max_decoding_message_size = self.max_decoding_message_size;
                    let max_encoding_message_size = self.max_encoding_message_size;
                    let inner = self.inner.clone();
                    let fut = async move {
                        let method = CloseEpisodeSvc(inner);
                        let codec = tonic_prost::ProstCodec::default();
                        let mut grpc = tonic::server::Grpc::new(codec)
                            .apply_compression_config(
                                accept_compression_encodings,
                                send_compression_encodings,
                            )
                            .apply_max_message_size_config(
                                max_decoding_message_size,
                                max_encoding_message_size,
                            );
                        let res = grpc.unary(method, req).await;
                        Ok(res)
                    };
                    Box::pin(fut)
                }
                "/bellwether.v1.RouterService/GetDecision" => {
                    #[allow(non_camel_case_types)]
                    struct GetDecisionSvc<T: RouterService>(pub Arc<T>);
                    impl<
                        T: RouterService,
                    > tonic::server::UnaryService<super::GetDecisionRequest>
                    for GetDecisionSvc<T> {
                        type Response = super::GetDecisionResponse;
                        type Future = BoxFuture<
                            tonic::Response<Self::Response>,
                            tonic::Status,
                        >;
                        fn call(
                            &mut self,
                            request: tonic::Request<super::GetDecisionRequest>,
                        ) -> Self::Future {
                            let inner = Arc::clone(&self.0);
                            let fut = async move {
                                <T as RouterService>::get_decision(&inner, request).await
                            };
                            Box::pin(fut)
                        }
                    }
                    let accept_compression_encodings = self.accept_compression_encodings;
                    let send_compression_encodings = self.send_compression_encodings;
                    let max_decoding_message_size = self.max_decoding_message_size;
                    let max_encoding_message_size = self.max_encoding_message_size;
                    let inner = self.inner.clone();
                    let fut = async move {
                        let method = GetDecisionSvc(inner);
                        let codec = tonic_prost::ProstCodec::default();
                        let mut grpc = tonic::server::Grpc::new(codec)
                            .apply_compression_config(
                                accept_compression_encodings,
                                send_compression_encodings,
                            )
                            .apply_max_message_size_config(
                                max_decoding_message_size,
                                max_encoding_message_size,
                            );
                        let res = grpc.unary(method, req).await;
                        Ok(res)
                    };
                    Box::pin(fut)
                }
                "/bellwether.v1.RouterService/ListDecisions" => {
                    #[allow(non_camel_case_types)]
                    struct ListDecisionsSvc<T: RouterService>(pub Arc<T>);
                    impl<
                        T: RouterService,
                    > tonic::server::UnaryService<super::ListDecisionsRequest>
                    for ListDecisionsSvc<T> {
                        type Response = super::ListDecisionsResponse;
                        type Future = BoxFuture<
                            tonic::Response<Self::Response>,
                            tonic::Status,
                        >;
                        fn call(
                            &mut self,
                            request: tonic::Request<super::ListDecisionsRequest>,
                        ) -> Self::Future {
                            let inner = Arc::clone(&self.0);
                            let fut = async move {
                                <T as RouterService>::list_decisions(&inner, request).await
                            };
                            Box::pin(fut)
                        }
                    }
                    let accept_compression_encodings = self.accept_compression_encodings;
                    let send_compression_encodings = self.send_compression_encodings;
                    let max_decoding_message_size = self.max_decoding_message_size;
                    let max_encoding_message_size = self.max_encoding_message_size;
                    let inner = self.inner.clone();
                    let fut = async move {
                        let method = ListDecisionsSvc(inner);
                        let codec = tonic_prost::ProstCodec::default();
                        let mut grpc = tonic::server::Grpc::new(codec)
                            .apply_compression_config(
                                accept_compression_encodings,
                                send_compression_encodings,
                            )
                            .apply_max_message_size_config(
                                max_decoding_message_size,
                                max_encoding_message_size,
                            );
                        let res = grpc.unary(method, req).await;
                        Ok(res)
                    };
                    Box::pin(fut)
                }
                _ => {
                    Box::pin(async move {
                        let mut response = http::Response::new(
                            tonic::body::Body::default(),
                        );
                        let headers = response.headers_mut();
                        headers
                            .insert(
                                tonic::Status::GRPC_STATUS,
                                (tonic::Code::Unimplemented as i32).into(),
                            );
                        headers
                            .insert(
                                http::header::CONTENT_TYPE,
                                tonic::metadata::GRPC_CONTENT_TYPE,
                            );
                        Ok(response)
                    })
                }
            }
        }
    }
    impl<T> Clone for RouterServiceServer<T> {
        fn clone(&self) -> Self {
            let inner = self.inner.clone();
            Self {
                inner,
                accept_compression_encodings: self.accept_compression_encodings,
                send_compression_encodings: self.send_compression_encodings,
                max_decoding_message_size: self.max_decoding_message_size,
                max_encoding_message_size: self.max_encoding_message_size,
            }
        }
    }
    /// Generated gRPC service name
    pub const SERVICE_NAME: &str = "bellwether.v1.RouterService";
    impl<T> tonic::server::NamedService for RouterServiceServer<T> {
        const NAME: &'static str = SERVICE_NAME;
    }
}
/// A batch of feedback.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SubmitFeedbackRequest {
    /// 1 to 1000 items.
    #[prost(message, repeated, tag = "1")]
    pub items: ::prost::alloc::vec::Vec<Feedback>,
    /// Check only: nothing is kept or learned.
    #[prost(bool, tag = "2")]
    pub dry_run: bool,
}
/// Signals about one decision or one episode.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Feedback {
    /// 1 to 64 signals, each name once.
    #[prost(message, repeated, tag = "3")]
    pub signals: ::prost::alloc::vec::Vec<Signal>,
    /// When the outcome was seen. Absent: now. At most 5 minutes ahead of the server's clock.
    #[prost(message, optional, tag = "4")]
    pub observed_time: ::core::option::Option<::prost_types::Timestamp>,
    /// Who judged. Absent: unnamed.
    #[prost(message, optional, tag = "5")]
    pub evaluator: ::core::option::Option<Evaluator>,
    /// Idempotency key. Absent: an item that equals the newest one about the same subject is taken for
    /// a repeat and kept once.
    #[prost(string, optional, tag = "6")]
    pub request_id: ::core::option::Option<::prost::alloc::string::String>,
    /// What it is about; exactly one is required.
    #[prost(oneof = "feedback::Subject", tags = "1, 2")]
    pub subject: ::core::option::Option<feedback::Subject>,
}
/// Nested message and enum types in `Feedback`.
pub mod feedback {
    /// What it is about; exactly one is required.
    #[derive(Clone, PartialEq, Eq, Hash, ::prost::Oneof)]
    pub enum Subject {
        /// A decision.
        #[prost(string, tag = "1")]
        DecisionId(::prost::alloc::string::String),
        /// An episode of the key's team. Counts for every decision drawn for it, before or after.
        #[prost(string, tag = "2")]
        EpisodeId(::prost::alloc::string::String),
    }
}
/// A named outcome.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Signal {
    /// Name in the team's scorecard. A name that the scorecard does not know is refused unless the
    /// value is a comment.
    #[prost(string, tag = "1")]
    pub name: ::prost::alloc::string::String,
    /// The value. Required unless a retraction.
    #[prost(message, optional, tag = "2")]
    pub value: ::core::option::Option<SignalValue>,
    /// What to do with it.
    #[prost(enumeration = "signal::Kind", tag = "3")]
    pub kind: i32,
}
/// Nested message and enum types in `Signal`.
pub mod signal {
    /// What to do with it.
    #[derive(
        Clone,
        Copy,
        Debug,
        PartialEq,
        Eq,
        Hash,
        PartialOrd,
        Ord,
        ::prost::Enumeration
    )]
    #[repr(i32)]
    pub enum Kind {
        /// As KIND_OBSERVED.
        Unspecified = 0,
        /// A new observation.
        Observed = 1,
        /// Replaces the value given before: what was learned from that is undone exactly.
        Correction = 2,
        /// Withdraws the value given before; `value` must be absent.
        Retraction = 3,
    }
    impl Kind {
        /// String value of the enum field names used in the ProtoBuf definition.
        ///
        /// The values are not transformed in any way and thus are considered stable
        /// (if the ProtoBuf definition does not change) and safe for programmatic use.
        pub fn as_str_name(&self) -> &'static str {
            match self {
                Self::Unspecified => "KIND_UNSPECIFIED",
                Self::Observed => "KIND_OBSERVED",
                Self::Correction => "KIND_CORRECTION",
                Self::Retraction => "KIND_RETRACTION",
            }
        }
        /// Creates an enum from field names used in the ProtoBuf definition.
        pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
            match value {
                "KIND_UNSPECIFIED" => Some(Self::Unspecified),
                "KIND_OBSERVED" => Some(Self::Observed),
                "KIND_CORRECTION" => Some(Self::Correction),
                "KIND_RETRACTION" => Some(Self::Retraction),
                _ => None,
            }
        }
    }
}
/// Results of a batch.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SubmitFeedbackResponse {
    /// One for each item, in order.
    #[prost(message, repeated, tag = "1")]
    pub results: ::prost::alloc::vec::Vec<FeedbackResult>,
}
/// What became of one item.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct FeedbackResult {
    /// The outcome.
    #[prost(enumeration = "feedback_result::Status", tag = "1")]
    pub status: i32,
    /// For a refusal, the reason (INVALID_FIELD, DECISION_NOT_FOUND, REQUEST_ID_REUSED).
    #[prost(string, tag = "2")]
    pub reason: ::prost::alloc::string::String,
    /// For a refusal, the field and the allowed range.
    #[prost(string, tag = "3")]
    pub message: ::prost::alloc::string::String,
}
/// Nested message and enum types in `FeedbackResult`.
pub mod feedback_result {
    /// Outcomes of an item.
    #[derive(
        Clone,
        Copy,
        Debug,
        PartialEq,
        Eq,
        Hash,
        PartialOrd,
        Ord,
        ::prost::Enumeration
    )]
    #[repr(i32)]
    pub enum Status {
        /// Never sent.
        Unspecified = 0,
        /// Kept; it will be learned from.
        Accepted = 1,
        /// Kept before; nothing new.
        Duplicate = 2,
        /// Kept; its decision is not visible yet, or its episode has no decision yet (a mistyped
        /// `episode_id` looks the same), and it waits for it as long as the learning window.
        Parked = 3,
        /// Kept, but past the learning window: it counts in replay, not in the live learner.
        Late = 4,
        /// Refused; see `reason` and `message`.
        Refused = 5,
    }
    impl Status {
        /// String value of the enum field names used in the ProtoBuf definition.
        ///
        /// The values are not transformed in any way and thus are considered stable
        /// (if the ProtoBuf definition does not change) and safe for programmatic use.
        pub fn as_str_name(&self) -> &'static str {
            match self {
                Self::Unspecified => "STATUS_UNSPECIFIED",
                Self::Accepted => "STATUS_ACCEPTED",
                Self::Duplicate => "STATUS_DUPLICATE",
                Self::Parked => "STATUS_PARKED",
                Self::Late => "STATUS_LATE",
                Self::Refused => "STATUS_REFUSED",
            }
        }
        /// Creates an enum from field names used in the ProtoBuf definition.
        pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
            match value {
                "STATUS_UNSPECIFIED" => Some(Self::Unspecified),
                "STATUS_ACCEPTED" => Some(Self::Accepted),
                "STATUS_DUPLICATE" => Some(Self::Duplicate),
                "STATUS_PARKED" => Some(Self::Parked),
                "STATUS_LATE" => Some(Self::Late),
                "STATUS_REFUSED" => Some(Self::Refused),
                _ => None,
            }
        }
    }
}
/// Generated client implementations.
pub mod feedback_service_client {
    #![allow(
        unused_variables,
        dead_code,
        missing_docs,
        clippy::wildcard_imports,
        clippy::let_unit_value,
    )]
    use tonic::codegen::*;
    use tonic::codegen::http::Uri;
    /// Receives outcomes, now or days later. Needs a key with the scope `feedback`.
    #[derive(Debug, Clone)]
    pub struct FeedbackServiceClient<T> {
        inner: tonic::client::Grpc<T>,
    }
    impl FeedbackServiceClient<tonic::transport::Channel> {
        /// Attempt to create a new client by connecting to a given endpoint.
        pub async fn connect<D>(dst: D) -> Result<Self, tonic::transport::Error>
        where
            D: TryInto<tonic::transport::Endpoint>,
            D::Error: Into<StdError>,
        {
            let conn = tonic::transport::Endpoint::new(dst)?.connect().await?;
            Ok(Self::new(conn))
        }
    }
    impl<T> FeedbackServiceClient<T>
    where
        T: tonic::client::GrpcService<tonic::body::Body>,
        T::Error: Into<StdError>,
        T::ResponseBody: Body<Data = Bytes> + std::marker::Send + 'static,
        <T::ResponseBody as Body>::Error: Into<StdError> + std::marker::Send,
    {
        pub fn new(inner: T) -> Self {
            let inner = tonic::client::Grpc::new(inner);
            Self { inner }
        }
        pub fn with_origin(inner: T, origin: Uri) -> Self {
            let inner = tonic::client::Grpc::with_origin(inner, origin);
            Self { inner }
        }
        pub fn with_interceptor<F>(
            inner: T,
            interceptor: F,
        ) -> FeedbackServiceClient<InterceptedService<T, F>>
        where
            F: tonic::service::Interceptor,
            T::ResponseBody: Default,
            T: tonic::codegen::Service<
                http::Request<tonic::body::Body>,
                Response = http::Response<
                    <T as tonic::client::GrpcService<tonic::body::Body>>::ResponseBody,
                >,
            >,
            <T as tonic::codegen::Service<
                http::Request<tonic::body::Body>,
            >>::Error: Into<StdError> + std::marker::Send + std::marker::Sync,
        {
            FeedbackServiceClient::new(InterceptedService::new(inner, interceptor))
        }
        /// Compress requests with the given encoding.
        ///
        /// This requires the server to support it otherwise it might respond with an
        /// error.
        #[must_use]
        pub fn send_compressed(mut self, encoding: CompressionEncoding) -> Self {
            self.inner = self.inner.send_compressed(encoding);
            self
        }
        /// Enable decompressing responses.
        #[must_use]
        pub fn accept_compressed(mut self, encoding: CompressionEncoding) -> Self {
            self.inner = self.inner.accept_compressed(encoding);
            self
        }
        /// Limits the maximum size of a decoded message.
        ///
        /// Default: `4MB`
        #[must_use]
        pub fn max_decoding_message_size(mut self, limit: usize) -> Self {
            self.inner = self.inner.max_decoding_message_size(limit);
            self
        }
        /// Limits the maximum size of an encoded message.
        ///
        /// Default: `usize::MAX`
        #[must_use]
        pub fn max_encoding_message_size(mut self, limit: usize) -> Self {
            self.inner = self.inner.max_encoding_message_size(limit);
            self
        }
        /// Takes a batch. Each item is judged alone: the reply has a result for each, in order. An
        /// accepted item is in the journal before the reply. Errors for the whole call: INVALID_FIELD
        /// (no items, or more than 1000), STORE_FULL.
        pub async fn submit_feedback(
            &mut self,
            request: impl tonic::IntoRequest<super::SubmitFeedbackRequest>,
        ) -> std::result::Result<
            tonic::Response<super::SubmitFeedbackResponse>,
            tonic::Status,
        > {
            self.inner
                .ready()
                .await
                .map_err(|e| {
                    tonic::Status::unknown(
                        format!("Service was not ready: {}", e.into()),
                    )
                })?;
            let codec = tonic_prost::ProstCodec::default();
            let path = http::uri::PathAndQuery::from_static(
                "/bellwether.v1.FeedbackService/SubmitFeedback",
            );
            let mut req = request.into_request();
            req.extensions_mut()
                .insert(
                    GrpcMethod::new("bellwether.v1.FeedbackService", "SubmitFeedback"),
                );
            self.inner.unary(req, path, codec).await
        }
    }
}
/// Generated server implementations.
pub mod feedback_service_server {
    #![allow(
        unused_variables,
        dead_code,
        missing_docs,
        clippy::wildcard_imports,
        clippy::let_unit_value,
    )]
    use tonic::codegen::*;
    /// Generated trait containing gRPC methods that should be implemented for use with FeedbackServiceServer.
    #[async_trait]
    pub trait FeedbackService: std::marker::Send + std::marker::Sync + 'static {
        /// Takes a batch. Each item is judged alone: the reply has a result for each, in order. An
        /// accepted item is in the journal before the reply. Errors for the whole call: INVALID_FIELD
        /// (no items, or more than 1000), STORE_FULL.
        async fn submit_feedback(
            &self,
            request: tonic::Request<super::SubmitFeedbackRequest>,
        ) -> std::result::Result<
            tonic::Response<super::SubmitFeedbackResponse>,
            tonic::Status,
        >;
    }
    /// Receives outcomes, now or days later. Needs a key with the scope `feedback`.
    #[derive(Debug)]
    pub struct FeedbackServiceServer<T> {
        inner: Arc<T>,
        accept_compression_encodings: EnabledCompressionEncodings,
        send_compression_encodings: EnabledCompressionEncodings,
        max_decoding_message_size: Option<usize>,
        max_encoding_message_size: Option<usize>,
    }
    impl<T> FeedbackServiceServer<T> {
        pub fn new(inner: T) -> Self {
            Self::from_arc(Arc::new(inner))
        }
        pub fn from_arc(inner: Arc<T>) -> Self {
            Self {
                inner,
                accept_compression_encodings: Default::default(),
                send_compression_encodings: Default::default(),
                max_decoding_message_size: None,
                max_encoding_message_size: None,
            }
        }
        pub fn with_interceptor<F>(
            inner: T,
            interceptor: F,
        ) -> InterceptedService<Self, F>
        where
            F: tonic::service::Interceptor,
        {
            InterceptedService::new(Self::new(inner), interceptor)
        }
        /// Enable decompressing requests with the given encoding.
        #[must_use]
        pub fn accept_compressed(mut self, encoding: CompressionEncoding) -> Self {
            self.accept_compression_encodings.enable(encoding);
            self
        }
        /// Compress responses with the given encoding, if the client supports it.
        #[must_use]
        pub fn send_compressed(mut self, encoding: CompressionEncoding) -> Self {
            self.send_compression_encodings.enable(encoding);
            self
        }
        /// Limits the maximum size of a decoded message.
        ///
        /// Default: `4MB`
        #[must_use]
        pub fn max_decoding_message_size(mut self, limit: usize) -> Self {
            self.max_decoding_message_size = Some(limit);
            self
        }
        /// Limits the maximum size of an encoded message.
        ///
        /// Default: `usize::MAX`
        #[must_use]
        pub fn max_encoding_message_size(mut self, limit: usize) -> Self {
            self.max_encoding_message_size = Some(limit);
            self
        }
    }
    impl<T, B> tonic::codegen::Service<http::Request<B>> for FeedbackServiceServer<T>
    where
        T: FeedbackService,
        B: Body + std::marker::Send + 'static,
        B::Error: Into<StdError> + std::marker::Send + 'static,
    {
        type Response = http::Response<tonic::body::Body>;
        type Error = std::convert::Infallible;
        type Future = BoxFuture<Self::Response, Self::Error>;
        fn poll_ready(
            &mut self,
            _cx: &mut Context<'_>,
        ) -> Poll<std::result::Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }
        fn call(&mut self, req: http::Request<B>) -> Self::Future {
            match req.uri().path() {
                "/bellwether.v1.FeedbackService/SubmitFeedback" => {
                    #[allow(non_camel_case_types)]
                    struct SubmitFeedbackSvc<T: FeedbackService>(pub Arc<T>);
                    impl<
                        T: FeedbackService,
                    > tonic::server::UnaryService<super::SubmitFeedbackRequest>
                    for SubmitFeedbackSvc<T> {
                        type Response = super::SubmitFeedbackResponse;
                        type Future = BoxFuture<
                            tonic::Response<Self::Response>,
                            tonic::Status,
                        >;
                        fn call(
                            &mut self,
                            request: tonic::Request<super::SubmitFeedbackRequest>,
                        ) -> Self::Future {
                            let inner = Arc::clone(&self.0);
                            let fut = async move {
                                <T as FeedbackService>::submit_feedback(&inner, request)
                                    .await
                            };
                            Box::pin(fut)
                        }
                    }
                    let accept_compression_encodings = self.accept_compression_encodings;
                    let send_compression_encodings = self.send_compression_encodings;
                    let max_decoding_message_size = self.max_decoding_message_size;
                    let max_encoding_message_size = self.max_encoding_message_size;
                    let inner = self.inner.clone();
                    let fut = async move {
                        let method = SubmitFeedbackSvc(inner);
                        let codec = tonic_prost::ProstCodec::default();
                        let mut grpc = tonic::server::Grpc::new(codec)
                            .apply_compression_config(
                                accept_compression_encodings,
                                send_compression_encodings,
                            )
                            .apply_max_message_size_config(
                                max_decoding_message_size,
                                max_encoding_message_size,
                            );
                        let res = grpc.unary(method, req).await;
                        Ok(res)
                    };
                    Box::pin(fut)
                }
                _ => {
                    Box::pin(async move {
                        let mut response = http::Response::new(
                            tonic::body::Body::default(),
                        );
                        let headers = response.headers_mut();
                        headers
                            .insert(
                                tonic::Status::GRPC_STATUS,
                                (tonic::Code::Unimplemented as i32).into(),
                            );
                        headers
                            .insert(
                                http::header::CONTENT_TYPE,
                                tonic::metadata::GRPC_CONTENT_TYPE,
                            );
                        Ok(response)
                    })
                }
            }
        }
    }
    impl<T> Clone for FeedbackServiceServer<T> {
        fn clone(&self) -> Self {
            let inner = self.inner.clone();
            Self {
                inner,
                accept_compression_encodings: self.accept_compression_encodings,
                send_compression_encodings: self.send_compression_encodings,
                max_decoding_message_size: self.max_decoding_message_size,
                max_encoding_message_size: self.max_encoding_message_size,
            }
        }
    }
    /// Generated gRPC service name
    pub const SERVICE_NAME: &str = "bellwether.v1.FeedbackService";
    impl<T> tonic::server::NamedService for FeedbackServiceServer<T> {
        const NAME: &'static str = SERVICE_NAME;
    }
}
/// Asks for a replay.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ReplayRequest {
    /// Candidates, 1 to 32 of at most 512 bytes, as policy specifications: "uniform", "fixed:arm=NAME",
    /// "linear-thompson:v=0.1", "logged".
    #[prost(string, repeated, tag = "1")]
    pub candidates: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// Only decisions made at or after this time. Absent: all kept.
    #[prost(message, optional, tag = "2")]
    pub since_time: ::core::option::Option<::prost_types::Timestamp>,
    /// Only decisions made before this time. Absent: up to now.
    #[prost(message, optional, tag = "3")]
    pub until_time: ::core::option::Option<::prost_types::Timestamp>,
    /// What candidates are held against, specified likewise, of at most 512 bytes. Absent: "logged".
    #[prost(string, optional, tag = "4")]
    pub incumbent: ::core::option::Option<::prost::alloc::string::String>,
    /// What a change is for. Unspecified: more utility.
    #[prost(enumeration = "ReplayAim", tag = "5")]
    pub aim: i32,
    /// Signals that must not move the wrong way, at most 16, each once. Empty: none.
    #[prost(message, repeated, tag = "6")]
    pub guards: ::prost::alloc::vec::Vec<SignalGuard>,
    /// Whether gates go by bounds that hold however often and whenever one looks. False: the end of the log
    /// is taken as set beforehand.
    #[prost(bool, tag = "7")]
    pub peeking: bool,
    /// The scale of utility, for bounds at every peek: what is beyond is cut, and counted. Two finite
    /// numbers, the lower one first. Absent: 0 to 1.
    #[prost(message, optional, tag = "8")]
    pub utility_range: ::core::option::Option<ValueRange>,
}
/// A signal that must not move the wrong way.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct SignalGuard {
    /// The signal, a flag or a number from 0 to 1. Required.
    #[prost(string, tag = "1")]
    pub signal: ::prost::alloc::string::String,
    /// By how much it may move, -1 to 1, but not 0. Negative: it may fall by less than this; positive: it
    /// may rise by less.
    #[prost(double, tag = "2")]
    pub margin: f64,
}
/// From one value to another.
#[derive(Clone, Copy, PartialEq, ::prost::Message)]
pub struct ValueRange {
    /// The lower end.
    #[prost(double, tag = "1")]
    pub lower: f64,
    /// The upper end.
    #[prost(double, tag = "2")]
    pub upper: f64,
}
/// Progress or the report.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ReplayResponse {
    /// Exactly one.
    #[prost(oneof = "replay_response::Event", tags = "1, 2")]
    pub event: ::core::option::Option<replay_response::Event>,
}
/// Nested message and enum types in `ReplayResponse`.
pub mod replay_response {
    /// Exactly one.
    #[derive(Clone, PartialEq, ::prost::Oneof)]
    pub enum Event {
        /// How far it is.
        #[prost(message, tag = "1")]
        Progress(super::ReplayProgress),
        /// The report: the last message.
        #[prost(message, tag = "2")]
        Report(super::ReplayReport),
    }
}
/// How far a replay is: every message tells of more than the one before.
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ReplayProgress {
    /// Decisions done so far. Each counts once when it is read and once for each candidate judged.
    #[prost(int64, tag = "1")]
    pub decisions_done: i64,
    /// Decisions to do, counted likewise; zero where it is not known.
    #[prost(int64, tag = "2")]
    pub decisions_total: i64,
}
/// What the log says of the candidates.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ReplayReport {
    /// Decisions with an outcome, used.
    #[prost(int64, tag = "1")]
    pub used_count: i64,
    /// Decisions left out as deterministic (pinned or no-explore).
    #[prost(int64, tag = "2")]
    pub deterministic_count: i64,
    /// Decisions left out for want of an outcome: no signal is known of them, or not that of a gate.
    #[prost(int64, tag = "3")]
    pub unobserved_count: i64,
    /// Mean utility of the logged policy itself.
    #[prost(double, tag = "4")]
    pub logged_mean: f64,
    /// One for each candidate, in the order asked.
    #[prost(message, repeated, tag = "5")]
    pub candidates: ::prost::alloc::vec::Vec<CandidateReport>,
    /// Signals whose absence left decisions out as unobserved, most wanted first.
    #[prost(message, repeated, tag = "6")]
    pub wanted: ::prost::alloc::vec::Vec<WantedSignal>,
    /// Decisions left out as held out for the team's baseline: candidates are judged within the router's
    /// cell.
    #[prost(int64, tag = "7")]
    pub held_out_count: i64,
    /// What the router's cell gained over the held-out one, in mean utility a decision. Absent: one of the
    /// two has no outcome.
    #[prost(message, optional, tag = "8")]
    pub lift: ::core::option::Option<Estimate>,
    /// The specification of what candidates were held against.
    #[prost(string, tag = "9")]
    pub incumbent: ::prost::alloc::string::String,
    /// Decisions read, used or not.
    #[prost(int64, tag = "10")]
    pub decision_count: i64,
    /// Draws among them, with an outcome or not.
    #[prost(int64, tag = "11")]
    pub draw_count: i64,
    /// Decisions left out because the draw that they inherit from is not on record.
    #[prost(int64, tag = "12")]
    pub orphaned_count: i64,
    /// Whether the logged probabilities are true.
    #[prost(message, optional, tag = "13")]
    pub propensities: ::core::option::Option<PropensityReport>,
    /// Why the log cannot answer for the incumbent: then no candidate is held against it. Absent: it can.
    #[prost(string, optional, tag = "14")]
    pub incumbent_refusal: ::core::option::Option<::prost::alloc::string::String>,
    /// Episodes with an outcome.
    #[prost(int64, tag = "15")]
    pub episode_count: i64,
    /// Those of them with several draws: with one such there are no bounds at every peek.
    #[prost(int64, tag = "16")]
    pub several_draws_count: i64,
}
/// Whether the logged probabilities are those that drew.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct PropensityReport {
    /// Draws whose probabilities were worked out again from what is on record.
    #[prost(int64, tag = "1")]
    pub recomputed_count: i64,
    /// Of these, those found equal within 1e-12.
    #[prost(int64, tag = "2")]
    pub equal_count: i64,
    /// Draws whose policy could not be read, or gave no probabilities.
    #[prost(int64, tag = "3")]
    pub unreadable_count: i64,
    /// Draws of an arm whose logged probability was 0: any at all is a fault of the log.
    #[prost(int64, tag = "4")]
    pub impossible_count: i64,
    /// Chi-square of how often arms were drawn against their logged probabilities.
    #[prost(double, tag = "5")]
    pub chi_square: f64,
    /// Its degrees of freedom.
    #[prost(int64, tag = "6")]
    pub degrees: i64,
    /// Chance of a chi-square at least this large from a true log, 0 to 1. Below 0.00001 nothing is
    /// estimated.
    #[prost(double, tag = "7")]
    pub p_value: f64,
    /// Each arm.
    #[prost(message, repeated, tag = "8")]
    pub arms: ::prost::alloc::vec::Vec<ArmDraws>,
}
/// How often an arm was drawn.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ArmDraws {
    /// The arm.
    #[prost(string, tag = "1")]
    pub arm: ::prost::alloc::string::String,
    /// Times that it was drawn.
    #[prost(double, tag = "2")]
    pub drawn: f64,
    /// Sum of its logged probabilities.
    #[prost(double, tag = "3")]
    pub expected: f64,
    /// Their difference in standard deviations; 0 where nothing was left to chance.
    #[prost(double, tag = "4")]
    pub z: f64,
}
/// A signal that has not come, without which decisions have no outcome.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct WantedSignal {
    /// Its name in the scorecard.
    #[prost(string, tag = "1")]
    pub signal: ::prost::alloc::string::String,
    /// Decisions that want it.
    #[prost(int64, tag = "2")]
    pub decision_count: i64,
}
/// What the log says of one candidate. Values are mean utility per decision.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct CandidateReport {
    /// The specification.
    #[prost(string, tag = "1")]
    pub candidate: ::prost::alloc::string::String,
    /// Empty if the estimates stand; else why the log cannot answer, which signals it wants, and what
    /// would help.
    #[prost(string, tag = "2")]
    pub refusal: ::prost::alloc::string::String,
    /// Effective sample size, (sum w)^2 / sum w^2.
    #[prost(double, tag = "3")]
    pub effective_sample_size: f64,
    /// Mean importance weight; 1 when propensities are right.
    #[prost(double, tag = "4")]
    pub mean_weight: f64,
    /// Inverse propensity scoring.
    #[prost(message, optional, tag = "5")]
    pub ips: ::core::option::Option<Estimate>,
    /// Self-normalised inverse propensity scoring.
    #[prost(message, optional, tag = "6")]
    pub snips: ::core::option::Option<Estimate>,
    /// Doubly robust with an out-of-fold model: the headline.
    #[prost(message, optional, tag = "7")]
    pub doubly_robust: ::core::option::Option<Estimate>,
    /// Doubly robust with a progressive model, stabilised: holds although the router learned. Absent where it
    /// was refused.
    #[prost(message, optional, tag = "8")]
    pub stabilised: ::core::option::Option<Estimate>,
    /// Its utility less the incumbent's, on the same decisions. Absent where it was refused.
    #[prost(message, optional, tag = "9")]
    pub difference: ::core::option::Option<Estimate>,
    /// Smallest true difference in utility that this log would show (one-sided 5 %, power 80 %). Absent
    /// without a difference.
    #[prost(double, optional, tag = "10")]
    pub detectable_effect: ::core::option::Option<f64>,
    /// Where it was refused for arms that were never drawn: between what its utility lies, whatever those
    /// are worth on the scale of utility. Absent otherwise.
    #[prost(message, optional, tag = "11")]
    pub bounds: ::core::option::Option<ValueRange>,
    /// Decisions passed over because its fixed arm was not eligible in their episode.
    #[prost(int64, tag = "12")]
    pub passed_over_count: i64,
    /// Utility, quality, cost, latency and every signal, by the same weights. Empty where it was refused.
    #[prost(message, repeated, tag = "13")]
    pub measures: ::prost::alloc::vec::Vec<CandidateMeasure>,
    /// The difference in utility task by task, those with most decisions first, at most 50. Empty where
    /// decisions have no task, or where it was refused.
    #[prost(message, repeated, tag = "14")]
    pub tasks: ::prost::alloc::vec::Vec<TaskDifference>,
    /// The task whose upper bound of the difference is lowest, of those with 50 decisions or more. Absent:
    /// there is none.
    #[prost(string, optional, tag = "15")]
    pub worst_task: ::core::option::Option<::prost::alloc::string::String>,
    /// The difference in utility as the log grew, at most 51 points. Empty where it was refused.
    #[prost(message, repeated, tag = "16")]
    pub course: ::prost::alloc::vec::Vec<CoursePoint>,
    /// Whether it may take the incumbent's place. Absent where it is the incumbent.
    #[prost(message, optional, tag = "17")]
    pub gate: ::core::option::Option<ReplayGate>,
    /// What to be wary of though the estimates stand, in words.
    #[prost(string, repeated, tag = "18")]
    pub cautions: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// Episodes by their weight.
    #[prost(message, repeated, tag = "19")]
    pub weights: ::prost::alloc::vec::Vec<WeightBucket>,
    /// Largest share of the whole weight that one episode holds, 0 to 1; above 0.05 be wary.
    #[prost(double, tag = "20")]
    pub largest_share: f64,
    /// Its mean probability on arms that were drawn with less than 1 in 100, 0 to 1.
    #[prost(double, tag = "21")]
    pub thin_mass: f64,
    /// Hill's index of the largest twentieth of the weights: below 2 their variance is not to be relied on.
    /// Absent with fewer than 200 episodes of positive weight, or where the largest are alike.
    #[prost(double, optional, tag = "22")]
    pub tail_index: ::core::option::Option<f64>,
}
/// One measure under a candidate.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct CandidateMeasure {
    /// "utility", "quality" (points), "cost_usd" (dollars a decision), "latency_ms" (milliseconds) or a
    /// signal, in its own unit.
    #[prost(string, tag = "1")]
    pub name: ::prost::alloc::string::String,
    /// Decisions of which it is known, of those used.
    #[prost(int64, tag = "2")]
    pub decision_count: i64,
    /// Its mean, doubly robust. Absent where an effective sample size of 100 is not reached on its
    /// decisions.
    #[prost(message, optional, tag = "3")]
    pub value: ::core::option::Option<Estimate>,
    /// That less the incumbent's, on the same decisions. Absent likewise.
    #[prost(message, optional, tag = "4")]
    pub difference: ::core::option::Option<Estimate>,
    /// The same, stabilised. Absent likewise.
    #[prost(message, optional, tag = "5")]
    pub stabilised: ::core::option::Option<Estimate>,
    /// Bounds of the difference that hold at every peek. Absent where the measure has no scale (cost,
    /// latency, signals without a guard), or an episode has several draws.
    #[prost(message, optional, tag = "6")]
    pub anytime: ::core::option::Option<ValueRange>,
    /// Share of episodes whose outcome was off the scale and cut to it for these bounds, 0 to 1. Absent
    /// where they are.
    #[prost(double, optional, tag = "7")]
    pub cut_share: ::core::option::Option<f64>,
}
/// The decisions of one task.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct TaskDifference {
    /// The task.
    #[prost(string, tag = "1")]
    pub task: ::prost::alloc::string::String,
    /// Decisions used.
    #[prost(int64, tag = "2")]
    pub decision_count: i64,
    /// The candidate's effective sample size there.
    #[prost(double, tag = "3")]
    pub effective_sample_size: f64,
    /// Utility less the incumbent's. Absent where the effective sample size is below 100.
    #[prost(message, optional, tag = "4")]
    pub difference: ::core::option::Option<Estimate>,
    /// Two-sided chance of a difference at least this large where there is none, 0 to 1. Absent likewise.
    #[prost(double, optional, tag = "5")]
    pub p_value: ::core::option::Option<f64>,
    /// Whether it differs: of those that are said to, one in ten does not, at most.
    #[prost(bool, tag = "6")]
    pub differs: bool,
}
/// How the difference in utility stood.
#[derive(Clone, Copy, PartialEq, ::prost::Message)]
pub struct CoursePoint {
    /// Decisions so far.
    #[prost(int64, tag = "1")]
    pub decision_count: i64,
    /// The difference, with a progressive model.
    #[prost(message, optional, tag = "2")]
    pub difference: ::core::option::Option<Estimate>,
    /// The bounds that hold at every peek. Absent where an episode has several draws.
    #[prost(message, optional, tag = "3")]
    pub anytime: ::core::option::Option<ValueRange>,
}
/// Whether a candidate may take the incumbent's place.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ReplayGate {
    /// Whether all conditions hold.
    #[prost(bool, tag = "1")]
    pub promote: bool,
    /// The chance that one of them holds wrongly, at most: 0.05 / (k (k + 1)) for the k-th candidate asked.
    #[prost(double, tag = "2")]
    pub miss: f64,
    /// The conditions.
    #[prost(message, repeated, tag = "3")]
    pub conditions: ::prost::alloc::vec::Vec<GateCondition>,
}
/// One condition.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct GateCondition {
    /// What is asked, in words.
    #[prost(string, tag = "1")]
    pub asks: ::prost::alloc::string::String,
    /// Whether it holds.
    #[prost(bool, tag = "2")]
    pub holds: bool,
    /// The bound that was found. Absent: there is none, or the condition needs none.
    #[prost(double, optional, tag = "3")]
    pub bound: ::core::option::Option<f64>,
    /// What the bound must be above. Absent: the condition is no matter of a bound.
    #[prost(double, optional, tag = "4")]
    pub least: ::core::option::Option<f64>,
    /// Why there is no bound, or what else there is to know. Absent: nothing.
    #[prost(string, optional, tag = "5")]
    pub why: ::core::option::Option<::prost::alloc::string::String>,
}
/// Episodes with a weight in a range.
#[derive(Clone, Copy, PartialEq, ::prost::Message)]
pub struct WeightBucket {
    /// Weights up to this, and above that of the bucket before; the first: 0. Absent in the last: without
    /// end.
    #[prost(double, optional, tag = "1")]
    pub most: ::core::option::Option<f64>,
    /// Episodes.
    #[prost(int64, tag = "2")]
    pub episode_count: i64,
}
/// A value and its interval.
#[derive(Clone, Copy, PartialEq, ::prost::Message)]
pub struct Estimate {
    /// The point estimate.
    #[prost(double, tag = "1")]
    pub value: f64,
    /// Lower end of the 95 % interval, clustered by episode.
    #[prost(double, tag = "2")]
    pub lower: f64,
    /// Upper end of the 95 % interval.
    #[prost(double, tag = "3")]
    pub upper: f64,
    /// The standard error, clustered by episode.
    #[prost(double, tag = "4")]
    pub standard_error: f64,
}
/// What a change is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum ReplayAim {
    /// More utility.
    Unspecified = 0,
    /// More utility.
    Utility = 1,
    /// 5 % less cost at equal quality.
    Saving = 2,
}
impl ReplayAim {
    /// String value of the enum field names used in the ProtoBuf definition.
    ///
    /// The values are not transformed in any way and thus are considered stable
    /// (if the ProtoBuf definition does not change) and safe for programmatic use.
    pub fn as_str_name(&self) -> &'static str {
        match self {
            Self::Unspecified => "REPLAY_AIM_UNSPECIFIED",
            Self::Utility => "REPLAY_AIM_UTILITY",
            Self::Saving => "REPLAY_AIM_SAVING",
        }
    }
    /// Creates an enum from field names used in the ProtoBuf definition.
    pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
        match value {
            "REPLAY_AIM_UNSPECIFIED" => Some(Self::Unspecified),
            "REPLAY_AIM_UTILITY" => Some(Self::Utility),
            "REPLAY_AIM_SAVING" => Some(Self::Saving),
            _ => None,
        }
    }
}
/// Generated client implementations.
pub mod evaluation_service_client {
    #![allow(
        unused_variables,
        dead_code,
        missing_docs,
        clippy::wildcard_imports,
        clippy::let_unit_value,
    )]
    use tonic::codegen::*;
    use tonic::codegen::http::Uri;
    /// Says what another policy would have done on the team's recorded traffic. Needs a key with the scope
    /// `replay`.
    #[derive(Debug, Clone)]
    pub struct EvaluationServiceClient<T> {
        inner: tonic::client::Grpc<T>,
    }
    impl EvaluationServiceClient<tonic::transport::Channel> {
        /// Attempt to create a new client by connecting to a given endpoint.
        pub async fn connect<D>(dst: D) -> Result<Self, tonic::transport::Error>
        where
            D: TryInto<tonic::transport::Endpoint>,
            D::Error: Into<StdError>,
        {
            let conn = tonic::transport::Endpoint::new(dst)?.connect().await?;
            Ok(Self::new(conn))
        }
    }
    impl<T> EvaluationServiceClient<T>
    where
        T: tonic::client::GrpcService<tonic::body::Body>,
        T::Error: Into<StdError>,
        T::ResponseBody: Body<Data = Bytes> + std::marker::Send + 'static,
        <T::ResponseBody as Body>::Error: Into<StdError> + std::marker::Send,
    {
        pub fn new(inner: T) -> Self {
            let inner = tonic::client::Grpc::new(inner);
            Self { inner }
        }
        pub fn with_origin(inner: T, origin: Uri) -> Self {
            let inner = tonic::client::Grpc::with_origin(inner, origin);
            Self { inner }
        }
        pub fn with_interceptor<F>(
            inner: T,
            interceptor: F,
        ) -> EvaluationServiceClient<InterceptedService<T, F>>
        where
            F: tonic::service::Interceptor,
            T::ResponseBody: Default,
            T: tonic::codegen::Service<
                http::Request<tonic::body::Body>,
                Response = http::Response<
                    <T as tonic::client::GrpcService<tonic::body::Body>>::ResponseBody,
                >,
            >,
            <T as tonic::codegen::Service<
                http::Request<tonic::body::Body>,
            >>::Error: Into<StdError> + std::marker::Send + std::marker::Sync,
        {
            EvaluationServiceClient::new(InterceptedService::new(inner, interceptor))
        }
        /// Compress requests with the given encoding.
        ///
        /// This requires the server to support it otherwise it might respond with an
        /// error.
        #[must_use]
        pub fn send_compressed(mut self, encoding: CompressionEncoding) -> Self {
            self.inner = self.inner.send_compressed(encoding);
            self
        }
        /// Enable decompressing responses.
        #[must_use]
        pub fn accept_compressed(mut self, encoding: CompressionEncoding) -> Self {
            self.inner = self.inner.accept_compressed(encoding);
            self
        }
        /// Limits the maximum size of a decoded message.
        ///
        /// Default: `4MB`
        #[must_use]
        pub fn max_decoding_message_size(mut self, limit: usize) -> Self {
            self.inner = self.inner.max_decoding_message_size(limit);
            self
        }
        /// Limits the maximum size of an encoded message.
        ///
        /// Default: `usize::MAX`
        #[must_use]
        pub fn max_encoding_message_size(mut self, limit: usize) -> Self {
            self.inner = self.inner.max_encoding_message_size(limit);
            self
        }
        /// Streams progress, then one report as the last message. Errors: INVALID_FIELD, NOT_BUILT (a
        /// server built without analytics).
        pub async fn replay(
            &mut self,
            request: impl tonic::IntoRequest<super::ReplayRequest>,
        ) -> std::result::Result<
            tonic::Response<tonic::codec::Streaming<super::ReplayResponse>>,
            tonic::Status,
        > {
            self.inner
                .ready()
                .await
                .map_err(|e| {
                    tonic::Status::unknown(
                        format!("Service was not ready: {}", e.into()),
                    )
                })?;
            let codec = tonic_prost::ProstCodec::default();
            let path = http::uri::PathAndQuery::from_static(
                "/bellwether.v1.EvaluationService/Replay",
            );
            let mut req = request.into_request();
            req.extensions_mut()
                .insert(GrpcMethod::new("bellwether.v1.EvaluationService", "Replay"));
            self.inner.server_streaming(req, path, codec).await
        }
    }
}
/// Generated server implementations.
pub mod evaluation_service_server {
    #![allow(
        unused_variables,
        dead_code,
        missing_docs,
        clippy::wildcard_imports,
        clippy::let_unit_value,
    )]
    use tonic::codegen::*;
    /// Generated trait containing gRPC methods that should be implemented for use with EvaluationServiceServer.
    #[async_trait]
    pub trait EvaluationService: std::marker::Send + std::marker::Sync + 'static {
        /// Server streaming response type for the Replay method.
        type ReplayStream: tonic::codegen::tokio_stream::Stream<
                Item = std::result::Result<super::ReplayResponse, tonic::Status>,
            >
            + std::marker::Send
            + 'static;
        /// Streams progress, then one report as the last message. Errors: INVALID_FIELD, NOT_BUILT (a
        /// server built without analytics).
        async fn replay(
            &self,
            request: tonic::Request<super::ReplayRequest>,
        ) -> std::result::Result<tonic::Response<Self::ReplayStream>, tonic::Status>;
    }
    /// Says what another policy would have done on the team's recorded traffic. Needs a key with the scope
    /// `replay`.
    #[derive(Debug)]
    pub struct EvaluationServiceServer<T> {
        inner: Arc<T>,
        accept_compression_encodings: EnabledCompressionEncodings,
        send_compression_encodings: EnabledCompressionEncodings,
        max_decoding_message_size: Option<usize>,
        max_encoding_message_size: Option<usize>,
    }
    impl<T> EvaluationServiceServer<T> {
        pub fn new(inner: T) -> Self {
            Self::from_arc(Arc::new(inner))
        }
        pub fn from_arc(inner: Arc<T>) -> Self {
            Self {
                inner,
                accept_compression_encodings: Default::default(),
                send_compression_encodings: Default::default(),
                max_decoding_message_size: None,
                max_encoding_message_size: None,
            }
        }
        pub fn with_interceptor<F>(
            inner: T,
            interceptor: F,
        ) -> InterceptedService<Self, F>
        where
            F: tonic::service::Interceptor,
        {
            InterceptedService::new(Self::new(inner), interceptor)
        }
        /// Enable decompressing requests with the given encoding.
        #[must_use]
        pub fn accept_compressed(mut self, encoding: CompressionEncoding) -> Self {
            self.accept_compression_encodings.enable(encoding);
            self
        }
        /// Compress responses with the given encoding, if the client supports it.
        #[must_use]
        pub fn send_compressed(mut self, encoding: CompressionEncoding) -> Self {
            self.send_compression_encodings.enable(encoding);
            self
        }
        /// Limits the maximum size of a decoded message.
        ///
        /// Default: `4MB`
        #[must_use]
        pub fn max_decoding_message_size(mut self, limit: usize) -> Self {
            self.max_decoding_message_size = Some(limit);
            self
        }
        /// Limits the maximum size of an encoded message.
        ///
        /// Default: `usize::MAX`
        #[must_use]
        pub fn max_encoding_message_size(mut self, limit: usize) -> Self {
            self.max_encoding_message_size = Some(limit);
            self
        }
    }
    impl<T, B> tonic::codegen::Service<http::Request<B>> for EvaluationServiceServer<T>
    where
        T: EvaluationService,
        B: Body + std::marker::Send + 'static,
        B::Error: Into<StdError> + std::marker::Send + 'static,
    {
        type Response = http::Response<tonic::body::Body>;
        type Error = std::convert::Infallible;
        type Future = BoxFuture<Self::Response, Self::Error>;
        fn poll_ready(
            &mut self,
            _cx: &mut Context<'_>,
        ) -> Poll<std::result::Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }
        fn call(&mut self, req: http::Request<B>) -> Self::Future {
            match req.uri().path() {
                "/bellwether.v1.EvaluationService/Replay" => {
                    #[allow(non_camel_case_types)]
                    struct ReplaySvc<T: EvaluationService>(pub Arc<T>);
                    impl<
                        T: EvaluationService,
                    > tonic::server::ServerStreamingService<super::ReplayRequest>
                    for ReplaySvc<T> {
                        type Response = super::ReplayResponse;
                        type ResponseStream = T::ReplayStream;
                        type Future = BoxFuture<
                            tonic::Response<Self::ResponseStream>,
                            tonic::Status,
                        >;
                        fn call(
                            &mut self,
                            request: tonic::Request<super::ReplayRequest>,
                        ) -> Self::Future {
                            let inner = Arc::clone(&self.0);
                            let fut = async move {
                                <T as EvaluationService>::replay(&inner, request).await
                            };
                            Box::pin(fut)
                        }
                    }
                    let accept_compression_encodings = self.accept_compression_encodings;
                    let send_compression_encodings = self.send_compression_encodings;
                    let max_decoding_message_size = self.max_decoding_message_size;
                    let max_encoding_message_size = self.max_encoding_message_size;
                    let inner = self.inner.clone();
                    let fut = async move {
                        let method = ReplaySvc(inner);
                        let codec = tonic_prost::ProstCodec::default();
                        let mut grpc = tonic::server::Grpc::new(codec)
                            .apply_compression_config(
                                accept_compression_encodings,
                                send_compression_encodings,
                            )
                            .apply_max_message_size_config(
                                max_decoding_message_size,
                                max_encoding_message_size,
                            );
                        let res = grpc.server_streaming(method, req).await;
                        Ok(res)
                    };
                    Box::pin(fut)
                }
                _ => {
                    Box::pin(async move {
                        let mut response = http::Response::new(
                            tonic::body::Body::default(),
                        );
                        let headers = response.headers_mut();
                        headers
                            .insert(
                                tonic::Status::GRPC_STATUS,
                                (tonic::Code::Unimplemented as i32).into(),
                            );
                        headers
                            .insert(
                                http::header::CONTENT_TYPE,
                                tonic::metadata::GRPC_CONTENT_TYPE,
                            );
                        Ok(response)
                    })
                }
            }
        }
    }
    impl<T> Clone for EvaluationServiceServer<T> {
        fn clone(&self) -> Self {
            let inner = self.inner.clone();
            Self {
                inner,
                accept_compression_encodings: self.accept_compression_encodings,
                send_compression_encodings: self.send_compression_encodings,
                max_decoding_message_size: self.max_decoding_message_size,
                max_encoding_message_size: self.max_encoding_message_size,
            }
        }
    }
    /// Generated gRPC service name
    pub const SERVICE_NAME: &str = "bellwether.v1.EvaluationService";
    impl<T> tonic::server::NamedService for EvaluationServiceServer<T> {
        const NAME: &'static str = SERVICE_NAME;
    }
}
/// What is known of a key: never the key itself.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Key {
    /// Its name; decisions record it. Unique within the team, also after the key was revoked.
    #[prost(string, tag = "1")]
    pub name: ::prost::alloc::string::String,
    /// The team that it acts for.
    #[prost(string, tag = "2")]
    pub team: ::prost::alloc::string::String,
    /// What it may be used for; at least one.
    #[prost(enumeration = "Scope", repeated, tag = "3")]
    pub scopes: ::prost::alloc::vec::Vec<i32>,
    /// The arms that its requests may use. Empty: every arm.
    #[prost(string, repeated, tag = "4")]
    pub arms: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// The endpoints that its requests may use. Empty: every endpoint.
    #[prost(string, repeated, tag = "5")]
    pub endpoints: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// The tasks that it may ask for; a request without a task is refused then. Empty: any, and none.
    #[prost(string, repeated, tag = "6")]
    pub tasks: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// The networks that it may be used from, as `10.0.0.0/8`. Empty: from anywhere.
    #[prost(string, repeated, tag = "7")]
    pub networks: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// When it ends to be good. Absent: never.
    #[prost(message, optional, tag = "8")]
    pub expire_time: ::core::option::Option<::prost_types::Timestamp>,
    /// What the text of the key begins with after `bw_`, to recognise it by. Empty: it stands in the configuration.
    #[prost(string, tag = "9")]
    pub prefix: ::prost::alloc::string::String,
    /// True: it stands in the configuration, and is changed there alone.
    #[prost(bool, tag = "10")]
    pub configured: bool,
    /// When it was made. Absent: it stands in the configuration.
    #[prost(message, optional, tag = "11")]
    pub create_time: ::core::option::Option<::prost_types::Timestamp>,
    /// The key that made it. Empty: it stands in the configuration.
    #[prost(string, tag = "12")]
    pub creator: ::prost::alloc::string::String,
    /// When it was revoked. Absent: it was not.
    #[prost(message, optional, tag = "13")]
    pub revoke_time: ::core::option::Option<::prost_types::Timestamp>,
    /// The prefix of the text that it had before its last rotation. Empty: there was none, or it is not good any more.
    #[prost(string, tag = "14")]
    pub previous_prefix: ::prost::alloc::string::String,
    /// Until when the text before is good beside the new one. Absent: there is none.
    #[prost(message, optional, tag = "15")]
    pub previous_expire_time: ::core::option::Option<::prost_types::Timestamp>,
}
/// Makes a key. It has at most the rights of the key that makes it, and no budget: a key that has one makes none.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct CreateKeyRequest {
    /// The team; required, the calling key's own.
    #[prost(string, tag = "1")]
    pub team: ::prost::alloc::string::String,
    /// Its name, 1 to 128 characters; required. No other key of the team may have or have had it.
    #[prost(string, tag = "2")]
    pub name: ::prost::alloc::string::String,
    /// What it may be used for; 1 to 5, each once, all of them scopes of the calling key.
    #[prost(enumeration = "Scope", repeated, tag = "3")]
    pub scopes: ::prost::alloc::vec::Vec<i32>,
    /// The arms that its requests may use, at most 256, each in the configuration. Empty: those of the calling key.
    #[prost(string, repeated, tag = "4")]
    pub arms: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// The endpoints that its requests may use, at most 256, by their names. Empty: those of the calling key.
    #[prost(string, repeated, tag = "5")]
    pub endpoints: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// The tasks that it may ask for, at most 256. Empty: those of the calling key.
    #[prost(string, repeated, tag = "6")]
    pub tasks: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// The networks that it may be used from, at most 64: an address, or a network as `10.0.0.0/8`. The address
    /// that counts is the connection's; what a proxy says in headers is not believed. Empty: those of the calling key.
    #[prost(string, repeated, tag = "7")]
    pub networks: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// When it ends to be good: in the future, and not after the calling key's own end. Absent: with the calling key.
    #[prost(message, optional, tag = "8")]
    pub expire_time: ::core::option::Option<::prost_types::Timestamp>,
}
/// The key, this once.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
#[prost(skip_debug)]
pub struct CreateKeyResponse {
    /// The key, to be sent as `authorization: Bearer KEY`. It is kept nowhere and cannot be shown again.
    #[prost(string, tag = "1")]
    pub key_text: ::prost::alloc::string::String,
    /// What is known of it.
    #[prost(message, optional, tag = "2")]
    pub key: ::core::option::Option<Key>,
}
/// Asks which keys there are.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ListKeysRequest {
    /// The team; required, the calling key's own.
    #[prost(string, tag = "1")]
    pub team: ::prost::alloc::string::String,
    /// Most to return, 0 to 1000. Zero: 50.
    #[prost(int32, tag = "2")]
    pub page_size: i32,
    /// From an earlier reply. Empty: from the first.
    #[prost(string, tag = "3")]
    pub page_token: ::prost::alloc::string::String,
}
/// A page of keys.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ListKeysResponse {
    /// The keys by name, those that were revoked or ended too.
    #[prost(message, repeated, tag = "1")]
    pub keys: ::prost::alloc::vec::Vec<Key>,
    /// For the next page. Empty: this was the last.
    #[prost(string, tag = "2")]
    pub next_page_token: ::prost::alloc::string::String,
}
/// Gives a key a new text.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct RotateKeyRequest {
    /// The team; required, the calling key's own.
    #[prost(string, tag = "1")]
    pub team: ::prost::alloc::string::String,
    /// The key's name; required.
    #[prost(string, tag = "2")]
    pub name: ::prost::alloc::string::String,
    /// For how many seconds the text that it had stays good, 0 to 2592000 (30 days). Zero: no longer. A text that
    /// it had before that one ends at once. Absent: 86400, a day.
    #[prost(int64, optional, tag = "3")]
    pub overlap_seconds: ::core::option::Option<i64>,
}
/// The new text, this once.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
#[prost(skip_debug)]
pub struct RotateKeyResponse {
    /// The key as it is to be sent from now on. It is kept nowhere and cannot be shown again.
    #[prost(string, tag = "1")]
    pub key_text: ::prost::alloc::string::String,
    /// What is known of it.
    #[prost(message, optional, tag = "2")]
    pub key: ::core::option::Option<Key>,
}
/// Ends a key.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct RevokeKeyRequest {
    /// The team; required, the calling key's own.
    #[prost(string, tag = "1")]
    pub team: ::prost::alloc::string::String,
    /// The key's name; required.
    #[prost(string, tag = "2")]
    pub name: ::prost::alloc::string::String,
}
/// The key as it is now.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct RevokeKeyResponse {
    /// What is known of it.
    #[prost(message, optional, tag = "1")]
    pub key: ::core::option::Option<Key>,
}
/// What a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum Scope {
    /// Never sent; refused where it comes.
    Unspecified = 0,
    /// Ask for decisions, report attempts, read the team's decisions.
    Route = 1,
    /// Have requests answered.
    Complete = 2,
    /// Give feedback and close episodes.
    Feedback = 3,
    /// Judge policies on the team's traffic.
    Replay = 4,
    /// Pin and freeze; make, list, rotate and revoke keys.
    Admin = 5,
}
impl Scope {
    /// String value of the enum field names used in the ProtoBuf definition.
    ///
    /// The values are not transformed in any way and thus are considered stable
    /// (if the ProtoBuf definition does not change) and safe for programmatic use.
    pub fn as_str_name(&self) -> &'static str {
        match self {
            Self::Unspecified => "SCOPE_UNSPECIFIED",
            Self::Route => "SCOPE_ROUTE",
            Self::Complete => "SCOPE_COMPLETE",
            Self::Feedback => "SCOPE_FEEDBACK",
            Self::Replay => "SCOPE_REPLAY",
            Self::Admin => "SCOPE_ADMIN",
        }
    }
    /// Creates an enum from field names used in the ProtoBuf definition.
    pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
        match value {
            "SCOPE_UNSPECIFIED" => Some(Self::Unspecified),
            "SCOPE_ROUTE" => Some(Self::Route),
            "SCOPE_COMPLETE" => Some(Self::Complete),
            "SCOPE_FEEDBACK" => Some(Self::Feedback),
            "SCOPE_REPLAY" => Some(Self::Replay),
            "SCOPE_ADMIN" => Some(Self::Admin),
            _ => None,
        }
    }
}
/// A team's run-time control.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Control {
    /// All traffic to this arm, with propensity 1. Empty: no pin.
    #[prost(string, tag = "1")]
    pub pinned_arm: ::prost::alloc::string::String,
    /// True: outcomes are kept but not learned from until it is lifted. Outcomes that arrive
    /// meanwhile are not learned from later.
    #[prost(bool, tag = "2")]
    pub frozen: bool,
}
/// Sets a control; what is not said is cleared.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct SetControlRequest {
    /// The team; required.
    #[prost(string, tag = "1")]
    pub team: ::prost::alloc::string::String,
    /// Its new control; required, unless `lift_guard` is true: then absence leaves pin and freeze as they are.
    #[prost(message, optional, tag = "2")]
    pub control: ::core::option::Option<Control>,
    /// True: lifts the team's guard, if it holds. The router's own draws come back as soon as the learner has
    /// read it, and the comparison with the baseline starts anew.
    #[prost(bool, tag = "3")]
    pub lift_guard: bool,
}
/// The control as set.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct SetControlResponse {
    /// The control now in force.
    #[prost(message, optional, tag = "1")]
    pub control: ::core::option::Option<Control>,
}
/// Asks about a team.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct GetTeamRequest {
    /// The team; required.
    #[prost(string, tag = "1")]
    pub team: ::prost::alloc::string::String,
}
/// A team's state.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct GetTeamResponse {
    /// Its control.
    #[prost(message, optional, tag = "1")]
    pub control: ::core::option::Option<Control>,
    /// Journal sequence number up to which the learner has learned.
    #[prost(int64, tag = "2")]
    pub snapshot_version: i64,
    /// Journal sequence number of the newest record.
    #[prost(int64, tag = "3")]
    pub journal_sequence: i64,
    /// What has been learned of each arm.
    #[prost(message, repeated, tag = "4")]
    pub arms: ::prost::alloc::vec::Vec<ArmState>,
    /// Changes of arms that the learner noticed, newest last; the last 64 are kept. Empty: none. One that
    /// is new since the last call has a `raise_sequence` above the `snapshot_version` of that call.
    #[prost(message, repeated, tag = "5")]
    pub alarms: ::prost::alloc::vec::Vec<Alarm>,
    /// Its budget. Absent: it has none.
    #[prost(message, optional, tag = "6")]
    pub budget: ::core::option::Option<Budget>,
    /// The router compared with its baseline. Absent: it has none.
    #[prost(message, optional, tag = "7")]
    pub holdout: ::core::option::Option<Holdout>,
    /// Arms that joined the team later than the others, by name, each compared with the arms that were there.
    /// Empty: none did.
    #[prost(message, repeated, tag = "8")]
    pub newcomers: ::prost::alloc::vec::Vec<Newcomer>,
    /// Signals that are reported more often of one arm than of another, in the scorecard's order. Empty: none
    /// that chance would not explain.
    #[prost(message, repeated, tag = "9")]
    pub uneven_reports: ::prost::alloc::vec::Vec<UnevenReports>,
    /// The team's newest calls that were refused by a limit on requests, tokens or calls at once, latest last; at most
    /// 32, since the server started. Empty: none was.
    #[prost(message, repeated, tag = "10")]
    pub limit_refusals: ::prost::alloc::vec::Vec<LimitRefusal>,
}
/// A call that was refused by a limit on requests, tokens or calls at once.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct LimitRefusal {
    /// When.
    #[prost(message, optional, tag = "1")]
    pub refuse_time: ::core::option::Option<::prost_types::Timestamp>,
    /// Name of the key that it came with.
    #[prost(string, tag = "2")]
    pub key: ::prost::alloc::string::String,
    /// Its task. Empty: it said none.
    #[prost(string, tag = "3")]
    pub task: ::prost::alloc::string::String,
    /// Whose limit: the team's name, "key " and a key's name, or "the organisation".
    #[prost(string, tag = "4")]
    pub owner: ::prost::alloc::string::String,
    /// Of what: "requests", "tokens", "parallel_calls".
    #[prost(string, tag = "5")]
    pub limit: ::prost::alloc::string::String,
}
/// An arm that joined later, compared with the arms that it competes with: what its draws came to beside
/// what the others' draws came to, each draw weighted so that only chance decided between them. Its bounds
/// hold at every look. It is never made ineligible by them: it may be good at one task alone.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Newcomer {
    /// The arm.
    #[prost(string, tag = "1")]
    pub arm: ::prost::alloc::string::String,
    /// What the bounds say, or said first: adopted and rejected are final, and the figures are those that
    /// decided it.
    #[prost(enumeration = "newcomer::Verdict", tag = "2")]
    pub verdict: i32,
    /// Time of the decision that it was first eligible for.
    #[prost(message, optional, tag = "3")]
    pub join_time: ::core::option::Option<::prost_types::Timestamp>,
    /// Its draws that were scored.
    #[prost(int64, tag = "4")]
    pub arm_count: i64,
    /// The others' draws that were scored since.
    #[prost(int64, tag = "5")]
    pub other_count: i64,
    /// Lower bound of its utility minus that of the others, in quality points: it holds with 97.5 % at every
    /// look at once; -2 where nothing is known.
    #[prost(double, tag = "6")]
    pub difference_lower: f64,
    /// Upper bound, likewise; 2 where nothing is known.
    #[prost(double, tag = "7")]
    pub difference_upper: f64,
    /// Time of the record that brought the verdict. Absent: it is open.
    #[prost(message, optional, tag = "8")]
    pub verdict_time: ::core::option::Option<::prost_types::Timestamp>,
    /// Journal sequence number of that record; 0 where it is open.
    #[prost(int64, tag = "9")]
    pub verdict_sequence: i64,
}
/// Nested message and enum types in `Newcomer`.
pub mod newcomer {
    /// What the bounds say.
    #[derive(
        Clone,
        Copy,
        Debug,
        PartialEq,
        Eq,
        Hash,
        PartialOrd,
        Ord,
        ::prost::Enumeration
    )]
    #[repr(i32)]
    pub enum Verdict {
        /// Never sent.
        Unspecified = 0,
        /// Nothing yet.
        Open = 1,
        /// It is worth more than the others: the lower bound came above 0.
        Adopted = 2,
        /// It is worth less than the others: the upper bound came below 0. What was left of its forced
        /// exploration is over.
        Rejected = 3,
        /// 200 of its draws were scored, and neither bound left 0. The watch goes on: it may still be adopted
        /// or rejected.
        Undecided = 4,
    }
    impl Verdict {
        /// String value of the enum field names used in the ProtoBuf definition.
        ///
        /// The values are not transformed in any way and thus are considered stable
        /// (if the ProtoBuf definition does not change) and safe for programmatic use.
        pub fn as_str_name(&self) -> &'static str {
            match self {
                Self::Unspecified => "VERDICT_UNSPECIFIED",
                Self::Open => "VERDICT_OPEN",
                Self::Adopted => "VERDICT_ADOPTED",
                Self::Rejected => "VERDICT_REJECTED",
                Self::Undecided => "VERDICT_UNDECIDED",
            }
        }
        /// Creates an enum from field names used in the ProtoBuf definition.
        pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
            match value {
                "VERDICT_UNSPECIFIED" => Some(Self::Unspecified),
                "VERDICT_OPEN" => Some(Self::Open),
                "VERDICT_ADOPTED" => Some(Self::Adopted),
                "VERDICT_REJECTED" => Some(Self::Rejected),
                "VERDICT_UNDECIDED" => Some(Self::Undecided),
                _ => None,
            }
        }
    }
}
/// A signal whose absence says nothing (`missing` is `unknown`) came, by its closing time, more often of one
/// arm than of another. An arm's means speak of the outcomes that were reported. Where people report bad
/// outcomes sooner than good ones, the means are worse than the arm is: the more so, the less is reported.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct UnevenReports {
    /// The signal, as the scorecard names it.
    #[prost(string, tag = "1")]
    pub signal: ::prost::alloc::string::String,
    /// Chance of shares at least this unlike if all arms were reported equally often, below 0.001. It is of
    /// one look, and of decisions that are reported independently.
    #[prost(double, tag = "2")]
    pub p_value: f64,
    /// The arms compared: those with at least 100 decisions that closed. By name.
    #[prost(message, repeated, tag = "3")]
    pub arms: ::prost::alloc::vec::Vec<ArmReports>,
}
/// How often a signal was reported of an arm.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ArmReports {
    /// The arm.
    #[prost(string, tag = "1")]
    pub arm: ::prost::alloc::string::String,
    /// Decisions for which the signal has closed, at least 100. Of a signal of an episode: the arm's first
    /// draw in each episode. The past is halved at each 10,000, so that what is told is recent.
    #[prost(int64, tag = "2")]
    pub closed_count: i64,
    /// Those of them that it was reported of before it closed.
    #[prost(int64, tag = "3")]
    pub reported_count: i64,
}
/// Episodes held out for a team's baseline, and what the router gains over it. Scored once an episode, by its
/// first decision, when its last signal has closed. Utilities are in quality points, cut to -1 to 1.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Holdout {
    /// The baseline.
    #[prost(string, tag = "1")]
    pub baseline_arm: ::prost::alloc::string::String,
    /// Share of the episodes that are held out, 0 to 0.5.
    #[prost(double, tag = "2")]
    pub share: f64,
    /// Episodes scored that the router took.
    #[prost(int64, tag = "3")]
    pub router_count: i64,
    /// Episodes scored that were held out.
    #[prost(int64, tag = "4")]
    pub holdout_count: i64,
    /// Mean utility of the router's. Absent: none is scored.
    #[prost(double, optional, tag = "5")]
    pub router_mean: ::core::option::Option<f64>,
    /// Mean utility of those held out. Absent: none is scored.
    #[prost(double, optional, tag = "6")]
    pub holdout_mean: ::core::option::Option<f64>,
    /// Lower bound of what the router gains over the baseline. It holds with 95 % or more at every look at once
    /// (5 of 100 are shared by utility and the guard signals); -2 where nothing is known.
    #[prost(double, tag = "7")]
    pub lift_lower: f64,
    /// Upper bound of it, likewise; 2 where nothing is known. Below 0 the guard trips.
    #[prost(double, tag = "8")]
    pub lift_upper: f64,
    /// True: the guard holds. Traffic goes to the baseline, but for exploration at its least, until an
    /// operator lifts it; the figures stay those that tripped it.
    #[prost(bool, tag = "9")]
    pub guarded: bool,
    /// Time of the record that tripped it. Absent: it does not hold.
    #[prost(message, optional, tag = "10")]
    pub trip_time: ::core::option::Option<::prost_types::Timestamp>,
    /// Journal sequence number of that record; 0 where it does not hold.
    #[prost(int64, tag = "11")]
    pub trip_sequence: i64,
    /// The signals in which the router may not be worse than the baseline by more than a margin, in the order
    /// that they were declared in. Empty: none is declared.
    #[prost(message, repeated, tag = "12")]
    pub guard_signals: ::prost::alloc::vec::Vec<GuardSignal>,
    /// The guard signal whose comparison tripped the guard. Empty: utility did, or the guard does not hold.
    #[prost(string, tag = "13")]
    pub trip_signal: ::prost::alloc::string::String,
}
/// The router compared with the baseline in one signal. Values are normalised: 0 worst, 1 best. An episode
/// counts where its first decision has a value by its closing: one that was reported, or that the scorecard
/// assumes of a signal that did not come.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct GuardSignal {
    /// The signal.
    #[prost(string, tag = "1")]
    pub signal: ::prost::alloc::string::String,
    /// By how much the router may be worse, 0 to 0.5.
    #[prost(double, tag = "2")]
    pub margin: f64,
    /// Episodes with a value that the router took.
    #[prost(int64, tag = "3")]
    pub router_count: i64,
    /// Episodes with a value that were held out.
    #[prost(int64, tag = "4")]
    pub holdout_count: i64,
    /// Mean value of the router's. Absent: there is none.
    #[prost(double, optional, tag = "5")]
    pub router_mean: ::core::option::Option<f64>,
    /// Mean value of those held out. Absent: there is none.
    #[prost(double, optional, tag = "6")]
    pub holdout_mean: ::core::option::Option<f64>,
    /// Lower bound of what the router gains over the baseline, as `Holdout.lift_lower`; -1 where nothing is known.
    #[prost(double, tag = "7")]
    pub gain_lower: f64,
    /// Upper bound of it, likewise; 1 where nothing is known. Below minus the margin the guard trips.
    #[prost(double, tag = "8")]
    pub gain_upper: f64,
}
/// A team's budget and where it stands.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Budget {
    /// Mean USD a request that spending is paced to. Absent: it is not paced.
    #[prost(double, optional, tag = "1")]
    pub request_usd: ::core::option::Option<f64>,
    /// What a dollar costs now, in quality points: of two prices the lower; 0 where money is no object.
    #[prost(double, tag = "2")]
    pub price: f64,
    /// `request_usd` for each request so far minus what was spent, in USD: negative is debt.
    #[prost(double, tag = "3")]
    pub balance_usd: f64,
    /// Most that is spent and held together in a window, in nano-dollars. Absent: there is no hard limit.
    #[prost(int64, optional, tag = "4")]
    pub limit_nano_usd: ::core::option::Option<i64>,
    /// Spent in this window, in nano-dollars.
    #[prost(int64, tag = "5")]
    pub spent_nano_usd: i64,
    /// Held for requests under way, in nano-dollars.
    #[prost(int64, tag = "6")]
    pub held_nano_usd: i64,
    /// When the window ends and the limit is whole again. Absent: there is no hard limit, or it fills steadily.
    #[prost(message, optional, tag = "7")]
    pub reset_time: ::core::option::Option<::prost_types::Timestamp>,
    /// Spent above what had been held, since the journal began, in nano-dollars.
    #[prost(int64, tag = "8")]
    pub overrun_nano_usd: i64,
    /// The team's newest requests that were refused for want of money, latest last; at most 32, since the server
    /// started. Empty: none was.
    #[prost(message, repeated, tag = "9")]
    pub refusals: ::prost::alloc::vec::Vec<BudgetRefusal>,
    /// The hard limit of the key that asks. Absent: it has none of its own.
    #[prost(message, optional, tag = "10")]
    pub key: ::core::option::Option<KeyBudget>,
}
/// A request that was refused for want of money.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct BudgetRefusal {
    /// When.
    #[prost(message, optional, tag = "1")]
    pub refuse_time: ::core::option::Option<::prost_types::Timestamp>,
    /// Name of the key that it came with.
    #[prost(string, tag = "2")]
    pub key: ::prost::alloc::string::String,
    /// Its task. Empty: it said none.
    #[prost(string, tag = "3")]
    pub task: ::prost::alloc::string::String,
    /// Whose budget did not pay for it: the team's name, "key " and a key's name, or "the organisation".
    #[prost(string, tag = "4")]
    pub owner: ::prost::alloc::string::String,
    /// Least that it could have been asked with, in nano-dollars.
    #[prost(int64, tag = "5")]
    pub asked_nano_usd: i64,
    /// What was left of that budget, or what it lets one decision cost, in nano-dollars. Absent: it is the
    /// organisation's, and no team's to know.
    #[prost(int64, optional, tag = "6")]
    pub left_nano_usd: ::core::option::Option<i64>,
}
/// A key's own hard limit.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct KeyBudget {
    /// Name of the key.
    #[prost(string, tag = "1")]
    pub key: ::prost::alloc::string::String,
    /// Most that is spent and held together in a window, in nano-dollars.
    #[prost(int64, tag = "2")]
    pub limit_nano_usd: i64,
    /// Spent in this window, in nano-dollars.
    #[prost(int64, tag = "3")]
    pub spent_nano_usd: i64,
    /// Held for requests under way, in nano-dollars.
    #[prost(int64, tag = "4")]
    pub held_nano_usd: i64,
    /// When the window ends and the limit is whole again. Absent: it fills steadily.
    #[prost(message, optional, tag = "5")]
    pub reset_time: ::core::option::Option<::prost_types::Timestamp>,
}
/// What has been learned of an arm.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ArmState {
    /// The arm.
    #[prost(string, tag = "1")]
    pub arm: ::prost::alloc::string::String,
    /// Decisions of which at least one signal was learned from.
    #[prost(int64, tag = "2")]
    pub outcome_count: i64,
    /// Mean of each signal on the normalised scale, by name, over the decisions that it is known of.
    #[prost(btree_map = "string, double", tag = "3")]
    pub signal_means: ::prost::alloc::collections::BTreeMap<
        ::prost::alloc::string::String,
        f64,
    >,
}
/// An arm changed in one signal: its outcomes left what its earlier outcomes had led to expect. Told
/// once for each change: after an alarm the new level is what is expected.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Alarm {
    /// The arm.
    #[prost(string, tag = "1")]
    pub arm: ::prost::alloc::string::String,
    /// The signal, as the scorecard names it.
    #[prost(string, tag = "2")]
    pub signal: ::prost::alloc::string::String,
    /// Which way it went.
    #[prost(enumeration = "alarm::Direction", tag = "3")]
    pub direction: i32,
    /// When the decision was made whose outcome is the first one after the change, as estimated. Always
    /// there. Chance alone makes it a little early or late.
    #[prost(message, optional, tag = "4")]
    pub begin_time: ::core::option::Option<::prost_types::Timestamp>,
    /// Outcomes of this arm with this signal from the estimated beginning to the alarm, at least 1.
    #[prost(int64, tag = "5")]
    pub outcome_count: i64,
    /// Time of the record that raised the alarm. Later than the outcomes were made: outcomes come late,
    /// and a signal with an assumed value (`missing` is not `unknown`) is judged at its closing time.
    #[prost(message, optional, tag = "6")]
    pub raise_time: ::core::option::Option<::prost_types::Timestamp>,
    /// Journal sequence number of that record.
    #[prost(int64, tag = "7")]
    pub raise_sequence: i64,
    /// Mean that was expected of these outcomes, 0 to 1 on the normalised scale: the level before. The
    /// learner follows what it sees, so this is a little nearer to the new level than the old one was.
    #[prost(double, tag = "8")]
    pub mean_before: f64,
    /// Mean of these outcomes, 0 to 1: the level after.
    #[prost(double, tag = "9")]
    pub mean_after: f64,
    /// Evidence for the change: how many times more likely these outcomes are under a change than under
    /// none. At least `threshold`.
    #[prost(double, tag = "10")]
    pub evidence: f64,
    /// The evidence at which an alarm is raised, above 1.
    #[prost(double, tag = "11")]
    pub threshold: f64,
    /// Mean number of outcomes between two false alarms of one signal of one arm that does not change,
    /// at least; how it was derived and measured is in the program's documentation (`bandit::change`).
    #[prost(int64, tag = "12")]
    pub run_length: i64,
}
/// Nested message and enum types in `Alarm`.
pub mod alarm {
    /// Ways to change, on the normalised scale (0 worst, 1 best).
    #[derive(
        Clone,
        Copy,
        Debug,
        PartialEq,
        Eq,
        Hash,
        PartialOrd,
        Ord,
        ::prost::Enumeration
    )]
    #[repr(i32)]
    pub enum Direction {
        /// Never sent.
        Unspecified = 0,
        /// It got worse.
        Fell = 1,
        /// It got better.
        Rose = 2,
    }
    impl Direction {
        /// String value of the enum field names used in the ProtoBuf definition.
        ///
        /// The values are not transformed in any way and thus are considered stable
        /// (if the ProtoBuf definition does not change) and safe for programmatic use.
        pub fn as_str_name(&self) -> &'static str {
            match self {
                Self::Unspecified => "DIRECTION_UNSPECIFIED",
                Self::Fell => "DIRECTION_FELL",
                Self::Rose => "DIRECTION_ROSE",
            }
        }
        /// Creates an enum from field names used in the ProtoBuf definition.
        pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
            match value {
                "DIRECTION_UNSPECIFIED" => Some(Self::Unspecified),
                "DIRECTION_FELL" => Some(Self::Fell),
                "DIRECTION_ROSE" => Some(Self::Rose),
                _ => None,
            }
        }
    }
}
/// Generated client implementations.
pub mod admin_service_client {
    #![allow(
        unused_variables,
        dead_code,
        missing_docs,
        clippy::wildcard_imports,
        clippy::let_unit_value,
    )]
    use tonic::codegen::*;
    use tonic::codegen::http::Uri;
    /// Operates a running server. Needs a key with the scope `admin`.
    #[derive(Debug, Clone)]
    pub struct AdminServiceClient<T> {
        inner: tonic::client::Grpc<T>,
    }
    impl AdminServiceClient<tonic::transport::Channel> {
        /// Attempt to create a new client by connecting to a given endpoint.
        pub async fn connect<D>(dst: D) -> Result<Self, tonic::transport::Error>
        where
            D: TryInto<tonic::transport::Endpoint>,
            D::Error: Into<StdError>,
        {
            let conn = tonic::transport::Endpoint::new(dst)?.connect().await?;
            Ok(Self::new(conn))
        }
    }
    impl<T> AdminServiceClient<T>
    where
        T: tonic::client::GrpcService<tonic::body::Body>,
        T::Error: Into<StdError>,
        T::ResponseBody: Body<Data = Bytes> + std::marker::Send + 'static,
        <T::ResponseBody as Body>::Error: Into<StdError> + std::marker::Send,
    {
        pub fn new(inner: T) -> Self {
            let inner = tonic::client::Grpc::new(inner);
            Self { inner }
        }
        pub fn with_origin(inner: T, origin: Uri) -> Self {
            let inner = tonic::client::Grpc::with_origin(inner, origin);
            Self { inner }
        }
        pub fn with_interceptor<F>(
            inner: T,
            interceptor: F,
        ) -> AdminServiceClient<InterceptedService<T, F>>
        where
            F: tonic::service::Interceptor,
            T::ResponseBody: Default,
            T: tonic::codegen::Service<
                http::Request<tonic::body::Body>,
                Response = http::Response<
                    <T as tonic::client::GrpcService<tonic::body::Body>>::ResponseBody,
                >,
            >,
            <T as tonic::codegen::Service<
                http::Request<tonic::body::Body>,
            >>::Error: Into<StdError> + std::marker::Send + std::marker::Sync,
        {
            AdminServiceClient::new(InterceptedService::new(inner, interceptor))
        }
        /// Compress requests with the given encoding.
        ///
        /// This requires the server to support it otherwise it might respond with an
        /// error.
        #[must_use]
        pub fn send_compressed(mut self, encoding: CompressionEncoding) -> Self {
            self.inner = self.inner.send_compressed(encoding);
            self
        }
        /// Enable decompressing responses.
        #[must_use]
        pub fn accept_compressed(mut self, encoding: CompressionEncoding) -> Self {
            self.inner = self.inner.accept_compressed(encoding);
            self
        }
        /// Limits the maximum size of a decoded message.
        ///
        /// Default: `4MB`
        #[must_use]
        pub fn max_decoding_message_size(mut self, limit: usize) -> Self {
            self.inner = self.inner.max_decoding_message_size(limit);
            self
        }
        /// Limits the maximum size of an encoded message.
        ///
        /// Default: `usize::MAX`
        #[must_use]
        pub fn max_encoding_message_size(mut self, limit: usize) -> Self {
            self.inner = self.inner.max_encoding_message_size(limit);
            self
        }
        /// Sets a team's pin and freeze, and then lifts its guard: where the second fails, the first holds. What began is
        /// finished though its caller goes. A control takes effect on the next decision and survives a restart. Errors:
        /// INVALID_FIELD, NOT_ALLOWED (another team than the key's), STORE_FULL, RATE_LIMITED (16 changes of the team wait
        /// for the disk).
        pub async fn set_control(
            &mut self,
            request: impl tonic::IntoRequest<super::SetControlRequest>,
        ) -> std::result::Result<
            tonic::Response<super::SetControlResponse>,
            tonic::Status,
        > {
            self.inner
                .ready()
                .await
                .map_err(|e| {
                    tonic::Status::unknown(
                        format!("Service was not ready: {}", e.into()),
                    )
                })?;
            let codec = tonic_prost::ProstCodec::default();
            let path = http::uri::PathAndQuery::from_static(
                "/bellwether.v1.AdminService/SetControl",
            );
            let mut req = request.into_request();
            req.extensions_mut()
                .insert(GrpcMethod::new("bellwether.v1.AdminService", "SetControl"));
            self.inner.unary(req, path, codec).await
        }
        /// Tells the state of a team: its control, how far its learner is, which arms were seen to change, and what
        /// came of those that joined later. Errors: INVALID_FIELD,
        /// NOT_ALLOWED (another team than the key's).
        pub async fn get_team(
            &mut self,
            request: impl tonic::IntoRequest<super::GetTeamRequest>,
        ) -> std::result::Result<
            tonic::Response<super::GetTeamResponse>,
            tonic::Status,
        > {
            self.inner
                .ready()
                .await
                .map_err(|e| {
                    tonic::Status::unknown(
                        format!("Service was not ready: {}", e.into()),
                    )
                })?;
            let codec = tonic_prost::ProstCodec::default();
            let path = http::uri::PathAndQuery::from_static(
                "/bellwether.v1.AdminService/GetTeam",
            );
            let mut req = request.into_request();
            req.extensions_mut()
                .insert(GrpcMethod::new("bellwether.v1.AdminService", "GetTeam"));
            self.inner.unary(req, path, codec).await
        }
        /// Makes a key of the calling key's team, with at most the calling key's rights. It is on disk and good at both
        /// doors when the reply comes. Not idempotent: a reply that is lost is mended by RotateKey. Errors: INVALID_FIELD,
        /// NOT_ALLOWED (another team than the key's, a right that it has not, or it has a budget of its own, which a key
        /// that is made has not), KEY_EXISTS, KEYS_FULL, SERVER_OPEN, RATE_LIMITED (16 changes of the team wait for the disk).
        pub async fn create_key(
            &mut self,
            request: impl tonic::IntoRequest<super::CreateKeyRequest>,
        ) -> std::result::Result<
            tonic::Response<super::CreateKeyResponse>,
            tonic::Status,
        > {
            self.inner
                .ready()
                .await
                .map_err(|e| {
                    tonic::Status::unknown(
                        format!("Service was not ready: {}", e.into()),
                    )
                })?;
            let codec = tonic_prost::ProstCodec::default();
            let path = http::uri::PathAndQuery::from_static(
                "/bellwether.v1.AdminService/CreateKey",
            );
            let mut req = request.into_request();
            req.extensions_mut()
                .insert(GrpcMethod::new("bellwether.v1.AdminService", "CreateKey"));
            self.inner.unary(req, path, codec).await
        }
        /// The keys of the calling key's team, by name: those of the configuration, and those that were made. Errors:
        /// INVALID_FIELD, NOT_ALLOWED.
        pub async fn list_keys(
            &mut self,
            request: impl tonic::IntoRequest<super::ListKeysRequest>,
        ) -> std::result::Result<
            tonic::Response<super::ListKeysResponse>,
            tonic::Status,
        > {
            self.inner
                .ready()
                .await
                .map_err(|e| {
                    tonic::Status::unknown(
                        format!("Service was not ready: {}", e.into()),
                    )
                })?;
            let codec = tonic_prost::ProstCodec::default();
            let path = http::uri::PathAndQuery::from_static(
                "/bellwether.v1.AdminService/ListKeys",
            );
            let mut req = request.into_request();
            req.extensions_mut()
                .insert(GrpcMethod::new("bellwether.v1.AdminService", "ListKeys"));
            self.inner.unary(req, path, codec).await
        }
        /// Gives a key that was made a new text; the one that it had stays good for a while. Name, rights and end stay.
        /// Needs a key with at least its rights and without a budget of its own. Errors: INVALID_FIELD, NOT_ALLOWED, KEY_NOT_FOUND, KEY_CONFIGURED (it
        /// stands in the configuration: change it there), KEY_REVOKED (also of one that has expired),
        /// RATE_LIMITED (16 changes of the team wait for the disk).
        pub async fn rotate_key(
            &mut self,
            request: impl tonic::IntoRequest<super::RotateKeyRequest>,
        ) -> std::result::Result<
            tonic::Response<super::RotateKeyResponse>,
            tonic::Status,
        > {
            self.inner
                .ready()
                .await
                .map_err(|e| {
                    tonic::Status::unknown(
                        format!("Service was not ready: {}", e.into()),
                    )
                })?;
            let codec = tonic_prost::ProstCodec::default();
            let path = http::uri::PathAndQuery::from_static(
                "/bellwether.v1.AdminService/RotateKey",
            );
            let mut req = request.into_request();
            req.extensions_mut()
                .insert(GrpcMethod::new("bellwether.v1.AdminService", "RotateKey"));
            self.inner.unary(req, path, codec).await
        }
        /// Ends a key that was made, of whatever rights. No call that begins after the reply is let in with it, at either
        /// door; one that was let in before runs to its end, a stream too. Again: nothing changes, but what could not be
        /// written the first time is. Errors: INVALID_FIELD, NOT_ALLOWED, KEY_NOT_FOUND, KEY_CONFIGURED (it stands in the
        /// configuration: take it out there), RATE_LIMITED (16 revocations of the team wait for the disk).
        pub async fn revoke_key(
            &mut self,
            request: impl tonic::IntoRequest<super::RevokeKeyRequest>,
        ) -> std::result::Result<
            tonic::Response<super::RevokeKeyResponse>,
            tonic::Status,
        > {
            self.inner
                .ready()
                .await
                .map_err(|e| {
                    tonic::Status::unknown(
                        format!("Service was not ready: {}", e.into()),
                    )
                })?;
            let codec = tonic_prost::ProstCodec::default();
            let path = http::uri::PathAndQuery::from_static(
                "/bellwether.v1.AdminService/RevokeKey",
            );
            let mut req = request.into_request();
            req.extensions_mut()
                .insert(GrpcMethod::new("bellwether.v1.AdminService", "RevokeKey"));
            self.inner.unary(req, path, codec).await
        }
    }
}
/// Generated server implementations.
pub mod admin_service_server {
    #![allow(
        unused_variables,
        dead_code,
        missing_docs,
        clippy::wildcard_imports,
        clippy::let_unit_value,
    )]
    use tonic::codegen::*;
    /// Generated trait containing gRPC methods that should be implemented for use with AdminServiceServer.
    #[async_trait]
    pub trait AdminService: std::marker::Send + std::marker::Sync + 'static {
        /// Sets a team's pin and freeze, and then lifts its guard: where the second fails, the first holds. What began is
        /// finished though its caller goes. A control takes effect on the next decision and survives a restart. Errors:
        /// INVALID_FIELD, NOT_ALLOWED (another team than the key's), STORE_FULL, RATE_LIMITED (16 changes of the team wait
        /// for the disk).
        async fn set_control(
            &self,
            request: tonic::Request<super::SetControlRequest>,
        ) -> std::result::Result<
            tonic::Response<super::SetControlResponse>,
            tonic::Status,
        >;
        /// Tells the state of a team: its control, how far its learner is, which arms were seen to change, and what
        /// came of those that joined later. Errors: INVALID_FIELD,
        /// NOT_ALLOWED (another team than the key's).
        async fn get_team(
            &self,
            request: tonic::Request<super::GetTeamRequest>,
        ) -> std::result::Result<tonic::Response<super::GetTeamResponse>, tonic::Status>;
        /// Makes a key of the calling key's team, with at most the calling key's rights. It is on disk and good at both
        /// doors when the reply comes. Not idempotent: a reply that is lost is mended by RotateKey. Errors: INVALID_FIELD,
        /// NOT_ALLOWED (another team than the key's, a right that it has not, or it has a budget of its own, which a key
        /// that is made has not), KEY_EXISTS, KEYS_FULL, SERVER_OPEN, RATE_LIMITED (16 changes of the team wait for the disk).
        async fn create_key(
            &self,
            request: tonic::Request<super::CreateKeyRequest>,
        ) -> std::result::Result<
            tonic::Response<super::CreateKeyResponse>,
            tonic::Status,
        >;
        /// The keys of the calling key's team, by name: those of the configuration, and those that were made. Errors:
        /// INVALID_FIELD, NOT_ALLOWED.
        async fn list_keys(
            &self,
            request: tonic::Request<super::ListKeysRequest>,
        ) -> std::result::Result<
            tonic::Response<super::ListKeysResponse>,
            tonic::Status,
        >;
        /// Gives a key that was made a new text; the one that it had stays good for a while. Name, rights and end stay.
        /// Needs a key with at least its rights and without a budget of its own. Errors: INVALID_FIELD, NOT_ALLOWED, KEY_NOT_FOUND, KEY_CONFIGURED (it
        /// stands in the configuration: change it there), KEY_REVOKED (also of one that has expired),
        /// RATE_LIMITED (16 changes of the team wait for the disk).
        async fn rotate_key(
            &self,
            request: tonic::Request<super::RotateKeyRequest>,
        ) -> std::result::Result<
            tonic::Response<super::RotateKeyResponse>,
            tonic::Status,
        >;
        /// Ends a key that was made, of whatever rights. No call that begins after the reply is let in with it, at either
        /// door; one that was let in before runs to its end, a stream too. Again: nothing changes, but what could not be
        /// written the first time is. Errors: INVALID_FIELD, NOT_ALLOWED, KEY_NOT_FOUND, KEY_CONFIGURED (it stands in the
        /// configuration: take it out there), RATE_LIMITED (16 revocations of the team wait for the disk).
        async fn revoke_key(
            &self,
            request: tonic::Request<super::RevokeKeyRequest>,
        ) -> std::result::Result<
            tonic::Response<super::RevokeKeyResponse>,
            tonic::Status,
        >;
    }
    /// Operates a running server. Needs a key with the scope `admin`.
    #[derive(Debug)]
    pub struct AdminServiceServer<T> {
        inner: Arc<T>,
        accept_compression_encodings: EnabledCompressionEncodings,
        send_compression_encodings: EnabledCompressionEncodings,
        max_decoding_message_size: Option<usize>,
        max_encoding_message_size: Option<usize>,
    }
    impl<T> AdminServiceServer<T> {
        pub fn new(inner: T) -> Self {
            Self::from_arc(Arc::new(inner))
        }
        pub fn from_arc(inner: Arc<T>) -> Self {
            Self {
                inner,
                accept_compression_encodings: Default::default(),
                send_compression_encodings: Default::default(),
                max_decoding_message_size: None,
                max_encoding_message_size: None,
            }
        }
        pub fn with_interceptor<F>(
            inner: T,
            interceptor: F,
        ) -> InterceptedService<Self, F>
        where
            F: tonic::service::Interceptor,
        {
            InterceptedService::new(Self::new(inner), interceptor)
        }
        /// Enable decompressing requests with the given encoding.
        #[must_use]
        pub fn accept_compressed(mut self, encoding: CompressionEncoding) -> Self {
            self.accept_compression_encodings.enable(encoding);
            self
        }
        /// Compress responses with the given encoding, if the client supports it.
        #[must_use]
        pub fn send_compressed(mut self, encoding: CompressionEncoding) -> Self {
            self.send_compression_encodings.enable(encoding);
            self
        }
        /// Limits the maximum size of a decoded message.
        ///
        /// Default: `4MB`
        #[must_use]
        pub fn max_decoding_message_size(mut self, limit: usize) -> Self {
            self.max_decoding_message_size = Some(limit);
            self
        }
        /// Limits the maximum size of an encoded message.
        ///
        /// Default: `usize::MAX`
        #[must_use]
        pub fn max_encoding_message_size(mut self, limit: usize) -> Self {
            self.max_encoding_message_size = Some(limit);
            self
        }
    }
    impl<T, B> tonic::codegen::Service<http::Request<B>> for AdminServiceServer<T>
    where
        T: AdminService,
        B: Body + std::marker::Send + 'static,
        B::Error: Into<StdError> + std::marker::Send + 'static,
    {
        type Response = http::Response<tonic::body::Body>;
        type Error = std::convert::Infallible;
        type Future = BoxFuture<Self::Response, Self::Error>;
        fn poll_ready(
            &mut self,
            _cx: &mut Context<'_>,
        ) -> Poll<std::result::Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }
        fn call(&mut self, req: http::Request<B>) -> Self::Future {
            match req.uri().path() {
                "/bellwether.v1.AdminService/SetControl" => {
                    #[allow(non_camel_case_types)]
                    struct SetControlSvc<T: AdminService>(pub Arc<T>);
                    impl<
                        T: AdminService,
                    > tonic::server::UnaryService<super::SetControlRequest>
                    for SetControlSvc<T> {
                        type Response = super::SetControlResponse;
                        type Future = BoxFuture<
                            tonic::Response<Self::Response>,
                            tonic::Status,
                        >;
                        fn call(
                            &mut self,
                            request: tonic::Request<super::SetControlRequest>,
                        ) -> Self::Future {
                            let inner = Arc::clone(&self.0);
                            let fut = async move {
                                <T as AdminService>::set_control(&inner, request).await
                            };
                            Box::pin(fut)
                        }
                    }
                    let accept_compression_encodings = self.accept_compression_encodings;
                    let send_compression_encodings = self.send_compression_encodings;
                    let max_decoding_message_size = self.max_decoding_message_size;
                    let max_encoding_message_size = self.max_encoding_message_size;
                    let inner = self.inner.clone();
                    let fut = async move {
                        let method = SetControlSvc(inner);
                        let codec = tonic_prost::ProstCodec::default();
                        let mut grpc = tonic::server::Grpc::new(codec)
                            .apply_compression_config(
                                accept_compression_encodings,
                                send_compression_encodings,
                            )
                            .apply_max_message_size_config(
                                max_decoding_message_size,
                                max_encoding_message_size,
                            );
                        let res = grpc.unary(method, req).await;
                        Ok(res)
                    };
                    Box::pin(fut)
                }
                "/bellwether.v1.AdminService/GetTeam" => {
                    #[allow(non_camel_case_types)]
                    struct GetTeamSvc<T: AdminService>(pub Arc<T>);
                    impl<
                        T: AdminService,
                    > tonic::server::UnaryService<super::GetTeamRequest>
                    for GetTeamSvc<T> {
                        type Response = super::GetTeamResponse;
                        type Future = BoxFuture<
                            tonic::Response<Self::Response>,
                            tonic::Status,
                        >;
                        fn call(
                            &mut self,
                            request: tonic::Request<super::GetTeamRequest>,
                        ) -> Self::Future {
                            let inner = Arc::clone(&self.0);
                            let fut = async move {
                                <T as AdminService>::get_team(&inner, request).await
                            };
                            Box::pin(fut)
                        }
                    }
                    let accept_compression_encodings = self.accept_compression_encodings;
                    let send_compression_encodings = self.send_compression_encodings;
                    let max_decoding_message_size = self.max_decoding_message_size;
                    let max_encoding_message_size = self.max_encoding_message_size;
                    let inner = self.inner.clone();
                    let fut = async move {
                        let method = GetTeamSvc(inner);
                        let codec = tonic_prost::ProstCodec::default();
                        let mut grpc = tonic::server::Grpc::new(codec)
                            .apply_compression_config(
                                accept_compression_encodings,
                                send_compression_encodings,
                            )
                            .apply_max_message_size_config(
                                max_decoding_message_size,
                                max_encoding_message_size,
                            );
                        let res = grpc.unary(method, req).await;
                        Ok(res)
                    };
                    Box::pin(fut)
                }
                "/bellwether.v1.AdminService/CreateKey" => {
                    #[allow(non_camel_case_types)]
                    struct CreateKeySvc<T: AdminService>(pub Arc<T>);
                    impl<
                        T: AdminService,
                    > tonic::server::UnaryService<super::CreateKeyRequest>
                    for CreateKeySvc<T> {
                        type Response = super::CreateKeyResponse;
                        type Future = BoxFuture<
                            tonic::Response<Self::Response>,
                            tonic::Status,
                        >;
                        fn call(
                            &mut self,
                            request: tonic::Request<super::CreateKeyRequest>,
                        ) -> Self::Future {
                            let inner = Arc::clone(&self.0);
                            let fut = async move {
                                <T as AdminService>::create_key(&inner, request).await
                            };
                            Box::pin(fut)
                        }
                    }
                    let accept_compression_encodings = self.accept_compression_encodings;
                    let send_compression_encodings = self.send_compression_encodings;
                    let max_decoding_message_size = self.max_decoding_message_size;
                    let max_encoding_message_size = self.max_encoding_message_size;
                    let inner = self.inner.clone();
                    let fut = async move {
                        let method = CreateKeySvc(inner);
                        let codec = tonic_prost::ProstCodec::default();
                        let mut grpc = tonic::server::Grpc::new(codec)
                            .apply_compression_config(
                                accept_compression_encodings,
                                send_compression_encodings,
                            )
                            .apply_max_message_size_config(
                                max_decoding_message_size,
                                max_encoding_message_size,
                            );
                        let res = grpc.unary(method, req).await;
                        Ok(res)
                    };
                    Box::pin(fut)
                }
                "/bellwether.v1.AdminService/ListKeys" => {
                    #[allow(non_camel_case_types)]
                    struct ListKeysSvc<T: AdminService>(pub Arc<T>);
                    impl<
                        T: AdminService,
                    > tonic::server::UnaryService<super::ListKeysRequest>
                    for ListKeysSvc<T> {
                        type Response = super::ListKeysResponse;
                        type Future = BoxFuture<
                            tonic::Response<Self::Response>,
                            tonic::Status,
                        >;
                        fn call(
                            &mut self,
                            request: tonic::Request<super::ListKeysRequest>,
                        ) -> Self::Future {
                            let inner = Arc::clone(&self.0);
                            let fut = async move {
                                <T as AdminService>::list_keys(&inner, request).await
                            };
                            Box::pin(fut)
                        }
                    }
                    let accept_compression_encodings = self.accept_compression_encodings;
                    let send_compression_encodings = self.send_compression_encodings;
                    let max_decoding_message_size = self.max_decoding_message_size;
                    let max_encoding_message_size = self.max_encoding_message_size;
                    let inner = self.inner.clone();
                    let fut = async move {
                        let method = ListKeysSvc(inner);
                        let codec = tonic_prost::ProstCodec::default();
                        let mut grpc = tonic::server::Grpc::new(codec)
                            .apply_compression_config(
                                accept_compression_encodings,
                                send_compression_encodings,
                            )
                            .apply_max_message_size_config(
                                max_decoding_message_size,
                                max_encoding_message_size,
                            );
                        let res = grpc.unary(method, req).await;
                        Ok(res)
                    };
                    Box::pin(fut)
                }
                "/bellwether.v1.AdminService/RotateKey" => {
                    #[allow(non_camel_case_types)]
                    struct RotateKeySvc<T: AdminService>(pub Arc<T>);
                    impl<
                        T: AdminService,
                    > tonic::server::UnaryService<super::RotateKeyRequest>
                    for RotateKeySvc<T> {
                        type Response = super::RotateKeyResponse;
                        type Future = BoxFuture<
                            tonic::Response<Self::Response>,
                            tonic::Status,
                        >;
                        fn call(
                            &mut self,
                            request: tonic::Request<super::RotateKeyRequest>,
                        ) -> Self::Future {
                            let inner = Arc::clone(&self.0);
                            let fut = async move {
                                <T as AdminService>::rotate_key(&inner, request).await
                            };
                            Box::pin(fut)
                        }
                    }
                    let accept_compression_encodings = self.accept_compression_encodings;
                    let send_compression_encodings = self.send_compression_encodings;
                    let max_decoding_message_size = self.max_decoding_message_size;
                    let max_encoding_message_size = self.max_encoding_message_size;
                    let inner = self.inner.clone();
                    let fut = async move {
                        let method = RotateKeySvc(inner);
                        let codec = tonic_prost::ProstCodec::default();
                        let mut grpc = tonic::server::Grpc::new(codec)
                            .apply_compression_config(
                                accept_compression_encodings,
                                send_compression_encodings,
                            )
                            .apply_max_message_size_config(
                                max_decoding_message_size,
                                max_encoding_message_size,
                            );
                        let res = grpc.unary(method, req).await;
                        Ok(res)
                    };
                    Box::pin(fut)
                }
                "/bellwether.v1.AdminService/RevokeKey" => {
                    #[allow(non_camel_case_types)]
                    struct RevokeKeySvc<T: AdminService>(pub Arc<T>);
                    impl<
                        T: AdminService,
                    > tonic::server::UnaryService<super::RevokeKeyRequest>
                    for RevokeKeySvc<T> {
                        type Response = super::RevokeKeyResponse;
                        type Future = BoxFuture<
                            tonic::Response<Self::Response>,
                            tonic::Status,
                        >;
                        fn call(
                            &mut self,
                            request: tonic::Request<super::RevokeKeyRequest>,
                        ) -> Self::Future {
                            let inner = Arc::clone(&self.0);
                            let fut = async move {
                                <T as AdminService>::revoke_key(&inner, request).await
                            };
                            Box::pin(fut)
                        }
                    }
                    let accept_compression_encodings = self.accept_compression_encodings;
                    let send_compression_encodings = self.send_compression_encodings;
                    let max_decoding_message_size = self.max_decoding_message_size;
                    let max_encoding_message_size = self.max_encoding_message_size;
                    let inner = self.inner.clone();
                    let fut = async move {
                        let method = RevokeKeySvc(inner);
                        let codec = tonic_prost::ProstCodec::default();
                        let mut grpc = tonic::server::Grpc::new(codec)
                            .apply_compression_config(
                                accept_compression_encodings,
                                send_compression_encodings,
                            )
                            .apply_max_message_size_config(
                                max_decoding_message_size,
                                max_encoding_message_size,
                            );
                        let res = grpc.unary(method, req).await;
                        Ok(res)
                    };
                    Box::pin(fut)
                }
                _ => {
                    Box::pin(async move {
                        let mut response = http::Response::new(
                            tonic::body::Body::default(),
                        );
                        let headers = response.headers_mut();
                        headers
                            .insert(
                                tonic::Status::GRPC_STATUS,
                                (tonic::Code::Unimplemented as i32).into(),
                            );
                        headers
                            .insert(
                                http::header::CONTENT_TYPE,
                                tonic::metadata::GRPC_CONTENT_TYPE,
                            );
                        Ok(response)
                    })
                }
            }
        }
    }
    impl<T> Clone for AdminServiceServer<T> {
        fn clone(&self) -> Self {
            let inner = self.inner.clone();
            Self {
                inner,
                accept_compression_encodings: self.accept_compression_encodings,
                send_compression_encodings: self.send_compression_encodings,
                max_decoding_message_size: self.max_decoding_message_size,
                max_encoding_message_size: self.max_encoding_message_size,
            }
        }
    }
    /// Generated gRPC service name
    pub const SERVICE_NAME: &str = "bellwether.v1.AdminService";
    impl<T> tonic::server::NamedService for AdminServiceServer<T> {
        const NAME: &'static str = SERVICE_NAME;
    }
}
