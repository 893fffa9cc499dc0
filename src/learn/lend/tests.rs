//! What is lent, to whom, and what it does for a team that begins.

use super::*;
use crate::bandit::{PRIOR_SD, Policy, Scores, Scratch, floors};
use crate::decision::Decision;
use crate::learn::sample::{HOUR, Maker, name, params, scorecard, seen};
use crate::learn::{Learner, Snapshot};
use crate::scorecard::{Definition, Scorecard};
use crate::signal::{Feedback, Subject, Value};
use crate::store::{Control, Position, Seed};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use std::sync::Arc;

const ARMS: [&str; 4] = ["a", "b", "c", "d"];

/// How often an arm's tests pass at a context.
type World = fn(usize, f32) -> f64;

/// Arm a is best on one side, arm d on the other.
fn tastes(arm: usize, wave: f32) -> f64 {
    let (level, slope) = [(0.45, 0.5), (0.55, 0.0), (0.6, 0.0), (0.75, -0.2)][arm];
    level + slope * f64::from(wave)
}

fn opposite(arm: usize, wave: f32) -> f64 {
    1.0 - tastes(arm, wave)
}

/// Teams under one learner, over a journal in memory.
struct Bench {
    params: Params,
    learner: Learner,
    snapshot: Snapshot,
    journal: Vec<Record>,
    maker: Maker,
    rng: SmallRng,
}

impl Bench {
    fn new(teams: &[(&str, Pooling)], seed: u64) -> Self {
        let mut all = params(HOUR);
        let team = all.teams.remove("team").unwrap();
        for (team_name, pooling) in teams {
            let mut team = team.clone();
            team.name = name(team_name);
            team.arms = ARMS.map(name).to_vec();
            team.pooling = *pooling;
            all.teams.insert(name(team_name), team);
        }
        let learner = Learner::new(&all);
        let snapshot = learner.snapshot(&Snapshot::default(), &BTreeMap::new(), &all);
        Self {
            snapshot: snapshot.unwrap(),
            params: all,
            learner,
            journal: Vec::new(),
            maker: Maker::new(),
            rng: SmallRng::seed_from_u64(seed),
        }
    }

    fn edit(&mut self, team: &str, edit: impl FnOnce(&mut Team)) {
        edit(self.params.teams.get_mut(team).unwrap());
        self.learner = Learner::new(&self.params);
    }

    fn write(&mut self, record: Record) {
        self.journal.push(record.clone());
        let at = Position {
            sequence: self.journal.len() as u64,
            offset: 0,
        };
        let mut changed = BTreeMap::new();
        let (params, journal) = (&self.params, &self.journal);
        let learned = self
            .learner
            .apply(at, &record, params, journal, &mut changed);
        learned.unwrap();
        let next = self
            .learner
            .snapshot(&self.snapshot, &changed, &self.params);
        self.snapshot = next.unwrap();
    }

    /// A draw of an arm, and what came of it.
    fn draw(&mut self, team: &str, arm: usize, wave: f32, passed: Option<bool>) {
        let mut decision: Decision = self.maker.decision(None);
        decision.team = name(team);
        decision.context = Some(vec![wave, 1.0]);
        decision.drawn.arms = ARMS.map(name).to_vec();
        decision.drawn.chosen = u32::try_from(arm).unwrap();
        let subject = Subject::Decision(decision.id);
        self.write(Record::Decision(Box::new(decision)));
        if let Some(passed) = passed {
            let both = [("tests", seen(passed)), ("merged", seen(passed))];
            let Record::Feedback(fed) = self.maker.feedback(subject, &both) else {
                unreachable!("feedback");
            };
            let team = name(team);
            self.write(Record::Feedback(Feedback { team, ..fed }));
        }
    }

    /// Draws of one arm that pass at a rate.
    fn show(&mut self, team: &str, arm: usize, rate: f64, draws: usize) {
        for _ in 0..draws {
            let wave = self.rng.random_range(-0.5..0.5);
            let passed = self.rng.random::<f64>() < rate;
            self.draw(team, arm, wave, Some(passed));
        }
    }

    fn arm(&self, team: &str, arm: &str) -> &Arm {
        &self.learner.team(&name(team)).arms[arm]
    }

