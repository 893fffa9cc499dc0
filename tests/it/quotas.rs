//! Limits on requests, tokens and calls at once, over both doors: who is refused, what is told, what a reload changes.
//!
//! Rates are by the hour, so that no test waits for one.

use crate::metrics::Seen;
use crate::openai_door::caller;
use crate::rig::{CODING, Caller, Rig, SUPPORT, about, configured_with, refusal, said, within};
use crate::upstream::{Behaviour, Upstream};
use bellwether::clock::SystemClock;
use bellwether::config::{Guardrail, Params};
use bellwether::id::Name;
use bellwether::proto::v1;
use bellwether::quota::{Per, Quota, Rate};
use bellwether::redaction::Kinds;
use bellwether::route::Action;
use bellwether::server;
use serde_json::json;
use std::net::SocketAddr;
use tonic::{Code, Status};
use tonic_types::StatusExt;

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

/// So many in an hour, all of them at once.
fn hourly(number: u32) -> Option<Rate> {
    Rate::new(number, Per::Hour, None)
}

fn requests(number: u32) -> Option<Quota> {
    Some(Quota {
        requests: hourly(number),
        ..Quota::default()
    })
}

/// A server with one arm at an upstream, and these limits.
async fn rig(behaviour: Behaviour, limit: impl FnOnce(&mut Params)) -> (Rig, Upstream) {
    let upstream = Upstream::start(behaviour).await;
    let arm = format!(
        "[[arms]]\nname = \"a\"\ncontext_tokens = 100_000\n[[endpoints]]\nname = \"a-at\"\narm = \"a\"\n\
         provider = \"openai\"\nmodel = \"m\"\nbase_url = \"{}\"\n\
         prices = [{{ input_usd_per_million = 0.1, output_usd_per_million = 0.1 }}]\n",
        upstream.base_url()
    );
    let (dir, mut params) = configured_with("group", &arm);
    params.server.http_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    params.server.metrics_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    limit(&mut params);
    let opened = server::open(&params, &SystemClock).expect("opened");
    (Rig::serve(dir, params, opened).await, upstream)
}

fn asking() -> v1::CompleteRequest {
    let context = v1::RequestContext {
        messages: vec![said("fix the build")],
        ..Default::default()
    };
    v1::CompleteRequest {
        context: Some(context),
        ..Default::default()
    }
}

async fn whole(caller: &mut Caller) -> Result<v1::CompleteResponse, Status> {
    let reply = within("an end", caller.router.complete(asking())).await;
    reply.map(tonic::Response::into_inner)
}

fn over_limit() -> (Code, String) {
    (Code::ResourceExhausted, "RATE_LIMITED".to_owned())
}

#[tokio::test]
async fn each_of_key_team_and_organisation_can_refuse_and_says_whose_limit_it_is() {
    let (rig, _upstream) = rig(Behaviour::Healthy, |params| {
        params.organisation_quota = requests(6);
        params.teams[0].quota = requests(4);
        let limited = (name("coding"), requests(2).expect("a quota"));
        params.key_quotas = [(name("coding-all"), limited)].into();
    })
    .await;
    let mut coding = rig.caller(CODING).await;
    let mut narrow = rig.caller(crate::rig::NARROW).await;
    let mut support = rig.caller(SUPPORT).await;
    let owner = |status: Status| {
        assert!(status.get_details_retry_info().is_some(), "{status:?}");
        let quota = status.get_details_quota_failure().expect("a quota");
        quota.violations[0].subject.clone()
    };
    for _ in 0..2 {
        coding
            .ask(about("fix-test"))
            .await
            .expect("within all limits");
    }
    let refused = coding.ask(about("fix-test")).await.expect_err("the key's");
    assert_eq!(owner(refused), "key coding-all");
    for _ in 0..2 {
        narrow
            .ask(about("fix-test"))
            .await
            .expect("within the team's");
    }
    let refused = narrow.ask(about("fix-test")).await.expect_err("the team's");
    assert_eq!(owner(refused), "coding");
    for _ in 0..2 {
        support
            .ask(about("reply"))
            .await
            .expect("within all teams'");
    }
    let refused = support.ask(about("reply")).await.expect_err("all teams'");
    let text = refused.message().to_owned();
    assert!(
        !text.contains("an hour"),
        "its figure is no team's to know: {text}"
    );
    assert_eq!(owner(refused), "the organisation");
    // What is not decided is not limited, and says what was refused.
    let told = coding.team("coding").await.limit_refusals;
    let told: Vec<_> = told
        .iter()
        .map(|r| (&*r.key, &*r.owner, &*r.limit))
        .collect();
    let expected = [
        ("coding-all", "key coding-all", "requests"),
        ("coding-route", "coding", "requests"),
    ];
    assert_eq!(told, expected);
    let counted = Seen::of(&rig).await;
    let refused = |owner: &str| counted.sum("bellwether_limit_refusals_total", &[owner]);
    let refused = ["owner=\"key\"", "owner=\"team\"", "owner=\"organisation\""].map(refused);
    assert_eq!(refused, [1.0, 1.0, 1.0]);
}

