//! Private keys in PEM, whole or cut off.
//!
//! A key with its last line is found to the end of that; one without, to the last line that can be of it. Lines end at
//! line feeds, and at those that are written as `\n`.
//!
//! Invariants: time grows with the text's length, since a key is looked for only to the next `-----`; all bounds of what
//! is found are between ASCII bytes.
//!
//! Not here: keys without such lines (`token`).

use super::kind::Kind;
use super::token::Found;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// Most bytes of what stands after `BEGIN` or `END`.
const LABEL: usize = 64;

/// Fewest letters of a piece of a key that has something else behind it in its line.
const PIECE: usize = 16;

/// Private keys.
pub(super) fn private_keys(text: &str) -> Vec<Found> {
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some(skipped) = text.get(from..).and_then(|rest| rest.find(BEGIN)) {
        let start = from + skipped;
        from = start + BEGIN.len();
        let Some(body) = labelled(text, from, Some("PRIVATE KEY")) else {
            continue;
        };
        if let Some(end) = closed(text, body).or_else(|| cut_off(text.as_bytes(), body)) {
            found.push((Kind::PrivateKey, start..end));
            from = end;
        }
    }
    found
}

/// Where the dashes after a label end.
fn labelled(text: &str, at: usize, says: Option<&str>) -> Option<usize> {
    let window = text.as_bytes().get(at..)?;
    let window = window.get(..LABEL + DASHES.len()).unwrap_or(window);
    let dashes = |part: &[u8]| part == DASHES.as_bytes();
    let length = window.windows(DASHES.len()).position(dashes)?;
    let label = text.get(at..at + length)?;
    says.is_none_or(|word| label.contains(word))
        .then_some(at + length + DASHES.len())
}

/// Where a key ends whose last line is there.
fn closed(text: &str, body: usize) -> Option<usize> {
    let end = body + text.get(body..)?.find(DASHES)?;
    text.get(end..)?.starts_with(END).then_some(())?;
    labelled(text, end + END.len(), None)
}

/// Where the last line ends that can be of a key without its last line. `None`: there is none.
fn cut_off(bytes: &[u8], body: usize) -> Option<usize> {
    let (mut end, mut at) = (None, body);
    while at < bytes.len() {
        let (length, broken) = line(bytes.get(at..)?);
        let said = bytes.get(at..at + length)?;
        let (kept, whole) = of_key(said);
        if kept > 0 {
            end = Some(at + kept);
        }
        // Before the key may stand lines such as `Proc-Type: 4,ENCRYPTED`.
        let named = end.is_none() && said.windows(2).any(|two| two == b": ");
        if !whole && !named {
            break;
        }
        at += length + broken;
    }
    end
}

/// The length of a line and of its end.
fn line(bytes: &[u8]) -> (usize, usize) {
    for (at, byte) in bytes.iter().enumerate() {
        match (byte, bytes.get(at + 1)) {
            (b'\n' | b'\r', _) => return (at, 1),
            (b'\\', Some(b'n' | b'r')) => return (at, 2),
            // What follows is no part of a key: how long it is does not matter.
            (b'-', Some(b'-')) => return (at + 1, 0),
            _ => {}
        }
    }
    (bytes.len(), 0)
}

/// To where a line can be of a key, and whether all of it is.
fn of_key(line: &[u8]) -> (usize, bool) {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let (mut kept, mut at, mut pieces) = (0, 0, 0);
    loop {
        let rest = line.get(at..).unwrap_or_default();
        let start = at + rest.iter().take_while(|b| blank(b)).count();
        let rest = line.get(start..).unwrap_or_default();
        let length = rest.iter().take_while(|b| part(b)).count();
        let end = start + length;
        let last = line.iter().skip(end).all(blank);
        let alone = last && pieces == 0;
        if length >= PIECE || (length > 0 && alone) {
            (kept, at, pieces) = (end, end, pieces + 1);
            if !last {
                continue;
            }
        }
        return (kept, last && (length == 0 || kept == end));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found = private_keys(text).into_iter();
        let found: Vec<&str> = found.map(|(_, range)| &text[range]).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_key_without_its_last_line_is_found_to_its_last_letters() {
        let head = "-----BEGIN RSA PRIVATE KEY-----";
        let key = format!("{head}\nMIIEpAIBAAKCAQEA75\nab/+\nQ0==");
        check(&format!("{key}\nthat is all, Bob"), &[&key]);
        check(&key, &[&key]);
        let named = format!("{head}\nProc-Type: 4,ENCRYPTED\n\nMIIEpAIBAAKCAQEA75");
        check(&format!("see {named}\"}}"), &[&named]);
        let escaped = format!("{head}\\nMIIEpAIBAAKCAQEA75\\nab12");
        check(&format!("\"{escaped}\\n\", 7"), &[&escaped]);
        let in_line = format!("{head} MIIEpAIBAAKCAQEA75");
        check(&format!("{in_line} and so on"), &[&in_line]);
    }

    #[test]
    fn a_key_ends_at_its_last_line_and_no_other() {
        let key = "-----BEGIN PRIVATE KEY-----\nMIIE, 1\n-----END PRIVATE KEY-----";
        check(&format!("{key} {key}."), &[key, key]);
        let cut = "-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA75";
        check(&format!("{cut}\n{key}"), &[cut, key]);
    }

    #[test]
    fn words_about_keys_and_what_is_public_stay() {
        check("it begins with -----BEGIN PRIVATE KEY-----, as all do", &[]);
        check(
            "-----BEGIN PUBLIC KEY-----\nMIIEpAIBAAKCAQEA75\n-----END PUBLIC KEY-----",
            &[],
        );
    }
}
