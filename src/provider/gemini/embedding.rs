//! Vectors for texts.
//!
//! Invariants: an answer has one vector for each text, all of one length, finite, in the texts' order.
//!
//! The API does not say how many tokens it read.

use crate::provider::{Embedded, Error, Kind};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct Body<'a> {
    requests: Vec<Asked<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Asked<'a> {
    model: &'a str,
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimensionality: Option<u32>,
}

#[derive(Serialize)]
struct Content<'a> {
    parts: [Part<'a>; 1],
}

#[derive(Serialize)]
struct Part<'a> {
    text: &'a str,
}

/// The body of a request. `model` is its full name.
pub(super) fn body(
    model: &str,
    texts: &[String],
    dimensions: Option<u32>,
) -> Result<Vec<u8>, Error> {
    let asked = |text| Asked {
        model,
        content: Content {
            parts: [Part { text }],
        },
        output_dimensionality: dimensions,
    };
    let requests = texts.iter().map(String::as_str).map(asked).collect();
    serde_json::to_vec(&Body { requests }).map_err(|_| Kind::InvalidRequest.into())
}

#[derive(Deserialize)]
struct Reply {
    embeddings: Vec<Values>,
}

#[derive(Deserialize)]
struct Values {
    values: Vec<f32>,
}

/// Reads the answer to `count` texts.
pub(super) fn read(body: &[u8], count: usize) -> Result<Embedded, Error> {
    let reply: Reply = serde_json::from_slice(body).map_err(|_| Kind::Malformed)?;
    let vectors = reply.embeddings.into_iter().map(|e| e.values).collect();
    Embedded::new(vectors, count, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, count: usize, expected: Result<&[&[f32]], Kind>) {
        let read = read(body.as_bytes(), count);
        let found = read.map(|e| e.vectors).map_err(|e| e.kind);
        let expected = expected.map(|all| all.iter().map(|v| v.to_vec()).collect::<Vec<_>>());
        assert_eq!(found, expected, "{body}");
    }

    #[test]
    fn an_answer_has_a_vector_for_each_text_or_is_malformed() {
        let two = r#"{"embeddings":[{"values":[1,2]},{"values":[3,4]}]}"#;
        check(two, 2, Ok(&[&[1.0, 2.0], &[3.0, 4.0]]));
        check(two, 3, Err(Kind::Malformed));
        check(
            r#"{"embeddings":[{"values":[1]},{"values":[1,2]}]}"#,
            2,
            Err(Kind::Malformed),
        );
        check(r#"{"embeddings":[{"values":[]}]}"#, 1, Err(Kind::Malformed));
        check("{}", 1, Err(Kind::Malformed));
    }

    #[test]
    fn a_request_says_its_texts_and_the_length_it_wants() {
        let body = body("models/m", &["a".into(), "b".into()], Some(8)).unwrap();
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]},"outputDimensionality":8},{"model":"models/m","content":{"parts":[{"text":"b"}]},"outputDimensionality":8}]}"#
        );
    }
}