    /// Draws as a server would; what each loses to the best arm there, in share of tests passed.
    fn play(&mut self, team: &str, world: World, draws: usize) -> Vec<f64> {
        let policy: Policy = "linear-thompson".parse().unwrap();
        let mut lost = Vec::with_capacity(draws);
        for _ in 0..draws {
            let wave = if self.rng.random::<bool>() { 0.5 } else { -0.5 };
            let now = Arc::clone(&self.snapshot.teams[team]);
            let pulls = |arm: &usize| now.pulls.get(ARMS[*arm]).copied().unwrap_or(0);
            let young = (0..ARMS.len()).filter(|arm| pulls(arm) < 3);
            let young: Vec<usize> = young.collect();
            let arm = match young.is_empty() {
                false => young[self.rng.random_range(0..young.len())],
                true => {
                    let estimates = ARMS.map(|arm| {
                        let group = &now.arms[arm].groups[0];
                        let mut means = [0.0; 2];
                        let h = group.score(&[wave, 1.0], &mut means).unwrap();
                        let doubt = now.doubt.get(arm).copied().unwrap_or(1.0);
                        let sd = doubt * (group.noise(&[1.0, 0.0]) * h).sqrt() / PRIOR_SD;
                        (means[0], sd)
                    });
                    let scores = Scores {
                        utility: &estimates.map(|(mean, _)| mean),
                        sd: &estimates.map(|(_, sd)| sd),
                        samples: now.tempo.time(),
                    };
                    let floors = floors(0.02, scores.utility);
                    let arms = ARMS.map(name);
                    let pmf = policy.pmf(&scores, &arms, &floors, &mut Scratch::default());
                    pmf.unwrap().draw(self.rng.random())
                }
            };
            let best = (0..ARMS.len())
                .map(|arm| world(arm, wave))
                .fold(0.0, f64::max);
            lost.push(best - world(arm, wave));
            let passed = self.rng.random::<f64>() < world(arm, wave);
            self.draw(team, arm, wave, Some(passed));
        }
        lost
    }
}

/// A lender that knows arm a well, and a borrower that has just drawn it.
fn lent(edit: impl FnOnce(&mut Bench)) -> Bench {
    let mut bench = Bench::new(&[("new", Pooling::Take), ("old", Pooling::Give)], 1);
    edit(&mut bench);
    bench.show("old", 0, 0.8, 120);
    bench.draw("new", 0, 0.25, None);
    bench
}

fn borrowed(bench: &Bench) -> f64 {
    bench.arm("new", "a").groups[0].count()
}

#[test]
fn a_new_arm_expects_what_the_lender_does_and_weighs_fifty_outcomes() {
    let bench = lent(|_| {});
    let (new, old) = (bench.arm("new", "a"), bench.arm("old", "a"));
    // A draw ages what was borrowed a little.
    assert!((borrowed(&bench) - 50.0).abs() < 0.01);
    let mut settled = old.groups[0].clone();
    settled.refactor().unwrap();
    for target in 0..2 {
        let pairs = new.groups[0]
            .weights(target)
            .iter()
            .zip(settled.weights(target));
        for (found, expected) in pairs {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }
    // It is no draw and no outcome, and nothing of cost or latency is lent.
    assert_eq!((new.pulls, new.outcomes), (1, 0));
    assert_eq!((new.usage.count(), new.latency_count), (0.0, 0));
    bench.learner.validate(&bench.params).unwrap();
    // The team's other arms are expected to be as good as what is known of this one.
    let mut means = [0.0; 2];
    let other = &bench.snapshot.teams["new"].arms["b"].groups[0];
    other.score(&[0.25, 1.0], &mut means).unwrap();
    assert!(means[0] > 0.7, "{means:?}");
}

#[test]
fn nothing_is_lent_that_was_not_agreed_or_is_not_alike() {
    let check = |why: &str, edit: &dyn Fn(&mut Bench)| {
        let bench = lent(|bench| edit(bench));
        assert_eq!(borrowed(&bench), 0.0, "{why}");
    };
    let pooling = |team: &'static str, pooling| {
        move |bench: &mut Bench| bench.edit(team, |team| team.pooling = pooling)
    };
    check("who does not take", &pooling("new", Pooling::Give));
    check(
        "who does not take either way",
        &pooling("new", Pooling::None),
    );
    check("who does not give", &pooling("old", Pooling::Take));
    check(
        "who does not give either way",
        &pooling("old", Pooling::None),
    );
    check("other features", &|bench| {
        bench.edit("old", |team| team.feature_set = name("other"));
    });
    let card = |edit: fn(&mut Definition)| {
        move |bench: &mut Bench| {
            let mut definition = scorecard(HOUR).definition().clone();
            edit(&mut definition);
            let card = Arc::new(Scorecard::new(definition).unwrap());
            bench.edit("old", |team| team.scorecard = card);
        }
    };
    check(
        "another name",
        &card(|d| d.signals[1].name = name("accepted")),
    );
    check(
        "another closing time",
        &card(|d| {
            d.signals[..2]
                .iter_mut()
                .for_each(|s| s.closes_after = HOUR * 2);
        }),
    );
    check(
        "another kind",
        &card(|d| {
            d.signals[1].kind = crate::scorecard::Kind::Flag { good: false };
        }),
    );
    check("a frozen team", &|bench| {
        let control = Control {
            pinned: None,
            frozen: true,
        };
        let (team, time) = (name("new"), bench.maker.now);
        bench.write(Record::Control {
            team,
            control,
            time,
        });
    });
    // Weights are a matter of each team's own.
    let bench = lent(|bench| {
        card(|d| d.signals[0].weight = 7.0)(bench);
    });
    assert!(borrowed(&bench) > 49.0);
}

