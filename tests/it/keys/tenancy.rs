//! What a team can find out of another's traffic: nothing. What is another's gets the answer that what is nobody's gets,
//! names that two teams use alike stay apart, and no team's choices follow from what another did.

use super::rig;
use crate::openai_door::caller::{Reply, post, send};
use crate::rig::{CODING, Caller, Rig, SUPPORT, about, configured, item, passed, within_episode};
use bellwether::clock::SystemClock;
use bellwether::learn::Pooling;
use bellwether::proto::v1;
use bellwether::server;
use serde_json::json;
use std::fmt::Debug;
use tonic::{Response, Status};
use tonic_types::StatusExt;

/// Another's, and nobody's: names of equal length.
type Pair<'a> = [&'a str; 2];

/// All of an answer that a caller can see, with the name that was asked for left out: of a refusal its code, its words,
/// its reason and the length of what comes with it.
fn seen<T: Debug>(answer: Result<Response<T>, Status>, name: &str) -> String {
    let text = match answer {
        Ok(reply) => format!("{:?}", reply.into_inner()),
        Err(status) => {
            let info = status.get_details_error_info();
            let length = status.details().len();
            format!("{:?} {} {info:?} {length}", status.code(), status.message())
        }
    };
    text.replace(name, "X")
}

/// A decision of team `support`, in an episode of this name, and an id like it that nobody has.
async fn decided(rig: &Rig, episode: &str) -> (String, String) {
    let mut support = rig.caller(SUPPORT).await;
    let decision = support.ask(within_episode("triage", episode)).await;
    let theirs = decision.expect("routed").decision_id;
    let last = if theirs.ends_with('0') { "1" } else { "0" };
    let nobodys = format!("{}{last}", &theirs[..theirs.len() - 1]);
    (theirs, nobodys)
}

/// One call about a decision.
#[derive(Debug, Clone, Copy)]
enum Call {
    Get,
    Report,
    Tell { dry_run: bool },
}

impl Call {
    async fn ask(self, mut caller: Caller, id: &str) -> String {
        let decision_id = id.to_owned();
        match self {
            Self::Get => seen(
                caller
                    .router
                    .get_decision(v1::GetDecisionRequest { decision_id })
                    .await,
                id,
            ),
            Self::Report => {
                let request = v1::ReportAttemptRequest {
                    decision_id,
                    latency_ms: Some(5.0),
                    ..Default::default()
                };
                seen(caller.router.report_attempt(request).await, id)
            }
            Self::Tell { dry_run } => {
                // A signal that the team has, and one that it has not.
                let unknown = v1::Signal {
                    name: "never".to_owned(),
                    ..passed(true)
                };
                let items = vec![item(id, vec![passed(true)]), item(id, vec![unknown])];
                let request = v1::SubmitFeedbackRequest { items, dry_run };
                seen(caller.feedback.submit_feedback(request).await, id)
            }
        }
    }
}

async fn about_decisions(rig: &Rig, [theirs, nobodys]: Pair<'_>) {
    let caller = rig.caller(CODING).await;
    for call in [
        Call::Get,
        Call::Report,
        Call::Tell { dry_run: true },
        Call::Tell { dry_run: false },
    ] {
        let other = call.ask(caller.clone(), theirs).await;
        let none = call.ask(caller.clone(), nobodys).await;
        assert_eq!(other, none, "{call:?}: another's and nobody's");
    }
    let mut replies = Vec::new();
    for id in [theirs, nobodys] {
        let signal = json!({"name": "tests_passed", "value": true});
        let body = json!({"decision_id": id, "signals": [signal]}).to_string();
        let call = post("/v1/feedback", Some(CODING), &[], body.as_bytes());
        let Reply {
            status, body, head, ..
        } = send(rig, &call).await;
        let names: Vec<_> = head.keys().collect();
        // Each call has an id of its own.
        let call_id = head["x-request-id"].as_str();
        replies.push(format!(
            "{status} {} {names:?} {:?}",
            body.replace(id, "X").replace(call_id, "Y"),
            head.get("content-length")
        ));
    }
    assert_eq!(replies[0], replies[1], "feedback at the door");
}

