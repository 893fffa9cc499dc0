//! Which conversation a request belongs to: whose prompt cache may be warm.
//!
//! The first that is said counts: in the body `bellwether.session_id`, `session_id`, `litellm_session_id`,
//! `metadata.session_id`; the headers `x-bellwether-session`, `x-session-id`, those that agents send; in the
//! body `prompt_cache_key`. Where nothing is said it is a hash of the first system message and the first
//! user's, which stay as a conversation grows.
//!
//! Invariants: equal conversations of different teams or keys are different sessions where they are guessed; a
//! name that is too long to be one is hashed, not refused.
//!
//! Not here: what warmth is worth (`warmth`).
//!
//! Source: OpenRouter's rule for sticky routing.

use super::call::said;
use crate::access::Grant;
use crate::chat::{Message, Role};
use crate::id::Name;
use http::HeaderMap;
use xxhash_rust::xxh3::Xxh3;

/// Ours, the usual one, and those of agents: Claude Code, opencode (both), Codex (its newer and older one).
const HEADERS: [&str; 7] = [
    "x-bellwether-session",
    "x-session-id",
    "x-claude-code-session-id",
    "x-session-affinity",
    "x-opencode-session",
    "session-id",
    "session_id",
];

/// The session: `first` and `last` are what the body says, before and behind the headers.
pub(super) fn session<'a>(
    first: impl IntoIterator<Item = Option<&'a str>>,
    head: &'a HeaderMap,
    last: Option<&'a str>,
    messages: &[Message],
    grant: &Grant,
) -> Option<Name> {
    let spoken = |text: &&str| !text.is_empty();
    let first = first.into_iter().flatten().find(spoken);
    let header = || HEADERS.iter().find_map(|name| said(head, name));
    let named = first.or_else(header).or_else(|| last.filter(spoken));
    match named {
        Some(text) => Name::new(text).ok().or_else(|| hashed(grant, [text])),
        None => guessed(grant, messages),
    }
}

fn guessed(grant: &Grant, messages: &[Message]) -> Option<Name> {
    let first = |role| messages.iter().find(|message| message.role == role);
    let [system, user] = [Role::System, Role::User].map(first);
    system.or(user)?;
    let between = std::iter::once("");
    hashed(grant, texts(system).chain(between).chain(texts(user)))
}

fn texts(message: Option<&Message>) -> impl Iterator<Item = &str> {
    message.into_iter().flat_map(Message::texts)
}

/// A name that tells nothing of what it is made of.
fn hashed<'a>(grant: &Grant, texts: impl IntoIterator<Item = &'a str>) -> Option<Name> {
    let mut hasher = Xxh3::new();
    let mut take = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    take(grant.team.as_str());
    take(grant.key.as_str());
    texts.into_iter().for_each(take);
    Name::new(format!("s-{:032x}", hasher.digest128())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use std::collections::BTreeSet;

    fn grant(team: &str, key: &str) -> Grant {
        let [team, key] = [team, key].map(|text| Name::new(text).unwrap());
        let scopes = BTreeSet::new();
        Grant {
            key,
            team,
            scopes,
            arms: None,
            bounds: Default::default(),
        }
    }

    fn talk(texts: &[&str]) -> Vec<Message> {
        let roles = [Role::System, Role::User, Role::Assistant, Role::User];
        let texts = texts.iter().zip(roles);
        texts
            .map(|(text, role)| Message::text(role, *text))
            .collect()
    }

    fn check(
        body: [Option<&str>; 2],
        headers: &[(&'static str, &'static str)],
        cache_key: Option<&str>,
        expected: &str,
    ) {
        let mut head = HeaderMap::new();
        for (name, value) in headers {
            head.insert(*name, HeaderValue::from_static(value));
        }
        let found = session(body, &head, cache_key, &[], &grant("t", "k"));
        assert_eq!(found.as_ref().map_or("none", Name::as_str), expected);
    }

    #[test]
    fn the_first_that_is_said_counts() {
        let agent = ("x-claude-code-session-id", "agent");
        let both = [("x-session-id", "header"), agent];
        check([Some("ours"), Some("body")], &both, Some("cache"), "ours");
        check([Some(""), Some("body")], &both, Some("cache"), "body");
        check([None, None], &both, Some("cache"), "header");
        check([None, None], &[agent], Some("cache"), "agent");
        check([None, None], &[("session_id", "codex")], None, "codex");
        check([None, None], &[], Some("cache"), "cache");
        check([None, None], &[], None, "none");
    }

    #[test]
    fn a_conversation_that_grows_stays_one_session() {
        let guess = |team, key, texts: &[&str]| {
            session([], &HeaderMap::new(), None, &talk(texts), &grant(team, key)).unwrap()
        };
        let first = guess("t", "k", &["be brief", "hi"]);
        assert_eq!(
            first,
            guess("t", "k", &["be brief", "hi", "hello", "and then?"])
        );
        assert_ne!(first, guess("t", "k", &["be brief", "hello"]));
        assert_ne!(first, guess("t", "k", &["be briefh", "i"]));
        assert_ne!(first, guess("t2", "k", &["be brief", "hi"]));
        assert_ne!(first, guess("t", "k2", &["be brief", "hi"]));
        assert!(!first.as_str().contains("hi"));
    }

    #[test]
    fn a_name_too_long_to_be_one_is_hashed() {
        let long = "x".repeat(200);
        let found = session(
            [Some(&*long)],
            &HeaderMap::new(),
            None,
            &[],
            &grant("t", "k"),
        );
        assert_eq!(found.unwrap().as_str().len(), 34);
    }
}
