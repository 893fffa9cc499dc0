//! Finds what is to be redacted in one text, and writes the text without it.
//!
//! Invariants: what is written is UTF-8; what was redacted once is not found again; a text in which nothing is found is
//! not copied; time grows with the text's length.
//!
//! Not here: messages and JSON (`conversation`, `json`).

use super::kind::{Kind, Kinds};
use super::{pem, personal, token};
use leakguard::{Detector, Kind as Theirs, Match, Redactor as Finder, detectors};
use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

/// Looks for some kinds.
pub struct Redactor {
    kinds: Kinds,
    finder: Finder,
}

/// A text that had something to redact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// What was found.
    pub kinds: Kinds,
    /// The text with a mark in place of each.
    pub text: String,
}

/// Looks for everything.
static WHOLE: LazyLock<Redactor> = LazyLock::new(|| Redactor::new(Kinds::ALL));

impl Redactor {
    /// Looks for these kinds.
    pub fn new(kinds: Kinds) -> Self {
        let mut finder = Finder::empty();
        for (names, find) in FIRST {
            if names.iter().any(|kind| kinds.has(*kind)) {
                finder = finder.with_detector(Own { kinds, find });
            }
        }
        for taken in TAKEN {
            let detector = taken();
            if ours(&detector.kind()).is_some_and(|kind| kinds.has(kind)) {
                finder = finder.with_detector(detector);
            }
        }
        for (names, find) in OURS {
            if names.iter().any(|kind| kinds.has(*kind)) {
                finder = finder.with_detector(Own { kinds, find });
            }
        }
        if kinds.has(Kind::IpAddress) {
            finder = finder
                .with_detector(Sifted(Ended(detectors::IpV4), personal::is_address))
                .with_detector(Sifted(detectors::IpV6, personal::is_address));
        }
        if kinds.has(Kind::Phone) {
            finder = finder.with_detector(Sifted(detectors::PhoneNumber, personal::is_phone));
        }
        Self { kinds, finder }
    }

    /// The one that looks for every kind: what is kept of teams that record redacted text goes through it.
    pub fn whole() -> &'static Self {
        &WHOLE
    }

    /// What it looks for.
    pub fn kinds(&self) -> Kinds {
        self.kinds
    }

    /// What stands in a text, in its order, none over another.
    pub(super) fn find(&self, text: &str) -> Vec<(Kind, Range<usize>)> {
        let found = self.finder.find(text).into_iter();
        let found = found.filter_map(|one| Some((ours(&one.kind)?, one.start..one.end)));
        if self.kinds.has(Kind::AssignedSecret) {
            united(found.chain(token::assigned(text)).collect())
        } else {
            found.collect()
        }
    }

    /// The text without what stands in it. `None`: nothing does.
    pub fn text(&self, text: &str) -> Option<Redacted> {
        redacted(text, &self.find(text))
    }
}

/// What stands in a text where some is over another: what covers the other stays, and a secret of which something else is
/// a part is one secret, so that the rest of it does not leave.
fn united(mut found: Vec<(Kind, Range<usize>)>) -> Vec<(Kind, Range<usize>)> {
    found.sort_by_key(|(_, range)| (range.start, std::cmp::Reverse(range.end)));
    let mut apart: Vec<(Kind, Range<usize>)> = Vec::with_capacity(found.len());
    for (kind, range) in found {
        match apart.last_mut() {
            Some((was, last)) if range.start < last.end => {
                if range.end > last.end {
                    (*was, last.end) = (Kind::AssignedSecret, range.end);
                }
            }
            _ => apart.push((kind, range)),
        }
    }
    apart
}

/// The text with marks in place of what was found, in its order.
pub(super) fn redacted(text: &str, found: &[(Kind, Range<usize>)]) -> Option<Redacted> {
    if found.is_empty() {
        return None;
    }
    let (mut out, mut kinds, mut from) = (String::with_capacity(text.len()), Kinds::NONE, 0);
    for (kind, range) in found {
        // The bounds are on characters: a detector that breaks this would lose the text, not show it.
        out.push_str(text.get(from..range.start).unwrap_or_default());
        out.push_str(&kind.mark());
        kinds = kinds.with(*kind);
        from = range.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    Some(Redacted { kinds, text: out })
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Redactor").field(&self.kinds).finish()
    }
}

/// The crate's detectors that are taken as they come. Of two finds of which one is over another, the first one's stays.
const TAKEN: [fn() -> Box<dyn Detector>; 12] = [
    || Box::new(detectors::AzureConnectionString),
    || Box::new(detectors::TelegramToken),
    || Box::new(detectors::DiscordToken),
    || Box::new(detectors::GitHubToken),
    || Box::new(detectors::SlackToken),
    || Box::new(detectors::StripeKey),
    || Box::new(detectors::OpenAiKey),
    || Box::new(detectors::GoogleApiKey),
    || Box::new(detectors::AwsAccessKey),
    || Box::new(Unended(detectors::UrlCredentials)),
    || Box::new(detectors::MacAddress),
    || Box::new(detectors::UsSsn),
];

