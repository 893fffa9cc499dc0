//! Candidates: what would have been drawn instead.
//!
//! Invariants: a candidate that chooses by scores keeps the logged floor and forced pulls, as it
//! would if it served; fixed and uniform are pure. All are functions of what the draw kept: the
//! logged utilities, their standard deviations and the number of samples, through the very function
//! that serves. A candidate with changes is asked about the arms that are left, at the price on cost that
//! was found for it ([`super::tighten`]): what an arm that it drops had goes to the others.
//!
//! Not here: a candidate with another learner or other features; that one is judged on an outcome
//! table. What changes the worth of outcomes, and so everybody's utilities, is no candidate's: [`super::Worth`].

use super::error::Error;
use crate::bandit::{ChoiceError, Policy, Scratch, SpecError};
use crate::decision::Drawn;
use crate::id::Name;
use crate::route::recompute;
use crate::unit::Pmf;
use std::fmt;
use std::str::FromStr;

/// A policy to be judged on traffic.
#[derive(Debug, Clone, PartialEq)]
pub enum Candidate {
    /// Whatever was logged, draw by draw.
    Logged,
    /// One policy throughout.
    Policy(Policy),
    /// One of these that may choose fewer arms, or pays more attention to cost.
    Changed(Box<Changed>),
}

/// A chooser under changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// What it is called.
    pub name: String,
    /// Who chooses.
    pub chooser: Candidate,
    /// Arms that it never chooses.
    pub drop: Vec<Name>,
    /// What a dollar costs beside what the scorecard says, in quality points; 0 or more.
    pub price: f64,
}

impl FromStr for Candidate {
    type Err = SpecError;

    /// Reads `logged` or a policy's specification.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        if text == "logged" {
            Ok(Self::Logged)
        } else {
            text.parse().map(Self::Policy)
        }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Logged => f.write_str("logged"),
            Self::Policy(policy) => policy.fmt(f),
            Self::Changed(changed) => changed.fmt(f),
        }
    }
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.name, self.chooser)?;
        if !self.drop.is_empty() {
            let names: Vec<&str> = self.drop.iter().map(Name::as_str).collect();
            write!(f, "; without {}", names.join(", "))?;
        }
        if self.price > 0.0 {
            write!(f, "; a dollar costs it {:.4} points more", self.price)?;
        }
        f.write_str(")")
    }
}

impl Candidate {
    /// The candidate's pmf for a draw; nothing where its fixed arm was not eligible, or none of the arms
    /// that it may choose.
    pub fn pmf(&self, drawn: &Drawn, scratch: &mut Scratch) -> Result<Option<Pmf>, Error> {
        let found = match self {
            Self::Logged => Ok(drawn.pmf.clone()),
            Self::Policy(policy @ (Policy::Fixed { .. } | Policy::Uniform)) => {
                let none = vec![0.0; drawn.arms.len()];
                recompute(drawn, policy, &none, &[], scratch)
            }
            Self::Policy(policy) => recompute(drawn, policy, &drawn.floor, &drawn.forced, scratch),
            Self::Changed(changed) => return changed.pmf(drawn, scratch),
        };
        match found {
            Ok(pmf) => Ok(Some(pmf)),
            Err(ChoiceError::FixedArm { .. }) => Ok(None),
            Err(other) => Err(other.into()),
        }
    }

    /// The arms that it names, each with where.
    pub(super) fn named(&self) -> Vec<(&'static str, &Name)> {
        match self {
            Self::Policy(Policy::Fixed { arm }) => vec![("policy", arm)],
            Self::Logged | Self::Policy(_) => Vec::new(),
            Self::Changed(changed) => {
                let dropped = changed.drop.iter().map(|arm| ("drop", arm));
                changed.chooser.named().into_iter().chain(dropped).collect()
            }
        }
    }
}

impl Changed {
    fn pmf(&self, drawn: &Drawn, scratch: &mut Scratch) -> Result<Option<Pmf>, Error> {
        let places: Vec<usize> = self.left(drawn);
        let Some(narrowed) = self.narrowed(drawn, &places)? else {
            return Ok(None);
        };
        let Some(pmf) = self.chooser.pmf(&narrowed, scratch)? else {
            return Ok(None);
        };
        let mut whole = vec![0.0; drawn.arms.len()];
        for (place, p) in places.iter().zip(pmf.as_slice()) {
            if let Some(slot) = whole.get_mut(*place) {
                *slot = *p;
            }
        }
        Ok(Some(Pmf::new(whole).map_err(ChoiceError::from)?))
    }

