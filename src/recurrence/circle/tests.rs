//! Simulated agents, batches and talks: what is found of them, and what is not.

use super::*;
use crate::chat::{Message, Role, ToolCall};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

fn said(role: Role, text: &str) -> Message {
    Message::text(role, text)
}

/// A call of a tool by the assistant and its result.
fn step(tool: &str, arguments: &str, result: &str) -> [Message; 2] {
    let mut call = said(Role::Assistant, "Next.");
    call.tool_calls = vec![ToolCall {
        id: "call".into(),
        name: tool.into(),
        arguments_json: arguments.into(),
    }];
    let mut result = said(Role::Tool, result);
    result.tool_call_id = Some("call".into());
    [call, result]
}

const WORDS: [&str; 24] = [
    "queue", "parser", "returns", "null", "when", "cache", "is", "cold", "retry", "index", "lock",
    "token", "branch", "merge", "field", "error", "path", "value", "list", "node", "edge", "rate",
    "limit", "page",
];

fn words(rng: &mut SmallRng, number: usize) -> String {
    let word = |_| WORDS[rng.random_range(0..WORDS.len())];
    let words: Vec<_> = (0..number).map(word).collect();
    words.join(" ")
}

/// The call at which something is found of an episode with these requests; what.
fn found(requests: impl IntoIterator<Item = Vec<Message>>, growth: &Growth) -> Option<(u32, Rule)> {
    let (mut circle, rules) = (Circle::default(), Rules::default());
    requests.into_iter().find_map(|messages| {
        let asked = Fingerprint::of(&messages);
        let found = circle.call(asked, &rules, growth)?;
        Some((found.calls, found.rule))
    })
}

/// The requests of an agent that works: each sends all that was said before. It reads, changes, and runs the same
/// tests after every change, whose result is often the same.
fn agent(rng: &mut SmallRng, calls: usize) -> Vec<Vec<Message>> {
    let mut said_so_far = vec![
        said(Role::System, &words(rng, 400)),
        said(Role::User, &words(rng, 60)),
    ];
    let mut requests = Vec::with_capacity(calls);
    for call in 0..calls {
        requests.push(said_so_far.clone());
        let more = match call % 3 {
            0 => {
                let lines = rng.random_range(20..200);
                step("read", &format!("{{\"line\":{call}}}"), &words(rng, lines))
            }
            1 => step(
                "edit",
                &format!("{{\"to\":\"{}\"}}", words(rng, 30)),
                "done",
            ),
            _ => step(
                "test",
                "{}",
                if rng.random_bool(0.7) {
                    "1 failed"
                } else {
                    "2 failed"
                },
            ),
        };
        said_so_far.extend(more);
    }
    requests
}

/// A job that asks the same of many items, in one episode.
fn batch(rng: &mut SmallRng, calls: usize) -> Vec<Vec<Message>> {
    let asked = "Say in one word whether the customer of this ticket is angry, and nothing else:";
    let item = |_| vec![said(Role::User, &format!("{asked} {}", words(rng, 12)))];
    (0..calls).map(item).collect()
}

/// A conversation of a person.
fn talk(rng: &mut SmallRng, calls: usize) -> Vec<Vec<Message>> {
    let mut so_far = Vec::new();
    let mut requests = Vec::new();
    for _ in 0..calls {
        let (asked, answered) = (rng.random_range(1..40), rng.random_range(5..200));
        so_far.push(said(Role::User, &words(rng, asked)));
        requests.push(so_far.clone());
        so_far.push(said(Role::Assistant, &words(rng, answered)));
    }
    requests
}

#[test]
fn an_agent_of_a_hundred_calls_whose_prompts_grow_is_not_stopped() {
    for seed in 0..20 {
        let mut rng = SmallRng::seed_from_u64(seed);
        assert_eq!(found(agent(&mut rng, 100), &Growth::default()), None);
    }
}

