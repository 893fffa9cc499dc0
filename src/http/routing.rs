//! Who is to answer: `model`, and the routing fields of OpenRouter, LiteLLM and our own.
//!
//! - `model`: an arm's name; `bellwether/auto` or `auto` (the router chooses); `bellwether/TASK` (it chooses,
//!   for this task).
//! - `models` and `fallbacks`: arms in this order instead of a draw, behind `model` where that is an arm.
//! - `provider`: `only`, `ignore`, `order` (endpoints' names or providers'; with `allow_fallbacks: false` no
//!   others than those in `order`), `allow_fallbacks`, `require_parameters`, `data_collection`, `zdr`, `sort`
//!   (`price`, `latency`), `preferred_max_latency` (slower endpoints go last), `max_price` (`prompt`,
//!   `completion`). Its other fields are refused by name.
//! - `bellwether`: everything else that the router can be told; each also as a header where that is handier.
//!
//! Invariants: what a caller demands of the data's whereabouts is added to the team's own demands and never
//! loosens them; a price above `max_price` excludes its endpoint, whatever else is allowed.
//!
//! Not here: whether arms, endpoints and regions exist (`route`, but for models: that is a 404).
//!
//! Units: `input_tokens` in tokens (the caller's own count of the prompt; absent: estimated, and the most that
//! there can be is held where money is limited), `max_price` in USD per million tokens, `max_cost_usd` in USD,
//! `max_latency_ms` in milliseconds, `preferred_max_latency` in seconds.

use super::declared::SaidTag;
use super::status::Failure;
use crate::access::Grant;
use crate::eligibility::{Catalogue, DataPolicy};
use crate::field::Fields;
use crate::id::{Name, listed};
use crate::path::Path;
use crate::route::{Constraints, Sort};
use crate::unit::{NanoUsd, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What stands before a task in `model`.
const PREFIX: &str = "bellwether/";

/// The capability of arms that turn texts into vectors.
pub(super) const EMBEDDINGS: &str = "embeddings";

/// Beyond this it is no money and no time.
const MOST_NUMBER: f64 = 1e9;

/// What is said of it.
#[derive(Debug, Default)]
pub(super) struct SaidRouting<'a> {
    pub(super) model: Option<Cow<'a, str>>,
    pub(super) models: Option<Vec<String>>,
    pub(super) fallbacks: Option<Vec<String>>,
    pub(super) provider: Option<SaidProvider>,
}

/// OpenRouter's `provider`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SaidProvider {
    order: Option<Vec<String>>,
    only: Option<Vec<String>>,
    ignore: Option<Vec<String>>,
    allow_fallbacks: Option<bool>,
    require_parameters: Option<bool>,
    data_collection: Option<String>,
    zdr: Option<bool>,
    max_price: Option<SaidPrice>,
    sort: Option<String>,
    quantizations: Option<IgnoredAny>,
    preferred_max_latency: Option<f64>,
    preferred_min_throughput: Option<IgnoredAny>,
    enforce_distillable_text: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SaidPrice {
    prompt: Option<f64>,
    completion: Option<f64>,
    request: Option<IgnoredAny>,
    image: Option<IgnoredAny>,
}

/// Our own extension.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SaidOurs {
    pub(super) task: Option<String>,
    pub(super) episode_id: Option<String>,
    pub(super) session_id: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) tags: Option<BTreeMap<String, SaidTag>>,
    pub(super) explore: Option<bool>,
    pub(super) embedding: Option<Vec<f32>>,
    pub(super) input_tokens: Option<i64>,
    required_capabilities: Option<Vec<String>>,
    denied_arms: Option<Vec<String>>,
    max_cost_usd: Option<f64>,
    max_latency_ms: Option<f64>,
    regions: Option<Vec<String>>,
    certifications: Option<Vec<String>>,
    data_class: Option<String>,
}

/// What a request is judged against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) grant: &'a Grant,
    pub(super) catalogue: &'a Catalogue,
    /// The team's own demands.
    pub(super) policy: &'a DataPolicy,
    pub(super) now: Timestamp,
}