    /// Indices of the arms that it may choose.
    fn left(&self, drawn: &Drawn) -> Vec<usize> {
        let arms = drawn.arms.iter().enumerate();
        let left = arms.filter(|(_, arm)| !self.drop.contains(arm));
        left.map(|(place, _)| place).collect()
    }

    /// The draw over the arms `places`, a dollar costing what it costs this candidate. Nothing where the
    /// chooser has no arm left: there is none, or the log gave those that are left no chance.
    fn narrowed(&self, drawn: &Drawn, places: &[usize]) -> Result<Option<Drawn>, Error> {
        let of = |values: &[f64]| -> Vec<f64> {
            let value = |place: &usize| values.get(*place).copied().unwrap_or(0.0);
            places.iter().map(value).collect()
        };
        let logged = of(drawn.pmf.as_slice());
        let mass: f64 = logged.iter().sum();
        let whole = places.len() == drawn.arms.len();
        let pmf = match mass > 0.0 {
            _ if whole => drawn.pmf.clone(),
            true => {
                Pmf::new(logged.iter().map(|p| p / mass).collect()).map_err(ChoiceError::from)?
            }
            false if places.is_empty() || self.chooser == Candidate::Logged => return Ok(None),
            false => Pmf::certain(0, places.len()).map_err(ChoiceError::from)?,
        };
        let cost_usd = of(&drawn.cost_usd);
        let utility = of(&drawn.utility).into_iter().zip(&cost_usd);
        let arms = places.iter().filter_map(|place| drawn.arms.get(*place));
        let still = |forced: &u32| places.iter().position(|place| *place == *forced as usize);
        let forced = drawn.forced.iter().filter_map(still);
        Ok(Some(Drawn {
            arms: arms.cloned().collect(),
            signals: Vec::new(),
            pmf,
            floor: of(&drawn.floor),
            utility: utility.map(|(u, cost)| u - self.price * cost).collect(),
            utility_sd: of(&drawn.utility_sd),
            signal_mean: Vec::new(),
            signal_sd: Vec::new(),
            reference_cost_usd: of(&drawn.reference_cost_usd),
            latency_ms: of(&drawn.latency_ms),
            cost_usd,
            samples: drawn.samples,
            forced: forced
                .filter_map(|place| u32::try_from(place).ok())
                .collect(),
            uniform: drawn.uniform,
            chosen: 0,
        }))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(in crate::replay) fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    /// A draw of arms `a`, `b`, `c`, .. with these utilities and costs.
    pub(in crate::replay) fn drawn(utility: &[f64], cost_usd: &[f64]) -> Drawn {
        let arms = utility.len();
        let floor = 0.1 / arms as f64;
        let arm = |index: usize| name(&char::from(b'a' + index as u8).to_string());
        Drawn {
            arms: (0..arms).map(arm).collect(),
            signals: vec![],
            pmf: Pmf::new(vec![1.0 / arms as f64; arms]).unwrap(),
            floor: vec![floor; arms],
            utility: utility.to_vec(),
            utility_sd: vec![0.1; arms],
            signal_mean: vec![],
            signal_sd: vec![],
            cost_usd: cost_usd.to_vec(),
            reference_cost_usd: cost_usd.to_vec(),
            latency_ms: vec![f64::NAN; arms],
            samples: 50.0,
            forced: vec![],
            uniform: 0.5,
            chosen: 0,
        }
    }

    fn changed(chooser: &str, drop: &[&str], price: f64) -> Candidate {
        Candidate::Changed(Box::new(Changed {
            name: "x".to_owned(),
            chooser: chooser.parse().unwrap(),
            drop: drop.iter().map(|arm| name(arm)).collect(),
            price,
        }))
    }

    fn check(candidate: &Candidate, drawn: &Drawn, expected: Option<&[f64]>) {
        let found = candidate.pmf(drawn, &mut Scratch::default()).unwrap();
        let found = found.as_ref().map(Pmf::as_slice);
        let close = match (found, expected) {
            (Some(found), Some(expected)) => {
                let mut pairs = found.iter().zip(expected);
                found.len() == expected.len() && pairs.all(|(a, b)| (a - b).abs() < 1e-12)
            }
            (found, expected) => found == expected,
        };
        assert!(close, "{candidate}: {found:?} is not {expected:?}");
    }

    #[test]
    fn what_a_dropped_arm_had_goes_to_the_others_by_the_rule_that_serves() {
        let three = drawn(&[0.9, 0.5, 0.6], &[1.0; 3]);
        // Greedy takes c now; b keeps its floor of 1/30, a loses its own.
        let floor = 0.1 / 3.0;
        let expected = [0.0, floor, 1.0 - floor];
        check(&changed("greedy", &["a"], 0.0), &three, Some(&expected));
        check(
            &changed("uniform", &["a"], 0.0),
            &three,
            Some(&[0.0, 0.5, 0.5]),
        );
        check(
            &changed("logged", &["a"], 0.0),
            &three,
            Some(&[0.0, 0.5, 0.5]),
        );
        check(
            &changed("fixed:arm=b", &["a"], 0.0),
            &three,
            Some(&[0.0, 1.0, 0.0]),
        );
        // First pulls of those that are left go on.
        let mut young = three.clone();
        young.forced = vec![0, 1];
        let expected = [0.0, 1.0 - floor, floor];
        check(&changed("greedy", &["a"], 0.0), &young, Some(&expected));
        young.forced = vec![0];
        let expected = [0.0, floor, 1.0 - floor];
        check(&changed("greedy", &["a"], 0.0), &young, Some(&expected));
    }

    #[test]
    fn where_nothing_is_left_it_is_not_applicable() {
        let two = drawn(&[0.9, 0.5], &[1.0; 2]);
        check(&changed("greedy", &["a", "b"], 0.0), &two, None);
        check(&changed("logged", &["a", "b"], 0.0), &two, None);
        let mut certain = two.clone();
        certain.pmf = Pmf::certain(0, 2).unwrap();
        check(&changed("logged", &["a"], 0.0), &certain, None);
        check(
            &changed("uniform", &["a"], 0.0),
            &certain,
            Some(&[0.0, 1.0]),
        );
        check(&changed("fixed:arm=c", &["a"], 0.0), &two, None);
    }

    #[test]
    fn a_price_on_cost_turns_to_the_cheaper_arm() {
        // b is 0.2 points behind and 0.5 dollars cheaper: they change places at 0.4 points a dollar.
        let two = drawn(&[0.8, 0.6], &[1.0, 0.5]);
        check(&changed("greedy", &[], 0.39), &two, Some(&[0.95, 0.05]));
        check(&changed("greedy", &[], 0.41), &two, Some(&[0.05, 0.95]));
    }

    proptest! {
        #[test]
        fn without_a_change_it_is_the_chooser_and_with_one_it_keeps_what_is_left_above_its_floor(
            arms in prop::collection::vec((0.0_f64..1.0, 0.0_f64..2.0), 2..8),
            price in 0.0_f64..3.0,
        ) {
            let (utility, cost): (Vec<f64>, Vec<f64>) = arms.into_iter().unzip();
            let drawn = drawn(&utility, &cost);
            let mut scratch = Scratch::default();
            for chooser in ["logged", "uniform", "greedy", "linear-thompson", "square-cb"] {
                let plain: Candidate = chooser.parse().unwrap();
                prop_assert_eq!(
                    plain.pmf(&drawn, &mut scratch).unwrap(),
                    changed(chooser, &[], 0.0).pmf(&drawn, &mut scratch).unwrap()
                );
                let less = changed(chooser, &["a"], price).pmf(&drawn, &mut scratch).unwrap().unwrap();
                prop_assert_eq!(less.as_slice()[0], 0.0);
                for (p, floor) in less.as_slice().iter().zip(&drawn.floor).skip(1) {
                    prop_assert!(*p >= floor - 1e-12, "{}: {:?}", chooser, less);
                }
            }
        }
    }
}
