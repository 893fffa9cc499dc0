//! A team, its decisions and its feedback, for tests of the learner.

use super::{Learner, Limits, Params, Pooling, Recall, Shelf, Team};
use crate::bandit::Hierarchy;
use crate::decision::{Cell, Decision, Drawn, Origin};
use crate::id::{Mint, Name, Secret};
use crate::scorecard::{Definition, Kind, Level, Missing, Scorecard, Spec};
use crate::signal::{Change, Feedback, Subject, Value};
use crate::store::{self, Place, Position, Record};
use crate::unit::{Pmf, Timestamp};
use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn spec(signal: &str, level: Level, missing: Missing) -> Spec {
    Spec {
        name: name(signal),
        kind: Kind::Flag { good: true },
        weight: 1.0,
        gate: None,
        level,
        closes_after: HOUR,
        missing,
    }
}

/// Five flags, in four groups.
pub(crate) fn scorecard(closes_after: Duration) -> Scorecard {
    let mut signals = vec![
        spec("tests", Level::Decision, Missing::Unknown),
        spec("merged", Level::Decision, Missing::Unknown),
        spec("alive", Level::Decision, Missing::Worst),
        spec("happy", Level::Episode, Missing::Unknown),
        spec("kept", Level::Episode, Missing::Worst),
    ];
    for signal in &mut signals {
        signal.closes_after = closes_after;
    }
    let definition = Definition {
        name: name("card"),
        signals,
        quality_usd: 1.0,
        latency_target_ms: None,
        latency_weight: 0.0,
    };
    Scorecard::new(definition).unwrap()
}

/// One team with two arms.
pub(crate) fn params(closes_after: Duration) -> Params {
    let team = Team {
        name: name("team"),
        arms: vec![name("a"), name("b")],
        scorecard: Arc::new(scorecard(closes_after)),
        scorecard_version: 1,
        feature_set: name("test"),
        start: Hierarchy::new(&[1, 2], 10.0, &[0.5]).unwrap(),
        pooling: Pooling::None,
        compared: false,
        checked: Default::default(),
    };
    Params {
        teams: [(name("team"), team)].into(),
        limits: Limits::default(),
    }
}

impl Recall for Vec<Record> {
    fn decision(&self, position: Position) -> Result<Option<Cow<'_, Decision>>, store::Error> {
        let sequence = position.sequence;
        match self.get(sequence as usize - 1) {
            Some(Record::Decision(decision)) => Ok(Some(Cow::Borrowed(decision))),
            _ => Err(store::Error::NoRecord { sequence }),
        }
    }

    fn shelf(&self) -> &dyn Shelf {
        &Drawer
    }
}

