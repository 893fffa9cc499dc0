//! Paging changes nothing that is learned: random journals; pages of two entries, two of them at hand; reads and
//! writes that fail by chance; restores at random places.

use super::*;
use crate::decision::{Attempt, Decision, Origin, Usage};
use crate::id::Name;
use crate::learn::sample::{self, Drawer, HOUR, Maker, bytes, everything, name, restored, seen};
use crate::learn::{Limits, Recall};
use crate::signal::{Change, Subject};
use crate::store::{Control, Position, Record};
use crate::unit::NanoUsd;
use proptest::prelude::*;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

/// A shelf that takes nothing: all entries stay at hand.
struct Memory<'a>(&'a Vec<Record>);

impl Shelf for Memory<'_> {
    fn page(&self, _: Place) -> Result<Vec<u8>, store::Error> {
        Err(store::Error::Closed)
    }

    fn put(&self, _: &[u8]) -> Result<Place, store::Error> {
        Err(store::Error::Closed)
    }
}

impl Recall for Memory<'_> {
    fn decision(&self, position: Position) -> Result<Option<Cow<'_, Decision>>, store::Error> {
        self.0.decision(position)
    }

    fn shelf(&self) -> &dyn Shelf {
        self
    }
}

/// One of ten of whose readings and writings fail.
struct Failing<'a> {
    journal: &'a Vec<Record>,
    rng: RefCell<SmallRng>,
}

impl Failing<'_> {
    fn chance(&self) -> Result<(), store::Error> {
        let failed = self.rng.borrow_mut().random_bool(0.1);
        (!failed).then_some(()).ok_or(store::Error::Closed)
    }
}

impl Shelf for Failing<'_> {
    fn page(&self, place: Place) -> Result<Vec<u8>, store::Error> {
        self.chance()?;
        Drawer.page(place)
    }

    fn put(&self, payload: &[u8]) -> Result<Place, store::Error> {
        self.chance()?;
        Drawer.put(payload)
    }
}

impl Recall for Failing<'_> {
    fn decision(&self, position: Position) -> Result<Option<Cow<'_, Decision>>, store::Error> {
        self.chance()?;
        self.journal.decision(position)
    }

    fn shelf(&self) -> &dyn Shelf {
        self
    }
}

/// Two teams, whose ledgers are small or not.
fn params(open: usize) -> Params {
    let mut params = sample::params(HOUR);
    let mut other = params.teams[&name("team")].clone();
    other.name = name("other");
    params.teams.insert(name("other"), other);
    params.limits = Limits { grace: HOUR, open };
    params
}

/// Makes a journal of every kind of step that the ledger hears of.
struct Traffic {
    maker: Maker,
    rng: SmallRng,
    made: Vec<Decision>,
    records: Vec<Record>,
}

impl Traffic {
    fn episode(&mut self) -> String {
        format!("e{}", self.rng.random_range(0..4))
    }

    fn team(&mut self) -> Name {
        name(["team", "team", "other"][self.rng.random_range(0..3)])
    }

    fn decide(&mut self) {
        let episode = self.episode();
        let episode = self.rng.random_bool(0.7).then_some(episode);
        let mut decision = self.maker.decision(episode.as_deref());
        decision.team = self.team();
        decision.drawn.chosen = self.rng.random_range(0..2);
        if self.rng.random_bool(0.2) {
            decision.origin = Origin::Inherited(decision.id);
        }
        self.made.push(decision.clone());
        let early = self.rng.random_bool(0.1);
        if early {
            self.tell();
        }
        self.records.push(Record::Decision(Box::new(decision)));
    }

    fn any(&mut self) -> Option<Decision> {
        let last = self.made.len().checked_sub(1)?;
        self.made.get(self.rng.random_range(0..=last)).cloned()
    }

    fn change(&mut self) -> Change {
        match self.rng.random_range(0..5) {
            0 => Change::Retracted,
            _ => seen(self.rng.random_bool(0.6)),
        }
    }

