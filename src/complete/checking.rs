//! Checking: what a model answered is held to what was asked, before the caller has it.
//!
//! Every whole answer is checked by its team's rules; where a team has none, JSON that was asked for and
//! arguments of tools are checked and only told. A rule says what follows where its check fails:
//! - *return*: the answer as it is, with what was found;
//! - *repair*: what a strict parser then accepts (`validate::repair_answer`), else as it is;
//! - *retry*: the same endpoint once more, with the answer and what is wrong with it;
//! - *fall back*: another arm, if there is a road to one.
//!
//! Where several rules fail the farthest-going of them counts; each goes on to what the ones before it would do
//! where it comes to nothing, so a caller always has an answer where there was one, and sees what was found.
//! A streamed answer is checked at its end, when it has been told already: nothing follows but the finding.
//!
//! A rule may name a signal of the team's scorecard. What the *chosen* arm answered first is reported as that
//! signal, whoever stood in for it after that.
//!
//! Invariants: an answer that passed is never changed; a check costs no call.
//!
//! Not here: the checks (`validate`), the tries (`answering`).

use super::answering::Checked;
use crate::chat::{Message, ResponseFormat, Role, Tool};
use crate::clock::Clock;
use crate::id::{DecisionId, Name};
use crate::learn::Intake;
use crate::provider::FinishReason;
use crate::route::Request;
use crate::signal::{Change, Evaluator, Feedback, Subject, Value};
use crate::telemetry::Underway;
use crate::validate::{Asked, Check, Finish, Unfit, Validators, Verdict, judge, repair_answer};
use std::collections::BTreeMap;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// Checks of teams that have no rules.
const DEFAULTS: [Check; 3] = [Check::Json, Check::JsonSchema, Check::ToolArguments];

/// Who reports the signals of checks.
const EVALUATOR: &str = "bellwether";

/// What follows where a check fails, the farthest-going last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum OnFailure {
    /// The answer as it is.
    #[default]
    Return,
    /// What of it a strict parser accepts.
    Repair,
    /// The same endpoint once more, told what is wrong.
    Retry,
    /// Another arm.
    FallBack,
}

/// One check of a team's answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name, as callers see it.
    pub name: Name,
    /// The check.
    pub check: Check,
    /// The signal of the team's scorecard that it reports.
    pub signal: Option<Name>,
    /// What follows where it fails.
    pub on_failure: OnFailure,
    /// Only for these tasks. Empty: for all.
    pub tasks: Vec<Name>,
}

/// Checks the answers of all teams.
#[derive(Debug)]
pub struct Checking {
    teams: BTreeMap<Name, Vec<Rule>>,
    /// Of teams that have no rules.
    defaults: Vec<Rule>,
    validators: Validators,
    intake: Arc<Intake>,
    clock: Arc<dyn Clock>,
}

/// What an answer is held to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standard<'a> {
    pub(super) team: &'a Name,
    pub(super) task: Option<&'a Name>,
    pub(super) format: &'a ResponseFormat,
    pub(super) tools: &'a [Tool],
}

/// The same, of a stream that outlives its request.
#[derive(Debug, Clone)]
pub(super) struct OwnStandard {
    team: Name,
    task: Option<Name>,
    format: ResponseFormat,
    tools: Vec<Tool>,
}

impl<'a> Standard<'a> {
    /// Of a team's request.
    pub(super) fn of(team: &'a Name, request: &'a Request) -> Self {
        Self {
            team,
            task: request.task.as_ref(),
            format: &request.response_format,
            tools: &request.tools,
        }
    }

    pub(super) fn to_own(self) -> OwnStandard {
        OwnStandard {
            team: self.team.clone(),
            task: self.task.cloned(),
            format: self.format.clone(),
            tools: self.tools.to_vec(),
        }
    }

    fn asked(&self) -> Asked<'a> {
        Asked {
            format: self.format,
            tools: self.tools,
        }
    }
}

impl OwnStandard {
    pub(super) fn borrowed(&self) -> Standard<'_> {
        Standard {
            team: &self.team,
            task: self.task.as_ref(),
            format: &self.format,
            tools: &self.tools,
        }
    }
}

/// What was found of an answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) checks: Vec<Checked>,
    /// What follows; `None`: all passed.
    pub(super) follows: Option<OnFailure>,
    /// By signal.
    signals: Vec<(Name, bool)>,
}

