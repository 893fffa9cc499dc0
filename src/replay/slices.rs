//! A policy beside a rival, by task and by length of the prompt.
//!
//! Invariants: a slice of fewer than 50 prompts is shown but neither tested nor named the worst. The tested
//! slices of one policy, tasks and lengths together, are one family: of those that are told to differ a tenth
//! at most is told wrongly, in the mean. Intervals of single slices are not widened for their number.
//!
//! A total that all its slices contradict (Simpson's paradox) cannot come of the tested slices of one kind
//! alone, for differences are paired and the total is their mean; it is looked for all the same, since slices
//! that are too small to test count in the total.
//!
//! Not here: the totals (`judge`), the tests (`ope`).
//!
//! Source: SCIENCE 3.5.

use super::bench::Bench;
use super::judge::{Total, differences, means};
use crate::ope::{Paired, adjusted_p, paired};
use serde::Serialize;
use std::collections::BTreeMap;

/// Least prompts of a slice that is tested.
const LEAST: usize = 50;

/// Rate of false discoveries.
const RATE: f64 = 0.1;

/// Buckets of length.
const BUCKETS: usize = 4;

/// What a slice is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The prompts of one task.
    Task,
    /// The prompts of one quarter by length.
    Length,
}

/// One slice.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PromptSlice {
    /// What it is of.
    pub by: By,
    /// The task, or the characters from and to.
    pub name: String,
    /// Prompts.
    pub prompts: usize,
    /// The policy's mean score.
    pub score: f64,
    /// Its mean cost in USD, where there are costs.
    pub cost_usd: Option<f64>,
    /// Its mean reward.
    pub reward: f64,
    /// Reward more than the rival's, with Student's t interval; none for a single prompt.
    pub difference: Option<Paired>,
    /// The least rate of false discoveries at which it is told to differ; none where it is not tested.
    pub adjusted_p: Option<f64>,
    /// Whether it differs, at a rate of 0.1.
    pub differs: bool,
}

/// All slices of a policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sliced {
    /// The rival.
    pub rival: String,
    /// The slices: tasks by name, then lengths.
    pub slices: Vec<PromptSlice>,
    /// Place in `slices`, from 0, of the tested one with the least difference.
    pub worst: Option<usize>,
    /// Whether all tested slices of one kind, two at least, contradict the sign of the whole.
    pub reversed: bool,
}

/// Which prompts are in which slice.
#[derive(Debug)]
pub(super) struct Slicing(Vec<(By, String, Vec<usize>)>);

impl Slicing {
    /// Of the prompts that were met, by rising index. One slice alone would be the whole.
    pub(super) fn of(bench: &Bench, met: &[usize]) -> Self {
        let mut tasks: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for prompt in met {
            let task = bench.task(*prompt).map_or("(none)", |task| task.as_str());
            tasks.entry(task).or_default().push(*prompt);
        }
        let named = |(task, prompts): (&str, Vec<usize>)| (By::Task, task.to_owned(), prompts);
        let tasks = tasks.into_iter().map(named).collect();
        let several = |slices: Vec<_>| if slices.len() > 1 { slices } else { Vec::new() };
        let mut all = several(tasks);
        all.extend(several(lengths(bench, met)));
        Self(all)
    }
}

/// Quarters by length; fewer where lengths are alike. None where a prompt has no text.
fn lengths(bench: &Bench, met: &[usize]) -> Vec<(By, String, Vec<usize>)> {
    let length = |prompt: &usize| Some((bench.length(*prompt)?, *prompt));
    let Some(mut sorted) = met.iter().map(length).collect::<Option<Vec<_>>>() else {
        return Vec::new();
    };
    sorted.sort_unstable();
    let bounds: Vec<usize> = (1..BUCKETS)
        .filter_map(|k| sorted.get(k * sorted.len() / BUCKETS))
        .map(|(length, _)| *length)
        .collect();
    let mut buckets: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    for (length, prompt) in sorted {
        // Those of one length are in one bucket.
        let bucket = bounds.partition_point(|bound| *bound <= length);
        buckets.entry(bucket).or_default().push((length, prompt));
    }
    let named = |bucket: Vec<(usize, usize)>| {
        let ends = bucket.first().zip(bucket.last());
        let (from, to) = ends.map_or((0, 0), |(first, last)| (first.0, last.0));
        let mut prompts: Vec<usize> = bucket.iter().map(|(_, prompt)| *prompt).collect();
        prompts.sort_unstable();
        (By::Length, format!("{from} to {to} characters"), prompts)
    };
    buckets.into_values().map(named).collect()
}

