//! What the kept crate does not know: tokens by their beginnings, what follows `Bearer`, and values that are assigned
//! to names such as `password`.
//!
//! Invariants: one pass; what was looked at in vain is not looked at again, but for a bounded piece, so that time grows
//! with the text's length whatever stands in it. All bounds of what is found are between ASCII bytes.
//!
//! Not here: what the crate finds (`redactor`).

use super::kind::Kind;
use std::ops::Range;

/// What was found, and where.
pub(super) type Found = (Kind, Range<usize>);

/// Tokens by their beginnings: least letters after it, and their kind.
const BEGINNINGS: [(&str, usize, Kind); 38] = [
    ("AGE-SECRET-KEY-1", 40, Kind::PrivateKey),
    ("bw_", 40, Kind::BellwetherKey),
    ("csk-", 40, Kind::ModelKey),
    ("dapi", 32, Kind::ServiceToken),
    ("dckr_pat_", 20, Kind::ServiceToken),
    ("doo_v1_", 40, Kind::ServiceToken),
    ("dop_v1_", 40, Kind::ServiceToken),
    ("fw_", 20, Kind::ModelKey),
    ("glpat-", 16, Kind::ServiceToken),
    ("glptt-", 30, Kind::ServiceToken),
    ("glrt-", 16, Kind::ServiceToken),
    ("glsa_", 30, Kind::ServiceToken),
    ("GOCSPX-", 20, Kind::GoogleKey),
    ("gsk_", 30, Kind::ModelKey),
    ("hf_", 30, Kind::ModelKey),
    ("hvb.", 20, Kind::ServiceToken),
    ("hvs.", 20, Kind::ServiceToken),
    ("jina_", 40, Kind::ModelKey),
    ("lin_api_", 30, Kind::ServiceToken),
    ("npm_", 30, Kind::ServiceToken),
    ("ntn_", 30, Kind::ServiceToken),
    ("nvapi-", 40, Kind::ModelKey),
    ("pplx-", 30, Kind::ModelKey),
    ("pul-", 36, Kind::ServiceToken),
    ("pypi-", 50, Kind::ServiceToken),
    ("r8_", 30, Kind::ModelKey),
    ("rubygems_", 40, Kind::ServiceToken),
    ("sbp_", 36, Kind::ServiceToken),
    ("secret_", 40, Kind::ServiceToken),
    ("SG.", 40, Kind::ServiceToken),
    ("shpat_", 30, Kind::ServiceToken),
    ("sk-", 20, Kind::ModelKey),
    ("sk_live_", 16, Kind::StripeKey),
    ("sk_test_", 16, Kind::StripeKey),
    ("sntrys_", 40, Kind::ServiceToken),
    ("tgp_v1_", 30, Kind::ModelKey),
    ("xai-", 40, Kind::ModelKey),
    ("ya29.", 30, Kind::GoogleKey),
];

/// Tokens by their beginnings. A beginning stands where no letter or digit is before it.
pub(super) fn tokens(text: &str) -> Vec<Found> {
    let (bytes, mut found, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let first = byte(bytes, at).is_ascii_alphanumeric();
        let begins = first && (at == 0 || !byte(bytes, at - 1).is_ascii_alphanumeric());
        let here = begins.then(|| token(bytes, at)).flatten();
        at = match here {
            Some((kind, end)) => {
                found.push((kind, at..end));
                end
            }
            None => at + 1,
        };
    }
    found
}

/// The token that begins here, and its end.
fn token(bytes: &[u8], at: usize) -> Option<(Kind, usize)> {
    let rest = bytes.get(at..)?;
    let begins = |(beginning, _, _): &&(&str, usize, Kind)| rest.starts_with(beginning.as_bytes());
    let (beginning, least, kind) = BEGINNINGS.iter().find(begins)?;
    let part = |b: &u8| {
        b.is_ascii_alphanumeric()
            || matches!(b, b'_' | b'-')
            || (*b == b'.' && beginning.ends_with('.'))
    };
    let value = rest.get(beginning.len()..)?;
    // No more than the least is looked at in vain: what is longer is a token, or words with hyphens.
    let least_of = value.iter().take(*least).take_while(|b| part(b));
    let digits = value
        .iter()
        .take(*least)
        .filter(|b| b.is_ascii_digit())
        .count();
    if least_of.count() < *least || digits < 2 {
        return None;
    }
    let length = value.iter().take_while(|b| part(b)).count();
    Some((*kind, at + beginning.len() + length))
}

