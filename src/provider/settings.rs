//! How to reach an endpoint, where its dialect has one kind of address and several ways to be told to think.
//!
//! Not here: OpenAI's, which has neither (`openai`), which address and which way (each dialect's own `client` and
//! `thinking`).

use super::call::{ApiKey, MAX_ANSWER_BYTES};

/// How to reach an endpoint. `T`: the ways in which the dialect's models are told to think.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings<T> {
    /// Address up to and without the version of the API.
    pub base_url: String,
    /// The key. Absent: none is sent.
    pub api_key: Option<ApiKey>,
    /// How its model is told to think.
    pub thinking: T,
    /// Most bytes of a whole answer.
    pub max_answer_bytes: usize,
}

impl<T: Default> Settings<T> {
    /// For `base_url`: thinking by budget, 16 MiB of answer.
    pub fn new(base_url: impl Into<String>, api_key: Option<ApiKey>) -> Self {
        Self {
            base_url: base_url.into(),
            api_key,
            thinking: T::default(),
            max_answer_bytes: MAX_ANSWER_BYTES,
        }
    }
}
