//! Nothing is spent beyond a budget, and nothing is refused that it pays for, however many ask at once, whatever
//! they say of the length of their answers, and wherever they go away.
//!
//! 500 requests at once on the true cost of 50, again and again; and the same with the process killed in the
//! middle.

use crate::durability::Program;
use crate::rig::{CODING, Caller, Rig, arm, configured_with, said, within, write_config_with};
use crate::upstream::{Behaviour, TOKENS, Upstream};
use bellwether::account::PATIENCE;
use bellwether::budget::{Budget, Limit, Refill, Window};
use bellwether::clock::SystemClock;
use bellwether::config::{Connection, Simulated};
use bellwether::proto::v1::{self, stream_complete_response::Event};
use bellwether::server;
use bellwether::unit::NanoUsd;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Requests at once.
const CALLS: usize = 500;

/// Requests that the budget pays for.
const PAID: i64 = 50;

/// Output tokens of every answer.
const OUTPUT: u32 = 20;

/// What one request truly costs: 6 tokens at 100 nano-dollars and 20 at 400.
const COST: i64 = 6 * 100 + OUTPUT as i64 * 400;

/// Runs of the test: 20, or as many as the environment says.
fn runs() -> u64 {
    let told = std::env::var("BELLWETHER_BUDGET_RUNS");
    told.map_or(20, |text| text.parse().expect("a number of runs"))
}

/// What callers say of the length of their answers.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stated {
    Right,
    Loose,
    Absent,
}

impl Stated {
    fn tokens(self, right: u32) -> Option<i64> {
        match self {
            Self::Right => Some(i64::from(right)),
            Self::Loose => Some(8 * i64::from(right)),
            Self::Absent => None,
        }
    }
}

