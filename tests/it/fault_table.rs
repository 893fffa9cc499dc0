//! Every fault of a provider, whole and streamed: what 200 callers see of it.
//!
//! Arm `first` is cheaper and is at the faulty endpoint; `second` is healthy. Nobody explores, so that
//! the draw prefers `first` as long as it may. What holds of every fault:
//!
//! - where nothing had reached the caller, the answer is whole;
//! - where something had, the stream ends with a typed error: never silent, never as if whole;
//! - an endpoint that always fails is soon left alone.

use crate::rig::{CODING, Caller, Rig, configured_with, said, within};
use crate::upstream::{Behaviour, Upstream, text};
use bellwether::clock::SystemClock;
use bellwether::proto::v1::{self, stream_complete_response::Event};
use bellwether::server;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use tonic::Status;
use tonic_types::StatusExt;

/// Requests of each kind at each fault.
const REQUESTS: usize = 200;
/// Most calls of an endpoint that always fails.
const MOST: usize = 25;
/// Most calls of one that says nothing at all: each costs a caller the time limit.
const MOST_SLOW: usize = 8;

/// A fault and what is expected of it.
struct Fault {
    name: &'static str,
    behaviour: Behaviour,
    /// Most calls of the faulty endpoint. None: it does not always fail.
    most_calls: Option<usize>,
    stream: Stream,
}

/// What a streaming caller may have heard before the fault.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    /// Nothing.
    Unheard,
    /// Something, or not: all comes at once.
    MayBeHeard,
    /// Something.
    Heard,
}

fn fault(
    name: &'static str,
    behaviour: Behaviour,
    most_calls: Option<usize>,
    stream: Stream,
) -> Fault {
    Fault {
        name,
        behaviour,
        most_calls,
        stream,
    }
}

fn faults() -> Vec<Fault> {
    use Behaviour as B;
    use Stream::{Heard, MayBeHeard, Unheard};
    let (most, after) = (Some(MOST), 8);
    let cut = |pause| B::CutStream { after, pause };
    let limited = B::RateLimited { retry_after_s: 1 };
    let flaky = B::Flaky {
        per_cent: 30,
        seed: 7,
    };
    vec![
        fault("none", B::Healthy, None, Unheard),
        fault("status 500", B::Status(500), most, Unheard),
        fault("status 503", B::Status(503), most, Unheard),
        fault("status 429", limited, most, Unheard),
        fault("refused", B::Refuse, Some(0), Unheard),
        fault("hang", B::Hang, Some(MOST_SLOW), Unheard),
        fault("reset", B::Reset, most, Unheard),
        fault("body cut", B::CutBody, most, MayBeHeard),
        fault("chunks cut", B::CutChunked, most, MayBeHeard),
        fault("cut at once", cut(Duration::ZERO), most, MayBeHeard),
        fault("cut slowly", cut(Duration::from_millis(5)), most, Heard),
        fault("not done", B::EndStream { after }, most, MayBeHeard),
        fault("stall", B::Stall { after }, most, Heard),
        fault("garbage", B::Garbage, most, Unheard),
        fault("a page", B::Html, most, Unheard),
        fault("500 at 30 %", flaky, None, Unheard),
    ]
}

/// What one caller saw at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ended {
    Answered,
    /// With this reason, before a word.
    Before(String),
    /// With this reason, after some.
    After(String),
    /// In a way that no fault excuses.
    Wrongly(String),
}

/// What all callers saw of a fault.
struct Row {
    fault: Fault,
    streamed: bool,
    ends: Vec<Ended>,
    /// Decisions for the faulty arm.
    chosen: usize,
    /// Calls of the faulty and of the healthy endpoint.
    calls: [usize; 2],
}

impl Row {
    fn count(&self, is: impl Fn(&Ended) -> bool) -> usize {
        self.ends.iter().filter(|end| is(end)).count()
    }

    fn answered(&self) -> usize {
        self.count(|end| *end == Ended::Answered)
    }

    fn after(&self) -> usize {
        self.count(|end| matches!(end, Ended::After(_)))
    }

    /// What is not as it should be.
    fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut claim = |holds: bool, what: &str| {
            if !holds {
                complaints.push(format!("{} ({}): {what}", self.fault.name, self.how()));
            }
        };
        let heard = match self.streamed {
            true => self.fault.stream,
            false => Stream::Unheard,
        };
        if heard == Stream::Unheard {
            claim(self.answered() == REQUESTS, "all are answered");
        } else {
            let ended = self.answered() + self.after();
            claim(ended == REQUESTS, "answered, or told after some words");
        }
        if heard == Stream::Heard {
            claim(self.after() > 0, "some were told after some words");
        }
        let faulty = self.calls[0];
        if let Some(most) = self.fault.most_calls {
            claim(faulty <= most, &format!("at most {most} calls"));
        }
        let refuses = self.fault.behaviour == Behaviour::Refuse;
        claim(faulty > 0 || refuses, "the faulty endpoint is asked at all");
        claim(self.chosen > 0, "the faulty arm is chosen at all");
        complaints
    }

    fn how(&self) -> &'static str {
        match self.streamed {
            true => "streamed",
            false => "whole",
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [faulty, healthy] = self.calls;
        write!(
            f,
            "{:<12}{:<9}{:>9}{:>7}{:>7}{:>7}{:>9}{faulty:>8}{healthy:>9}",
            self.fault.name,
            self.how(),
            self.answered(),
            self.count(|end| matches!(end, Ended::Before(_))),
            self.after(),
            self.count(|end| matches!(end, Ended::Wrongly(_))),
            self.chosen,
        )?;
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for end in &self.ends {
            if let Ended::Before(why) | Ended::After(why) | Ended::Wrongly(why) = end {
                *reasons.entry(why).or_default() += 1;
            }
        }
        for (reason, times) in reasons {
            write!(f, "  {times} x {reason}")?;
        }
        Ok(())
    }
}

