//! The limits of HTTP/2 at both doors: who passes one is turned away, and nobody else notices.

use super::Secret;
use super::frames::{
    ACK, END_STREAM, ENHANCE_YOUR_CALM, GOAWAY, PING, REFUSED_STREAM, RESET, frame, heard, post,
    preface, reset, send,
};
use crate::rig::{CODING, within};
use bellwether::http::HTTP2;
use bellwether::tls::Stream;

/// The head of a call with a key, at each door.
fn call(door: usize, stream: u32, flags: u8) -> Vec<u8> {
    let (path, kind) = match door {
        0 => ("/bellwether.v1.RouterService/Route", "application/grpc"),
        _ => ("/v1/chat/completions", "application/json"),
    };
    post(stream, flags, path, kind, &format!("Bearer {CODING}"))
}

/// Streams of a caller's own, in order.
fn streams(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|n| 2 * n + 1)
}

/// At each door: sends what `attack` makes, sees that `turned_away` comes of it, and that others are served
/// meanwhile.
async fn check(attack: impl Fn(usize) -> Vec<u8>, turned_away: impl AsyncFn(&mut Stream)) {
    let secret = Secret::start().await;
    for (door, address) in secret.doors().into_iter().enumerate() {
        let mut stream = secret.connect(address).await;
        let mut bytes = preface();
        bytes.extend(attack(door));
        send(&mut stream, &bytes).await;
        within("being turned away", turned_away(&mut stream)).await;
        secret.serves().await;
    }
    secret.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_begun_and_taken_back_end_the_connection() {
    let attack = |door| {
        let begun = streams(1000).map(|n| [call(door, n, END_STREAM), reset(n)].concat());
        begun.collect::<Vec<_>>().concat()
    };
    check(attack, async |stream| {
        let frames = heard(stream, |frame| frame.kind == GOAWAY).await;
        let last = frames.last().expect("a frame");
        assert_eq!(
            (last.kind, last.code()),
            (GOAWAY, ENHANCE_YOUR_CALM),
            "{last:?}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_beyond_the_limit_are_refused_and_those_within_are_held() {
    let beyond = 44;
    let attack = |door| {
        let open = streams(HTTP2.streams + beyond).map(|n| call(door, n, 0));
        open.collect::<Vec<_>>().concat()
    };
    check(attack, async |stream| {
        let mut left = beyond;
        let frames = heard(stream, |frame| {
            left -= u32::from(frame.kind == RESET);
            left == 0
        })
        .await;
        let refused = frames.iter().filter(|frame| frame.kind == RESET);
        assert!(
            refused
                .map(super::frames::Frame::code)
                .all(|code| code == REFUSED_STREAM)
        );
        assert_eq!(left, 0);
        send(stream, &frame(PING, 0, 0, &[7; 8])).await;
        let alive = heard(stream, |frame| frame.kind == PING && frame.flags == ACK).await;
        assert_eq!(alive.last().expect("a frame").payload, [7; 8]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_pings_holds_up_nobody() {
    let pings = 5000;
    let attack = |_| frame(PING, 0, 0, &[1; 8]).repeat(pings);
    check(attack, async |stream| {
        let mut left = pings;
        let frames = heard(stream, |frame| {
            left -= usize::from(frame.kind == PING);
            left == 0
        })
        .await;
        // Answered one by one, or cut; never heaped up.
        assert!(left == 0 || frames.last().is_none_or(|frame| frame.kind == GOAWAY));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_long_is_refused_by_itself() {
    let secret = Secret::start().await;
    for door in secret.doors() {
        let stream = secret.connect(door).await;
        let (mut calls, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
        let mut asked = async |bytes: u32| {
            let asked = http::Request::get("https://localhost/v1/models")
                .header("x-long", "x".repeat(bytes as usize))
                .body(())
                .expect("a request");
            calls = calls.clone().ready().await.expect("a place");
            let (reply, _) = calls.send_request(asked, true).expect("sent");
            reply.await.map(|reply| reply.status().as_u16())
        };
        let talk = async {
            let refused = asked(HTTP2.head_bytes).await;
            assert!(matches!(refused, Ok(431)), "{refused:?}");
            // The same connection is good for another call.
            let short = asked(HTTP2.head_bytes / 2).await.expect("a reply");
            assert_ne!(short, 431);
        };
        tokio::select! {
            () = within("replies", talk) => {}
            ended = connection => panic!("{ended:?}"),
        }
    }
    secret.serves().await;
    secret.stop().await;
}
