//! Policies that are judged from the log, and what the simulator knows of them.
//!
//! Invariants: the judging is `replay`'s, on exported files and by its own rules, refusals included;
//! the truth is looked up only afterwards, on the decisions that were judged.
//!
//! Not here: the estimators (`ope`), the verdict (`verdict`).

use super::error::Error;
use super::play::Run;
use crate::bandit::{Policy, Schedule, Scratch};
use crate::decision::Drawn;
use crate::id::{DecisionId, Name};
use crate::replay::{self, Candidate, Row, TrafficQuestion, TrafficReport};
use crate::scenario::World;
use crate::table::TrafficReader;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

/// What the log of one team says.
pub(super) struct Judged {
    pub(super) report: TrafficReport,
    /// What each candidate would truly have earned on the decisions that it was judged on.
    pub(super) truths: Vec<Option<f64>>,
    /// The log.
    pub(super) rows: Vec<Row>,
}

/// The candidates: every arm for good, chance, and three other ways to choose by what the router knew.
pub(super) fn candidates(world: &World) -> Vec<Candidate> {
    let fixed = |arm: &Name| Candidate::Policy(Policy::Fixed { arm: arm.clone() });
    let mut all: Vec<Candidate> = world.arms.iter().map(|arm| fixed(&arm.name)).collect();
    let inverse_gap = Policy::SquareCb {
        gamma: 3.0,
        schedule: Schedule::Linear,
    };
    let chance = Policy::EpsilonGreedy { epsilon: 0.2 };
    let others = [Policy::Uniform, Policy::Greedy, inverse_gap, chance];
    all.extend(others.map(Candidate::Policy));
    all
}

/// What a candidate means, in words.
pub(super) fn meaning(candidate: &Candidate) -> String {
    match candidate {
        Candidate::Policy(Policy::Fixed { arm }) => format!("every request to {arm}"),
        Candidate::Policy(Policy::Uniform) => "every arm equally often".to_owned(),
        Candidate::Policy(Policy::Greedy) => {
            "the arm that looked best at the time, exploring no more than the floor".to_owned()
        }
        Candidate::Policy(Policy::SquareCb { .. }) => {
            "an arm the more seldom the further it looked behind the best (inverse-gap weighting)"
                .to_owned()
        }
        Candidate::Policy(Policy::EpsilonGreedy { epsilon }) => format!(
            "the arm that looked best, but {:.0} of 100 requests to any arm",
            100.0 * epsilon
        ),
        other => other.to_string(),
    }
}

/// Judges all candidates on the traffic in `file`.
pub(super) fn judge(file: &Path, world: &World, run: &Run) -> Result<Judged, Error> {
    let candidates = candidates(world);
    let go_on = |_| ControlFlow::Continue(());
    let rows: Vec<Row> = TrafficReader::open(file)?.collect::<Result<_, _>>()?;
    let read = rows.iter().cloned().map(Ok);
    let question = TrafficQuestion::new(candidates.clone());
    let report = replay::traffic(read, Some(rows.len()), &question, &go_on)?;
    let known = Known::of(world, run);
    let truths: Result<_, Error> = candidates
        .iter()
        .map(|candidate| known.truth(candidate, &rows))
        .collect();
    Ok(Judged {
        report,
        truths: truths?,
        rows,
    })
}

/// What the simulator knows: each decision's request.
struct Known<'a> {
    world: &'a World,
    requests: BTreeMap<&'a str, usize>,
    arms: BTreeMap<&'a Name, usize>,
}

impl<'a> Known<'a> {
    fn of(world: &'a World, run: &'a Run) -> Self {
        let played = run.played.iter().enumerate();
        let arms = world.arms.iter().enumerate();
        Self {
            world,
            requests: played.map(|(i, p)| (p.decision_id.as_str(), i)).collect(),
            arms: arms.map(|(i, arm)| (&arm.name, i)).collect(),
        }
    }

    /// Mean expected reward of the candidate over the decisions that the replay used: those with an
    /// outcome whose arm was drawn, or inherited from a draw.
    fn truth(&self, candidate: &Candidate, rows: &[Row]) -> Result<Option<f64>, Error> {
        let mut scratch = Scratch::default();
        let mut draws: BTreeMap<DecisionId, &Drawn> = BTreeMap::new();
        let (mut sum, mut count) = (0.0, 0_u32);
        for row in rows.iter().filter(|row| !row.deterministic()) {
            let draw = match row.earlier().filter(|_| !row.is_draw()) {
                Some(earlier) => draws.get(&earlier).copied(),
                None => Some(&row.drawn),
            };
            let Some(draw) = draw else {
                continue;
            };
            draws.insert(row.id, draw);
            if row.utility.is_none() {
                continue;
            }
            let Some(pmf) = candidate.pmf(draw, &mut scratch)? else {
                continue;
            };
            let parts = draw.arms.iter().zip(pmf.as_slice());
            let values = parts.filter_map(|(arm, p)| Some(p * self.expected(row, arm)?));
            sum += values.sum::<f64>();
            count += 1;
        }
        Ok((count > 0).then(|| sum / f64::from(count)))
    }

    /// What the simulator expects of an arm on the row's request.
    fn expected(&self, row: &Row, arm: &Name) -> Option<f64> {
        let request = self.requests.get(row.id.to_string().as_str())?;
        let outcomes = &self.world.requests.get(*request)?.outcomes;
        Some(outcomes.get(*self.arms.get(arm)?)?.expected_reward)
    }
}
