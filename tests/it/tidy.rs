//! The rules of the house that the compiler does not hold: floors, confinement of outside crates,
//! length of files and functions, a module doc on every file. A rule that is not a test is a wish.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Modules by floor; imports run down only, and floors marked closed do not import their own.
const FLOORS: [(&[&str], bool); 6] = [
    (
        &[
            "id", "unit", "clock", "decision", "signal", "chat", "path", "field", "fuzz",
        ],
        false,
    ),
    (
        &[
            "feature",
            "scorecard",
            "bandit",
            "ope",
            "budget",
            "health",
            "eligibility",
            "recurrence",
        ],
        true,
    ),
    (
        &[
            "store",
            "table",
            "provider",
            "validate",
            "redaction",
            "telemetry",
            "tls",
        ],
        true,
    ),
    (
        &[
            "route", "complete", "learn", "access", "account", "quota", "loops", "standing",
            "warmth", "replay", "spend",
        ],
        false,
    ),
    (&["proto", "grpc", "http", "config", "report"], true),
    (
        &[
            "server", "drive", "eval", "export", "seed", "scenario", "demo", "cli", "docs", "main",
            "lib",
        ],
        false,
    ),
];

/// Imports within a closed floor that the architecture grants, as (from, to).
const GRANTED: [(&str, &str); 2] = [("bandit", "feature"), ("grpc", "proto")];

/// Imports that reach past a floor's limit, refused even though they run down.
const CONFINED: [(&str, &[&str]); 23] = [
    ("governor", &["quota"]),
    ("chrono", &["budget"]),
    ("chrono_tz", &["budget"]),
    ("tonic", &["proto", "grpc", "server", "drive"]),
    ("prost", &["proto", "grpc"]),
    // `tls`: a connection of our own clients is handed to tonic in hyper's terms.
    ("hyper", &["http", "provider", "server", "tls"]),
    ("hyper_util", &["http", "provider", "server", "tls"]),
    ("http_body", &["http", "provider", "server"]),
    ("polars", &["table", "replay"]),
    ("sled", &["store"]),
    ("rustix", &["store"]),
    ("hyper_rustls", &["provider"]),
    // What a certificate may be is judged in one place; providers are reached by a client of their own.
    ("rustls", &["tls", "provider"]),
    ("tokio_rustls", &["tls"]),
    ("webpki", &["tls"]),
    ("rustls_platform_verifier", &["tls"]),
    ("jsonschema", &["validate"]),
    ("regex", &["validate"]),
    ("leakguard", &["redaction"]),
    ("clap", &["cli", "main"]),
    ("tracing_subscriber", &["telemetry"]),
    ("opentelemetry", &["telemetry"]),
    ("toml", &["config"]),
];

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 60;

