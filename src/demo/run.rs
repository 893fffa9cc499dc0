//! The demonstration from end to end.
//!
//! The order: the world; a configuration; the server on it; the play; the journal, exported; the
//! log, judged; the report.
//!
//! Invariants: a step that goes wrong ends it with an error, or is told as a fault: nothing that
//! failed looks like a success.
//!
//! Not here: what is shown while it runs (`view`, the command line).

use super::candidates::{Judged, judge};
use super::document::document;
use super::error::Error;
use super::fault::faults;
use super::play::{Run, play};
use super::rivals::Rival;
use super::section::Material;
use super::setup::{self, Stage};
use super::team::TeamRun;
use super::watch::Watch;
use crate::export::{self, Place, Wanted};
use crate::report::{Document, Step};
use crate::scenario::{self, Size, World};
use crate::server;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// What to demonstrate.
#[derive(Debug, Clone)]
pub struct Options {
    /// Seed of the world and of every draw.
    pub seed: u64,
    /// A third of the traffic.
    pub fast: bool,
    /// Where the report and its files go. Made if it is not there.
    pub out: PathBuf,
}

/// A demonstration that came to its end. The server still runs.
#[derive(Debug)]
pub struct Finished {
    /// What the report says.
    pub document: Document,
    /// The files written, the report first.
    pub files: Vec<PathBuf>,
    /// What should not have happened, though every step could be done.
    pub faults: Vec<String>,
    /// The server.
    pub server: Server,
}

/// The demonstration's server.
pub struct Server {
    stage: Stage,
    teams: Vec<String>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.stage.running.address()
    }

    /// Teams and their keys.
    pub fn keys(&self) -> Vec<(String, String)> {
        let teams = self.teams.iter();
        teams.map(|team| (team.clone(), setup::key(team))).collect()
    }

    /// Lets time and learning run by themselves, as on any server.
    #[must_use]
    pub fn let_go(self) -> Staying {
        self.stage.clock.let_go();
        Staying(self.stage.running)
    }

    /// Drains and stops.
    pub async fn stop(self) -> Result<(), Error> {
        Ok(self.stage.running.stop().await?)
    }
}

/// A server that goes on by itself.
#[derive(Debug)]
pub struct Staying(server::Running);

impl Staying {
    /// Drains and stops.
    pub async fn stop(self) -> Result<(), Error> {
        Ok(self.0.stop().await?)
    }
}

/// What comes of the play.
struct Told {
    document: Document,
    files: Vec<PathBuf>,
    faults: Vec<String>,
}

/// Runs. The store is kept in `folder`, which must be empty and is the caller's to remove.
pub async fn run(
    options: &Options,
    folder: &Path,
    watch: &mut dyn Watch,
) -> Result<Finished, Error> {
    // First, so that a folder that cannot be made costs nobody any time.
    write(&options.out, None)?;
    let mut steps = Steps::default();
    steps.begin("make the simulated world", watch);
    let size = if options.fast { Size::Fast } else { Size::Full };
    let world = scenario::generate(options.seed, size).map_err(|e| Error::World(e.to_string()))?;
    let world = Arc::new(world);
    let (requests, arms) = (world.requests.len(), world.arms.len());
    steps.end(format!("{requests} requests, {arms} arms"));
    steps.begin("start the server", watch);
    let config = options.out.join("bellwether.toml");
    write(&config, Some(&setup::configuration(&world)))?;
    let stage = setup::start(&world, &config, folder).await?;
    steps.end("listening on loopback".to_owned());
    let told = tell(options, folder, &world, &stage, steps, watch).await;
    let teams = world.teams.iter().map(|team| team.name.to_string());
    let teams = teams.collect();
    let server = Server { stage, teams };
    match told {
        Ok(Told {
            document,
            mut files,
            faults,
        }) => {
            files.push(config);
            Ok(Finished {
                document,
                files,
                faults,
                server,
            })
        }
        Err(error) => {
            // That it could not be stopped either is no news beside it.
            let _ = server.stop().await;
            Err(error)
        }
    }
}