impl<'a> Known<'a> {
    /// The arms that the key may use.
    pub(super) fn arms(&self) -> impl Iterator<Item = &'a Name> {
        let (grant, catalogue) = (self.grant, self.catalogue);
        let may = move |arm: &&Name| grant.may_use(catalogue, arm);
        self.catalogue
            .arms()
            .iter()
            .map(|arm| &arm.name)
            .filter(may)
    }

    /// The arm of that name, if the key may use it.
    pub(super) fn arm(&self, name: &str) -> Option<&'a Name> {
        self.arms().find(|arm| arm.as_str() == name)
    }

    /// The arms that only make embeddings: no chat goes there, unless one is named.
    pub(super) fn mute(&self) -> impl Iterator<Item = &'a Name> {
        let arms = self.catalogue.arms().iter();
        let mute = arms.filter(|arm| arm.capabilities.iter().all(|c| c.as_str() == EMBEDDINGS));
        mute.filter(|arm| !arm.capabilities.is_empty())
            .map(|arm| &arm.name)
    }

    /// The refusal of a model that is not there.
    pub(super) fn no_model(&self) -> Failure {
        let arms = listed(self.arms());
        let known = format!("{arms}, {PREFIX}auto, {PREFIX}TASK");
        Failure::ModelNotFound { known }
    }
}

/// Who is to answer.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Chosen {
    /// The task that `model` names.
    pub(super) task: Option<Name>,
    pub(super) constraints: Constraints,
}

/// Reads who is to answer. An unknown model is refused at once: nothing else matters then.
pub(super) fn chosen(
    fields: &mut Fields,
    said: SaidRouting<'_>,
    ours: &SaidOurs,
    known: Known<'_>,
) -> Result<Chosen, Failure> {
    let mut chosen = Chosen::default();
    let order = [
        said.models.unwrap_or_default(),
        said.fallbacks.unwrap_or_default(),
    ]
    .concat();
    let mut arms = Vec::new();
    match said.model.as_deref() {
        None if order.is_empty() => fields.refuse("model", "is absent: required"),
        None | Some("auto" | "bellwether/auto") => {}
        Some(model) => match (known.arm(model), model.strip_prefix(PREFIX)) {
            (Some(arm), _) => arms.push(arm.clone()),
            (None, Some(task)) => chosen.task = fields.name("model", task),
            (None, None) => return Err(known.no_model()),
        },
    }
    fields.count("models", order.len(), 0..=Constraints::MAX_ORDERED);
    for model in order.iter().take(Constraints::MAX_ORDERED) {
        let arm = known.arm(model).ok_or_else(|| known.no_model())?;
        if !arms.contains(arm) {
            arms.push(arm.clone());
        }
    }
    let limits = &mut chosen.constraints;
    if !order.is_empty() {
        limits.arm_order.clone_from(&arms);
    }
    limits.allowed_arms = arms;
    let provider = said.provider.unwrap_or_default();
    ours_of(fields, limits, ours);
    limits.data_policy = data_policy(fields, &provider, ours, known);
    endpoints(fields, limits, provider, known);
    Ok(chosen)
}

fn ours_of(fields: &mut Fields, limits: &mut Constraints, ours: &SaidOurs) {
    let at = Path::Root.field("bellwether");
    let mut names = |name: &'static str, said: &Option<Vec<String>>, most| {
        let said = said.as_deref().unwrap_or_default();
        fields.names(at.field(name), said, most)
    };
    limits.denied_arms = names("denied_arms", &ours.denied_arms, Constraints::MAX_NAMES);
    let required = &ours.required_capabilities;
    limits.required_capabilities = names(
        "required_capabilities",
        required,
        Constraints::MAX_CAPABILITIES,
    );
    let cost = fields.number(
        at.field("max_cost_usd"),
        ours.max_cost_usd,
        0.0..=MOST_NUMBER,
    );
    limits.max_cost = cost.and_then(|usd| NanoUsd::from_usd(usd).ok());
    let class = ours.data_class.as_deref();
    limits.data_class = class.and_then(|class| fields.name(at.field("data_class"), class));
    let (field, latency) = (at.field("max_latency_ms"), ours.max_latency_ms);
    limits.max_latency_ms = fields.above_zero(field, latency, Constraints::MAX_LATENCY_MS);
}

