//! The use case: a team makes, lists, rotates and revokes its own keys.
//!
//! Invariants: a change is on disk before it is published, published before it is acknowledged, and no two are at
//! work at once; who changes something must still hold a good key when its turn comes, so that nothing that was
//! under way survives a revocation; a key is given no right that its maker has not, and none by a key that has a
//! budget or limits of its own, for no key that is made has such; a name is never given twice, for decisions record it. A
//! revocation that cannot be written is in force all the same until the next start.
//!
//! Everything here may wait for the disk: call it where that holds up nobody.
//!
//! Not here: who stands at the doors (`porter`), the bytes (`made`, `store::keyed`).

use super::listed::{KeyPage, Listed};
use super::made::{Made, Ring, Sealed};
use super::porter::{InForce, Porter};
use super::refused::{HAS_BUDGET, HAS_LIMITS, KeyError};
use super::seal::Sealer;
use super::text::{self, Chance, KeyText};
use super::{Bounds, Grant, Keys, Scope};
use crate::clock::Clock;
use crate::eligibility::Catalogue;
use crate::field::Violation;
use crate::id::{Name, listed};
use crate::store::Keyed;
use crate::store::audit::{Action, Audit, Change};
use crate::unit::Timestamp;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Most keys of a team, those that were revoked among them.
const MOST_KEYS: usize = 10_000;

/// A key that is wanted. What is `None`, or empty among networks, is as the calling key has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: Name,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// The arms that it may use.
    pub arms: Option<BTreeSet<Name>>,
    /// What else bounds it.
    pub bounds: Bounds,
}

/// The keys of all teams, to be changed.
#[derive(Debug)]
pub struct Book {
    porter: Arc<Porter>,
    keyed: Arc<Keyed>,
    catalogue: Arc<Catalogue>,
    audit: Arc<Audit>,
    /// Team and name of each configured key with a budget.
    budgeted: BTreeSet<(Name, Name)>,
    /// Changes are made one at a time. Team and name of keys whose end is in force and could not be written whole.
    changing: Mutex<BTreeSet<(Name, Name)>>,
}

