//! What feedback says, signal by signal; and what it says of decisions and episodes that are not here
//! yet.
//!
//! Invariants: of two values for one signal the later one received counts, whether it was given for
//! the decision or for its episode; what waits is bounded in number and in time, the oldest goes first.
//!
//! Not here: which decisions a word is about (`ledger`), what it teaches (`team`).

use crate::id::Name;
use crate::scorecard::{Level, Scorecard, Target};
use crate::signal::{Change, Feedback, Subject, Value};
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Most decisions and episodes of one team that something waits for.
const WAITING: usize = 10_000;

/// Changes of one group's targets: `Some` sets a value, `None` withdraws it.
pub(super) type Changes = Vec<(usize, Option<f64>)>;

/// The newest word on each signal, by signal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Told(Vec<Word>);

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Word {
    signal: usize,
    /// Journal sequence that it came with.
    sequence: u64,
    /// Normalised; `None`: withdrawn.
    value: Option<f64>,
}

impl Told {
    /// What `feedback` says that the scorecard can read. A value that it cannot read was refused at
    /// the door; one recorded under an older scorecard is passed over, and so is a comment.
    pub(super) fn of(feedback: &Feedback, sequence: u64, scorecard: &Scorecard) -> Self {
        let of_episode = matches!(feedback.subject, Subject::Episode(_));
        let mut told = Self::default();
        for (name, change) in &feedback.signals {
            let Some(signal) = scorecard.signal(name.as_str()) else {
                continue;
            };
            if of_episode && scorecard.signals()[signal].level != Level::Episode {
                continue;
            }
            let value = match change {
                Change::Retracted => None,
                Change::Observed(v) | Change::Corrected(v) => {
                    match scorecard.normalise(signal, v) {
                        Ok(Some(value)) => Some(value),
                        Ok(None) | Err(_) => continue,
                    }
                }
            };
            told.hear(Word {
                signal,
                sequence,
                value,
            });
        }
        told
    }

    /// What values say that the scorecard can read; one of another scorecard is passed over.
    pub(super) fn given(signals: &[(Name, Value)], scorecard: &Scorecard) -> Self {
        let mut told = Self::default();
        for (name, value) in signals {
            let signal = scorecard.signal(name.as_str());
            let read = signal.map(|signal| (signal, scorecard.normalise(signal, value)));
            if let Some((signal, Ok(Some(value)))) = read {
                told.hear(Word {
                    signal,
                    sequence: 0,
                    value: Some(value),
                });
            }
        }
        told
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes in what else was said.
    pub(super) fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|word| self.hear(*word));
    }

    fn hear(&mut self, word: Word) {
        match self.0.binary_search_by_key(&word.signal, |w| w.signal) {
            Ok(at) if self.0[at].sequence <= word.sequence => self.0[at] = word,
            Ok(_) => {}
            Err(at) => self.0.insert(at, word),
        }
    }

    /// The changes, by group.
    pub(super) fn changes(&self, scorecard: &Scorecard) -> BTreeMap<usize, Changes> {
        let mut changes: BTreeMap<usize, Changes> = BTreeMap::new();
        for word in &self.0 {
            let targets = scorecard.targets().iter().enumerate();
            for (number, target) in targets.filter(|(_, t)| t.signal == word.signal) {
                if let Some(within) = place(scorecard, number, target) {
                    let value = word.value.map(|v| target.value(v));
                    changes
                        .entry(target.group)
                        .or_default()
                        .push((within, value));
                }
            }
        }
        changes
    }
}

/// Where a target stands in its group.
fn place(scorecard: &Scorecard, number: usize, target: &Target) -> Option<usize> {
    let group = scorecard.groups().get(target.group)?;
    group.targets.iter().position(|t| *t == number)
}

/// What was said too early.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Waiting {
    told: BTreeMap<Subject, Told>,
    /// The same subjects, in the order of their first word.
    order: VecDeque<(Timestamp, Subject)>,
}

impl Waiting {
    /// Keeps what was said of a subject until it comes.
    pub(super) fn keep(&mut self, subject: &Subject, told: &Told, now: Timestamp) {
        if let Some(waiting) = self.told.get_mut(subject) {
            waiting.merge(told);
            return;
        }
        if self.order.len() >= WAITING {
            self.forget_oldest();
        }
        self.told.insert(subject.clone(), told.clone());
        self.order.push_back((now, subject.clone()));
    }

    /// What was said of a subject that has come.
    pub(super) fn take(&mut self, subject: &Subject) -> Told {
        let Some(told) = self.told.remove(subject) else {
            return Told::default();
        };
        self.order.retain(|(_, waiting)| waiting != subject);
        told
    }

    /// Lets go of what has waited for longer than `window`.
    pub(super) fn evict(&mut self, window: Duration, now: Timestamp) {
        while let Some((since, _)) = self.order.front()
            && since.after(window) < now
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, subject)) = self.order.pop_front() {
            self.told.remove(&subject);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Name;

    fn episode(number: usize) -> Subject {
        Subject::Episode(Name::new(format!("e{number}")).unwrap())
    }

    fn told(words: &[(usize, u64, Option<f64>)]) -> Told {
        let mut told = Told::default();
        for (signal, sequence, value) in words {
            told.hear(Word {
                signal: *signal,
                sequence: *sequence,
                value: *value,
            });
        }
        told
    }

    #[test]
    fn the_later_word_on_a_signal_counts_whichever_is_taken_in_first() {
        let early = told(&[(0, 5, Some(1.0)), (1, 5, Some(1.0))]);
        let late = told(&[(0, 7, None), (2, 7, Some(0.5))]);
        let expected = told(&[(0, 7, None), (1, 5, Some(1.0)), (2, 7, Some(0.5))]);
        for (first, second) in [(&early, &late), (&late, &early)] {
            let mut merged = first.clone();
            merged.merge(second);
            assert_eq!(merged, expected);
        }
    }

    #[test]
    fn what_waits_is_bounded_in_number_and_in_time_and_the_oldest_goes_first() {
        let mut waiting = Waiting::default();
        let word = told(&[(0, 1, Some(1.0))]);
        for number in 0..=WAITING {
            let now = Timestamp::from_micros(number as i64);
            waiting.keep(&episode(number), &word, now);
        }
        assert!(waiting.take(&episode(0)).is_empty());
        assert_eq!(waiting.take(&episode(1)), word);
        assert!(waiting.take(&episode(1)).is_empty(), "taken once");
        assert_eq!(waiting.order.len(), WAITING - 1);
        waiting.evict(Duration::from_micros(10), Timestamp::from_micros(13));
        assert!(waiting.take(&episode(2)).is_empty());
        assert_eq!(waiting.take(&episode(3)), word);
        assert_eq!(waiting.order.len(), waiting.told.len());
    }

    #[test]
    fn a_subject_that_waits_again_waits_its_whole_time() {
        let mut waiting = Waiting::default();
        let word = told(&[(0, 1, Some(1.0))]);
        waiting.keep(&episode(0), &word, Timestamp::from_micros(0));
        waiting.take(&episode(0));
        waiting.keep(&episode(0), &word, Timestamp::from_micros(100));
        waiting.evict(Duration::from_micros(10), Timestamp::from_micros(50));
        assert_eq!(waiting.take(&episode(0)), word);
    }
}
