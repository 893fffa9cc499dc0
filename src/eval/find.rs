//! The experiments of a folder.

use super::error::Error;
use std::path::{Path, PathBuf};

/// An experiment that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its folder's name.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
}

impl Found {
    /// What it asks.
    pub fn experiment(&self) -> PathBuf {
        self.folder.join("experiment.toml")
    }

    /// What is expected of it.
    pub fn expected(&self) -> PathBuf {
        self.folder.join("expected.json")
    }
}

/// The experiments in `folder` that are `wanted`, all if none is named, in the order of their names.
pub fn find(folder: &Path, wanted: &[String]) -> Result<Vec<Found>, Error> {
    let failed = |source| Error::File {
        path: folder.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let one = Found {
            name: entry.file_name().to_string_lossy().into_owned(),
            folder: entry.path(),
        };
        if one.experiment().is_file() {
            found.push(one);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    if found.is_empty() {
        return Err(Error::None(folder.to_owned()));
    }
    let there = |name: &String| found.iter().any(|one| one.name == *name);
    if let Some(unknown) = wanted.iter().find(|name| !there(name)) {
        return Err(Error::Unknown {
            name: unknown.clone(),
            allowed: found.into_iter().map(|one| one.name).collect(),
        });
    }
    found.retain(|one| wanted.is_empty() || wanted.contains(&one.name));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn experiments_are_found_by_name_and_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(find(folder.path(), &[]), Err(Error::None(_))));
        for name in ["second", "first", "no-experiment"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        for name in ["second", "first"] {
            std::fs::write(folder.path().join(name).join("experiment.toml"), "").unwrap();
        }
        let names = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
            let found = find(folder.path(), &wanted).map_err(|e| e.to_string())?;
            Ok::<_, String>(found.into_iter().map(|one| one.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).unwrap(), ["first", "second"]);
        assert_eq!(names(&["second"]).unwrap(), ["second"]);
        assert_eq!(
            names(&["third"]).unwrap_err(),
            "experiment \"third\" is not there: allowed first, second"
        );
    }
}
