//! From what happened, and from the odds of it, to quality and reward by a team's own scorecard.
//!
//! Expected reward is exact, not sampled. Given that the gates hold, quality is linear in the signals,
//! so their means are enough; the gates' own odds multiply it; cost is linear in tokens; and lateness
//! has a closed form because times are spread evenly: for L over (a, b) and a target T within,
//! E max(0, L - T) = (b - T)^2 / 2 (b - a).
//!
//! Not here: the odds (`catalogue`), how dice become signals (`coding`, `support`).

use super::error::Error;
use super::fate::Fate;
use crate::config;
use crate::scorecard::{Kind, Scorecard};
use std::path::Path;

/// A team's scorecard, ready to judge.
pub(super) struct Judge(Scorecard);

impl Judge {
    /// Reads a shipped scorecard.
    pub(super) fn new(file: &str, text: &str) -> Result<Self, Error> {
        config::read_scorecard(Path::new(file), text)
            .map(Self)
            .map_err(|problems| Error::Scorecard(config::render(&problems)))
    }

    fn index(&self, signal: &str) -> Result<usize, Error> {
        self.0
            .signal(signal)
            .ok_or_else(|| Error::Signal(signal.to_owned()))
    }

    /// Quality of what truly happened, everything known.
    pub(super) fn quality(&self, fate: &Fate) -> Result<f64, Error> {
        let mut values: Vec<Option<f64>> = self.0.signals().iter().map(|_| None).collect();
        for (signal, value) in &fate.truth {
            let index = self.index(signal)?;
            values[index] = self.0.normalise(index, value)?;
        }
        Ok(self.0.score(&values).quality.unwrap_or(0.0))
    }

    /// What cost and time take off.
    pub(super) fn price(&self, cost_usd: f64, latency_ms: f64) -> f64 {
        self.0.price(cost_usd, Some(latency_ms))
    }

    /// Mean of quality less price over the dice; the time is spread evenly over 0.5 to 1.5 of
    /// `latency_ms`.
    pub(super) fn expected_reward(
        &self,
        fate: &Fate,
        cost_usd: f64,
        latency_ms: f64,
    ) -> Result<f64, Error> {
        let mut targets = vec![0.0; self.0.signals().len()];
        for (signal, mean) in &fate.means {
            let index = self.index(signal)?;
            targets[index] = match self.0.signals()[index].kind {
                Kind::Flag { good: true } => *mean,
                Kind::Flag { good: false } => 1.0 - mean,
                Kind::Number { worst, best } => (mean - worst) / (best - worst),
            };
        }
        let late = self.expected_lateness(0.5 * latency_ms, 1.5 * latency_ms);
        let weight = self.0.definition().latency_weight;
        Ok(self.0.utility(&targets, cost_usd, None) - weight * late)
    }

    /// Mean of max(0, L - target) / target for L spread evenly over (least, most).
    fn expected_lateness(&self, least: f64, most: f64) -> f64 {
        let Some(target) = self.0.definition().latency_target_ms else {
            return 0.0;
        };
        let from = least.max(target);
        if most <= from {
            return 0.0;
        }
        let share = (most - from) / (most - least);
        share * ((from + most) / 2.0 - target) / target
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Request, Size, generate};
    use crate::signal::Value;
    use std::collections::BTreeMap;
    use std::time::Duration;

    fn coding() -> Judge {
        Judge::new(
            "coding",
            include_str!("../../datasets/quickstart/coding.toml"),
        )
        .unwrap()
    }

    #[test]
    fn expected_lateness_is_the_mean_of_an_even_spread_above_the_target() {
        // Target 45,000. Spread 30,000 to 90,000: (90 - 45)^2 / (2 x 60) = 16,875 above, or 0.375.
        let check = |least: f64, most: f64, expected: f64| {
            let found = coding().expected_lateness(least, most);
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        };
        check(30_000.0, 90_000.0, 0.375);
        check(10_000.0, 45_000.0, 0.0);
        check(45_000.0, 90_000.0, 0.5);
        check(90_000.0, 180_000.0, 2.0);
    }

    #[test]
    fn quality_and_its_mean_follow_the_scorecard() {
        let mut fate = Fate::default();
        fate.is("tests_passed", Value::Flag(true), 0.5);
        fate.is("json_valid", Value::Flag(true), 0.9);
        fate.is("patch_lines", Value::Number(100.0), 200.0);
        fate.is("review_accepted", Value::Flag(false), 0.4);
        fate.is("conventions_kept", Value::Number(2.0), 5.0);
        // (5 + 0.75 + 0 + 0.8) / 10
        assert!((coding().quality(&fate).unwrap() - 0.655).abs() < 1e-12);
        // (5 x 0.5 + 0.5 + 3 x 0.4 + 0.5) / 10 x 0.9 = 0.423; cost 0.08 / 0.8 = 0.1 off.
        let expected = coding().expected_reward(&fate, 0.08, 10_000.0).unwrap();
        assert!((expected - 0.323).abs() < 1e-12, "{expected}");
    }

    #[test]
    fn a_signal_that_the_scorecard_does_not_know_is_named() {
        let mut fate = Fate::default();
        fate.is("colour", Value::Flag(true), 0.5);
        let error = coding().quality(&fate).unwrap_err().to_string();
        assert_eq!(error, "signal colour is not in the shipped scorecard");
    }

    /// The values in the end, as the team's own records would have them.
    fn in_the_end(
        card: &Scorecard,
        calls: &[&Request],
        call: usize,
        arm: usize,
    ) -> Vec<Option<f64>> {
        let spec = |(index, spec): (usize, &crate::scorecard::Spec)| {
            let whole = spec.level == crate::scorecard::Level::Episode;
            let source = if whole {
                calls[calls.len() - 1]
            } else {
                calls[call]
            };
            let waited = source.at - calls[0].at;
            let told = source.outcomes[arm]
                .signals
                .iter()
                .filter(|a| a.signal == spec.name);
            let told: Vec<_> = told.collect();
            assert!(
                told.iter().all(|a| a.after + waited < spec.closes_after),
                "{told:?}"
            );
            match told.last() {
                Some(arrival) => card.normalise(index, &arrival.value).unwrap(),
                None => spec.missing.value(),
            }
        };
        card.signals().iter().enumerate().map(spec).collect()
    }

    #[test]
    fn what_is_told_before_closing_time_gives_the_quality_that_the_world_states() {
        let world = generate(3, Size::Full).unwrap();
        let week = Duration::from_secs(7 * 86_400);
        let mut unknown = 0;
        for (team, of) in world.teams.iter().enumerate() {
            let card = Judge::new("card", of.scorecard).unwrap().0;
            assert!(card.signals().iter().all(|s| s.closes_after < week));
            let mut episodes: BTreeMap<String, Vec<&Request>> = BTreeMap::new();
            for (number, request) in world.requests.iter().enumerate() {
                let episode = request.episode.as_ref().map(ToString::to_string);
                if request.team == team {
                    let key = episode.unwrap_or(number.to_string());
                    episodes.entry(key).or_default().push(request);
                }
            }
            for calls in episodes.values() {
                for (call, arm) in (0..calls.len()).flat_map(|c| (0..5).map(move |a| (c, a))) {
                    let values = in_the_end(&card, calls, call, arm);
                    let stated = calls[call].outcomes[arm].quality;
                    match card.score(&values).quality {
                        Some(quality) => assert_eq!(quality, stated),
                        None => unknown += 1,
                    }
                }
            }
        }
        // Cancelled runs: 4 % of about 2,400 calls and 5 arms, sd 48; five of them.
        assert!((240..720).contains(&unknown), "{unknown}");
    }
}
