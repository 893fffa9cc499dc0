//! What outcomes are worth in another world: a scorecard that weighs otherwise, arms at other prices.
//!
//! A row in that world has the costs, quality and utility that it would have, and its draw the expected
//! utilities that the router would have had: so the logged policy is judged there too, and whoever chooses
//! by what was expected chooses anew. What was drawn, and with what probability, stays.
//!
//! - Prices alone move a utility by (cost - new cost) / V, V being what a point is worth in dollars.
//! - A scorecard composes expected utilities again from the expected signals, and scores what came by
//!   [`super::rescore()`]'s rules. The standard deviation of a utility is made of the signals' as if they were
//!   independent, without what the router doubted besides: of use to `linear-thompson` and `lin-ucb` only.
//!
//! Invariants: with no worth a row stays as it is, to the bit; probabilities are never touched.
//!
//! Not here: a budget's price on cost, which is one candidate's (`tighten`). Nor can a log tell that the scorecard
//! that it was recorded under had a number's ends elsewhere: `worst` and `best` must be those of the log.
//!
//! Units: USD, quality points. Source: SCIENCE 2.6, 3.1.

use super::Row;
use super::error::Error;
use super::known::{quality, wanted};
use super::rescore::known;
use crate::bandit::PRIOR_SD;
use crate::decision::Drawn;
use crate::id::Name;
use crate::scorecard::Scorecard;
use std::collections::BTreeMap;
use std::fmt;

/// What outcomes are worth.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Worth {
    /// How outcomes are weighed; absent: as in the log.
    pub scorecard: Option<Scorecard>,
    /// Factors on what arms cost.
    pub prices: BTreeMap<Name, f64>,
    /// What a point of quality is worth in USD. Of a scorecard if there is one.
    pub quality_usd: Option<f64>,
}

impl Worth {
    /// The log's own.
    pub(super) const PLAIN: Self = Self {
        scorecard: None,
        prices: BTreeMap::new(),
        quality_usd: None,
    };

    /// Whether everything is worth what it was.
    pub fn is_plain(&self) -> bool {
        self.scorecard.is_none() && self.prices.is_empty()
    }

    /// Whether a row can be told in this world.
    pub(super) fn check(&self, row: &Row) -> Result<(), Error> {
        let Some(scorecard) = &self.scorecard else {
            return match (self.prices.is_empty(), self.quality_usd) {
                (false, None) => Err(Error::PriceWithoutWorth),
                _ => Ok(()),
            };
        };
        let signals = scorecard.signals();
        if let Some(gate) = scorecard.targets().get(signals.len()) {
            let signal = signals.get(gate.signal).map(|spec| spec.name.clone());
            return Err(Error::GateOnNumber {
                signal: signal.unwrap_or_else(|| gate.name.clone()),
            });
        }
        let logged = &row.drawn.signals;
        let counts = signals
            .iter()
            .filter(|s| s.weight > 0.0 || s.gate.is_some());
        match counts.into_iter().find(|spec| !logged.contains(&spec.name)) {
            Some(spec) => Err(Error::SignalNotLogged {
                signal: spec.name.clone(),
                logged: logged.clone(),
            }),
            None => Ok(()),
        }
    }

    /// A row, which [`Worth::check`] has passed, in this world.
    pub(super) fn apply(&self, mut row: Row) -> Row {
        if self.is_plain() {
            return row;
        }
        let chosen = row.drawn.chosen as usize;
        let expected = |row: &Row| row.drawn.cost_usd.get(chosen).copied();
        let before = row.cost_usd.or_else(|| expected(&row)).unwrap_or(0.0);
        let served = row.served.as_ref().or_else(|| row.drawn.arm());
        let factor = served.map_or(1.0, |arm| self.factor(arm));
        row.cost_usd = row.cost_usd.map(|cost| cost * factor);
        self.price(&mut row.drawn);
        let after = row.cost_usd.or_else(|| expected(&row)).unwrap_or(0.0);
        if let Some(scorecard) = &self.scorecard {
            let known = known(scorecard, &row);
            row.quality = quality(scorecard, &known);
            row.utility = row
                .quality
                .map(|q| q - scorecard.price(after, row.latency_ms));
            row.wanted = match row.quality {
                Some(_) => Vec::new(),
                None => wanted(scorecard, &known),
            };
            compose(scorecard, &mut row.drawn);
        } else if let Some(worth) = self.quality_usd {
            row.utility = row.utility.map(|u| u - (after - before) / worth);
        }
        row
    }

