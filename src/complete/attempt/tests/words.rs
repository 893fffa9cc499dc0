//! Which words of an answer are kept, and when.

use super::*;

#[tokio::test]
async fn words_are_kept_before_their_attempt_and_only_where_they_are_to_be() {
    let call = ToolCall {
        id: "c".into(),
        name: "find".into(),
        arguments_json: "{}".into(),
    };
    let pieces = vec![
        text("1234"),
        text("5678"),
        Ok(Piece::ToolCall(call.clone())),
        done(told(1, 0, 1)),
    ];
    let cut = pieces[..2].to_vec();
    let streamed = Message {
        tool_calls: vec![call],
        ..Message::text(Role::Assistant, "12345678")
    };
    for (keep_words, pieces, expected) in [
        (true, pieces.clone(), vec![streamed]),
        (true, cut, vec![]),
        (false, pieces, vec![]),
    ] {
        let log = Arc::new(List::default());
        let provider = scripted(Ok(answer(told(1, 0, 1))), pieces);
        let target = || Target {
            words: match keep_words {
                true => Words::Whole,
                false => Words::None,
            },
            listen: keep_words,
            ..target()
        };
        let (attempts, prompt) = (attempts(&log), prompt());
        let opening = attempts.stream(&provider, target(), prompt, soon());
        let events = Events::new(opening.await.unwrap(), Vec::new(), None, (None, None));
        let _ = events.collect::<Vec<_>>().await;
        let words = std::mem::take(&mut *log.words.lock().unwrap());
        let read = |(before, kept): &(usize, decision::Answer)| {
            assert_eq!((*before, kept.finish_reason.as_str()), (0, "stop"));
            serde_json::from_str::<Message>(&kept.message).unwrap()
        };
        assert_eq!(words.iter().map(read).collect::<Vec<_>>(), expected);
        let whole = attempts.whole(&provider, target(), prompt, soon());
        let (given, _) = whole.await.unwrap();
        let words = log.words.lock().unwrap();
        let kept = words.iter().map(|(_, kept)| kept.message.clone());
        let given = serde_json::to_string(&given.message).unwrap();
        let expected = if keep_words { vec![given] } else { vec![] };
        assert_eq!(kept.collect::<Vec<_>>(), expected);
    }
}
