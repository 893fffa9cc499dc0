//! A session's prompt cache on a whole server: an arm that is left is the cheaper one to come back to, until
//! its cache is cold.

use crate::rig::{CODING, Caller, Rig, about, configured_with};
use bellwether::clock::ManualClock;
use bellwether::proto::v1;
use bellwether::server;
use bellwether::unit::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Two arms of equal prices: a million tokens are 2 USD fresh and 0.2 USD from the cache.
fn arms() -> String {
    let arm = |name: &str| {
        format!(
            r#"[[arms]]
name = "{name}"
capabilities = ["tools"]
context_tokens = 100_000
[[endpoints]]
name = "{name}-eu"
arm = "{name}"
provider = "simulated"
model = "{name}-1"
region = "eu"
output_tokens = 20
prices = [{{ input_usd_per_million = 2.0, cached_input_usd_per_million = 0.2, output_usd_per_million = 8.0 }}]
"#
        )
    };
    ["one", "two"].map(arm).concat()
}

/// Nano-dollars that 50,000 tokens from the cache save.
const SAVED: i64 = 50_000 * 1_800;

/// Asks with a prompt of 60,000 tokens within a session.
async fn ask(team: &mut Caller, session: Option<&str>) -> v1::RouteResponse {
    asking(team, session, 60_000).await
}

async fn asking(team: &mut Caller, session: Option<&str>, tokens: i64) -> v1::RouteResponse {
    let mut request = about("fix");
    if let Some(context) = &mut request.context {
        context.session_id = session.map(str::to_owned);
        context.input_tokens = Some(tokens);
    }
    team.ask(request).await.expect("routed")
}

/// Nano-dollars that each arm is expected to cost.
fn costs(reply: &v1::RouteResponse) -> BTreeMap<&str, i64> {
    let costs = reply
        .estimates
        .iter()
        .map(|e| (e.arm.as_str(), e.cost_nano_usd));
    costs.collect()
}

/// How much less `warm` costs than the other arm, and what the reply says of utility agrees.
fn advantage(reply: &v1::RouteResponse, warm: &str) -> i64 {
    let costs = costs(reply);
    let other = costs.iter().find(|(arm, _)| **arm != warm).expect("two");
    let estimate = |arm: &str| {
        let found = reply.estimates.iter().find(|e| e.arm == arm);
        found.expect("an estimate").utility
    };
    let saved = other.1 - costs[warm];
    let gained = estimate(warm) - estimate(other.0);
    assert_eq!(
        saved.signum() as f64,
        gained.signum() * f64::from(u8::from(saved != 0))
    );
    saved
}

fn after(start: Timestamp, seconds: u64) -> Timestamp {
    start.after(Duration::from_secs(seconds))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arm_whose_cache_is_warm_is_cheaper_by_the_discount_for_five_minutes_and_over_a_restart()
{
    let start = Timestamp::from_micros(1_700_000_000_000_000);
    let clock = Arc::new(ManualClock::new(start));
    let (dir, params) = configured_with("group", &arms());
    let opened = server::open(&params, &*clock).expect("opened");
    let rig = Rig::serve_at(dir, params, opened, clock.clone()).await;
    let mut team = rig.caller(CODING).await;
    let first = asking(&mut team, Some("s"), 50_000).await;
    let left = first.arm.clone();
    assert_eq!(advantage(&first, &left), 0, "nothing is warm yet");
    clock.set(after(start, 200));
    assert_eq!(advantage(&ask(&mut team, Some("other")).await, &left), 0);
    assert_eq!(advantage(&ask(&mut team, None).await, &left), 0);

    let (dir, params) = rig.stop().await;
    let opened = server::open(&params, &*clock).expect("opened again");
    let rig = Rig::serve_at(dir, params, opened, clock.clone()).await;
    let mut team = rig.caller(CODING).await;
    let second = ask(&mut team, Some("s")).await;
    assert_eq!(advantage(&second, &left), SAVED);
    assert_eq!(second.estimates.len(), 2);

    // From the second prompt on both may be warm: silence until both are cold.
    clock.set(after(start, 200 + 300));
    let third = ask(&mut team, Some("s")).await;
    assert_eq!(advantage(&third, &left), 0, "the caches are cold again");
    rig.stop().await;
}
