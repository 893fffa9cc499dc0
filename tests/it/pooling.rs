//! Two teams that count the same signals, one of which has learned an arm: what the other is told of it when it
//! begins, if both agreed, and that a restart and a rebuild from the journal tell the same.

use crate::rig::{CODING, Rig, SUPPORT, configured, passed};
use bellwether::clock::SystemClock;
use bellwether::learn::Pooling;
use bellwether::server;

/// Draws of `coding` that all pass.
const OUTCOMES: usize = 30;

/// What `support`, on the scorecard of `coding`, expects of arm `large` after its forced draws.
async fn expected_of_large(giver: Pooling, taker: Pooling) -> f64 {
    let (dir, mut params) = configured("group");
    let (scorecard, text) = {
        let coding = &params.teams[0];
        (coding.scorecard.clone(), coding.scorecard_text.clone())
    };
    params.teams[0].pooling = giver;
    params.teams[1].pooling = taker;
    params.teams[1].scorecard = scorecard;
    params.teams[1].scorecard_text = text;
    let opened = server::open(&params, &SystemClock).unwrap();
    let rig = Rig::serve(dir, params, opened).await;
    let mut coding = rig.caller(CODING).await;
    coding.control("large", false).await;
    for _ in 0..OUTCOMES {
        let decision = coding.route("fix").await;
        coding.tell(&decision.decision_id, passed(true)).await;
    }
    rig.learned().await;
    let mut support = rig.caller(SUPPORT).await;
    for _ in 0..9 {
        support.route("fix").await;
        rig.learned().await;
    }
    let reply = support.route("fix").await;
    let large = reply.estimates.iter().find(|arm| arm.arm == "large");
    let signals = large.unwrap().signals.iter();
    let tests = signals
        .into_iter()
        .find(|signal| signal.name == "tests_passed");
    let expected = tests.unwrap().mean;
    // Nothing of it passes for an outcome of its own.
    let state = support.team("support").await;
    assert!(state.arms.iter().all(|arm| arm.outcome_count == 0));
    rig.learned().await;
    let (_dir, params) = rig.restart().await.stop().await;
    let opened = server::open(&params, &SystemClock).unwrap();
    let rebuilt = server::rebuild(&opened).unwrap();
    let bytes = opened.follower.checkpoint_bytes();
    assert!(bytes.is_some() && bytes == rebuilt.checkpoint_bytes());
    expected
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_begins_with_what_another_has_learned_where_both_agreed_and_only_there() {
    let pooled = expected_of_large(Pooling::Give, Pooling::Take).await;
    assert!(pooled > 0.8, "{pooled}");
    let alone = expected_of_large(Pooling::Both, Pooling::None).await;
    assert!((0.4..0.6).contains(&alone), "{alone}");
}