/// 24 characters: 6 tokens.
fn asking(stated: Stated) -> v1::CompleteRequest {
    v1::CompleteRequest {
        context: Some(v1::RequestContext {
            messages: vec![said("what is six times seven?")],
            input_tokens: Some(6),
            max_output_tokens: stated.tokens(OUTPUT),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// A server with one arm, whose team has a budget of 50 answers.
async fn rig() -> Rig {
    let (dir, mut params) = configured_with("group", &arm("small", 0.1));
    let limit = Limit {
        usd: NanoUsd::new(PAID * COST),
        refill: Refill::Calendar(Window::Month),
    };
    params.teams[0].budget = Some(Budget {
        request_usd: None,
        limit: Some(limit),
    });
    params.connections = vec![Connection::Simulated(Simulated {
        latency_ms: 4.0,
        output_tokens: OUTPUT,
        error_rate: 0.0,
        answer: Some("x".repeat(4 * OUTPUT as usize)),
    })];
    let opened = server::open(&params, &SystemClock).expect("opened");
    Rig::serve(dir, params, opened).await
}

/// How a call went.
#[derive(Debug)]
enum Went {
    Answered { cut: bool },
    Left,
    Refused { status: Status, waited: Duration },
}

/// A caller who leaves after so many looks at a call, or pieces of a stream.
async fn call(mut caller: Caller, streamed: bool, stated: Stated, patience: Option<u32>) -> Went {
    let began = Instant::now();
    let result = match streamed {
        true => stream(&mut caller, stated, patience).await,
        false => whole(&mut caller, stated, patience).await,
    };
    result.unwrap_or_else(|status| Went::Refused {
        status,
        waited: began.elapsed(),
    })
}

async fn whole(caller: &mut Caller, stated: Stated, patience: Option<u32>) -> Result<Went, Status> {
    let leaves = async {
        match patience {
            Some(looks) => {
                for _ in 0..8 * looks {
                    tokio::task::yield_now().await;
                }
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        reply = caller.router.complete(asking(stated)) => {
            let finish = reply?.into_inner().finish_reason;
            Ok(Went::Answered { cut: finish == "length" })
        }
        () = leaves => Ok(Went::Left),
    }
}

async fn stream(
    caller: &mut Caller,
    stated: Stated,
    patience: Option<u32>,
) -> Result<Went, Status> {
    let request = v1::StreamCompleteRequest {
        request: Some(asking(stated)),
    };
    let mut pieces = caller.router.stream_complete(request).await?.into_inner();
    let mut heard = 0;
    while let Some(piece) = pieces.message().await? {
        if let Some(Event::Done(done)) = piece.event {
            let cut = done.finish_reason == "length";
            return Ok(Went::Answered { cut });
        }
        heard += 1;
        if patience.is_some_and(|patience| heard > patience) {
            return Ok(Went::Left);
        }
    }
    panic!("a stream without an end")
}

async fn budget(caller: &mut Caller) -> v1::Budget {
    caller.team("coding").await.budget.expect("a budget")
}

/// When nothing is under way any more.
async fn settled(caller: &mut Caller) -> v1::Budget {
    within("the end of all calls", async {
        loop {
            let budget = budget(caller).await;
            if budget.held_nano_usd == 0 {
                return budget;
            }
        }
    })
    .await
}

/// What a refusal says that the cheapest arm costs.
fn asked_of(refused: &Status) -> i64 {
    let told = refused.message().split("the cheapest arm costs ").nth(1);
    let usd = told.and_then(|told| told.split(' ').next()?.parse::<f64>().ok());
    (usd.expect("a price") * 1e9).round() as i64
}

/// One run: all ask at once, a quarter of them leave at random points. What was spent, what was refused.
async fn run(seed: u64, stated: Stated, streamed: bool) {
    let rig = rig().await;
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut callers = Vec::new();
    for _ in 0..5 {
        callers.push(rig.caller(CODING).await);
    }
    let mut tasks = JoinSet::new();
    for number in 0..CALLS {
        let patience = rng.random_bool(0.25).then(|| rng.random_range(0..12));
        let caller = callers[number % callers.len()].clone();
        tasks.spawn(call(caller, streamed, stated, patience));
    }
    let went = within("all answers", tasks.join_all()).await;
    let budget = settled(&mut callers[0]).await;
    let (limit, spent) = (PAID * COST, budget.spent_nano_usd);
    let cut = went
        .iter()
        .filter(|went| matches!(went, Went::Answered { cut: true }));
    let left = went
        .iter()
        .filter(|went| matches!(went, Went::Left))
        .count();
    let answered = went
        .iter()
        .filter(|went| matches!(went, Went::Answered { .. }));
    let (answered, cut) = (answered.count(), cut.count());
    let (mut refused, mut waited, mut for_good) = (0, 0, i64::MAX);
    for went in went {
        let Went::Refused {
            status,
            waited: time,
        } = went
        else {
            continue;
        };
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
        let reason = status.get_details_error_info().expect("a reason").reason;
        assert_eq!(reason, "BUDGET_EXHAUSTED");
        refused += 1;
        waited += usize::from(time >= PATIENCE);
        let asked = (time < PATIENCE).then(|| asked_of(&status));
        for_good = for_good.min(asked.unwrap_or(i64::MAX));
    }
    let used = spent as f64 / limit as f64;
    eprintln!(
        "run {seed}: {stated:?}, streamed {streamed}: {used:.3} of the budget; {answered} answered ({cut} cut \
         short), {left} left, {refused} refused, {waited} of them after a wait"
    );
    assert!(spent <= limit && budget.overrun_nano_usd == 0, "{budget:?}");
    if stated != Stated::Loose {
        assert!(used >= 0.90, "{used}");
    }
    // Who is refused without a wait is refused for good: not even one worst case is left.
    let worst = 600 + stated.tokens(OUTPUT).unwrap_or(2 * 256) * 400;
    assert!(refused == waited || limit - spent < worst, "{budget:?}");
    // Nor what they asked for, which is less where nobody states a length.
    assert!(limit - spent < for_good, "{for_good} of {budget:?}");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_at_once_spend_a_budget_of_fifty_and_no_more() {
    let ways = [Stated::Right, Stated::Loose, Stated::Absent];
    for seed in 0..runs() {
        let stated = ways[seed as usize % 3];
        run(seed, stated, seed / 3 % 2 == 1).await;
    }
}

/// A server of its own process before a provider that counts its calls.
fn program(dir: &std::path::Path, upstream: &Upstream) -> Program {
    let arms = format!(
        "[[arms]]\nname = \"one\"\ncontext_tokens = 100_000\n[[endpoints]]\nname = \"one-at\"\narm = \"one\"\n\
         provider = \"openai\"\nmodel = \"m\"\nbase_url = \"{}\"\n\
         prices = [{{ input_usd_per_million = 0.1, output_usd_per_million = 0.4 }}]\n",
        upstream.base_url(),
    );
    let path = write_config_with(dir, "group", &arms);
    let text = std::fs::read_to_string(&path).expect("written");
    let usd = (PAID * BILLED) as f64 * 1e-9;
    let team = "name = \"coding\"\n";
    let budget = format!("{team}budget = {{ limit_usd = {usd}, per = \"month\" }}\n");
    std::fs::write(&path, text.replacen(team, &budget, 1)).expect("written");
    Program::with(dir, path)
}

/// What the provider bills for each call that it has read, whoever is still there to hear the answer.
const BILLED: i64 = TOKENS.0 as i64 * 100 + TOKENS.1 as i64 * 400;

/// 10 characters, and 5 tokens by the caller's own count.
fn billed(stated: Stated) -> v1::CompleteRequest {
    let mut request = asking(stated);
    let context = request.context.get_or_insert_default();
    context.messages = vec![said("6 times 7?")];
    context.input_tokens = Some(i64::from(TOKENS.0));
    context.max_output_tokens = stated.tokens(TOKENS.1);
    request
}

/// All ask at once; gives when so many have been answered.
async fn ask(address: &str, stated: Stated, enough: usize) -> JoinSet<Result<(), Status>> {
    let mut tasks = JoinSet::new();
    let caller = Caller::connect(address, Some(CODING)).await;
    for _ in 0..CALLS / 2 {
        let mut caller = caller.clone();
        tasks.spawn(async move { caller.router.complete(billed(stated)).await.map(drop) });
    }
    let mut answered = 0;
    while answered < enough
        && let Some(result) = within("an answer", tasks.join_next()).await
    {
        answered += usize::from(result.expect("no panic").is_ok());
    }
    tasks
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_does_not_spend_a_budget_twice() {
    for (round, stated) in [Stated::Right, Stated::Loose, Stated::Absent]
        .into_iter()
        .enumerate()
    {
        let upstream = Upstream::start(Behaviour::Healthy).await;
        let dir = tempfile::tempdir().expect("a temporary directory");
        let program = program(dir.path(), &upstream);
        let (mut server, address) = program.serve();
        let under_way = ask(&address, stated, 8 + 8 * round).await;
        server.kill();
        drop(under_way);
        let (server, address) = program.serve();
        let rest = ask(&address, stated, usize::MAX).await;
        assert!(rest.is_empty());
        let mut caller = Caller::connect(&address, Some(CODING)).await;
        let budget = budget(&mut caller).await;
        let (limit, bill) = (PAID * BILLED, upstream.calls() as i64 * BILLED);
        let taken = budget.spent_nano_usd + budget.held_nano_usd;
        eprintln!(
            "killed, {stated:?}: {:.3} of the budget billed; {:.3} spent, {:.3} held for calls that were cut off",
            bill as f64 / limit as f64,
            budget.spent_nano_usd as f64 / limit as f64,
            budget.held_nano_usd as f64 / limit as f64,
        );
        assert!(bill <= limit, "{bill}");
        assert!(taken <= limit && budget.overrun_nano_usd == 0, "{budget:?}");
        if stated != Stated::Loose {
            assert!(taken * 10 >= limit * 9, "{budget:?}");
        }
        server.stop();
    }
}