/// One source file, without its tests.
struct Source {
    path: PathBuf,
    module: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !is_generated(&path) {
                let below = path.strip_prefix(&root).unwrap();
                let first = below
                    .components()
                    .next()
                    .unwrap()
                    .as_os_str()
                    .to_string_lossy();
                let module = first.trim_end_matches(".rs").to_owned();
                let whole = fs::read_to_string(&path).unwrap();
                let code = whole.split("\n#[cfg(test)]").next().unwrap_or_default();
                found.push(Source {
                    path,
                    module,
                    text: code.to_owned(),
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Generated from the protos; its shape is prost's business.
fn is_generated(path: &Path) -> bool {
    path.ends_with("proto/bellwether.v1.rs")
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// The crate-level modules that a file names as `crate::X` or `bellwether::X`.
fn imports(text: &str) -> Vec<String> {
    let code: String = text
        .lines()
        .filter(|l| !is_comment(l))
        .map(|l| format!("{l}\n"))
        .collect::<String>();
    let mut names = Vec::new();
    for marker in ["crate::", "bellwether::"] {
        for (at, _) in code.match_indices(marker) {
            let rest = &code[at + marker.len()..];
            if let Some(group) = rest.strip_prefix('{') {
                let inside = group.split("};").next().unwrap_or_default();
                let mut depth = 0;
                let mut word = String::new();
                for c in inside.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 0 => names.push(std::mem::take(&mut word)),
                        _ if depth == 0 => word.push(c),
                        _ => {}
                    }
                }
                names.push(word);
            } else {
                names.push(rest.to_owned());
            }
        }
    }
    let head = |n: &String| {
        n.trim()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    names.iter().map(head).filter(|n| !n.is_empty()).collect()
}

fn floors() -> BTreeMap<&'static str, (usize, bool)> {
    let mut map = BTreeMap::new();
    for (floor, (modules, closed)) in FLOORS.iter().enumerate() {
        for module in *modules {
            map.insert(*module, (floor, *closed));
        }
    }
    map
}

fn report(rule: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{rule}:\n  {}", faults.join("\n  "));
}

#[test]
fn imports_run_down_only() {
    let floors = floors();
    let mut faults = Vec::new();
    for source in sources() {
        let Some(&(own, closed)) = floors.get(source.module.as_str()) else {
            faults.push(format!("{}: on no floor", source.path.display()));
            continue;
        };
        for name in imports(&source.text) {
            let Some(&(other, _)) = floors.get(name.as_str()) else {
                continue;
            };
            let granted = GRANTED.contains(&(source.module.as_str(), name.as_str()));
            let sideways = other == own && closed && name != source.module && !granted;
            if other > own || sideways {
                faults.push(format!("{} imports {name}", source.path.display()));
            }
        }
    }
    report("floors: imports run down only", &faults);
}

#[test]
fn outside_crates_stay_in_their_modules() {
    let mut faults = Vec::new();
    for source in sources() {
        for (outside, allowed) in CONFINED {
            let used = source.text.lines().filter(|l| !is_comment(l)).any(|line| {
                line.match_indices(outside).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    let bare =
                        before.is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == ':'));
                    let after = &line[at + outside.len()..];
                    bare && (after.starts_with("::")
                        || after.starts_with('_') && after.contains("::"))
                })
            });
            if used && !allowed.contains(&source.module.as_str()) {
                faults.push(format!("{} uses {outside}", source.path.display()));
            }
        }
    }
    report("confinement of outside crates", &faults);
}

#[test]
fn a_file_fits_in_a_head() {
    let mut faults = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines > FILE_LINES {
            faults.push(format!(
                "{}: {lines} lines, at most {FILE_LINES}",
                source.path.display()
            ));
        }
    }
    report("length of files without their tests", &faults);
}

#[test]
fn a_function_fits_on_a_screen() {
    let mut faults = Vec::new();
    for source in sources() {
        let mut open: Option<(usize, usize, String)> = None;
        for (number, line) in source.text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let start = line.trim_start();
            let begins = [
                "fn ",
                "pub fn ",
                "pub(crate) fn ",
                "pub(super) fn ",
                "async fn ",
                "pub async fn ",
            ];
            if open.is_none() && begins.iter().any(|b| start.starts_with(b)) && !line.ends_with(';')
            {
                open = Some((number, indent, start.to_owned()));
            }
            if let Some((from, at, name)) = &open
                && start.starts_with('}')
                && indent == *at
            {
                let length = number - from + 1;
                if length > FUNCTION_LINES {
                    let place = source.path.display();
                    faults.push(format!("{place}:{}: {length} lines: {name}", from + 1));
                }
                open = None;
            } else if let Some((from, at, _)) = &open
                && (*from == number && line.trim_end().ends_with('}')
                    // The signature of a trait's method, which has no body.
                    || indent == *at && start.starts_with(')') && line.ends_with(';'))
            {
                open = None;
            }
        }
    }
    report("length of functions", &faults);
}

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<String> = sources()
        .iter()
        .filter(|s| !s.text.starts_with("//!"))
        .map(|s| s.path.display().to_string())
        .collect();
    report("every src file opens with //!", &silent);
}

#[test]
fn no_module_is_named_for_nothing() {
    let vague = [
        "util", "utils", "common", "helpers", "types", "core", "manager", "misc",
    ];
    let faults: Vec<String> = sources()
        .iter()
        .filter(|s| {
            s.path
                .iter()
                .any(|p| vague.contains(&p.to_string_lossy().trim_end_matches(".rs")))
        })
        .map(|s| s.path.display().to_string())
        .collect();
    report("find the noun", &faults);
}

#[test]
fn the_checker_sees_imports_in_groups_and_paths() {
    let text =
        "use crate::{unit::{Pmf, Error}, id::Name};\nlet x = crate::store::Journal::open();\n";
    assert_eq!(imports(text), ["unit", "id", "store"]);
}
