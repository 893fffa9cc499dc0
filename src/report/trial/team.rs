//! A made-up team: five arms of which one gets worse, gaps, a signal never seen, a refusal.

use super::sample::HOSTILE;
use crate::report::model::*;

const ARMS: [(&str, &str, f64, f64); 5] = [
    ("atlas", "dear, best nearly everywhere", 0.842, 0.014_21),
    (
        "harbor",
        "mid price, nearly as good; gets worse half-way",
        0.801,
        0.004_22,
    ),
    (
        "cedar",
        "a little below harbor, cheaper, steady",
        0.776,
        0.002_91,
    ),
    (
        "finch",
        "very cheap, good at one coding task only",
        0.431,
        0.000_417,
    ),
    ("pebble", "cheapest, weak everywhere", 0.312, 0.000_112),
];

fn interval(value: f64, half: f64) -> Interval {
    Interval {
        value,
        lower: value - half,
        upper: value + half,
    }
}

fn point(quality: f64, cost: f64) -> Point {
    Point {
        quality: interval(quality, 0.016),
        cost_usd: interval(cost, cost * 0.08),
        reward: interval(quality - cost * 10.0, 0.017),
    }
}

fn wobble(at: usize, salt: usize) -> f64 {
    (((at * 37 + salt * 101) % 97) as f64 / 97.0 - 0.5) * 0.02
}

fn learning() -> Series {
    let requests: Vec<usize> = (1..=36).map(|i| i * 50).collect();
    let line = |name: &str, f: &dyn Fn(f64) -> f64, salt| {
        let values = requests.iter().enumerate();
        let values = values.map(|(i, r)| (i > 2).then(|| f(*r as f64 / 1800.0) + wobble(i, salt)));
        (name.to_owned(), values.collect())
    };
    let drop = |t: f64| if t > 0.5 { 0.09 } else { 0.0 };
    Series {
        lines: vec![
            line(
                "router",
                &|t| 0.72 + 0.06 * t - drop(t) * (1.4 - t).max(0.0),
                1,
            ),
            line("best fixed arm in hindsight (cedar)", &|_| 0.752, 2),
            line("an arm by chance", &|t| 0.62 - drop(t) * 0.3, 3),
            line("harbor", &|t| 0.765 - drop(t) * 2.0, 4),
            line("best arm for each task, in hindsight", &|_| 0.79, 5),
        ],
        marks: marks(),
        requests,
    }
}

fn marks() -> Vec<(usize, String)> {
    vec![
        (900, "harbor silently gets worse".into()),
        (985, "alarm: harbor, tests_passed".into()),
    ]
}

fn shares(specialist: f64) -> Series {
    let requests: Vec<usize> = (1..=36).map(|i| i * 50).collect();
    let share = |at: usize, arm: usize| {
        let t = at as f64 / 36.0;
        let harbor = if t < 0.5 {
            0.2 + 1.1 * t
        } else {
            (0.75 - 3.0 * (t - 0.5)).max(0.02)
        };
        let finch = specialist * t;
        let rest = (1.0 - harbor.min(1.0 - finch) - finch).max(0.0);
        let mix = [
            rest * 0.25,
            harbor.min(1.0 - finch),
            rest * 0.68,
            finch,
            rest * 0.07,
        ];
        mix[arm]
    };
    let lines = ARMS.iter().enumerate().map(|(arm, (name, ..))| {
        let values = (0..36).map(|at| (at != 4).then(|| share(at, arm)));
        ((*name).to_owned(), values.collect())
    });
    Series {
        lines: lines.collect(),
        marks: marks(),
        requests,
    }
}

fn arms() -> Vec<ArmRow> {
    let shares = [
        (0.12, 0.2, 0.09),
        (0.41, 0.32, 0.04),
        (0.36, 0.2, 0.78),
        (0.09, 0.15, 0.088),
        (0.02, 0.13, 0.002),
    ];
    let mut rows = Vec::new();
    for ((arm, note, quality, cost), (share, first, last)) in ARMS.iter().zip(shares) {
        rows.push(ArmRow {
            arm: (*arm).into(),
            note: (*note).into(),
            point: point(*quality, *cost),
            share,
            first_fifth: first,
            last_fifth: last,
        });
    }
    rows
}

