//! `[teams.guardrail]`.

use super::fields::Fields;
use super::params::Guardrail;
use crate::redaction::{Kind, Kinds};
use crate::route::Action;

/// What is done before a team's prompts leave.
pub(super) fn read(team: &Fields<'_>) -> Option<Guardrail> {
    let fields = team.table("guardrail")?;
    let words = Action::ALL.map(|action| (action.as_str(), action));
    let action = fields.required("action", |fields, key| fields.choice(key, &words));
    let mut kinds = Kinds::NONE;
    for word in fields.names("kinds") {
        let word = word.as_str();
        match (word, Kind::named(word)) {
            (_, Some(kind)) => kinds = kinds.with(kind),
            ("personal", _) => kinds = kinds.and(Kinds::PERSONAL),
            ("secrets", _) => kinds = kinds.and(Kinds::SECRETS),
            _ => {
                let allowed = format!("personal, secrets, {}", Kind::WORDS.join(", "));
                fields.problem("kinds", &format!("no such kind: {word}"), allowed);
            }
        }
    }
    if fields.has("kinds") && kinds.is_empty() {
        fields.problem("kinds", "is empty", "one kind at least; left out for all");
    }
    fields.done();
    if kinds.is_empty() {
        kinds = Kinds::ALL;
    }
    Some(Guardrail {
        action: action?,
        kinds,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use std::path::Path;

    /// What is read of a team's lines: its guardrail, or the problems.
    fn check(lines: &str, expected: Result<Option<Guardrail>, &str>) {
        let scorecard = Path::new(env!("CARGO_MANIFEST_DIR")).join("evals/scorecards/coding.toml");
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[store]\ndir = \"state\"\n\
             [[keys]]\nname = \"ci\"\nsha256 = \"{}\"\nteam = \"coding\"\nscopes = [\"route\"]\n\
             [[arms]]\nname = \"a\"\ncontext_tokens = 1000\n\
             [[endpoints]]\nname = \"e\"\narm = \"a\"\nprovider = \"simulated\"\n\
             prices = [{{ input_usd_per_million = 1, output_usd_per_million = 2 }}]\n\
             [[teams]]\nname = \"coding\"\nscorecard = '{}'\n{lines}",
            "ab".repeat(32),
            scorecard.display()
        );
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bellwether.toml");
        std::fs::write(&path, text).unwrap();
        match (config::load(&path), expected) {
            (Ok(params), Ok(expected)) => assert_eq!(params.teams[0].guardrail, expected),
            (Err(problems), Err(expected)) => {
                let told = config::render(&problems);
                assert!(told.contains(expected), "{told}");
            }
            (found, expected) => panic!("{lines}: {} for {expected:?}", found.is_ok()),
        }
    }

    #[test]
    fn a_guardrail_has_an_action_and_looks_for_all_kinds_or_those_named() {
        let of = |action, kinds| Ok(Some(Guardrail { action, kinds }));
        check("", Ok(None));
        check(
            "guardrail = { action = \"block\" }",
            of(Action::Block, Kinds::ALL),
        );
        check(
            "[teams.guardrail]\naction = \"flag\"\nkinds = [\"secrets\", \"email\"]",
            of(Action::Flag, Kinds::SECRETS.with(Kind::Email)),
        );
    }

    #[test]
    fn what_a_guardrail_cannot_be_is_told_with_what_is_allowed() {
        check("guardrail = { kinds = [\"jwt\"] }", Err("action"));
        check(
            "guardrail = { action = \"hide\" }",
            Err("\"block\", \"redact\", \"flag\""),
        );
        let kinds = "guardrail = { action = \"flag\", kinds = [\"names\"] }";
        check(kinds, Err("no such kind: names"));
        let none = "guardrail = { action = \"flag\", kinds = [] }";
        check(none, Err("one kind at least"));
    }
}
