//! Which files make one log, and what their folders' names say of their rows.
//!
//! Invariants: the order does not depend on the file system: the paths in the order given, the files below a folder by
//! their path. Links to folders are not followed.
//!
//! Not here: reading them ([`super::logged`]).
//!
//! Source: folders are named as Hive names partitions, `team=a/day=2026-05-01`; `%XX` in a value is not read.

use super::Error;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The files that `paths` name: each file as it is, each folder as all Parquet files below it.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut all = Vec::new();
    for path in paths {
        if !path.is_dir() {
            all.push(path.clone());
            continue;
        }
        let found = below(path)?;
        if found.is_empty() {
            return Err(Error::NoFile {
                folder: path.clone(),
            });
        }
        all.extend(found);
    }
    let mut seen = BTreeSet::new();
    for file in &all {
        // A path that cannot be followed fails when it is opened.
        let whole = file.canonicalize().unwrap_or_else(|_| file.clone());
        if !seen.insert(whole) {
            return Err(Error::SameFile { file: file.clone() });
        }
    }
    Ok(all)
}

/// The Parquet files below a folder, by their path.
fn below(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        let refused = |source| Error::Io {
            file: folder.clone(),
            source,
        };
        for entry in std::fs::read_dir(&folder).map_err(refused)? {
            let entry = entry.map_err(refused)?;
            let path = entry.path();
            let ending = path.extension().and_then(|ending| ending.to_str());
            if entry.file_type().map_err(refused)?.is_dir() {
                folders.push(path);
            } else if ending.is_some_and(|e| e.eq_ignore_ascii_case("parquet")) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// What the folders of a file's path say: `team=a` has the key `team`.
pub(super) fn keys(file: &Path) -> BTreeMap<String, String> {
    let folders = file.parent().into_iter().flat_map(Path::components);
    let pair = |part: std::path::Component<'_>| {
        let (key, value) = part.as_os_str().to_str()?.split_once('=')?;
        (!key.is_empty()).then(|| (key.to_owned(), value.to_owned()))
    };
    folders.filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_its_files_by_path_and_folders_have_keys() {
        let dir = tempfile::tempdir().unwrap();
        for (folder, name) in [
            ("team=b/day=1", "x.parquet"),
            ("team=a/day=2", "y.parquet"),
            ("team=a/day=1", "z.Parquet"),
            ("team=a/day=1", "notes.txt"),
        ] {
            std::fs::create_dir_all(dir.path().join(folder)).unwrap();
            std::fs::write(dir.path().join(folder).join(name), "").unwrap();
        }
        let single = dir.path().join("team=a/day=1/notes.txt");
        let found = files(&[single.clone(), dir.path().to_owned()]).unwrap();
        let names: Vec<_> = found.iter().map(|f| f.file_name().unwrap()).collect();
        assert_eq!(names, ["notes.txt", "z.Parquet", "y.parquet", "x.parquet"]);
        let keys = keys(&single);
        assert_eq!((keys["team"].as_str(), keys["day"].as_str()), ("a", "1"));
        assert!(!keys.contains_key("notes.txt"));
    }

    #[test]
    fn a_file_that_is_named_twice_is_told_and_not_counted_twice() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.parquet");
        std::fs::write(&file, "").unwrap();
        let error = files(&[dir.path().to_owned(), dir.path().join("./a.parquet")]).unwrap_err();
        assert!(matches!(error, Error::SameFile { .. }), "{error}");
    }

    #[test]
    fn a_folder_without_a_file_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let error = files(&[dir.path().to_owned()]).unwrap_err();
        assert!(matches!(error, Error::NoFile { .. }), "{error}");
    }
}
