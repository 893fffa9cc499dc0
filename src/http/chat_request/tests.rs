//! A table of bodies and heads, and the requests that they come to.

use super::*;
use crate::access::Grant;
use crate::chat::{Effort, Generation, ResponseFormat, ToolChoice};
use crate::eligibility::{Arm, Catalogue, DataPolicy, Endpoint};
use crate::http::status::testing::violations;
use crate::unit::Timestamp;
use http::HeaderValue;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn catalogue() -> Catalogue {
    let arm = Arm {
        name: name("small"),
        capabilities: BTreeSet::new(),
        context_tokens: 1000,
        max_output_tokens: None,
    };
    let endpoint = Endpoint {
        name: name("small-eu"),
        arm: name("small"),
        provider: name("simulated"),
        model: String::new(),
        base_url: String::new(),
        region: None,
        zero_retention: true,
        trains: false,
        certifications: Vec::new(),
        expresses: Default::default(),
        waits: Default::default(),
        prices: Vec::new(),
    };
    let mute = Arm {
        name: name("vectors"),
        capabilities: [name("embeddings")].into(),
        ..arm.clone()
    };
    let other = Endpoint {
        name: name("vectors-eu"),
        arm: name("vectors"),
        ..endpoint.clone()
    };
    Catalogue::new(vec![arm, mute], vec![endpoint, other]).unwrap()
}

fn read_bytes(body: &[u8], headers: &[(&'static str, &'static str)]) -> Result<Wanted, Failure> {
    let mut head = HeaderMap::new();
    for (name, value) in headers {
        head.insert(*name, HeaderValue::from_static(value));
    }
    let grant = Grant {
        key: name("ci"),
        team: name("coding"),
        scopes: BTreeSet::new(),
        arms: None,
        bounds: Default::default(),
    };
    let (catalogue, policy) = (catalogue(), DataPolicy::default());
    let known = Known {
        grant: &grant,
        catalogue: &catalogue,
        policy: &policy,
        now: Timestamp::default(),
    };
    super::read(body, &head, known)
}

/// A body of a good model and message, and these fields.
fn asked(fields: &str, headers: &[(&'static str, &'static str)]) -> Result<Wanted, Failure> {
    let comma = if fields.is_empty() { "" } else { "," };
    let body = format!(
        r#"{{"model":"bellwether/auto","messages":[{{"role":"user","content":"hi"}}]{comma}{fields}}}"#
    );
    read_bytes(body.as_bytes(), headers)
}

/// The plain request with one thing changed is what `fields` come to.
fn check(fields: &str, change: impl FnOnce(&mut Request)) {
    let mut expected = asked("", &[]).unwrap().request;
    change(&mut expected);
    assert_eq!(asked(fields, &[]).unwrap().request, expected, "{fields}");
}

fn check_bad(fields: &str, bad: &[&str]) {
    let found = asked(fields, &[]).map_or_else(violations, |_| Vec::new());
    assert_eq!(found, bad, "{fields}");
}

