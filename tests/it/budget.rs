//! A team's budget on a whole server: the limit is never exceeded, pacing keeps the mean, both survive a
//! restart.

use crate::rig::{
    CODING, Caller, Rig, SUPPORT, about, configured, configured_with, refusal, said, within,
};
use crate::upstream::{Behaviour, Upstream};
use bellwether::budget::{Budget, Limit, Refill, Terms, Window};
use bellwether::clock::SystemClock;
use bellwether::id::Name;
use bellwether::proto::v1::{self, stream_complete_response::Event};
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

#[tokio::test]
async fn a_key_and_all_teams_together_have_budgets_and_what_they_refuse_is_told() {
    let (dir, mut params) = configured("group");
    let limit = |nano| {
        Terms::from(Limit {
            usd: NanoUsd::new(nano),
            refill: Refill::Calendar(Window::Month),
        })
    };
    let key: Name = Name::new("coding-all").expect("a name");
    let team = Name::new("coding").expect("a name");
    params.key_budgets.insert(key, (team, limit(1_000)));
    params.organisation = Some(limit(400_000));
    let opened = server::open(&params, &SystemClock).expect("opened");
    let rig = Rig::serve(dir, params, opened).await;
    let mut coding = rig.caller(CODING).await;
    let refused = coding.router.complete(asking()).await.expect_err("refused");
    assert!(
        refused
            .message()
            .starts_with("the budget of key coding-all has 0.000001000 USD left"),
        "{refused}"
    );
    // The other team has no limit of its own: all together have one.
    let mut support = rig.caller(SUPPORT).await;
    let refused = loop {
        if let Err(refused) = completed(&mut support).await {
            break refused;
        }
    };
    let told = refused.message();
    assert!(
        told.starts_with("the budget of the organisation has not enough left:"),
        "{told}"
    );
    let told = budget(&mut coding).await;
    let [refusal] = &told.refusals[..] else {
        panic!("{told:?}");
    };
    assert_eq!(
        (refusal.key.as_str(), refusal.owner.as_str()),
        ("coding-all", "key coding-all")
    );
    assert_eq!(
        (refusal.asked_nano_usd, refusal.left_nano_usd),
        (9_000, Some(1_000))
    );
    let own = told.key.expect("the budget of the key");
    assert_eq!((own.limit_nano_usd, own.spent_nano_usd), (1_000, 0));
    let told = support
        .team("support")
        .await
        .budget
        .expect("what was refused");
    let refusal = told.refusals.last().expect("one");
    assert_eq!(
        (refusal.owner.as_str(), refusal.left_nano_usd),
        ("the organisation", None)
    );
    rig.stop().await;
}

#[tokio::test]
async fn what_one_decision_may_cost_keeps_dear_arms_out() {
    let (dir, mut params) = configured("group");
    let limit = Limit {
        usd: NanoUsd::new(1_000_000_000),
        refill: Refill::Calendar(Window::Month),
    };
    params.teams[0].budget = Some(Budget {
        request_usd: None,
        limit: Some(limit),
    });
    params.teams[0].terms = Some(Terms {
        decision: Some(NanoUsd::new(50_000)),
        ..Terms::from(limit)
    });
    let opened = server::open(&params, &SystemClock).expect("opened");
    let rig = Rig::serve(dir, params, opened).await;
    let mut caller = rig.caller(CODING).await;
    let mut request = about("plan");
    request.context = asking().context;
    for _ in 0..20 {
        let decision = caller.ask(request.clone()).await.expect("routed");
        assert_eq!(
            (decision.arm.as_str(), decision.held_nano_usd),
            ("small", 9_000)
        );
    }
    if let Some(context) = &mut request.context {
        context.max_output_tokens = Some(1_000);
    }
    let refused = caller.ask(request).await.expect_err("refused");
    let told = "the budget of coding lets a decision cost 0.000050000 USD: the cheapest arm costs 0.000401000 USD";
    assert!(refused.message().starts_with(told), "{refused}");
    rig.stop().await;
}

#[tokio::test]
async fn a_report_of_a_stream_that_is_under_way_frees_nothing() {
    let upstream = Upstream::start(Behaviour::Stall { after: 1 }).await;
    let arm = format!(
        "[[arms]]\nname = \"one\"\ncontext_tokens = 100_000\n[[endpoints]]\nname = \"one-at\"\narm = \"one\"\n\
         provider = \"openai\"\nmodel = \"m\"\nbase_url = \"{}\"\n\
         prices = [{{ input_usd_per_million = 0.1, output_usd_per_million = 0.4 }}]\n",
        upstream.base_url()
    );
    let (dir, mut params) = configured_with("group", &arm);
    let limit = Limit {
        usd: NanoUsd::new(20_000),
        refill: Refill::Calendar(Window::Month),
    };
    params.teams[0].budget = Some(Budget {
        request_usd: None,
        limit: Some(limit),
    });
    let opened = server::open(&params, &SystemClock).expect("opened");
    let rig = Rig::serve(dir, params, opened).await;
    let mut caller = rig.caller(CODING).await;
    let request = v1::StreamCompleteRequest {
        request: Some(asking()),
    };
    let pieces = caller.router.stream_complete(request).await;
    let mut pieces = pieces.expect("a stream").into_inner();
    let first = pieces.message().await.expect("a piece").expect("one");
    let Some(Event::Decision(decision)) = first.event else {
        panic!("{first:?}");
    };
    let before = budget(&mut caller).await;
    assert_eq!((before.spent_nano_usd, before.held_nano_usd), (0, 9_000));
    let report = v1::ReportAttemptRequest {
        decision_id: decision.decision_id,
        cost_nano_usd: Some(0),
        ..Default::default()
    };
    let reported = caller.router.report_attempt(report).await;
    reported.expect("reported");
    let after = budget(&mut caller).await;
    assert_eq!((after.spent_nano_usd, after.held_nano_usd), (0, 9_000));
    drop(pieces);
    rig.stop().await;
}
