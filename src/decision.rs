//! The decision: the thing that flows. Everything that the draw of an arm depended on, so that its
//! propensity can be recomputed and any other policy judged on the same record (SCIENCE 2.3).
//!
//! Invariants: the vectors of [`Drawn`] are parallel, one entry for each eligible arm in catalogue
//! order; `chosen` indexes them; `pmf` respects `floor` and sums to 1 ([`Decision::check`], called
//! before every write).
//!
//! Units: utilities in quality points (0 to 1 is one full point), costs in USD (an expectation, so a
//! float; money that changed hands is [`NanoUsd`]), latency in milliseconds.
//!
//! Not here: how any of it was computed (`route`), what followed (`Attempt`, `Answer`,
//! `signal::Feedback`).

mod words;
pub use words::Words;

use crate::id::{DecisionId, Name};
use crate::unit::{NanoUsd, Pmf, Timestamp};
use serde::{Deserialize, Serialize};

/// One choice of an arm, complete.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Unforgeable id.
    pub id: DecisionId,
    /// When.
    pub time: Timestamp,
    /// For whom.
    pub team: Name,
    /// The key's name (never the key).
    pub key: Name,
    /// The caller's label of the task.
    pub task: Option<Name>,
    /// The piece of work that outcomes belong to.
    pub episode: Option<Name>,
    /// The conversation whose prompt cache may be warm.
    pub session: Option<Name>,
    /// Idempotency key and hash of the body it came with.
    pub request: Option<Request>,
    /// How the arm came about.
    pub origin: Origin,
    /// The policy with its parameters, as a specification that parses back.
    pub policy: String,
    /// Version of the team's scorecard.
    pub scorecard_version: u32,
    /// Journal sequence up to which the snapshot had learned.
    pub snapshot_version: u64,
    /// Feature set that made `context`.
    pub feature_set: Name,
    /// The context. Absent where the team records nothing.
    pub context: Option<Vec<f32>>,
    /// Estimated input tokens.
    pub input_tokens: u32,
    /// The draw.
    pub drawn: Drawn,
    /// Arms left out, with reasons.
    pub excluded: Vec<Excluded>,
    /// The endpoint named to the caller.
    pub endpoint: Name,
    /// Endpoints of other eligible arms named besides, best first; each passed the same checks.
    pub fallbacks: Vec<Name>,
    /// The messages as JSON. Only where the team records content; where it records redacted content, in an object
    /// ([`Decision::redacted`]).
    pub content: Option<String>,
    /// The experiment that its episode belongs to.
    pub cell: Cell,
    /// What the team's budget said. Absent where it has none.
    pub allowance: Option<Allowance>,
}

/// The experiment that an episode belongs to, by a hash of its name. Policies are judged on the decisions
/// of one cell; what one cell gains over another is a randomised comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Cell {
    /// The team's policy chooses.
    #[default]
    Router,
    /// Held out: the team's baseline wherever it is eligible, so that the router's gain can be measured.
    /// It is the hash's word alone, and so the comparison one by intention: it stands, too, where a pin, a
    /// caller who does not explore, or an arm that may not take the request made it another arm.
    Holdout,
}

/// What a team's budget said of one decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Allowance {
    /// What a dollar costs, in quality points: every utility of [`Drawn`] has paid it for its expected
    /// cost. 0 where the team's spend is not paced.
    pub price: f64,
    /// Held until an attempt says what it cost: the worst case. 0 where there is no hard limit.
    pub held: NanoUsd,
    /// Arms that could have taken the request, but for the budget.
    pub withheld: Vec<Withheld>,
    /// Whether we ask the endpoint ourselves, so that our own attempt alone ends what is held. False: the caller
    /// does, nothing is held, or the record is older than layout 8 and does not say.
    pub asks: bool,
}

/// An arm that the budget alone kept out, and what was expected of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Withheld {
    /// The arm.
    pub arm: Name,
    /// As in [`Drawn`].
    pub utility: f64,
    /// As in [`Drawn`].
    pub utility_sd: f64,
    /// As in [`Drawn`].
    pub cost_usd: f64,
}

/// Idempotency key and hash of the body.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Request {
    /// The caller's key.
    pub id: Name,
    /// Hash of everything else in the request (xxh3, stable across versions).
    pub body_hash: u64,
}