#[test]
fn every_field_of_openai_reaches_the_request() {
    check(r#""temperature":0.5"#, |r| {
        r.generation.temperature = Some(0.5)
    });
    check(r#""top_p":1"#, |r| r.generation.top_p = Some(1.0));
    check(r#""stop":"END""#, |r| {
        r.generation.stop = vec!["END".into()]
    });
    check(r#""stop":["a","b"]"#, |r| {
        r.generation.stop = vec!["a".into(), "b".into()]
    });
    check(r#""seed":-7"#, |r| r.generation.seed = Some(-7));
    check(r#""presence_penalty":-2"#, |r| {
        r.generation.presence_penalty = Some(-2.0)
    });
    check(r#""frequency_penalty":2"#, |r| {
        r.generation.frequency_penalty = Some(2.0)
    });
    check(r#""reasoning_effort":"low""#, |r| {
        r.generation.effort = Some(Effort::Low)
    });
    check(r#""reasoning":{"effort":"high"}"#, |r| {
        r.generation.effort = Some(Effort::High)
    });
    check(r#""max_tokens":9"#, |r| r.max_output_tokens = Some(9));
    check(r#""max_completion_tokens":9"#, |r| {
        r.max_output_tokens = Some(9)
    });
    check(r#""tool_choice":"none""#, |r| {
        r.generation.tool_choice = ToolChoice::None
    });
    check(r#""parallel_tool_calls":false"#, |r| {
        r.generation.parallel_tool_calls = Some(false)
    });
    check(r#""stream":true"#, |r| r.streaming = true);
    check(r#""n":1,"modalities":["text"]"#, |_| {});
    check(
        r#""response_format":{"type":"json_schema","json_schema":{"name":"a","strict":true,"schema":{}}}"#,
        |r| {
            r.response_format = ResponseFormat::JsonSchema("{}".into());
            r.generation.strict = true;
        },
    );
    let tool = r#""tools":[{"type":"function","function":{"name":"find"}}]"#;
    check(tool, |r| {
        r.tools = vec![crate::chat::Tool {
            name: "find".into(),
            description: String::new(),
            parameters_json_schema: String::new(),
        }];
    });
    let options =
        r#""stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}"#;
    assert!(asked(options, &[]).unwrap().include_usage);
    assert!(!asked(r#""stream":true"#, &[]).unwrap().include_usage);
}

#[test]
fn an_arm_that_only_makes_embeddings_is_asked_to_chat_where_it_is_named_alone() {
    let limits = |body: &str| {
        read_bytes(body.as_bytes(), &[])
            .unwrap()
            .request
            .constraints
    };
    let said = r#""messages":[{"role":"user","content":"hi"}]"#;
    let auto = limits(&format!(r#"{{"model":"auto",{said}}}"#));
    assert_eq!(auto.denied_arms, [name("vectors")]);
    let named = limits(&format!(r#"{{"model":"vectors",{said}}}"#));
    assert!(named.denied_arms.is_empty());
}

#[test]
fn null_says_nothing() {
    let nulls = [
        "temperature",
        "top_p",
        "n",
        "stop",
        "seed",
        "tools",
        "tool_choice",
        "response_format",
        "stream",
        "stream_options",
        "reasoning_effort",
        "max_tokens",
        "functions",
        "function_call",
        "provider",
        "bellwether",
        "models",
        "logit_bias",
        "metadata",
        "user",
        "session_id",
    ];
    for field in nulls {
        check(&format!("\"{field}\":null"), |_| {});
    }
}

#[test]
fn what_is_not_known_is_passed_on_to_the_letter_and_what_is_advisory_is_not() {
    let extra = |name: &str, json: &str| Extra {
        name: name.into(),
        json: json.into(),
    };
    check(r#""logit_bias":{"50256" : -100},"top_logprobs":3"#, |r| {
        r.generation.extra = vec![
            extra("logit_bias", r#"{"50256" : -100}"#),
            extra("top_logprobs", "3"),
        ];
    });
    check(r#""top_k":1,"top_k":2"#, |r| {
        r.generation.extra = vec![extra("top_k", "2")]
    });
    check(r#""x\u0079":1"#, |r| {
        r.generation.extra = vec![extra("xy", "1")]
    });
    check(
        r#""store":true,"user":"u","safety_identifier":"s","num_retries":3"#,
        |_| {},
    );
    check(r#""logprobs":false,"service_tier":"auto""#, |_| {});
    assert_eq!(
        asked("", &[]).unwrap().request.generation,
        Generation::default()
    );
}

#[test]
fn our_own_fields_come_in_the_body_or_in_the_head_and_the_body_wins() {
    let ours = r#""bellwether":{"task":"fix","episode_id":"pr-1","session_id":"s","request_id":"r","explore":false,"tags":{"lang":"rust"}}"#;
    let headers = [
        ("x-bellwether-task", "other"),
        ("x-bellwether-episode", "other"),
        ("x-bellwether-session", "other"),
        ("idempotency-key", "other"),
    ];
    let check = |wanted: Wanted, task, episode, session, id| {
        let request = wanted.request;
        let key = request.request.map(|request| request.id);
        let found = [request.task, request.episode, request.session, key];
        let expected = [task, episode, session, id].map(|text| Some(name(text)));
        assert_eq!(found, expected);
    };
    check(asked(ours, &headers).unwrap(), "fix", "pr-1", "s", "r");
    check(
        asked("", &headers).unwrap(),
        "other",
        "other",
        "other",
        "other",
    );
    let request = asked(ours, &[]).unwrap().request;
    assert!(!request.explore);
    assert_eq!(request.tags.len(), 1);
}

#[test]
fn a_caller_who_has_counted_the_prompt_says_so() {
    check(r#""bellwether":{"input_tokens":0}"#, |r| {
        r.input_tokens = Some(0);
    });
    check(r#""bellwether":{"input_tokens":100000000}"#, |r| {
        r.input_tokens = Some(100_000_000);
    });
    for bad in [-1, 100_000_001] {
        check_bad(
            &format!(r#""bellwether":{{"input_tokens":{bad}}}"#),
            &[&format!(
                "bellwether.input_tokens: is {bad}: allowed 0 to 100000000"
            )],
        );
    }
}

#[test]
fn litellms_metadata_is_read_where_it_has_its_form() {
    let request = asked(r#""metadata":{"tags":["prod"],"session_id":"s"}"#, &[])
        .unwrap()
        .request;
    assert_eq!((request.tags.len(), request.session), (1, Some(name("s"))));
    let request = asked(r#""metadata":{"tags":7,"other":{}}"#, &[])
        .unwrap()
        .request;
    assert!(request.tags.is_empty());
}

#[test]
fn a_repeat_has_the_hash_of_the_first_and_another_request_has_another() {
    let hash = |fields: &str, headers: &[(&'static str, &'static str)]| {
        asked(fields, headers)
            .unwrap()
            .request
            .request
            .unwrap()
            .body_hash
    };
    let key = ("idempotency-key", "r1");
    assert_eq!(hash("", &[key]), hash("", &[key]));
    assert_ne!(hash("", &[key]), hash(r#""seed":1"#, &[key]));
    assert_ne!(
        hash("", &[key]),
        hash("", &[key, ("x-bellwether-task", "fix")])
    );
}

#[test]
fn each_bad_field_is_named_with_what_is_allowed() {
    let form = |field: &str, column: usize, allowed: &str| {
        format!("{field}: has the wrong form at line 1 column {column}: allowed {allowed}")
    };
    check_bad(
        r#""temperature":"secret""#,
        &[&form("temperature", 93, "a number")],
    );
    check_bad(r#""n":2"#, &["n: is not 1: allowed 1 answer a call"]);
    let legacy = "functions: are not supported: allowed `tools` and `tool_choice`";
    check_bad(r#""functions":[]"#, &[legacy]);
    check_bad(r#""function_call":"auto""#, &[legacy]);
    let found = asked(r#""provider":{"secret":1}"#, &[]).map_or_else(violations, |_| Vec::new());
    assert!(
        found[0].starts_with("provider: has the wrong form at line 1"),
        "{found:?}"
    );
    assert!(!found[0].contains("secret"));
    check_bad(
        r#""n":2,"top_p":7,"bellwether":{"task":""}"#,
        &[
            "n: is not 1: allowed 1 answer a call",
            "top_p: is 7: allowed 0 to 1",
            "bellwether.task: is empty: allowed 1 to 128 printable characters",
        ],
    );
    let long = asked("", &[("idempotency-key", "\u{9}")]);
    assert!(long.is_ok(), "a blank header is none");
}

#[test]
fn a_body_that_is_no_object_is_told_where() {
    let told = |body: &[u8]| read_bytes(body, &[]).map_or_else(violations, |_| Vec::new());
    assert_eq!(
        told(b""),
        ["the body is not JSON at line 1 column 0: allowed one JSON object"]
    );
    assert_eq!(
        told(b"{\"model\":\"a\","),
        ["the body is not JSON at line 1 column 13: allowed one JSON object"]
    );
    assert!(told(b"[]")[0].starts_with("body: has the wrong form at line 1"));
    assert_eq!(
        told(b"{}"),
        [
            "model: is absent: required",
            "messages: has 0 entries: allowed 1 to 4096",
        ]
    );
    let deep = format!("{{\"x\":{}", "[".repeat(100_000));
    assert!(told(deep.as_bytes())[0].starts_with("the body is not JSON"));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_bytes(&body, &[]);
    }

    #[test]
    fn no_json_of_a_known_field_makes_it_panic(
        field in prop::sample::select(vec!["model", "messages", "tools", "stop", "provider", "bellwether",
            "reasoning", "tool_choice", "response_format", "metadata", "stream_options", "x"]),
        value in prop::sample::select(vec!["0", "-1e308", "\"\"", "[]", "[[]]", "{}", "[{}]", "true",
            "{\"type\":\"function\"}", "[{\"role\":\"user\"}]", "[null]"]),
    ) {
        let _ = asked(&format!("\"{field}\":{value}"), &[]);
    }
}

#[test]
fn fuzz() {
    let inputs = [
        r#"{"model":"small","messages":[{"role":"system","content":"be brief"},{"role":"user","content":[{"type":"text","text":"h\u00e9"},{"type":"image_url","image_url":{"url":"https://example.org/a.png"}}]}],"tools":[{"type":"function","function":{"name":"find","parameters":{"type":"object"}}}],"tool_choice":"auto","temperature":0.5,"stream":true,"stream_options":{"include_usage":true},"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}}}"#,
        r#"{"model":"bellwether/fix","models":["small"],"messages":[{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"find","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"x"}],"provider":{"only":["small-eu"],"max_price":{"prompt":1.5},"data_collection":"deny","zdr":true,"sort":"price"},"bellwether":{"task":"fix","tags":{"a":1,"b":"c"},"embedding":[0.5],"regions":["eu"],"certifications":["iso"],"data_class":"patient","max_cost_usd":0.1}}"#,
        r#"{"model":"auto","messages":[{"role":"user","content":"hi"}],"stop":["a"],"max_tokens":5,"logit_bias":{},"user":"u"}"#,
    ];
    crate::fuzz::fuzz("chat bodies", 2_000, &inputs.map(str::as_bytes), |bytes| {
        if let Ok(wanted) = read_bytes(bytes, &[]) {
            for message in &wanted.request.messages {
                assert_eq!(message.check(), Ok(()));
            }
        }
    });
}