    fn tell(&mut self) {
        let Some(decision) = self.any() else { return };
        let signal = ["tests", "merged", "alive", "kept"][self.rng.random_range(0..4)];
        let change = self.change();
        let subject = Subject::Decision(decision.id);
        let record = self.maker.feedback(subject, &[(signal, change)]);
        self.push(record, decision.team);
    }

    fn tell_episode(&mut self) {
        let (episode, team) = (self.episode(), self.team());
        let signal = ["happy", "kept"][self.rng.random_range(0..2)];
        let change = self.change();
        let subject = Subject::Episode(name(&episode));
        let record = self.maker.feedback(subject, &[(signal, change)]);
        self.push(record, team);
    }

    /// A record of the sample's team, as one of another.
    fn push(&mut self, mut record: Record, of: Name) {
        match &mut record {
            Record::Feedback(feedback) => feedback.team = of,
            Record::EpisodeClosed { team, .. } => *team = of,
            _ => {}
        }
        self.records.push(record);
    }

    fn attempt(&mut self) {
        let Some(decision) = self.any() else { return };
        let error = self.rng.random_bool(0.3).then(|| name("timeout"));
        let attempt = Attempt {
            decision: decision.id,
            arm: name(["a", "b"][self.rng.random_range(0..2)]),
            endpoint: name("e"),
            ended: self.maker.now,
            latency_ms: Some(self.rng.random_range(10.0..900.0)),
            usage: Usage::default(),
            cost: Some(NanoUsd::new(self.rng.random_range(0..1000))),
            error,
            reported: false,
            request: None,
            first_token_ms: None,
        };
        let team = decision.team;
        self.records.push(Record::Attempt { team, attempt });
    }

    fn wait(&mut self) {
        let most = [400, 4000, 12_000][self.rng.random_range(0..3)];
        let seconds = self.rng.random_range(0..most);
        let tick = self.maker.tick(Duration::from_secs(seconds));
        self.records.push(tick);
    }

    fn step(&mut self) {
        match self.rng.random_range(0..100) {
            0..40 => self.decide(),
            40..60 => self.tell(),
            60..68 => self.tell_episode(),
            68..73 => {
                let (episode, team) = (self.episode(), self.team());
                let record = self.maker.closing(&episode);
                self.push(record, team);
            }
            73..88 => self.attempt(),
            88..98 => self.wait(),
            _ => {
                let (team, time) = (self.team(), self.maker.now);
                let frozen = self.rng.random_bool(0.3);
                let pinned = None;
                let control = Control { pinned, frozen };
                self.records.push(Record::Control {
                    team,
                    control,
                    time,
                });
            }
        }
    }
}

fn journal(seed: u64, steps: usize) -> Vec<Record> {
    let mut traffic = Traffic {
        maker: Maker::new(),
        rng: SmallRng::seed_from_u64(seed),
        made: Vec::new(),
        records: Vec::new(),
    };
    for _ in 0..steps {
        traffic.step();
    }
    traffic.records
}

/// Learns a record, again and again until nothing fails; how often it failed.
fn learn(
    learner: &mut Learner,
    index: usize,
    params: &Params,
    journal: &[Record],
    recall: &dyn Recall,
) -> usize {
    let at = Position {
        sequence: index as u64 + 1,
        offset: 0,
    };
    let mut failures = 0;
    loop {
        let mut changed = BTreeMap::new();
        match learner.apply(at, &journal[index], params, recall, &mut changed) {
            Ok(()) => return failures,
            Err(_) => failures += 1,
        }
        assert!(failures < 10_000, "record {index} is never learned");
    }
}

