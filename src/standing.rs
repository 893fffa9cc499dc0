//! Standing: how each endpoint does, learned from what was asked of it.
//!
//! Whoever asks an endpoint tells what became of it ([`Standing::begin`] and [`Asked`]'s end); callers of
//! `Route` tell by their reports ([`Standing::told`]). `route` looks at it before it chooses an endpoint, and
//! leaves out those whose [`Breaker`] is open: one check for the choice and every hop.
//!
//! What may be tried again is each team's own: one team's bad day takes no other's tries.
//!
//! An endpoint's outage is its own: nothing here teaches anything of its arm.
//!
//! Invariants: in memory only (after a restart every endpoint is asked again, which finds a failing one within
//! five requests); never held across a wait; where all is well a look costs one load of an atomic; as many
//! endpoints and teams as the configuration has, whoever calls.
//!
//! Not here: the state machines (`health`), which endpoint is asked (`route`).
//!
//! Units: milliseconds.

use crate::eligibility::Endpoint;
use crate::health::{Breaker, Outcome, PeakEwma, Rest, RetryBudget};
use crate::id::Name;
use crate::unit::Timestamp;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How much one answer moves the share of answers.
const STEP: f64 = 0.1;

/// How each endpoint does.
#[derive(Debug)]
pub struct Standing {
    places: HashMap<Name, usize>,
    endpoints: Vec<Place>,
    /// Endpoints whose breaker is not closed.
    troubled: AtomicUsize,
    /// Endpoints that have refused our key, account or address and not answered since.
    misconfigured: AtomicUsize,
    /// Of each team.
    retries: HashMap<Name, Mutex<RetryBudget>>,
}

#[derive(Debug, Default)]
struct Place {
    under_way: AtomicU32,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    breaker: Breaker,
    /// Of whole answers.
    whole: PeakEwma,
    /// Until the first piece of streamed ones.
    first: PeakEwma,
    /// Share of requests that were answered, the last ten or so.
    answered: f64,
    /// Whether it refused our key, account or address, and has not answered since.
    misconfigured: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            breaker: Breaker::default(),
            whole: PeakEwma::default(),
            first: PeakEwma::default(),
            answered: 1.0,
            misconfigured: false,
        }
    }
}

/// A request under way. Dropped without an end, nobody waited for it.
#[derive(Debug)]
pub struct Asked {
    standing: Arc<Standing>,
    place: Option<usize>,
}

/// How long an endpoint takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Took {
    /// Until the whole answer.
    Whole(f64),
    /// Until the first piece of a streamed one.
    First(f64),
}

/// What one more request meets at an endpoint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Expected milliseconds; nothing where nothing is known.
    pub latency_ms: Option<f64>,
    /// Requests under way.
    pub under_way: u32,
    /// Share of requests that were answered.
    pub answered: f64,
    /// It has failed and is due to be asked whether it is back.
    pub due: bool,
}

impl Load {
    /// The load of the endpoint by latency, requests under way and failures: the less the better. One that
    /// was never asked has none.
    pub fn weight(&self) -> f64 {
        let ms = self.latency_ms.unwrap_or(0.0);
        ms * f64::from(self.under_way + 1) / self.answered.max(0.01).powi(2)
    }
}

