//! Numbers of persons, where the kept crate finds too little or too much.
//!
//! It finds no telephone number with a group of more than five digits, no account number in groups, no address at the end
//! of a sentence and no card with its date behind it; it takes `::` of code for an address, years for telephone numbers,
//! and any digits with Luhn's check for a card.
//!
//! Invariants: one pass; bounded work at each place.
//!
//! Not here: secrets (`token`).

use super::kind::Kind;
use super::token::Found;
use leakguard::Match;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Digits of a telephone number with its country.
const PHONE: std::ops::RangeInclusive<usize> = 8..=15;

/// Letters of an account number.
const IBAN: std::ops::RangeInclusive<usize> = 15..=34;

/// Digits of a card.
const CARD: std::ops::RangeInclusive<usize> = 13..=19;

/// Addresses of electronic mail. What ends the sentence is not of the address.
pub(super) fn emails(text: &str) -> Vec<Found> {
    let (bytes, mut found, mut from) = (text.as_bytes(), Vec::new(), 0);
    let local = |b: &u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'%' | b'+' | b'-') || *b >= 0x80
    };
    while let Some(skipped) = text.get(from..).and_then(|rest| rest.find('@')) {
        let at = from + skipped;
        let head = bytes.get(from..at).unwrap_or_default();
        let length = head.iter().rev().take_while(|b| local(b)).count();
        let name = head.get(head.len() - length..).unwrap_or_default();
        let dots = name.iter().take_while(|b| **b == b'.').count();
        let end = domain(bytes, at + 1).filter(|_| !matches!(name.last(), None | Some(b'.')));
        from = match end {
            Some(end) => {
                found.push((Kind::Email, at - length + dots..end));
                end
            }
            None => at + 1,
        };
    }
    found
}

/// Where the domain that begins here ends: at least two labels, the last of letters.
fn domain(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let part = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    let domain = rest.get(..rest.iter().take_while(part).count())?;
    let last = domain.iter().rposition(u8::is_ascii_alphanumeric)?;
    let domain = domain.get(..=last)?;
    let dot = domain.iter().rposition(|b| *b == b'.')?;
    let top = domain.get(dot + 1..)?;
    let whole = dot > 0 && top.len() >= 2 && top.iter().all(u8::is_ascii_alphabetic);
    whole.then_some(at + domain.len())
}

/// Numbers of cards, in groups or not, whatever other group stands behind them.
pub(super) fn cards(text: &str) -> Vec<Found> {
    let (bytes, mut found, mut at) = (text.as_bytes(), Vec::new(), 0);
    // Where the group before ends, and its width: one of the same width goes on with a longer number.
    let mut before = (0, 0);
    while at < bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        let width = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if width == 0 {
            at += 1;
            continue;
        }
        let joined = at == before.0 + 1 && matches!(bytes.get(before.0), Some(b' ' | b'-'));
        let end = if joined && before.1 == width {
            None
        } else {
            card(bytes, at)
        };
        at = match end {
            Some(end) => {
                found.push((Kind::CreditCard, at..end));
                before = (end, 0);
                end
            }
            None => {
                before = (at + width, width);
                at + width
            }
        };
    }
    found
}

/// Where the longest number of a card that begins here ends.
fn card(bytes: &[u8], at: usize) -> Option<usize> {
    let mut digits: Vec<u8> = Vec::with_capacity(*CARD.end());
    let (mut longest, mut apart) = (None, false);
    for (place, byte) in bytes.iter().enumerate().skip(at) {
        match byte {
            b'0'..=b'9' if digits.len() < *CARD.end() => {
                apart = false;
                digits.push(*byte);
            }
            b' ' | b'-' if !apart => apart = true,
            _ => break,
        }
        let ends = !apart && !bytes.get(place + 1).is_some_and(u8::is_ascii_digit);
        if ends && CARD.contains(&digits.len()) && luhn(&digits) && is_card(&digits) {
            longest = Some(place + 1);
        }
    }
    longest
}

/// Luhn's check: each second digit from the last but one counts twice.
fn luhn(digits: &[u8]) -> bool {
    let value = |(place, byte): (usize, &u8)| {
        let digit = u32::from(byte - b'0') << (place % 2);
        digit / 10 + digit % 10
    };
    let sum: u32 = digits.iter().rev().enumerate().map(value).sum();
    sum.is_multiple_of(10)
}

/// Telephone numbers that begin with `+`.
pub(super) fn phones(text: &str) -> Vec<Found> {
    let (bytes, mut found, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let begins = bytes.get(at) == Some(&b'+') && (at == 0 || !alphanumeric(bytes, at - 1));
        let end = begins.then(|| phone(bytes, at)).flatten();
        at = match end {
            Some(end) => {
                found.push((Kind::Phone, at..end));
                end
            }
            None => at + 1,
        };
    }
    found
}

