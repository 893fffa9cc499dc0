//! A provider without a network: plausible answers for demonstrations, load tests and experiments.
//!
//! Invariants: everything follows from the seed and the prompt: the same prompt gets the same answer,
//! tokens, waiting time (which is the latency it tells, however late a busy machine woke) and failure. Tools offered are called once: where the last
//! message is a tool's result, it answers in words.
//!
//! Not here: what an answer is worth (an outcome table says that, through feedback), limits and
//! quotas of real providers.
//!
//! Units: waiting times spread evenly over 0.5 to 1.5 of the setting, and so do output tokens.

use super::json::Json;
use super::patience::Waiting;
use super::sample::sample;
use super::{
    Answer, Embedded, Error, FinishReason, Kind, Patience, Piece, Pieces, Prompt, Provider,
};
use crate::chat::{ContentPart, Message, ResponseFormat, Role, ToolCall, estimated_tokens};
use crate::decision::Usage;
use crate::unit::Probability;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::sleep;
use xxhash_rust::xxh3::Xxh3;

/// How the simulation behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Another seed, another world.
    pub seed: u64,
    /// Mean waiting time; zero answers at once.
    pub latency: Duration,
    /// Mean output tokens of an answer in words.
    pub output_tokens: u32,
    /// Share of prompts that fail with [`Kind::ServerError`].
    pub error_rate: Probability,
    /// Always this text in place of made-up words or JSON. Tools are still called.
    pub answer: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 0,
            latency: Duration::ZERO,
            output_tokens: 64,
            error_rate: Probability::ZERO,
            answer: None,
        }
    }
}

/// The provider.
#[derive(Debug, Clone, Default)]
pub struct Simulated {
    settings: Settings,
}

/// What the simulation does with one prompt.
struct Plan {
    wait: Duration,
    fails: bool,
    message: Message,
    finish_reason: FinishReason,
    usage: Usage,
}

impl Simulated {
    /// Behaves as `settings` say.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    fn plan(&self, prompt: &Prompt<'_>) -> Plan {
        let mut chance = Chance(digest(self.settings.seed, prompt));
        let wait = self.settings.latency.mul_f64(0.5 + chance.uniform());
        let fails = chance.uniform() < self.settings.error_rate.get();
        let (message, finish_reason) = match tool_call(prompt, &mut chance) {
            Some(call) => (calling(call), FinishReason::ToolCalls),
            None => {
                let (text, reason) = self.words(prompt, &mut chance);
                (Message::text(Role::Assistant, text), reason)
            }
        };
        // A call of a tool is not cut short, but counts no more than it may.
        let spoken = estimated_tokens(message.characters()).max(1);
        let usage = Usage {
            input: Some(prompt.estimated_input_tokens()),
            cached_input: Some(0),
            output: Some(spoken.min(prompt.max_output_tokens.unwrap_or(u32::MAX))),
            ..Usage::default()
        };
        Plan {
            wait,
            fails,
            message,
            finish_reason,
            usage,
        }
    }

    /// The answer's text. Four characters make a token, so that limits and usage agree.
    fn words(&self, prompt: &Prompt<'_>, chance: &mut Chance) -> (String, FinishReason) {
        let mut text = match (&self.settings.answer, prompt.response_format) {
            (Some(answer), _) => answer.clone(),
            (None, ResponseFormat::Text) => {
                let mean = f64::from(self.settings.output_tokens);
                prose((mean * 4.0 * (0.5 + chance.uniform())) as usize, chance)
            }
            (None, ResponseFormat::JsonObject) => r#"{"answer":"simulated"}"#.to_owned(),
            (None, ResponseFormat::JsonSchema(schema)) => sampled(schema),
        };
        let most = prompt.max_output_tokens.map_or(usize::MAX, |tokens| {
            usize::try_from(tokens)
                .unwrap_or(usize::MAX)
                .saturating_mul(4)
        });
        match text.char_indices().nth(most) {
            Some((end, _)) => {
                text.truncate(end);
                (text, FinishReason::Length)
            }
            None => (text, FinishReason::Stop),
        }
    }

    async fn wait(&self, plan: &Plan, waiting: &mut Waiting) -> Result<(), Error> {
        if !plan.wait.is_zero() {
            waiting.on(sleep(plan.wait)).await?;
        }
        if plan.fails {
            return Err(Kind::ServerError.into());
        }
        Ok(())
    }
}