impl Checking {
    /// By these rules of teams; signals go to `intake`.
    pub fn new(
        teams: BTreeMap<Name, Vec<Rule>>,
        intake: Arc<Intake>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, crate::id::Error> {
        let rule = |check: Check| {
            Ok(Rule {
                name: Name::new(check.as_str())?,
                check,
                signal: None,
                on_failure: OnFailure::Return,
                tasks: Vec::new(),
            })
        };
        Ok(Self {
            teams,
            defaults: DEFAULTS.into_iter().map(rule).collect::<Result<_, _>>()?,
            validators: Validators::default(),
            intake,
            clock,
        })
    }

    /// Names of the checks of teams that have no rules.
    pub fn default_names() -> impl Iterator<Item = Name> {
        let names = DEFAULTS.into_iter();
        names.filter_map(|check| Name::new(check.as_str()).ok())
    }

    /// That the schemas of a request can be held to.
    pub(super) fn accept(&self, request: &Request) -> Result<(), Unfit> {
        self.validators
            .accept(&request.response_format, &request.tools)
    }

    /// The rules that a request's answer is held to.
    fn rules(&self, standard: Standard<'_>) -> impl Iterator<Item = &Rule> {
        let rules = self.teams.get(standard.team);
        let rules = rules.filter(|rules| !rules.is_empty());
        let rules = rules.unwrap_or(&self.defaults).iter();
        let task = standard.task.cloned();
        rules.filter(move |rule| {
            let named = |task| rule.tasks.contains(task);
            rule.tasks.is_empty() || task.as_ref().is_some_and(named)
        })
    }

    /// Whether any check may look at the answer: without one its words need not be kept.
    pub(super) fn looks_at(&self, standard: Standard<'_>) -> bool {
        self.rules(standard).any(|rule| match rule.check {
            Check::ToolArguments => !standard.tools.is_empty(),
            ref check => applies(check, standard, false),
        })
    }

    /// Holds an answer to what was asked.
    pub(super) fn judge(
        &self,
        standard: Standard<'_>,
        answer: &Message,
        finish: FinishReason,
    ) -> Found {
        let asked = standard.asked();
        let mut found = Found::default();
        for rule in self.rules(standard) {
            if !applies(&rule.check, standard, !answer.tool_calls.is_empty()) {
                continue;
            }
            let (check, finish) = (std::slice::from_ref(&rule.check), finish_of(finish));
            let judged = judge(answer, finish, check, asked, &self.validators);
            let problem = judged.into_iter().find_map(|judged| match judged.verdict {
                Verdict::Pass => None,
                Verdict::Fail(reason) => Some(reason.to_string()),
            });
            if let Some(signal) = &rule.signal {
                found.signals.push((signal.clone(), problem.is_none()));
            }
            if problem.is_some() {
                found.follows = found.follows.max(Some(rule.on_failure));
            }
            found.checks.push(Checked {
                check: rule.name.to_string(),
                problem,
            });
        }
        found
    }

    /// The answer with its JSON repaired, if that is all it lacked.
    pub(super) fn repair(&self, standard: Standard<'_>, answer: &Message) -> Option<Message> {
        repair_answer(answer, standard.asked(), &self.validators)
    }

    /// Reports what was found of the chosen arm's answer.
    pub(super) async fn report(&self, team: &Name, decision: DecisionId, found: &Found) {
        if found.signals.is_empty() {
            return;
        }
        let now = self.clock.now();
        let signals = found.signals.iter();
        let observed = |passed: &bool| Change::Observed(Value::Flag(*passed));
        let Ok(evaluator) = Name::new(EVALUATOR) else {
            return;
        };
        let feedback = Feedback {
            team: team.clone(),
            subject: Subject::Decision(decision),
            signals: signals
                .map(|(name, p)| (name.clone(), observed(p)))
                .collect(),
            observed: now,
            received: now,
            evaluator: Some(Evaluator {
                name: evaluator,
                version: env!("CARGO_PKG_VERSION").to_owned(),
            }),
            request_id: None,
            body_hash: hash(decision, found),
        };
        if let Err(error) = self.intake.submit(feedback, false).await {
            tracing::error!(%decision, %error, "what a check found was not kept");
        }
    }
}

/// Whether a check has anything to look at.
fn applies(check: &Check, standard: Standard<'_>, calls_tools: bool) -> bool {
    match check {
        Check::Json => *standard.format != ResponseFormat::Text,
        Check::JsonSchema => matches!(standard.format, ResponseFormat::JsonSchema(_)),
        Check::ToolArguments => calls_tools,
        _ => true,
    }
}

/// Tells one report from another.
fn hash(decision: DecisionId, found: &Found) -> u64 {
    xxh3_64(format!("{EVALUATOR} {decision} {:?}", found.signals).as_bytes())
}

fn finish_of(reason: FinishReason) -> Finish {
    Finish::named(reason.as_str())
}

impl Found {
    /// Tells the metrics.
    pub(super) fn count(&self, call: &Underway) {
        for Checked { check, problem } in &self.checks {
            call.checked(check, problem.is_none());
        }
    }

    /// The conversation to go on with: what was answered, and what is wrong with it.
    pub(super) fn told(&self, asked: &[Message], answer: &Message) -> Vec<Message> {
        let problems = self.checks.iter().filter_map(|c| c.problem.as_deref());
        let problems: Vec<_> = problems.collect();
        let told = format!(
            "That answer cannot be used: {}. Give the whole answer again, corrected.",
            problems.join("; ")
        );
        let mut messages = asked.to_vec();
        messages.push(answer.clone());
        // Every call wants its result.
        for call in &answer.tool_calls {
            messages.push(Message {
                tool_call_id: Some(call.id.clone()),
                ..Message::text(Role::Tool, "not called: its arguments cannot be used")
            });
        }
        messages.push(Message::text(Role::User, told));
        messages
    }
}
