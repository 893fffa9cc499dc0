//! The weights that a gateway draws models by.
//!
//! Invariants: two models or more, each once; probabilities are above 0 and sum to 1.
//!
//! Source: `LiteLLM`'s `simple-shuffle` draws a deployment with its weight over the sum of all.

use crate::table::Error;

/// Models with the probabilities that they are drawn with; their places are their numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights(Vec<(String, f64)>);

impl Weights {
    /// Reads `gpt-4o=7,haiku=3`, split at the last sign of equality of each part; weights need not sum to 1.
    ///
    /// ```
    /// use bellwether::table::Weights;
    /// let weights = Weights::parse("large=3,small=1").unwrap();
    /// assert_eq!(weights.pmf(), [0.75, 0.25]);
    /// assert!(Weights::parse("large=1").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let fault = |text: &str| Error::Weights {
            text: text.to_owned(),
        };
        let mut found: Vec<(String, f64)> = Vec::new();
        for part in text.split(',') {
            let pair = part.rsplit_once('=').and_then(|(model, weight)| {
                let weight: f64 = weight.trim().parse().ok()?;
                Some((model.trim(), weight)).filter(|(_, w)| *w > 0.0 && w.is_finite())
            });
            let (model, weight) = pair.ok_or_else(|| fault(part))?;
            if model.is_empty() || found.iter().any(|(known, _)| known == model) {
                return Err(fault(part));
            }
            found.push((model.to_owned(), weight));
        }
        let sum: f64 = found.iter().map(|(_, weight)| weight).sum();
        if found.len() < 2 || !sum.is_finite() {
            return Err(fault(text));
        }
        found.iter_mut().for_each(|(_, weight)| *weight /= sum);
        match found.iter().all(|(_, p)| *p > 0.0) {
            true => Ok(Self(found)),
            false => Err(fault(text)),
        }
    }

    /// The number of a model.
    pub(super) fn number(&self, model: &str) -> Option<usize> {
        self.0.iter().position(|(known, _)| known == model)
    }

    /// The models.
    pub(super) fn models(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(model, _)| model.as_str())
    }

    /// Their probabilities.
    pub fn pmf(&self) -> Vec<f64> {
        self.0.iter().map(|(_, p)| *p).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn weights_that_are_none_are_refused() {
        for text in [
            "",
            "a",
            "a=1",
            "a=1,",
            "a=1,b=0",
            "a=1,b=-1",
            "a=1,b=x",
            "a=1,a=2",
            "a=1,=2",
            "a=1,b=inf",
            "a=1,b=NaN",
            "a=1e308,b=1e308",
            "a=1e300,b=1e-300",
        ] {
            assert!(Weights::parse(text).is_err(), "{text}");
        }
        let weights = Weights::parse("x=y = 1 , b=3").unwrap();
        assert_eq!(weights.models().collect::<Vec<_>>(), ["x=y", "b"]);
        assert_eq!((weights.number("b"), weights.number("c")), (Some(1), None));
    }

    proptest! {
        /// Only ratios matter.
        #[test]
        fn probabilities_are_the_weights_over_their_sum(
            raw in prop::collection::vec(0.01..100.0f64, 2..8),
            scale in 0.01..100.0f64,
        ) {
            let text = |scale: f64| {
                let parts = raw.iter().enumerate();
                let parts = parts.map(|(at, weight)| format!("m{at}={}", weight * scale));
                parts.collect::<Vec<_>>().join(",")
            };
            let [one, other] = [1.0, scale].map(|by| Weights::parse(&text(by)).unwrap().pmf());
            let sum: f64 = raw.iter().sum();
            prop_assert!((one.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            for ((a, b), weight) in one.iter().zip(&other).zip(&raw) {
                prop_assert!((a - weight / sum).abs() < 1e-12 && (a - b).abs() < 1e-12);
            }
        }
    }
}
