//! A table of routing fields, and what they come to.

use super::*;
use crate::eligibility::{Arm, Endpoint, Price};
use crate::http::status::testing::violations;
use std::collections::BTreeSet;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn names(texts: &str) -> Vec<Name> {
    texts.split_whitespace().map(name).collect()
}

fn catalogue() -> Catalogue {
    let arm = |text: &str| Arm {
        name: name(text),
        capabilities: BTreeSet::new(),
        context_tokens: 1000,
        max_output_tokens: None,
    };
    let endpoint = |arm: &str, input: f64| Endpoint {
        name: name(&format!("{arm}-eu")),
        arm: name(arm),
        provider: name("simulated"),
        model: String::new(),
        base_url: String::new(),
        region: None,
        zero_retention: true,
        trains: false,
        certifications: Vec::new(),
        expresses: Default::default(),
        waits: Default::default(),
        prices: vec![Price {
            from: Timestamp::default(),
            input,
            cached_input: input,
            cache_write: input,
            output: 4.0 * input,
        }],
    };
    let arms = ["small", "large", "secret"].map(arm).to_vec();
    let prices = [("small", 0.1), ("large", 5.0), ("secret", 1.0)];
    Catalogue::new(
        arms,
        prices.map(|(arm, price)| endpoint(arm, price)).to_vec(),
    )
    .unwrap()
}

/// What the fields of a body come to, for a key that may not use the arm `secret` of a team whose data stays
/// in two regions.
fn read(json: &str) -> Result<Chosen, Vec<String>> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        model: Option<Cow<'a, str>>,
        models: Option<Vec<String>>,
        fallbacks: Option<Vec<String>>,
        provider: Option<SaidProvider>,
        #[serde(default)]
        bellwether: SaidOurs,
    }
    let body: Body<'_> = serde_json::from_str(json).unwrap();
    let said = SaidRouting {
        model: body.model,
        models: body.models,
        fallbacks: body.fallbacks,
        provider: body.provider,
    };
    let grant = Grant {
        key: name("ci"),
        team: name("coding"),
        scopes: BTreeSet::new(),
        arms: Some(names("small large").into_iter().collect()),
        bounds: Default::default(),
    };
    let policy = DataPolicy {
        regions: names("eu ch"),
        zero_retention: true,
        no_training: false,
        certifications: names("iso"),
    };
    let known = Known {
        grant: &grant,
        catalogue: &catalogue(),
        policy: &policy,
        now: Timestamp::default(),
    };
    let mut fields = Fields::default();
    let chosen = chosen(&mut fields, said, &body.bellwether, known).map_err(violations)?;
    fields.finish(Some(chosen)).map_err(violations)
}

fn check(json: &str, expected: impl FnOnce(&mut Chosen)) {
    let mut chosen = Chosen::default();
    expected(&mut chosen);
    assert_eq!(read(json), Ok(chosen), "{json}");
}

fn check_bad(json: &str, bad: &[&str]) {
    let bad = bad.iter().map(ToString::to_string).collect();
    assert_eq!(read(json), Err(bad), "{json}");
}

