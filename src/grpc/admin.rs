//! `AdminService`: admit, decode, call the use case, encode.
//!
//! Invariants: a key operates its own team and no other, and cannot learn which others there are.
//!
//! Not here: what a pin or a freeze does (`route`, `learn`), what becomes of a key (`access`).

use super::auth::serve;
use super::decode::{self, Control, Operation};
use super::encode;
use super::keeping::Keeping;
use super::status::Failure;
use crate::access::{Grant, Scope};
use crate::account::{Balance, Refusal};
use crate::budget::Pace;
use crate::id::Name;
use crate::learn::{Alarm, Comparison, Newcomer, Uneven};
use crate::proto::v1::{self, admin_service_server::AdminService};
use crate::quota;
use crate::route::Baseline;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// What the service needs done.
pub trait Operating: Send + Sync + 'static {
    /// Sets the control of the grant's team, where one is given, and lifts its guard, if that is wanted; in
    /// the journal before it returns what control holds. A pinned arm that the team does not have is an
    /// invalid field `control.pinned_arm`.
    fn set_control(
        &self,
        grant: &Grant,
        wanted: Operation,
    ) -> impl Future<Output = Result<Control, Failure>> + Send;

    /// The state of the grant's team.
    fn team(&self, grant: &Grant) -> impl Future<Output = Result<TeamState, Failure>> + Send;
}

/// What hard limits say to who asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spent {
    /// Where the team's stands; `None` without one.
    pub team: Option<Balance>,
    /// Where that of the key that asks stands, with its name; `None` without one.
    pub key: Option<(Name, Balance)>,
    /// The team's newest requests that were refused for want of money, the latest last.
    pub refusals: Vec<Refusal>,
}

/// A team's state.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TeamState {
    /// Its control.
    pub control: Control,
    /// Journal sequence up to which the learner has learned.
    pub snapshot_version: u64,
    /// Journal sequence of the newest record.
    pub journal_sequence: u64,
    /// What has been learned of each arm.
    pub arms: Vec<ArmState>,
    /// Changes of arms that were noticed, newest last.
    pub alarms: Vec<Alarm>,
    /// Where its pacing stands; `None` where it has none.
    pub pace: Option<Pace>,
    /// What its hard limit says, that of the key that asks, and what was refused.
    pub spent: Spent,
    /// Where its traffic would go without a router, and the share held out for that.
    pub baseline: Option<Baseline>,
    /// Signals that are reported more often of one arm than of another.
    pub uneven: Vec<Uneven>,
    /// Its newest calls that were refused by a limit, the latest last.
    pub over_limit: Vec<quota::Refusal>,
    /// The router compared with its baseline.
    pub comparison: Option<Comparison>,
    /// Arms that joined later than the others, by name.
    pub newcomers: BTreeMap<Name, Newcomer>,
}

/// What has been learned of an arm.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmState {
    /// The arm.
    pub arm: Name,
    /// Outcomes learned from.
    pub outcomes: u64,
    /// Mean of each signal, normalised to 0 worst, 1 best.
    pub signal_means: BTreeMap<Name, f64>,
}

/// The service over a use case.
#[derive(Debug)]
pub struct Operator<U> {
    operating: Arc<U>,
}

impl<U: Operating + Keeping> Operator<U> {
    /// Serves `operating`.
    pub fn new(operating: Arc<U>) -> Self {
        Self { operating }
    }
}

#[tonic::async_trait]
impl<U: Operating + Keeping> AdminService for Operator<U> {
    async fn set_control(
        &self,
        request: Request<v1::SetControlRequest>,
    ) -> Result<Response<v1::SetControlResponse>, Status> {
        serve(request, Scope::Admin, |a| async move {
            let (team, wanted) = decode::set_control(&a.asked)?;
            own(&a.grant, &team)?;
            let set = self.operating.set_control(&a.grant, wanted).await?;
            let control = Some(control(&set));
            Ok(v1::SetControlResponse { control })
        })
        .await
    }

