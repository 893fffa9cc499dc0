//! What goes wrong at a provider, whose fault it is, and what may be tried next.
//!
//! Invariants: [`Kind::verdict`] is the one table from what happened to whose fault it is and what
//! may be retried; `complete` reads `retry` and nothing else. No field holds words of the provider's
//! answer but a code of at most 64 characters `a-z 0-9 _`: their messages quote keys and prompts.
//!
//! Not here: how often and where to retry (`complete`), what the client is told (`grpc`).

use std::fmt;
use std::time::Duration;

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request was refused as wrong.
    InvalidRequest,
    /// The model lacks something that the request needs.
    Unsupported,
    /// The prompt is too long for the model.
    ContextLength,
    /// The provider's filter refused the prompt.
    ContentFilter,
    /// Our key was refused.
    Unauthorized,
    /// Our account has nothing left.
    QuotaSpent,
    /// The endpoint has no such model, or is not where we think.
    ModelUnknown,
    /// Too many requests.
    RateLimited,
    /// The provider has no capacity.
    Overloaded,
    /// The provider broke.
    ServerError,
    /// No connection.
    Unreachable,
    /// Silent for longer than we wait.
    Timeout,
    /// The caller's deadline came.
    DeadlineExceeded,
    /// The answer cannot be read.
    Malformed,
    /// The answer is larger than we read.
    TooLarge,
    /// The answer stopped before its end.
    Cut,
}

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// Ours: configuration, account, key.
    Ours,
    /// The provider's.
    Theirs,
    /// The caller's.
    Caller,
}

/// What may be tried next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// Nothing: it would fail anywhere, or there is no time.
    Never,
    /// Another endpoint of the same arm, or any other arm.
    SameArm,
    /// Another arm only.
    OtherArm,
}

impl Kind {
    /// Whose fault, and what next.
    pub const fn verdict(self) -> (Source, Retry) {
        match self {
            Self::InvalidRequest => (Source::Caller, Retry::Never),
            // Looking for a laxer model is not for a router to do.
            Self::ContentFilter => (Source::Caller, Retry::Never),
            Self::DeadlineExceeded => (Source::Caller, Retry::Never),
            Self::ContextLength => (Source::Caller, Retry::OtherArm),
            Self::Unsupported => (Source::Ours, Retry::OtherArm),
            Self::Unauthorized | Self::QuotaSpent | Self::ModelUnknown => {
                (Source::Ours, Retry::SameArm)
            }
            Self::TooLarge => (Source::Theirs, Retry::OtherArm),
            Self::RateLimited
            | Self::Overloaded
            | Self::ServerError
            | Self::Unreachable
            | Self::Timeout
            | Self::Malformed
            | Self::Cut => (Source::Theirs, Retry::SameArm),
        }
    }

    /// Whether the model may have worked, so that the provider may charge for it.
    pub const fn may_cost(self) -> bool {
        matches!(
            self,
            Self::Timeout | Self::DeadlineExceeded | Self::Malformed | Self::TooLarge | Self::Cut
        )
    }