#[tokio::test]
async fn what_a_guardrail_blocks_has_drawn_and_beyond_the_limit_nothing_is_looked_for() {
    let (rig, upstream) = rig(Behaviour::Healthy, |params| {
        params.teams[0].quota = requests(3);
        params.teams[0].guardrail = Some(Guardrail {
            action: Action::Block,
            kinds: Kinds::ALL,
        });
    })
    .await;
    let mut caller = rig.caller(CODING).await;
    let context = v1::RequestContext {
        messages: vec![said("write to alice@example.com")],
        ..Default::default()
    };
    let complete = v1::CompleteRequest {
        context: Some(context.clone()),
        ..Default::default()
    };
    let route = v1::RouteRequest {
        context: Some(context),
        ..Default::default()
    };
    let stream = v1::StreamCompleteRequest {
        request: Some(complete.clone()),
    };
    let blocked = (Code::InvalidArgument, "GUARDRAIL_BLOCKED".to_owned());
    let whole = caller.router.complete(complete.clone()).await;
    assert_eq!(refusal(whole), blocked);
    assert_eq!(
        refusal(caller.router.stream_complete(stream).await),
        blocked
    );
    assert_eq!(refusal(caller.ask(route.clone()).await), blocked);
    // It has drawn three.
    assert_eq!(
        refusal(caller.router.complete(complete).await),
        over_limit()
    );
    assert_eq!(refusal(caller.ask(route).await), over_limit());
    let counted = Seen::of(&rig).await;
    let looked = counted.sum("bellwether_guardrail_requests_total", &["kind=\"email\""]);
    assert_eq!(looked, 3.0);
    assert!(upstream.asked().is_empty());
}

#[tokio::test]
async fn openais_clients_are_told_in_their_own_words() {
    let (rig, _upstream) = rig(Behaviour::Healthy, |params| {
        params.teams[0].quota = Some(Quota {
            requests: Rate::new(60, Per::Hour, Some(2)),
            tokens: hourly(100_000),
            parallel: Some(8),
        });
    })
    .await;
    let body =
        json!({"model": "bellwether/auto", "messages": [{"role": "user", "content": "hello"}]});
    let ask = || caller::ask(&rig, "/v1/chat/completions", &body);
    let first = ask().await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(first.head["x-ratelimit-limit-requests"], "2");
    assert_eq!(first.head["x-ratelimit-remaining-requests"], "1");
    assert_eq!(first.head["x-ratelimit-limit-tokens"], "100000");
    assert_eq!(ask().await.status, 200);
    let refused = ask().await;
    assert_eq!(refused.status, 429, "{refused:?}");
    let error = &refused.json()["error"];
    assert_eq!(error["type"], "rate_limit_error");
    assert_eq!(error["code"], "rate_limit_exceeded");
    assert_eq!(refused.head["x-ratelimit-remaining-requests"], "0");
    let wait: u64 = refused.head["retry-after"].parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    assert!(
        !refused.head.contains_key("x-should-retry"),
        "it may be asked again"
    );
}