/// JSON web tokens: three parts with dots between them, the first of which begins with `eyJ`, behind no letter.
///
/// What was scanned in vain is left behind: all that begin in one part share what follows it.
pub(super) fn jwts(text: &str) -> Vec<Found> {
    let (bytes, mut found, mut at) = (text.as_bytes(), Vec::new(), 0);
    let part = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        let of_it = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        from + rest.iter().take_while(of_it).count()
    };
    while let Some(skipped) = text.get(at..).and_then(|rest| rest.find("eyJ")) {
        let start = at + skipped;
        if start > 0 && byte(bytes, start - 1).is_ascii_alphabetic() {
            at = start + 1;
            continue;
        }
        let first = part(start);
        if byte(bytes, first) != b'.' {
            at = first;
            continue;
        }
        let second = part(first + 1);
        let third = part(second + 1);
        if second == first + 1 || byte(bytes, second) != b'.' || third == second + 1 {
            at = first + 1;
            continue;
        }
        found.push((Kind::Jwt, start..third));
        at = third;
    }
    found
}

/// What follows `Bearer `, or `Authorization: Basic `.
pub(super) fn bearers(text: &str) -> Vec<Found> {
    let (bytes, mut found, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let start = [("bearer", ""), ("basic", "authorization:")]
            .into_iter()
            .find_map(|(word, before)| introduced(bytes, at, word, before));
        let Some(start) = start else {
            at += 1;
            continue;
        };
        let part = |b: &&u8| {
            b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'~' | b'+' | b'/' | b'=' | b'-')
        };
        let value = bytes.get(start..).unwrap_or_default();
        let length = value.iter().take_while(part).count();
        let value = value.get(..length).unwrap_or_default();
        let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
        if length >= 12 && digits > 0 {
            found.push((Kind::BearerToken, start..start + length));
        }
        at = start + length.max(1);
    }
    found
}

/// Where the value begins, if `word` and blanks stand here, after `before`.
fn introduced(bytes: &[u8], at: usize, word: &str, before: &str) -> Option<usize> {
    let end = at + word.len();
    if !bytes.get(at..end)?.eq_ignore_ascii_case(word.as_bytes()) {
        return None;
    }
    if at > 0 && byte(bytes, at - 1).is_ascii_alphanumeric() {
        return None;
    }
    if !before.is_empty() {
        let head = bytes.get(..at)?.trim_ascii_end();
        let from = head.len().checked_sub(before.len())?;
        if !head.get(from..)?.eq_ignore_ascii_case(before.as_bytes()) {
            return None;
        }
    }
    let blank = |b: &&u8| matches!(b, b' ' | b'\t' | b':' | b'"' | b'\'');
    let blanks = bytes.get(end..)?.iter().take(4).take_while(blank).count();
    (blanks > 0).then_some(end + blanks)
}

/// Names whose values are secrets, by their ends, in small letters and without `-` and `_`.
const NAMES: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "secretkey",
    "secretaccesskey",
    "apikey",
    "accesskey",
    "accesstoken",
    "authtoken",
    "clientsecret",
    "refreshtoken",
    "token",
];

/// Most bytes of a name.
const NAME: usize = 48;

/// Most bytes of a value in quotes; of a longer one is taken what has no blank, comma or quote in it.
const QUOTED: usize = 1024;

