//! Arms, endpoints, classes, teams and keys as plain facts, made up from a seed, and as the configuration that says
//! them. The oracle reads the facts; the server reads the text.

use super::chance::Chance;
use std::fmt::Write;

/// Regions that an endpoint may lie in.
pub(super) const REGIONS: [&str; 3] = ["eu", "us", "ch"];
pub(super) const CERTIFICATIONS: [&str; 3] = ["iso", "hipaa", "soc2"];
pub(super) const CLASSES: [&str; 3] = ["public", "internal", "patient"];
pub(super) const ABILITIES: [&str; 3] = ["tools", "json", "embeddings"];
pub(super) const TASKS: [&str; 3] = ["fix", "ordered", "guarded"];
pub(super) const TEAMS: [&str; 3] = ["coding", "support", "records"];
pub(super) const ARMS: usize = 8;

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Policy {
    pub(super) regions: Vec<&'static str>,
    pub(super) zero_retention: bool,
    pub(super) no_training: bool,
    pub(super) certifications: Vec<&'static str>,
}

impl Policy {
    /// One that demands each thing with a chance of `share`; of regions always `eu` among others.
    pub(super) fn made(chance: &mut Chance, share: f64) -> Self {
        let mut policy = Self::default();
        if chance.hit(share) {
            policy.regions.push("eu");
            policy.regions.extend(chance.some(&["us", "ch"], 0.3));
        }
        policy.zero_retention = chance.hit(share);
        policy.no_training = chance.hit(share);
        if chance.hit(share) {
            policy.certifications.push(chance.one(&CERTIFICATIONS));
        }
        policy
    }

    fn fields(&self) -> [String; 4] {
        [
            format!("regions = {:?}", self.regions),
            format!("zero_retention = {}", self.zero_retention),
            format!("no_training = {}", self.no_training),
            format!("certifications = {:?}", self.certifications),
        ]
    }
}

#[derive(Debug, Clone)]
pub(super) struct Arm {
    pub(super) name: String,
    pub(super) able: Vec<&'static str>,
    pub(super) context: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub(super) name: String,
    pub(super) arm: usize,
    pub(super) region: Option<&'static str>,
    pub(super) zero_retention: bool,
    pub(super) trains: bool,
    pub(super) certifications: Vec<&'static str>,
    /// Its model takes no seed.
    pub(super) refuses_seed: bool,
    /// Its price holds now.
    pub(super) priced: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Team {
    pub(super) policy: Policy,
    /// Index into [`CLASSES`].
    pub(super) class: Option<usize>,
    /// Arms that task `guarded` never goes to.
    pub(super) guarded: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) team: usize,
    pub(super) arms: Option<Vec<usize>>,
    pub(super) endpoints: Option<Vec<usize>>,
}

/// All of it.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) arms: Vec<Arm>,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) classes: Vec<Policy>,
    pub(super) teams: Vec<Team>,
    pub(super) keys: Vec<Key>,
}

impl World {
    pub(super) fn made(chance: &mut Chance) -> Self {
        let (mut arms, mut endpoints) = (Vec::new(), Vec::new());
        for index in 0..ARMS {
            arms.push(Arm {
                name: format!("arm{index}"),
                able: chance.some(&ABILITIES, 0.75),
                context: chance.one(&[2_000, 60_000, 200_000, 200_000]),
            });
            for place in 0..=chance.below(3) {
                let mut endpoint = Endpoint {
                    name: format!("at{index}-{place}"),
                    arm: index,
                    region: None,
                    zero_retention: false,
                    trains: false,
                    certifications: Vec::new(),
                    refuses_seed: chance.hit(0.25),
                    priced: true,
                };
                endpoint.says(chance);
                endpoints.push(endpoint);
            }
        }
        // Every name that a policy may say is one that some endpoint has, whatever a reload changes of the others.
        for (index, region) in REGIONS.into_iter().enumerate() {
            endpoints[index].region = Some(region);
        }
        endpoints[0].certifications = CERTIFICATIONS.to_vec();
        let mut world = Self {
            arms,
            endpoints,
            classes: Vec::new(),
            teams: Vec::new(),
            keys: Vec::new(),
        };
        world.ruled(chance);
        world.keys = (0..9).map(|index| world.key(index % 3, chance)).collect();
        world
    }

    fn key(&self, team: usize, chance: &mut Chance) -> Key {
        let most = |chance: &mut Chance, count: usize| {
            let kept: Vec<usize> = (0..count).filter(|_| chance.hit(0.8)).collect();
            chance.hit(0.4).then_some(kept)
        };
        Key {
            team,
            arms: most(chance, self.arms.len()),
            endpoints: most(chance, self.endpoints.len()),
        }
    }

