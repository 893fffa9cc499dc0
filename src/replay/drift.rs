//! A change of the world half-way through a stream, and how it is written.
//!
//! `drop=FACTOR@SHARE[:ARM]`: from that share of the stream on, the score of one arm is multiplied by
//! FACTOR; its cost stays. `join=SHARE:ARM`: before that share of the stream the arm is not there.
//! `suffix=FIRST,SECOND`: prompts whose id ends with the first come before those
//! that end with the second, for tables that hold two recordings of the same prompts.
//!
//! Invariants: what [`Drift`] prints parses back to an equal one. The arm is all that follows the colon,
//! so it may hold any character that a name may. No id can end with both suffixes.
//!
//! Not here: which step it falls on, and which arm is the best (`stream`).
//!
//! Units: factor and share are fractions of 1.

use crate::id::Name;
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A change of the world within a stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Drift {
    /// One arm gets worse.
    Drop {
        /// What its score is multiplied by, 0 to 1.
        factor: f64,
        /// Share of the stream before the change, between 0 and 1.
        share: f64,
        /// The arm. None: the table's best single arm.
        arm: Option<Name>,
    },
    /// One arm is there later than the others.
    Join {
        /// Share of the stream without it, between 0 and 1.
        share: f64,
        /// The arm.
        arm: Name,
    },
    /// Some prompts come before others.
    Suffix {
        /// How ids of the earlier ones end.
        first: String,
        /// How ids of the later ones end.
        second: String,
    },
}

/// Why a drift was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DriftError {
    /// None of the forms.
    #[error(
        "drift is {0:?}: allowed drop=FACTOR@SHARE, drop=FACTOR@SHARE:ARM, join=SHARE:ARM or suffix=FIRST,SECOND"
    )]
    Form(String),
    /// A factor out of its range.
    #[error("drift has factor {0:?}: allowed 0 to 1")]
    Factor(String),
    /// A share out of its range.
    #[error("drift has share {0:?}: allowed more than 0 and less than 1")]
    Share(String),
    /// Not a name.
    #[error("drift has arm {0:?}: allowed 1 to 128 printable characters")]
    Arm(String),
    /// An id could end with both.
    #[error(
        "drift has suffixes {first:?} and {second:?}: allowed two of which neither ends with the other"
    )]
    Suffixes {
        /// The first.
        first: String,
        /// The second.
        second: String,
    },
}

impl FromStr for Drift {
    type Err = DriftError;

    /// ```
    /// use bellwether::replay::Drift;
    /// let drift: Drift = "drop=0.82@0.5".parse().unwrap();
    /// assert_eq!(drift, Drift::Drop { factor: 0.82, share: 0.5, arm: None });
    /// assert_eq!("suffix=#e0,#e1".parse::<Drift>().unwrap().to_string(), "suffix=#e0,#e1");
    /// ```
    fn from_str(text: &str) -> Result<Self, DriftError> {
        let form = || DriftError::Form(text.to_owned());
        match text.split_once('=') {
            Some(("drop", rest)) => dropped(rest, form),
            Some(("join", rest)) => joined(rest, form),
            Some(("suffix", rest)) => suffixes(rest, form),
            _ => Err(form()),
        }
    }
}

fn dropped(text: &str, form: impl Fn() -> DriftError) -> Result<Drift, DriftError> {
    let (factor_text, rest) = text.split_once('@').ok_or_else(&form)?;
    let (share_text, arm) = match rest.split_once(':') {
        Some((share, arm)) => (share, Some(arm)),
        None => (rest, None),
    };
    let factor = number(factor_text)
        .filter(|factor| (0.0..=1.0).contains(factor))
        .ok_or_else(|| DriftError::Factor(factor_text.to_owned()))?;
    let share = share(share_text)?;
    let arm = arm.map(name).transpose()?;
    Ok(Drift::Drop { factor, share, arm })
}

fn joined(text: &str, form: impl Fn() -> DriftError) -> Result<Drift, DriftError> {
    let (share_text, arm) = text.split_once(':').ok_or_else(form)?;
    Ok(Drift::Join {
        share: share(share_text)?,
        arm: name(arm)?,
    })
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

fn share(text: &str) -> Result<f64, DriftError> {
    let share = number(text).filter(|share| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| DriftError::Share(text.to_owned()))
}

fn name(text: &str) -> Result<Name, DriftError> {
    Name::new(text).map_err(|_| DriftError::Arm(text.to_owned()))
}

fn suffixes(text: &str, form: impl Fn() -> DriftError) -> Result<Drift, DriftError> {
    let (first, second) = text.split_once(',').ok_or_else(form)?;
    let (first, second) = (first.to_owned(), second.to_owned());
    // Every text ends with the empty one.
    if first.ends_with(&second) || second.ends_with(&first) {
        return Err(DriftError::Suffixes { first, second });
    }
    Ok(Drift::Suffix { first, second })
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop { factor, share, arm } => {
                write!(f, "drop={factor}@{share}")?;
                arm.iter().try_for_each(|arm| write!(f, ":{arm}"))
            }
            Self::Join { share, arm } => write!(f, "join={share}:{arm}"),
            Self::Suffix { first, second } => write!(f, "suffix={first},{second}"),
        }
    }
}

/// As it is written.
impl Serialize for Drift {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `text` prints as, or why it is refused.
    fn check(text: &str, expected: &str) {
        let found = match text.parse::<Drift>() {
            Ok(drift) => {
                let printed = drift.to_string();
                assert_eq!(printed.parse::<Drift>().unwrap(), drift);
                printed
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn what_it_prints_parses_back() {
        check("drop=0.82@0.5", "drop=0.82@0.5");
        check("drop=0@0.9:a:b@c=d,e", "drop=0@0.9:a:b@c=d,e");
        check("suffix=#e0,#e1", "suffix=#e0,#e1");
        check("join=0.5:a:b", "join=0.5:a:b");
    }

    #[test]
    fn a_refusal_says_what_is_allowed() {
        let forms =
            "allowed drop=FACTOR@SHARE, drop=FACTOR@SHARE:ARM, join=SHARE:ARM or suffix=FIRST,SECOND".to_owned();
        for text in ["", "fall=0.5@0.5", "drop=0.5", "join=0.5", "suffix=#e0"] {
            check(text, &format!("drift is {text:?}: {forms}"));
        }
        check("drop=1.5@0.5", "drift has factor \"1.5\": allowed 0 to 1");
        check("drop=NaN@0.5", "drift has factor \"NaN\": allowed 0 to 1");
        for share in ["0", "1", "inf", "half"] {
            let said = format!("drift has share {share:?}: allowed more than 0 and less than 1");
            check(&format!("drop=0.5@{share}"), &said);
        }
        check(
            "drop=0.5@0.5:",
            "drift has arm \"\": allowed 1 to 128 printable characters",
        );
        for (first, second) in [("#e0", ""), ("1", "e1"), ("a", "a")] {
            let said = format!(
                "drift has suffixes {first:?} and {second:?}: allowed two of which neither ends with the other"
            );
            check(&format!("suffix={first},{second}"), &said);
        }
    }
}