    fn factor(&self, arm: &Name) -> f64 {
        self.prices.get(arm).copied().unwrap_or(1.0)
    }

    /// A draw at these prices, its utilities paying the difference.
    fn price(&self, drawn: &mut Drawn) {
        let worth = self.quality_usd;
        let costs = drawn.cost_usd.iter_mut().zip(&mut drawn.reference_cost_usd);
        let values = costs.zip(&mut drawn.utility);
        for (arm, ((cost, reference), utility)) in drawn.arms.iter().zip(values) {
            let factor = self.factor(arm);
            *utility -= worth.map_or(0.0, |worth| (factor - 1.0) * *cost / worth);
            *cost *= factor;
            *reference *= factor;
        }
    }
}

/// Expected utilities from the expected signals.
fn compose(scorecard: &Scorecard, drawn: &mut Drawn) {
    let count = drawn.signals.len();
    let signals = scorecard.signals().iter();
    let places: Vec<Option<usize>> = signals
        .map(|spec| drawn.signals.iter().position(|name| *name == spec.name))
        .collect();
    let mut gradient = vec![0.0; places.len()];
    for arm in 0..drawn.arms.len() {
        let of = |values: &[f32]| -> Vec<f64> {
            let at = |place: &Option<usize>| values.get(arm * count + (*place)?).copied();
            places
                .iter()
                .map(|place| at(place).map_or(0.0, f64::from))
                .collect()
        };
        let (means, sds) = (of(&drawn.signal_mean), of(&drawn.signal_sd));
        let quality = scorecard.gradient(&means, &mut gradient);
        let variance: f64 = gradient
            .iter()
            .zip(&sds)
            .map(|(g, sd)| (g * sd).powi(2))
            .sum();
        let cost = drawn.cost_usd.get(arm).copied().unwrap_or(0.0);
        let latency = drawn.latency_ms.get(arm).copied();
        if let Some(utility) = drawn.utility.get_mut(arm) {
            *utility = quality - scorecard.price(cost, latency);
        }
        if let Some(sd) = drawn.utility_sd.get_mut(arm) {
            *sd = variance.sqrt() / PRIOR_SD;
        }
    }
}