#[tokio::test]
async fn a_call_has_its_place_until_its_stream_is_read_or_left() {
    let (rig, upstream) = rig(Behaviour::Stall { after: 2 }, |params| {
        params.teams[0].quota = Some(Quota {
            parallel: Some(1),
            ..Quota::default()
        });
    })
    .await;
    let mut caller = rig.caller(CODING).await;
    let request = v1::StreamCompleteRequest {
        request: Some(asking()),
    };
    let opened = caller.router.stream_complete(request).await.expect("begun");
    let mut stream = opened.into_inner();
    within("the first piece", stream.message())
        .await
        .expect("decided");
    assert_eq!(refusal(whole(&mut caller).await), over_limit());
    assert_eq!(refusal(caller.ask(about("fix-test")).await), over_limit());
    drop(stream);
    upstream.set(Behaviour::Healthy).await;
    within("its place", async {
        while whole(&mut caller).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    // A whole answer gives its place back, and so does one that failed.
    whole(&mut caller).await.expect("one after the other");
    upstream.set(Behaviour::Status(400)).await;
    for _ in 0..3 {
        let failed = whole(&mut caller).await.expect_err("refused there");
        assert_ne!(failed.code(), Code::ResourceExhausted, "{failed:?}");
    }
}

#[tokio::test]
async fn tokens_are_drawn_as_they_were_used() {
    let (rig, _upstream) = rig(Behaviour::Healthy, |params| {
        params.teams[0].quota = Some(Quota {
            tokens: hourly(1_000),
            ..Quota::default()
        });
    })
    .await;
    let mut caller = rig.caller(CODING).await;
    let mut used = 0;
    let refused = loop {
        match whole(&mut caller).await {
            Ok(answer) => {
                let usage = answer
                    .attempts
                    .iter()
                    .filter_map(|attempt| attempt.usage.as_ref());
                used += usage
                    .map(|u| u.input_tokens() + u.output_tokens())
                    .sum::<i64>();
            }
            Err(refused) => break refused,
        }
        assert!(used <= 1_100, "{used}");
    };
    // What is left is less than is expected of a call, which has learned what calls use.
    assert!(used > 600, "{used}");
    assert_eq!(refusal(Err::<(), _>(refused)), over_limit());
}

#[tokio::test]
async fn a_reload_changes_limits_and_forgets_nothing() {
    let (mut rig, _upstream) = rig(Behaviour::Healthy, |params| {
        params.teams[0].quota = requests(2);
    })
    .await;
    let mut caller = rig.caller(CODING).await;
    for _ in 0..2 {
        caller
            .ask(about("fix-test"))
            .await
            .expect("within the limit");
    }
    assert_eq!(refusal(caller.ask(about("fix-test")).await), over_limit());
    let mut wider = rig.params.clone();
    wider.teams[0].quota = None;
    wider.organisation_quota = requests(3);
    let reloaded = rig.reload(&wider);
    assert_eq!(reloaded.swapped, ["limits", "teams"], "{reloaded}");
    assert!(reloaded.restart.is_empty(), "{reloaded}");
    for _ in 0..3 {
        caller
            .ask(about("fix-test"))
            .await
            .expect("without the limit");
    }
    assert_eq!(refusal(caller.ask(about("fix-test")).await), over_limit());
    let mut narrow = wider.clone();
    narrow.organisation_quota = None;
    narrow.teams[0].quota = requests(2);
    rig.reload(&narrow);
    assert_eq!(refusal(caller.ask(about("fix-test")).await), over_limit());
    // A restart fills every burst.
    let rig = {
        rig.params.teams[0].quota = requests(2);
        rig.restart().await
    };
    let mut caller = rig.caller(CODING).await;
    caller.ask(about("fix-test")).await.expect("a new burst");
}

#[tokio::test]
async fn callers_at_once_are_let_in_as_often_as_is_allowed_and_no_more() {
    let (rig, _upstream) = rig(Behaviour::Healthy, |params| {
        params.teams[0].quota = Some(Quota {
            requests: hourly(100),
            parallel: Some(64),
            ..Quota::default()
        });
    })
    .await;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let mut caller = rig.caller(CODING).await;
        callers.spawn(async move {
            let mut admitted = 0;
            for _ in 0..25 {
                admitted += usize::from(caller.ask(about("fix-test")).await.is_ok());
            }
            admitted
        });
    }
    let admitted = within("all callers", callers.join_all()).await;
    // A hundred, and what the hour gives meanwhile: one each 36 seconds.
    let admitted: usize = admitted.iter().sum();
    let most = 100 + crate::rig::LIMIT.as_secs() as usize / 36 + 1;
    assert!((100..=most).contains(&admitted), "{admitted}");
}
