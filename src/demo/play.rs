//! Playing a world through a server: requests in order of time, and in between what is told of
//! earlier ones, when it is due.
//!
//! Invariants: before each request the learner has learned everything that was told before it, as a
//! live learner would have in the minutes between, or ([`Pace`]) all that was told until a stated time; so equal
//! worlds give equal runs.
//!
//! Not here: the calls (`caller`), what the run was worth (`team`).

use super::caller::Caller;
use super::due::Due;
use super::error::Error;
use super::notice::{Noticed, Notices};
use super::setup::{BEGIN, Stage, key};
use super::tally::Tally;
use super::watch::{Moment, Watch};
use crate::grpc::client;
use crate::scenario::{Rpc, World};
use std::time::Duration;

/// Requests between two looks at the teams' state.
const LOOK_EVERY: usize = 20;

/// Once the last request is made, time passes in steps of this.
const TAIL_STEP: Duration = Duration::from_secs(6 * 3600);

/// After the last word nothing comes any more: every signal's closing time lies within this.
const TAIL: Duration = Duration::from_secs(40 * 24 * 3600);

/// What became of one request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Played {
    /// The arm that took it, by position in the world.
    pub(super) arm: usize,
    pub(super) decision_id: String,
    /// Whether the arm was the episode's already.
    pub(super) inherited: bool,
    /// What it cost, by the server's own books.
    pub(super) cost_usd: f64,
}

/// A played world.
#[derive(Debug)]
pub(super) struct Run {
    /// One for each request of the world.
    pub(super) played: Vec<Played>,
    /// Changes of arms that the server told of, in the order in which it did.
    pub(super) noticed: Vec<Noticed>,
    /// Items of feedback that were sent.
    pub(super) reports: usize,
}

/// How often it is learned, and looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Before each request, as a live learner would; each team's state is looked at now and then.
    Live,
    /// Once in this time, as one would that learns over night; nobody looks.
    Every(Duration),
}

/// Plays `world` on `stage`, telling `watch` how it goes.
pub(super) async fn play(
    world: &World,
    stage: &Stage,
    watch: &mut dyn Watch,
) -> Result<Run, Error> {
    play_at(Pace::Live, world, stage, watch).await
}

/// As [`play`], at another pace.
pub(super) async fn play_at(
    pace: Pace,
    world: &World,
    stage: &Stage,
    watch: &mut dyn Watch,
) -> Result<Run, Error> {
    let mut callers = Vec::with_capacity(world.teams.len());
    let address = format!("http://{}", stage.running.address());
    for team in &world.teams {
        callers.push(Caller::connect(&address, &key(team.name.as_str())).await?);
    }
    let mut player = Player {
        pace,
        learned: Duration::ZERO,
        world,
        stage,
        callers,
        due: Due::default(),
        tallies: Tally::of(world),
        notices: Notices::new(world),
        run: Run {
            played: Vec::with_capacity(world.requests.len()),
            noticed: Vec::new(),
            reports: 0,
        },
    };
    for number in 0..world.requests.len() {
        player.take(number).await?;
        if number.is_multiple_of(LOOK_EVERY) {
            player.look(watch).await?;
        }
    }
    player.wind_down(watch).await?;
    Ok(player.run)
}

struct Player<'a> {
    pace: Pace,
    /// Until when.
    learned: Duration,
    world: &'a World,
    stage: &'a Stage,
    callers: Vec<Caller>,
    due: Due,
    tallies: Vec<Tally>,
    notices: Notices,
    run: Run,
}

impl Player<'_> {
    /// One request: first what is due is told and learned.
    async fn take(&mut self, number: usize) -> Result<(), Error> {
        let Some(request) = self.world.requests.get(number) else {
            return Ok(());
        };
        self.pass(request.at).await?;
        let (Some(caller), Some(scorecard)) = (
            self.callers.get_mut(request.team),
            self.stage.scorecards.get(request.team),
        ) else {
            return Ok(());
        };
        let answer = caller.ask(number, request).await?;
        let arm = self.world.arms.iter();
        let arm = arm.clone().position(|arm| arm.name.as_str() == answer.arm);
        let found = arm.and_then(|arm| Some((arm, request.outcomes.get(arm)?)));
        let (arm, outcome) = found.ok_or(Error::UnknownArm(answer.arm))?;
        let cost = match request.rpc {
            Rpc::Route => {
                caller
                    .attempted(number, &answer.decision_id, outcome)
                    .await?
            }
            Rpc::Complete => answer.cost_usd,
        };
        let id = &answer.decision_id;
        self.due
            .put(number, request, id, &outcome.signals, scorecard);
        let played = Played {
            arm,
            decision_id: answer.decision_id,
            inherited: answer.inherited,
            cost_usd: cost.unwrap_or(outcome.cost_usd),
        };
        if let Some(tally) = self.tallies.get_mut(request.team) {
            tally.add(request, &played);
        }
        self.run.played.push(played);
        Ok(())
    }

    /// Lets time pass: what comes until `at` is told, what closes until then is closed, all is learned.
    async fn pass(&mut self, at: Duration) -> Result<(), Error> {
        self.stage.clock.pass(BEGIN.after(at));
        let mut batches: Vec<Vec<_>> = self.callers.iter().map(|_| Vec::new()).collect();
        for (at, report) in self.due.by(at) {
            let mut item = report.item;
            item.observed_time = Some(client::timestamp(BEGIN.after(at)));
            if let Some(batch) = batches.get_mut(report.team) {
                batch.push((report.request, item));
            }
        }
        for (caller, batch) in self.callers.iter_mut().zip(batches) {
            self.run.reports += batch.len();
            caller.report(batch).await?;
        }
        match self.pace {
            Pace::Every(time) if at < self.learned + time => return Ok(()),
            Pace::Every(_) | Pace::Live => self.learned = at,
        }
        Ok(self.stage.stepper.learn().await?)
    }

    /// Everything that is still to come, and every closing time.
    async fn wind_down(&mut self, watch: &mut dyn Watch) -> Result<(), Error> {
        let mut now = self.world.requests.last().map_or(Duration::ZERO, |r| r.at);
        let end = now + TAIL;
        while let Some(next) = self.due.next() {
            now = (now + TAIL_STEP).max(next);
            self.pass(now).await?;
            self.look(watch).await?;
        }
        self.pass(end.max(now)).await?;
        self.look(watch).await
    }

    /// Asks for each team's state, and shows how things stand.
    async fn look(&mut self, watch: &mut dyn Watch) -> Result<(), Error> {
        if self.pace != Pace::Live {
            return Ok(());
        }
        for (team, caller) in self.callers.iter_mut().enumerate() {
            let Some(name) = self.world.teams.get(team).map(|t| &t.name) else {
                continue;
            };
            let state = caller.state(name.as_str()).await?;
            for noticed in self.notices.new_in(team, &state, self.world) {
                watch.noticed(&noticed);
                self.run.noticed.push(noticed);
            }
        }
        let done = self.run.played.len();
        let at = done.checked_sub(1).and_then(|i| self.world.requests.get(i));
        let moments = self.tallies.iter().map(Tally::moment);
        watch.moment(&Moment {
            day: at.map_or(0.0, |r| r.at.as_secs_f64() / 86_400.0),
            done,
            total: self.world.requests.len(),
            teams: moments.collect(),
        });
        Ok(())
    }
}