/// How the arm came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// Drawn from the pmf.
    Drawn,
    /// The first decision of the same episode and task had this arm: no new draw.
    Inherited(DecisionId),
    /// As `Inherited`, but that arm is no longer eligible: drawn anew.
    Redrawn(DecisionId),
    /// Exploration was off for this request: the best arm, with probability 1.
    NoExplore,
    /// An operator had pinned the arm.
    Pinned,
    /// Held out: the team's baseline, with probability 1.
    Baseline,
}

impl Origin {
    /// Whether the arm was certain: no other policy can be judged by weighting it.
    pub fn is_deterministic(self) -> bool {
        matches!(self, Self::NoExplore | Self::Pinned | Self::Baseline)
    }
}

/// The eligible arms and what the draw saw of each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drawn {
    /// Eligible arms in catalogue order.
    pub arms: Vec<Name>,
    /// Names of the signals, in scorecard order.
    pub signals: Vec<Name>,
    /// Probability of each arm.
    pub pmf: Pmf,
    /// Least probability kept for each arm.
    pub floor: Vec<f64>,
    /// Expected utility u_a, in quality points.
    pub utility: Vec<f64>,
    /// Standard deviation s_a of `utility`, before the policy's own scale.
    pub utility_sd: Vec<f64>,
    /// Expected signals, arm by arm: `[arm * signals + signal]`, normalised to 0 worst, 1 best.
    pub signal_mean: Vec<f32>,
    /// Standard deviations of `signal_mean`, same layout.
    pub signal_sd: Vec<f32>,
    /// Expected cost in USD.
    pub cost_usd: Vec<f64>,
    /// Cost in USD at the reference of 256 output tokens (and of the session's tokens that its cache is
    /// expected to hold): what the learner sets an attempt's money beside where it tells no tokens.
    pub reference_cost_usd: Vec<f64>,
    /// Expected latency in milliseconds; NaN where nothing is known.
    pub latency_ms: Vec<f64>,
    /// Effective number of samples t that the policy's schedule used.
    pub samples: f64,
    /// Indices of arms still in their first forced pulls. If there are any, the draw was uniform
    /// over them (mixed with the floor) and the policy's own pmf was not used.
    pub forced: Vec<u32>,
    /// The uniform in [0, 1) that drew.
    pub uniform: f64,
    /// Index of the arm drawn.
    pub chosen: u32,
}

/// An arm left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Excluded {
    /// The arm.
    pub arm: Name,
    /// Why.
    pub reason: Reason,
    /// What exactly.
    pub detail: String,
}

/// Why an arm could not be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// The key may not use it, or it is not in the caller's list.
    NotAllowed,
    /// The caller refused it.
    Denied,
    /// It lacks a capability.
    Capability,
    /// The prompt and the answer do not fit.
    ContextLength,
    /// No endpoint satisfies the data policy.
    DataPolicy,
    /// Expected cost above the caller's limit.
    MaxCost,
    /// Expected latency above the caller's limit.
    MaxLatency,
    /// No endpoint has a price that holds.
    NoPrice,
    /// What is left of the team's budget does not pay for it.
    Budget,
    /// Its endpoints have failed, and are not asked for a while.
    Unavailable,
    /// None of its endpoints' dialects can express what is asked, or the caller excluded them.
    Parameters,
}

/// A decision whose parts contradict each other.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// Parallel vectors of different lengths.
    #[error("{field} has {found} entries: allowed {expected}")]
    Length {
        /// The vector.
        field: &'static str,
        /// Its length.
        found: usize,
        /// The right length.
        expected: usize,
    },
    /// An arm has less than its floor.
    #[error("arm {arm} has probability {probability}, below its floor {floor}")]
    Floor {
        /// The arm.
        arm: Name,
        /// Its probability.
        probability: f64,
        /// Its floor.
        floor: f64,
    },
    /// The chosen index is outside the list.
    #[error("chosen index {chosen} of {arms} arms")]
    Chosen {
        /// The index.
        chosen: u32,
        /// Number of arms.
        arms: usize,
    },
}

impl Drawn {
    /// The arm drawn; `None` only before `check` has held.
    pub fn arm(&self) -> Option<&Name> {
        self.arms.get(self.chosen as usize)
    }