impl Provider for Simulated {
    fn complete<'a>(
        &'a self,
        prompt: Prompt<'a>,
        patience: Patience,
    ) -> BoxFuture<'a, Result<Answer, Error>> {
        async move {
            let plan = self.plan(&prompt);
            self.wait(&plan, &mut Waiting::whole(patience)).await?;
            Ok(Answer {
                message: plan.message,
                finish_reason: plan.finish_reason,
                usage: plan.usage,
                latency: plan.wait,
            })
        }
        .boxed()
    }

    fn stream<'a>(
        &'a self,
        prompt: Prompt<'a>,
        patience: Patience,
    ) -> BoxFuture<'a, Result<Pieces, Error>> {
        async move {
            let mut plan = self.plan(&prompt);
            let mut waiting = Waiting::streamed(patience);
            // Half of the time before the first piece, the rest spread over the pieces.
            plan.wait /= 2;
            self.wait(&plan, &mut waiting).await?;
            waiting.came_on();
            let pause = plan.wait;
            let pieces = pieces(plan);
            let pause = pause / u32::try_from(pieces.len()).unwrap_or(u32::MAX);
            let start = (pieces, waiting);
            let paced = stream::try_unfold(start, move |(mut left, mut waiting)| async move {
                let Some(piece) = left.pop_front() else {
                    return Ok(None);
                };
                if !pause.is_zero() {
                    waiting.on(sleep(pause)).await?;
                }
                waiting.came_on();
                Ok(Some((piece, (left, waiting))))
            });
            Ok(paced.boxed())
        }
        .boxed()
    }

    fn embed<'a>(
        &'a self,
        model: &'a str,
        texts: &'a [String],
        dimensions: Option<u32>,
        patience: Patience,
    ) -> BoxFuture<'a, Result<Embedded, Error>> {
        async move {
            let mut waiting = Waiting::whole(patience);
            if !self.settings.latency.is_zero() {
                waiting.on(sleep(self.settings.latency)).await?;
            }
            let length = dimensions.unwrap_or(EMBEDDED) as usize;
            let vector = |text: &String| {
                let said = [Message::text(Role::User, text.as_str())];
                let mut chance = Chance(digest(self.settings.seed, &Prompt::new(model, &said)));
                let entry = |_| (chance.uniform() * 2.0 - 1.0) as f32;
                (0..length).map(entry).collect()
            };
            let characters = texts.iter().map(|text| text.chars().count()).sum();
            Ok(Embedded {
                vectors: texts.iter().map(vector).collect(),
                usage: Usage {
                    input: Some(estimated_tokens(characters)),
                    output: Some(0),
                    ..Usage::default()
                },
            })
        }
        .boxed()
    }
}

/// Entries of a vector where the caller does not say.
const EMBEDDED: u32 = 64;

/// The plan's message, a word a piece.
fn pieces(plan: Plan) -> VecDeque<Piece> {
    let mut pieces: VecDeque<Piece> = plan
        .message
        .texts()
        .flat_map(|text| text.split_inclusive(' '))
        .map(|word| Piece::Text(word.to_owned()))
        .collect();
    pieces.extend(plan.message.tool_calls.into_iter().map(Piece::ToolCall));
    pieces.push_back(Piece::Done {
        finish_reason: plan.finish_reason,
        usage: plan.usage,
    });
    pieces
}