#[test]
fn a_lender_has_twenty_outcomes_of_the_arm() {
    let check = |outcomes: usize, expected: f64| {
        let mut bench = Bench::new(&[("new", Pooling::Take), ("old", Pooling::Give)], 1);
        bench.show("old", 0, 0.8, outcomes);
        bench.draw("new", 0, 0.25, None);
        assert!((borrowed(&bench) - expected).abs() < 0.1, "{outcomes}");
    };
    check(19, 0.0);
    check(20, 20.0);
}

#[test]
fn what_was_lent_or_taught_is_not_lent_on() {
    let teams = [
        ("a-old", Pooling::Give),
        ("b-middle", Pooling::Both),
        ("c-new", Pooling::Take),
    ];
    let mut bench = Bench::new(&teams, 2);
    bench.show("a-old", 0, 0.8, 60);
    bench.draw("b-middle", 0, 0.25, None);
    assert!((bench.arm("b-middle", "a").groups[0].count() - 50.0).abs() < 0.01);
    // The middle team stands on fifty and has none of its own: the new one hears the old one alone.
    let old = bench.learner.team(&name("a-old")).arms["a"].groups[0].clone();
    bench.draw("c-new", 0, 0.25, None);
    let lent = &bench.arm("c-new", "a").seeded[0][0];
    assert!((lent.0 - 50.0).abs() < 1e-6, "{lent:?}");
    assert!(
        (lent.1 / lent.0 - 0.8).abs() < 0.15,
        "{lent:?} {}",
        old.count()
    );
    // A taught row is no outcome of the lender's own.
    let mut taught = Bench::new(&teams, 2);
    for number in 0..60 {
        taught.write(Record::Seed(Box::new(row("a-old", number))));
    }
    taught.draw("c-new", 0, 0.25, None);
    assert_eq!(taught.arm("c-new", "a").groups[0].count(), 0.0);
}

fn row(team: &str, prompt: u32) -> Seed {
    Seed {
        team: name(team),
        time: Maker::new().now,
        source: "table".to_owned(),
        batch: 1,
        prompt,
        arm: name("a"),
        task: None,
        feature_set: name("test"),
        context: vec![0.25, 1.0],
        signals: vec![(name("tests"), Value::Flag(true))],
        cost_usd: None,
        reference_cost_usd: None,
        latency_ms: None,
        weight: 1.0,
    }
}

#[test]
fn teams_that_disagree_lend_less_than_teams_that_agree() {
    let counts = |rates: [f64; 3]| {
        let teams = ["x", "y", "z"].map(|team| (team, Pooling::Give));
        let mut bench = Bench::new(&[&teams[..], &[("new", Pooling::Take)]].concat(), 3);
        for ((team, _), rate) in teams.iter().zip(rates) {
            bench.show(team, 0, rate, 100);
        }
        bench.draw("new", 0, 0.25, None);
        borrowed(&bench)
    };
    let (agreed, disputed) = (counts([0.7; 3]), counts([0.2, 0.5, 0.8]));
    // s^2 / tau^2 of 0.2 over 0.09 is two outcomes.
    assert!(agreed > 20.0 && disputed < 6.0, "{agreed} {disputed}");
    assert!(disputed > 0.5, "{disputed}");
}

#[test]
fn a_rebuild_and_a_checkpoint_on_the_way_leave_the_same_bits() {
    let mut bench = Bench::new(&[("new", Pooling::Both), ("old", Pooling::Both)], 4);
    bench.play("old", tastes, 120);
    bench.play("new", tastes, 40);
    bench.play("old", tastes, 10);
    let bytes = |learner: &Learner| postcard::to_allocvec(learner).unwrap();
    let records = bench.journal.clone();
    for stop in [0, 200, 241, 260, 300] {
        let mut learner = Learner::new(&bench.params);
        for (index, record) in records.iter().enumerate() {
            if index == stop {
                let kept: Learner = postcard::from_bytes(&bytes(&learner)).unwrap();
                kept.validate(&bench.params).unwrap();
                learner = kept;
            }
            let at = Position {
                sequence: index as u64 + 1,
                offset: 0,
            };
            let mut changed = BTreeMap::new();
            let learned = learner.apply(at, record, &bench.params, &records, &mut changed);
            learned.unwrap();
        }
        assert!(bytes(&learner) == bytes(&bench.learner), "{stop}");
    }
}

