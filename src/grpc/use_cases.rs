//! The use cases behind the services: one call each.
//!
//! Not here: admission and decoding (the services), any decision.

use super::admin::{ArmState, Operating, Spent, TeamState};
use super::decode::Operation;
use super::feedback::{Listening, Outcome};
use super::keeping::KeyDesk;
use super::router::{Ask, Completed, Event, Events, Routing};
use super::status::Failure;
use crate::access::{Admission, Grant};
use crate::account::Accounts;
use crate::clock::Clock;
use crate::complete::{self, AttemptReport, Complete, Reports};
use crate::decision::Attempt;
use crate::eligibility::Catalogue;
use crate::id::{DecisionId, Name};
use crate::learn::{ArmSnapshot, EpisodeClosed, EpisodeClosing, Intake, TeamSnapshot, Verdict};
use crate::route::{DecisionPage, DecisionQuery, Recorded, Request, Route, Routed};
use crate::signal::Feedback;
use crate::store::Control;
use crate::store::audit::Audit;
use futures_util::stream::{self, StreamExt};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a caller without a deadline is served.
const PATIENCE: Duration = Duration::from_secs(600);

/// What `RouterService` is served by.
#[derive(Debug)]
pub struct Gateway {
    /// Chooses.
    pub route: Arc<Route>,
    /// Tries.
    pub complete: Arc<Complete>,
    /// Takes reports of the callers' own tries.
    pub reports: Arc<Reports>,
    /// Takes outcomes.
    pub intake: Arc<Intake>,
}

impl Gateway {
    /// The same, deciding by another `route` and its `catalogue`.
    #[must_use]
    pub fn by(&self, route: Arc<Route>, catalogue: Arc<Catalogue>) -> Self {
        Self {
            complete: Arc::new(self.complete.by(Arc::clone(&route))),
            reports: Arc::new(self.reports.by(catalogue)),
            intake: Arc::clone(&self.intake),
            route,
        }
    }
}

impl Routing for Gateway {
    async fn route(&self, grant: &Admission, request: Request) -> Result<Routed, Failure> {
        Ok(self.route.route(grant, &request).await?)
    }

    async fn report_attempt(
        &self,
        grant: &Admission,
        report: AttemptReport,
    ) -> Result<Attempt, Failure> {
        Ok(self.reports.report(&grant.team, report).await?)
    }

    async fn complete(&self, grant: &Admission, ask: Ask) -> Result<Completed, Failure> {
        let deadline = deadline(&ask);
        let done = self.complete.complete(grant, &ask.request, deadline);
        let done = done.await?;
        Ok(Completed {
            routed: done.routed,
            message: done.message,
            finish_reason: done.finish_reason.as_str(),
            attempts: done.attempts,
            checks: done.checks,
            repaired: done.repaired,
        })
    }

    async fn stream_complete(&self, grant: &Admission, ask: Ask) -> Result<Events, Failure> {
        let deadline = deadline(&ask);
        let streaming = self
            .complete
            .stream(grant, &ask.request, deadline)
            .await
            .map_err(|error| Failure::from(error).inside("request"))?;
        let decided = Ok(Event::Decided(Box::new(streaming.routed)));
        let rest = streaming
            .events
            .map(|event| event.map(piece).map_err(Failure::cut_off));
        Ok(stream::iter([decided]).chain(rest).boxed())
    }

    async fn close_episode(
        &self,
        grant: &Admission,
        closing: EpisodeClosing,
    ) -> Result<EpisodeClosed, Failure> {
        let episode = closing.episode.clone();
        let closed = self.intake.close_episode(&grant.team, closing).await?;
        self.route.episode_closed(&grant.team, &episode);
        Ok(closed)
    }

    async fn decision(&self, grant: &Admission, id: DecisionId) -> Result<Recorded, Failure> {
        Ok(self.route.decision(&grant.team, id)?)
    }

    async fn decisions(
        &self,
        grant: &Admission,
        query: DecisionQuery,
    ) -> Result<DecisionPage, Failure> {
        Ok(self.route.decisions(&grant.team, &query)?)
    }
}

