//! How a team routes, as the use case is told.
//!
//! Not here: where it is written down (`config`).

use super::draw::Choosing;
use super::experiment::{Baseline, Chooser};
use crate::eligibility::DataPolicy;
use crate::feature::Extractor;
use crate::id::Name;
use crate::loops::Watch;
use crate::redaction::Redactor;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a team routes.
#[derive(Debug, Clone)]
pub struct Team {
    /// How it chooses.
    pub choosing: Choosing,
    /// Its features.
    pub extractor: Arc<Extractor>,
    /// Where its data may go unless a request says otherwise.
    pub data_policy: DataPolicy,
    /// Where data of each class may go, for requests that declare one.
    pub data_classes: Arc<BTreeMap<Name, DataPolicy>>,
    /// What is kept of its requests.
    pub recording: Recording,
    /// What is done before a prompt leaves. `None`: nothing is looked into.
    pub guardrail: Option<Guardrail>,
    /// Where its traffic would go without a router. `None`: nothing is held out, and there is no guard.
    pub baseline: Option<Baseline>,
    /// Rules of single tasks.
    pub tasks: BTreeMap<Name, TaskRule>,
    /// How it watches for agents that go round. `None`: it does not.
    pub loops: Option<Watch>,
}

/// What holds for one task.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaskRule {
    /// Arms that never take it.
    pub denied_arms: Vec<Name>,
    /// Who stands in for an arm that fails.
    pub fallbacks: Fallbacks,
}

/// In which order other arms stand in for one that fails.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Fallbacks {
    /// By expected utility, the best first.
    #[default]
    ByUtility,
    /// These in this order, and no others.
    Ordered(Vec<Name>),
    /// By what is expected of this signal, the best first: the learned validity of each arm's answers, say.
    BySignal(Name),
}

/// What is kept of a team's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recording {
    /// Not even the context: the learner cannot learn from them.
    Nothing,
    /// The context, not the words.
    Features,
    /// The words too, with marks in place of personal data and secrets.
    Redacted,
    /// The words too, of the request and of an answer.
    Full,
}

/// What is looked for in what a team sends, and what follows where it is found.
#[derive(Debug, Clone)]
pub struct Guardrail {
    /// What follows.
    pub action: Action,
    /// Looks for it.
    pub redactor: Arc<Redactor>,
}

/// What follows where a guardrail finds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The call is refused.
    Block,
    /// Providers get marks in its place.
    Redact,
    /// The call goes on, and the reply tells of it.
    Flag,
}

impl Action {
    /// All of them, in their order.
    pub const ALL: [Self; 3] = [Self::Block, Self::Redact, Self::Flag];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Redact => "redact",
            Self::Flag => "flag",
        }
    }
}

/// A team's routing with the names that each of its decisions carries, written once.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) team: Team,
    pub(super) chooser: Chooser,
    pub(super) guarded: Option<Chooser>,
    pub(super) feature_set: Name,
}

impl Named {
    pub(super) fn new(team: Team) -> Result<Self, crate::id::Error> {
        Ok(Self {
            chooser: Chooser::new(team.choosing.clone()),
            guarded: Chooser::guarded(&team),
            feature_set: Name::new(team.extractor.feature_set())?,
            team,
        })
    }
}
