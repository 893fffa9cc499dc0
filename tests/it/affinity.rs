//! Sessions and endpoints: a session stays where its prompt cache is warm, leaves an endpoint that fails, and
//! many sessions share the endpoints evenly.

use crate::rig::{CODING, Caller, Rig, about, configured_with};
use bellwether::clock::SystemClock;
use bellwether::proto::v1;
use bellwether::server;
use std::collections::BTreeMap;

const ENDPOINTS: [&str; 4] = ["a", "b", "c", "d"];

/// One arm at four endpoints of equal prices: a million tokens are 2 USD fresh and 0.2 from the cache.
fn arm() -> String {
    let arm = "[[arms]]\nname = \"one\"\ncapabilities = [\"tools\"]\ncontext_tokens = 1_000_000\n";
    let endpoint = |name: &str| {
        format!(
            "[[endpoints]]\nname = \"{name}\"\narm = \"one\"\nprovider = \"simulated\"\noutput_tokens = 20\n\
             prices = [{{ input_usd_per_million = 2.0, cached_input_usd_per_million = 0.2, output_usd_per_million = 8.0 }}]\n"
        )
    };
    arm.to_owned() + &ENDPOINTS.map(endpoint).concat()
}

async fn start() -> Rig {
    let (dir, params) = configured_with("group", &arm());
    let opened = server::open(&params, &SystemClock).expect("opened");
    Rig::serve(dir, params, opened).await
}

/// One call of an agent: the decision's id and the endpoint to call.
async fn call(agent: &mut Caller, session: &str, tokens: i64) -> (String, String) {
    let mut request = about("fix");
    if let Some(context) = &mut request.context {
        context.session_id = Some(session.to_owned());
        context.input_tokens = Some(tokens);
    }
    let reply = agent.ask(request).await.expect("routed");
    let endpoint = reply.endpoint.expect("an endpoint").name;
    (reply.decision_id, endpoint)
}

async fn report(agent: &mut Caller, decision: &str, (tokens, cached): (i64, i64), error: &str) {
    let usage = v1::Usage {
        input_tokens: Some(tokens),
        cached_input_tokens: Some(cached),
        output_tokens: Some(20),
        ..Default::default()
    };
    let report = v1::ReportAttemptRequest {
        decision_id: decision.to_owned(),
        usage: error.is_empty().then_some(usage),
        latency_ms: Some(50.0),
        error: error.to_owned(),
        ..Default::default()
    };
    agent.router.report_attempt(report).await.expect("kept");
}

#[tokio::test]
async fn an_agents_session_keeps_its_cache_and_still_leaves_an_endpoint_that_fails() {
    let rig = start().await;
    let mut agent = rig.caller(CODING).await;
    // What each endpoint's cache holds of the session.
    let mut held: BTreeMap<String, i64> = BTreeMap::new();
    let (mut kept, mut reachable, mut last) = (0, 0, 0);
    for turn in 0..100 {
        let tokens = 2_000 + 700 * turn;
        let (decision, endpoint) = call(&mut agent, "s", tokens).await;
        let cached = held.get(&endpoint).copied().unwrap_or(0);
        (kept, reachable) = (kept + cached, reachable + last);
        report(&mut agent, &decision, (tokens, cached), "").await;
        held.insert(endpoint, tokens);
        last = tokens;
    }
    assert!(kept * 100 >= reachable * 95, "{kept} of {reachable} tokens");
    assert_eq!(held.len(), 1, "{held:?}");

    // Its endpoint fails: within five calls the session is elsewhere, and stays there.
    let home = held.into_keys().next().expect("one");
    let mut endpoints = Vec::new();
    for _ in 0..20 {
        let (decision, endpoint) = call(&mut agent, "s", 72_000).await;
        let error = if endpoint == home { "server_error" } else { "" };
        report(&mut agent, &decision, (72_000, 0), error).await;
        endpoints.push(endpoint);
    }
    let at_home = endpoints.iter().filter(|e| **e == home).count();
    assert!((1..=5).contains(&at_home), "{endpoints:?}");
    let mut elsewhere: Vec<_> = endpoints.iter().filter(|e| **e != home).collect();
    elsewhere.dedup();
    assert_eq!(elsewhere.len(), 1, "{endpoints:?}");
    rig.stop().await;
}

#[tokio::test]
async fn ten_thousand_sessions_share_the_endpoints_evenly() {
    let rig = start().await;
    let mut agent = rig.caller(CODING).await;
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for session in 0..10_000 {
        let (_, endpoint) = call(&mut agent, &format!("s{session}"), 2_000).await;
        *counts.entry(endpoint).or_default() += 1;
    }
    // Binomial(10000, 1/4): sd 43; five of them.
    let even = |count: &u32| (2285..=2715).contains(count);
    assert!(counts.len() == 4 && counts.values().all(even), "{counts:?}");
    rig.stop().await;
}