#[test]
fn pooling_is_part_of_what_a_checkpoint_must_fit() {
    let print = |pooling| Bench::new(&[("team", pooling)], 0).params.fingerprint();
    assert_ne!(print(Pooling::None), print(Pooling::Take));
    assert_ne!(print(Pooling::Give), print(Pooling::Take));
}

/// What a second team loses a draw, in the mean of seeds, over (the first 50, the first 200, 200 to 600).
fn losses(pooling: Pooling, second: World, seeds: u64) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for seed in 0..seeds {
        let mut bench = Bench::new(&[("first", Pooling::Give), ("second", pooling)], seed);
        bench.play("first", tastes, 400);
        let lost = bench.play("second", second, 600);
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        let parts = [mean(&lost[..50]), mean(&lost[..200]), mean(&lost[200..])];
        for (sum, part) in sums.iter_mut().zip(parts) {
            *sum += part / seeds as f64;
        }
    }
    sums
}

#[test]
fn loans_that_do_worse_than_a_guess_are_given_back_by_all_arms() {
    let mut bench = Bench::new(&[("new", Pooling::Take), ("old", Pooling::Give)], 5);
    bench.show("old", 0, 0.9, 100);
    bench.show("old", 1, 0.2, 100);
    for arm in [1, 0] {
        bench.draw("new", arm, 0.25, None);
    }
    let mut alone = Bench::new(&[("new", Pooling::None), ("old", Pooling::Give)], 5);
    for arm in [1, 0] {
        alone.draw("new", arm, 0.25, None);
    }
    for _ in 0..30 {
        bench.draw("new", 0, 0.25, Some(false));
        alone.draw("new", 0, 0.25, Some(false));
    }
    // Arm b has no outcome of its own: what it was lent went with what a was.
    for arm in ["a", "b"] {
        let (found, expected) = (bench.arm("new", arm), alone.arm("new", arm));
        assert!((found.groups[0].count() - expected.groups[0].count()).abs() < 1e-6);
        for (found, expected) in found.groups[0]
            .weights(0)
            .iter()
            .zip(expected.groups[0].weights(0))
        {
            assert!((found - expected).abs() < 0.02, "{arm}: {found} {expected}");
        }
        assert!(found.seeded[0][0].0 < 1e-9);
    }
    // And no arm borrows any more.
    bench.show("old", 2, 0.9, 30);
    bench.draw("new", 2, 0.25, None);
    assert_eq!(bench.arm("new", "c").groups[0].count(), 0.0);
    bench.learner.validate(&bench.params).unwrap();
}

#[test]
fn loans_that_are_right_are_kept() {
    let kept = (0..20).filter(|seed| {
        let mut bench = Bench::new(&[("new", Pooling::Take), ("old", Pooling::Give)], *seed);
        bench.play("old", tastes, 400);
        bench.play("new", tastes, 150);
        bench.learner.team(&name("new")).trials.allow(0)
    });
    // One in a hundred is given back for nothing, were the lender right to the last digit.
    let kept = kept.count();
    assert!(kept >= 18, "{kept}");
}

#[test]
fn a_team_with_the_same_tastes_begins_better_and_one_with_opposite_ones_is_not_held_back_for_long()
{
    let all = |world| [Pooling::None, Pooling::Take].map(|pooling| losses(pooling, world, 20));
    let (same, other) = (all(tastes), all(opposite));
    println!("lost a draw over the first 50, the first 200, 200 to 600: alone, pooled");
    println!("same tastes {:.4?} {:.4?}", same[0], same[1]);
    println!("opposite    {:.4?} {:.4?}", other[0], other[1]);
    assert!(same[1][0] < 0.7 * same[0][0], "{same:?}");
    assert!(same[1][1] < 0.6 * same[0][1], "{same:?}");
    // The first fifty cost two passed tests more; after that the team is where it would be alone.
    assert!(other[1][0] < other[0][0] + 0.05, "{other:?}");
    assert!(other[1][1] < other[0][1] + 0.01, "{other:?}");
    assert!(other[1][2] < other[0][2] + 0.01, "{other:?}");
}
