//! The extractor: the four blocks put together, and the two ways to make the text block.
//!
//! Invariants: which text block is used belongs to the extractor, not to the request, since the two
//! are different features and need statistics of their own. A request that does not suit is refused.
//!
//! Not here: the blocks themselves (`declared`, `embedding` or `projection`, `structural`).
//!
//! Shapes: `[0..32]` declared, `[32..96]` text, `[96..104]` structural, `[104]` the constant 1.

use super::embedding::StaticEmbedding;
use super::request::Request;
use super::{declared, projection, structural};
use std::array;

/// Length of a context.
pub const DIM: usize = DECLARED + TEXT + STRUCTURAL + 1;

/// Where each block of a context ends: declared, text, structural, bias.
pub const ENDS: [usize; 4] = [DECLARED, DECLARED + TEXT, DIM - 1, DIM];
const DECLARED: usize = declared::SLOTS;
const TEXT: usize = 64;
const STRUCTURAL: usize = structural::COUNT;

/// Why a request has no context, or an extractor cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The team's embeddings have a length that cannot be projected.
    #[error("embedding length {length}: allowed 64 to 4096")]
    Width {
        /// The length asked for.
        length: usize,
    },
    /// An embedding of another length than the team's.
    #[error("embedding has {found} numbers: allowed exactly {expected}")]
    EmbeddingLength {
        /// Its length.
        found: usize,
        /// The team's length.
        expected: usize,
    },
    /// A number of the embedding is infinite or NaN.
    #[error("embedding[{index}] is {value}: allowed finite numbers")]
    EmbeddingNotFinite {
        /// Its position.
        index: usize,
        /// The number.
        value: f32,
    },
    /// An embedding was sent, but the team's features use the built-in one.
    #[error(
        "embedding has {found} numbers: allowed none, the team's features use the built-in embedding"
    )]
    EmbeddingUnexpected {
        /// Its length.
        found: usize,
    },
    /// No embedding was sent, but the team's features need one.
    #[error("embedding is absent: required, {expected} numbers")]
    EmbeddingAbsent {
        /// The team's length.
        expected: usize,
    },
    /// A number tag is infinite or NaN.
    #[error("tags[{index}] is {value}: allowed finite numbers")]
    TagNotFinite {
        /// The tag's position.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// The shipped embedding cannot be read: the program was built from damaged files.
    #[error("shipped embedding: {what}")]
    Artefact {
        /// What is wrong with it.
        what: String,
    },
}

/// Makes contexts. Cheap to share, fixed once made.
#[derive(Debug)]
pub struct Extractor {
    feature_set: String,
    text: Text,
}

/// Where the text block comes from.
#[derive(Debug)]
enum Text {
    Shipped(Box<StaticEmbedding>),
    Client { length: usize },
}

impl Extractor {
    /// With the built-in text embedding. Reads some 4 MB that are part of the program and keeps 2.5:
    /// make one and share it.
    pub fn shipped() -> Result<Self, Error> {
        Ok(Self {
            feature_set: format!("declared{DECLARED}-minilm{TEXT}-struct{STRUCTURAL}-v1"),
            text: Text::Shipped(Box::new(StaticEmbedding::shipped()?)),
        })
    }

    /// With the caller's own embeddings, all of `length` numbers (64 to 4096).
    ///
    /// ```
    /// use bellwether::feature::Extractor;
    /// let extractor = Extractor::client(1536)?;
    /// assert_eq!(extractor.feature_set(), "declared32-client1536-struct8-v1");
    /// # Ok::<(), bellwether::feature::Error>(())
    /// ```
    pub fn client(length: usize) -> Result<Self, Error> {
        if !projection::LENGTHS.contains(&length) {
            return Err(Error::Width { length });
        }
        Ok(Self {
            feature_set: format!("declared{DECLARED}-client{length}-struct{STRUCTURAL}-v1"),
            text: Text::Client { length },
        })
    }

