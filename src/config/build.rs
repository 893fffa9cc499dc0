//! The whole file: reads it, reads its sections, and lets them check each other.

use super::fields::{Fields, Report};
use super::key::{self, Known};
use super::params::{Durability, Params, Server, Store};
use super::problem::Problem;
use super::{catalogue, team};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7431);
const MIB: u32 = 1 << 20;

/// Reads and checks the configuration at `path` and the scorecards it names.
pub fn load(path: &Path) -> Result<Params, Vec<Problem>> {
    let text = read_text(path).map_err(|problem| vec![problem])?;
    parse(path, &text, &|variable| {
        std::env::var_os(variable).is_some_and(|value| !value.is_empty())
    })
}

/// The text of a file.
pub(super) fn read_text(path: &Path) -> Result<String, Problem> {
    std::fs::read_to_string(path).map_err(|error| Problem {
        file: PathBuf::from(path),
        line: None,
        path: String::new(),
        value: None,
        problem: format!("cannot be read: {error}"),
        allowed: String::new(),
    })
}

/// Checks the configuration `text` of the file `path`; `is_set` tells whether an environment variable is.
fn parse(path: &Path, text: &str, is_set: &dyn Fn(&str) -> bool) -> Result<Params, Vec<Problem>> {
    let report = Report::new(path, text);
    let dir = path.parent().unwrap_or(Path::new(""));
    let mut others = Vec::new();
    let params = report.parse().and_then(|document| {
        let root = report.root(&document);
        let params = read(&root, dir, is_set, &mut others);
        root.done();
        params
    });
    report.extend(others);
    let problems = report.problems();
    match params {
        Some(params) if problems.is_empty() => Ok(params),
        _ => Err(problems),
    }
}

fn read(
    root: &Fields<'_>,
    dir: &Path,
    is_set: &dyn Fn(&str) -> bool,
    problems: &mut Vec<Problem>,
) -> Option<Params> {
    let server_table = root.table("server");
    let server = server(server_table.as_ref());
    let store = root
        .required("store", |f, key| f.table(key))
        .map(|f| store(f, dir));
    let catalogue = catalogue::read(root, is_set);
    let teams = team::read(root, dir, catalogue.as_ref().map(|(c, _)| c), problems);
    let known = Known {
        teams: &teams.names,
        catalogue: catalogue.as_ref().map(|(c, _)| c),
    };
    let keys = key::read(root, server_table.as_ref(), server.listen, &known);
    if let Some(table) = server_table {
        table.know(&["open"]);
        table.done();
    }
    let (catalogue, connections) = catalogue?;
    Some(Params {
        server,
        store: store??,
        catalogue,
        connections,
        teams: teams.valid,
        keys: keys?,
    })
}

fn server(fields: Option<&Fields<'_>>) -> Server {
    let address = "an address with a port, as in 127.0.0.1:7431";
    let listen = fields.and_then(|f| f.parse("listen", address, |text| text.parse().ok()));
    let mib = fields.and_then(|f| f.integer("max_message_mib", 1..=64));
    Server {
        listen: listen.unwrap_or(DEFAULT_LISTEN),
        max_message_bytes: (mib.unwrap_or(8) * MIB) as usize,
    }
}

fn store(fields: Fields<'_>, dir: &Path) -> Option<Store> {
    let words = [("group", Durability::Group), ("sync", Durability::Sync)];
    let path = fields.required("dir", Fields::text);
    let durability = fields.choice("durability", &words);
    let mib = fields.integer("segment_mib", 1..=1024);
    fields.done();
    Some(Store {
        dir: dir.join(path?),
        durability: durability.unwrap_or(Durability::Group),
        segment_bytes: u64::from(mib.unwrap_or(64)) * u64::from(MIB),
    })
}
