//! What the coding agents ask, put together from the project's own phrases.
//!
//! Invariants: 100 to 1500 characters. A hard errand is more likely to be told in the words of a hard
//! one and to bring more output along, so that the text gives a weak hint, not the answer.

use super::dice::Dice;

const MODULES: [&str; 16] = [
    "billing/invoice.py",
    "src/cache/eviction.rs",
    "api/handlers/orders.go",
    "web/components/DatePicker.tsx",
    "ingest/csv_reader.py",
    "src/scheduler/retry.rs",
    "auth/session_store.go",
    "lib/search/ranking.rb",
    "notifications/mail_queue.py",
    "src/storage/segment.rs",
    "pricing/discount_rules.py",
    "web/hooks/useDebounce.ts",
    "cmd/importer/main.go",
    "reports/monthly_summary.py",
    "src/net/rate_limiter.rs",
    "catalog/price_table.rb",
];

const FUNCTIONS: [&str; 14] = [
    "parse_amount",
    "next_retry_at",
    "load_rows",
    "merge_headers",
    "apply_discount",
    "evict_oldest",
    "format_period",
    "resolve_timezone",
    "send_batch",
    "read_segment",
    "rank_results",
    "refresh_token",
    "split_address",
    "render_totals",
];

/// How a task is asked for, what makes it easy, what makes it hard.
struct Phrases {
    openings: [&'static str; 6],
    easy: [&'static str; 8],
    hard: [&'static str; 8],
}

const FIX_TEST: Phrases = Phrases {
    openings: [
        "CI is red: the test for `{f}` in {m} fails. Find out why and fix it.",
        "test_{f} fails since this morning. The code is in {m}. Make it pass without weakening it.",
        "Please fix the failing test of {m}; it is about `{f}`.",
        "The build broke on main. One assertion on `{f}` ({m}) does not hold any more.",
        "A regression: `{f}` in {m} returns something else than its test expects.",
        "Fix `{f}` so that its unit test in {m} is green again.",
    ],
    easy: [
        "It expected 10 and got 9, which looks like an off-by-one at the end of the loop.",
        "The message has a typo that the test compares.",
        "The default argument was renamed and one call was forgotten.",
        "An empty list is not handled and raises an index error.",
        "The test compares a string with a trailing newline.",
        "A constant was changed from 30 to 60 and the test still says 30.",
        "The import path is stale after the last move of files.",
        "It rounds down where the test wants it rounded to the nearest cent.",
    ],
    hard: [
        "It fails about once in forty runs and only under load; we suspect a race between two workers.",
        "It passes alone and fails in the whole suite, so some state must leak between tests.",
        "Only the nightly run on the other time zone fails, around the daylight saving change.",
        "The failure disappears when logging is on, and the stack trace ends in generated code.",
        "Two locks are taken in different orders somewhere below; sometimes the test just hangs.",
        "The numbers drift by a few ulps between machines and the tolerance must not be widened.",
        "A cache three layers down serves a stale value, and we cannot say who should invalidate it.",
        "It needs a migration that runs on live data, and the test simulates an interrupted one.",
    ],
};

const ADD_FEATURE: Phrases = Phrases {
    openings: [
        "Add a feature to {m}: `{f}` should take one more option.",
        "We need something new in {m}. Extend `{f}` and write the tests for it.",
        "New requirement for {m}, see below. The entry point is `{f}`.",
        "Implement the following in {m}, starting at `{f}`.",
        "Customers ask for this: please build it into `{f}` ({m}).",
        "Feature request, agreed with product. It touches `{f}` in {m}.",
    ],
    easy: [
        "A flag `--quiet` that suppresses the summary line.",
        "Accept a semicolon besides the comma as separator.",
        "Return the number of skipped rows along with the result.",
        "Let the page size be configured, default 50 as now.",
        "Show the currency symbol in front of the amount.",
        "Log a warning when the file is older than a day.",
        "Trim white space around names before they are compared.",
        "Offer a dry run that prints what would be done.",
    ],
    hard: [
        "Writes must survive a crash at any point, and old readers have to understand the new files.",
        "It must work for streams that do not fit in memory, with back pressure and cancellation.",
        "Two regions may change the same record; merge them without losing either edit.",
        "Retries must be idempotent across restarts, and the order of messages kept for each customer.",
        "The rule engine has to explain which rules fired, with no change to the public interface.",
        "Add multi-tenant quotas that hold exactly under concurrency, without a central lock.",
        "Support incremental re-indexing while queries run, and fall back when the index is half built.",
        "Make it resumable over flaky networks, with end-to-end checksums and partial results.",
    ],
};

const REFACTOR: Phrases = Phrases {
    openings: [
        "Refactor {m}: `{f}` has grown too long. Behaviour must stay the same.",
        "Clean up `{f}` in {m} so that the next change is easy.",
        "{m} is hard to read. Restructure it around `{f}` without changing what it does.",
        "Please simplify `{f}` ({m}); all tests have to stay green.",
        "Untangle {m}. `{f}` should do one thing.",
        "Move the logic of `{f}` out of {m} to where it belongs.",
    ],
    easy: [
        "Extract the validation at the top into a function of its own.",
        "Rename the variables a, b and c to what they mean.",
        "Replace the nested ifs by early returns.",
        "The same four lines appear three times; make them one helper.",
        "Use the dataclass that we have instead of the tuple.",
        "Split the file: parsing on one side, printing on the other.",
        "Remove the parameter that is always None.",
        "Turn the string constants into an enum.",
    ],
    hard: [
        "Callers in four services rely on side effects in its middle, and none of them has tests.",
        "Break the import cycle with the scheduler, keeping the order in which things start.",
        "Make it async all the way up without holding a lock across an await.",
        "Replace inheritance by composition; subclasses in plug-ins override private methods.",
        "Separate pure computation from I/O, although errors are handled by exceptions across both.",
        "The generic parameters leak into every signature; find a boundary that hides them.",
        "Lift the state machine out of the callbacks; some transitions are implicit in the order of calls.",
        "Global state has to go, but initialisation order matters and is documented nowhere.",
    ],
};

const WRITE_DOCS: Phrases = Phrases {
    openings: [
        "Write the documentation of `{f}` in {m}.",
        "The README says nothing about {m}. Add a section, with `{f}` as the example.",
        "Document `{f}` ({m}) for people who have never seen it.",
        "Please write doc comments for {m}, first of all for `{f}`.",
        "Write a how-to guide: using `{f}` from {m}.",
        "Describe in the changelog and in the docs what `{f}` in {m} does now.",
    ],
    easy: [
        "Two paragraphs and one example that runs.",
        "Say what it returns and when it raises.",
        "List the parameters in a table, with their units.",
        "Explain the default values.",
        "A short text for the reference, no tutorial.",
        "Mention the environment variables that it reads.",
        "Give one example of good input and one of bad input.",
        "Keep it under two hundred words.",
    ],
    hard: [
        "Explain the consistency guarantees precisely, with what happens when a node fails in between.",
        "Derive the formula it uses and say under which assumptions it is wrong.",
        "Describe the upgrade path from each of the last three versions, including mixed clusters.",
        "The behaviour under concurrency is subtle: state the memory ordering that callers may rely on.",
        "Document the wire format bit by bit so that another team can write a decoder.",
        "Explain the security model and which attacks are out of scope.",
        "Write down the invariants that the code assumes but nowhere checks.",
        "Show the life of a request through all six stages, with the failure modes of each.",
    ],
};

const TASKS: [&Phrases; 4] = [&FIX_TEST, &ADD_FEATURE, &REFACTOR, &WRITE_DOCS];

const BLOCKS: [&str; 8] = [
    "```\nFAILED tests/test_{f}.py::test_{f}_edge - AssertionError: assert 9 == 10\n1 failed, 41 passed in 3.12s\n```",
    "```python\ndef {f}(rows, limit=None):\n    out = []\n    for i in range(len(rows) - 1):\n        out.append(rows[i])\n    return out[:limit]\n```",
    "```\nthread 'worker-2' panicked at {m}:118:\ncalled `Option::unwrap()` on a `None` value\nnote: run with a backtrace to see more\n```",
    "```rust\nfn {f}(&mut self, key: &str) -> Result<u64, Error> {\n    let guard = self.inner.lock()?;\n    let entry = guard.get(key).ok_or(Error::Missing)?;\n    Ok(entry.version + 1)\n}\n```",
    "```\n--- FAIL: TestOrders/{f} (0.03s)\n    orders_test.go:87: got 402, want 200\nFAIL\texample.org/shop/api\t0.412s\n```",
    "```typescript\nexport function {f}(value: string, locale = \"en\") {\n  const parts = value.split(\".\");\n  return parts.map((p) => p.trim()).join(locale === \"de\" ? \",\" : \".\");\n}\n```",
    "```\n2026-03-02T04:11:09Z WARN  {f}: attempt 3 of 5 failed, retrying in 8 s\n2026-03-02T04:11:17Z WARN  {f}: attempt 4 of 5 failed, retrying in 16 s\n2026-03-02T04:11:33Z ERROR {f}: giving up\n```",
    "```json\n{\"module\": \"{m}\", \"function\": \"{f}\", \"line\": 118, \"severity\": \"error\", \"seen\": 7}\n```",
];

const LISTINGS: [&str; 3] = [
    "```\nTraceback (most recent call last):\n  File \"{m}\", line 212, in main\n    result = {f}(rows, limit=settings.limit)\n  File \"{m}\", line 118, in {f}\n    return self._inner.apply(rows[start:stop])\n  File \"lib/inner.py\", line 64, in apply\n    value = self._lookup[key]\n  File \"lib/lookup.py\", line 31, in __getitem__\n    raise KeyError(f\"no entry for {key!r} after {self._loads} loads\")\nKeyError: \"no entry for '2026-03-29' after 2 loads\"\n\nDuring handling of the above exception, another exception occurred:\n  File \"{m}\", line 219, in main\n    log.error(\"failed at %s\", result)\nUnboundLocalError: cannot access local variable 'result'\n```",
    "```python\nclass Ledger:\n    def __init__(self, rows, clock=None, lock=None):\n        self.rows = list(rows)\n        self.clock = clock or default_clock\n        self.lock = lock or RLock()\n        self.totals = {}\n\n    def {f}(self, key, amount):\n        with self.lock:\n            if key not in self.totals:\n                self.totals[key] = 0\n            self.totals[key] += amount\n        if self.totals[key] < 0:\n            raise ValueError(f\"{key} would be overdrawn by {-self.totals[key]}\")\n        return self.totals[key]\n\n    def close(self):\n        with self.lock:\n            done, self.totals = self.totals, {}\n        return sorted(done.items())\n```",
    "```\nrunning 48 tests\ntest store::opens_an_empty_folder ... ok\ntest store::{f}_after_a_crash ... FAILED\ntest store::{f}_twice ... ok\ntest store::reads_what_was_written ... ok\n\nfailures:\n---- store::{f}_after_a_crash stdout ----\nassertion `left == right` failed: records after the second start\n  left: [1, 2, 3, 5]\n right: [1, 2, 3, 4, 5]\nseed of the simulated disk: 7719; writes dropped: 1; reordered: 0\n\ntest result: FAILED. 47 passed; 1 failed; 0 ignored; finished in 8.41s\n```",
];

const WISHES: [&str; 10] = [
    "Keep the public interface as it is.",
    "No new dependencies, please.",
    "Answer with a unified diff only.",
    "Follow the conventions of the surrounding code.",
    "Small patch, it has to be reviewed today.",
    "Explain in one sentence what was wrong.",
    "Add a test that would have caught it.",
    "Do not touch the generated files.",
    "It must still run on the oldest version that we support.",
    "Return JSON with the fields patch and summary.",
];

const AGAIN: [&str; 4] = [
    "That was not enough, the reviewer wants more. ",
    "Second round on the same branch. ",
    "Follow-up to the last patch, which is applied already. ",
    "The last attempt left something open. ",
];

/// A request of task number `task`; `call` counts from 0 within the errand.
pub(super) fn write(task: usize, difficulty: f64, call: usize, dice: &mut Dice) -> String {
    let phrases = TASKS[task];
    let mut text = String::new();
    if call > 0 {
        text.push_str(dice.pick(&AGAIN));
    }
    text.push_str(dice.pick(&phrases.openings));
    let hard = |dice: &mut Dice| dice.happens(0.5 + 0.45 * difficulty);
    for _ in 0..=usize::from(dice.happens(0.4)) {
        let hard = hard(dice);
        let pool = if hard { &phrases.hard } else { &phrases.easy };
        add(&mut text, " ", dice.pick(pool));
    }
    let before = text.len();
    if dice.happens(0.45) {
        add(&mut text, "\n\n", dice.pick(&BLOCKS));
    }
    if hard(dice) && dice.happens(0.4) {
        add(&mut text, "\n\n", dice.pick(&LISTINGS));
    }
    let gap = if text.len() > before { "\n\n" } else { " " };
    add(&mut text, gap, dice.pick(&WISHES));
    if dice.happens(0.5) {
        add(&mut text, " ", dice.pick(&WISHES));
    }
    let (module, function) = (dice.pick(&MODULES), dice.pick(&FUNCTIONS));
    text.replace("{m}", module).replace("{f}", function)
}

/// Adds a phrase that is not there yet.
fn add(text: &mut String, gap: &str, phrase: &str) {
    if !text.contains(phrase) {
        text.push_str(gap);
        text.push_str(phrase);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_100_to_1500_characters_with_no_gap_left_open() {
        for key in 0..2_000 {
            let mut dice = Dice::new(&[key]);
            let difficulty = dice.between(-1.0, 1.0);
            let text = write(key as usize % 4, difficulty, key as usize % 3, &mut dice);
            let length = text.chars().count();
            assert!((100..=1500).contains(&length), "{length}: {text}");
            assert!(!text.contains("{m}") && !text.contains("{f}"), "{text}");
        }
    }

    #[test]
    fn a_hard_errand_is_told_in_hard_words_more_often_but_not_always() {
        let told = |difficulty: f64| {
            let hard = (0..1_000).filter(|key| {
                let text = write(2, difficulty, 0, &mut Dice::new(&[*key]));
                REFACTOR.hard.iter().any(|phrase| text.contains(phrase))
            });
            hard.count()
        };
        let (easy, middling, hard) = (told(-1.0), told(0.0), told(1.0));
        assert!(0 < easy && easy < middling && middling < hard && hard < 1_000);
    }
}