    /// Name of the set of features, logged with each decision. Contexts of two sets never meet in
    /// one learner.
    pub fn feature_set(&self) -> &str {
        &self.feature_set
    }

    /// Writes the context of `request`. On an error `context` is left as it was.
    ///
    /// The empty prompt of an unnamed task has nothing but the constant; with the 19 characters of
    /// "Where is my parcel?" the length feature is ln(1 + 19) / 10, halved, and the question mark a
    /// half:
    ///
    /// ```
    /// use bellwether::feature::{DIM, Extractor, Request};
    /// let extractor = Extractor::shipped()?;
    /// let mut context = [0.0; DIM];
    /// extractor.extract(&Request::default(), &mut context)?;
    /// assert_eq!(context[DIM - 1], 1.0);
    /// assert!(context[..DIM - 1].iter().all(|&x| x == 0.0));
    ///
    /// let request = Request { last_user: &["Where is my parcel?"], ..Request::default() };
    /// extractor.extract(&request, &mut context)?;
    /// assert!((context[96] - 0.1498).abs() < 1e-4);
    /// assert_eq!(context[101], 0.5);
    /// # Ok::<(), bellwether::feature::Error>(())
    /// ```
    pub fn extract(&self, request: &Request<'_>, context: &mut [f32; DIM]) -> Result<(), Error> {
        let declared = declared::block(request)?;
        let text = self.text_block(request)?;
        let structural = structural::block(request.last_user);
        let mut rest = context.as_mut_slice();
        for block in [&declared[..], &text, &structural, &[1.0]] {
            let (place, after) = rest.split_at_mut(block.len());
            place.copy_from_slice(block);
            rest = after;
        }
        Ok(())
    }

    fn text_block(&self, request: &Request<'_>) -> Result<[f32; TEXT], Error> {
        match (&self.text, request.embedding) {
            (Text::Shipped(embedding), None) => {
                Ok(embedding.block(request.last_user, request.system))
            }
            (Text::Shipped(_), Some(found)) => {
                Err(Error::EmbeddingUnexpected { found: found.len() })
            }
            (&Text::Client { length }, None) => Err(Error::EmbeddingAbsent { expected: length }),
            (&Text::Client { length }, Some(found)) if found.len() != length => {
                Err(Error::EmbeddingLength {
                    found: found.len(),
                    expected: length,
                })
            }
            (Text::Client { .. }, Some(embedding)) => projection::block(embedding),
        }
    }
}

/// `values` scaled to length 1, or zeros where there is no direction. In f64, so that no finite f32
/// overflows on the way.
pub(super) fn unit_length<const N: usize>(values: &[f64; N]) -> [f32; N] {
    let norm = values.iter().map(|v| v * v).sum::<f64>().sqrt();
    scaled(values, if norm > 0.0 { 1.0 / norm } else { 0.0 })
}

/// `values`, shortened to length 1 where they are longer.
pub(super) fn at_most_unit<const N: usize>(values: &[f64; N]) -> [f32; N] {
    let norm = values.iter().map(|v| v * v).sum::<f64>().sqrt();
    scaled(values, 1.0 / norm.max(1.0))
}