impl Sliced {
    /// A policy less a rival on each slice; nothing where there are no slices.
    pub(super) fn of(
        slicing: &Slicing,
        own: &[Total],
        (rival, other): (&str, &[Total]),
        costs: bool,
    ) -> Option<Self> {
        let slice = |(by, name, prompts): &(By, String, Vec<usize>)| {
            let totals: Vec<Total> = prompts
                .iter()
                .filter_map(|p| own.get(*p).copied())
                .collect();
            let [score, cost, reward] = means(&totals);
            let apart = differences(own, other, |p| prompts.binary_search(&p).is_ok());
            PromptSlice {
                by: *by,
                name: name.clone(),
                prompts: prompts.len(),
                score,
                cost_usd: costs.then_some(cost),
                reward,
                difference: paired(&apart).map(|[_, _, reward]| reward),
                adjusted_p: None,
                differs: false,
            }
        };
        let mut slices: Vec<PromptSlice> = slicing.0.iter().map(slice).collect();
        (!slices.is_empty()).then_some(())?;
        correct(&mut slices);
        let [_, _, total] = means(&differences(own, other, |_| true));
        Some(Self {
            rival: rival.to_owned(),
            worst: worst(&slices),
            reversed: [By::Task, By::Length]
                .iter()
                .any(|by| reversed(&slices, *by, total)),
            slices,
        })
    }
}

/// A slice's difference, if it is tested.
fn tested(slice: &PromptSlice) -> Option<Paired> {
    slice.difference.filter(|_| slice.prompts >= LEAST)
}

/// Says which differ.
fn correct(slices: &mut [PromptSlice]) {
    let p: Vec<f64> = slices
        .iter()
        .filter_map(|s| Some(tested(s)?.p_value))
        .collect();
    let mut adjusted = adjusted_p(&p).into_iter();
    for slice in slices {
        if tested(slice).is_some() {
            slice.adjusted_p = adjusted.next();
            slice.differs = slice.adjusted_p.is_some_and(|p| p <= RATE);
        }
    }
}

fn worst(slices: &[PromptSlice]) -> Option<usize> {
    let tested = slices
        .iter()
        .enumerate()
        .filter_map(|(at, slice)| Some((at, tested(slice)?.value)));
    tested.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(at, _)| at)
}

fn reversed(slices: &[PromptSlice], by: By, total: f64) -> bool {
    let of = slices.iter().filter(|slice| slice.by == by);
    let found: Vec<f64> = of.filter_map(|s| Some(tested(s)?.value)).collect();
    found.len() > 1 && found.iter().all(|value| value * total < 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ope::Cluster;

    /// Slices of one kind, of so many prompts each with rewards of a mean and a spread about it; the rival
    /// has none.
    fn check(slices: &[(usize, f64, f64)]) -> Sliced {
        let mut own: Vec<Total> = Vec::new();
        let mut slicing = Vec::new();
        for (at, (prompts, mean, spread)) in slices.iter().enumerate() {
            let place: Vec<usize> = (own.len()..own.len() + prompts).collect();
            for i in 0..*prompts {
                let reward = mean + if i % 2 == 0 { *spread } else { -spread };
                own.push(Cluster {
                    count: 2.0,
                    sums: [2.0 * reward, 0.02, 2.0 * reward],
                });
            }
            slicing.push((By::Task, format!("t{at}"), place));
        }
        let other: Vec<Total> = own
            .iter()
            .map(|o| Cluster {
                count: o.count,
                sums: [0.0; 3],
            })
            .collect();
        Sliced::of(&Slicing(slicing), &own, ("rival", &other), true).unwrap()
    }

    #[test]
    fn a_slice_that_differs_is_told_and_the_worst_is_named() {
        let found = check(&[(100, 0.2, 0.5), (100, 0.0, 0.5), (100, -0.2, 0.5)]);
        let differs: Vec<bool> = found.slices.iter().map(|s| s.differs).collect();
        assert_eq!((differs, found.worst), (vec![true, false, true], Some(2)));
        let first = &found.slices[0];
        assert_eq!(first.prompts, 100);
        assert!((first.cost_usd.unwrap() - 0.01).abs() < 1e-12);
        // sd 0.5 over 10, a bit more for 99 degrees.
        let difference = first.difference.unwrap();
        assert!(
            (difference.value - 0.2).abs() < 1e-12
                && (difference.standard_error - 0.050_25).abs() < 1e-4
        );
    }

    #[test]
    fn tests_are_corrected_for_their_number() {
        // t = 1.96 or so alone: p 0.05, but of ten tests.
        let mut slices = vec![(400, 0.05, 0.51)];
        assert!(check(&slices).slices[0].differs);
        slices.extend([(400, 0.0, 0.5); 9]);
        let found = check(&slices);
        assert!(found.slices[0].difference.unwrap().p_value < 0.06);
        assert!(!found.slices[0].differs && found.slices[0].adjusted_p.unwrap() > 0.4);
    }

    #[test]
    fn a_small_slice_is_shown_and_never_tested() {
        let found = check(&[(49, -0.9, 0.1), (50, 0.1, 0.5)]);
        assert_eq!(found.worst, Some(1));
        assert_eq!(
            (found.slices[0].adjusted_p, found.slices[0].differs),
            (None, false)
        );
        assert!(found.slices[0].difference.unwrap().upper < -0.8);
    }

    #[test]
    fn a_whole_that_its_tested_slices_contradict_is_told() {
        let small = [(49, -0.9, 0.1); 4];
        let large = [(50, 0.1, 0.5), (60, 0.1, 0.5)];
        assert!(check(&[&small[..], &large].concat()).reversed);
        let slight = [(49, -0.1, 0.1)];
        assert!(!check(&[&slight[..], &large].concat()).reversed);
        assert!(!check(&large).reversed);
    }
}
