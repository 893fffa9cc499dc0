//! What forbids an endpoint to a request, from the declared facts alone. It shares no line with `eligibility`.

use super::ask::Ask;
use super::world::{ABILITIES, Endpoint, Policy, World};
use std::fmt;

/// Who demands something of where data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    Team,
    TeamsClass,
    Request,
    RequestsClass,
}

/// Why an endpoint may not be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    Region(Who),
    Retention(Who),
    Training(Who),
    Certification(Who),
    KeysArms,
    KeysEndpoints,
    AllowedArms,
    DeniedArms,
    ArmOrder,
    TaskDenies,
    Capability,
    Context,
    AllowedEndpoints,
    DeniedEndpoints,
    Parameter,
    Price,
    Pin,
}

impl Reason {
    /// Each of them.
    pub(super) fn all() -> Vec<Self> {
        use Reason::*;
        let mut all = vec![
            KeysArms,
            KeysEndpoints,
            AllowedArms,
            DeniedArms,
            ArmOrder,
            TaskDenies,
            Capability,
            Context,
            AllowedEndpoints,
            DeniedEndpoints,
            Parameter,
            Price,
            Pin,
        ];
        for who in [Who::Team, Who::TeamsClass, Who::Request, Who::RequestsClass] {
            all.extend([
                Region(who),
                Retention(who),
                Training(who),
                Certification(who),
            ]);
        }
        all
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// Every reason against `place` for this request.
pub(super) fn forbids(world: &World, ask: &Ask, pin: Option<usize>, place: usize) -> Vec<Reason> {
    let endpoint = &world.endpoints[place];
    let (team, key) = (&world.teams[world.keys[ask.key].team], &world.keys[ask.key]);
    let mut reasons = Vec::new();
    for (who, policy) in [
        (Who::Team, Some(&team.policy)),
        (
            Who::TeamsClass,
            team.class.map(|class| &world.classes[class]),
        ),
        (Who::Request, ask.policy.as_ref()),
        (
            Who::RequestsClass,
            ask.class.map(|class| &world.classes[class]),
        ),
    ] {
        if let Some(policy) = policy {
            data(policy, endpoint, who, &mut reasons);
        }
    }
    let arm = endpoint.arm;
    let able = &world.arms[arm].able;
    let room = ask.input + ask.most_output.unwrap_or(256);
    let lacks = ABILITIES
        .iter()
        .any(|ability| ask.needs(ability) && !able.contains(ability));
    let listed =
        |list: &Option<Vec<usize>>, what| list.as_ref().is_some_and(|list| !list.contains(&what));
    for (holds, reason) in [
        (listed(&key.arms, arm), Reason::KeysArms),
        (listed(&key.endpoints, place), Reason::KeysEndpoints),
        (
            !ask.allowed.is_empty() && !ask.allowed.contains(&arm),
            Reason::AllowedArms,
        ),
        (ask.denied.contains(&arm), Reason::DeniedArms),
        (
            !ask.order.is_empty() && !ask.order.contains(&arm),
            Reason::ArmOrder,
        ),
        (
            ask.task == Some("guarded") && team.guarded.contains(&arm),
            Reason::TaskDenies,
        ),
        (lacks, Reason::Capability),
        (room > world.arms[arm].context, Reason::Context),
        (
            !ask.only.is_empty() && !ask.only.contains(&place),
            Reason::AllowedEndpoints,
        ),
        (ask.ignore.contains(&place), Reason::DeniedEndpoints),
        (
            ask.seed && !ask.leave_out && endpoint.refuses_seed,
            Reason::Parameter,
        ),
        (!endpoint.priced, Reason::Price),
        (pin.is_some_and(|pinned| pinned != arm), Reason::Pin),
    ] {
        if holds {
            reasons.push(reason);
        }
    }
    reasons
}

fn data(policy: &Policy, endpoint: &Endpoint, who: Who, reasons: &mut Vec<Reason>) {
    let elsewhere = match endpoint.region {
        Some(region) => !policy.regions.contains(&region),
        None => true,
    };
    if !policy.regions.is_empty() && elsewhere {
        reasons.push(Reason::Region(who));
    }
    if policy.zero_retention && !endpoint.zero_retention {
        reasons.push(Reason::Retention(who));
    }
    if policy.no_training && endpoint.trains {
        reasons.push(Reason::Training(who));
    }
    for certification in &policy.certifications {
        if !endpoint.certifications.contains(certification) {
            reasons.push(Reason::Certification(who));
        }
    }
}
