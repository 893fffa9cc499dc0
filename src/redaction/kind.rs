//! The kinds of what is looked for, and sets of them.
//!
//! Invariants: the words are the configuration's, the contract's and the metrics'; the mark of a kind is found as no
//! kind at all, so that what was redacted once stays as it is.
//!
//! Not here: how each is recognised (`redactor`, `token`).

use std::fmt;

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// An address of electronic mail.
    Email,
    /// A telephone number with a `+`, or in groups.
    Phone,
    /// 13 to 19 digits with Luhn's check digit.
    CreditCard,
    /// An account number with its check digits (ISO 7064, modulo 97).
    Iban,
    /// A social security number of the United States, with its hyphens.
    UsSsn,
    /// An address of the internet protocol, version 4 or 6.
    IpAddress,
    /// A hardware address.
    MacAddress,
    /// A private key in PEM.
    PrivateKey,
    /// A JSON web token.
    Jwt,
    /// What follows `Bearer`, or `Authorization: Basic`.
    BearerToken,
    /// A key of this server.
    BellwetherKey,
    /// A key of a provider of models.
    ModelKey,
    /// An access key of Amazon's.
    AwsKey,
    /// A key or token of Google's.
    GoogleKey,
    /// A connection string of Azure's storage.
    AzureKey,
    /// A token of GitHub's.
    GithubToken,
    /// A key of Stripe's.
    StripeKey,
    /// A token of a chat service: Slack, Telegram, Discord.
    ChatToken,
    /// A token of another service: GitLab, npm, PyPI, SendGrid, Vault and the like.
    ServiceToken,
    /// User and password in a URL.
    UrlCredentials,
    /// What is assigned to a name such as `password` or `api_key`.
    AssignedSecret,
}

impl Kind {
    /// All of them, those of persons first.
    pub const ALL: [Self; 21] = [
        Self::Email,
        Self::Phone,
        Self::CreditCard,
        Self::Iban,
        Self::UsSsn,
        Self::IpAddress,
        Self::MacAddress,
        Self::PrivateKey,
        Self::Jwt,
        Self::BearerToken,
        Self::BellwetherKey,
        Self::ModelKey,
        Self::AwsKey,
        Self::GoogleKey,
        Self::AzureKey,
        Self::GithubToken,
        Self::StripeKey,
        Self::ChatToken,
        Self::ServiceToken,
        Self::UrlCredentials,
        Self::AssignedSecret,
    ];

    /// The words, in the order of [`Kind::ALL`].
    pub const WORDS: [&'static str; 21] = [
        "email",
        "phone",
        "credit_card",
        "iban",
        "us_ssn",
        "ip_address",
        "mac_address",
        "private_key",
        "jwt",
        "bearer_token",
        "bellwether_key",
        "model_key",
        "aws_key",
        "google_key",
        "azure_key",
        "github_token",
        "stripe_key",
        "chat_token",
        "service_token",
        "url_credentials",
        "assigned_secret",
    ];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// The kind of a word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// What stands in its place.
    pub fn mark(self) -> String {
        format!("[REDACTED:{}]", self.as_str().to_ascii_uppercase())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of kinds.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds(u32);

impl Kinds {
    /// None.
    pub const NONE: Self = Self(0);
    /// Every kind.
    pub const ALL: Self = Self((1 << Kind::ALL.len()) - 1);
    /// What tells of a person: the kinds up to hardware addresses.
    pub const PERSONAL: Self = Self((1 << Kind::PrivateKey as u32) - 1);
    /// What opens something.
    pub const SECRETS: Self = Self(Self::ALL.0 & !Self::PERSONAL.0);

    /// With this one too.
    #[must_use]
    pub const fn with(self, kind: Kind) -> Self {
        Self(self.0 | 1 << kind as u32)
    }

    /// Those of both.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether it has this one.
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u32 != 0
    }

    /// Whether it has none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order of [`Kind::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.has(*kind))
    }
}

/// The words, with commas between.
impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, kind) in self.iter().enumerate() {
            let before = if place == 0 { "" } else { "," };
            write!(f, "{before}{kind}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_word_of_its_own_and_is_found_by_it() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::named("name"), None);
    }

    #[test]
    fn persons_and_secrets_are_all_kinds_and_no_kind_is_both() {
        assert_eq!(Kinds::PERSONAL.and(Kinds::SECRETS), Kinds::ALL);
        assert_eq!(Kinds::ALL.iter().count(), Kind::ALL.len());
        assert!(Kinds::PERSONAL.has(Kind::MacAddress) && !Kinds::PERSONAL.has(Kind::PrivateKey));
        let both = Kinds::NONE.with(Kind::Jwt).with(Kind::Email);
        assert_eq!(both.to_string(), "email,jwt");
    }
}
