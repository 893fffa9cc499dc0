//! Requests of `AdminService`.
//!
//! Invariants: a team's name is good; a control is there.
//!
//! Not here: whether the key may operate that team, whether the arm is one of it.

use super::super::field::Fields;
use super::super::status::Failure;
use crate::id::Name;
use crate::proto::v1;

/// As the journal keeps it.
pub use crate::store::Control;

/// A team and the control it shall have.
pub(in crate::grpc) fn set_control(
    said: &v1::SetControlRequest,
) -> Result<(Name, Control), Failure> {
    let mut fields = Fields::default();
    let team = fields.name("team", &said.team);
    let control = fields.required("control", said.control.as_ref());
    let control = control.map(|control| Control {
        pinned: fields.name_unless_empty("control.pinned_arm", &control.pinned_arm),
        frozen: control.frozen,
    });
    fields.finish(team.zip(control))
}

/// The team asked about.
pub(in crate::grpc) fn team(said: &v1::GetTeamRequest) -> Result<Name, Failure> {
    let mut fields = Fields::default();
    let team = fields.name("team", &said.team);
    fields.finish(team)
}