/// Values that are assigned to names such as `password`, with `=` or `:`.
pub(super) fn assigned(text: &str) -> Vec<Found> {
    let (bytes, mut found, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        if !matches!(byte(bytes, at), b'=' | b':') || !is_secret(name_before(bytes, at)) {
            at += 1;
            continue;
        }
        let blank = |b: &&u8| matches!(b, b' ' | b'\t' | b'>' | b'=' | b'\\');
        let rest = bytes.get(at + 1..).unwrap_or_default();
        let mut start = at + 1 + rest.iter().take(8).take_while(blank).count();
        let quoted = matches!(byte(bytes, start), b'"' | b'\'' | b'`');
        start += usize::from(quoted);
        if let Some(end) = quoted.then(|| closing(bytes, start)).flatten()
            && looks_secret(bytes.get(start..end).unwrap_or_default(), true)
        {
            found.push((Kind::AssignedSecret, start..end));
            at = end;
            continue;
        }
        let part = |b: &&u8| {
            b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'`' | b'\\' | b',' | b';')
        };
        let value = bytes.get(start..).unwrap_or_default();
        let length = value.iter().take_while(part).count();
        let value = value.get(..length).unwrap_or_default();
        let ends_with_name = matches!(value.last(), Some(b'=' | b':'));
        at = start + length;
        if looks_secret(value, quoted) {
            found.push((Kind::AssignedSecret, start..start + length));
        } else if ends_with_name && length > 0 {
            // The value was a name, and what it is given comes next.
            at -= 1;
        }
    }
    found
}

/// Where a value in quotes that begins here ends: at the next quote of its kind that is escaped as often as the first.
fn closing(bytes: &[u8], start: usize) -> Option<usize> {
    let (head, rest) = (bytes.get(..start)?, bytes.get(start..)?);
    let (quote, head) = head.split_last()?;
    // One escape in JSON is one backslash; within JSON in JSON it is three.
    let outer = head.iter().rev().take(16).take_while(|b| **b == b'\\');
    let outer = outer.count();
    let mut escapes = 0;
    for (length, byte) in rest.iter().take(QUOTED).enumerate() {
        match byte {
            b'\\' => escapes += 1,
            b'\n' => return None,
            byte if byte == quote => {
                if escapes < outer || escapes % (2 * (outer + 1)) == outer {
                    return Some(start + length - escapes.min(outer));
                }
                escapes = 0;
            }
            _ => escapes = 0,
        }
    }
    None
}

/// Whether a text is a secret because it is what a field of this name holds.
pub(super) fn is_named_secret(name: &str, text: &str) -> bool {
    is_secret(name_before(name.as_bytes(), name.len())) && looks_secret(text.as_bytes(), true)
}

/// The name before a place, without quotes and blanks.
fn name_before(bytes: &[u8], at: usize) -> &[u8] {
    let head = bytes
        .get(at.saturating_sub(NAME + 4)..at)
        .unwrap_or_default();
    let kept = head
        .iter()
        .rposition(|b| !matches!(b, b'"' | b'\'' | b' ' | b'`' | b'\\'));
    let head = head
        .get(..kept.map_or(0, |last| last + 1))
        .unwrap_or_default();
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let start = head.iter().rposition(|b| !part(b)).map_or(0, |at| at + 1);
    head.get(start..).unwrap_or_default()
}

fn is_secret(name: &[u8]) -> bool {
    if name.is_empty() {
        return false;
    }
    let plain = name.iter().filter(|b| b.is_ascii_alphanumeric());
    let plain: Vec<u8> = plain.map(u8::to_ascii_lowercase).collect();
    NAMES.iter().any(|end| plain.ends_with(end.as_bytes()))
}

/// Whether a value is chance, and not a name, a call or a place for one.
fn looks_secret(value: &[u8], quoted: bool) -> bool {
    let count = |is: fn(&u8) -> bool| value.iter().filter(|b| is(b)).count();
    let digits = count(u8::is_ascii_digit);
    let [upper, lower] = [count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase)];
    let code = if quoted {
        let places: [&[u8]; 4] = [b"${", b"{{", b"<", b"$("];
        places.iter().any(|place| value.starts_with(place)) || redacted(value)
    } else {
        value.iter().any(|b| b"(){}[]<>$".contains(b))
    };
    if digits == 0 || upper + lower == 0 || code {
        return false;
    }
    let signs =
        value.len() - digits - upper - lower - count(|b| matches!(b, b'_' | b'.' | b'-' | b':'));
    let mixed = upper > 0 && lower > 0 || signs > 0 || (value.len() >= 20 && digits >= 4);
    value.len() >= if quoted { 6 } else { 8 } && (quoted || mixed)
}