proptest! {
    #[test]
    fn a_learner_whose_pages_come_and_go_ends_with_the_bits_of_one_that_keeps_all(
        seed: u64, steps in 10_usize..160, small: bool,
    ) {
        let (journal, params) = (journal(seed, steps), params(if small { 7 } else { 1000 }));
        let memory = Memory(&journal);
        let failing = Failing { journal: &journal, rng: RefCell::new(SmallRng::seed_from_u64(seed)) };
        let (mut whole, mut paged) = (Learner::new(&params), Learner::new(&params));
        let mut rng = SmallRng::seed_from_u64(!seed);
        for index in 0..journal.len() {
            learn(&mut whole, index, &params, &journal, &memory);
            learn(&mut paged, index, &params, &journal, &failing);
            prop_assert_eq!(whole.next_closing(&params), paged.next_closing(&params));
            if rng.random_bool(0.1) {
                let files = if rng.random_bool(0.3) { [0].into() } else { BTreeSet::new() };
                while paged.save(&files, &failing).is_err() {}
                paged = restored(&paged);
                prop_assert_eq!(paged.validate(&params), Ok(()));
                prop_assert_eq!(bytes(&whole, &params), bytes(&paged, &params));
            }
        }
        prop_assert_eq!(bytes(&whole, &params), bytes(&paged, &params));
    }
}

#[test]
fn what_is_at_hand_is_bounded_and_a_reading_fails_now_and_then() {
    let (journal, params) = (journal(5, 2000), params(1000));
    let rng = RefCell::new(SmallRng::seed_from_u64(1));
    let failing = Failing {
        journal: &journal,
        rng,
    };
    let mut learner = Learner::new(&params);
    let (mut failures, mut most, mut away) = (0, 0, 0);
    for index in 0..journal.len() {
        failures += learn(&mut learner, index, &params, &journal, &failing);
        while learner.let_go(&Drawer).is_err() {}
        let ledgers = learner.teams.values().map(|team| &team.ledger);
        let at_hand: usize = ledgers.clone().map(|ledger| ledger.at_hand()).sum();
        let counted = ledgers.flat_map(|ledger| ledger.marks()).count();
        assert_eq!(at_hand, counted);
        most = most.max(at_hand);
        away = away.max(learner.places().count());
    }
    assert!(failures > 100, "{failures}");
    // Two, and the newest of each team.
    assert!(most <= 4, "{most}");
    assert!(away > 20, "{away}");
}

#[test]
fn a_page_that_is_damaged_is_an_error_that_names_its_file_and_changes_nothing() {
    struct Torn<'a>(&'a Vec<Record>);
    impl Shelf for Torn<'_> {
        fn page(&self, place: Place) -> Result<Vec<u8>, store::Error> {
            let mut payload = Drawer.page(place)?;
            payload.pop();
            Ok(payload)
        }

        fn put(&self, payload: &[u8]) -> Result<Place, store::Error> {
            Drawer.put(payload)
        }
    }
    impl Recall for Torn<'_> {
        fn decision(&self, at: Position) -> Result<Option<Cow<'_, Decision>>, store::Error> {
            self.0.decision(at)
        }

        fn shelf(&self) -> &dyn Shelf {
            self
        }
    }
    let (journal, params) = (everything(), params(1000));
    let mut learner = Learner::new(&params);
    let mut damaged = 0;
    for index in 0..journal.len() {
        let before = bytes(&learner, &params);
        let at = Position {
            sequence: index as u64 + 1,
            offset: 0,
        };
        let mut changed = BTreeMap::new();
        let torn = Torn(&journal);
        match learner.apply(at, &journal[index], &params, &torn, &mut changed) {
            Ok(()) => {}
            Err(error) => {
                let text = error.to_string();
                assert!(text.contains("pages-00000000000000000000.bin is damaged"));
                assert_eq!(learner.sequence(), index as u64, "{text}");
                damaged += 1;
                learn(&mut learner, index, &params, &journal, &journal);
            }
        }
        assert!(bytes(&learner, &params) != before, "the sequence at least");
    }
    assert!(damaged > 3, "{damaged}");
}
