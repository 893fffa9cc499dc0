//! Loops: the open episodes of teams that watch for agents that go round, and what finished ones took.
//!
//! A call that belongs to an episode is compared with the calls before it ([`recurrence`]). Where a rule is broken, a
//! team's rules either *warn* (the call goes on; its reply, the metrics and the log say so) or *stop*: the call and
//! every later one of the episode are refused until somebody closes it, and then it begins anew. A repeat of a request
//! id is no call, and who got no answer may ask once more: only what was answered counts.
//!
//! What calls and money episodes of a task take is learned from those that end in order: closed, or silent for an
//! hour. One that was found to go round teaches nothing.
//!
//! Invariants: a team's episodes are its own; at most 4,096 of a team are open, beyond which those that were silent
//! longest count as ended; at most 64 of its tasks have bands of their own, those after them share one. Memory is some
//! 1.2 KB an open episode, 4 KB a task.
//!
//! In memory alone: a restart forgets open episodes, and with them what was stopped, and what was learned.
//!
//! Not here: the rules themselves (`recurrence`), journal and learner, whose episodes these are not.
//!
//! [`recurrence`]: crate::recurrence

use crate::id::Name;
use crate::recurrence::{Circle, Finding, Fingerprint, Growth, Rules};
use crate::unit::{NanoUsd, Timestamp};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Half of the episodes that a team may have open.
const GENERATION: usize = 2048;

/// Tasks of a team with bands of their own.
const TASKS: usize = 64;

/// An episode that was silent for so long has ended.
const SILENT: Duration = Duration::from_secs(3600);

/// How often silent ones are looked for.
const LOOK: Duration = Duration::from_secs(600);

/// What follows when an episode goes round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is told.
    Warn,
    /// Its calls are refused.
    Stop,
}

/// How a team watches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Watch {
    /// What follows.
    pub action: Action,
    /// When.
    pub rules: Rules,
}

/// An episode that goes round is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("episode {episode} goes round: {finding}: close the episode to begin anew")]
pub struct Looping {
    /// The episode.
    pub episode: Name,
    /// What was found of it.
    pub finding: Finding,
}

/// The open episodes of all teams.
#[derive(Debug, Default)]
pub struct Loops(Mutex<HashMap<Name, Team>>);

/// A team's.
#[derive(Debug, Default)]
struct Team {
    /// Seen since `old` was filled.
    young: HashMap<Name, Open>,
    /// Not seen since.
    old: HashMap<Name, Open>,
    growth: HashMap<Option<Name>, Growth>,
    looked: Timestamp,
}

/// An open episode.
#[derive(Debug)]
struct Open {
    task: Option<Name>,
    circle: Circle,
    seen: Timestamp,
}

/// A call of an episode, until it has ended.
#[derive(Debug)]
pub struct Watched {
    loops: Arc<Loops>,
    team: Name,
    episode: Name,
    asked: Option<Fingerprint>,
    answered: AtomicBool,
    /// What was found of the episode, where that is only told.
    pub warning: Option<Finding>,
    /// Whether it was not found before.
    pub is_new: bool,
}

impl PartialEq for Watched {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Watched {
    /// An attempt for it has ended.
    pub fn ended(&self, cost: Option<NanoUsd>, answered: bool) {
        if answered {
            self.answered();
        }
        let cost = cost.map_or(0.0, NanoUsd::as_usd);
        self.loops
            .of(&self.team, &self.episode, |circle| circle.spent(cost));
    }

    /// Its caller has what it asked for: it counts.
    pub fn answered(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }
}

impl Drop for Watched {
    /// Who got no answer may ask the same once more, and that is no circle.
    fn drop(&mut self) {
        if !self.answered.load(Ordering::Relaxed) {
            let asked = self.asked;
            self.loops
                .of(&self.team, &self.episode, |circle| circle.forget(asked));
        }
    }
}

impl Open {
    fn is_silent(&self, now: Timestamp) -> bool {
        since(self.seen, now) >= SILENT
    }
}

impl Team {
    /// Episodes end that nobody has called in for an hour.
    fn look(&mut self, now: Timestamp) {
        if since(self.looked, now) < LOOK {
            return;
        }
        self.looked = now;
        let young = self.young.extract_if(|_, open| open.is_silent(now));
        let old = self.old.extract_if(|_, open| open.is_silent(now));
        let ended: Vec<Open> = young.chain(old).map(|(_, open)| open).collect();
        ended.iter().for_each(|open| self.learn(open));
    }

