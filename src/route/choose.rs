//! The Route use case: one request to one recorded decision.
//!
//! The life of a request: find its idempotency key; make the context; ask which arms may take it;
//! estimate each; draw one; put the decision into the journal; answer.
//!
//! Invariants: the reply is given after the journal has the decision; calls of one episode and task
//! take turns, so that exactly one of them draws; what is held for a decision that its caller does not hear of
//! is let go ([`Unheard`]).
//!
//! Not here: reading requests from the wire (`grpc`), calling the endpoint (`complete`).

use super::admission::Entered;
use super::asked::{Asked, need};
use super::context::{self, Capabilities};
use super::error::Error;
use super::experiment::{Baseline, Part};
use super::in_time::until;
use super::known::Known;
use super::names;
use super::reply::{Begun, Routed};
use super::request::Request;
use super::spending::Spending;
use super::team::{Named, Recording, Team};
use super::unheard::Unheard;
use crate::access::Grant;
use crate::clock::Clock;
use crate::decision::{Cell, Decision};
use crate::eligibility::Catalogue;
use crate::id::{DecisionId, Mint, Name};
use crate::learn::TeamSnapshot;
use crate::quota::Quotas;
use crate::store::Draw;
use crate::store::{Claim, Record, Store};
use crate::telemetry::{Method, Metrics, Outcome};
use crate::unit::Timestamp;
use crate::warmth::Warm;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::time::Instant;

/// The use case and what it holds.
#[derive(Debug)]
pub struct Route {
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) teams: BTreeMap<Name, Named>,
    pub(super) known: Known,
    pub(super) store: Arc<Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) mint: Mint,
    pub(super) capabilities: Capabilities,
    pub(super) quotas: Quotas,
}

impl Route {
    /// Puts the use case together.
    pub fn new(
        catalogue: Arc<Catalogue>,
        teams: BTreeMap<Name, Team>,
        known: Known,
        store: Arc<Store>,
        clock: Arc<dyn Clock>,
        mint: Mint,
    ) -> Result<Self, crate::id::Error> {
        let capabilities = Capabilities::new()?;
        let named = |(name, team): (Name, Team)| Ok((name, Named::new(team)?));
        Ok(Self {
            catalogue,
            teams: teams.into_iter().map(named).collect::<Result<_, _>>()?,
            known,
            store,
            clock,
            mint,
            capabilities,
            quotas: Quotas::default(),
        })
    }