/// What one of the crate's kinds is called here.
fn ours(theirs: &Theirs) -> Option<Kind> {
    Some(match theirs {
        Theirs::PhoneNumber => Kind::Phone,
        Theirs::UsSsn => Kind::UsSsn,
        Theirs::IpV4 | Theirs::IpV6 => Kind::IpAddress,
        Theirs::MacAddress => Kind::MacAddress,
        Theirs::OpenAiKey => Kind::ModelKey,
        Theirs::AwsAccessKey => Kind::AwsKey,
        Theirs::GoogleApiKey => Kind::GoogleKey,
        Theirs::AzureConnectionString => Kind::AzureKey,
        Theirs::GitHubToken => Kind::GithubToken,
        Theirs::StripeKey => Kind::StripeKey,
        Theirs::SlackToken | Theirs::TelegramToken | Theirs::DiscordToken => Kind::ChatToken,
        Theirs::UrlCredentials => Kind::UrlCredentials,
        Theirs::Custom(word) => return Kind::named(word),
        _ => return None,
    })
}

/// A detector of ours.
type Find = fn(&str) -> Vec<token::Found>;

/// Ours that come before the crate's, with the kinds that each finds.
const FIRST: [(&[Kind], Find); 2] = [
    (&[Kind::PrivateKey], pem::private_keys),
    (&[Kind::Jwt], token::jwts),
];

/// Ours that come after the crate's.
const OURS: [(&[Kind], Find); 6] = [
    (&[Kind::Email], personal::emails),
    (
        &[
            Kind::PrivateKey,
            Kind::BellwetherKey,
            Kind::ModelKey,
            Kind::GoogleKey,
            Kind::StripeKey,
            Kind::ServiceToken,
        ],
        token::tokens,
    ),
    (&[Kind::Iban], personal::ibans),
    (&[Kind::Phone], personal::phones),
    (&[Kind::BearerToken], token::bearers),
    (&[Kind::CreditCard], personal::cards),
];

/// One of ours, as the crate wants it.
struct Own {
    kinds: Kinds,
    find: Find,
}

impl Detector for Own {
    fn kind(&self) -> Theirs {
        Theirs::Custom(Kind::AssignedSecret.as_str())
    }

    fn detect(&self, text: &str, out: &mut Vec<Match>) {
        for (kind, range) in (self.find)(text) {
            if self.kinds.has(kind) {
                let theirs = Theirs::Custom(kind.as_str());
                out.push(Match::new(theirs, range.start, range.end));
            }
        }
    }
}

/// One of the crate's that takes what ends a sentence for a part of what it looks for: it is shown the text with blanks in
/// place of the dots that do not stand between letters or digits.
struct Ended<D>(D);

impl<D: Detector> Detector for Ended<D> {
    fn kind(&self) -> Theirs {
        self.0.kind()
    }

    fn detect(&self, text: &str, out: &mut Vec<Match>) {
        let bytes = text.as_bytes();
        let joins = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
        let shown = bytes.iter().enumerate().map(|(at, byte)| match byte {
            b'.' if at == 0 || !joins(at - 1) || !joins(at + 1) => b' ',
            byte => *byte,
        });
        let shown: Vec<u8> = shown.collect();
        self.0.detect(&String::from_utf8_lossy(&shown), out);
    }
}

/// One of the crate's that breaks on a text that ends with `://`: it is shown such a text without its last letter.
struct Unended<D>(D);

impl<D: Detector> Detector for Unended<D> {
    fn kind(&self) -> Theirs {
        self.0.kind()
    }

    fn detect(&self, text: &str, out: &mut Vec<Match>) {
        let last = usize::from(text.ends_with("://"));
        let shown = text.get(..text.len() - last).unwrap_or(text);
        self.0.detect(shown, out);
    }
}

/// One of the crate's, and which of its findings are taken.
struct Sifted<D>(D, fn(&str, &Match) -> bool);

impl<D: Detector> Detector for Sifted<D> {
    fn kind(&self) -> Theirs {
        self.0.kind()
    }

    fn detect(&self, text: &str, out: &mut Vec<Match>) {
        let before = out.len();
        self.0.detect(text, out);
        let Self(_, taken) = self;
        let found = out.split_off(before).into_iter();
        out.extend(found.filter(|one| taken(text, one)));
    }
}

#[cfg(test)]
mod tests;
