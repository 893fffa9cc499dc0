//! Taking feedback in: each item is judged, put into the journal, and learned from later.
//!
//! Invariants: what is accepted is in the journal; a team can speak only of its own decisions and of
//! signals that its scorecard knows; the same item twice is kept once; feedback for a decision of
//! ours that is not visible yet is kept and waits, and so is feedback for an episode that has no
//! decision yet: it may be early, or its name mistyped.
//!
//! Not here: the wire (`grpc`), what an accepted item teaches (`team`).

use super::follow::Published;
use super::learner::Params;
use crate::clock::Clock;
use crate::decision;
use crate::id::{DecisionId, Name, listed};
use crate::redaction::Redactor;
use crate::scorecard::{self, Level, Scorecard};
use crate::signal::{Change, Feedback, Subject, Value};
use crate::store::{self, Claim, Control, Record, Store};
use crate::telemetry::{Metrics, Taken};
use arc_swap::ArcSwap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Why an item was refused.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The scorecard has no such signal.
    #[error("signals: {name} is not in scorecard {scorecard}: allowed {allowed}")]
    UnknownSignal {
        /// The signal.
        name: Name,
        /// The scorecard.
        scorecard: Name,
        /// The signals it has.
        allowed: String,
    },
    /// The scorecard cannot read the value.
    #[error("signals: {0}")]
    Value(#[from] scorecard::Error),
    /// A signal of one decision, given for an episode.
    #[error("signals: {name} is a signal of one decision: allowed with decision_id")]
    Level {
        /// The signal.
        name: Name,
    },
    /// The decision is another team's, or was never made.
    #[error("decision {id} is not known to this team")]
    DecisionNotFound {
        /// The decision.
        id: DecisionId,
    },
    /// The idempotency key came with another body.
    #[error(
        "request_id {request_id} was used with another body: allowed a new id, or the same body"
    )]
    RequestIdReused {
        /// The key.
        request_id: Name,
    },
}

/// What became of an item.
#[derive(Debug)]
pub enum Verdict {
    /// Kept; it will be learned from.
    Accepted,
    /// Kept before.
    Duplicate,
    /// Kept; its decision is not visible yet, or its episode has none.
    Parked,
    /// Kept, but past the learning window: it counts in replay only.
    Late,
    /// Refused.
    Refused(Refused),
}

/// Why a whole call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A team without configuration.
    #[error("team {0} is not configured")]
    UnknownTeam(Name),
    /// An arm without configuration.
    #[error("arm {arm} is not one of the team's: allowed {known}")]
    UnknownArm {
        /// The arm.
        arm: Name,
        /// Those that there are.
        known: String,
    },
    /// The idempotency key came with another body.
    #[error("request_id {0} was used with another body: allowed a new id, or the same body")]
    RequestIdReused(Name),
    /// No decision of the team names this episode.
    #[error("episode {0} is not known to this team: allowed one that a decision of the team names")]
    UnknownEpisode(Name),
}

/// An episode to close.
#[derive(Debug, Clone, PartialEq)]
pub struct EpisodeClosing {
    /// The episode.
    pub episode: Name,
    /// Idempotency key and hash of the body.
    pub request: Option<decision::Request>,
}

/// What closing an episode did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpisodeClosed {
    /// Decisions of the episode.
    pub decisions: u64,
    /// It had been closed before.
    pub already_closed: bool,
}

/// The use case and what it holds.
#[derive(Debug)]
pub struct Intake {
    params: Arc<Params>,
    store: Arc<Store>,
    published: Arc<Published>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    /// Teams whose comments are kept as they are.
    whole: ArcSwap<BTreeSet<Name>>,
}