    /// An open episode, out of its place.
    fn take(&mut self, episode: &Name) -> Option<Open> {
        let young = self.young.remove(episode);
        young.or_else(|| self.old.remove(episode))
    }

    /// This episode, but for one that has ended in silence since it was last looked for such.
    fn still_open(&mut self, open: Open, now: Timestamp) -> Option<Open> {
        if !open.is_silent(now) {
            return Some(open);
        }
        self.learn(&open);
        None
    }

    fn learn(&mut self, ended: &Open) {
        if ended.circle.found().is_none() {
            let task = self.band(ended.task.clone());
            self.growth.entry(task).or_default().learn(&ended.circle);
        }
    }

    /// Whose band it is.
    fn band(&self, task: Option<Name>) -> Option<Name> {
        let there = self.growth.contains_key(&task) || self.growth.len() < TASKS;
        task.filter(|_| there)
    }

    /// Makes room: those that were not seen for longest have ended.
    fn age(&mut self) {
        let young = std::mem::take(&mut self.young);
        let ended = std::mem::replace(&mut self.old, young);
        ended.values().for_each(|open| self.learn(open));
    }
}

fn since(then: Timestamp, now: Timestamp) -> Duration {
    let micros = now.micros().saturating_sub(then.micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

impl Loops {
    /// The next call of an episode.
    pub fn call(
        self: &Arc<Self>,
        watch: &Watch,
        (name, episode): (&Name, &Name),
        task: Option<&Name>,
        asked: Option<Fingerprint>,
        now: Timestamp,
    ) -> Result<Watched, Looping> {
        let mut teams = self.locked();
        let team = teams.entry(name.clone()).or_default();
        team.look(now);
        let open = team.take(episode);
        let open = open.and_then(|open| team.still_open(open, now));
        let mut open = open.unwrap_or_else(|| Open {
            task: task.cloned(),
            circle: Circle::default(),
            seen: now,
        });
        let known = open.circle.found();
        let stopped = known.filter(|_| watch.action == Action::Stop);
        let found = match stopped {
            Some(found) => Some(found),
            None => {
                let band = team.band(open.task.clone());
                let nothing = Growth::default();
                let growth = team.growth.get(&band).unwrap_or(&nothing);
                open.circle.call(asked, &watch.rules, growth)
            }
        };
        open.seen = now;
        team.young.insert(episode.clone(), open);
        if team.young.len() >= GENERATION {
            team.age();
        }
        match (found, watch.action) {
            (Some(finding), Action::Stop) => Err(Looping {
                episode: episode.clone(),
                finding,
            }),
            (warning, _) => Ok(Watched {
                loops: Arc::clone(self),
                team: name.clone(),
                episode: episode.clone(),
                asked,
                answered: AtomicBool::new(false),
                is_new: warning.is_some() && known.is_none(),
                warning,
            }),
        }
    }

    /// An episode was closed: what comes in its name begins anew.
    pub fn closed(&self, team: &Name, episode: &Name) {
        let mut teams = self.locked();
        let Some(team) = teams.get_mut(team) else {
            return;
        };
        if let Some(open) = team.take(episode) {
            team.learn(&open);
        }
    }

    /// An open episode's circle.
    fn of(&self, team: &Name, episode: &Name, change: impl FnOnce(&mut Circle)) {
        let mut teams = self.locked();
        let open = teams.get_mut(team).and_then(|team| {
            let young = team.young.get_mut(episode);
            young.or_else(|| team.old.get_mut(episode))
        });
        if let Some(open) = open {
            change(&mut open.circle);
        }
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Name, Team>> {
        // Nothing here panics half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Message, Role};
    use crate::store::sample::name;

    const HOUR: i64 = 3_600_000_000;

    fn watch(action: Action) -> Watch {
        let rules = Rules::default();
        Watch { action, rules }
    }

    fn same() -> Option<Fingerprint> {
        Fingerprint::of(&[Message::text(Role::User, "Again?")])
    }

    fn call(
        loops: &Arc<Loops>,
        action: Action,
        episode: &str,
        hours: i64,
    ) -> Result<Watched, Looping> {
        let now = Timestamp::from_micros(hours * HOUR);
        let who = (&name("t"), &name(episode));
        let called = loops.call(&watch(action), who, None, same(), now);
        called.inspect(Watched::answered)
    }

    #[test]
    fn a_stopped_episode_is_refused_until_it_is_closed() {
        let loops = Arc::default();
        for _ in 0..7 {
            assert!(call(&loops, Action::Stop, "e", 0).is_ok());
        }
        for _ in 0..3 {
            let refused = call(&loops, Action::Stop, "e", 0).unwrap_err();
            let words = "episode e goes round: 8 of its last requests are almost the same: allowed fewer than 8 \
                (call 8): close the episode to begin anew";
            assert_eq!(refused.to_string(), words);
        }
        assert!(call(&loops, Action::Stop, "other", 0).is_ok());
        loops.closed(&name("of nobody"), &name("e"));
        assert!(call(&loops, Action::Stop, "e", 0).is_err());
        loops.closed(&name("t"), &name("e"));
        assert!(call(&loops, Action::Stop, "e", 0).is_ok());
    }

    #[test]
    fn a_warned_episode_goes_on_and_is_told_of_once_as_new() {
        let loops = Arc::default();
        let new: Vec<bool> = (0..12)
            .map(|_| call(&loops, Action::Warn, "e", 0).unwrap())
            .map(|watched| watched.is_new)
            .collect();
        assert_eq!(new.iter().position(|new| *new), Some(7));
        assert_eq!(new.iter().filter(|new| **new).count(), 1);
    }

    #[test]
    fn who_got_no_answer_may_ask_again() {
        let loops: Arc<Loops> = Arc::default();
        let who = (&name("t"), &name("e"));
        for _ in 0..50 {
            let called = loops.call(
                &watch(Action::Stop),
                who,
                None,
                same(),
                Timestamp::default(),
            );
            called.unwrap().ended(Some(NanoUsd::ZERO), false);
        }
        for _ in 0..7 {
            assert!(call(&loops, Action::Stop, "e", 0).is_ok());
        }
        assert!(call(&loops, Action::Stop, "e", 0).is_err());
    }

    #[test]
    fn a_silent_hour_ends_an_episode() {
        let loops = Arc::default();
        for _ in 0..7 {
            assert!(call(&loops, Action::Stop, "e", 0).is_ok());
        }
        assert!(call(&loops, Action::Stop, "e", 1).is_ok());
        assert!(call(&loops, Action::Stop, "e", 1).is_ok());
    }

    #[test]
    fn a_silent_hour_ends_a_stopped_episode_whenever_silent_ones_were_looked_for() {
        let loops: Arc<Loops> = Arc::default();
        let at = |minutes: i64, episode: &str| {
            let now = Timestamp::from_micros(HOUR + minutes * HOUR / 60);
            let who = (&name("t"), &name(episode));
            let called = loops.call(&watch(Action::Stop), who, None, same(), now);
            called.inspect(Watched::answered).is_ok()
        };
        // Silent ones are looked for at 0, and at 55 for the other's sake.
        assert!((0..7).all(|_| at(0, "e")));
        assert!(!at(1, "e"));
        assert!(at(55, "other"));
        assert!(at(61, "e"), "silent for an hour");
        assert!((0..6).all(|_| at(61, "e")), "it begins anew");
        assert!(!at(61, "e"));
    }

    #[test]
    fn open_episodes_are_bounded_and_the_newest_are_kept() {
        let loops: Arc<Loops> = Arc::default();
        for episode in 0..3 * GENERATION {
            for _ in 0..2 {
                assert!(call(&loops, Action::Stop, &format!("e{episode}"), 0).is_ok());
            }
        }
        let open = |loops: &Loops| {
            let teams = loops.locked();
            let team = &teams[&name("t")];
            team.young.len() + team.old.len()
        };
        assert!(open(&loops) <= 2 * GENERATION);
        let newest = format!("e{}", 3 * GENERATION - 1);
        for _ in 0..5 {
            assert!(call(&loops, Action::Stop, &newest, 0).is_ok());
        }
        assert!(call(&loops, Action::Stop, &newest, 0).is_err());
    }

    #[test]
    fn what_closed_episodes_took_bounds_those_of_their_task() {
        let loops = Arc::default();
        let step = |loops: &Arc<Loops>, task: &str, episode: &str| {
            let who = (&name("t"), &name(episode));
            let task = name(task);
            let now = Timestamp::default();
            let called = loops.call(&watch(Action::Stop), who, Some(&task), None, now);
            called.inspect(Watched::answered)
        };
        for episode in 0..30 {
            let episode = format!("e{episode}");
            for _ in 0..5 {
                step(&loops, "sort", &episode).unwrap();
            }
            loops.closed(&name("t"), &name(&episode));
        }
        let calls = (1..200).find(|_| step(&loops, "sort", "long").is_err());
        assert!(
            calls.is_some_and(|calls| (20..60).contains(&calls)),
            "{calls:?}"
        );
        assert!((0..200).all(|_| step(&loops, "other", "another").is_ok()));
    }
}
