//! The use cases on a world: those of the server, put together here so that the endpoints are ours.

use super::ask::name;
use super::provider::{Log, Watched};
use super::world::{TEAMS, World};
use crate::rig;
use bellwether::clock::Clock;
use bellwether::complete::{Attempts, Checking, Complete, Paid};
use bellwether::config::{self, Params};
use bellwether::feature::Extractor;
use bellwether::id::{Mint, Name, Secret};
use bellwether::learn::{Follower, Intake};
use bellwether::provider::Provider;
use bellwether::route::{self, Choosing, Known, Recording, Route};
use bellwether::server;
use bellwether::standing::Standing;
use bellwether::telemetry::Metrics;
use bellwether::unit::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;
use tokio::time::Instant;

/// Made once: it is most of the work of opening a world.
static EXTRACTOR: LazyLock<Arc<Extractor>> =
    LazyLock::new(|| Arc::new(Extractor::shipped().expect("the shipped features")));

/// The time that tokio's clock tells, which the test holds still.
#[derive(Debug)]
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        const BEGAN: i64 = 1_790_000_000_000_000;
        let since = i64::try_from(self.0.elapsed().as_micros()).expect("a few days");
        Timestamp::from_micros(BEGAN + since)
    }
}

/// What calls are judged by from one reload to the next.
#[derive(Debug)]
pub(super) struct Regime {
    pub(super) world: World,
    pub(super) route: Arc<Route>,
    pub(super) complete: Complete,
}

/// All that outlives a reload.
pub(super) struct Gateway {
    pub(super) intake: Arc<Intake>,
    pub(super) follower: Follower,
    pub(super) log: Arc<Log>,
    dir: TempDir,
    pool: usize,
}

fn loaded(dir: &Path, world: &World, pool: usize) -> Params {
    let scorecard = Path::new(env!("CARGO_MANIFEST_DIR")).join("evals/scorecards/coding.toml");
    let mut text = world.text(&scorecard.display().to_string(), pool);
    text.push_str(&rig::key("all", rig::CODING, TEAMS[0], "\"route\""));
    let path = dir.join("bellwether.toml");
    std::fs::write(&path, text).expect("written");
    config::load(&path).unwrap_or_else(|p| panic!("{}", config::render(&p)))
}

fn team(team: &config::Team, extractor: &Arc<Extractor>) -> route::Team {
    route::Team {
        choosing: Choosing {
            policy: team.policy.clone(),
            explore_floor: team.explore_floor,
        },
        extractor: Arc::clone(extractor),
        data_policy: team.data_policy.clone(),
        data_classes: Arc::clone(&team.data_classes),
        recording: Recording::Features,
        guardrail: None,
        loops: None,
        baseline: team.baseline.clone(),
        tasks: team.tasks.clone(),
    }
}

impl Gateway {
    /// The use cases on an empty folder. `pool` says which team chooses how.
    pub(super) fn open(world: World, seed: u64, pool: usize) -> (Self, Regime) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let params = loaded(dir.path(), &world, pool);
        let clock: Arc<dyn Clock> = Arc::new(Paused(Instant::now()));
        let opened = server::open(&params, &*clock).expect("opened");
        let published = opened.follower.published();
        let teams = params.teams.iter().map(|team| &team.name);
        let standing = Arc::new(Standing::new(params.catalogue.endpoints(), teams));
        let known = Known {
            published: Arc::clone(&published),
            accounts: Arc::clone(&opened.accounts),
            warmth: Arc::clone(&opened.warmth),
            standing: Arc::clone(&standing),
            metrics: Arc::new(Metrics::default()),
            meters: Arc::default(),
            loops: Arc::default(),
        };
        let paid = Paid {
            store: Arc::clone(&opened.store),
            accounts: Arc::clone(&opened.accounts),
            warmth: Arc::clone(&opened.warmth),
        };
        let attempts = Attempts::new(Arc::clone(&clock), Arc::new(paid), standing);
        let store = Arc::clone(&opened.store);
        let intake = Intake::new(
            Arc::clone(&opened.learning),
            Arc::clone(&store),
            published,
            Arc::clone(&clock),
        );
        let intake = Arc::new(intake);
        let rules = params
            .teams
            .iter()
            .map(|team| (team.name.clone(), team.checks.clone()));
        let checking = Checking::new(rules.collect(), Arc::clone(&intake), Arc::clone(&clock));
        let teams = params
            .teams
            .iter()
            .map(|of| (of.name.clone(), team(of, &EXTRACTOR)));
        // Not the folder's own, which is the system's chance: a seed is to fail again as it failed.
        let mint = Mint::new(Secret::new([7; 32]), seed);
        let catalogue = Arc::new(params.catalogue.clone());
        let route = Route::new(
            catalogue,
            teams.collect(),
            known,
            Arc::clone(&store),
            clock,
            mint,
        );
        let route = Arc::new(route.expect("names"));
        let log = Arc::new(Log::default());
        let complete = Complete::new(
            Arc::clone(&route),
            providers(&world, seed, &log),
            attempts,
            checking.expect("names"),
            store,
        );
        let gateway = Self {
            intake,
            follower: opened.follower,
            log,
            dir,
            pool,
        };
        (
            gateway,
            Regime {
                world,
                route,
                complete,
            },
        )
    }

    /// The same by the rules of another world, as a reload makes them.
    pub(super) fn reloaded(&self, regime: &Regime, world: World) -> Regime {
        let params = loaded(self.dir.path(), &world, self.pool);
        let route =
            regime
                .route
                .reconfigured(Arc::new(params.catalogue.clone()), |name, routing| {
                    let of = params
                        .teams
                        .iter()
                        .find(|team| team.name == *name)
                        .expect("a team");
                    *routing = team(of, &routing.extractor);
                });
        let route = Arc::new(route.expect("names"));
        let complete = regime.complete.by(Arc::clone(&route));
        Regime {
            world,
            route,
            complete,
        }
    }
}

fn providers(world: &World, seed: u64, log: &Arc<Log>) -> BTreeMap<Name, Arc<dyn Provider>> {
    let watched =
        |(place, endpoint): (usize, &super::world::Endpoint)| -> (Name, Arc<dyn Provider>) {
            let log = Arc::clone(log);
            (name(&endpoint.name), Arc::new(Watched { place, seed, log }))
        };
    world.endpoints.iter().enumerate().map(watched).collect()
}