fn signals() -> Vec<SignalCell> {
    let names = [
        "tests_passed",
        "json_valid",
        "patch_lines",
        "review_accepted",
        "conventions_kept",
    ];
    let mut cells = Vec::new();
    for (s, signal) in names.iter().enumerate() {
        for (a, (arm, _, quality, _)) in ARMS.iter().enumerate() {
            let value = (quality + 0.04 * s as f64).min(0.97);
            cells.push(SignalCell {
                signal: (*signal).into(),
                arm: (*arm).into(),
                mean: (s + a != 7).then(|| interval(value, 0.01 + 0.012 * a as f64)),
                seen: if s + a == 7 { 0 } else { 700 - 150 * a },
                assumed: 11 * s,
                unknown: 7 * a,
            });
        }
    }
    cells
}

fn slices() -> Vec<Slice> {
    let rows = [
        ("fix-test", 540, "cedar", -0.012),
        ("add-feature", 470, "cedar", -0.021),
        ("refactor", 390, "harbor", 0.006),
        ("write-docs", 400, "finch", -0.034),
    ];
    let one = |(name, requests, arm, difference): (&str, usize, &str, f64)| Slice {
        name: name.into(),
        requests,
        router: point(0.78, 0.0036),
        favourite: (arm.into(), 0.71),
        best_arm: arm.into(),
        difference: interval(difference, 0.014),
    };
    rows.map(one).into()
}

fn calibration() -> Calibration {
    let bin = |i: usize| {
        let logged = 0.02 + 0.1 * i as f64;
        CalibrationBin {
            logged,
            drawn: interval(logged + wobble(i, 7), 0.02),
            count: 900 - 60 * i,
        }
    };
    Calibration {
        draws: 1743,
        recomputed_equal: 1743,
        chi_square: 12.31,
        degrees: 14,
        p_value: 0.5813,
        bins: (0..10).map(bin).collect(),
    }
}

fn candidates() -> Vec<Candidate> {
    let known = |policy: &str, meaning: &str, reward: f64, truth| Candidate {
        policy: policy.into(),
        meaning: meaning.into(),
        judged: Judged::Estimated {
            reward: interval(reward, 0.028),
            difference: interval(reward - 0.746, 0.026),
            effective_sample_size: 412.7,
        },
        truth,
    };
    vec![
        known(
            "fixed:harbor",
            "harbor for every request: the favourite of the first weeks",
            0.681,
            Some(0.672),
        ),
        known("fixed:cedar", "cedar for every request", 0.751, Some(0.752)),
        known("uniform", "an arm by chance, all alike", 0.598, Some(0.605)),
        known(
            "greedy",
            "what was learned at the end, without exploring",
            0.772,
            None,
        ),
        Candidate {
            policy: "fixed:pebble".into(),
            meaning: "pebble for every request".into(),
            judged: Judged::Refused {
                reason: "the log holds too few outcomes of pebble to say".into(),
                remedy:
                    "at least 100 outcomes of pebble: raise the floor of exploration for two weeks"
                        .into(),
                effective_sample_size: 23.4,
            },
            truth: Some(0.304),
        },
    ]
}

pub(crate) fn team(name: &str, hostile: bool) -> Team {
    let mut arms = arms();
    if hostile {
        arms[4].note = HOSTILE.into();
    }
    let reference = |name: &str, meaning: &str, reward: f64| Reference {
        name: name.into(),
        meaning: meaning.into(),
        reward: interval(reward, 0.013),
        difference: interval(0.746 - reward, 0.015),
    };
    Team {
        name: name.into(),
        requests: 1800,
        reward: "quality less 0.1 for each $0.01 that the request cost.".into(),
        router: point(0.781, 0.0035),
        hull: vec![
            (0.000_112, 0.312),
            (0.000_417, 0.431),
            (0.002_91, 0.776),
            (0.004_22, 0.801),
            (0.014_21, 0.842),
        ],
        arms,
        references: vec![
            reference(
                "the best arm of the first week",
                "harbor: what a careful person would have picked after a trial",
                0.689,
            ),
            reference(
                "the best fixed arm in hindsight",
                "cedar: nobody could have known",
                0.752,
            ),
            reference(
                "a static mix at the same cost",
                "cedar and harbor, mixed to cost what the router cost",
                0.749,
            ),
            reference("an arm by chance", "all arms alike", 0.605),
            reference("an oracle", "knows every outcome beforehand", 0.902),
        ],
        learning: learning(),
        shares: shares(0.1),
        task_shares: ["fix-test", "add-feature", "refactor", "write-docs"]
            .map(|task| {
                (
                    task.to_owned(),
                    shares(if task == "write-docs" { 0.8 } else { 0.02 }),
                )
            })
            .into(),
        signals: signals(),
        slices: slices(),
        calibration: calibration(),
        candidates: candidates(),
    }
}
