//! Numbered versions of scorecards: what the journal knows and what the keyed state has agree before anything is
//! served.
//!
//! Invariants: no number gets a second text; a number that is used is in the journal and in the keyed state.
//!
//! Not here: keeping them (`store::Keyed`).

use super::error::Error;
use super::past::text_hash;
use crate::clock::Clock;
use crate::config;
use crate::id::Name;
use crate::store::{Keyed, Record, Store, VersionKind, keyed};
use std::collections::BTreeMap;

/// The versions that the journal knows, each with the hash of its text.
pub(super) type Versions = BTreeMap<(VersionKind, Name, u32), u64>;

/// Brings back from the journal what the keyed state has lost, so that no number gets a second text. Only then
/// the journal is read for it.
pub(super) fn restore(keyed: &Keyed, known: &Versions, store: &Store) -> Result<(), Error> {
    let mut lost = Versions::new();
    for ((kind, team, version), hash) in known {
        match keyed.text(*kind, team, *version)? {
            Some(text) if text_hash(&text) == *hash => {}
            Some(_) => {
                let (team, version) = (team.clone(), *version);
                return Err(keyed::Error::Differs { team, version }.into());
            }
            None => {
                lost.insert((*kind, team.clone(), *version), *hash);
            }
        }
    }
    if lost.is_empty() {
        return Ok(());
    }
    let versions = lost.len();
    tracing::warn!(
        versions,
        "the keyed state has lost versions: the journal is read for their texts"
    );
    let mut reader = store.reader(1);
    while !lost.is_empty()
        && let Some((_, record)) = reader.next()?
    {
        let Record::Version {
            kind,
            team,
            version,
            text,
            ..
        } = record
        else {
            continue;
        };
        let key = (kind, team, version);
        if lost.get(&key) == Some(&text_hash(&text)) {
            keyed.restore(key.0, &key.1, key.2, &text)?;
            lost.remove(&key);
        }
    }
    Ok(())
}

/// The number of each team's scorecard; one not seen before gets the next. A number whose record the
/// journal lacks (the power went between the two) is written again: the journal is the truth.
pub(super) fn scorecards(
    params: &config::Params,
    keyed: &Keyed,
    known: &Versions,
    store: &Store,
    clock: &dyn Clock,
) -> Result<Vec<u32>, Error> {
    let mut numbered = Vec::with_capacity(params.teams.len());
    for team in &params.teams {
        let kind = VersionKind::Scorecard;
        let version = keyed
            .import(kind, &team.name, &team.scorecard_text)?
            .version;
        if !known.contains_key(&(kind, team.name.clone(), version)) {
            store.append(&Record::Version {
                kind,
                team: team.name.clone(),
                version,
                text: team.scorecard_text.clone(),
                time: clock.now(),
            })?;
        }
        numbered.push(version);
    }
    Ok(numbered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Settings;
    use crate::store::sample::{name, time};
    use crate::store::simulated::SimulatedDisk;
    use std::sync::Arc;

    const KIND: VersionKind = VersionKind::Scorecard;

    /// A journal that knows of two versions, and a keyed state that has these texts of them: what it has then.
    fn check(has: [Option<&str>; 2], expected: Result<(), ()>) {
        let disk = Arc::new(SimulatedDisk::new());
        let (store, _) = Store::open(disk, Settings::default(), time(0)).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let keyed = Keyed::open(dir.path().join("keyed"), [1; 32]).unwrap();
        let team = name("t");
        let mut known = Versions::new();
        for (version, text) in [(1, "one"), (2, "two")] {
            store
                .append(&Record::Version {
                    kind: KIND,
                    team: team.clone(),
                    version,
                    text: text.to_owned(),
                    time: time(0),
                })
                .unwrap();
            known.insert((KIND, team.clone(), version), text_hash(text));
        }
        for (version, text) in (1..).zip(has) {
            if let Some(text) = text {
                keyed.restore(KIND, &team, version, text).unwrap();
            }
        }
        assert_eq!(restore(&keyed, &known, &store).map_err(drop), expected);
        if expected.is_ok() {
            let texts = [1, 2].map(|version| keyed.text(KIND, &team, version).unwrap());
            assert_eq!(
                texts.each_ref().map(Option::as_deref),
                [Some("one"), Some("two")]
            );
        }
    }

    #[test]
    fn what_the_keyed_state_has_lost_comes_back_from_the_journal() {
        check([Some("one"), Some("two")], Ok(()));
        check([Some("one"), None], Ok(()));
        check([None, None], Ok(()));
    }

    #[test]
    fn a_number_with_another_text_is_refused() {
        check([Some("another"), Some("two")], Err(()));
        check([None, Some("another")], Err(()));
    }
}