impl Standing {
    /// Of these endpoints, in catalogue order, asked for these teams; nothing is held against any.
    pub fn new<'a>(
        endpoints: impl IntoIterator<Item = &'a Arc<Endpoint>>,
        teams: impl IntoIterator<Item = &'a Name>,
    ) -> Self {
        let full = |team: &Name| (team.clone(), Mutex::default());
        let places: HashMap<_, _> = endpoints
            .into_iter()
            .enumerate()
            .map(|(place, endpoint)| (endpoint.name.clone(), place))
            .collect();
        Self {
            endpoints: places.iter().map(|_| Place::default()).collect(),
            places,
            troubled: AtomicUsize::new(0),
            misconfigured: AtomicUsize::new(0),
            retries: teams.into_iter().map(full).collect(),
        }
    }

    /// Which endpoints are not to be asked at `now` if there are others, by their place in the catalogue; empty
    /// where all may be.
    pub fn unavailable(&self, now: Timestamp) -> Vec<bool> {
        self.those(&self.troubled, |state| state.breaker.is_open(now))
    }

    /// Which endpoints are not to be asked at `now`, whatever else there is.
    pub fn resting(&self, now: Timestamp) -> Vec<bool> {
        self.those(&self.troubled, |state| state.breaker.rest(now).is_some())
    }

    /// How long the endpoint at `place` is not to be asked from `now` on, as far as is known now.
    pub fn rest(&self, place: usize, now: Timestamp) -> Option<Rest> {
        self.endpoints.get(place)?.state().breaker.rest(now)
    }

    /// Which endpoints have failed and were not seen to be back, by their place; empty where none has.
    pub fn troubled(&self) -> Vec<bool> {
        self.those(&self.troubled, |state| !state.breaker.is_closed())
    }

    /// Which endpoints have refused our key, account or address and not answered since; empty where none has.
    pub fn misconfigured(&self) -> Vec<bool> {
        self.those(&self.misconfigured, |state| state.misconfigured)
    }

    /// Which endpoints are so, by their place; empty where `count` says that none is.
    fn those(&self, count: &AtomicUsize, so: impl Fn(&State) -> bool) -> Vec<bool> {
        if count.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        self.endpoints.iter().map(|at| so(&at.state())).collect()
    }

    /// What one more request meets at the endpoint at `place`.
    pub fn load(&self, place: usize, streamed: bool, now: Timestamp) -> Load {
        let Some(found) = self.endpoints.get(place) else {
            return Load {
                latency_ms: None,
                under_way: 0,
                answered: 1.0,
                due: false,
            };
        };
        let state = found.state();
        let mean = if streamed { &state.first } else { &state.whole };
        Load {
            latency_ms: mean.at(now),
            under_way: found.under_way.load(Ordering::Relaxed),
            answered: state.answered,
            due: state.breaker.is_due(now),
        }
    }

    /// Milliseconds that the endpoint at `place` took lately, however long ago that was.
    pub fn usual_ms(&self, place: usize, streamed: bool) -> Option<f64> {
        let state = self.endpoints.get(place)?.state();
        if streamed { &state.first } else { &state.whole }.noted()
    }

    /// Lets a request through to the endpoint at `place`, if its breaker does.
    pub fn admit(&self, place: usize, now: Timestamp) -> bool {
        if self.troubled.load(Ordering::Relaxed) == 0 {
            return true;
        }
        let place = self.endpoints.get(place);
        place.is_none_or(|place| place.state().breaker.admit(now))
    }

    /// A request goes out to the endpoint called `name`.
    pub fn begin(self: &Arc<Self>, name: &Name) -> Asked {
        let place = self.places.get(name).copied();
        if let Some(place) = place.and_then(|place| self.endpoints.get(place)) {
            place.under_way.fetch_add(1, Ordering::Relaxed);
        }
        Asked {
            standing: Arc::clone(self),
            place,
        }
    }

    /// A caller tells what became of a request that it made itself.
    pub fn told(&self, name: &Name, outcome: Outcome, took: Option<Took>, now: Timestamp) {
        let place = self.places.get(name).copied();
        if let Some(place) = place {
            let how = |breaker: &mut Breaker| breaker.told(outcome, now);
            self.note((place, how), outcome, took, now);
        }
    }

    /// A request of `team` came that may be tried again: the more of them, the more may be.
    pub fn request(&self, team: &Name) {
        if let Some(retries) = self.retries.get(team) {
            lock(retries).request();
        }
    }

    /// Whether one more try may be made for a request of `team` that has failed. A team that is not configured
    /// has none.
    pub fn may_retry(&self, team: &Name, now: Timestamp) -> bool {
        let retries = self.retries.get(team);
        retries.is_some_and(|retries| lock(retries).take(now))
    }

    /// Whether [`Standing::may_retry`] would let one more try be made.
    pub fn has_retry(&self, team: &Name, now: Timestamp) -> bool {
        let retries = self.retries.get(team);
        retries.is_some_and(|retries| lock(retries).has_one(now))
    }

    /// A request that was let through at `now` to the endpoint called `name` is not sent after all.
    pub fn give_back(&self, name: &Name, now: Timestamp) {
        let place = self.places.get(name).copied();
        if let Some(place) = place.and_then(|place| self.endpoints.get(place)) {
            place.state().breaker.give_back(now);
        }
    }

    fn note(
        &self,
        (place, how): (usize, impl FnOnce(&mut Breaker)),
        outcome: Outcome,
        took: Option<Took>,
        now: Timestamp,
    ) {
        let Some(place) = self.endpoints.get(place) else {
            return;
        };
        let mut state = place.state();
        let was_closed = state.breaker.is_closed();
        how(&mut state.breaker);
        count(&self.troubled, (!was_closed, !state.breaker.is_closed()));
        let was = state.misconfigured;
        match outcome {
            Outcome::Misconfigured => state.misconfigured = true,
            Outcome::Answered => state.misconfigured = false,
            _ => {}
        }
        count(&self.misconfigured, (was, state.misconfigured));
        let answered = match outcome {
            Outcome::Answered | Outcome::Told => 1.0,
            Outcome::Abandoned => return,
            _ => 0.0,
        };
        state.answered += STEP * (answered - state.answered);
        match took {
            Some(Took::Whole(ms)) => state.whole.note(ms, now),
            Some(Took::First(ms)) => state.first.note(ms, now),
            None => {}
        }
    }
}

/// Counts those that are so, of which one was and is.
fn count(count: &AtomicUsize, (was, is): (bool, bool)) {
    match (was, is) {
        (false, true) => drop(count.fetch_add(1, Ordering::Relaxed)),
        (true, false) => drop(count.fetch_sub(1, Ordering::Relaxed)),
        _ => {}
    }
}