    /// The name in records and in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::Unsupported => "unsupported",
            Self::ContextLength => "context_length",
            Self::ContentFilter => "content_filter",
            Self::Unauthorized => "unauthorized",
            Self::QuotaSpent => "quota_spent",
            Self::ModelUnknown => "model_unknown",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::ServerError => "server_error",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Cut => "cut",
        }
    }

    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::InvalidRequest,
        Self::Unsupported,
        Self::ContextLength,
        Self::ContentFilter,
        Self::Unauthorized,
        Self::QuotaSpent,
        Self::ModelUnknown,
        Self::RateLimited,
        Self::Overloaded,
        Self::ServerError,
        Self::Unreachable,
        Self::Timeout,
        Self::DeadlineExceeded,
        Self::Malformed,
        Self::TooLarge,
        Self::Cut,
    ];

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// From the HTTP status of a refusal.
    pub const fn from_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::Unauthorized,
            402 => Self::QuotaSpent,
            // We follow no redirects: a wrong base URL.
            300..=399 | 404 | 405 => Self::ModelUnknown,
            408 | 504 => Self::Timeout,
            413 => Self::ContextLength,
            429 => Self::RateLimited,
            451 => Self::ContentFilter,
            400..=499 => Self::InvalidRequest,
            503 | 529 => Self::Overloaded,
            _ => Self::ServerError,
        }
    }

    /// From the code or type in the body of a refusal: OpenAI's, Anthropic's (`..._error`) and Google's
    /// (a `Status` in small letters).
    pub fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "context_length_exceeded" | "string_above_max_length" => Self::ContextLength,
            "request_too_large" => Self::ContextLength,
            "content_filter" | "content_policy_violation" => Self::ContentFilter,
            "insufficient_quota" | "billing_hard_limit_reached" | "billing_error" => {
                Self::QuotaSpent
            }
            "model_not_found" | "not_found_error" | "not_found" => Self::ModelUnknown,
            "unsupported_parameter" | "unsupported_value" | "unimplemented" => Self::Unsupported,
            "invalid_api_key" | "authentication_error" | "permission_error" => Self::Unauthorized,
            "unauthenticated" | "permission_denied" => Self::Unauthorized,
            "rate_limit_exceeded" | "rate_limit_error" | "resource_exhausted" => Self::RateLimited,
            "overloaded_error" | "engine_overloaded" | "unavailable" => Self::Overloaded,
            "timeout_error" | "deadline_exceeded" => Self::Timeout,
            "api_error" | "internal" => Self::ServerError,
            "invalid_request_error" | "invalid_argument" => Self::InvalidRequest,
            _ => return None,
        })
    }
}

/// A failed try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What went wrong.
    pub kind: Kind,
    /// Whose fault it is.
    pub source: Source,
    /// What may be tried next.
    pub retry: Retry,
    /// How long the provider asks us to wait.
    pub retry_after: Option<Duration>,
    /// HTTP status, if an answer came.
    pub status: Option<u16>,
    /// The provider's own code.
    pub code: Option<String>,
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        let (source, retry) = kind.verdict();
        Self {
            kind,
            source,
            retry,
            retry_after: None,
            status: None,
            code: None,
        }
    }
}

impl Error {
    /// Longest code kept.
    pub const MAX_CODE: usize = 64;

    /// From a refusal: its status, the code in its body, and how long to wait. A code can only
    /// sharpen a refusal of the request (4xx): a 5xx stays the provider's fault. One that only says that
    /// the request is wrong or the provider broke says less than the status: OpenAI's
    /// `invalid_request_error` also comes with a 401 and a 404.
    pub fn refused(status: u16, code: Option<&str>, retry_after: Option<Duration>) -> Self {
        let code = code.filter(|code| plain(code));
        let kind = code
            .filter(|_| (400..500).contains(&status))
            .and_then(Kind::from_code)
            .filter(|kind| !matches!(kind, Kind::InvalidRequest | Kind::ServerError))
            .unwrap_or(Kind::from_status(status));
        Self {
            retry_after,
            status: Some(status),
            code: code.map(Into::into),
            ..kind.into()
        }
    }

    /// From an error that came inside an accepted answer, which has no status of its own.
    pub fn reported(code: Option<&str>) -> Self {
        let code = code.filter(|code| plain(code));
        let kind = code
            .and_then(|code| match code.parse() {
                Ok(status @ 400..=599) => Some(Kind::from_status(status)),
                _ => Kind::from_code(code),
            })
            .unwrap_or(Kind::ServerError);
        Self {
            code: code.map(Into::into),
            ..kind.into()
        }
    }
}