#[test]
fn the_same_request_again_and_again_is_found_at_the_eighth() {
    let same = || vec![said(Role::User, "What is the state of the deployment?")];
    let again = std::iter::repeat_with(same).take(20);
    assert_eq!(
        found(again, &Growth::default()),
        Some((8, Rule::SameRequests))
    );
}

#[test]
fn a_long_request_of_which_a_word_changes_is_found() {
    let mut rng = SmallRng::seed_from_u64(1);
    let text = words(&mut rng, 2000);
    let request = |n: usize| vec![said(Role::User, &format!("attempt{n} {text}"))];
    let found = found((0..60).map(request), &Growth::default());
    assert!(
        found.is_some_and(|(calls, rule)| calls <= 20 && rule == Rule::SameRequests),
        "{found:?}"
    );
}

#[test]
fn a_circle_of_two_steps_in_a_growing_conversation_is_found() {
    let mut so_far = vec![said(Role::User, "Mend the build.")];
    let mut requests = Vec::new();
    for call in 0..60 {
        requests.push(so_far.clone());
        so_far.extend(match call % 2 {
            0 => step("build", "{}", "error: no rule to make target"),
            _ => step("clean", "{}", "done"),
        });
    }
    let (calls, rule) = found(requests, &Growth::default()).unwrap();
    assert_eq!(rule, Rule::SameRequests);
    assert!(calls <= 20, "{calls}");
}

#[test]
fn the_same_tool_calls_are_found_whatever_they_return() {
    let mut rng = SmallRng::seed_from_u64(2);
    let mut so_far = vec![said(Role::User, "Wait for the job.")];
    let mut requests = Vec::new();
    for _ in 0..60 {
        requests.push(so_far.clone());
        so_far.extend(step("status", "{\"job\":7}", &words(&mut rng, 80)));
    }
    assert_eq!(
        found(requests, &Growth::default()),
        Some((13, Rule::SameToolCalls))
    );
}

#[test]
fn more_calls_or_money_than_episodes_take_is_found_and_only_with_evidence() {
    let learned = |episodes: usize| {
        let mut growth = Growth::default();
        for episode in 0..episodes {
            let mut ended = Circle::default();
            for _ in 0..8 + episode % 5 {
                ended.call(None, &Rules::default(), &Growth::default());
                ended.spent(0.01);
            }
            growth.learn(&ended);
        }
        growth
    };
    let without = |calls: usize| std::iter::repeat_with(Vec::new).take(calls);
    assert_eq!(found(without(500), &learned(Band::EVIDENCE - 1)), None);
    let growth = learned(Band::EVIDENCE);
    let (calls, rule) = found(without(500), &growth).unwrap();
    assert_eq!(rule, Rule::Calls);
    assert!((30..100).contains(&calls), "{calls}");
    let mut dear = Circle::default();
    dear.spent(0.2);
    assert_eq!(dear.call(None, &Rules::default(), &growth), None);
    dear.spent(2.0);
    let finding = dear.call(None, &Rules::default(), &growth).unwrap();
    assert_eq!((finding.rule, finding.calls), (Rule::Cost, 2));
    assert_eq!(dear.found(), Some(finding));
}

/// Of 300 episodes that work, of three kinds, one at most is taken for a circle; of 30 that end in one, all are found.
#[test]
fn of_episodes_that_work_few_are_taken_for_a_circle() {
    let mut rng = SmallRng::seed_from_u64(7);
    let mut wrong = 0;
    for episode in 0..300 {
        let calls = rng.random_range(5..60);
        let requests = match episode % 3 {
            0 => agent(&mut rng, calls),
            1 => batch(&mut rng, calls),
            _ => talk(&mut rng, calls),
        };
        wrong += usize::from(found(requests, &Growth::default()).is_some());
    }
    assert!(wrong <= 1, "{wrong} of 300");
    for _ in 0..30 {
        let before = rng.random_range(0..30);
        let mut requests = agent(&mut rng, before + 1);
        let last = requests.last().cloned().unwrap_or_default();
        requests.extend(std::iter::repeat_n(last, 10));
        assert!(found(requests, &Growth::default()).is_some());
    }
}