    /// Gives classes and teams new rules.
    fn ruled(&mut self, chance: &mut Chance) {
        self.classes = vec![
            Policy::default(),
            Policy::made(chance, 0.35),
            Policy::made(chance, 0.5),
        ];
        self.teams = (0..TEAMS.len())
            .map(|_| Team {
                policy: Policy::made(chance, 0.2),
                class: chance.hit(0.5).then(|| chance.below(CLASSES.len())),
                guarded: (0..ARMS)
                    .filter(|_| chance.hit(0.3))
                    .take(ARMS - 2)
                    .collect(),
            })
            .collect();
    }

    /// The same after a reload: endpoints say something else of data, teams and classes have other rules.
    pub(super) fn reloaded(&self, chance: &mut Chance) -> Self {
        let mut world = self.clone();
        for endpoint in world.endpoints.iter_mut().skip(REGIONS.len()) {
            endpoint.says(chance);
        }
        world.ruled(chance);
        world
    }

    /// The configuration's text.
    pub(super) fn text(&self, scorecard: &str, pool: usize) -> String {
        let mut text =
            "[server]\nlisten = \"127.0.0.1:0\"\nopen = false\n[store]\ndir = \"state\"\n"
                .to_owned();
        for (class, policy) in CLASSES.iter().zip(&self.classes) {
            let fields = policy.fields().join("\n");
            let _ = writeln!(text, "[[data_classes]]\nname = \"{class}\"\n{fields}");
        }
        for (index, team) in self.teams.iter().enumerate() {
            self.team(&mut text, (index, team), scorecard, pool);
        }
        for arm in &self.arms {
            let Arm {
                name,
                able,
                context,
            } = arm;
            let _ = writeln!(
                text,
                "[[arms]]\nname = \"{name}\"\ncapabilities = {able:?}\ncontext_tokens = {context}"
            );
        }
        for endpoint in &self.endpoints {
            endpoint.written(&mut text, &self.arms[endpoint.arm].name);
        }
        text
    }

    fn team(&self, text: &mut String, (index, team): (usize, &Team), scorecard: &str, pool: usize) {
        let name = TEAMS[index];
        let policy = ["uniform", "linear-thompson", "square-cb"][(index + pool) % 3];
        let class = team
            .class
            .map(|class| format!("data_class = \"{}\"\n", CLASSES[class]));
        let fields = team.policy.fields().join(", ");
        let guarded: Vec<&str> = team
            .guarded
            .iter()
            .map(|arm| &*self.arms[*arm].name)
            .collect();
        let _ = writeln!(
            text,
            "[[teams]]\nname = \"{name}\"\nscorecard = '{scorecard}'\npolicy = \"{policy}\"\n{}\
             baseline = \"arm0\"\nholdout = 0.3\nrecording = \"features\"\ndata_policy = {{ {fields} }}\n\
             [[teams.checks]]\ncheck = \"json\"\non_failure = \"{}\"\n\
             [[teams.tasks]]\nname = \"guarded\"\ndenied_arms = {guarded:?}\n\
             [[teams.tasks]]\nname = \"ordered\"\nfallbacks = [\"arm3\", \"arm1\", \"arm5\", \"arm0\"]",
            class.unwrap_or_default(),
            ["retry", "fall_back", "repair"][index],
        );
    }
}

impl Endpoint {
    /// Says anew what becomes of data there.
    fn says(&mut self, chance: &mut Chance) {
        self.region = chance
            .hit(0.85)
            .then(|| chance.one(&["eu", "eu", "us", "ch"]));
        self.zero_retention = chance.hit(0.7);
        self.trains = chance.hit(0.25);
        self.certifications = chance.some(&CERTIFICATIONS, 0.7);
        self.priced = chance.hit(0.9);
    }

    fn written(&self, text: &mut String, arm: &str) {
        let region = self.region.map(|region| format!("region = \"{region}\"\n"));
        let refuses: &[&str] = if self.refuses_seed { &["seed"] } else { &[] };
        let from = if self.priced {
            "2020-01-01"
        } else {
            "2999-01-01"
        };
        let _ = writeln!(
            text,
            "[[endpoints]]\nname = \"{}\"\narm = \"{arm}\"\nprovider = \"simulated\"\n{}zero_retention = {}\n\
             trains_on_requests = {}\ncertifications = {:?}\nrefuses = {refuses:?}\n\
             prices = [{{ from = {from}, input_usd_per_million = 1, output_usd_per_million = 2 }}]",
            self.name,
            region.unwrap_or_default(),
            self.zero_retention,
            self.trains,
            self.certifications,
        );
    }
}