/// Whether something in a value was redacted before.
fn redacted(value: &[u8]) -> bool {
    let mark = b"[REDACTED:";
    value.windows(mark.len()).any(|part| part == mark)
}

fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What of a text is found.
    fn check(find: fn(&str) -> Vec<Found>, text: &str, expected: &[&str]) {
        let found: Vec<&str> = find(text)
            .into_iter()
            .map(|(_, range)| &text[range])
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_token_is_known_by_its_beginning() {
        let key = format!("bw_abcdefgh_{}", "ab2c".repeat(12));
        check(tokens, &format!("use {key}, please"), &[&key]);
        check(
            tokens,
            "x=glpat-a1b2c3d4e5f6g7h8i9 y",
            &["glpat-a1b2c3d4e5f6g7h8i9"],
        );
        check(
            tokens,
            "the task sk-that-is-not-a-key-at-all-but-words",
            &[],
        );
        check(tokens, "hf_short1", &[]);
        check(tokens, "mynpm_a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4e5f6", &[]);
    }

    #[test]
    fn what_follows_bearer_is_a_token_and_words_are_none() {
        check(
            bearers,
            "Authorization: Bearer a8f5-f167.f44f",
            &["a8f5-f167.f44f"],
        );
        check(
            bearers,
            "authorization: Basic dXNlcjpwYXNzd29yZDE=",
            &["dXNlcjpwYXNzd29yZDE="],
        );
        check(
            bearers,
            "the bearer certificates of 1986 are basic things",
            &[],
        );
    }

    #[test]
    fn a_secret_is_known_by_the_name_it_is_assigned_to() {
        check(assigned, r#"{"db_password": "hunter2"}"#, &["hunter2"]);
        check(
            assigned,
            "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCY",
            &["wJalrXUtnFEMI/K7MDENG/bPxRfiCY"],
        );
        check(assigned, "api-key: 9aF2kQ81xZ", &["9aF2kQ81xZ"]);
        check(
            assigned,
            "let token = next_token2;\npassword: String, secret = load(7)",
            &[],
        );
        check(
            assigned,
            "api_key = os.environ[\"KEY1\"] # token: ${TOKEN2}",
            &[],
        );
        check(assigned, "a == b; time: 12:30; password=", &[]);
        check(assigned, "auth: token: 9aF2kQ81xZ", &["9aF2kQ81xZ"]);
    }

    #[test]
    fn a_secret_in_quotes_is_all_that_stands_between_them() {
        for secret in [
            "P@$$w0rd1",
            "Xy7,kQ9z-very",
            "correct horse 9 Battery",
            "Abcdef12;restOfSecret9",
            "it's (a) [9] <b> \u{e4}",
            r#"one\"2 two\\"#,
        ] {
            check(assigned, &format!("password: \"{secret}\", 1"), &[secret]);
        }
        check(assigned, "pwd='Ab \"9\" c', x='d'", &["Ab \"9\" c"]);
        let inner = r#""{\"password\": \"a, \\\"b\\\" 9c\", \"n\": \"d\"}""#;
        check(assigned, inner, &[r#"a, \\\"b\\\" 9c"#]);
        check(assigned, "password='hunter2X and no end", &["hunter2X"]);
        for place in [
            "${TOKEN_2}",
            "{{ token2 }}",
            "<your token 1>",
            "$(get tok1)",
        ] {
            check(assigned, &format!("token = \"{place}\""), &[]);
        }
    }

    #[test]
    fn a_web_token_is_three_parts_behind_no_letter() {
        check(
            jwts,
            "see 7eyJa.b-_.c9, eyJa.eyJb.c.d",
            &["eyJa.b-_.c9", "eyJa.eyJb.c"],
        );
        check(jwts, "eyJa.eyJb..c eyJ.eyJa.b.", &["eyJ.eyJa.b"]);
        check(jwts, "eyJa..eyJb.c.d", &["eyJb.c.d"]);
        check(jwts, "keyJa.b.c eyJa.b eyJa eyJ", &[]);
    }
}
