//! Warmth after a start: the shares that were learned, and the sessions of records older than those noted so far.
//!
//! A start notes the records that opening reads anyway, serves, and meanwhile has the older ones noted, in their
//! order, into a warmth of their own ([`Warmth::note`]), which [`Warmth::rewarm`] then takes in: behind what is
//! known by then, since that was sent later. An attempt of which the decision is among the older waits for it.
//!
//! Invariants: afterwards the same is warm as if all had been noted in order, where the attempts of a decision
//! come before its session's next decision; no share is learned twice; nobody waits longer than for
//! 1,000 sessions.
//!
//! What differs: an attempt that is told after its session's next decision warms its endpoint, where in order
//! it may have been forgotten with the prompt that it answers; a decision noted before the older ones expected
//! nothing warm, so that its answer teaches no share; of sessions past the most that are remembered, those
//! recalled go first.
//!
//! Not here: which records, from where (`server`).

use super::{Known, Session, Warmth};
use crate::decision::Attempt;
use crate::id::Name;
use crate::unit::Timestamp;
use std::sync::PoisonError;

/// Sessions taken in while callers wait.
const AT_ONCE: usize = 1_000;

/// Most attempts that wait for their decisions: those of calls under way when the older records end.
const EARLY: usize = 10_000;

/// Share of the expected tokens that an endpoint finds in its cache: team, endpoint, share.
pub type Share = (Name, Name, f64);

/// Attempts whose decisions are yet to be recalled.
#[derive(Debug)]
pub(super) struct Early {
    /// When the newest of the older records was made.
    newest: Timestamp,
    attempts: Vec<(Name, Attempt)>,
}

impl Early {
    /// Keeps it, if its decision may be among the older records.
    pub(super) fn keep(&mut self, team: &Name, attempt: &Attempt) {
        if attempt.decision.minted() <= self.newest && self.attempts.len() < EARLY {
            self.attempts.push((team.clone(), attempt.clone()));
        }
    }
}

impl Warmth {
    /// The shares learned so far, in order. Of records being noted at this moment the lessons may be missing.
    pub fn shares(&self) -> Vec<Share> {
        let known = self.known();
        let of = |(team, state): (&Name, &super::Team)| {
            let shares = state.found.iter();
            let shares = shares.map(|(endpoint, share)| (team.clone(), endpoint.clone(), *share));
            shares.collect::<Vec<_>>()
        };
        let mut shares: Vec<_> = known.teams.iter().flat_map(of).collect();
        shares.sort_by(|(t, e, _), (u, f, _)| (t, e).cmp(&(u, f)));
        shares
    }

    /// Goes on from shares that were learned from records up to time `newest`, whose sessions come later by
    /// [`Warmth::rewarm`]. False, and nothing changes, where one is no share.
    pub fn resume(&self, shares: Vec<Share>, newest: Timestamp) -> bool {
        if !shares
            .iter()
            .all(|(_, _, share)| (0.0..=1.0).contains(share))
        {
            return false;
        }
        let mut known = self.known();
        for (team, endpoint, share) in shares {
            let team = known.teams.entry(team).or_default();
            team.found.insert(endpoint, share);
        }
        known.early = Some(Early {
            newest,
            attempts: Vec::new(),
        });
        true
    }

    /// Takes in what the older records told; their shares were known ([`Warmth::resume`]). To be called once.
    pub fn rewarm(&self, older: Self) {
        let older = older.known.into_inner();
        let mut older = older.unwrap_or_else(PoisonError::into_inner);
        loop {
            let mut known = self.known();
            known.answer_early(&mut older);
            for _ in 0..AT_ONCE {
                let Some((_, (team, session))) = older.order.pop_last() else {
                    known.early = None;
                    return;
                };
                let teams = older.teams.get_mut(&team);
                if let Some(gone) = teams.and_then(|team| team.sessions.remove(&session)) {
                    known.recall((team, session), gone, self.most);
                }
            }
        }
    }
}

impl Known {
    /// Attempts that waited find their decisions among the older, or where they have been taken in since.
    fn answer_early(&mut self, older: &mut Self) {
        let early = self.early.as_mut().map(|e| std::mem::take(&mut e.attempts));
        for (team, attempt) in early.into_iter().flatten() {
            // What it teaches is new: the older records' lessons had been learned.
            let shares = |known: &mut Self| {
                let state = known.teams.entry(team.clone()).or_default();
                std::mem::take(&mut state.found)
            };
            let (ours, theirs) = (shares(self), shares(older));
            let give = |known: &mut Self, found| {
                known.teams.entry(team.clone()).or_default().found = found;
            };
            give(older, ours);
            let answered = older.attempted(&team, &attempt);
            let ours = shares(older);
            give(self, ours);
            give(older, theirs);
            if !answered {
                self.attempted(&team, &attempt);
            }
        }
    }