/// Nothing here panics half-way through a change.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Place {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Asked {
    /// What became of it.
    pub fn end(&self, outcome: Outcome, took: Option<Took>, now: Timestamp) {
        if let Some(place) = self.place {
            let how = |breaker: &mut Breaker| breaker.note(outcome, now);
            self.standing.note((place, how), outcome, took, now);
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let place = self.place.and_then(|at| self.standing.endpoints.get(at));
        if let Some(place) = place {
            place.under_way.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Parameters;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_micros(ms * 1000)
    }

    fn standing() -> Arc<Standing> {
        let endpoint = |text: &str| {
            Arc::new(Endpoint {
                name: name(text),
                arm: name("arm"),
                provider: name("simulated"),
                model: String::new(),
                base_url: String::new(),
                region: None,
                zero_retention: true,
                trains: false,
                certifications: Vec::new(),
                expresses: Parameters::ALL,
                waits: Default::default(),
                prices: Vec::new(),
            })
        };
        let teams = [name("t"), name("other")];
        Arc::new(Standing::new(&[endpoint("a"), endpoint("b")], &teams))
    }

    #[test]
    fn an_endpoint_that_fails_is_left_out_and_comes_back() {
        let standing = standing();
        assert!(standing.unavailable(at(0)).is_empty());
        for _ in 0..5 {
            let asked = standing.begin(&name("b"));
            asked.end(Outcome::Failed, None, at(0));
        }
        assert_eq!(standing.unavailable(at(0)), [false, true]);
        assert!(standing.admit(0, at(0)) && !standing.admit(1, at(0)));
        assert_eq!(standing.unavailable(at(2_000)), [false, false]);
        assert!(standing.load(1, false, at(2_000)).due);
        assert!(standing.admit(1, at(2_000)) && !standing.admit(1, at(2_000)));
        // A caller's word does not close it.
        standing.told(&name("b"), Outcome::Told, None, at(2_050));
        assert_eq!(standing.troubled(), [false, true]);
        standing
            .begin(&name("b"))
            .end(Outcome::Answered, None, at(2_100));
        assert!(standing.unavailable(at(2_100)).is_empty());
    }

    #[test]
    fn load_grows_with_latency_with_what_is_under_way_and_with_failures() {
        let standing = standing();
        let load = || standing.load(0, false, at(0));
        assert_eq!(load().weight(), 0.0);
        let first = standing.begin(&name("a"));
        first.end(Outcome::Answered, Some(Took::Whole(10.0)), at(0));
        assert_eq!(load().weight(), 20.0);
        drop(first);
        assert_eq!(load().weight(), 10.0);
        standing.told(&name("a"), Outcome::Failed, None, at(0));
        assert!((load().weight() - 10.0 / 0.81).abs() < 1e-9);
        // Streams are timed by their first piece.
        assert_eq!(standing.load(0, true, at(0)).latency_ms, None);
    }

    #[test]
    fn a_name_that_is_not_in_the_catalogue_is_nobodys() {
        let standing = standing();
        let asked = standing.begin(&name("gone"));
        asked.end(Outcome::Failed, None, at(0));
        standing.told(&name("gone"), Outcome::Failed, None, at(0));
        assert!(standing.unavailable(at(0)).is_empty());
    }

    #[test]
    fn one_teams_bad_day_takes_no_other_teams_tries() {
        let standing = standing();
        let tries = |team: &str| {
            let team = name(team);
            (0..10_000)
                .filter(|_| standing.may_retry(&team, at(0)))
                .count()
        };
        assert_eq!(tries("t"), 500);
        assert_eq!(tries("t"), 0);
        assert_eq!(tries("other"), 500);
        for _ in 0..4 {
            standing.request(&name("t"));
        }
        assert_eq!((tries("t"), tries("other")), (2, 0));
        // One that nobody configured has nothing, and takes no room.
        standing.request(&name("nobody"));
        assert_eq!(tries("nobody"), 0);
    }

    #[test]
    fn what_callers_tell_avoids_an_endpoint_and_lays_none_to_rest() {
        let standing = standing();
        for _ in 0..5 {
            standing.told(&name("a"), Outcome::Failed, None, at(0));
        }
        assert_eq!(standing.unavailable(at(0)), [true, false]);
        assert_eq!(standing.resting(at(0)), [false, false]);
        assert!(standing.admit(0, at(0)));
        assert_eq!(standing.rest(0, at(0)), None);
        standing
            .begin(&name("a"))
            .end(Outcome::Answered, None, at(1));
        assert!(standing.unavailable(at(1)).is_empty());
    }

    #[test]
    fn an_endpoint_that_refuses_our_key_is_told_of_until_it_answers() {
        let standing = standing();
        assert!(standing.misconfigured().is_empty());
        let end = |outcome, ms| standing.begin(&name("b")).end(outcome, None, at(ms));
        end(Outcome::Misconfigured, 0);
        end(Outcome::Misconfigured, 1);
        end(Outcome::Failed, 60_001);
        assert_eq!(standing.misconfigured(), [false, true]);
        assert!(standing.rest(1, at(2)).is_some());
        assert!(standing.admit(1, at(200_000)));
        end(Outcome::Answered, 200_001);
        assert!(standing.misconfigured().is_empty() && standing.unavailable(at(0)).is_empty());
    }
}