async fn about_episodes(rig: &Rig, pair: Pair<'_>) {
    let mut caller = rig.caller(CODING).await;
    let (mut listed, mut closed, mut told) = (Vec::new(), Vec::new(), Vec::new());
    for name in pair {
        let episode_id = name.to_owned();
        let request = v1::ListDecisionsRequest {
            episode_id: episode_id.clone(),
            ..Default::default()
        };
        listed.push(seen(caller.router.list_decisions(request).await, name));
        let item = v1::Feedback {
            subject: Some(v1::feedback::Subject::EpisodeId(episode_id.clone())),
            signals: vec![passed(true)],
            ..Default::default()
        };
        let items = vec![item];
        let request = v1::SubmitFeedbackRequest {
            items,
            dry_run: true,
        };
        told.push(seen(caller.feedback.submit_feedback(request).await, name));
        let request = v1::CloseEpisodeRequest {
            episode_id,
            ..Default::default()
        };
        closed.push(seen(caller.router.close_episode(request).await, name));
    }
    for (what, answers) in [
        ("ListDecisions", listed),
        ("SubmitFeedback", told),
        ("CloseEpisode", closed),
    ] {
        assert_eq!(answers[0], answers[1], "{what}: another's and nobody's");
    }
}

async fn about_teams(rig: &Rig, pair: Pair<'_>) {
    let mut admin = rig.caller(CODING).await.admin;
    let mut answers = [Vec::new(), Vec::new()];
    for (answers, name) in answers.iter_mut().zip(pair) {
        let (team, key) = (name.to_owned(), "their-key".to_owned());
        let request = v1::GetTeamRequest { team: team.clone() };
        answers.push(seen(admin.get_team(request).await, name));
        let request = v1::SetControlRequest {
            team: team.clone(),
            ..Default::default()
        };
        answers.push(seen(admin.set_control(request).await, name));
        let request = v1::ListKeysRequest {
            team: team.clone(),
            ..Default::default()
        };
        answers.push(seen(admin.list_keys(request).await, name));
        let request = v1::CreateKeyRequest {
            team: team.clone(),
            ..super::wanted("intruder", &[v1::Scope::Route])
        };
        answers.push(seen(admin.create_key(request).await, name));
        let request = v1::RotateKeyRequest {
            team: team.clone(),
            name: key.clone(),
            ..Default::default()
        };
        answers.push(seen(admin.rotate_key(request).await, name));
        let request = v1::RevokeKeyRequest { team, name: key };
        answers.push(seen(admin.revoke_key(request).await, name));
    }
    let [theirs, nobodys] = answers;
    assert_eq!(theirs, nobodys, "another's and nobody's");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_anothers_gets_the_answer_that_what_is_nobodys_gets() {
    let rig = rig().await;
    let (theirs, nobodys) = decided(&rig, "their-episode").await;
    about_decisions(&rig, [&theirs, &nobodys]).await;
    about_episodes(&rig, ["their-episode", "nobos-episode"]).await;
    about_teams(&rig, ["support", "nobodys"]).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_team_lists_only_what_is_the_callers_own() {
    let rig = rig().await;
    let (mut coding, mut support) = (rig.caller(CODING).await, rig.caller(SUPPORT).await);
    let own = coding.route("fix").await.decision_id;
    for _ in 0..5 {
        support.route("triage").await;
    }
    let page = |page_token: String| v1::ListDecisionsRequest {
        page_size: 2,
        page_token,
        ..Default::default()
    };
    let theirs = support.router.list_decisions(page(String::new())).await;
    let token = theirs.expect("listed").into_inner().next_page_token;
    assert!(!token.is_empty());
    let listed = coding
        .router
        .list_decisions(page(token))
        .await
        .expect("listed")
        .into_inner();
    let ids: Vec<_> = listed
        .decisions
        .iter()
        .filter_map(|d| d.decision.as_ref())
        .map(|d| &d.decision_id)
        .collect();
    assert_eq!(ids, [&own]);
    assert_eq!(listed.next_page_token, "");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_two_teams_use_alike_are_apart() {
    let rig = rig().await;
    let (mut coding, mut support) = (rig.caller(CODING).await, rig.caller(SUPPORT).await);
    let named = |task: &str| {
        let mut request = within_episode(task, "episode-1");
        request.request_id = Some("request-1".to_owned());
        request
    };
    // The same request id with another body is refused within a team; of another team it is another request.
    let first = coding.ask(named("fix")).await.expect("routed");
    let second = support
        .ask(named("triage"))
        .await
        .expect("not the same request");
    assert!(!second.repeated && second.decision_id != first.decision_id);
    let mut feedback = item(&first.decision_id, vec![passed(true)]);
    feedback.request_id = Some("feedback-1".to_owned());
    let taken = coding.submit(feedback, false).await.expect("submitted");
    assert_eq!(taken.status(), v1::feedback_result::Status::Accepted);
    let mut feedback = item(
        &second.decision_id,
        vec![v1::Signal {
            name: "resolved".to_owned(),
            ..passed(true)
        }],
    );
    feedback.request_id = Some("feedback-1".to_owned());
    let taken = support.submit(feedback, false).await.expect("submitted");
    assert_ne!(taken.status(), v1::feedback_result::Status::Duplicate);
    assert_ne!(taken.reason, "REQUEST_ID_REUSED");
    // Feedback on the episode, and its end, are the caller's own.
    let on_episode = v1::Feedback {
        subject: Some(v1::feedback::Subject::EpisodeId("episode-1".to_owned())),
        signals: vec![passed(false)],
        ..Default::default()
    };
    coding.submit(on_episode, false).await.expect("submitted");
    let before = support.decision(&second.decision_id).await.expect("known");
    let close = || v1::CloseEpisodeRequest {
        episode_id: "episode-1".to_owned(),
        ..Default::default()
    };
    coding.router.close_episode(close()).await.expect("closed");
    let closed = support
        .router
        .close_episode(close())
        .await
        .expect("closed")
        .into_inner();
    assert!(!closed.already_closed);
    assert_eq!(closed.decision_count, 1);
    let after = support.decision(&second.decision_id).await.expect("known");
    assert_eq!(before, after, "nothing of the other's episode");
    rig.stop().await;
}

/// What team `support` is told of every arm by requests in a session, after team `coding` was `busy` there or was not.
async fn estimates(busy: bool, pooling: Pooling) -> Vec<Vec<v1::ArmEstimate>> {
    let (dir, mut params) = configured("group");
    let (scorecard, text) = (
        params.teams[0].scorecard.clone(),
        params.teams[0].scorecard_text.clone(),
    );
    for team in &mut params.teams[..2] {
        team.pooling = pooling;
        team.scorecard = scorecard.clone();
        team.scorecard_text = text.clone();
    }
    let opened = server::open(&params, &SystemClock).expect("opened");
    let rig = Rig::serve(dir, params, opened).await;
    let in_session = |task: &str, tokens| {
        let mut request = about(task);
        if let Some(context) = &mut request.context {
            context.session_id = Some("session-1".to_owned());
            context.input_tokens = Some(tokens);
        }
        request
    };
    if busy {
        let mut coding = rig.caller(CODING).await;
        coding.control("large", false).await;
        for _ in 0..20 {
            let decision = coding.ask(in_session("fix", 50_000)).await.expect("routed");
            coding.tell(&decision.decision_id, passed(true)).await;
        }
        rig.learned().await;
    }
    let mut support = rig.caller(SUPPORT).await;
    let pin = v1::SetControlRequest {
        team: "support".to_owned(),
        control: Some(v1::Control {
            pinned_arm: "large".to_owned(),
            frozen: false,
        }),
        lift_guard: false,
    };
    support.admin.set_control(pin).await.expect("pinned");
    let mut told = Vec::new();
    for _ in 0..6 {
        rig.learned().await;
        let reply = support
            .ask(in_session("fix", 60_000))
            .await
            .expect("routed");
        support.tell(&reply.decision_id, passed(false)).await;
        told.push(reply.estimates);
    }
    // Unpinned, every arm is told of.
    let unpin = v1::SetControlRequest {
        team: "support".to_owned(),
        control: Some(v1::Control::default()),
        lift_guard: false,
    };
    support.admin.set_control(unpin).await.expect("unpinned");
    rig.learned().await;
    told.push(
        support
            .ask(in_session("fix", 60_000))
            .await
            .expect("routed")
            .estimates,
    );
    rig.stop().await;
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_team_does_moves_no_estimate_and_no_probability_of_another() {
    let quiet = estimates(false, Pooling::None).await;
    let busy = estimates(true, Pooling::None).await;
    assert_eq!(quiet.last().expect("some").len(), 3);
    assert_eq!(quiet, busy);
    // Where both agreed it does: so the comparison can fail.
    assert_ne!(quiet, estimates(true, Pooling::Both).await);
}