    /// Hear what becomes of calls.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.known.metrics
    }

    /// What it keeps its decisions in.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Where a team's traffic would go without a router.
    pub fn baseline(&self, team: &Name) -> Option<&Baseline> {
        self.teams.get(team)?.team.baseline.as_ref()
    }

    /// The clock and the secret that ids are made with.
    pub fn mint(&self) -> &Mint {
        &self.mint
    }

    /// Most output tokens that an arm is configured for, if it is.
    pub fn output_cap(&self, arm: &Name) -> Option<u32> {
        let index = self.catalogue.arm(arm.as_str())?;
        self.catalogue.arms().get(index)?.max_output_tokens
    }

    /// What is still held for a decision that nobody tries any more is free again.
    pub fn let_go(&self, decision: &Decision) {
        let accounts = &self.known.accounts;
        accounts.cancel(&decision.team, decision.id, self.clock.now());
    }

    /// Decides; a repeat of a request id gets the first decision, of whose endpoints it may still ask those named.
    pub async fn route(&self, caller: &Grant, request: &Request) -> Result<Routed, Error> {
        let mut call = self.known.metrics.begin(Method::Route, &caller.team);
        let begun = self.asked_to_route(caller, request).await;
        match &begun {
            Ok(begun) if begun.routed.repeated => call.repeats(&begun.routed.decision),
            Ok(begun) => {
                call.decided(&begun.routed.decision);
                call.end(Outcome::Ok);
            }
            Err(error) => error.tell(&mut call),
        }
        Ok(begun?.routed)
    }

    /// The caller sends the prompt itself: what was found in it is told, and what may not leave is refused. The choice
    /// and what is kept go by the request as it may leave, as where we send it.
    async fn asked_to_route(&self, caller: &Grant, request: &Request) -> Result<Begun, Error> {
        let entered = self.enter(caller, request).await?;
        let request: &Request = &entered.request;
        let mut begun = self.begun(caller, &entered, None).await?;
        if begun.routed.repeated {
            self.permit_again(caller, request, &mut begun.routed)?;
            begun = self.held_again(caller, request, begun).await?;
        }
        Ok(begun)
    }

    /// As [`Route::route`], of a call that was let in, for one that goes on and asks the endpoint: the request id stays
    /// its own until it drops the turn. Nothing is waited for beyond `deadline` that others may settle.
    pub async fn begin(
        &self,
        caller: &Grant,
        entered: &Entered<'_>,
        deadline: Instant,
    ) -> Result<Begun, Error> {
        self.known.standing.request(&caller.team);
        self.begun(caller, entered, Some(deadline)).await
    }

    /// `deadline`: the caller's, where we ask the endpoint. If not, no probe of it is taken: nobody may ever ask,
    /// or tell.
    async fn begun(
        &self,
        caller: &Grant,
        entered: &Entered<'_>,
        deadline: Option<Instant>,
    ) -> Result<Begun, Error> {
        let mut begun = self.once(caller, &entered.request, deadline).await?;
        if deadline.is_none() && !begun.routed.repeated {
            let pass = entered.pass.iter();
            pass.for_each(|pass| pass.used_as_expected());
        }
        begun.routed.pass = entered.pass.clone();
        begun.routed.told = entered.told.clone();
        Ok(begun)
    }

    /// One request id gets one decision.
    async fn once(
        &self,
        caller: &Grant,
        request: &Request,
        deadline: Option<Instant>,
    ) -> Result<Begun, Error> {
        let asks = deadline.is_some();
        let Some(asked) = &request.request else {
            let how = (asks, until(deadline));
            let routed = self.anew(caller, request, how).await?;
            return Ok(Begun { routed, turn: None });
        };
        let reused = || Error::RequestIdReused {
            request_id: asked.id.clone(),
        };
        let (store, team) = (&self.store, &caller.team);
        let (routed, turn) = match store.claim(team, &asked.id, asked.body_hash).await? {
            Claim::Conflict => return Err(reused()),
            Claim::Known(known, turn) => match store.journal().at(known.position)? {
                Record::Decision(decision) => {
                    let mut routed = self.routed(Arc::from(decision))?;
                    routed.repeated = true;
                    (routed, turn)
                }
                _ => return Err(reused()),
            },
            Claim::New(turn) => {
                let how = (asks, until(deadline));
                (self.anew(caller, request, how).await?, turn)
            }
        };
        let turn = Some(turn);
        Ok(Begun { routed, turn })
    }

    /// What the endpoints' caches hold of a request's session.
    pub(super) fn warm(&self, caller: &Grant, request: &Request, now: Timestamp) -> Warm {
        let warm = |session| self.known.warmth.of(&caller.team, session, now);
        request.session.as_ref().map_or_else(Warm::default, warm)
    }

    /// `how`: whether we ask the endpoint, and until when money is waited for.
    pub(super) async fn in_turn(
        &self,
        caller: &Grant,
        request: &Request,
        how: (bool, Instant),
    ) -> Result<Routed, Error> {
        let Some(episode) = &request.episode else {
            return self.decide_and_keep(caller, request, None, how).await;
        };
        let task = request.task.as_ref();
        let _turn = self.store.draw_turn(&caller.team, episode, task).await;
        let first = self.store.draw(&caller.team, episode, task)?;
        self.decide_and_keep(caller, request, first, how).await
    }

    async fn decide_and_keep(
        &self,
        caller: &Grant,
        request: &Request,
        first: Option<Draw>,
        (asks, until): (bool, Instant),
    ) -> Result<Routed, Error> {
        let decide = || self.decide(caller, request, first.clone(), asks);
        let task = request.task.as_ref();
        // Before anything is held: nothing is awaited between that and the record.
        let content = self.content(caller, request).await;
        let mut decision = self.in_time(caller, task, until, decide).await?;
        decision.content = content;
        let unheard = Unheard::new((&self.known.accounts, &self.known.standing), &decision);
        let record = Record::Decision(Box::new(decision));
        self.store.commit(&record).await?;
        self.known.warmth.note(&record);
        let Record::Decision(decision) = record else {
            return Err(Error::Bug("not a decision"));
        };
        let routed = self.routed(Arc::from(decision))?;
        unheard.heard();
        Ok(routed)
    }

    /// Decides among the arms that nothing is held against; where none is left, among those that only callers
    /// speak against; anew, where another request took an endpoint's one probe meanwhile.
    fn decide(
        &self,
        caller: &Grant,
        request: &Request,
        first: Option<Draw>,
        asks: bool,
    ) -> Result<Decision, Error> {
        let named = self.teams.get(&caller.team);
        let team = &named.ok_or(Error::Bug("a key of no team"))?.team;
        names::check((&self.catalogue, &self.capabilities), team, request)?;
        let standing = &self.known.standing;
        let mut believing = true;
        // Each round but one lays an endpoint to rest.
        for _ in 0..self.catalogue.endpoints().len() + 2 {
            let now = self.clock.now();
            let resting = || standing.resting(now);
            let shut = match believing {
                true => standing.unavailable(now),
                false => resting(),
            };
            let decided = self.decide_without(&shut, (caller, request), first.clone(), asks);
            match decided {
                Ok(Some(decision)) => return Ok(decision),
                Ok(None) => {}
                Err(Error::NoEligibleArm { .. } | Error::AtRest(_))
                    if believing && shut != resting() =>
                {
                    believing = false;
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::Bug("an endpoint that rests is chosen"))
    }

    /// Decides among the endpoints that are not `shut`. `None`: as [`Route::choose`] says.
    fn decide_without(
        &self,
        shut: &[bool],
        (caller, request): (&Grant, &Request),
        first: Option<Draw>,
        asks: bool,
    ) -> Result<Option<Decision>, Error> {
        let of_none = Error::Bug("a key of no team");
        let named = self.teams.get(&caller.team).ok_or(of_none)?;
        let team = &named.team;
        let now = self.clock.now();
        let x = context::context(&team.extractor, request)?;
        let snapshot = self.known.published.load();
        let learned = snapshot.teams.get(&caller.team);
        let learned = learned.ok_or(Error::Bug("no snapshot"))?;
        let capabilities = self.capabilities.needed(request);
        let (id, secret) = (self.mint.next(now), self.mint.secret());
        let part = self.part(named, learned, (id, &caller.team, request.episode.as_ref()));
        let cell = part.cell;
        let asked = Asked {
            need: need(caller, team, request, &capabilities, shut),
            x: &x,
            request,
            first,
            part,
            learned,
            warm: self.warm(caller, request, now),
            id,
            now,
            asks,
        };
        let accounts = &self.known.accounts;
        let spending = Spending::open(accounts, caller, learned.pace, (secret, id), now);
        let input_tokens = asked.need.input.expected();
        let chosen = self.choose(asked, spending.asking(asks))?;
        Ok(chosen.map(|chosen| Decision {
            id,
            time: now,
            team: caller.team.clone(),
            key: caller.key.clone(),
            task: request.task.clone(),
            episode: request.episode.clone(),
            session: request.session.clone(),
            request: request.request.clone(),
            origin: chosen.origin,
            policy: chosen.policy,
            scorecard_version: learned.scorecard_version,
            snapshot_version: snapshot.version,
            feature_set: named.feature_set.clone(),
            context: (team.recording != Recording::Nothing).then(|| x.to_vec()),
            input_tokens,
            drawn: chosen.drawn,
            excluded: chosen.excluded,
            endpoint: chosen.endpoint,
            fallbacks: chosen.fallbacks,
            content: None,
            cell,
            allowance: chosen.allowance,
        }))
    }

    /// A decision's part in its team's experiment.
    fn part<'a>(
        &self,
        named: &'a Named,
        learned: &TeamSnapshot,
        (id, team, episode): (DecisionId, &Name, Option<&Name>),
    ) -> Part<'a> {
        let (baseline, secret) = (named.team.baseline.as_ref(), self.mint.secret());
        let holds = baseline.is_some_and(|baseline| baseline.is_guarded(learned));
        let cell = |baseline: &Baseline| baseline.cell(secret, id, (team, episode));
        let cell = baseline.map_or(Cell::Router, cell);
        Part {
            cell,
            chooser: &named.chooser,
            guarded: named.guarded.as_ref().filter(|_| holds),
            held_out: baseline.map(|b| &b.arm).filter(|_| cell == Cell::Holdout),
        }
    }

    /// Endpoints from the decision alone, so that a repeat gets the same reply, as far as it still may (`again`).
    pub(super) fn routed(&self, decision: Arc<Decision>) -> Result<Routed, Error> {
        let gone = Error::EndpointGone {
            endpoint: decision.endpoint.clone(),
        };
        let endpoint = self
            .catalogue
            .endpoint(decision.endpoint.as_str())
            .ok_or(gone)?
            .clone();
        // One that has left the configuration since is not named any more.
        let named = decision.fallbacks.iter();
        let fallbacks = named
            .filter_map(|name| self.catalogue.endpoint(name.as_str()).cloned())
            .collect();
        Ok(Routed {
            decision,
            endpoint,
            fallbacks,
            repeated: false,
            told: None,
            pass: None,
            watched: None,
        })
    }
}