impl Book {
    /// Reads what was kept. A key that cannot be read, or of a team that is not among `teams`, is let in by
    /// nobody, and told in the log. `budgeted` are team and name of the configured keys that have a budget.
    pub fn open<'a>(
        (configured, budgeted): (Keys, BTreeSet<(Name, Name)>),
        (keyed, audit): (Arc<Keyed>, Arc<Audit>),
        catalogue: Arc<Catalogue>,
        teams: impl IntoIterator<Item = &'a Name>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, KeyError> {
        let teams: BTreeSet<&Name> = teams.into_iter().collect();
        let mut ring = Ring::default();
        let (mut damaged, mut strange) = (0, 0);
        for bytes in keyed.kept_keys()? {
            match Made::read(&bytes) {
                Some(made) if teams.contains(&made.grant.team) => ring.put(made),
                Some(_) => strange += 1,
                None => damaged += 1,
            }
        }
        if damaged > 0 {
            tracing::error!(
                damaged,
                "keys that are kept cannot be read: they let nobody in"
            );
        }
        if strange > 0 {
            tracing::warn!(
                strange,
                "keys of teams that are not configured let nobody in"
            );
        }
        let porter = Porter::new(configured, clock).with_made(ring, Sealer::new(keyed.secret()));
        Ok(Self {
            porter: Arc::new(porter),
            keyed,
            catalogue,
            audit,
            budgeted,
            changing: Mutex::default(),
        })
    }

    /// Who stands at the doors.
    pub fn porter(&self) -> &Arc<Porter> {
        &self.porter
    }

    /// Makes a key of the caller's team; its text is told this once.
    pub fn create(&self, by: &Grant, wanted: Wanted) -> Result<(KeyText, Listed), KeyError> {
        let _one = self.one_at_a_time();
        let (in_force, now) = self.still_good(by)?;
        if in_force.configured.is_open() {
            return Err(KeyError::Open);
        }
        self.is_unbound(by)?;
        self.check(&wanted, now)?;
        let grant = granted(by, wanted);
        if let Some(action) = by.beyond(&grant) {
            return Err(KeyError::Beyond { action });
        }
        let (made, name) = (&in_force.made, &grant.key);
        if made.get(&by.team, name).is_some() || is_configured(&in_force, &by.team, name) {
            let name = name.clone();
            return Err(KeyError::Exists { name });
        }
        let limit = MOST_KEYS;
        if made.of_team(&by.team).count() >= limit {
            return Err(KeyError::Full { limit });
        }
        let (text, sealed) = self.fresh(made)?;
        let made = Made {
            grant: Arc::new(grant),
            creator: by.key.clone(),
            created: now,
            revoked: None,
            text: sealed,
            before: None,
        };
        Ok((text, self.keep(made, (by, now), Action::KeyCreated)?))
    }

    /// The keys of the caller's team after this name, at most `size`.
    pub fn list(&self, by: &Grant, after: Option<&Name>, size: usize) -> KeyPage {
        let (in_force, now) = (self.porter.in_force(), self.porter.now());
        let configured = in_force.configured.grants();
        let configured = configured.filter(|grant| grant.team == by.team);
        let configured = configured.map(|grant| Listed {
            grant: Arc::clone(grant),
            life: None,
        });
        let made = in_force.made.of_team(&by.team);
        let made = made.map(|made| Listed::of(made, now));
        let later = |listed: &Listed| after.is_none_or(|after| listed.grant.key > *after);
        let mut keys: Vec<Listed> = configured.chain(made).filter(later).collect();
        keys.sort_by(|a, b| a.grant.key.cmp(&b.grant.key));
        // A name that stands in the configuration and was made here too is not cut in two.
        let name = |at: usize| keys.get(at).map(|listed: &Listed| &listed.grant.key);
        let mut end = size.max(1);
        while name(end).is_some() && name(end) == name(end - 1) {
            end += 1;
        }
        let more = keys.len() > end;
        keys.truncate(end);
        let last = keys.last().map(|listed| listed.grant.key.clone());
        KeyPage {
            next: last.filter(|_| more),
            keys,
        }
    }

    /// Gives a key a new text; the one that it has stays good for `overlap`.
    pub fn rotate(
        &self,
        by: &Grant,
        name: &Name,
        overlap: Duration,
    ) -> Result<(KeyText, Listed), KeyError> {
        let _one = self.one_at_a_time();
        let (in_force, now) = self.still_good(by)?;
        self.is_unbound(by)?;
        let made = found(&in_force, &by.team, name)?;
        if !made.is_live(now) {
            let name = name.clone();
            return Err(KeyError::Ended { name });
        }
        // Who gets the text of a key gets its rights.
        if let Some(action) = by.beyond(&made.grant) {
            return Err(KeyError::Beyond { action });
        }
        let (text, sealed) = self.fresh(&in_force.made)?;
        let before = (!overlap.is_zero()).then(|| (made.text.clone(), now.after(overlap)));
        let rotated = Made {
            // Calls that the old text let in are refused when their turn comes.
            grant: match before {
                Some(_) => Arc::clone(&made.grant),
                None => Arc::new(Grant::clone(&made.grant)),
            },
            before,
            text: sealed,
            ..Made::clone(made)
        };
        Ok((text, self.keep(rotated, (by, now), Action::KeyRotated)?))
    }

    /// Ends a key, for good. Again: what could not be written the first time is.
    pub fn revoke(&self, by: &Grant, name: &Name) -> Result<Listed, KeyError> {
        let mut unwritten = self.one_at_a_time();
        let (in_force, now) = self.still_good(by)?;
        let made = found(&in_force, &by.team, name)?;
        let place = (by.team.clone(), name.clone());
        if made.revoked.is_some() && !unwritten.contains(&place) {
            // On disk; the log may have refused it before a restart.
            let told = change(made, by, Action::KeyRevoked);
            self.audit.append_if_new(now, told)?;
            return Ok(Listed::of(made, now));
        }
        let revoked = Made {
            revoked: made.revoked.or(Some(now)),
            before: None,
            ..Made::clone(made)
        };
        unwritten.insert(place.clone());
        let listed = self.keep(revoked, (by, now), Action::KeyRevoked)?;
        unwritten.remove(&place);
        Ok(listed)
    }

    fn one_at_a_time(&self) -> MutexGuard<'_, BTreeSet<(Name, Name)>> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All keys and the time, if the caller's own is still good.
    fn still_good(&self, by: &Grant) -> Result<(Arc<InForce>, Timestamp), KeyError> {
        let (in_force, now) = (self.porter.in_force(), self.porter.now());
        match in_force.holds(by, now) {
            true => Ok((in_force, now)),
            false => Err(KeyError::CallerGone),
        }
    }

    /// Who has a budget or limits of its own gets no key beside it.
    fn is_unbound(&self, by: &Grant) -> Result<(), KeyError> {
        let budgeted = self.budgeted.contains(&(by.team.clone(), by.key.clone()));
        let action = match (budgeted, self.porter.is_limited(by)) {
            (true, _) => HAS_BUDGET,
            (false, true) => HAS_LIMITS,
            (false, false) => return Ok(()),
        };
        let action = action.to_owned();
        Err(KeyError::Beyond { action })
    }

    /// Names that the configuration does not have, and an end that is over.
    fn check(&self, wanted: &Wanted, now: Timestamp) -> Result<(), KeyError> {
        let arms: BTreeSet<&Name> = self.catalogue.arms().iter().map(|a| &a.name).collect();
        let endpoints: BTreeSet<&Name> =
            self.catalogue.endpoints().iter().map(|e| &e.name).collect();
        let mut violations = Vec::new();
        for (field, wanted, known) in [
            ("arms", &wanted.arms, &arms),
            ("endpoints", &wanted.bounds.endpoints, &endpoints),
        ] {
            let unknown = wanted.iter().flatten().find(|name| !known.contains(name));
            if let Some(name) = unknown {
                let known = listed(known.iter().copied());
                let problem = format!("{name} is not configured: allowed {known}");
                violations.push(Violation::new(field, problem));
            }
        }
        if wanted.bounds.expires.is_some_and(|end| end <= now) {
            let problem = "is over: allowed a time in the future";
            violations.push(Violation::new("expire_time", problem));
        }
        match violations.is_empty() {
            true => Ok(()),
            false => Err(KeyError::Fields(violations)),
        }
    }

    /// A text that no key has, and what is kept of it.
    fn fresh(&self, ring: &Ring) -> Result<(KeyText, Sealed), KeyError> {
        let sealer = self.porter.sealer();
        let sealer = sealer.ok_or(KeyError::Bug("a book without seals"))?;
        loop {
            let text = KeyText::of(&chance()?);
            let prefix = text::prefix(text.reveal());
            let prefix = prefix
                .ok_or(KeyError::Bug("a key of another shape"))?
                .to_owned();
            // One of 2^40 a key.
            if !ring.has_prefix(&prefix) {
                let seal = sealer.seal(&text);
                return Ok((text, Sealed { prefix, seal }));
            }
        }
    }

    /// Tells the audit log what is done, and by which key; writes what is known of the key, and publishes it. A
    /// revocation is in force whatever cannot be written.
    fn keep(
        &self,
        made: Made,
        (by, now): (&Grant, Timestamp),
        done: Action,
    ) -> Result<Listed, KeyError> {
        let grant = &made.grant;
        let told = self.audit.append(now, change(&made, by, done));
        if made.revoked.is_none() {
            told.clone()?;
        }
        let (team, key, bytes) = (&grant.team, &grant.key, made.bytes());
        let kept = match made.revoked {
            // What did not come about must not come about later; an end may.
            None => self.keyed.keep_key(team, key, &bytes),
            Some(_) => self.keyed.keep_revoked(team, key, &bytes),
        };
        if kept.is_ok() || made.revoked.is_some() {
            self.porter.publish(&made);
        }
        if kept.is_err() && told.is_ok() {
            // The caller hears of the failure itself.
            let _ = self.audit.append(now, change(&made, by, Action::Failed));
        }
        kept?;
        told?;
        tracing::info!(team = %grant.team, key = %grant.key, by = %by.key, done = done.as_str());
        Ok(Listed::of(&made, now))
    }
}

