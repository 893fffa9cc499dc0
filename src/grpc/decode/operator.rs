//! Requests of `AdminService`.
//!
//! Invariants: a team's name is good; a control is there, or the guard is lifted.
//!
//! Not here: whether the key may operate that team, whether the arm is one of it.

use super::super::status::Failure;
use crate::field::Fields;
use crate::id::Name;
use crate::proto::v1;

/// As the journal keeps it.
pub use crate::store::Control;

/// What an operator wants of a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The control that it shall have; `None`: the one it has.
    pub control: Option<Control>,
    /// Whether its guard is lifted.
    pub lift_guard: bool,
}

/// A team and what is wanted of it.
pub(in crate::grpc) fn set_control(
    said: &v1::SetControlRequest,
) -> Result<(Name, Operation), Failure> {
    let mut fields = Fields::default();
    let team = fields.name("team", &said.team);
    let control = match said.lift_guard {
        true => said.control.as_ref(),
        false => fields.required("control", said.control.as_ref()),
    };
    let control = control.map(|control| Control {
        pinned: fields.name_unless_empty("control.pinned_arm", &control.pinned_arm),
        frozen: control.frozen,
    });
    let lift_guard = said.lift_guard;
    let wanted = Operation {
        control,
        lift_guard,
    };
    Ok(fields.finish(team.map(|team| (team, wanted)))?)
}

/// The team asked about.
pub(in crate::grpc) fn team(said: &v1::GetTeamRequest) -> Result<Name, Failure> {
    let mut fields = Fields::default();
    let team = fields.name("team", &said.team);
    Ok(fields.finish(team)?)
}
