//! What is found, what is not, and that no text takes long or breaks.

use super::*;
use proptest::prelude::*;

fn check(text: &str, expected: &str) {
    let found = Redactor::whole().text(text);
    let found = found.map_or_else(|| text.to_owned(), |found| found.text);
    assert_eq!(found, expected);
}

/// That `secret` is found in a sentence, alone, after a name and in JSON, as one of this kind.
fn planted(kind: Kind, secret: &str) {
    let redactor = Redactor::new(Kinds::NONE.with(kind));
    for text in [
        format!("take {secret} of mine"),
        secret.to_owned(),
        format!("(\"{secret}\")"),
        format!("ä {secret}\nnext line"),
        format!("{secret}. Next"),
        format!("It is {secret}."),
    ] {
        let found = redactor.text(&text);
        let found = found.unwrap_or_else(|| panic!("{kind}: {text}"));
        assert!(!found.text.contains(secret), "{}", found.text);
        assert_eq!(found.kinds, Kinds::NONE.with(kind));
        assert_eq!(redactor.text(&found.text), None, "{}", found.text);
        assert_eq!(Redactor::whole().text(&found.text), None, "{}", found.text);
    }
}

#[test]
fn what_tells_of_a_person_is_found() {
    planted(Kind::Email, "alice.smith+x@example.co.uk");
    for phone in [
        "+1 (415) 555-0132",
        "+49 30 901820",
        "415-555-0132",
        "+442071838750",
    ] {
        planted(Kind::Phone, phone);
    }
    for card in [
        "4111 1111 1111 1111",
        "378282246310005",
        "5500005555555559",
        "2223003122003222",
    ] {
        planted(Kind::CreditCard, card);
    }
    let cards = Redactor::new(Kinds::NONE.with(Kind::CreditCard));
    for (text, expected) in [
        ("4111 1111 1111 1111 12/27", "[REDACTED:CREDIT_CARD] 12/27"),
        ("5500-0055-5555-5559 123", "[REDACTED:CREDIT_CARD] 123"),
        (
            "4111 1111 1111 1111 4242 4242 4242 4242",
            "[REDACTED:CREDIT_CARD] [REDACTED:CREDIT_CARD]",
        ),
    ] {
        assert_eq!(cards.text(text).unwrap().text, expected);
    }
    for iban in ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432"] {
        planted(Kind::Iban, iban);
    }
    planted(Kind::UsSsn, "536-22-1234");
    for address in ["203.0.113.42", "2001:db8:85a3::8a2e:370:7334"] {
        planted(Kind::IpAddress, address);
    }
    planted(Kind::MacAddress, "00:1A:2B:3C:4D:5E");
}

#[test]
fn what_opens_something_is_found() {
    planted(
        Kind::PrivateKey,
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA75\n-----END RSA PRIVATE KEY-----",
    );
    planted(
        Kind::Jwt,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    );
    planted(
        Kind::BellwetherKey,
        &format!("bw_abcdefgh_{}", "ab2c".repeat(12)),
    );
    for key in [
        "sk-proj-abcdEFGH1234ijklMNOP5678qrstUVWX",
        "sk-ant-api03-abcdEFGH1234ijklMNOP5678qrstUVWXabcdEFGH1234-abcdefAA",
        "hf_abcdefGHIJklmnopQRSTuvwx1234567890",
        "gsk_abcdefGHIJklmnopQRSTuvwx1234567890",
    ] {
        planted(Kind::ModelKey, key);
    }
    planted(Kind::AwsKey, "AKIAIOSFODNN7EXAMPLQ");
    planted(Kind::GoogleKey, "AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY");
    planted(
        Kind::GithubToken,
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    );
    planted(Kind::ServiceToken, "glpat-a1b2c3d4e5f6g7h8i9j0");
    // In pieces, so that who looks for secrets in code finds none here.
    planted(
        Kind::StripeKey,
        &["sk", "live", "4eC39HqLyjWDarjtT1zdp7dc"].join("_"),
    );
    let slack = [
        "xoxb",
        "123456789012",
        "1234567890123",
        "AbCdEfGhIjKlMnOpQrStUvWx",
    ];
    planted(Kind::ChatToken, &slack.join("-"));
}

