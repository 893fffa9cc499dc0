//! Which arm each of the table's arms is, and where in the table each signal stands.
//!
//! Invariants: a plan names arms of the configuration and signals of the team's scorecard, each once.
//!
//! Not here: the values (`rows`).

use super::error::Error;
use super::rows::sources;
use super::run::Options;
use crate::config;
use crate::id::{Name, listed};
use crate::scorecard::Scorecard;
use crate::table::OutcomeTable;
use std::collections::BTreeSet;

/// The table's own column of how good an answer was.
pub(super) const SCORE: &str = "score";

/// A checked mapping.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) scorecard: &'a Scorecard,
    /// The configuration's name of each of the table's arms, in the table's order.
    pub(super) arms: Vec<Name>,
    /// Where each signal stands, and its number in the scorecard.
    pub(super) signals: Vec<(String, usize)>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        params: &config::Params,
        team: &'a config::Team,
        table: &OutcomeTable,
        options: &Options,
    ) -> Result<Self, Error> {
        Ok(Self {
            scorecard: &team.scorecard,
            arms: arms(params, table, &options.arms)?,
            signals: signals(team, table, &options.signals)?,
        })
    }

    /// Name of a signal of the plan.
    pub(super) fn name(&self, signal: usize) -> Option<&'a Name> {
        self.scorecard.signals().get(signal).map(|spec| &spec.name)
    }
}

fn arms(
    params: &config::Params,
    table: &OutcomeTable,
    renamed: &[(String, String)],
) -> Result<Vec<Name>, Error> {
    let stray = |(from, _): &&(String, String)| table.arms.iter().all(|a| a.as_str() != from);
    if let Some((from, _)) = renamed.iter().find(stray) {
        return Err(Error::NotInTable {
            name: from.clone(),
            known: listed(&table.arms),
        });
    }
    let known = params.catalogue.arms();
    let (mut found, mut unknown) = (Vec::<Name>::new(), Vec::new());
    for arm in &table.arms {
        let to = renamed.iter().find(|(from, _)| from == arm.as_str());
        let wanted = to.map_or(arm.as_str(), |(_, to)| to);
        match known.iter().find(|arm| arm.name.as_str() == wanted) {
            Some(arm) => found.push(arm.name.clone()),
            None => unknown.push(Name::new(wanted)?),
        }
    }
    if !unknown.is_empty() {
        return Err(Error::Arms {
            unknown: listed(&unknown),
            known: listed(known.iter().map(|arm| &arm.name)),
        });
    }
    for (index, arm) in found.iter().enumerate() {
        let earlier = found.iter().take(index).position(|other| other == arm);
        if let (Some(first), Some(second)) = (
            earlier.and_then(|at| table.arms.get(at)),
            table.arms.get(index),
        ) {
            return Err(Error::ArmTwice {
                first: first.clone(),
                second: second.clone(),
                arm: arm.clone(),
            });
        }
    }
    Ok(found)
}

fn signals(
    team: &config::Team,
    table: &OutcomeTable,
    given: &[(String, String)],
) -> Result<Vec<(String, usize)>, Error> {
    let specs = team.scorecard.signals();
    let known = || listed(specs.iter().map(|spec| &spec.name));
    if given.is_empty() {
        return match specs {
            [_] => Ok(vec![(SCORE.to_owned(), 0)]),
            _ => Err(Error::WhichSignal {
                team: team.name.clone(),
                count: specs.len(),
                known: known(),
            }),
        };
    }
    let others = given.iter().any(|(source, _)| source != SCORE);
    let sources = match others {
        true => sources(table)?,
        false => BTreeSet::from([SCORE.to_owned()]),
    };
    let mut found: Vec<(String, usize)> = Vec::with_capacity(given.len());
    for (source, signal) in given {
        let Some(number) = team.scorecard.signal(signal) else {
            return Err(Error::Signal {
                signal: signal.clone(),
                team: team.name.clone(),
                known: known(),
            });
        };
        if !sources.contains(source) {
            return Err(Error::Source {
                source_name: source.clone(),
                known: sources.into_iter().collect::<Vec<_>>().join(", "),
            });
        }
        if let (Some((first, _)), Some(spec)) =
            (found.iter().find(|(_, n)| *n == number), specs.get(number))
        {
            return Err(Error::SignalTwice {
                signal: spec.name.clone(),
                first: first.clone(),
                second: source.clone(),
            });
        }
        found.push((source.clone(), number));
    }
    Ok(found)
}
