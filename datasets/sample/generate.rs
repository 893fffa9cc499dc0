//! Writes `outcomes.csv`: simulated outcomes, and saying so. Run with
//! `cargo run --example generate-sample > datasets/sample/outcomes.csv`; a test holds the file to
//! what this prints. Every number below is an assumption of ours; the card says what they mean.
#![allow(
    clippy::print_stdout,
    reason = "printing the table is what this program does"
)]

/// Name, success by task (in the order of `TASKS`), dollars per million input and output tokens,
/// typical output tokens, milliseconds per output token.
type Arm = (&'static str, [f64; 4], f64, f64, f64, f64);

const ARMS: [Arm; 3] = [
    (
        "scholar",
        [0.90, 0.86, 0.93, 0.95],
        3.00,
        15.00,
        420.0,
        14.0,
    ),
    ("steady", [0.72, 0.55, 0.90, 0.93], 0.40, 1.60, 300.0, 8.0),
    ("swift", [0.35, 0.22, 0.88, 0.60], 0.05, 0.20, 220.0, 3.0),
];

const TASKS: [(&str, [&str; 3]); 4] = [
    (
        "write-test",
        [
            "Write a unit test for {s} that covers {d}.",
            "Add a regression test: {s} fails on {d}.",
            "Which tests are missing for {s} with respect to {d}? Write one.",
        ],
    ),
    (
        "fix-bug",
        [
            "```\nfn run() { {s}({d}) }\n```\nThis panics. Find out why and give a patch.",
            "After the last change {s} returns the wrong value for {d}. Fix it.",
            "CI is red: {s} times out on {d}. Propose the smallest patch.",
        ],
    ),
    (
        "summarise",
        [
            "Summarise in two sentences what {s} does about {d}.",
            "Explain to a new colleague how {s} treats {d}.",
            "Write the release note for: {s} now handles {d}.",
        ],
    ),
    (
        "extract-json",
        [
            "Give {\"module\": ..., \"case\": ...} for: {s} and {d}.",
            "List as JSON the parameters of {s} that concern {d}.",
            "Return only JSON: does {s} mention {d}?",
        ],
    ),
];

const SUBJECTS: [&str; 10] = [
    "the date parser",
    "the invoice exporter",
    "the retry loop",
    "the cache layer",
    "the login form",
    "the CSV reader",
    "the rate limiter",
    "the search index",
    "the mail queue",
    "the price table",
];

const DETAILS: [&str; 10] = [
    "leap years",
    "empty input",
    "two time zones",
    "a missing header",
    "duplicate keys",
    "a slow network",
    "unicode names",
    "negative amounts",
    "an expired token",
    "very long lines",
];

const PROMPTS: u64 = 600;

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers on every machine and version.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[(self.uniform() * from.len() as f64) as usize]
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn main() {
    let mut random = Random(20_261_122);
    println!(
        "dataset,task,prompt_id,prompt,model,score,cost_usd,input_tokens,output_tokens,latency_ms,signals"
    );
    for number in 0..PROMPTS {
        let kind = (random.uniform() * TASKS.len() as f64) as usize;
        let (task, templates) = &TASKS[kind];
        let prompt = random
            .pick(templates)
            .replace("{s}", random.pick(&SUBJECTS))
            .replace("{d}", random.pick(&DETAILS));
        // How hard this prompt is, the same for every arm: outcomes of one prompt go together.
        let hardness = random.uniform() - 0.5;
        let input_tokens = prompt.chars().count().div_ceil(4) + 900;
        for (arm, success, input_usd, output_usd, tokens, pace) in &ARMS {
            let odds = (success[kind] - 0.3 * hardness).clamp(0.02, 0.98);
            let score = u8::from(random.uniform() < odds);
            let output_tokens = (tokens * (0.5 + random.uniform())).round();
            let cost_usd = (input_tokens as f64 * input_usd + output_tokens * output_usd) / 1e6;
            let latency_ms =
                (250.0 + output_tokens * pace * (0.8 + 0.4 * random.uniform())).round();
            println!(
                "sample,{task},p{number:04},{},{arm},{score},{cost_usd:.9},{input_tokens},{output_tokens},{latency_ms},",
                quoted(&prompt)
            );
        }
    }
}