impl Intake {
    /// Puts the use case together.
    pub fn new(
        params: Arc<Params>,
        store: Arc<Store>,
        published: Arc<Published>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            params,
            store,
            published,
            clock,
            metrics: Arc::default(),
            whole: ArcSwap::default(),
        }
    }

    /// Told to `metrics` too.
    #[must_use]
    pub fn counted(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics, ..self }
    }

    /// Judges one item and keeps it, unless `dry_run`.
    pub async fn submit(&self, item: Feedback, dry_run: bool) -> Result<Verdict, Error> {
        let verdict = self.take(item, dry_run).await;
        if !dry_run {
            self.metrics.feedback(match &verdict {
                Ok(Verdict::Accepted) => Taken::Accepted,
                Ok(Verdict::Duplicate) => Taken::Duplicate,
                Ok(Verdict::Parked) => Taken::Parked,
                Ok(Verdict::Late) => Taken::Late,
                Ok(Verdict::Refused(_)) => Taken::Refused,
                Err(_) => Taken::Failed,
            });
        }
        verdict
    }

    async fn take(&self, item: Feedback, dry_run: bool) -> Result<Verdict, Error> {
        let team = self.params.teams.get(&item.team);
        let team = team.ok_or_else(|| Error::UnknownTeam(item.team.clone()))?;
        // First: what else is wrong with it does not tell another team's decision from nobody's.
        let verdict = self.visible(&item)?;
        if matches!(verdict, Verdict::Refused(_)) {
            return Ok(verdict);
        }
        if let Err(refused) = check(&team.scorecard, &item) {
            return Ok(Verdict::Refused(refused));
        }
        let _turn = match &item.request_id {
            Some(id) => match self.store.claim(&item.team, id, item.body_hash).await? {
                Claim::New(turn) => Some(turn),
                Claim::Known(..) => return Ok(Verdict::Duplicate),
                Claim::Conflict => {
                    let request_id = id.clone();
                    return Ok(Verdict::Refused(Refused::RequestIdReused { request_id }));
                }
            },
            None => {
                let turn = self.store.content_turn(&item.team, item.body_hash).await;
                if self.store.repeats(&item)? {
                    self.all_durable().await?;
                    return Ok(Verdict::Duplicate);
                }
                Some(turn)
            }
        };
        if !dry_run {
            let record = Record::Feedback(self.kept(item));
            self.store.commit(&record).await?;
            if let Record::Feedback(item) = &record {
                self.metrics.kept(item);
            }
        }
        Ok(verdict)
    }

    /// Comments as they are kept: without personal data and secrets, unless the team keeps words as they are.
    fn kept(&self, mut item: Feedback) -> Feedback {
        if self.whole.load().contains(&item.team) {
            return item;
        }
        for (_, change) in &mut item.signals {
            if let Change::Observed(Value::Comment(text)) | Change::Corrected(Value::Comment(text)) =
                change
                && let Some(redacted) = Redactor::whole().text(text)
            {
                *text = redacted.text;
            }
        }
        item
    }

    /// The teams whose comments are kept as they are, from here on: those that record full content.
    pub fn keep_whole(&self, teams: BTreeSet<Name>) {
        self.whole.store(Arc::new(teams));
    }

    fn visible(&self, item: &Feedback) -> Result<Verdict, Error> {
        let id = match &item.subject {
            Subject::Decision(id) => *id,
            Subject::Episode(name) => {
                return Ok(match self.store.knows_episode(&item.team, name)? {
                    true => Verdict::Accepted,
                    false => Verdict::Parked,
                });
            }
        };
        Ok(match self.store.decision(id)? {
            Some((_, known)) if known.team != item.team => {
                Verdict::Refused(Refused::DecisionNotFound { id })
            }
            Some(_) => Verdict::Accepted,
            None if self.is_late(&item.team, id) => Verdict::Late,
            None => Verdict::Parked,
        })
    }

    fn is_late(&self, team: &Name, id: DecisionId) -> bool {
        let team = self.params.teams.get(team);
        let window = team.map(|team| team.window(&self.params.limits));
        window.is_some_and(|window| id.minted().after(window) < self.clock.now())
    }

    /// Waits until what was kept before counts as done: whoever kept it may have been dropped before
    /// it was told.
    async fn all_durable(&self) -> Result<(), store::Error> {
        let journal = self.store.journal();
        journal.durable(journal.newest()).await
    }

    /// Closes an episode.
    pub async fn close_episode(
        &self,
        team: &Name,
        closing: EpisodeClosing,
    ) -> Result<EpisodeClosed, Error> {
        let _turn = match &closing.request {
            Some(request) => {
                match self
                    .store
                    .claim(team, &request.id, request.body_hash)
                    .await?
                {
                    Claim::New(turn) => Some(turn),
                    Claim::Known(..) => None,
                    Claim::Conflict => return Err(Error::RequestIdReused(request.id.clone())),
                }
            }
            None => None,
        };
        let known = self.store.episode(team, &closing.episode)?;
        let known = known.ok_or_else(|| Error::UnknownEpisode(closing.episode.clone()))?;
        let already_closed = known.closed.is_some();
        if already_closed {
            self.all_durable().await?;
        } else {
            let record = Record::EpisodeClosed {
                team: team.clone(),
                episode: closing.episode,
                time: self.clock.now(),
                request: closing.request,
            };
            self.store.commit(&record).await?;
        }
        let decisions = u64::try_from(known.decisions).unwrap_or(u64::MAX);
        Ok(EpisodeClosed {
            decisions,
            already_closed,
        })
    }

    /// Sets a team's pin and freeze; returns when decisions follow it.
    pub async fn set_control(&self, team: &Name, control: Control) -> Result<(), Error> {
        let known = self
            .params
            .teams
            .get(team)
            .ok_or_else(|| Error::UnknownTeam(team.clone()))?;
        if let Some(arm) = control
            .pinned
            .as_ref()
            .filter(|arm| !known.arms.contains(arm))
        {
            return Err(Error::UnknownArm {
                arm: arm.clone(),
                known: listed(&known.arms),
            });
        }
        let record = Record::Control {
            team: team.clone(),
            control,
            time: self.clock.now(),
        };
        self.store.commit(&record).await?;
        // Not when it is learned: a learner that is far behind must not hold up an operator.
        self.published.control(&self.store);
        Ok(())
    }

    /// Lifts a team's guard, whether it holds or not; in the journal before it returns.
    pub async fn lift_guard(&self, team: &Name) -> Result<(), Error> {
        let record = Record::GuardLifted {
            team: team.clone(),
            time: self.clock.now(),
        };
        self.store.commit(&record).await?;
        Ok(())
    }

    /// Journal sequence of the newest record.
    pub fn journal_sequence(&self) -> u64 {
        self.store.journal().newest()
    }

    /// What has been learned.
    pub fn published(&self) -> &Published {
        &self.published
    }
}

/// Whether the scorecard knows every signal of the item and can read its value.
fn check(scorecard: &Scorecard, item: &Feedback) -> Result<(), Refused> {
    for (name, change) in &item.signals {
        let comment = matches!(
            change,
            Change::Observed(Value::Comment(_)) | Change::Corrected(Value::Comment(_))
        );
        let Some(index) = scorecard.signal(name.as_str()) else {
            if comment {
                continue;
            }
            let names: Vec<&str> = scorecard
                .signals()
                .iter()
                .map(|s| s.name.as_str())
                .collect();
            return Err(Refused::UnknownSignal {
                name: name.clone(),
                scorecard: scorecard.definition().name.clone(),
                allowed: names.join(", "),
            });
        };
        let of_decision = scorecard.signals()[index].level == Level::Decision;
        if of_decision && matches!(item.subject, Subject::Episode(_)) && !comment {
            return Err(Refused::Level { name: name.clone() });
        }
        if let Change::Observed(value) | Change::Corrected(value) = change {
            scorecard.normalise(index, value)?;
        }
    }
    Ok(())
}
