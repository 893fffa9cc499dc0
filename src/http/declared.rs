//! What a caller declares of a request beside its words: tags, and an embedding of its own.
//!
//! Invariants: at most 64 tags, keys unique, numbers finite; an embedding of 64 to 4096 finite numbers or none.
//!
//! Not here: limits on the choice (`routing`), the vector made of all this (`feature`).

use crate::field::Fields;
use crate::id::Name;
use crate::path::Path;
use crate::route::{Request, Tag};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The value of a tag.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum SaidTag {
    Flag(bool),
    Number(f64),
    Text(String),
}

/// The declared context: our own tags, and those of LiteLLM's metadata as flags.
pub(super) fn tags(
    fields: &mut Fields,
    ours: Option<BTreeMap<String, SaidTag>>,
    labels: Vec<String>,
) -> Vec<(Name, Tag)> {
    let at = Path::Root.field("bellwether");
    let at = at.field("tags");
    let ours = ours.unwrap_or_default();
    if !fields.count(at, ours.len(), 0..=Request::MAX_TAGS) {
        return Vec::new();
    }
    let mut tags = Vec::with_capacity(ours.len());
    for (key, value) in ours {
        let Some(key) = fields.name(at, &key) else {
            continue;
        };
        let value = match value {
            SaidTag::Flag(flag) => Tag::Number(f64::from(u8::from(flag))),
            SaidTag::Number(number) => {
                let read = fields.number(at, Some(number), -Tag::MAX_NUMBER..=Tag::MAX_NUMBER);
                Tag::Number(read.unwrap_or_default())
            }
            SaidTag::Text(text) => {
                let (characters, most) = (text.chars().count(), Tag::MAX_CHARS);
                if characters > most {
                    let problem = format_args!(
                        "have a text of {characters} characters: allowed at most {most}"
                    );
                    fields.refuse(at, problem);
                }
                Tag::Text(text)
            }
        };
        tags.push((key, value));
    }
    // Metadata is the caller's own affair: what cannot be a tag is none.
    let room = Request::MAX_TAGS - tags.len();
    let labels = labels.into_iter().filter_map(|label| Name::new(label).ok());
    for label in labels.take(room) {
        if tags.iter().all(|(key, _)| *key != label) {
            tags.push((label, Tag::Number(1.0)));
        }
    }
    tags
}

/// The caller's own embedding.
pub(super) fn embedding(fields: &mut Fields, said: Option<Vec<f32>>) -> Option<Vec<f32>> {
    let said = said?;
    let at = Path::Root.field("bellwether");
    let at = at.field("embedding");
    if fields.count(at, said.len(), Request::EMBEDDING)
        && let Some(i) = said.iter().position(|x| !x.is_finite())
    {
        fields.refuse(at.index(i), "is too large: allowed finite numbers");
    }
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::status::testing::violations;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[test]
    fn tags_are_texts_numbers_and_flags_and_labels_are_flags() {
        let mut fields = Fields::default();
        let said = serde_json::from_str(r#"{"a":"x","b":0.5,"c":true}"#).unwrap();
        let labels = vec!["prod".to_owned(), "a".to_owned(), String::new()];
        let found = tags(&mut fields, Some(said), labels);
        let expected = [
            (name("a"), Tag::Text("x".into())),
            (name("b"), Tag::Number(0.5)),
            (name("c"), Tag::Number(1.0)),
            (name("prod"), Tag::Number(1.0)),
        ];
        assert_eq!(found, expected);
        let long = BTreeMap::from([("k".to_owned(), SaidTag::Text("x".repeat(129)))]);
        tags(&mut fields, Some(long), Vec::new());
        let found = violations(fields.finish(Some(())).unwrap_err());
        let problem = "bellwether.tags: have a text of 129 characters: allowed at most 128";
        assert_eq!(found, [problem]);
    }

    #[test]
    fn an_embedding_has_64_to_4096_finite_numbers() {
        let check = |said: Vec<f32>, bad: &[&str]| {
            let mut fields = Fields::default();
            embedding(&mut fields, Some(said));
            let found = fields.finish(Some(()));
            assert_eq!(found.map_or_else(violations, |()| Vec::new()), bad);
        };
        check(vec![0.5; 64], &[]);
        let at = "bellwether.embedding";
        check(
            vec![0.5; 63],
            &[&format!("{at}: has 63 entries: allowed 64 to 4096")],
        );
        let mut large = vec![0.5; 64];
        large[7] = f32::INFINITY;
        check(
            large,
            &[&format!("{at}[7]: is too large: allowed finite numbers")],
        );
    }
}