/// Hash of all that the answer follows from.
fn digest(seed: u64, prompt: &Prompt<'_>) -> u64 {
    let mut hash = Xxh3::with_seed(seed);
    let mut take = |text: &str| {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    take(prompt.model);
    for message in prompt.messages {
        for part in &message.content {
            match part {
                ContentPart::Text(text) | ContentPart::ImageUrl(text) => take(text),
                ContentPart::Audio { data, .. } => take(data),
                ContentPart::File { data_url, .. } => take(data_url),
                ContentPart::Reasoning(_) => {}
            }
        }
        for call in &message.tool_calls {
            take(&call.arguments_json);
        }
    }
    for tool in prompt.tools {
        take(&tool.name);
    }
    hash.digest()
}

/// A call of one of the tools, unless a tool has just answered.
fn tool_call(prompt: &Prompt<'_>, chance: &mut Chance) -> Option<ToolCall> {
    if prompt.messages.last().is_some_and(|m| m.role == Role::Tool) {
        return None;
    }
    let tool = prompt.tools.get(chance.below(prompt.tools.len()))?;
    Some(ToolCall {
        id: format!("call_{:016x}", chance.next()),
        name: tool.name.clone(),
        arguments_json: sampled(&tool.parameters_json_schema),
    })
}

fn calling(call: ToolCall) -> Message {
    Message {
        role: Role::Assistant,
        content: Vec::new(),
        tool_calls: vec![call],
        tool_call_id: None,
    }
}

/// JSON for a schema; an empty object where there is none that can be read.
fn sampled(schema: &str) -> String {
    let sampled = serde_json::from_str::<Json>(schema)
        .and_then(|schema| serde_json::to_string(&sample(&schema)));
    sampled.unwrap_or_else(|_| "{}".to_owned())
}

const WORDS: [&str; 16] = [
    "the", "answer", "is", "plain", "and", "short", "we", "tried", "it", "twice", "with", "care",
    "so", "that", "nothing", "broke",
];

/// Words of together at least `characters`.
fn prose(characters: usize, chance: &mut Chance) -> String {
    let mut text = String::with_capacity(characters + 8);
    while text.len() < characters.max(1) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(WORDS[chance.below(WORDS.len())]);
    }
    text
}