#[test]
fn a_model_is_an_arm_or_the_routers_choice_or_a_task() {
    check(r#"{"model":"small"}"#, |c| {
        c.constraints.allowed_arms = names("small")
    });
    check(r#"{"model":"auto"}"#, |_| {});
    check(r#"{"model":"bellwether/auto"}"#, |_| {});
    check(r#"{"model":"bellwether/fix-test"}"#, |c| {
        c.task = Some(name("fix-test"))
    });
    check_bad("{}", &["model: is absent: required"]);
    let unknown = "the model does not exist, or this key may not use it: allowed small, large, \
                   bellwether/auto, bellwether/TASK";
    check_bad(r#"{"model":"gpt-9"}"#, &[unknown]);
    check_bad(r#"{"model":"secret"}"#, &[unknown]);
    check_bad(r#"{"model":"small","models":["secret"]}"#, &[unknown]);
}

#[test]
fn models_and_fallbacks_are_an_order_of_arms() {
    let ordered = |order: &str| {
        let order = names(order);
        move |c: &mut Chosen| {
            c.constraints.arm_order.clone_from(&order);
            c.constraints.allowed_arms = order;
        }
    };
    check(r#"{"models":["large","small"]}"#, ordered("large small"));
    check(
        r#"{"model":"small","models":["small","large"]}"#,
        ordered("small large"),
    );
    check(
        r#"{"model":"large","fallbacks":["small"]}"#,
        ordered("large small"),
    );
    check(r#"{"model":"auto","models":["large"]}"#, ordered("large"));
}

#[test]
fn a_providers_fields_are_limits_on_endpoints() {
    check(
        r#"{"model":"auto","provider":{"only":["small-eu"],"ignore":["openai"],"allow_fallbacks":false,"require_parameters":false}}"#,
        |c| {
            c.constraints.allowed_endpoints = names("small-eu");
            c.constraints.denied_endpoints = names("openai");
            c.constraints.no_fallbacks = true;
            c.constraints.leave_out_parameters = true;
        },
    );
    check(
        r#"{"model":"auto","provider":{"order":["small-eu"],"allow_fallbacks":false}}"#,
        |c| {
            c.constraints.allowed_endpoints = names("small-eu");
            c.constraints.endpoint_order = names("small-eu");
            c.constraints.no_fallbacks = true;
        },
    );
    check(
        r#"{"model":"auto","provider":{"order":["small-eu","openai"],"allow_fallbacks":false}}"#,
        |c| {
            c.constraints.allowed_endpoints = names("small-eu openai");
            c.constraints.endpoint_order = names("small-eu openai");
        },
    );
    check(
        r#"{"model":"auto","provider":{"order":["small-eu"],"sort":"latency","preferred_max_latency":1.5}}"#,
        |c| {
            c.constraints.endpoint_order = names("small-eu");
            c.constraints.endpoint_sort = Some(Sort::Latency);
            c.constraints.preferred_latency_ms = Some(1500.0);
        },
    );
    check(
        r#"{"model":"auto","provider":{"max_price":{"prompt":1,"completion":4}}}"#,
        |c| c.constraints.denied_endpoints = names("large-eu"),
    );
    check(
        r#"{"model":"auto","provider":{"max_price":{"completion":0.3}}}"#,
        |c| {
            c.constraints.denied_endpoints = names("small-eu large-eu secret-eu");
        },
    );
}

#[test]
fn a_callers_demands_on_data_add_to_the_teams() {
    let policy = |regions: &str, no_training| {
        let regions = names(regions);
        move |c: &mut Chosen| {
            c.constraints.data_policy = Some(DataPolicy {
                regions,
                zero_retention: true,
                no_training,
                certifications: names("iso"),
            });
        }
    };
    let deny = r#"{"model":"auto","provider":{"data_collection":"deny"}}"#;
    check(deny, policy("eu ch", true));
    check(
        r#"{"model":"auto","provider":{"zdr":true}}"#,
        policy("eu ch", false),
    );
    let regions = r#"{"model":"auto","bellwether":{"regions":["us","eu"]}}"#;
    check(regions, policy("eu", false));
    check_bad(
        r#"{"model":"auto","bellwether":{"regions":["us"]}}"#,
        &["bellwether.regions: are none of the team's: allowed eu, ch"],
    );
    check(
        r#"{"model":"auto","provider":{"data_collection":"allow","zdr":false}}"#,
        |_| {},
    );
    let certified =
        r#"{"model":"auto","bellwether":{"certifications":["soc2"],"data_class":"patient"}}"#;
    check(certified, |c| {
        policy("eu ch", false)(c);
        let policy = c.constraints.data_policy.as_mut().unwrap();
        policy.certifications = names("soc2 iso");
        c.constraints.data_class = Some(name("patient"));
    });
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    check_bad(
        r#"{"model":"auto","provider":{"sort":"throughput","quantizations":["fp8"],"preferred_max_latency":-2,"max_price":{"image":1},"data_collection":"maybe"}}"#,
        &[
            "provider.data_collection: is unknown: allowed allow, deny",
            "provider.quantizations: is not supported: allowed none",
            "provider.max_price.image: is not supported: allowed none",
            "provider.sort: is not supported: allowed price, latency",
            "provider.preferred_max_latency: is -2: allowed 0 to 1000000000",
        ],
    );
}

#[test]
fn our_own_fields_are_limits_too() {
    check(
        r#"{"model":"auto","bellwether":{"denied_arms":["large"],"required_capabilities":["tools"],"max_cost_usd":0.0025,"max_latency_ms":900}}"#,
        |c| {
            c.constraints.denied_arms = names("large");
            c.constraints.required_capabilities = names("tools");
            c.constraints.max_cost = Some(NanoUsd::new(2_500_000));
            c.constraints.max_latency_ms = Some(900.0);
        },
    );
    check_bad(
        r#"{"model":"auto","bellwether":{"max_cost_usd":-1,"max_latency_ms":0}}"#,
        &[
            "bellwether.max_cost_usd: is -1: allowed 0 to 1000000000",
            "bellwether.max_latency_ms: is 0: allowed above 0 to 86400000",
        ],
    );
}