/// Where the number that begins with the `+` here ends.
fn phone(bytes: &[u8], at: usize) -> Option<usize> {
    let (mut digits, mut end, mut apart) = (0, at + 1, 0);
    // Twice as many separators as digits are none.
    for (place, byte) in bytes.iter().enumerate().skip(at + 1).take(3 * PHONE.end()) {
        match byte {
            b'0'..=b'9' => {
                (digits, end, apart) = (digits + 1, place + 1, 0);
            }
            b' ' | b'-' | b'.' | b'(' | b')' | b'/' if digits > 0 && apart < 2 => apart += 1,
            _ => break,
        }
    }
    let whole = !alphanumeric(bytes, end);
    (PHONE.contains(&digits) && whole && bytes.get(at + 1) != Some(&b'0')).then_some(end)
}

/// Account numbers, in groups or not.
pub(super) fn ibans(text: &str) -> Vec<Found> {
    let (bytes, mut found, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let country = bytes.get(at..at + 4).is_some_and(|head| {
            let (letters, digits) = head.split_at(2);
            letters.iter().all(u8::is_ascii_uppercase) && digits.iter().all(u8::is_ascii_digit)
        });
        let begins = country && (at == 0 || !alphanumeric(bytes, at - 1));
        let end = begins.then(|| iban(bytes, at)).flatten();
        at = match end {
            Some(end) => {
                found.push((Kind::Iban, at..end));
                end
            }
            None => at + 1,
        };
    }
    found
}

/// Where the longest account number that begins here ends.
fn iban(bytes: &[u8], at: usize) -> Option<usize> {
    let mut letters: Vec<u8> = Vec::with_capacity(*IBAN.end());
    let (mut longest, mut blank) = (None, false);
    for (place, byte) in bytes.iter().enumerate().skip(at) {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' => {
                blank = false;
                letters.push(*byte);
            }
            b' ' if !blank => blank = true,
            _ => break,
        }
        if letters.len() > *IBAN.end() {
            break;
        }
        let ends = !blank && IBAN.contains(&letters.len()) && !alphanumeric(bytes, place + 1);
        if ends && checks(&letters) {
            longest = Some(place + 1);
        }
    }
    longest
}

/// The check of ISO 7064 (modulo 97), the first four letters at the end.
fn checks(letters: &[u8]) -> bool {
    let (head, rest) = letters.split_at(4.min(letters.len()));
    let value = |sum: u32, byte: &u8| match byte {
        b'0'..=b'9' => (sum * 10 + u32::from(byte - b'0')) % 97,
        _ => (sum * 100 + u32::from(byte - b'A') + 10) % 97,
    };
    rest.iter().chain(head).fold(0, value) == 1
}

/// Whether what the crate takes for an address is one of somebody.
pub(super) fn is_address(text: &str, found: &Match) -> bool {
    let (bytes, said) = (text.as_bytes(), found.text(text));
    if let Ok(four) = said.parse::<Ipv4Addr>() {
        return !four.is_loopback() && !four.is_unspecified() && !four.is_broadcast();
    }
    let alone = |at: usize| !alphanumeric(bytes, at) && !matches!(bytes.get(at), Some(b':' | b'_'));
    let before = found.start.checked_sub(1).is_none_or(alone);
    let groups = said.split(':').filter(|group| !group.is_empty()).count();
    let digits = said.bytes().any(|b| b.is_ascii_digit());
    before && alone(found.end) && groups >= 3 && digits && said.parse::<Ipv6Addr>().is_ok()
}

/// Whether what the crate takes for a telephone number is not a pair of years.
pub(super) fn is_phone(text: &str, found: &Match) -> bool {
    let said = found.text(text);
    let year = |word: &str| word.len() == 4 && (word.starts_with("19") || word.starts_with("20"));
    !said.split(['-', ' ', '.']).all(year)
}

/// Whether somebody issues cards that begin so.
fn is_card(digits: &[u8]) -> bool {
    match digits {
        [b'4', ..] => matches!(digits.len(), 13 | 16 | 19),
        [b'3', b'4' | b'7', ..] => digits.len() == 15,
        [b'3', ..] => matches!(digits.len(), 14 | 16),
        [b'5' | b'6', ..] => digits.len() >= 13,
        [b'2', b'2'..=b'7', ..] => digits.len() == 16,
        _ => false,
    }
}

fn alphanumeric(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(u8::is_ascii_alphanumeric)
}