    /// Probability of the arm drawn.
    pub fn propensity(&self) -> f64 {
        self.pmf
            .as_slice()
            .get(self.chosen as usize)
            .copied()
            .unwrap_or(0.0)
    }

    /// The checks at write of SCIENCE 2.3: lengths, floors, the chosen arm. (That the pmf sums to 1
    /// is its own type's business.) Pinned, no-explore and held-out draws are deterministic and keep no
    /// floor.
    pub fn check(&self) -> Result<(), Error> {
        let (arms, cells) = (self.arms.len(), self.arms.len() * self.signals.len());
        for (field, found, expected) in [
            ("pmf", self.pmf.as_slice().len(), arms),
            ("floor", self.floor.len(), arms),
            ("utility", self.utility.len(), arms),
            ("utility_sd", self.utility_sd.len(), arms),
            ("cost_usd", self.cost_usd.len(), arms),
            ("reference_cost_usd", self.reference_cost_usd.len(), arms),
            ("latency_ms", self.latency_ms.len(), arms),
            ("signal_mean", self.signal_mean.len(), cells),
            ("signal_sd", self.signal_sd.len(), cells),
        ] {
            if found != expected {
                return Err(Error::Length {
                    field,
                    found,
                    expected,
                });
            }
        }
        if self.chosen as usize >= arms {
            return Err(Error::Chosen {
                chosen: self.chosen,
                arms,
            });
        }
        for ((arm, &probability), &floor) in
            self.arms.iter().zip(self.pmf.as_slice()).zip(&self.floor)
        {
            if probability < floor - 1e-15 {
                return Err(Error::Floor {
                    arm: arm.clone(),
                    probability,
                    floor,
                });
            }
        }
        Ok(())
    }
}

impl Decision {
    /// The checks at write of SCIENCE 2.3, which are the draw's.
    pub fn check(&self) -> Result<(), Error> {
        self.drawn.check()
    }

    /// Whether the arm was certain: no other policy can be judged on this record by weighting.
    pub fn deterministic(&self) -> bool {
        self.origin.is_deterministic()
    }

    /// Whether it belongs to no experiment but the router's, and no budget had a say.
    pub fn is_plain(&self) -> bool {
        self.cell == Cell::Router && self.allowance.is_none()
    }

    /// Whether an arm was drawn here (an inherited arm adds no draw, so no weight: SCIENCE 2.3).
    pub fn is_draw(&self) -> bool {
        !matches!(self.origin, Origin::Inherited(_))
    }
}

/// One try at an endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// The decision it belongs to.
    pub decision: DecisionId,
    /// The arm served.
    pub arm: Name,
    /// The endpoint called.
    pub endpoint: Name,
    /// When it ended.
    pub ended: Timestamp,
    /// Wall time in milliseconds.
    pub latency_ms: Option<f64>,
    /// Tokens used.
    pub usage: Usage,
    /// What it cost.
    pub cost: Option<NanoUsd>,
    /// Kind of error, if it failed.
    pub error: Option<Name>,
    /// True if the caller reported it.
    pub reported: bool,
    /// Idempotency key and hash of the report's body.
    pub request: Option<Request>,
    /// Milliseconds until the first piece of a streamed answer.
    pub first_token_ms: Option<f64>,
}

impl Attempt {
    /// Kind of error of an attempt whose caller went away.
    pub const ABANDONED: &'static str = "abandoned";

    /// The one that served, of a decision's attempts in order: the last that did not fail.
    pub fn served(attempts: &[Self]) -> Option<&Self> {
        attempts.iter().rfind(|attempt| attempt.error.is_none())
    }
}

/// What a model said, word by word. Only where the team records content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The decision it belongs to.
    pub decision: DecisionId,
    /// When it was whole.
    pub ended: Timestamp,
    /// The message as JSON.
    pub message: String,
    /// Why the model stopped, in the contract's word.
    pub finish_reason: Name,
}

/// Tokens used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Input tokens, cached ones included.
    pub input: Option<u32>,
    /// Input tokens read from the provider's cache.
    pub cached_input: Option<u32>,
    /// Output tokens.
    pub output: Option<u32>,
    /// True where the provider did not say all of it and characters were counted instead.
    pub estimated: bool,
    /// Input tokens written to the provider's cache, at a price of their own.
    pub cache_write: Option<u32>,
    /// Output tokens that were thought and not said.
    pub reasoning: Option<u32>,
}
