//! Agents that go round, over both doors: warned or stopped, told why, and let go on when the episode is closed.

use crate::metrics::Seen;
use crate::openai_door::caller;
use crate::rig::{CODING, Rig, SUPPORT, configured, refusal, said, within_episode};
use bellwether::clock::SystemClock;
use bellwether::loops::{Action, Watch};
use bellwether::proto::v1;
use bellwether::recurrence::Rules;
use bellwether::server;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tonic::Code;
use tonic_types::StatusExt;

async fn rig(action: Action) -> Rig {
    let (dir, mut params) = configured("group");
    params.server.http_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    params.server.metrics_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let rules = Rules::default();
    params.teams[0].loops = Some(Watch { action, rules });
    let opened = server::open(&params, &SystemClock).expect("opened");
    Rig::serve(dir, params, opened).await
}

fn asking(episode: &str, words: &str) -> v1::RouteRequest {
    let mut request = within_episode("fix-test", episode);
    if let Some(context) = &mut request.context {
        context.messages = vec![said(words)];
    }
    request
}

fn looping() -> (Code, String) {
    (Code::FailedPrecondition, "EPISODE_LOOPING".to_owned())
}

fn chat(episode: &str) -> Value {
    json!({
        "model": "bellwether/auto",
        "messages": [{"role": "user", "content": "what is the state?"}],
        "bellwether": {"episode_id": episode},
    })
}

#[tokio::test]
async fn an_episode_that_asks_the_same_again_and_again_is_stopped_until_it_is_closed() {
    let mut rig = rig(Action::Stop).await;
    let mut caller = rig.caller(CODING).await;
    for _ in 0..7 {
        caller.ask(asking("e", "again?")).await.expect("not yet");
    }
    let refused = caller
        .ask(asking("e", "again?"))
        .await
        .expect_err("stopped");
    assert!(
        refused.get_details_retry_info().is_none(),
        "it is not to be repeated"
    );
    let broken = refused.get_details_precondition_failure().expect("a rule");
    assert_eq!(broken.violations[0].r#type, "SAME_REQUESTS");
    assert!(
        refused.message().contains("8 of its last requests"),
        "{refused:?}"
    );
    assert_eq!(
        refusal(caller.ask(asking("e", "other words")).await),
        looping()
    );
    // Neither another episode nor another team's of the same name.
    caller
        .ask(asking("another", "again?"))
        .await
        .expect("another one");
    let mut other = rig.caller(SUPPORT).await;
    other
        .ask(asking("e", "again?"))
        .await
        .expect("another team's");
    let close = v1::CloseEpisodeRequest {
        episode_id: "e".to_owned(),
        ..Default::default()
    };
    caller.router.close_episode(close).await.expect("closed");
    caller.ask(asking("e", "again?")).await.expect("anew");
    // What is off stops nothing.
    let mut off = rig.params.clone();
    off.teams[0].loops = None;
    assert_eq!(rig.reload(&off).swapped, ["teams"]);
    for _ in 0..20 {
        caller
            .ask(asking("e", "again?"))
            .await
            .expect("not watched");
    }
}

#[tokio::test]
async fn openais_clients_are_told_not_to_come_again() {
    let rig = rig(Action::Stop).await;
    for _ in 0..7 {
        let answered = caller::ask(&rig, "/v1/chat/completions", &chat("e")).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        assert!(!answered.head.contains_key("x-bellwether-loop"));
    }
    let refused = caller::ask(&rig, "/v1/chat/completions", &chat("e")).await;
    assert_eq!(refused.status, 422, "{refused:?}");
    let error = &refused.json()["error"];
    assert_eq!(error["type"], "invalid_request_error");
    assert_eq!(error["code"], "episode_looping");
    assert!(!refused.head.contains_key("retry-after"));
    let counted = Seen::of(&rig).await;
    let labels = ["rule=\"same_requests\"", "stopped=\"true\""];
    assert_eq!(counted.sum("bellwether_loops_total", &labels), 1.0);
}

#[tokio::test]
async fn a_team_that_only_warns_is_told_with_every_answer() {
    let rig = rig(Action::Warn).await;
    let mut caller = rig.caller(CODING).await;
    for call in 1..=10 {
        let reply = caller.ask(asking("e", "again?")).await.expect("warned");
        assert_eq!(reply.loop_warning.is_empty(), call < 8, "{call}: {reply:?}");
    }
    for call in 1..=9 {
        let reply = caller::ask(&rig, "/v1/chat/completions", &chat("f")).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let told = reply.head.contains_key("x-bellwether-loop");
        let field = reply.json()["bellwether"]["loop_warning"].is_string();
        assert_eq!([told, field], [call >= 8; 2], "{call}");
    }
}

#[tokio::test]
async fn a_repeat_of_a_request_id_is_no_loop_and_neither_are_other_requests() {
    let rig = rig(Action::Stop).await;
    let mut caller = rig.caller(CODING).await;
    for _ in 0..30 {
        let mut repeat = asking("e", "once");
        repeat.request_id = Some("r1".to_owned());
        caller.ask(repeat).await.expect("the same decision");
    }
    for call in 0..100 {
        let words = format!("step {call}: {}", "x y z ".repeat(call % 7));
        caller.ask(asking("e", &words)).await.expect("a step");
    }
}

#[tokio::test]
async fn a_restart_forgets_what_was_stopped() {
    let rig = rig(Action::Stop).await;
    let mut caller = rig.caller(CODING).await;
    for _ in 0..8 {
        let _ = caller.ask(asking("e", "again?")).await;
    }
    assert_eq!(refusal(caller.ask(asking("e", "again?")).await), looping());
    let rig = rig.restart().await;
    let mut caller = rig.caller(CODING).await;
    caller.ask(asking("e", "again?")).await.expect("anew");
}
