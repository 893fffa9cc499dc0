//! A team's budget on a whole server: the limit is never exceeded, pacing keeps the mean, both survive a
//! restart.

use crate::rig::{CODING, Caller, Rig, about, configured, refusal, said, within};
use bellwether::budget::{Budget, Limit, Refill, Window};
use bellwether::clock::SystemClock;
use bellwether::proto::v1;
use bellwether::server;
use bellwether::unit::NanoUsd;
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// A server whose team `coding` has this budget.
async fn rig(request_usd: Option<f64>, limit_nano_usd: Option<i64>) -> Rig {
    let (dir, mut params) = configured("group");
    let limit = limit_nano_usd.map(|nano| Limit {
        usd: NanoUsd::new(nano),
        refill: Refill::Calendar(Window::Month),
    });
    params.teams[0].budget = Some(Budget { request_usd, limit });
    let opened = server::open(&params, &SystemClock).expect("opened");
    Rig::serve(dir, params, opened).await
}

/// 10 tokens in and at most 20 out: 9,000, 90,000 or 450,000 nano-dollars at worst, by arm. The answers are
/// that long, and the question is shorter.
fn asking() -> v1::CompleteRequest {
    v1::CompleteRequest {
        context: Some(v1::RequestContext {
            messages: vec![said("what is six times seven?")],
            input_tokens: Some(10),
            max_output_tokens: Some(20),
            ..Default::default()
        }),
        ..Default::default()
    }
}

async fn completed(caller: &mut Caller) -> Result<i64, Status> {
    let reply = caller.router.complete(asking()).await?.into_inner();
    let attempt = reply.attempt.expect("an attempt");
    Ok(attempt.cost_nano_usd.expect("a cost"))
}

async fn budget(caller: &mut Caller) -> v1::Budget {
    caller.team("coding").await.budget.expect("a budget")
}

