//! `GET /v1/models` and `GET /v1/models/ID`: what a key may name as `model`.
//!
//! Invariants: an arm that the key may not use is not there.
//!
//! Not here: tasks: any may be named, as `bellwether/TASK`.

use super::body::Reply;
use super::chat_reply::json;
use super::routing::Known;
use super::status::Failure;
use crate::id::Name;
use serde::Serialize;
use std::borrow::Cow;

/// The router's own choice.
const AUTO: &str = "bellwether/auto";

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Model<'a>>,
}

#[derive(Serialize)]
struct Model<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    owned_by: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    context_length: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    capabilities: Vec<&'a str>,
}

/// All of them.
pub(super) fn list(known: Known<'_>, created: i64) -> Reply {
    let arms = known.arms().filter_map(|arm| model(known, created, arm));
    let data = arms.chain([ours(AUTO, created)]).collect();
    let object = "list";
    json(&List { object, data })
}

/// One, whose id may be percent-encoded.
pub(super) fn one(known: Known<'_>, created: i64, id: &str) -> Result<Reply, Failure> {
    let id = decoded(id).ok_or_else(|| known.no_model())?;
    let arm = known.arm(&id).and_then(|arm| model(known, created, arm));
    let task = || {
        let task = id.strip_prefix("bellwether/");
        let named = *id == *"auto" || task.is_some_and(|task| Name::new(task).is_ok());
        named.then(|| ours(&id, created))
    };
    let found = arm.or_else(task).ok_or_else(|| known.no_model())?;
    Ok(json(&found))
}

fn model<'a>(known: Known<'a>, created: i64, name: &'a Name) -> Option<Model<'a>> {
    let catalogue = known.catalogue;
    let arm = catalogue.arms().get(catalogue.arm(name.as_str())?)?;
    let endpoint = catalogue.endpoints().iter().find(|e| e.arm == *name)?;
    Some(Model {
        owned_by: endpoint.provider.as_str(),
        context_length: Some(arm.context_tokens),
        max_output_tokens: arm.max_output_tokens,
        capabilities: arm.capabilities.iter().map(Name::as_str).collect(),
        ..ours(name.as_str(), created)
    })
}

fn ours(id: &str, created: i64) -> Model<'_> {
    Model {
        id,
        object: "model",
        created,
        owned_by: "bellwether",
        context_length: None,
        max_output_tokens: None,
        capabilities: Vec::new(),
    }
}

/// The text that percent-encoding stands for.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| plain)?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(decoded(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn an_id_may_be_percent_encoded() {
        check("large", Some("large"));
        check("bellwether%2Fauto", Some("bellwether/auto"));
        check("%c3%A9%25", Some("é%"));
        for bad in ["%", "%2", "%zz", "%+1", "%ff", "%é"] {
            check(bad, None);
        }
    }
}
