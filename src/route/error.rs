//! Why a request got no decision.

use super::names::UnknownName;
use super::screen::Blocked;
use crate::account::Owner;
use crate::decision::Excluded;
use crate::id::{DecisionId, Name};
use crate::loops::Looping;
use crate::quota::Refused;
use crate::telemetry::{Outcome, Underway};
use crate::unit::NanoUsd;
use crate::{access, bandit, feature, id, store};
use std::time::Duration;

/// Why a request got no decision.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key may not ask for this task.
    #[error(transparent)]
    NotAllowed(#[from] access::Error),
    /// Every arm was left out.
    #[error("no arm is eligible: {} left out, each with its reason", excluded.len())]
    NoEligibleArm {
        /// All of them, with reasons.
        excluded: Vec<Excluded>,
    },
    /// Every endpoint that it may use has failed, or was asked too much, and is left alone for a while.
    #[error(transparent)]
    AtRest(#[from] AtRest),
    /// The team's hard limit does not pay for any arm.
    #[error(transparent)]
    BudgetExhausted(#[from] BudgetExhausted),
    /// The team's guardrail refuses what was found in it.
    #[error(transparent)]
    Blocked(#[from] Blocked),
    /// A limit on requests, tokens or calls at once is reached.
    #[error(transparent)]
    OverLimit(#[from] Box<Refused>),
    /// The episode goes round, and its team stops that.
    #[error(transparent)]
    EpisodeLooping(#[from] Box<Looping>),
    /// Names in the constraints that the configuration does not have.
    #[error("{} names in the constraints are not configured", .0.len())]
    UnknownNames(Vec<UnknownName>),
    /// The idempotency key came with another body, or on another call, before.
    #[error(
        "request_id {request_id} was used with another body: allowed a new id, or the same body"
    )]
    RequestIdReused {
        /// The key.
        request_id: Name,
    },
    /// No such decision of this team within the window that is kept at hand.
    #[error("decision {id} is not known to this team")]
    DecisionNotFound {
        /// The id.
        id: DecisionId,
    },
    /// The endpoint of a decision made before is not in the configuration any more.
    #[error("endpoint {endpoint} of the decision is not configured any more")]
    EndpointGone {
        /// Its name.
        endpoint: Name,
    },
    /// The features refuse the request.
    #[error(transparent)]
    Feature(#[from] feature::Error),
    /// The policy refuses its estimates.
    #[error(transparent)]
    Choice(#[from] bandit::ChoiceError),
    /// The statistics refuse the context.
    #[error(transparent)]
    State(#[from] bandit::StateError),
    /// A name that cannot be one.
    #[error(transparent)]
    Name(#[from] id::Error),
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Something that cannot be, was.
    #[error("internal: {0}")]
    Bug(&'static str),
}

/// Every endpoint that a request may use is left alone for a while. The doors tell it in these words.
#[derive(Debug, thiserror::Error)]
#[error("every endpoint that may take this {}: the first may be asked in {:.1} s", why(*limited), wait.as_secs_f64())]
pub struct AtRest {
    /// Until the first of them may be asked.
    pub wait: Duration,
    /// Whether all of them asked for it: too many requests.
    pub limited: bool,
    /// The arms that were left out, with reasons.
    pub excluded: Vec<Excluded>,
}

/// Why nobody is asked.
const fn why(limited: bool) -> &'static str {
    match limited {
        true => "is rate limited",
        false => "has failed and is left alone",
    }
}

/// A team's hard limit does not pay for any arm. The doors tell it in these words.
#[derive(Debug, thiserror::Error)]
#[error("{}", too_dear(owner, *each, [*left, *asked]))]
pub struct BudgetExhausted {
    /// Whose budget.
    pub owner: Owner,
    /// Whether it is too much for one decision, whatever is left.
    pub each: bool,
    /// The worst case of the cheapest arm.
    pub asked: NanoUsd,
    /// What is left, or what one decision may cost.
    pub left: NanoUsd,
    /// Until that much is left, if nothing else is spent; `None`: never, or not known.
    pub refill: Option<Duration>,
}

/// What a refusal says. What is left of the organisation's budget is no team's to know: it tells what others spend.
fn too_dear(owner: &Owner, each: bool, [left, asked]: [NanoUsd; 2]) -> String {
    let [left, asked] = [left, asked].map(NanoUsd::as_usd);
    let arm = format!("the cheapest arm costs {asked:.9} USD at worst");
    match (each, owner) {
        (true, _) => format!("the budget of {owner} lets a decision cost {left:.9} USD: {arm}"),
        (false, Owner::Organisation) => format!("the budget of {owner} has not enough left: {arm}"),
        (false, _) => format!(
            "the budget of {owner} has {left:.9} USD left, less what is held for requests under way: {arm}"
        ),
    }
}

impl Error {
    /// Tells the metrics what became of a call.
    pub fn tell(&self, call: &mut Underway) {
        call.end(match self {
            Self::NoEligibleArm { excluded } => return call.no_eligible_arm(excluded),
            Self::AtRest(AtRest { limited: true, .. }) => Outcome::RateLimited,
            Self::AtRest(_) => Outcome::Unavailable,
            Self::BudgetExhausted(_) => Outcome::BudgetExhausted,
            Self::EpisodeLooping(_) => Outcome::EpisodeLooping,
            Self::OverLimit(refused) => {
                return call.over_limit(refused.limited.as_str(), refused.owner.kind());
            }
            Self::RequestIdReused { .. } => Outcome::RequestIdReused,
            Self::Blocked(_) => Outcome::Blocked,
            Self::NotAllowed(_)
            | Self::UnknownNames(_)
            | Self::Feature(_)
            | Self::DecisionNotFound { .. }
            | Self::Name(_) => Outcome::Invalid,
            Self::EndpointGone { .. }
            | Self::Choice(_)
            | Self::State(_)
            | Self::Store(_)
            | Self::Bug(_) => Outcome::Internal,
        });
    }
}
