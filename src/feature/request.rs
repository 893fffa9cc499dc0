//! What the features are made from: borrowed parts of one request.
//!
//! Not here: limits on lengths and counts (`grpc` refuses what is too large before it comes here).

/// One request, as far as the features look at it. Every part may be empty.
///
/// ```
/// use bellwether::feature::Request;
/// let request = Request { task: Some("triage"), last_user: &["Where is my parcel?"], ..Request::default() };
/// assert!(request.embedding.is_none());
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// The caller's own label of the task.
    pub task: Option<&'a str>,
    /// Named values describing the request, in any order.
    pub tags: &'a [Tag<'a>],
    /// Tools are offered to the model.
    pub tools: bool,
    /// The answer must be a JSON object.
    pub json: bool,
    /// The answer must satisfy a JSON Schema.
    pub json_schema: bool,
    /// The answer is streamed.
    pub streaming: bool,
    /// Text parts of the last user message, in order.
    pub last_user: &'a [&'a str],
    /// Text parts of the system prompt, in order.
    pub system: &'a [&'a str],
    /// The caller's own embedding of the prompt: required by an extractor made with
    /// `Extractor::client`, refused by the others.
    pub embedding: Option<&'a [f32]>,
}

/// A named value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tag<'a> {
    /// Its name.
    pub key: &'a str,
    /// Its value.
    pub value: TagValue<'a>,
}

/// The value of a tag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TagValue<'a> {
    /// A category: each one has its own direction in the declared block.
    Text(&'a str),
    /// A finite number, cut to [-1, 1]: scales the direction of its key.
    Number(f64),
}