/// The team's demands and the caller's together. `None`: the caller has none of its own.
fn data_policy(
    fields: &mut Fields,
    provider: &SaidProvider,
    ours: &SaidOurs,
    known: Known<'_>,
) -> Option<DataPolicy> {
    let collection = Path::Root.field("provider");
    let no_training = match provider.data_collection.as_deref() {
        None | Some("allow") => false,
        Some("deny") => true,
        Some(_) => {
            fields.refuse(
                collection.field("data_collection"),
                "is unknown: allowed allow, deny",
            );
            false
        }
    };
    let ours_at = Path::Root.field("bellwether");
    let at = ours_at.field("certifications");
    let said = ours.certifications.as_deref().unwrap_or_default();
    let certifications = fields.names(at, said, Constraints::MAX_CERTIFICATIONS);
    let at = ours_at.field("regions");
    let said = ours.regions.as_deref().unwrap_or_default();
    let mut regions = fields.names(at, said, Constraints::MAX_REGIONS);
    let own = DataPolicy {
        regions: Vec::new(),
        zero_retention: provider.zdr == Some(true),
        no_training,
        certifications,
    };
    if regions.is_empty() && own == DataPolicy::default() {
        return None;
    }
    let team = known.policy;
    if regions.is_empty() {
        regions.clone_from(&team.regions);
    } else if !team.regions.is_empty() {
        regions.retain(|region| team.regions.contains(region));
        if regions.is_empty() {
            let allowed = listed(&team.regions);
            fields.refuse(
                at,
                format_args!("are none of the team's: allowed {allowed}"),
            );
        }
    }
    // Of regions, those that are left: to name others is the caller's mistake, and was told above.
    let rest = DataPolicy {
        regions: Vec::new(),
        ..team.clone()
    };
    let demands = own.and(&rest)?;
    Some(DataPolicy { regions, ..demands })
}

fn endpoints(fields: &mut Fields, limits: &mut Constraints, said: SaidProvider, known: Known<'_>) {
    let at = Path::Root.field("provider");
    unsupported(fields, at, &said);
    limits.no_fallbacks = said.allow_fallbacks == Some(false);
    limits.leave_out_parameters = said.require_parameters == Some(false);
    let names = |fields: &mut Fields, name: &'static str, said: Option<Vec<String>>| {
        fields.names(
            at.field(name),
            &said.unwrap_or_default(),
            Constraints::MAX_NAMES,
        )
    };
    limits.allowed_endpoints = names(fields, "only", said.only);
    limits.denied_endpoints = names(fields, "ignore", said.ignore);
    limits.endpoint_order = names(fields, "order", said.order);
    if limits.no_fallbacks && !limits.endpoint_order.is_empty() {
        // Those that are named, one after the other.
        limits.no_fallbacks = limits.endpoint_order.len() == 1;
        if limits.allowed_endpoints.is_empty() {
            limits.allowed_endpoints.clone_from(&limits.endpoint_order);
        }
    }
    limits.endpoint_sort = sort(fields, at.field("sort"), said.sort.as_deref());
    let (preferred, field) = (said.preferred_max_latency, "preferred_max_latency");
    let preferred = fields.number(at.field(field), preferred, 0.0..=MOST_NUMBER);
    limits.preferred_latency_ms = preferred.map(|seconds| seconds * 1e3);
    let price = said.max_price.unwrap_or_default();
    let at = at.field("max_price");
    let most = |fields: &mut Fields, name: &'static str, value: Option<f64>| {
        fields.number(at.field(name), value, 0.0..=MOST_NUMBER)
    };
    let (input, output) = (
        most(fields, "prompt", price.prompt),
        most(fields, "completion", price.completion),
    );
    let dear = |price: f64, most: Option<f64>| most.is_some_and(|most| price > most);
    for endpoint in known.catalogue.endpoints() {
        let price = endpoint.price(known.now);
        let over = price.is_some_and(|p| dear(p.input, input) || dear(p.output, output));
        if over && !limits.denied_endpoints.contains(&endpoint.name) {
            limits.denied_endpoints.push(endpoint.name.clone());
        }
    }
}

fn sort(fields: &mut Fields, at: Path<'_>, said: Option<&str>) -> Option<Sort> {
    match said? {
        "price" => Some(Sort::Price),
        "latency" => Some(Sort::Latency),
        _ => {
            fields.refuse(at, "is not supported: allowed price, latency");
            None
        }
    }
}

/// What would be silently broken if it were taken.
fn unsupported(fields: &mut Fields, at: Path<'_>, said: &SaidProvider) {
    let price = said.max_price.as_ref();
    let no = "is not supported: allowed none";
    let all = [
        ("quantizations", said.quantizations.is_some(), no),
        (
            "preferred_min_throughput",
            said.preferred_min_throughput.is_some(),
            no,
        ),
        (
            "enforce_distillable_text",
            said.enforce_distillable_text.is_some(),
            no,
        ),
        (
            "max_price.request",
            price.is_some_and(|p| p.request.is_some()),
            no,
        ),
        (
            "max_price.image",
            price.is_some_and(|p| p.image.is_some()),
            no,
        ),
    ];
    for (name, said, problem) in all {
        if said {
            fields.refuse(at.field(name), problem);
        }
    }
}

#[cfg(test)]
mod tests;
