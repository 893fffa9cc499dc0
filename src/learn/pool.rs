//! What a team's arms have in common: one prior for each group of signals, learned from all arms
//! ([`Hierarchy`]), from which each of them starts and on which each of them stands.
//!
//! Why it follows the outcomes from the first on, for all arms alike: the prior weighs as much as several
//! outcomes, and arms whose first outcomes came at different moments would start from different means,
//! so that luck in the first ten outcomes would decide who is tried in the next thousand.
//!
//! Order: outcomes come in any order, and until the prior is estimated anew it is that of the rows that were
//! in at the last time. After the draws at which it is estimated whatever the rows are (32, 48, 72, ...: each
//! half as many again), prior and arms agree within 1e-8 for all orders of the same feedback in which each
//! word comes between the same two draws as before (a row ages from when it is learned), what is said
//! of one decision keeps its order (the later word counts), every row has all signals of its group in the
//! end (one imputed for good keeps the prediction of its moment), and no arm was noticed to have changed.
//! A word that comes twice changes nothing.
//!
//! Not here: pooling over teams (`lend`).
//!
//! Source: SCIENCE 2.2 (prior mean = pooled mean), 2.5.

use super::Team as Params;
use super::arm::Arm;
use crate::bandit::{Hierarchy, Ridge, StateError};
use crate::id::Name;
use crate::scorecard::Group;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The priors of one team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Pool {
    groups: Vec<Common>,
    /// Draws of the team that outcomes are learned from.
    draws: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Common {
    prior: Hierarchy,
    /// Rows that have entered, over all arms.
    rows: u64,
}

impl Pool {
    pub(super) fn new(params: &Params) -> Self {
        let groups = params.scorecard.groups().iter();
        let common = groups.map(|group| Common {
            prior: params.start.with_targets(group.targets.len()),
            rows: 0,
        });
        Self {
            groups: common.collect(),
            draws: 0,
        }
    }

    /// Whether it fits the parameters and can serve: asked of what was read from disk.
    pub(super) fn is_whole(&self, params: &Params) -> bool {
        let groups = params.scorecard.groups();
        let dim = params.start.prior().dim();
        let whole =
            |(common, group): (&Common, &Group)| common.prior.is_whole(dim, group.targets.len());
        self.groups.len() == groups.len() && self.groups.iter().zip(groups).all(whole)
    }

    /// An arm that starts from what the others have in common.
    pub(super) fn fresh(&self) -> Result<Arm, StateError> {
        let priors = self.groups.iter().map(|common| common.prior.prior());
        Arm::new(priors)
    }

    /// A group of one of the arms has changed, `entered` by a row more (or, below 0, fewer): whether the
    /// prior of all of them has moved, and they with it.
    pub(super) fn changed(
        &mut self,
        group: usize,
        entered: i64,
        arms: &mut BTreeMap<Name, Arm>,
    ) -> Result<bool, StateError> {
        let Some(common) = self.groups.get_mut(group) else {
            return Ok(false);
        };
        common.rows = common.rows.saturating_add_signed(entered);
        if !common.prior.is_due(common.rows) {
            return Ok(false);
        }
        common.estimate(group, arms, Hierarchy::refit)?;
        Ok(true)
    }

    /// The team has drawn once more: whether the prior of all arms has moved, and they with it.
    pub(super) fn drawn(&mut self, arms: &mut BTreeMap<Name, Arm>) -> Result<bool, StateError> {
        self.draws += 1;
        let mut moved = false;
        for (group, common) in self.groups.iter_mut().enumerate() {
            if common.prior.is_due_by_draws(self.draws) {
                common.estimate(group, arms, Hierarchy::refit_in_any_order)?;
                moved = true;
            }
        }
        Ok(moved)
    }
}

/// One of the ways to estimate a prior anew.
type Refit = fn(&mut Hierarchy, u64, &[f64], &mut [&mut Ridge]) -> Result<(), StateError>;

impl Common {
    fn estimate(
        &mut self,
        group: usize,
        arms: &mut BTreeMap<Name, Arm>,
        refit: Refit,
    ) -> Result<(), StateError> {
        let pooled = means(arms, group, self.prior.prior().means.len());
        let regressions = arms
            .values_mut()
            .filter_map(|arm| arm.groups.get_mut(group));
        let mut regressions: Vec<_> = regressions.collect();
        refit(&mut self.prior, self.rows, &pooled, &mut regressions)
    }
}

/// The mean of all outcomes of each of a group's targets, whichever arm they came from, counted with one
/// at 0.5.
fn means(arms: &BTreeMap<Name, Arm>, group: usize, targets: usize) -> Vec<f64> {
    let pooled = |target: usize| {
        let seen = arms.values().filter_map(|arm| arm.values(group, target));
        let (count, sum) = seen.fold((0.0, 0.0), |total, (n, sum)| (total.0 + n, total.1 + sum));
        (sum + 0.5) / (count + 1.0)
    };
    (0..targets).map(pooled).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{HOUR, Maker, name, params, seen};
    use super::super::{Learner, Params};
    use crate::bandit::Ridge;
    use crate::signal::{Change, Subject, Value};
    use crate::store::{Position, Record};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Draws between which feedback comes; at the last one the prior is estimated.
    const BLOCKS: [usize; 3] = [40, 20, 12];

    /// One block of feedback: what is said, decision by decision in order, and the order in which
    /// decisions are spoken of.
    type Words = Vec<(usize, Vec<Record>)>;

    struct World {
        params: Params,
        draws: Vec<Record>,
        words: [Words; 2],
    }

    fn both(tests: Change, merged: Change) -> [(&'static str, Change); 2] {
        [("tests", tests), ("merged", merged)]
    }

    impl World {
        fn new() -> Self {
            let mut maker = Maker::new();
            let mut words = [Words::new(), Words::new()];
            let mut draws = Vec::new();
            for number in 0..BLOCKS.iter().sum::<usize>() {
                let mut decision = maker.decision(None);
                let wave = (number as f32 * 0.7).sin();
                decision.context = Some(vec![wave, 1.0]);
                decision.drawn.chosen = u32::try_from(number * 5 % 7 % 2).unwrap();
                let good = wave > 0.3 * (number as f32 * 1.3).cos();
                let subject = Subject::Decision(decision.id);
                let say = |tests, merged| maker.feedback(subject.clone(), &both(tests, merged));
                let mut said = vec![say(seen(good), seen(number % 3 == 0))];
                match number % 6 {
                    1 => said.push(say(seen(good), seen(number % 3 == 0))),
                    2 => said.push(say(Change::Corrected(Value::Flag(!good)), seen(true))),
                    3 => said.push(say(Change::Retracted, Change::Retracted)),
                    4 => said.extend([
                        say(Change::Retracted, Change::Retracted),
                        say(seen(true), seen(good)),
                    ]),
                    _ => {}
                }
                // Of four decisions in five, what is said again, corrected or taken back comes a block later.
                let at_once = if number % 5 == 0 { said.len() } else { 1 };
                let rest = said.split_off(at_once);
                if number < BLOCKS[0] {
                    words[0].push((number, said));
                    words[1].push((number, rest));
                } else if number < BLOCKS[0] + BLOCKS[1] {
                    said.extend(rest);
                    words[1].push((number, said));
                }
                draws.push(Record::Decision(Box::new(decision)));
            }
            Self {
                params: params(HOUR),
                draws,
                words,
            }
        }

        /// The decisions that a block speaks of, each as often as it does.
        fn order(&self, block: usize) -> Vec<usize> {
            let words = self.words[block].iter().enumerate();
            let each = words.flat_map(|(index, (_, said))| vec![index; said.len()]);
            each.collect()
        }

        /// The learner after the first block of feedback, and after the last draw.
        fn learn(&self, orders: [&[usize]; 2]) -> [Learner; 2] {
            let mut draws = self.draws.iter();
            let mut records: Vec<Record> = Vec::new();
            for (count, block) in BLOCKS.iter().zip(0..) {
                records.extend(draws.by_ref().take(*count).cloned());
                let Some(words) = self.words.get(block) else {
                    continue;
                };
                let mut next = vec![0; words.len()];
                for index in orders[block] {
                    records.push(words[*index].1[next[*index]].clone());
                    next[*index] += 1;
                }
            }
            let mut learner = Learner::new(&self.params);
            let mut before = learner.clone();
            for (index, record) in records.iter().enumerate() {
                let at = Position {
                    sequence: index as u64 + 1,
                    offset: 0,
                };
                let mut changed = BTreeMap::new();
                let learned = learner.apply(at, record, &self.params, &records, &mut changed);
                learned.unwrap();
                if index + 1 == BLOCKS[0] + orders[0].len() {
                    before = learner.clone();
                }
            }
            [before, learner]
        }
    }

    /// The largest difference in anything that predictions and doubt are made of.
    fn distance(a: &Learner, b: &Learner) -> f64 {
        let numbers = |ridge: &Ridge| -> Vec<f64> {
            let prior = ridge.prior();
            let x = [0.3, 1.0];
            let spread = ridge.spread(&x).unwrap();
            let pull = ridge.leverage(&x, ridge.fading()).unwrap();
            let weights = (0..ridge.targets()).flat_map(|target| ridge.weights(target));
            let priors = prior.precision.iter().chain(prior.means.iter().flatten());
            let all = weights.chain(priors).copied();
            all.chain([spread, pull, ridge.count()]).collect()
        };
        let all = |learner: &Learner| -> Vec<f64> {
            let arms = learner.team(&name("team")).arms.values();
            arms.flat_map(|arm| numbers(&arm.groups[0])).collect()
        };
        let pairs = all(a).into_iter().zip(all(b));
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn there_are_more_than_32_rows_and_the_order_shows_until_the_prior_is_estimated_anew() {
        let world = World::new();
        let [first, second] = [world.order(0), world.order(1)];
        let [before, after] = world.learn([&first, &second]);
        let outcomes = after.outcomes(&name("team"));
        let rows: u64 = outcomes.iter().map(|(_, count)| count).sum();
        assert!(rows > 40, "{outcomes:?}");
        assert_eq!(after.alarms().count(), 0);
        let turned: Vec<usize> = first.iter().rev().copied().collect();
        let [other, same] = world.learn([&turned, &second]);
        assert!(
            distance(&before, &other) > 1e-6,
            "{}",
            distance(&before, &other)
        );
        assert!(
            distance(&after, &same) < 1e-8,
            "{}",
            distance(&after, &same)
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn any_order_of_the_same_feedback_leads_to_the_same_posteriors(
            first in Just(World::new().order(0)).prop_shuffle(),
            second in Just(World::new().order(1)).prop_shuffle(),
        ) {
            let world = World::new();
            let [_, usual] = world.learn([&world.order(0), &world.order(1)]);
            let [_, other] = world.learn([&first, &second]);
            let distance = distance(&usual, &other);
            prop_assert!(distance < 1e-8, "{}", distance);
        }
    }

    #[test]
    fn a_word_that_comes_twice_changes_no_bit_of_what_was_learned() {
        let world = World::new();
        let state = |learner: &Learner| postcard::to_allocvec(&learner.team(&name("team")).arms);
        let mut learner = Learner::new(&world.params);
        let mut records = Vec::new();
        let mut apply = |learner: &mut Learner, record: &Record| {
            records.push(record.clone());
            let at = Position {
                sequence: records.len() as u64,
                offset: 0,
            };
            let mut changed = BTreeMap::new();
            let learned = learner.apply(at, record, &world.params, &records, &mut changed);
            learned.unwrap();
        };
        for (draw, (_, said)) in world.draws.iter().zip(&world.words[0]) {
            apply(&mut learner, draw);
            for word in said {
                apply(&mut learner, word);
            }
            // A draw later, what was learned has faded a little.
            let before = state(&learner);
            if let Some(last) = said.last() {
                apply(&mut learner, last);
            }
            assert!(before == state(&learner));
        }
    }
}