/// Sends `calls` requests at once; what each cost or why it was refused.
async fn at_once(rig: &Rig, calls: usize) -> Vec<Result<i64, Status>> {
    let caller = rig.caller(CODING).await;
    let mut tasks = JoinSet::new();
    for _ in 0..calls {
        let mut caller = caller.clone();
        tasks.spawn(async move { completed(&mut caller).await });
    }
    within("all answers", tasks.join_all()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_at_once_never_spend_more_than_the_limit_and_a_restart_forgets_nothing() {
    const LIMIT: i64 = 2_000_000;
    let rig = rig(None, Some(LIMIT)).await;
    let results = at_once(&rig, 300).await;
    let spent: i64 = results.iter().flatten().sum();
    assert!(spent <= LIMIT, "{spent}");
    let mut caller = rig.caller(CODING).await;
    // Until the cheapest arm does not fit any more.
    while completed(&mut caller).await.is_ok() {}
    let before = budget(&mut caller).await;
    assert!(before.spent_nano_usd > LIMIT - 9_000 && before.spent_nano_usd <= LIMIT);
    assert_eq!((before.held_nano_usd, before.overrun_nano_usd), (0, 0));
    let refused: Vec<&Status> = results.iter().filter_map(|r| r.as_ref().err()).collect();
    assert!(!refused.is_empty());
    for status in refused {
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
        let details = status.get_error_details();
        assert_eq!(
            details.error_info().expect("a reason").reason,
            "BUDGET_EXHAUSTED"
        );
        // The month ends.
        let retry = details
            .retry_info()
            .expect("when to come again")
            .retry_delay;
        assert!(retry.is_some_and(|delay| delay.as_secs() <= 31 * 86_400));
    }
    let rig = rig.restart().await;
    let mut caller = rig.caller(CODING).await;
    let after = budget(&mut caller).await;
    assert_eq!(after.spent_nano_usd, before.spent_nano_usd);
    assert_eq!(after.reset_time, before.reset_time);
    let again = refusal(completed(&mut caller).await);
    assert_eq!(
        again,
        (Code::ResourceExhausted, "BUDGET_EXHAUSTED".to_owned())
    );
    rig.stop().await;
}

#[tokio::test]
async fn a_decision_holds_its_worst_case_until_its_attempt_is_told() {
    let rig = rig(None, Some(1_000_000_000)).await;
    let mut caller = rig.caller(CODING).await;
    let mut request = about("plan");
    request.context = asking().context;
    let decision = caller.ask(request).await.expect("routed");
    let worst = match decision.arm.as_str() {
        "small" => 9_000,
        "medium" => 90_000,
        _ => 450_000,
    };
    assert_eq!(decision.held_nano_usd, worst);
    assert_eq!(budget(&mut caller).await.held_nano_usd, worst);
    // What is held is held after a restart.
    let rig = rig.restart().await;
    let mut caller = rig.caller(CODING).await;
    assert_eq!(budget(&mut caller).await.held_nano_usd, worst);
    let report = v1::ReportAttemptRequest {
        decision_id: decision.decision_id,
        cost_nano_usd: Some(5_000),
        request_id: Some("once".to_owned()),
        ..Default::default()
    };
    for _ in 0..2 {
        caller
            .router
            .report_attempt(report.clone())
            .await
            .expect("reported");
        let now = budget(&mut caller).await;
        assert_eq!((now.spent_nano_usd, now.held_nano_usd), (5_000, 0));
    }
    rig.stop().await;
}

#[tokio::test]
async fn without_a_count_of_the_callers_a_decision_holds_a_token_for_each_byte() {
    let rig = rig(None, Some(1_000_000_000)).await;
    let mut caller = rig.caller(CODING).await;
    let mut request = about("plan");
    request.context = asking().context;
    let context = request.context.as_mut().expect("a context");
    context.input_tokens = None;
    let decision = caller.ask(request).await.expect("routed");
    let (price, other) = match decision.arm.as_str() {
        "small" => (100, 400),
        "medium" => (1_000, 4_000),
        _ => (5_000, 20_000),
    };
    // 24 bytes and 84 of forms around them; 20 tokens of output.
    assert_eq!(decision.held_nano_usd, 108 * price + 20 * other);
    rig.stop().await;
}

#[tokio::test]
async fn pacing_keeps_the_mean_spend_and_prices_what_is_dear() {
    // Between the small arm at 0.000009 and the medium one at 0.00009 USD.
    const BUDGET: f64 = 0.00002;
    let rig = rig(Some(BUDGET), None).await;
    let mut caller = rig.caller(CODING).await;
    let mut spent = 0.0;
    for _ in 0..400 {
        spent += completed(&mut caller).await.expect("answered") as f64 * 1e-9;
        rig.learned().await;
    }
    // A debt of 20 requests' budgets at most.
    assert!(spent <= 420.0 * BUDGET, "{spent}");
    assert!(caller.route("plan").await.budget_price > 0.0);
    rig.learned().await;
    let state = budget(&mut caller).await;
    assert_eq!(
        (state.request_usd, state.limit_nano_usd),
        (Some(BUDGET), None)
    );
    assert!(state.price > 0.0, "{state:?}");
    let rig = rig.restart().await;
    let mut caller = rig.caller(CODING).await;
    rig.learned().await;
    assert_eq!(budget(&mut caller).await, state);
    rig.stop().await;
}

#[tokio::test]
async fn a_budget_that_the_configuration_drops_is_gone() {
    let rig = rig(Some(0.00002), Some(1_000)).await;
    let mut caller = rig.caller(CODING).await;
    let refused = refusal(completed(&mut caller).await);
    assert_eq!(refused.1, "BUDGET_EXHAUSTED");
    let (dir, mut params) = rig.stop().await;
    params.teams[0].budget = None;
    let opened = server::open(&params, &SystemClock).expect("opened again");
    let rig = Rig::serve(dir, params, opened).await;
    let mut caller = rig.caller(CODING).await;
    assert_eq!(caller.team("coding").await.budget, None);
    assert!(completed(&mut caller).await.is_ok());
    rig.stop().await;
}