/// Plays the world through the server, judges the log and writes the report.
async fn tell(
    options: &Options,
    folder: &Path,
    world: &Arc<World>,
    stage: &Stage,
    mut steps: Steps,
    watch: &mut dyn Watch,
) -> Result<Told, Error> {
    steps.begin("play four weeks through it", watch);
    let run = Arc::new(play(world, stage, watch).await?);
    let (requests, reports) = (run.played.len(), run.reports);
    steps.end(format!(
        "{requests} requests, {reports} reports of outcomes, none refused"
    ));
    let (logs, judged) = judged(options, folder, world, &run, &mut steps, watch).await?;
    steps.begin("write the report", watch);
    let materials = materials(world, &run, stage, judged)?;
    let faulty = |m: &Material<'_>| {
        let (requests, report) = (m.run.calls.len(), &m.judged.report);
        faults(m.run.name(), requests, report.rows, &report.propensities)
    };
    let faults = materials.iter().flat_map(faulty).collect();
    let document = document(options, world, &run, &materials, steps.done);
    let mut files = report(options, &document)?;
    files.extend(logs);
    Ok(Told {
        document,
        files,
        faults,
    })
}

/// What each team's section is made of.
fn materials<'a>(
    world: &'a World,
    run: &'a Run,
    stage: &'a Stage,
    judged: Vec<Judged>,
) -> Result<Vec<Material<'a>>, Error> {
    let mut materials = Vec::with_capacity(judged.len());
    for (team, (judged, scorecard)) in judged.into_iter().zip(&stage.scorecards).enumerate() {
        let team_run = TeamRun::of(world, run, team)?;
        let noticed = run.noticed.iter().filter(|n| n.team == team);
        materials.push(Material {
            rivals: Rival::of(&team_run),
            run: team_run,
            judged,
            scorecard,
            noticed: noticed.cloned().collect(),
        });
    }
    Ok(materials)
}

/// Writes the page and its figures.
fn report(options: &Options, document: &Document) -> Result<Vec<PathBuf>, Error> {
    let (html, json) = (
        options.out.join("report.html"),
        options.out.join("report.json"),
    );
    write(&html, Some(&document.html()))?;
    let text = document.json().map_err(|e| Error::Write {
        path: json.clone(),
        source: e.into(),
    })?;
    write(&json, Some(&text))?;
    Ok(vec![html, json])
}

/// Exports the journal team by team and judges each log.
async fn judged(
    options: &Options,
    folder: &Path,
    world: &Arc<World>,
    run: &Arc<Run>,
    steps: &mut Steps,
    watch: &mut dyn Watch,
) -> Result<(Vec<PathBuf>, Vec<Judged>), Error> {
    steps.begin("export the journal", watch);
    let (mut files, mut exported) = (Vec::new(), 0);
    for team in &world.teams {
        let file = options.out.join(format!("traffic-{}.parquet", team.name));
        let (data, out) = (setup::data(folder), file.clone());
        let wanted = Wanted {
            since: None,
            team: Some(team.name.to_string()),
        };
        let exporting = move || export::export(&data, Place::File(&out), &wanted, |_, _| ());
        exported += tokio::task::spawn_blocking(exporting).await??.decisions;
        files.push(file);
    }
    steps.end(format!("{exported} decisions"));
    steps.begin("judge other policies from the log", watch);
    let (mut all, mut estimated, mut refused) = (Vec::new(), 0, 0);
    for file in &files {
        let (file, world, run) = (file.clone(), Arc::clone(world), Arc::clone(run));
        let judging = move || judge(&file, &world, &run);
        let judged = tokio::task::spawn_blocking(judging).await??;
        let candidates = &judged.report.candidates;
        let none = candidates.iter().filter(|c| c.refusal.is_some()).count();
        refused += none;
        estimated += candidates.len() - none;
        all.push(judged);
    }
    steps.end(format!("{estimated} estimated, {refused} refused"));
    Ok((files, all))
}

/// Steps done so far, and the one at work.
#[derive(Default)]
struct Steps {
    done: Vec<Step>,
    at_work: Option<(String, Instant)>,
}

impl Steps {
    fn begin(&mut self, name: &str, watch: &mut dyn Watch) {
        watch.step(name);
        self.at_work = Some((name.to_owned(), Instant::now()));
    }

    fn end(&mut self, outcome: String) {
        if let Some((name, since)) = self.at_work.take() {
            self.done.push(Step {
                name,
                outcome,
                seconds: since.elapsed().as_secs_f64(),
            });
        }
    }
}

/// Writes a file; without a text, makes a folder.
fn write(path: &Path, text: Option<&str>) -> Result<(), Error> {
    let written = match text {
        Some(text) => std::fs::write(path, text),
        None => std::fs::create_dir_all(path),
    };
    written.map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}