fn scaled<const N: usize>(values: &[f64; N], factor: f64) -> [f32; N] {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding to f32 is the point"
    )]
    array::from_fn(|i| values.get(i).map_or(0.0, |v| (v * factor) as f32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::{Tag, TagValue};
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;
    use std::sync::LazyLock;

    static SHIPPED: LazyLock<Extractor> = LazyLock::new(|| Extractor::shipped().unwrap());

    fn check(extractor: &Extractor, embedding: Option<&[f32]>, expected: Result<(), Error>) {
        let request = Request {
            embedding,
            ..Request::default()
        };
        let mut context = [7.0; DIM];
        assert_eq!(extractor.extract(&request, &mut context), expected);
        assert_eq!(context[0] == 7.0, expected.is_err());
    }

    #[test]
    fn the_extractor_says_whose_embedding_it_takes() {
        let client = Extractor::client(100).unwrap();
        check(&client, Some(&[0.5; 100]), Ok(()));
        check(&client, None, Err(Error::EmbeddingAbsent { expected: 100 }));
        let length = Error::EmbeddingLength {
            found: 99,
            expected: 100,
        };
        check(&client, Some(&[0.5; 99]), Err(length));
        let unexpected = Error::EmbeddingUnexpected { found: 100 };
        check(&SHIPPED, Some(&[0.5; 100]), Err(unexpected));
        check(&SHIPPED, None, Ok(()));
    }

    #[test]
    fn lengths_that_cannot_be_projected_are_refused() {
        for length in [0, 63, 4097] {
            let refused = Extractor::client(length).unwrap_err();
            assert_eq!(refused, Error::Width { length });
        }
        assert!(Extractor::client(64).is_ok() && Extractor::client(4096).is_ok());
    }

    #[test]
    fn the_feature_set_is_named() {
        assert_eq!(SHIPPED.feature_set(), "declared32-minilm64-struct8-v1");
    }

    #[test]
    fn the_context_of_a_request_never_changes() {
        let tags = [Tag {
            key: "language",
            value: TagValue::Text("rust"),
        }];
        let request = Request {
            task: Some("fix-test"),
            tags: &tags,
            streaming: true,
            last_user: &["Why does `cargo test` fail?\n", "def f(x): return x + 1"],
            system: &["You are a careful engineer."],
            ..Request::default()
        };
        let mut context = [0.0; DIM];
        SHIPPED.extract(&request, &mut context).unwrap();
        // Rounded, so that a machine with another logarithm agrees.
        let rounded = context.map(|x| ((x * 1e5).round() as i32).to_le_bytes());
        let hash = xxhash_rust::xxh3::xxh3_64(rounded.as_flattened());
        assert_eq!(hash, 0x7223_8fea_972a_0b8a, "{hash:#x}: {context:?}");
    }

    /// Any Unicode, with the characters that the rules look at more frequent than chance makes them.
    fn text() -> impl Strategy<Value = String> {
        let character = prop_oneof![
            4 => prop::char::range(' ', '~'),
            1 => prop::char::range('\0', ' '),
            1 => prop::char::range('\u{2b0}', '\u{36f}'),
            1 => prop::char::range('\u{ac00}', '\u{fb06}'),
            1 => any::<char>(),
        ];
        (prop::collection::vec(character, 0..80), 1..5_usize)
            .prop_map(|(characters, times)| String::from_iter(characters).repeat(times))
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 200,
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn every_block_is_finite_and_within_the_unit_ball(
            task in prop::option::of(text()),
            tags in prop::collection::vec((text(), -3.0..3.0_f64, any::<bool>()), 0..12),
            user in prop::collection::vec(text(), 0..4),
            system in text(),
            flags in any::<[bool; 4]>(),
        ) {
            let tags: Vec<Tag<'_>> = tags
                .iter()
                .map(|(key, number, is_number)| Tag {
                    key,
                    value: match is_number {
                        true => TagValue::Number(*number),
                        false => TagValue::Text("value"),
                    },
                })
                .collect();
            let user: Vec<&str> = user.iter().map(String::as_str).collect();
            let request = Request {
                task: task.as_deref(),
                tags: &tags,
                tools: flags[0],
                json: flags[1],
                json_schema: flags[2],
                streaming: flags[3],
                last_user: &user,
                system: &[&system],
                embedding: None,
            };
            let mut context = [0.0; DIM];
            SHIPPED.extract(&request, &mut context).unwrap();
            prop_assert!(context.iter().all(|x| x.is_finite()));
            prop_assert_eq!(context[DIM - 1], 1.0);
            for block in [0..32, 32..96, 96..104] {
                let squared: f32 = context[block].iter().map(|x| x * x).sum();
                prop_assert!(squared <= 1.0 + 1e-5, "{}", squared);
            }
        }
    }
}