    async fn get_team(
        &self,
        request: Request<v1::GetTeamRequest>,
    ) -> Result<Response<v1::GetTeamResponse>, Status> {
        serve(request, Scope::Admin, |a| async move {
            own(&a.grant, &decode::team(&a.asked)?)?;
            let state = self.operating.team(&a.grant).await?;
            let limit_refusals = state.over_limit.into_iter();
            let uneven_reports = state.uneven.iter().map(encode::uneven).collect();
            Ok(v1::GetTeamResponse {
                uneven_reports,
                limit_refusals: limit_refusals.map(encode::over_limit).collect(),
                control: Some(control(&state.control)),
                snapshot_version: encode::count(state.snapshot_version),
                journal_sequence: encode::count(state.journal_sequence),
                arms: state.arms.into_iter().map(arm).collect(),
                alarms: state.alarms.iter().map(encode::alarm).collect(),
                budget: encode::budget(state.pace, state.spent),
                holdout: encode::holdout(state.baseline.as_ref(), state.comparison.as_ref()),
                newcomers: state.newcomers.iter().map(encode::newcomer).collect(),
            })
        })
        .await
    }

    async fn create_key(
        &self,
        request: Request<v1::CreateKeyRequest>,
    ) -> Result<Response<v1::CreateKeyResponse>, Status> {
        serve(request, Scope::Admin, |a| async move {
            let (team, wanted) = decode::create_key(a.asked)?;
            own(&a.grant, &team)?;
            let (text, key) = self
                .operating
                .create_key(Arc::clone(a.grant.grant()), wanted)
                .await?;
            Ok(v1::CreateKeyResponse {
                key_text: text.reveal().to_owned(),
                key: Some(encode::key(&key)),
            })
        })
        .await
    }

    async fn list_keys(
        &self,
        request: Request<v1::ListKeysRequest>,
    ) -> Result<Response<v1::ListKeysResponse>, Status> {
        serve(request, Scope::Admin, |a| async move {
            let (team, after, size) = decode::list_keys(&a.asked)?;
            own(&a.grant, &team)?;
            let page = self.operating.list_keys(&a.grant, after, size).await?;
            Ok(encode::list_keys(&page))
        })
        .await
    }

    async fn rotate_key(
        &self,
        request: Request<v1::RotateKeyRequest>,
    ) -> Result<Response<v1::RotateKeyResponse>, Status> {
        serve(request, Scope::Admin, |a| async move {
            let (team, name, overlap) = decode::rotate_key(&a.asked)?;
            own(&a.grant, &team)?;
            let rotated = self
                .operating
                .rotate_key(Arc::clone(a.grant.grant()), name, overlap)
                .await;
            let (text, key) = rotated?;
            Ok(v1::RotateKeyResponse {
                key_text: text.reveal().to_owned(),
                key: Some(encode::key(&key)),
            })
        })
        .await
    }

    async fn revoke_key(
        &self,
        request: Request<v1::RevokeKeyRequest>,
    ) -> Result<Response<v1::RevokeKeyResponse>, Status> {
        serve(request, Scope::Admin, |a| async move {
            let (team, name) = decode::revoke_key(&a.asked)?;
            own(&a.grant, &team)?;
            let key = self
                .operating
                .revoke_key(Arc::clone(a.grant.grant()), name)
                .await?;
            let key = Some(encode::key(&key));
            Ok(v1::RevokeKeyResponse { key })
        })
        .await
    }
}

fn own(grant: &Grant, team: &Name) -> Result<(), Failure> {
    if grant.team == *team {
        return Ok(());
    }
    let action = format!("operate that team: allowed its own team, {}", grant.team);
    Err(Failure::NotAllowed { action })
}

fn control(control: &Control) -> v1::Control {
    v1::Control {
        pinned_arm: control
            .pinned
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        frozen: control.frozen,
    }
}

fn arm(state: ArmState) -> v1::ArmState {
    let means = state.signal_means.into_iter();
    v1::ArmState {
        arm: state.arm.to_string(),
        outcome_count: encode::count(state.outcomes),
        signal_means: means.map(|(name, mean)| (name.to_string(), mean)).collect(),
    }
}
