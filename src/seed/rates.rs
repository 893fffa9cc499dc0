//! Which arm each published model is, and which signal each column of rates.
//!
//! Invariants: what is found names arms of the configuration, each once, and flags of the team's scorecard,
//! each once.
//!
//! Not here: what the rates teach (`prior`).

use super::error::Error;
use crate::config;
use crate::id::{Name, listed};
use crate::scorecard::Kind;
use crate::table::{Layout, Published};
use std::path::PathBuf;

/// The column that is read where none is named.
pub(super) const MEAN: &str = "mean";

/// What to teach, to whom.
#[derive(Debug, Clone)]
pub struct Rates {
    /// The team.
    pub team: String,
    /// The file.
    pub file: PathBuf,
    /// How it is read; its rates are those that `signals` name.
    pub layout: Layout,
    /// (column, signal); empty: column `mean` is the scorecard's only signal.
    pub signals: Vec<(String, String)>,
    /// (the file's name of a model, the configuration's arm) where the two differ.
    pub arms: Vec<(String, String)>,
    /// How many outcomes of the team's own an arm's rates weigh as much as, 1 to 1000; never more than the
    /// trials that the file tells of.
    pub pseudo_count: u32,
}

/// One arm and what was published of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rated {
    pub(super) arm: Name,
    pub(super) published: Published,
}

/// The models of a file, parted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parted {
    /// Those that are arms, in the file's order.
    pub(super) rated: Vec<Rated>,
    /// Those that are not.
    pub(super) skipped: Vec<String>,
}

/// Each column with the number of its signal in the scorecard.
pub(super) fn signals(
    team: &config::Team,
    given: &[(String, String)],
) -> Result<Vec<(String, usize)>, Error> {
    let specs = team.scorecard.signals();
    let known = || listed(specs.iter().map(|spec| &spec.name));
    let given = match (given, specs) {
        ([], [only]) => vec![(MEAN.to_owned(), only.name.as_str().to_owned())],
        ([], _) => {
            return Err(Error::WhichRate {
                team: team.name.clone(),
                count: specs.len(),
                known: known(),
            });
        }
        (given, _) => given.to_vec(),
    };
    let mut found: Vec<(String, usize)> = Vec::with_capacity(given.len());
    for (column, signal) in given {
        let number = team.scorecard.signal(&signal);
        let Some((number, spec)) = number.and_then(|at| Some((at, specs.get(at)?))) else {
            return Err(Error::Signal {
                signal,
                team: team.name.clone(),
                known: known(),
            });
        };
        if let Kind::Number { .. } = spec.kind {
            let signal = spec.name.clone();
            return Err(Error::NoFlag { column, signal });
        }
        if let Some((first, _)) = found.iter().find(|(_, other)| *other == number) {
            return Err(Error::SignalTwice {
                signal: spec.name.clone(),
                first: first.clone(),
                second: column,
            });
        }
        found.push((column, number));
    }
    Ok(found)
}

/// Parts the models of a file into arms and others.
pub(super) fn part(
    params: &config::Params,
    published: Vec<Published>,
    renamed: &[(String, String)],
) -> Result<Parted, Error> {
    let models = || {
        let names = published.iter();
        let names: Vec<Name> = names.filter_map(|row| Name::new(&row.model).ok()).collect();
        listed(&names)
    };
    let stray = |(from, _): &&(String, String)| published.iter().all(|row| row.model != *from);
    if let Some((from, _)) = renamed.iter().find(stray) {
        let (name, known) = (from.clone(), models());
        return Err(Error::NotInTable { name, known });
    }
    let arms = params.catalogue.arms();
    let known = || listed(arms.iter().map(|arm| &arm.name));
    let is_arm = |name: &str| arms.iter().any(|arm| arm.name.as_str() == name);
    if let Some((_, arm)) = renamed.iter().find(|(_, arm)| !is_arm(arm)) {
        let (arm, known) = (arm.clone(), known());
        return Err(Error::NoArm { arm, known });
    }
    let (mut rated, mut skipped) = (Vec::<Rated>::new(), Vec::new());
    for row in &published {
        let to = renamed.iter().find(|(from, _)| *from == row.model);
        let wanted = to.map_or(row.model.as_str(), |(_, to)| to);
        let Some(arm) = arms.iter().find(|arm| arm.name.as_str() == wanted) else {
            skipped.push(row.model.clone());
            continue;
        };
        if let Some(first) = rated.iter().find(|rated| rated.arm == arm.name) {
            return Err(Error::RatedTwice {
                first: first.published.row,
                second: row.row,
                arm: arm.name.clone(),
            });
        }
        // A row without a rate is no news of its arm.
        if row.rates.iter().any(Option::is_some) {
            let (arm, published) = (arm.name.clone(), row.clone());
            rated.push(Rated { arm, published });
        }
    }
    match rated.is_empty() {
        true => Err(Error::NoModel {
            count: published.len(),
            models: models(),
            known: known(),
        }),
        false => Ok(Parted { rated, skipped }),
    }
}