impl fmt::Display for Worth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(scorecard) = &self.scorecard {
            let name = &scorecard.definition().name;
            parts.push(format!("outcomes weighed by scorecard {name}"));
        }
        for (arm, factor) in &self.prices {
            parts.push(format!("{arm} costs {factor} times what it cost"));
        }
        f.write_str(&parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::sample::{self, HOUR, Maker, name};
    use crate::scorecard::Definition;
    use crate::unit::Pmf;
    use std::time::Duration;

    /// Three signals of equal weight.
    fn scorecard() -> Scorecard {
        let mut definition = sample::scorecard(HOUR).definition().clone();
        let kept = ["tests", "alive", "kept"];
        definition
            .signals
            .retain(|spec| kept.contains(&spec.name.as_str()));
        Scorecard::new(definition).unwrap()
    }

    /// Two arms, three expected signals each; the first was drawn, cost 0.4 and passed its tests.
    fn row() -> Row {
        let mut row = Row::new(Maker::new().decision(Some("e")));
        row.drawn = Drawn {
            arms: vec![name("large"), name("small")],
            signals: ["tests", "alive", "kept"].map(name).to_vec(),
            pmf: Pmf::new(vec![0.75, 0.25]).unwrap(),
            floor: vec![0.1; 2],
            utility: vec![0.5, 0.4],
            utility_sd: vec![0.1; 2],
            signal_mean: vec![0.9, 0.6, 0.3, 0.5, 0.5, 0.5],
            signal_sd: vec![0.03; 6],
            cost_usd: vec![0.3, 0.1],
            reference_cost_usd: vec![0.6, 0.2],
            latency_ms: vec![f64::NAN; 2],
            samples: 9.0,
            forced: vec![],
            uniform: 0.5,
            chosen: 0,
        };
        row.cost_usd = Some(0.4);
        row.outcomes = vec![(name("tests"), 1.0)];
        row.as_of = Some(row.time.after(Duration::from_secs(1)));
        (row.quality, row.utility) = (Some(0.8), Some(0.6));
        row
    }

    fn prices(of: &[(&str, f64)], quality_usd: Option<f64>) -> Worth {
        Worth {
            prices: of
                .iter()
                .map(|(arm, factor)| (name(arm), *factor))
                .collect(),
            quality_usd,
            ..Worth::default()
        }
    }

    fn close(found: &[f64], expected: &[f64]) {
        let far = found
            .iter()
            .zip(expected)
            .any(|(a, b)| (a - b).abs() > 1e-7);
        assert!(
            found.len() == expected.len() && !far,
            "{found:?} is not {expected:?}"
        );
    }

    #[test]
    fn no_terms_change_nothing() {
        let worth = Worth::default();
        assert!(worth.is_plain() && worth.check(&row()).is_ok());
        assert_eq!(format!("{:?}", worth.apply(row())), format!("{:?}", row()));
    }

    #[test]
    fn half_the_price_gives_back_half_the_cost_in_points() {
        let worth = prices(&[("large", 0.5)], Some(2.0));
        worth.check(&row()).unwrap();
        let found = worth.apply(row());
        // 0.4 paid becomes 0.2: 0.2 dollars are 0.1 points. Expected: 0.15 dollars, 0.075 points.
        close(
            &[found.utility.unwrap(), found.cost_usd.unwrap()],
            &[0.7, 0.2],
        );
        close(&found.drawn.utility, &[0.575, 0.4]);
        close(&found.drawn.cost_usd, &[0.15, 0.1]);
        assert_eq!(
            (found.quality, &found.drawn.pmf),
            (Some(0.8), &row().drawn.pmf)
        );
        // Another arm answered: it is its price that counts for what was paid.
        let mut fallen = row();
        fallen.served = Some(name("small"));
        let found = worth.apply(fallen);
        close(
            &[found.utility.unwrap(), found.cost_usd.unwrap()],
            &[0.6, 0.4],
        );
        // Nobody told the cost: the expected one moves.
        let mut untold = row();
        untold.cost_usd = None;
        close(&[worth.apply(untold).utility.unwrap()], &[0.675]);
        let text = "large costs 0.5 times what it cost";
        assert_eq!(worth.to_string(), text);
    }

    #[test]
    fn a_scorecard_composes_what_was_expected_and_scores_what_came() {
        let card = scorecard();
        let definition = Definition {
            quality_usd: 4.0,
            ..card.definition().clone()
        };
        let worth = Worth {
            scorecard: Some(Scorecard::new(definition).unwrap()),
            ..prices(&[("small", 2.0)], None)
        };
        worth.check(&row()).unwrap();
        let found = worth.apply(row());
        // Three equal weights: (0.9 + 0.6 + 0.3) / 3 - 0.3 / 4, and 0.5 - 0.2 / 4.
        close(&found.drawn.utility, &[0.525, 0.45]);
        // Each sd 0.03, a third of each: 0.03 / sqrt(3), in units of 0.3.
        close(&found.drawn.utility_sd, &[0.1 / 3.0_f64.sqrt(); 2]);
        // Tests alone are seen: quality 1; 0.4 paid.
        close(
            &[found.quality.unwrap(), found.utility.unwrap()],
            &[1.0, 0.9],
        );
        let mut silent = row();
        silent.outcomes.clear();
        let silent = worth.apply(silent);
        assert!(silent.quality.is_none() && silent.utility.is_none());
        assert!(!silent.wanted.is_empty());
    }

    #[test]
    fn what_a_row_cannot_tell_is_refused() {
        let refused = |worth: &Worth, row: &Row| worth.check(row).unwrap_err().to_string();
        let free = prices(&[("large", 0.5)], None);
        assert_eq!(
            refused(&free, &row()),
            "price needs what a point of quality is worth: allowed with quality_usd, or with a scorecard"
        );
        let mut card = scorecard().definition().clone();
        let worth = |definition: &Definition| Worth {
            scorecard: Some(Scorecard::new(definition.clone()).unwrap()),
            ..Worth::default()
        };
        let mut other = row();
        other.drawn.signals = ["tests", "alive", "other"].map(name).to_vec();
        assert_eq!(
            refused(&worth(&card), &other),
            "signal kept of the scorecard is not in the log: allowed tests, alive, other, whose expected values it has; \
             a signal that it never had can be judged on an outcome table (`replay outcomes`)"
        );
        card.signals[0].kind = crate::scorecard::Kind::Number {
            worst: 0.0,
            best: 1.0,
        };
        card.signals[0].gate = Some(0.5);
        let refusal = refused(&worth(&card), &row());
        assert!(
            refusal.starts_with("signal tests is a number with a gate"),
            "{refusal}"
        );
    }
}
