//! Vectors for texts.
//!
//! Invariants: an answer has one vector for each text, all of one length, finite; they come back in the
//! texts' order, whatever order the server sent them in.

use crate::provider::{Embedded, Error, Kind};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u32>,
    encoding_format: &'static str,
}

/// The body of a request.
pub(super) fn body(
    model: &str,
    texts: &[String],
    dimensions: Option<u32>,
) -> Result<Vec<u8>, Error> {
    let body = Body {
        model,
        input: texts,
        dimensions,
        encoding_format: "float",
    };
    serde_json::to_vec(&body).map_err(|_| Kind::InvalidRequest.into())
}

#[derive(Deserialize)]
struct Reply {
    data: Vec<Item>,
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct Item {
    index: Option<usize>,
    embedding: Vec<f32>,
}

#[derive(Deserialize)]
struct Tokens {
    prompt_tokens: Option<u32>,
}

/// Reads the answer to `count` texts.
pub(super) fn read(body: &[u8], count: usize) -> Result<Embedded, Error> {
    let reply: Reply = serde_json::from_slice(body).map_err(|_| Kind::Malformed)?;
    let mut vectors = vec![Vec::new(); count];
    for (place, item) in reply.data.into_iter().enumerate() {
        let slot = vectors.get_mut(item.index.unwrap_or(place));
        *slot.ok_or(Kind::Malformed)? = item.embedding;
    }
    let input = reply.usage.and_then(|usage| usage.prompt_tokens);
    Embedded::new(vectors, count, input)
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
    fn vectors_come_back_in_the_order_of_their_texts() {
        check(
            r#"{"data":[{"index":1,"embedding":[3,4]},{"index":0,"embedding":[1,2]}],
            "usage":{"prompt_tokens":5}}"#,
            2,
            Ok(&[&[1.0, 2.0], &[3.0, 4.0]]),
        );
    }

    #[test]
    fn an_answer_that_lacks_a_vector_is_malformed() {
        check(r#"{"data":[{"embedding":[1]}]}"#, 2, Err(Kind::Malformed));
        check(
            r#"{"data":[{"embedding":[1]},{"embedding":[1,2]}]}"#,
            2,
            Err(Kind::Malformed),
        );
        check(
            r#"{"data":[{"index":7,"embedding":[1]}]}"#,
            1,
            Err(Kind::Malformed),
        );
        check("{}", 1, Err(Kind::Malformed));
    }

    #[test]
    fn a_request_says_its_texts_and_the_length_it_wants() {
        let body = body("m", &["a".into()], Some(8)).unwrap();
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"model":"m","input":["a"],"dimensions":8,"encoding_format":"float"}"#
        );
    }
}