fn deadline(ask: &Ask) -> Instant {
    ask.call
        .deadline
        .unwrap_or_else(|| Instant::now() + PATIENCE)
}

fn piece(event: complete::Event) -> Event {
    match event {
        complete::Event::Text(text) => Event::Text(text),
        complete::Event::ToolCall(call) => Event::ToolCall(call),
        complete::Event::Reasoning(thought) => Event::Reasoning(thought),
        complete::Event::Done {
            finish_reason,
            attempts,
            checks,
        } => Event::Done {
            finish_reason: finish_reason.as_str(),
            attempts,
            checks,
        },
    }
}

impl Listening for Intake {
    async fn take(
        &self,
        _: &Grant,
        items: Vec<Feedback>,
        dry_run: bool,
    ) -> Result<Vec<Outcome>, Failure> {
        let mut outcomes = Vec::with_capacity(items.len());
        for item in items {
            outcomes.push(match self.submit(item, dry_run).await? {
                Verdict::Accepted => Outcome::Accepted,
                Verdict::Duplicate => Outcome::Duplicate,
                Verdict::Parked => Outcome::Parked,
                Verdict::Late => Outcome::Late,
                Verdict::Refused(refused) => Outcome::Refused(refused.into()),
            });
        }
        Ok(outcomes)
    }
}

/// What `AdminService` is served by.
#[derive(Debug)]
pub struct Desk {
    /// Takes controls, knows what has been learned.
    pub intake: Arc<Intake>,
    /// Know what is left to spend.
    pub accounts: Arc<Accounts>,
    /// Knows what is held out.
    pub route: Arc<Route>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The keys.
    pub keys: KeyDesk,
    /// Where changes are told.
    pub audit: Arc<Audit>,
}

impl Operating for Desk {
    async fn set_control(&self, grant: &Grant, wanted: Operation) -> Result<Control, Failure> {
        self.operate(grant, wanted).await?;
        let snapshot = self.intake.published().load();
        let team = snapshot.teams.get(&grant.team).ok_or_else(no_team)?;
        Ok(team.control.clone())
    }

    async fn team(&self, grant: &Grant) -> Result<TeamState, Failure> {
        let snapshot = self.intake.published().load();
        let team = snapshot.teams.get(&grant.team);
        let team = team.ok_or_else(no_team)?;
        Ok(TeamState {
            control: team.control.clone(),
            snapshot_version: snapshot.version,
            journal_sequence: self.intake.journal_sequence(),
            arms: team
                .arms
                .iter()
                .map(|(name, arm)| state(team, name, arm))
                .collect(),
            alarms: team.alarms.to_vec(),
            pace: team.pace,
            spent: self.spent(grant),
            baseline: self.route.baseline(&grant.team).cloned(),
            comparison: team.comparison.clone(),
            newcomers: team.newcomers.clone(),
            uneven: team.uneven.clone(),
            over_limit: self.route.meters().refusals(&grant.team),
        })
    }
}

impl Desk {
    fn spent(&self, grant: &Grant) -> Spent {
        let (accounts, now) = (&self.accounts, self.clock.now());
        let key = accounts.key_balance(&grant.team, &grant.key, now);
        Spent {
            team: accounts.balance(&grant.team, now),
            key: key.map(|balance| (grant.key.clone(), balance)),
            refusals: accounts.refusals(&grant.team),
        }
    }
}

fn no_team() -> Failure {
    Failure::Internal("a key of no team".to_owned())
}

fn state(team: &TeamSnapshot, name: &Name, arm: &ArmSnapshot) -> ArmState {
    let mut signal_means = BTreeMap::new();
    for (group, observed) in team.scorecard.groups().iter().zip(&arm.observed) {
        for (target, mean) in group.targets.iter().zip(observed) {
            if let (Some(target), Some(mean)) = (team.scorecard.targets().get(*target), mean) {
                signal_means.insert(target.name.clone(), *mean);
            }
        }
    }
    ArmState {
        arm: name.clone(),
        outcomes: arm.outcomes,
        signal_means,
    }
}