/// Whether a code is an identifier, and not words or a key.
fn plain(code: &str) -> bool {
    (1..=Error::MAX_CODE).contains(&code.len())
        && code
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

// By hand: thiserror would take the field `source` for the cause.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the provider call failed: {}", self.kind.as_str())?;
        if let Some(status) = self.status {
            write!(f, ", status {status}")?;
        }
        if let Some(code) = &self.code {
            write!(f, ", code {code}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, code: Option<&str>, expected: (Kind, Source, Retry)) {
        let error = Error::refused(status, code, None);
        assert_eq!(
            (error.kind, error.source, error.retry),
            expected,
            "status {status}, code {code:?}"
        );
    }

    #[test]
    fn a_status_says_what_whose_and_what_next() {
        use {Kind as K, Retry as R, Source as S};
        check(400, None, (K::InvalidRequest, S::Caller, R::Never));
        check(422, None, (K::InvalidRequest, S::Caller, R::Never));
        check(401, None, (K::Unauthorized, S::Ours, R::SameArm));
        check(403, None, (K::Unauthorized, S::Ours, R::SameArm));
        check(402, None, (K::QuotaSpent, S::Ours, R::SameArm));
        check(404, None, (K::ModelUnknown, S::Ours, R::SameArm));
        check(302, None, (K::ModelUnknown, S::Ours, R::SameArm));
        check(408, None, (K::Timeout, S::Theirs, R::SameArm));
        check(413, None, (K::ContextLength, S::Caller, R::OtherArm));
        check(429, None, (K::RateLimited, S::Theirs, R::SameArm));
        check(451, None, (K::ContentFilter, S::Caller, R::Never));
        check(500, None, (K::ServerError, S::Theirs, R::SameArm));
        check(502, None, (K::ServerError, S::Theirs, R::SameArm));
        check(503, None, (K::Overloaded, S::Theirs, R::SameArm));
        check(529, None, (K::Overloaded, S::Theirs, R::SameArm));
        check(504, None, (K::Timeout, S::Theirs, R::SameArm));
    }

    #[test]
    fn a_code_sharpens_a_refused_request_but_never_a_server_error() {
        use {Kind as K, Retry as R, Source as S};
        let too_long = Some("context_length_exceeded");
        check(400, too_long, (K::ContextLength, S::Caller, R::OtherArm));
        check(500, too_long, (K::ServerError, S::Theirs, R::SameArm));
        check(
            429,
            Some("insufficient_quota"),
            (K::QuotaSpent, S::Ours, R::SameArm),
        );
        check(
            400,
            Some("unsupported_parameter"),
            (K::Unsupported, S::Ours, R::OtherArm),
        );
        check(
            400,
            Some("some_other_code"),
            (K::InvalidRequest, S::Caller, R::Never),
        );
    }

    #[test]
    fn the_types_of_each_dialect_are_known_and_a_vague_one_leaves_the_status_its_say() {
        let kind = |status, code| Error::refused(status, Some(code), None).kind;
        assert_eq!(kind(429, "rate_limit_error"), Kind::RateLimited);
        assert_eq!(kind(400, "billing_error"), Kind::QuotaSpent);
        assert_eq!(kind(403, "permission_error"), Kind::Unauthorized);
        assert_eq!(kind(404, "not_found_error"), Kind::ModelUnknown);
        assert_eq!(kind(413, "request_too_large"), Kind::ContextLength);
        assert_eq!(kind(400, "invalid_request_error"), Kind::InvalidRequest);
        assert_eq!(kind(401, "invalid_request_error"), Kind::Unauthorized);
        assert_eq!(kind(404, "invalid_request_error"), Kind::ModelUnknown);
        assert_eq!(kind(429, "api_error"), Kind::RateLimited);
        assert_eq!(kind(429, "resource_exhausted"), Kind::RateLimited);
        assert_eq!(kind(400, "invalid_argument"), Kind::InvalidRequest);
        assert_eq!(kind(403, "permission_denied"), Kind::Unauthorized);
        let inside = |code| Error::reported(Some(code)).kind;
        assert_eq!(inside("overloaded_error"), Kind::Overloaded);
        assert_eq!(inside("invalid_request_error"), Kind::InvalidRequest);
        assert_eq!(inside("timeout_error"), Kind::Timeout);
        assert_eq!(inside("api_error"), Kind::ServerError);
        assert_eq!(inside("unavailable"), Kind::Overloaded);
    }

    #[test]
    fn an_error_inside_an_answer_is_theirs_unless_its_code_says_more() {
        let kind = |code| Error::reported(code).kind;
        assert_eq!(kind(None), Kind::ServerError);
        assert_eq!(kind(Some("429")), Kind::RateLimited);
        assert_eq!(kind(Some("7")), Kind::ServerError);
        assert_eq!(kind(Some("content_filter")), Kind::ContentFilter);
    }

    #[test]
    fn a_code_that_could_hold_a_key_or_words_is_dropped() {
        for code in ["sk-proj-abc", "You said hello", "", &"a".repeat(65)] {
            assert_eq!(Error::refused(400, Some(code), None).code, None, "{code}");
        }
        let error = Error::refused(429, Some("rate_limit_exceeded"), None);
        assert_eq!(
            error.to_string(),
            "the provider call failed: rate_limited, status 429, code rate_limit_exceeded"
        );
    }
}