#[test]
fn what_stands_beside_a_name_or_a_word_is_found_and_they_stay() {
    check(
        "postgres://bob:s3cr3tPw@db.example.com/x",
        "postgres://[REDACTED:URL_CREDENTIALS]@db.example.com/x",
    );
    check(
        "Authorization: Bearer a8f5f167f44f4964",
        "Authorization: Bearer [REDACTED:BEARER_TOKEN]",
    );
    check(
        r#"{"password": "hunter2!x"}"#,
        r#"{"password": "[REDACTED:ASSIGNED_SECRET]"}"#,
    );
    check(
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzKEY",
        "aws_secret_access_key = [REDACTED:ASSIGNED_SECRET]",
    );
}

#[test]
fn what_ends_a_sentence_hides_no_address() {
    check("..ask bob@example.com...", "..ask [REDACTED:EMAIL]...");
    check("_bob@example.com._", "[REDACTED:EMAIL]._");
    check("bob@example.com.東京", "[REDACTED:EMAIL].東京");
    check("...bob@example.com-", "...[REDACTED:EMAIL]-");
    check(
        "203.0.113.42.\n...203.0.113.7",
        "[REDACTED:IP_ADDRESS].\n...[REDACTED:IP_ADDRESS]",
    );
}

#[test]
fn a_secret_with_something_else_in_it_is_one_secret() {
    check(
        r#"password="hunter2 bob@example.com", to bob@example.com"#,
        r#"password="[REDACTED:ASSIGNED_SECRET]", to [REDACTED:EMAIL]"#,
    );
    check(
        r#"api_key="hf_abcdefGHIJklmnopQRSTuvwx1234567890""#,
        r#"api_key="[REDACTED:MODEL_KEY]""#,
    );
}

#[test]
fn a_text_that_ends_within_an_address_of_the_web_is_redacted_as_any() {
    check("see https://", "see https://");
    check(
        "a://b:c1@d ://://",
        "a://[REDACTED:URL_CREDENTIALS]@d ://://",
    );
}

/// Work that grows with the square of the length takes minutes here.
#[test]
fn a_hostile_text_ends() {
    for part in [
        "1eyJ",
        "eyJ.",
        "a@",
        "a@b.",
        "1.",
        "4111 ",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\na\n",
        "bearer ",
        "password=",
        "password=\\\"",
        "(1",
        "a:",
        "AB12",
        "ghp_",
        "://",
        "AccountKey=",
    ] {
        let text = part.repeat((1 << 18) / part.len());
        let _ = Redactor::whole().find(&text);
    }
}

#[test]
fn code_and_prose_stay_as_they_are() {
    for text in [
        "let x = 1.2.3; at 2024-01-15 12:30:45, of 127.0.0.1:8080 and ::1",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8 by rustc 1.95.0",
        "fn token(&self) -> Option<String> { self.token.clone() } let password = read_password();",
        "api_key = os.environ['OPENAI_API_KEY']",
        "order 20260606120000 and id 550e8400-e29b-41d4-a716-446655440000",
        "The population was 1 048 576 in 1999-2003, section 3.14.15; pages 123-145",
        "see std::collections::HashMap and a::b::c; use @decorator; pip install foo==1.2.3",
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "const N: u64 = 1234567890123456; 0x1F; e::acce::ba; 3 + 4 = 7",
        "Paris, Texas 75460 lies 12 km away; the ISBN is 978-3-16-148410-0",
        "Zürich, 東京 und 🦀: nichts zu finden",
    ] {
        check(text, text);
    }
}

#[test]
fn only_what_is_looked_for_is_found() {
    let mails = Redactor::new(Kinds::NONE.with(Kind::Email));
    let found = mails
        .text("alice@example.com, 4111 1111 1111 1111")
        .expect("found");
    assert_eq!(found.text, "[REDACTED:EMAIL], 4111 1111 1111 1111");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_keeps_what_is_not_found_and_any_json_stays_json(
        parts in prop::collection::vec(
            prop_oneof![
                any::<String>(),
                "[a-z0-9@.:+ =_-]{0,40}",
                Just("alice@example.com".to_owned()),
                Just("password=".to_owned()),
                Just("\"\\u0040".to_owned()),
                Just("-----BEGIN PRIVATE KEY-----".to_owned()),
            ],
            0..8,
        ),
    ) {
        let text = parts.concat();
        let whole = Redactor::whole();
        let found = whole.find(&text);
        let mut end = 0;
        for (_, range) in &found {
            prop_assert!(range.start >= end && text.get(range.clone()).is_some());
            end = range.end;
        }
        let json = serde_json::to_string(&serde_json::json!({ "a": parts, (text.as_str()): 1 })).unwrap();
        if let Some(found) = whole.json(&json) {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&found.text).is_ok());
        }
        let _ = whole.json(&text);
    }
}
