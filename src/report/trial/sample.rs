//! A made-up report for tests: two teams, hostile names, refusals, gaps.

use super::team::team;
use crate::report::model::*;

pub(crate) const HOSTILE: &str = "<script>alert(\"x\")</script>";
fn statements() -> Vec<Statement> {
    let one = |finding, text: &str| Statement {
        finding,
        text: text.into(),
    };
    vec![
        one(
            Finding::Shown,
            "In team coding the router earned 0.057 more reward a request than the arm that a careful trial would have picked (interval 0.042 to 0.072).",
        ),
        one(
            Finding::Shown,
            "harbor got worse at request 900; the alarm came 85 requests later, and harbor's share fell from 75 % to 4 %.",
        ),
        one(
            Finding::Contradicted,
            "Sending everything to harbor would be an improvement: the log says it would earn 0.065 less.",
        ),
        one(
            Finding::Undecided,
            "The router against a static mix of two arms at the same cost: the difference is within the interval.",
        ),
        one(
            Finding::Refused,
            "What pebble would earn if it took every request.",
        ),
        one(
            Finding::Note,
            "All of this is simulated; the truth is known and was not used by the router.",
        ),
    ]
}

/// Everything there is, as a demo would fill it.
pub(crate) fn document() -> Document {
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    let step = |name: &str, outcome: &str, seconds| Step {
        name: name.into(),
        outcome: outcome.into(),
        seconds,
    };
    Document {
        title: "Two teams, five arms, one of which gets worse".into(),
        introduction: "A router draws an arm for each request and learns from signals.".into(),
        summary: "A router learned from the outcomes of two teams for 28 simulated days; here is what it did, what it noticed and what its log can tell.".into(),
        command: "cargo run -- demo --seed 7".into(),
        version: "0.1.0".into(),
        verdict: statements(),
        details: vec![Details {
            about: "team coding".into(),
            statements: statements(),
        }],
        teams: vec![team("coding", true), team("support", false)],
        events: vec![Event {
            team: "coding".into(),
            requests: 985,
            text: "harbor: tests_passed fell from 0.81 to 0.58".into(),
            truth: Some("harbor got worse at request 900".into()),
        }],
        data: DataCard {
            name: "A generated world, seed 7".into(),
            simulated: true,
            facts: vec![pair("Requests", "3,600"), pair("Days", "28"), pair("Arms", "atlas, harbor, cedar, finch, pebble"), pair("Seed", "7")],
            caveats: vec!["Fit for seeing what the router does; not for choosing a model.".into(), "Delays and conflicts of signals are drawn from made-up distributions.".into()],
        },
        steps: vec![step("make the world", "3,600 requests", 0.21), step("play", "all calls answered", 17.4), step("judge", "5 policies a team, 1 refused", 3.32)],
        terms: vec![Term {
            word: "alarm".into(),
            meaning: "The router's own notice that an arm's outcomes have changed.".into(),
        }],
    }
}

/// The same with as little as there can be, and with what must not happen.
pub(crate) fn barren() -> Document {
    let mut document = document();
    document.verdict.clear();
    document.details.clear();
    document.events.clear();
    document.steps.clear();
    document.title = HOSTILE.into();
    document.command = format!("{HOSTILE} && \"'");
    document.data.simulated = false;
    let team = &mut document.teams[0];
    team.name = HOSTILE.into();
    team.arms.truncate(1);
    team.arms[0].arm = HOSTILE.into();
    team.arms[0].point.quality.value = f64::NAN;
    team.arms[0].point.cost_usd.upper = f64::INFINITY;
    team.hull = vec![(f64::NAN, 0.1), (0.2, 0.3)];
    team.references.clear();
    team.learning.requests = vec![7];
    team.learning.lines = vec![
        (HOSTILE.into(), vec![Some(0.5)]),
        ("nan".into(), vec![Some(f64::NAN)]),
    ];
    team.learning.marks = vec![(7, HOSTILE.into())];
    team.shares = Series {
        requests: vec![1, 2, 3],
        lines: vec![
            (HOSTILE.into(), vec![Some(1.0), None, Some(f64::NAN)]),
            ("none".into(), vec![]),
        ],
        marks: vec![(2, "x".repeat(200))],
    };
    team.task_shares = vec![
        (HOSTILE.into(), team.shares.clone()),
        (
            "empty".into(),
            Series {
                requests: vec![],
                lines: vec![],
                marks: vec![],
            },
        ),
    ];
    team.signals.truncate(1);
    team.signals[0].signal = HOSTILE.into();
    team.signals[0].mean = Some(Interval {
        value: f64::NAN,
        lower: 0.0,
        upper: 1.0,
    });
    team.slices.clear();
    team.calibration.bins.clear();
    team.calibration.p_value = f64::NAN;
    team.candidates.truncate(1);
    team.candidates[0].truth = Some(f64::NAN);
    document.teams.truncate(1);
    document
}
