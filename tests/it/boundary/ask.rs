//! A request as plain facts, and as the use cases are asked.

use super::chance::Chance;
use super::world::{CLASSES, Policy, TASKS, World};
use bellwether::chat::{Generation, Message, ResponseFormat, Role, Tool};
use bellwether::decision;
use bellwether::eligibility::DataPolicy;
use bellwether::id::Name;
use bellwether::route::{Constraints, Request};

/// Which use case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Route,
    Whole,
    /// To its end, or dropped after so many pieces.
    Stream(Option<usize>),
    Embed,
}

#[derive(Debug, Clone)]
pub(super) struct Ask {
    /// What its first message says, so that providers know it again.
    pub(super) id: u64,
    pub(super) key: usize,
    /// It has a request id, so that it may come again.
    pub(super) named: bool,
    /// It came before, perhaps by another key and under other rules.
    pub(super) again: bool,
    pub(super) way: Way,
    pub(super) task: Option<&'static str>,
    pub(super) episode: Option<usize>,
    pub(super) session: Option<usize>,
    pub(super) explore: bool,
    pub(super) allowed: Vec<usize>,
    pub(super) denied: Vec<usize>,
    pub(super) order: Vec<usize>,
    pub(super) only: Vec<usize>,
    pub(super) ignore: Vec<usize>,
    pub(super) policy: Option<Policy>,
    pub(super) class: Option<usize>,
    pub(super) tools: bool,
    pub(super) json: bool,
    pub(super) seed: bool,
    pub(super) leave_out: bool,
    pub(super) no_fallbacks: bool,
    pub(super) input: u32,
    pub(super) most_output: Option<u32>,
}

impl Ask {
    pub(super) fn made(id: u64, world: &World, chance: &mut Chance) -> Self {
        let way = match chance.below(10) {
            0 => Way::Route,
            1..=4 => Way::Whole,
            5 | 6 => Way::Stream(None),
            7 => Way::Stream(Some(chance.below(3))),
            8 => Way::Embed,
            _ => Way::Whole,
        };
        let most = |chance: &mut Chance, share: f64, count: usize, kept: f64| -> Vec<usize> {
            match chance.hit(share) {
                true => (0..count).filter(|_| chance.hit(kept)).collect(),
                false => Vec::new(),
            }
        };
        let (arms, endpoints) = (world.arms.len(), world.endpoints.len());
        let mut order = most(chance, 0.12, arms, 0.7);
        if chance.hit(0.5) {
            order.reverse();
        }
        let chats = way != Way::Embed;
        Self {
            id,
            key: chance.below(world.keys.len()),
            named: chance.hit(0.5),
            again: false,
            way,
            task: chance.hit(0.7).then(|| chance.one(&TASKS)),
            episode: chance.hit(0.5).then(|| chance.below(60)),
            session: chance.hit(0.4).then(|| chance.below(40)),
            explore: chance.hit(0.8),
            allowed: most(chance, 0.15, arms, 0.75),
            denied: most(chance, 0.15, arms, 0.25),
            order,
            only: most(chance, 0.12, endpoints, 0.75),
            ignore: most(chance, 0.15, endpoints, 0.2),
            policy: chance.hit(0.3).then(|| Policy::made(chance, 0.35)),
            class: chance.hit(0.3).then(|| chance.below(CLASSES.len())),
            tools: chats && chance.hit(0.2),
            json: chats && chance.hit(0.25),
            seed: chats && chance.hit(0.2),
            leave_out: chance.hit(0.2),
            no_fallbacks: chance.hit(0.06),
            input: chance.one(&[500, 500, 500, 10_000, 100_000]),
            most_output: chance.hit(0.5).then(|| chance.one(&[100, 1_000])),
        }
    }

    /// The same by some key of its team. What was only decided may now be asked for, as if the first call had died
    /// with its server.
    pub(super) fn again(&self, world: &World, chance: &mut Chance) -> Self {
        let team = world.keys[self.key].team;
        let keys: Vec<usize> = (0..world.keys.len())
            .filter(|key| world.keys[*key].team == team)
            .collect();
        let way = match self.way {
            Way::Route => chance.one(&[Way::Route, Way::Route, Way::Whole, Way::Stream(None)]),
            way => way,
        };
        Self {
            key: chance.one(&keys),
            again: true,
            way,
            ..self.clone()
        }
    }

    /// Whether an arm needs this ability for it.
    pub(super) fn needs(&self, ability: &str) -> bool {
        match ability {
            "tools" => self.tools,
            "json" => self.json,
            _ => self.way == Way::Embed,
        }
    }

    /// What is said.
    pub(super) fn said(&self) -> String {
        format!("#{} say something", self.id)
    }

    /// Which request a text belongs to.
    pub(super) fn of(text: &str) -> u64 {
        let id = text
            .strip_prefix('#')
            .and_then(|rest| rest.split(' ').next());
        id.and_then(|id| id.parse().ok())
            .expect("the text of a request")
    }

    pub(super) fn request(&self, world: &World) -> Request {
        let arms = |list: &[usize]| {
            list.iter()
                .map(|arm| name(&world.arms[*arm].name))
                .collect()
        };
        let endpoints = |list: &[usize]| {
            list.iter()
                .map(|at| name(&world.endpoints[*at].name))
                .collect()
        };
        let names = |list: &[&str]| -> Vec<Name> { list.iter().map(|text| name(text)).collect() };
        let policy = self.policy.as_ref().map(|policy| DataPolicy {
            regions: names(&policy.regions),
            zero_retention: policy.zero_retention,
            no_training: policy.no_training,
            certifications: names(&policy.certifications),
        });
        let tool = Tool {
            name: "find".to_owned(),
            description: String::new(),
            parameters_json_schema: "{}".to_owned(),
        };
        Request {
            task: self.task.map(name),
            episode: self
                .episode
                .map(|episode| name(&format!("episode{episode}"))),
            session: self
                .session
                .map(|session| name(&format!("session{session}"))),
            tags: Vec::new(),
            messages: vec![Message::text(Role::User, self.said())],
            tools: if self.tools { vec![tool] } else { Vec::new() },
            response_format: match self.json {
                true => ResponseFormat::JsonObject,
                false => ResponseFormat::Text,
            },
            embedding: None,
            input_tokens: Some(self.input),
            max_output_tokens: self.most_output,
            generation: Generation {
                seed: self.seed.then_some(7),
                ..Generation::default()
            },
            constraints: Constraints {
                allowed_arms: arms(&self.allowed),
                denied_arms: arms(&self.denied),
                arm_order: arms(&self.order),
                allowed_endpoints: endpoints(&self.only),
                denied_endpoints: endpoints(&self.ignore),
                required_capabilities: match self.way {
                    Way::Embed => names(&["embeddings"]),
                    _ => Vec::new(),
                },
                data_policy: policy,
                data_class: self.class.map(|class| name(CLASSES[class])),
                no_fallbacks: self.no_fallbacks,
                leave_out_parameters: self.leave_out,
                ..Constraints::default()
            },
            request: self.named.then(|| decision::Request {
                id: name(&format!("request{}", self.id)),
                body_hash: self.id,
            }),
            explore: self.explore,
            streaming: matches!(self.way, Way::Stream(_)),
        }
    }
}

pub(super) fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}