thread_local! {
    static DRAWER: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A shelf in memory, one for each test's thread: nothing is ever taken away.
#[derive(Debug)]
pub(crate) struct Drawer;

impl Shelf for Drawer {
    fn page(&self, place: Place) -> Result<Vec<u8>, store::Error> {
        let read = |pages: &Vec<Vec<u8>>| pages.get(place.offset as usize).cloned();
        DRAWER.with_borrow(read).ok_or_else(|| place.damaged())
    }

    fn put(&self, payload: &[u8]) -> Result<Place, store::Error> {
        DRAWER.with_borrow_mut(|pages| {
            pages.push(payload.to_vec());
            Ok(Place {
                file: 0,
                offset: pages.len() as u64 - 1,
                length: u32::try_from(payload.len()).unwrap(),
                crc: 0,
            })
        })
    }
}

/// All that was learned, as bytes, wherever it lies.
pub(crate) fn bytes(learner: &Learner, params: &Params) -> Vec<u8> {
    learner.bytes(params, &Drawer).unwrap().unwrap()
}

/// The learner as it is read back from a checkpoint.
pub(crate) fn restored(learner: &Learner) -> Learner {
    postcard::from_bytes(&postcard::to_allocvec(learner).unwrap()).unwrap()
}

/// Makes records, in time.
pub(crate) struct Maker {
    mint: Mint,
    pub(crate) now: Timestamp,
}

impl Maker {
    pub(crate) fn new() -> Self {
        Self {
            mint: Mint::new(Secret::new([7; 32]), 0),
            now: Timestamp::from_micros(1_700_000_000_000_000),
        }
    }

    /// A draw of arm a.
    pub(crate) fn decision(&mut self, episode: Option<&str>) -> Decision {
        let drawn = Drawn {
            arms: vec![name("a"), name("b")],
            signals: vec![],
            pmf: Pmf::new(vec![0.5, 0.5]).unwrap(),
            floor: vec![0.0; 2],
            utility: vec![0.0; 2],
            utility_sd: vec![0.0; 2],
            signal_mean: vec![],
            signal_sd: vec![],
            cost_usd: vec![0.0; 2],
            reference_cost_usd: vec![0.0; 2],
            latency_ms: vec![f64::NAN; 2],
            samples: 0.0,
            forced: vec![],
            uniform: 0.1,
            chosen: 0,
        };
        Decision {
            id: self.mint.next(self.now),
            time: self.now,
            team: name("team"),
            key: name("key"),
            task: None,
            episode: episode.map(name),
            session: None,
            request: None,
            origin: Origin::Drawn,
            policy: "uniform".to_owned(),
            scorecard_version: 1,
            snapshot_version: 0,
            feature_set: name("test"),
            context: Some(vec![0.5, 1.0]),
            input_tokens: 1,
            drawn,
            excluded: vec![],
            endpoint: name("e"),
            fallbacks: Vec::new(),
            content: None,
            cell: Cell::Router,
            allowance: None,
        }
    }

    pub(crate) fn feedback(&self, subject: Subject, signals: &[(&str, Change)]) -> Record {
        let signals = signals.iter().map(|(n, c)| (name(n), c.clone())).collect();
        Record::Feedback(Feedback {
            team: name("team"),
            subject,
            signals,
            observed: self.now,
            received: self.now,
            evaluator: None,
            request_id: None,
            body_hash: 0,
        })
    }

    pub(crate) fn closing(&self, episode: &str) -> Record {
        Record::EpisodeClosed {
            team: name("team"),
            episode: name(episode),
            time: self.now,
            request: None,
        }
    }

    pub(crate) fn tick(&mut self, later: Duration) -> Record {
        self.now = self.now.after(later);
        Record::Tick { time: self.now }
    }
}

pub(crate) fn seen(value: bool) -> Change {
    Change::Observed(Value::Flag(value))
}

/// A journal of every kind of step: draws and inherited arms in episodes, words early, late, corrected
/// and taken back, about decisions and episodes, closings by call and by the clock.
pub(crate) fn everything() -> Vec<Record> {
    let mut maker = Maker::new();
    let early = maker.feedback(Subject::Episode(name("e1")), &[("happy", seen(true))]);
    let mut records = vec![early];
    for step in 0..24_u32 {
        let episode = format!("e{}", step % 5);
        let mut decision = maker.decision((step % 4 != 0).then_some(&episode));
        decision.drawn.chosen = step % 2;
        if step % 6 == 4 {
            decision.origin = Origin::Inherited(decision.id);
        }
        let subject = Subject::Decision(decision.id);
        let signal = ["tests", "merged", "alive", "kept"][step as usize % 4];
        let own = maker.feedback(subject.clone(), &[(signal, seen(step % 3 == 0))]);
        let decision = Record::Decision(Box::new(decision));
        match step % 3 {
            0 => records.extend([own, decision]),
            _ => records.extend([decision, own]),
        }
        let change = match step % 7 {
            3 => Change::Retracted,
            5 => Change::Corrected(Value::Flag(false)),
            _ => seen(step % 2 == 0),
        };
        if step % 3 == 2 {
            let word = [(["happy", "kept"][step as usize / 3 % 2], change)];
            records.push(maker.feedback(Subject::Episode(name(&episode)), &word));
        } else if step % 7 == 3 {
            records.push(maker.feedback(subject, &[(signal, change)]));
        }
        if step == 13 {
            records.push(maker.closing("e2"));
        }
        records.push(maker.tick(Duration::from_secs(420)));
    }
    records.push(maker.tick(HOUR));
    records
}
