//! That the bound is one, and what each part counts.

use super::*;
use crate::chat::{Extra, Reasoning, Role};
use proptest::prelude::*;

fn message(parts: Vec<ContentPart>) -> Message {
    Message {
        role: Role::User,
        content: parts,
        tool_calls: Vec::new(),
        tool_call_id: None,
    }
}

fn of(messages: &[Message]) -> InputTokens {
    InputTokens::of(messages, &[], &ResponseFormat::Text)
}

/// What one part adds to a message without any: expected, and at most.
fn check(part: ContentPart, expected: (u32, u32)) {
    let (without, with) = (of(&[message(vec![])]), of(&[message(vec![part])]));
    let bound = with.bound().get() - without.bound().get() - MOST_PART as u32;
    assert_eq!((with.expected() - without.expected(), bound), expected);
}

fn file(head: &str, bytes: usize) -> ContentPart {
    ContentPart::File {
        name: "a.b".into(),
        data_url: format!("data:{head};base64,{}", STANDARD.encode(vec![b'x'; bytes])),
    }
}

fn audio(bytes: &[u8]) -> ContentPart {
    ContentPart::Audio {
        data: STANDARD.encode(bytes),
        format: "wav".into(),
    }
}

/// A second of sound in a WAV file, 44 bytes of it the header.
fn wave(format: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
    let bytes = rate as usize * usize::from(channels) * usize::from(bits) / 8;
    let mut wave = b"RIFF....WAVEfmt ".to_vec();
    wave.extend(16_u32.to_le_bytes());
    wave.extend(format.to_le_bytes());
    wave.extend(channels.to_le_bytes());
    wave.extend(rate.to_le_bytes());
    wave.extend((bytes as u32).to_le_bytes());
    wave.extend((channels * bits / 8).to_le_bytes());
    wave.extend(bits.to_le_bytes());
    wave.extend(b"data....");
    wave.resize(bytes.max(44), 0);
    wave
}

#[test]
fn text_is_expected_by_characters_and_bounded_by_bytes() {
    check(ContentPart::Text("12345678".into()), (2, 8));
    check(ContentPart::Text("né€".into()), (1, 6));
    check(ContentPart::Text(String::new()), (0, 0));
}

#[test]
fn images_thoughts_and_documents_count_at_most_what_the_table_says() {
    check(
        ContentPart::ImageUrl("https://example.org/a.png".into()),
        (765, 6_404),
    );
    let thought = Reasoning {
        text: "1234".into(),
        signature: Some("12345".into()),
        ..Reasoning::default()
    };
    check(ContentPart::Reasoning(thought), (0, 9));
    // The name is 3 bytes.
    check(file("text/plain", 300), (75, 303));
    check(file("application/pdf", 300), (1_500, 3 + 7_784 + 900));
    let large = 3_000_000;
    check(
        file("application/pdf", large),
        (30_000, 3 + 7_784 + 3 * large as u32),
    );
    let plain = ContentPart::File {
        name: String::new(),
        data_url: "data:text/plain,12345678".into(),
    };
    check(plain, (2, 8));
}

#[test]
fn sound_counts_by_its_header_or_else_at_the_lowest_bit_rate() {
    check(audio(&wave(1, 1, 24_000, 16)), (20, 32));
    check(audio(&wave(3, 2, 48_000, 32)), (20, 32));
    // Compressed, and what is no WAV file: 12,000 bytes at 8,000 and at 500 a second.
    check(audio(&wave(0x55, 1, 6_000, 16)), (30, 768));
    check(audio(&[0; 12_000]), (30, 768));
    // A header of a rate of nothing is played as slowly as can be.
    let still = [&wave(1, 1, 0, 16)[..], &[0; 412]].concat();
    assert_eq!(still.len(), 456);
    check(audio(&still), (19, 30));
}

