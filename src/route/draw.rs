//! The draw: estimates of the eligible arms to a pmf, one uniform to an arm, everything kept.
//!
//! Invariants: the pmf over the eligible arms is computed before the uniform is looked at, and all of
//! it is in [`Drawn`]; [`recompute`] gives the same pmf from the kept values alone.
//!
//! Not here: where estimates come from (`estimate`), the policies themselves (`bandit`).
//!
//! Source: SCIENCE 2.3 (one draw, floor vector, forced pulls of a new arm, no-explore).

use super::estimate::Estimates;
use super::spending::Spending;
use crate::bandit::{ChoiceError, Policy, Scores, Scratch, floors, raise_newcomers};
use crate::decision::{Drawn, Origin};
use crate::id::{DecisionId, Name};
use crate::unit::Pmf;

/// Uniform pulls that every arm gets before its own figures count (SCIENCE 2.2: 3 to 5).
pub const FORCED_PULLS: u64 = 3;

/// How a team chooses.
#[derive(Debug, Clone, PartialEq)]
pub struct Choosing {
    /// The policy.
    pub policy: Policy,
    /// Exploration floor eps, of all eligible arms together; how it is shared, and what newcomers get
    /// besides: `bandit::floors`, `bandit::raise_newcomers`.
    pub explore_floor: f64,
}

/// What the request and the operator leave to chance.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Way {
    /// Draw.
    Draw,
    /// The best arm for certain: the caller does not want to explore.
    NoExplore,
    /// This arm for certain: an operator pinned it. Its index among the eligible.
    Pinned(usize),
    /// This arm again: the episode's task has it already.
    Inherit(DecisionId, usize),
    /// The episode's task had an arm that is not eligible any more.
    Redraw(DecisionId),
    /// This arm for certain: the episode is held out for it.
    Baseline(usize),
}

/// Draws an arm.
pub(super) fn draw(
    estimates: Estimates,
    choosing: &Choosing,
    (way, spending): (&Way, &Spending<'_>),
    uniform: f64,
    scratch: &mut Scratch,
) -> Result<(Drawn, Origin), ChoiceError> {
    let count = estimates.arms.len();
    let none = vec![0.0; count];
    // A policy that learns nothing needs no first pulls.
    let learns = !matches!(choosing.policy, Policy::Fixed { .. } | Policy::Uniform);
    let forced = if learns {
        spending.forced(forced(&estimates, way), &estimates.cost_usd)
    } else {
        Vec::new()
    };
    let (pmf, floor, origin) = match *way {
        Way::Pinned(index) => (certain(index, count)?, none, Origin::Pinned),
        Way::Baseline(index) => (certain(index, count)?, none, Origin::Baseline),
        Way::Inherit(from, index) => (certain(index, count)?, none, Origin::Inherited(from)),
        Way::NoExplore => {
            let best = match &choosing.policy {
                fixed @ Policy::Fixed { .. } => fixed,
                _ => &Policy::Greedy,
            };
            let pmf = pmf(best, &estimates.view(), &none, &[], scratch)?;
            (certain(pmf.draw(0.0), count)?, none, Origin::NoExplore)
        }
        Way::Draw | Way::Redraw(_) => {
            let mut floor = floors(choosing.explore_floor, &estimates.utility);
            if learns {
                raise_newcomers(&mut floor, &estimates.newcomer);
            }
            spending.cut(&mut floor, &estimates.cost_usd);
            let pmf = pmf(
                &choosing.policy,
                &estimates.view(),
                &floor,
                &forced,
                scratch,
            )?;
            let origin = match *way {
                Way::Redraw(from) => Origin::Redrawn(from),
                _ => Origin::Drawn,
            };
            (pmf, floor, origin)
        }
    };
    let chosen = u32::try_from(pmf.draw(uniform)).unwrap_or(u32::MAX);
    Ok((
        estimates.into_drawn(pmf, floor, forced, uniform, chosen),
        origin,
    ))
}

fn certain(index: usize, count: usize) -> Result<Pmf, ChoiceError> {
    Ok(Pmf::certain(index, count)?)
}

fn forced(estimates: &Estimates, way: &Way) -> Vec<u32> {
    if !matches!(way, Way::Draw | Way::Redraw(_)) {
        return Vec::new();
    }
    let young = |(index, pulls): (usize, &u64)| {
        (*pulls < FORCED_PULLS)
            .then(|| u32::try_from(index).ok())
            .flatten()
    };
    estimates
        .pulls
        .iter()
        .enumerate()
        .filter_map(young)
        .collect()
}

/// What the pmf depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) arms: &'a [Name],
    pub(super) utility: &'a [f64],
    pub(super) utility_sd: &'a [f64],
    pub(super) samples: f64,
}

fn pmf(
    policy: &Policy,
    view: &View<'_>,
    floor: &[f64],
    forced: &[u32],
    scratch: &mut Scratch,
) -> Result<Pmf, ChoiceError> {
    if !forced.is_empty() {
        return uniform_over(forced, floor);
    }
    let scores = Scores {
        utility: view.utility,
        sd: view.utility_sd,
        samples: view.samples,
    };
    policy.pmf(&scores, view.arms, floor, scratch)
}

/// Uniform over the arms `forced`, mixed with the floor.
fn uniform_over(forced: &[u32], floor: &[f64]) -> Result<Pmf, ChoiceError> {
    let each = (1.0 - floor.iter().sum::<f64>()).max(0.0) / forced.len() as f64;
    let share = |(index, floor): (usize, &f64)| {
        let young = forced.iter().any(|f| *f as usize == index);
        floor + if young { each } else { 0.0 }
    };
    Ok(Pmf::new(floor.iter().enumerate().map(share).collect())?)
}

/// The pmf of `policy` on the values that a decision kept. With the decision's own policy this is
/// the logged pmf again: the check of SCIENCE 2.3. With another it is that candidate's pmf.
pub fn recompute(
    drawn: &Drawn,
    policy: &Policy,
    floor: &[f64],
    forced: &[u32],
    scratch: &mut Scratch,
) -> Result<Pmf, ChoiceError> {
    let view = View {
        arms: &drawn.arms,
        utility: &drawn.utility,
        utility_sd: &drawn.utility_sd,
        samples: drawn.samples,
    };
    pmf(policy, &view, floor, forced, scratch)
}