    /// Takes in one session, the newest first: what is known of it was sent later and stays.
    fn recall(&mut self, at: (Name, Name), older: Session, most: usize) {
        let team = self.teams.entry(at.0.clone()).or_default();
        if !team.sessions.contains_key(&at.1) {
            if self.order.len() >= most {
                return;
            }
            self.recalled -= 1;
            self.order.insert(self.recalled, at.clone());
        }
        let number = self.recalled;
        let session = team.sessions.entry(at.1.clone());
        let session = session.or_insert_with(|| Session {
            number,
            prompts: Vec::new(),
        });
        for prompt in older.prompts {
            if session
                .prompts
                .iter()
                .all(|p| p.endpoint != prompt.endpoint)
            {
                self.decisions.insert(prompt.decision, at.clone());
                session.prompts.push(prompt);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::LASTS;
    use super::*;
    use crate::id::DecisionId;
    use crate::learn::sample::{Maker, name};
    use crate::store::Record;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::time::Duration;

    const TEAM: &str = "team";
    const SESSIONS: [&str; 3] = ["s", "t", "u"];
    const ENDPOINTS: [&str; 3] = ["e", "f", "g"];

    /// What happens in a session: a decision, or an attempt for its last one.
    #[derive(Debug, Clone)]
    enum Step {
        Decide {
            session: usize,
            endpoint: usize,
            tokens: u32,
            later: u64,
        },
        Attempt {
            session: usize,
            endpoint: usize,
            tokens: Option<u32>,
            fails: bool,
        },
    }

    fn step() -> impl Strategy<Value = Step> {
        let tokens = 1..50_000_u32;
        let decide = (0..3_usize, 0..3_usize, tokens.clone(), 0..60_u64);
        let attempt = (
            0..3_usize,
            0..3_usize,
            proptest::option::of(tokens),
            any::<bool>(),
        );
        prop_oneof![
            decide.prop_map(|(session, endpoint, tokens, later)| Step::Decide {
                session,
                endpoint,
                tokens,
                later
            }),
            attempt.prop_map(|(session, endpoint, tokens, fails)| Step::Attempt {
                session,
                endpoint,
                tokens,
                fails
            }),
        ]
    }

    fn attempt(decision: DecisionId, endpoint: &str, now: Timestamp) -> Attempt {
        Attempt {
            decision,
            arm: name("a"),
            endpoint: name(endpoint),
            ended: now,
            latency_ms: None,
            usage: Default::default(),
            cost: None,
            error: None,
            reported: false,
            request: None,
            first_token_ms: None,
        }
    }

    fn record(attempt: Attempt) -> Record {
        let team = name(TEAM);
        Record::Attempt { team, attempt }
    }

    /// The records of these steps, and when the last was made.
    fn records(steps: &[Step]) -> (Vec<Record>, Timestamp) {
        let mut maker = Maker::new();
        let mut last = BTreeMap::new();
        let mut records = Vec::new();
        for step in steps {
            match *step {
                Step::Decide {
                    session,
                    endpoint,
                    tokens,
                    later,
                } => {
                    maker.now = maker.now.after(Duration::from_secs(later));
                    let mut decision = maker.decision(None);
                    decision.session = Some(name(SESSIONS[session]));
                    decision.endpoint = name(ENDPOINTS[endpoint]);
                    decision.input_tokens = tokens;
                    last.insert(session, decision.id);
                    records.push(Record::Decision(Box::new(decision)));
                }
                Step::Attempt {
                    session,
                    endpoint,
                    tokens,
                    fails,
                } => {
                    if let Some(decision) = last.get(&session) {
                        let mut attempt = attempt(*decision, ENDPOINTS[endpoint], maker.now);
                        attempt.usage.input = tokens;
                        attempt.error = fails.then(|| name("overloaded"));
                        records.push(record(attempt));
                    }
                }
            }
        }
        (records, maker.now)
    }

    fn noted(warmth: &Warmth, records: &[Record]) {
        records.iter().for_each(|record| warmth.note(record));
    }

    /// Tokens that are warm, by session and endpoint.
    fn warm(warmth: &Warmth, now: Timestamp) -> Vec<(usize, Name, u32)> {
        let each = |session: usize| {
            let held = warmth.of(&name(TEAM), &name(SESSIONS[session]), now).0;
            held.into_iter()
                .map(move |h| (session, h.endpoint, h.tokens))
        };
        let mut warm: Vec<_> = (0..3).flat_map(each).collect();
        warm.sort();
        warm
    }

    /// Every session is in its place, and each decision is one of a prompt.
    fn whole(warmth: &Warmth) {
        let known = warmth.known();
        let sessions = known.teams.values().flat_map(|team| &team.sessions);
        let mut decisions = 0;
        for (name, session) in sessions {
            assert_eq!(known.order.get(&session.number).map(|at| &at.1), Some(name));
            let mut owned: Vec<_> = session.prompts.iter().map(|p| p.decision).collect();
            owned.sort();
            owned.dedup();
            decisions += owned.len();
            assert!(owned.iter().all(|d| known.decisions.contains_key(d)));
        }
        assert_eq!(known.decisions.len(), decisions);
    }

    /// A start at record `cut`, which hears of the older ones after `meanwhile` more, knows what one knows that
    /// noted all in order.
    fn check(records: &[Record], now: Timestamp, cut: usize, meanwhile: usize) {
        let in_order = Warmth::default();
        noted(&in_order, records);
        let (older, newer) = records.split_at(cut.min(records.len()));
        let (newer, last) = newer.split_at(meanwhile.min(newer.len()));
        let started = Warmth::default();
        let newest = older.last().map_or(now, Record::time);
        assert!(started.resume(Vec::new(), newest));
        noted(&started, newer);
        let recalled = Warmth::default();
        noted(&recalled, older);
        started.rewarm(recalled);
        noted(&started, last);
        for later in [0, 30, 200, 300] {
            let then = now.after(Duration::from_secs(later));
            assert_eq!(
                warm(&started, then),
                warm(&in_order, then),
                "{later} s later"
            );
        }
        whole(&started);
    }

    proptest! {
        #[test]
        fn older_records_heard_of_at_any_time_leave_warm_what_the_true_order_leaves(
            steps in proptest::collection::vec(step(), 1..60),
            cut in 0..60_usize,
            meanwhile in 0..60_usize,
        ) {
            let (records, now) = records(&steps);
            check(&records, now, cut, meanwhile);
        }
    }

    /// A start between a decision and its answer, which finds all of the 8,000 tokens that were warm or nothing.
    fn share_after(cached: u32) -> f64 {
        let mut maker = Maker::new();
        let mut decide = || {
            let mut decision = maker.decision(None);
            (decision.session, decision.input_tokens) = (Some(name("s")), 8_000);
            decision
        };
        let decisions = [decide(), decide()];
        let now = decisions[1].time;
        let answers = decisions.each_ref().map(|decision| {
            let mut attempt = attempt(decision.id, "e", now);
            attempt.usage.cached_input = Some(cached);
            record(attempt)
        });
        let [first, second] = decisions.map(|d| Record::Decision(Box::new(d)));
        let [one, two] = answers;
        let started = Warmth::default();
        assert!(started.resume(vec![(name(TEAM), name("e"), 0.5)], now));
        started.note(&two);
        let older = Warmth::default();
        noted(&older, &[first, one, second]);
        // As a lesson that the share of 0.5 has in it.
        older.known().teams.get_mut(&name(TEAM)).unwrap().found = [(name("e"), 0.25)].into();
        started.rewarm(older);
        started.shares()[0].2
    }

    #[test]
    fn an_answer_after_a_start_moves_the_share_once_and_older_lessons_not_again() {
        // A tenth of the way.
        assert!((share_after(8_000) - 0.55).abs() < 1e-12);
        assert!((share_after(0) - 0.45).abs() < 1e-12);
    }

    #[test]
    fn what_is_no_share_is_refused_and_changes_nothing() {
        let warmth = Warmth::default();
        for wrong in [-0.1, 1.1, f64::NAN] {
            let shares = vec![(name(TEAM), name("e"), 0.5), (name(TEAM), name("f"), wrong)];
            assert!(!warmth.resume(shares, Timestamp::from_micros(0)));
        }
        assert_eq!(warmth.shares(), []);
    }

    #[test]
    fn recalled_sessions_go_before_those_of_since_and_no_more_stay_than_may() {
        let mut maker = Maker::new();
        let mut decide = |warmth: &Warmth, session: &str| {
            let mut decision = maker.decision(None);
            (decision.session, decision.input_tokens) = (Some(name(session)), 100);
            warmth.note(&Record::Decision(Box::new(decision)));
            maker.now
        };
        let (started, older) = (Warmth::new(LASTS, 2), Warmth::new(LASTS, 9));
        for session in ["s", "t"] {
            decide(&older, session);
        }
        let now = decide(&started, "u");
        started.rewarm(older);
        let sessions = |now| {
            warm(&started, now)
                .into_iter()
                .map(|(at, ..)| at)
                .collect::<Vec<_>>()
        };
        assert_eq!(sessions(now), [1, 2], "the newer of the two");
        whole(&started);
        let now = decide(&started, "s");
        assert_eq!(sessions(now), [0, 2]);
        whole(&started);
    }
}