/// SplitMix64 (Steele, Lea and Flood 2014), started from the digest: the simulation's only chance.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, count: usize) -> usize {
        (self.uniform() * count as f64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{InputTokens, Tool};
    use futures_util::TryStreamExt;

    use tokio::time::Instant;

    fn soon() -> Patience {
        Patience::until(Instant::now() + Duration::from_secs(60))
    }

    /// What a prompt borrows.
    #[derive(Clone)]
    struct Asked {
        messages: Vec<Message>,
        tools: Vec<Tool>,
        response_format: ResponseFormat,
        max_output_tokens: Option<u32>,
    }

    impl Asked {
        fn prompt(&self) -> Prompt<'_> {
            Prompt {
                tools: &self.tools,
                response_format: &self.response_format,
                max_output_tokens: self.max_output_tokens,
                ..Prompt::new("small", &self.messages)
            }
        }
    }

    fn prompt(text: &str) -> Asked {
        Asked {
            messages: vec![Message::text(Role::User, text)],
            tools: Vec::new(),
            response_format: ResponseFormat::Text,
            max_output_tokens: None,
        }
    }

    async fn answer(settings: Settings, asked: &Asked) -> Result<Answer, Error> {
        let simulated = Simulated::new(settings);
        simulated.complete(asked.prompt(), soon()).await
    }

    fn text(message: &Message) -> String {
        message.texts().collect()
    }

    #[tokio::test]
    async fn the_same_prompt_gets_the_same_answer_and_another_seed_another() {
        let ask = |seed| async move {
            let settings = Settings {
                seed,
                ..Settings::default()
            };
            answer(settings, &prompt("hello")).await.unwrap()
        };
        let (first, again, other) = (ask(1).await, ask(1).await, ask(2).await);
        assert_eq!((&first.message, first.usage), (&again.message, again.usage));
        assert_ne!(first.message, other.message);
        assert_eq!(first.usage.input, Some(2));
    }

    #[tokio::test]
    async fn the_pieces_of_a_stream_are_the_whole_answer() {
        let simulated = Simulated::default();
        let prompt = prompt("hello");
        let whole = simulated.complete(prompt.prompt(), soon()).await.unwrap();
        let stream = simulated.stream(prompt.prompt(), soon()).await.unwrap();
        let mut pieces: Vec<Piece> = stream.try_collect().await.unwrap();
        let last = pieces.pop();
        let said: String = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(said, text(&whole.message));
        let expected = Piece::Done {
            finish_reason: FinishReason::Stop,
            usage: whole.usage,
        };
        assert_eq!(last, Some(expected));
    }

    #[tokio::test]
    async fn an_output_limit_cuts_the_answer_and_says_so() {
        let mut prompt = prompt("hello");
        prompt.max_output_tokens = Some(2);
        let answer = answer(Settings::default(), &prompt).await.unwrap();
        assert_eq!(answer.finish_reason, FinishReason::Length);
        assert_eq!(text(&answer.message).chars().count(), 8);
        assert_eq!(answer.usage.output, Some(2));
    }

    #[tokio::test]
    async fn tools_are_called_until_a_tool_has_answered() {
        let mut prompt = prompt("what is the weather");
        prompt.tools.push(Tool {
            name: "weather".into(),
            description: String::new(),
            parameters_json_schema: r#"{"type":"object","properties":{"city":{"type":"string"}}}"#
                .into(),
        });
        let asked = answer(Settings::default(), &prompt).await.unwrap();
        assert_eq!(asked.finish_reason, FinishReason::ToolCalls);
        let call = asked.message.tool_calls[0].clone();
        assert_eq!(call.name, "weather");
        assert_eq!(call.arguments_json, r#"{"city":"text"}"#);
        prompt.messages.push(asked.message);
        prompt.messages.push(Message {
            tool_call_id: Some(call.id),
            ..Message::text(Role::Tool, "rain")
        });
        let done = answer(Settings::default(), &prompt).await.unwrap();
        assert_eq!(done.finish_reason, FinishReason::Stop);
    }

    proptest::proptest! {
        #[test]
        fn what_it_counts_stays_within_the_bounds(
            said in ".{0,80}", image in proptest::bool::ANY, tools in 0_usize..3, most in 1_u32..40
        ) {
            let mut asked = prompt(&said);
            if image {
                asked.messages[0].content.push(ContentPart::ImageUrl(said.clone()));
            }
            asked.max_output_tokens = Some(most);
            let tool = Tool {
                name: "find".into(),
                description: said.clone(),
                parameters_json_schema: r#"{"type":"object","properties":{"text":{"type":"string"}}}"#.into(),
            };
            asked.tools = vec![tool; tools];
            asked.response_format = ResponseFormat::JsonSchema(said);
            let usage = Simulated::default().plan(&asked.prompt()).usage;
            let input = InputTokens::of(&asked.messages, &asked.tools, &asked.response_format);
            proptest::prop_assert_eq!(usage.input, Some(input.expected()));
            proptest::prop_assert!(usage.input <= Some(input.bound().get()));
            proptest::prop_assert!(usage.output <= Some(most));
        }
    }

    #[tokio::test]
    async fn json_is_answered_where_json_is_asked() {
        let mut prompt = prompt("as json");
        prompt.response_format = ResponseFormat::JsonSchema(
            r#"{"type":"object","properties":{"ok":{"type":"boolean"}}}"#.into(),
        );
        let sampled = answer(Settings::default(), &prompt).await.unwrap();
        assert_eq!(text(&sampled.message), r#"{"ok":true}"#);
        prompt.response_format = ResponseFormat::JsonObject;
        let object = answer(Settings::default(), &prompt).await.unwrap();
        let json: serde_json::Value = serde_json::from_str(&text(&object.message)).unwrap();
        assert!(json.is_object());
    }

    #[tokio::test]
    async fn prompts_fail_as_often_as_the_error_rate_says() {
        let settings = Settings {
            error_rate: Probability::new(0.25).unwrap(),
            ..Settings::default()
        };
        let mut failed = 0;
        for i in 0..1000 {
            let result = answer(settings.clone(), &prompt(&format!("prompt {i}"))).await;
            failed += u32::from(result.is_err_and(|e| e.kind == Kind::ServerError));
        }
        // Binomial(1000, 0.25): sd 13.7. The seed is fixed, so this holds always or never; five sd
        // either way would refuse a sound hash once in 1.7 million seeds.
        assert!((182..=318).contains(&failed), "{failed}");
    }

    #[tokio::test]
    async fn a_slow_answer_ends_at_the_callers_deadline() {
        let slow = Simulated::new(Settings {
            latency: Duration::from_secs(3600),
            ..Settings::default()
        });
        let prompt = prompt("hello");
        let whole = slow
            .complete(prompt.prompt(), Patience::until(Instant::now()))
            .await;
        assert_eq!(whole.unwrap_err().kind, Kind::DeadlineExceeded);
        let streamed = slow
            .stream(prompt.prompt(), Patience::until(Instant::now()))
            .await;
        assert_eq!(streamed.err().unwrap().kind, Kind::DeadlineExceeded);
    }

    #[tokio::test]
    async fn a_text_has_one_vector_of_the_length_asked() {
        let texts = ["a".to_owned(), "b".to_owned(), "a".to_owned()];
        let simulated = Simulated::default();
        let embedded = simulated.embed("m", &texts, Some(8), soon()).await.unwrap();
        assert_eq!(embedded.vectors[0].len(), 8);
        assert_eq!(embedded.vectors[0], embedded.vectors[2]);
        assert_ne!(embedded.vectors[0], embedded.vectors[1]);
    }
}