const HEAD: &str =
    "fault       how       answered before  after  wrong   chosen  faulty  healthy  errors";

fn arm(name: &str, upstream: &Upstream, price: f64, limits: &str) -> String {
    format!(
        r#"[[arms]]
name = "{name}"
context_tokens = 100_000
[[endpoints]]
name = "{name}-eu"
arm = "{name}"
provider = "openai"
model = "{name}-1"
base_url = "{}"
{limits}
prices = [{{ input_usd_per_million = {price}, output_usd_per_million = {} }}]
"#,
        upstream.base_url(),
        price * 4.0,
    )
}

/// Time limits of the faulty endpoint, far above what loopback takes.
const LIMITS: &str = "connect_timeout_ms = 300\nfirst_token_timeout_ms = 300\n\
                      idle_timeout_ms = 300\ntotal_timeout_ms = 5000";

fn asking() -> v1::CompleteRequest {
    v1::CompleteRequest {
        context: Some(v1::RequestContext {
            messages: vec![said("name twelve things")],
            ..Default::default()
        }),
        explore: Some(false),
        ..Default::default()
    }
}

/// The arm decided for, where that was said, and how it ended.
type Seen = (Option<String>, Ended);

fn failed(status: &Status, words: &str) -> Ended {
    let reason = status.get_details_error_info().map(|info| info.reason);
    match (reason, words.is_empty()) {
        (Some(reason), true) => Ended::Before(reason),
        (Some(reason), false) => Ended::After(reason),
        (None, _) => Ended::Wrongly(format!("{:?} without a reason", status.code())),
    }
}

fn ended(words: &str, finish: &str) -> Ended {
    match words == text() && finish == "stop" {
        true => Ended::Answered,
        false => Ended::Wrongly("another answer passed for the whole one".to_owned()),
    }
}

async fn whole(caller: &mut Caller) -> Seen {
    let reply = match caller.router.complete(asking()).await {
        Ok(reply) => reply.into_inner(),
        Err(status) => return (None, failed(&status, "")),
    };
    let parts = reply.message.into_iter().flat_map(|m| m.content);
    let words = parts.filter_map(|part| match part.part {
        Some(v1::content_part::Part::Text(text)) => Some(text),
        _ => None,
    });
    let arm = reply.decision.map(|decision| decision.arm);
    (arm, ended(&words.collect::<String>(), &reply.finish_reason))
}

async fn streamed(caller: &mut Caller) -> Seen {
    let request = v1::StreamCompleteRequest {
        request: Some(asking()),
    };
    let (mut arm, mut words) = (None, String::new());
    let mut stream = match caller.router.stream_complete(request).await {
        Ok(stream) => stream.into_inner(),
        Err(status) => return (None, failed(&status, "")),
    };
    loop {
        let event = match stream.message().await {
            Err(status) => return (arm, failed(&status, &words)),
            Ok(piece) => piece.and_then(|piece| piece.event),
        };
        match event {
            Some(Event::Decision(decision)) => arm = Some(decision.arm),
            Some(Event::TextDelta(more)) => words.push_str(&more),
            Some(Event::Done(done)) => return (arm, ended(&words, &done.finish_reason)),
            Some(Event::ToolCall(_) | Event::Reasoning(_)) => {
                let what = "a tool call or a thought, and none was asked for";
                return (arm, Ended::Wrongly(what.to_owned()));
            }
            None => return (arm, Ended::Wrongly("an end without a word".to_owned())),
        }
    }
}

/// All callers of one fault, one after the other, at a server of their own.
async fn row(fault: Fault, is_streamed: bool) -> Row {
    let faulty = Upstream::start(fault.behaviour).await;
    let healthy = Upstream::start(Behaviour::Healthy).await;
    let arms = arm("first", &faulty, 0.1, LIMITS) + &arm("second", &healthy, 1.0, "");
    let (dir, params) = configured_with("group", &arms);
    let opened = server::open(&params, &SystemClock).expect("opened");
    let rig = Rig::serve(dir, params, opened).await;
    let mut caller = rig.caller(CODING).await;
    let (mut ends, mut chosen) = (Vec::new(), 0);
    for _ in 0..REQUESTS {
        let seen = match is_streamed {
            true => within("a stream's end", streamed(&mut caller)).await,
            false => within("an answer", whole(&mut caller)).await,
        };
        chosen += usize::from(seen.0.as_deref() == Some("first"));
        ends.push(seen.1);
    }
    rig.stop().await;
    Row {
        fault,
        streamed: is_streamed,
        ends,
        chosen,
        calls: [faulty.calls(), healthy.calls()],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_of_a_provider_is_silent_or_reaches_a_caller_who_had_heard_nothing() {
    let mut complaints = Vec::new();
    eprintln!("{HEAD}");
    for streamed in [false, true] {
        for fault in faults() {
            let row = row(fault, streamed).await;
            eprintln!("{row}");
            complaints.extend(row.complaints());
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
