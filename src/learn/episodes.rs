//! Episodes that have decisions in the ledger: which, what was said of them, whether they are closed.
//!
//! Invariants: the decisions of an episode stand oldest first; one without decisions is not kept. An episode of
//! one decision of which nothing was said, as most are where a task is a call, takes 32 bytes.
//!
//! Not here: the decisions themselves (`ledger`). An episode is told from others by 128 bits of its name's hash.

use super::told::Told;
use crate::id::Name;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_128;

/// A team's episodes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Episodes {
    open: BTreeMap<u128, Episode>,
    /// Arms by their numbers in [`Mark`].
    arms: Vec<Name>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Episode {
    /// Its first decision.
    first: Mark,
    /// More of it, once there is another decision or something was said.
    talk: Option<Box<Talk>>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Talk {
    /// Oldest first.
    marks: Vec<Mark>,
    /// What was said of it, for draws still to come.
    told: Told,
    closed: bool,
}

/// A decision of an episode: its number in the ledger, 23 bits of its arm's, and whether it is a draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Mark(u64);

impl Mark {
    /// Arms from here on share a number.
    const ARMS: u64 = (1 << 23) - 1;

    fn new(number: u64, arm: usize, draw: bool) -> Self {
        let arm = (arm as u64).min(Self::ARMS);
        Self((number << 24) | (arm << 1) | u64::from(draw))
    }

    fn number(self) -> u64 {
        self.0 >> 24
    }

    fn is_draw(self) -> bool {
        self.0 & 1 == 1
    }

    fn arm(self) -> u64 {
        (self.0 >> 1) & Self::ARMS
    }
}

impl Episode {
    fn marks(&self) -> &[Mark] {
        let talk = self.talk.as_ref();
        talk.map_or(std::slice::from_ref(&self.first), |talk| &talk.marks)
    }

    fn talk(&mut self) -> &mut Talk {
        let first = self.first;
        self.talk.get_or_insert_with(|| {
            Box::new(Talk {
                marks: vec![first],
                ..Talk::default()
            })
        })
    }
}

fn key(episode: &Name) -> u128 {
    xxh3_128(episode.as_str().as_bytes())
}

impl Episodes {
    /// A decision of the episode, newer than all others.
    pub(super) fn joined(&mut self, episode: &Name, number: u64, arm: &Name, draw: bool) {
        let known = self.arms.iter().position(|known| known == arm);
        let arm = known.unwrap_or_else(|| {
            self.arms.push(arm.clone());
            self.arms.len() - 1
        });
        let mark = Mark::new(number, arm, draw);
        self.open
            .entry(key(episode))
            .and_modify(|episode| episode.talk().marks.push(mark))
            .or_insert(Episode {
                first: mark,
                talk: None,
            });
    }

    /// A decision of the episode has left the ledger.
    pub(super) fn left(&mut self, episode: &Name, number: u64) {
        let key = key(episode);
        let known = self.open.get_mut(&key);
        let gone = known.is_some_and(|episode| match &mut episode.talk {
            None => episode.first.number() == number,
            Some(talk) => {
                talk.marks.retain(|mark| mark.number() != number);
                talk.marks.is_empty()
            }
        });
        if gone {
            self.open.remove(&key);
        }
    }

    pub(super) fn knows(&self, episode: &Name) -> bool {
        self.open.contains_key(&key(episode))
    }

    /// Numbers of its decisions, oldest first; of its draws alone if `draws`.
    pub(super) fn numbers(&self, episode: &Name, draws: bool) -> Vec<u64> {
        let marks = self.open.get(&key(episode)).map(Episode::marks);
        let marks = marks.into_iter().flatten();
        marks
            .filter(|mark| mark.is_draw() || !draws)
            .map(|mark| mark.number())
            .collect()
    }

    /// Whether decision `number` is its arm's first draw of the episode.
    pub(super) fn leads(&self, episode: &Name, number: u64) -> bool {
        let marks = self.open.get(&key(episode)).map_or(&[][..], Episode::marks);
        let own = marks.binary_search_by_key(&number, |mark| mark.number());
        let own = own.ok().and_then(|own| marks.get(own));
        let rival = |own: &Mark| {
            let mut draws = marks.iter().filter(|mark| mark.is_draw());
            draws.find(|mark| mark.arm() == own.arm()).copied()
        };
        own.is_some_and(|own| rival(own) == Some(*own))
    }

    /// Keeps what was said of an episode that has decisions here.
    pub(super) fn tell(&mut self, episode: &Name, told: &Told) {
        if let Some(episode) = self.open.get_mut(&key(episode))
            && !told.is_empty()
        {
            episode.talk().told.merge(told);
        }
    }

    /// What was said of an episode, if anything was.
    pub(super) fn told(&self, episode: &Name) -> Option<&Told> {
        let talk = self.open.get(&key(episode))?.talk.as_ref();
        talk.map(|talk| &talk.told)
    }

    /// Notes that an episode is closed.
    pub(super) fn close(&mut self, episode: &Name) {
        if let Some(episode) = self.open.get_mut(&key(episode)) {
            episode.talk().closed = true;
        }
    }

    pub(super) fn is_closed(&self, episode: &Name) -> bool {
        let known = self.open.get(&key(episode));
        let talk = known.and_then(|episode| episode.talk.as_ref());
        talk.is_some_and(|talk| talk.closed)
    }

    /// Whether it speaks of decisions `from` to before `to` alone: asked of what was read from disk.
    pub(super) fn are_whole(&self, from: u64, to: u64) -> bool {
        let within = |mark: &Mark| (from..to).contains(&mark.number());
        let mut open = self.open.values().map(Episode::marks);
        let in_order = |marks: &[Mark]| marks.is_sorted_by_key(|mark| mark.number());
        open.all(|marks| !marks.is_empty() && in_order(marks) && marks.iter().all(within))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::name;
    use super::*;

    fn episodes() -> Episodes {
        let mut episodes = Episodes::default();
        for (number, arm, draw) in [
            (3, "a", false),
            (5, "a", true),
            (6, "b", true),
            (9, "a", true),
        ] {
            episodes.joined(&name("e"), number, &name(arm), draw);
        }
        episodes.joined(&name("alone"), 7, &name("b"), true);
        episodes
    }

    fn check(episodes: &Episodes, numbers: &[u64], draws: &[u64], leading: &[u64]) {
        let e = name("e");
        assert_eq!(episodes.numbers(&e, false), numbers);
        assert_eq!(episodes.numbers(&e, true), draws);
        let leads = (0..12).filter(|number| episodes.leads(&e, *number));
        assert_eq!(leads.collect::<Vec<_>>(), leading);
    }

    #[test]
    fn the_first_draw_of_each_arm_leads_and_the_next_one_when_it_has_left() {
        let mut episodes = episodes();
        check(&episodes, &[3, 5, 6, 9], &[5, 6, 9], &[5, 6]);
        episodes.left(&name("e"), 3);
        episodes.left(&name("e"), 5);
        check(&episodes, &[6, 9], &[6, 9], &[6, 9]);
        assert!(episodes.are_whole(6, 10) && !episodes.are_whole(7, 10));
        episodes.joined(&name("e"), 8, &name("a"), true);
        assert!(!episodes.are_whole(6, 10), "not in order");
    }

    #[test]
    fn an_episode_is_forgotten_with_its_last_decision_and_not_before() {
        let mut episodes = episodes();
        episodes.close(&name("e"));
        for number in [3, 5, 6] {
            episodes.left(&name("e"), number);
            assert!(episodes.is_closed(&name("e")));
        }
        episodes.left(&name("e"), 9);
        assert!(!episodes.knows(&name("e")) && !episodes.is_closed(&name("e")));
        assert!(episodes.knows(&name("alone")));
        episodes.left(&name("alone"), 7);
        assert!(!episodes.knows(&name("alone")));
    }

    #[test]
    fn an_episode_of_one_decision_is_small() {
        let mut one = episodes();
        assert!(one.open[&key(&name("alone"))].talk.is_none());
        assert_eq!(size_of::<(u128, Episode)>(), 32);
        one.close(&name("alone"));
        assert!(one.is_closed(&name("alone")) && one.leads(&name("alone"), 7));
    }
}