#[test]
fn tools_calls_and_forms_of_answers_count_their_texts_and_forms() {
    let tool = Tool {
        name: "find".into(),
        description: "looks".into(),
        parameters_json_schema: "{\"a\":1}".into(),
    };
    let tokens = InputTokens::of(&[], std::slice::from_ref(&tool), &ResponseFormat::Text);
    assert_eq!(
        (tokens.expected(), tokens.bound().get()),
        (4, 64 + 768 + 64 + 16)
    );
    let schema = ResponseFormat::JsonSchema("12345".into());
    let tokens = InputTokens::of(&[], &[], &schema);
    assert_eq!((tokens.expected(), tokens.bound().get()), (2, 64 + 512 + 5));
    let mut calls = message(vec![]);
    calls.tool_calls.push(ToolCall {
        id: "c1".into(),
        name: "find".into(),
        arguments_json: "{}".into(),
    });
    calls.tool_call_id = Some("c0".into());
    let tokens = of(&[calls]);
    assert_eq!(
        (tokens.expected(), tokens.bound().get()),
        (2, 64 + 16 + 32 + 2 + 6 + 2)
    );
}

#[test]
fn a_callers_count_is_both_and_what_follows_is_added() {
    let counted = InputTokens::counted(7);
    assert_eq!((counted.expected(), counted.bound().get()), (7, 7));
    let more = counted.and(&[Message::text(Role::User, "12345678")]);
    assert_eq!((more.expected(), more.bound().get()), (9, 7 + 16 + 4 + 8));
    let most = TokenBound::new(u32::MAX);
    assert_eq!(most.and(TokenBound::new(1)), most);
}

#[test]
fn parameters_that_are_passed_on_unread_count_their_bytes() {
    let generation = Generation {
        stop: vec!["end".into()],
        extra: vec![Extra {
            name: "functions".into(),
            json: "[12345]".into(),
        }],
        ..Generation::default()
    };
    let tokens = InputTokens::counted(7).beside(&generation);
    assert_eq!((tokens.expected(), tokens.bound().get()), (7, 7 + 9 + 7));
}

fn part() -> impl Strategy<Value = ContentPart> {
    let data = prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        any::<String>().prop_map(ContentPart::Text),
        any::<String>().prop_map(ContentPart::ImageUrl),
        (any::<String>(), any::<String>())
            .prop_map(|(data, format)| ContentPart::Audio { data, format }),
        data.clone().prop_map(|bytes| audio(&bytes)),
        (0_u16..5, 0_u16..4, 0_u32..5_000, 0_u16..40)
            .prop_map(|(format, channels, rate, bits)| audio(&wave(format, channels, rate, bits))),
        (any::<String>(), any::<String>())
            .prop_map(|(name, data_url)| ContentPart::File { name, data_url }),
        (data, any::<bool>()).prop_map(|(bytes, text)| {
            file(
                if text { "text/html" } else { "application/pdf" },
                bytes.len(),
            )
        }),
        (any::<String>(), any::<Option<String>>()).prop_map(|(text, signature)| {
            ContentPart::Reasoning(Reasoning {
                text,
                signature,
                ..Reasoning::default()
            })
        }),
    ]
}

proptest! {
    #[test]
    fn the_bound_is_never_below_what_is_expected_nor_below_the_bytes_of_the_text(
        parts in prop::collection::vec(part(), 0..6), schema in any::<String>()
    ) {
        let bytes: usize = parts.iter().map(|part| match part {
            ContentPart::Text(text) => text.len(),
            _ => 0,
        }).sum();
        let format = ResponseFormat::JsonSchema(schema.clone());
        let tokens = InputTokens::of(&[message(parts)], &[], &format);
        prop_assert!(tokens.bound().get() >= tokens.expected());
        prop_assert!(tokens.bound().get() as usize >= bytes + schema.len());
    }

    #[test]
    fn another_part_message_or_tool_lowers_neither(
        parts in prop::collection::vec(part(), 0..4), more in part(), tool in any::<(String, String)>()
    ) {
        let less = of(&[message(parts.clone())]);
        let with_message = of(&[message(parts.clone()), message(vec![more.clone()])]);
        let followed = less.and(&[message(vec![more.clone()])]);
        let tool = Tool { name: tool.0, description: String::new(), parameters_json_schema: tool.1 };
        let with_tool =
            InputTokens::of(&[message(parts.clone())], std::slice::from_ref(&tool), &ResponseFormat::Text);
        let mut parts = parts;
        parts.push(more);
        for found in [of(&[message(parts)]), with_message, followed, with_tool] {
            prop_assert!(found.expected() >= less.expected());
            prop_assert!(found.bound() >= less.bound());
        }
    }
}