/// What the audit log is told of a key.
fn change(made: &Made, by: &Grant, action: Action) -> Change {
    let prefix = &made.text.prefix;
    let now = match action {
        Action::KeyRevoked | Action::Failed => String::new(),
        _ => format!("{}; prefix {prefix}", made.grant.in_words()),
    };
    Change {
        by: by.by(),
        action,
        team: Some(made.grant.team.clone()),
        object: made.grant.key.to_string(),
        now,
    }
}

/// A key of the caller's team, with the caller's own bounds where none are said.
fn granted(by: &Grant, wanted: Wanted) -> Grant {
    let Wanted {
        name,
        scopes,
        arms,
        bounds,
    } = wanted;
    let ours = by.bounds.clone();
    Grant {
        key: name,
        team: by.team.clone(),
        scopes,
        arms: arms.or_else(|| by.arms.clone()),
        bounds: Bounds {
            endpoints: bounds.endpoints.or(ours.endpoints),
            tasks: bounds.tasks.or(ours.tasks),
            networks: match bounds.networks.is_empty() {
                true => ours.networks,
                false => bounds.networks,
            },
            expires: bounds.expires.or(ours.expires),
        },
    }
}

/// The key that was made by this name.
fn found<'a>(in_force: &'a InForce, team: &Name, name: &Name) -> Result<&'a Arc<Made>, KeyError> {
    let made = in_force.made.get(team, name);
    made.ok_or_else(|| {
        let configured = is_configured(in_force, team, name);
        let name = name.clone();
        match configured {
            true => KeyError::Configured { name },
            false => KeyError::NotFound { name },
        }
    })
}

fn is_configured(in_force: &InForce, team: &Name, name: &Name) -> bool {
    let mut grants = in_force.configured.grants();
    grants.any(|grant| grant.team == *team && grant.key == *name)
}

fn chance() -> Result<Chance, KeyError> {
    let mut bytes = [0; size_of::<Chance>()];
    rand::TryRng::try_fill_bytes(&mut rand::rngs::SysRng, &mut bytes)
        .map_err(|error| KeyError::Random(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
