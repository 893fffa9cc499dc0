//! Episodes held out for a team's baseline on a whole server: how many, which arm, that they stay so; and
//! the guard that holds a router that is worse.

use crate::rig::{CODING, Caller, Rig, about, configured, key, passed, signal, within_episode};
use bellwether::clock::SystemClock;
use bellwether::config;
use bellwether::id::Name;
use bellwether::proto::v1::{self, signal::Kind, signal_value::Value};
use bellwether::route::Baseline;
use bellwether::server;
use bellwether::signal::Guard;
use std::collections::BTreeSet;

/// A server whose team `coding` holds out this share for arm `large`, with this policy.
async fn rig(holdout: f64, policy: Option<&str>) -> Rig {
    let (dir, mut params) = configured("group");
    let team = &mut params.teams[0];
    team.baseline = Some(Baseline {
        arm: Name::new("large").unwrap(),
        holdout,
    });
    if let Some(policy) = policy {
        team.policy = policy.parse().unwrap();
    }
    let opened = server::open(&params, &SystemClock).unwrap();
    Rig::serve(dir, params, opened).await
}

/// Routes one call of each of `count` episodes; the numbers of those held out.
async fn held_out(caller: &mut Caller, task: &str, count: u32) -> BTreeSet<u32> {
    let mut held_out = BTreeSet::new();
    for number in 0..count {
        let request = within_episode(task, &format!("episode {number}"));
        let reply = caller.ask(request).await.unwrap();
        if reply.held_out {
            assert_eq!((reply.arm.as_str(), reply.propensity), ("large", 1.0));
            held_out.insert(number);
        }
    }
    held_out
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_of_the_episodes_gets_the_baseline_for_all_its_calls_and_after_a_restart() {
    let rig = rig(0.05, None).await;
    let mut caller = rig.caller(CODING).await;
    let first = held_out(&mut caller, "fix", 600).await;
    // Binomial(600, 0.05): sd 5.3; five sd either way.
    assert!((4..=57).contains(&first.len()), "{}", first.len());
    // Another task of the same episodes, and the same task again.
    assert_eq!(held_out(&mut caller, "review", 600).await, first);
    let rig = rig.restart().await;
    let mut caller = rig.caller(CODING).await;
    assert_eq!(held_out(&mut caller, "fix", 600).await, first);
    assert_eq!(held_out(&mut caller, "plan", 600).await, first);
    let state = caller.team("coding").await.holdout.unwrap();
    assert_eq!((state.baseline_arm.as_str(), state.share), ("large", 0.05));
    assert!(!state.guarded && state.trip_time.is_none());
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_and_a_caller_who_does_not_explore_or_denies_it_go_before_the_baseline() {
    let rig = rig(0.5, None).await;
    let mut caller = rig.caller(CODING).await;
    let first = held_out(&mut caller, "fix", 20).await;
    let episode = format!("episode {}", first.first().unwrap());
    let mut sure = within_episode("sure", &episode);
    sure.explore = Some(false);
    let reply = caller.ask(sure).await.unwrap();
    // Nothing is known yet, so the cheapest arm is the best.
    assert!(reply.held_out && reply.arm == "small", "{reply:?}");
    let mut denied = within_episode("denied", &episode);
    denied.constraints = Some(v1::Constraints {
        denied_arms: vec!["large".to_owned()],
        ..Default::default()
    });
    let reply = caller.ask(denied).await.unwrap();
    assert!(reply.held_out && reply.arm != "large" && reply.propensity < 1.0);
    caller.control("medium", false).await;
    let reply = caller.ask(within_episode("pinned", &episode)).await;
    let reply = reply.unwrap();
    assert!(reply.held_out && reply.arm == "medium", "{reply:?}");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arm_that_a_key_may_not_use_is_never_explored_not_even_as_the_baseline() {
    let (dir, _) = configured("group");
    let path = dir.path().join("bellwether.toml");
    let mut text = std::fs::read_to_string(&path).unwrap();
    text = text.replacen(
        "name = \"coding\"\n",
        "name = \"coding\"\nbaseline = \"large\"\nholdout = 0.5\nexplore_floor = 0.1\n",
        1,
    );
    text += &key("few", "k-few", "coding", "\"route\"");
    text += "arms = [\"small\", \"medium\"]\n";
    std::fs::write(&path, text).unwrap();
    let params = config::load(&path).unwrap();
    let opened = server::open(&params, &SystemClock).unwrap();
    let rig = Rig::serve(dir, params, opened).await;
    let mut caller = rig.caller("k-few").await;
    let mut held_out = 0;
    for _ in 0..200 {
        let reply = caller.ask(about("fix")).await.unwrap();
        assert_ne!(reply.arm, "large");
        let arms: Vec<_> = reply.estimates.iter().map(|e| e.arm.as_str()).collect();
        assert_eq!(arms, ["small", "medium"]);
        held_out += u32::from(reply.held_out);
    }
    // Without an episode each decision goes by its own id. Binomial(200, 1/2): sd 7.
    assert!((65..=135).contains(&held_out), "{held_out}");
    rig.stop().await;
}

/// `count` episodes from number `from` on, each closed at once: good if the baseline took it.
async fn episodes(caller: &mut Caller, from: u32, count: u32) {
    for number in from..from + count {
        let episode = format!("e{number}");
        let reply = caller.ask(within_episode("fix", &episode)).await.unwrap();
        let valid = signal("json_valid", Some(Value::Flag(true)), Kind::Observed);
        let told = v1::Feedback {
            signals: vec![passed(reply.arm == "large"), valid],
            ..crate::rig::item(&reply.decision_id, vec![])
        };
        caller.submit(told, false).await.unwrap();
        let closing = v1::CloseEpisodeRequest {
            episode_id: episode,
            ..Default::default()
        };
        caller.router.close_episode(closing).await.unwrap();
    }
}

async fn state(rig: &Rig) -> v1::Holdout {
    rig.learned().await;
    let team = rig.caller(CODING).await.team("coding").await;
    team.holdout.unwrap()
}

/// How many of 50 decisions of the router's cell went to the baseline, by which policy.
async fn routed(caller: &mut Caller) -> (usize, BTreeSet<String>) {
    let (mut large, mut policies, mut seen) = (0, BTreeSet::new(), 0);
    while seen < 50 {
        let reply = caller.ask(about("fix")).await.unwrap();
        if !reply.held_out {
            assert!(reply.estimates.iter().all(|e| e.probability > 0.0));
            large += usize::from(reply.arm == "large");
            policies.insert(reply.policy);
            seen += 1;
        }
    }
    (large, policies)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_is_worse_than_the_baseline_is_held_to_it_until_an_operator_lifts_it() {
    let rig = rig(0.5, Some("fixed:arm=small")).await;
    let mut caller = rig.caller(CODING).await;
    assert_eq!(
        routed(&mut caller).await.1,
        ["fixed:arm=small".to_owned()].into()
    );
    // The first held-out episode begins the comparison.
    episodes(&mut caller, 0, 20).await;
    rig.learned().await;
    let mut next = 20;
    while !state(&rig).await.guarded && next < 1000 {
        episodes(&mut caller, next, 20).await;
        next += 20;
    }
    let told = state(&rig).await;
    assert!(told.guarded && told.lift_upper < 0.0, "{told:?}");
    assert!(told.router_mean < told.holdout_mean && told.trip_time.is_some());
    assert!(
        told.router_count >= 10 && told.holdout_count >= 10,
        "{told:?}"
    );
    let (large, policies) = routed(&mut caller).await;
    assert!(large >= 40, "{large} of 50");
    assert_eq!(policies, ["fixed:arm=large".to_owned()].into());

    let rig = rig.restart().await;
    assert_eq!(state(&rig).await, told);
    let (dir, params) = rig.stop().await;
    let opened = server::open(&params, &SystemClock).unwrap();
    let rebuilt = server::rebuild(&opened).unwrap();
    assert_eq!(
        rebuilt.checkpoint_bytes(),
        opened.follower.checkpoint_bytes()
    );
    let rig = Rig::serve(dir, params, opened).await;
    let mut caller = rig.caller(CODING).await;
    caller.control("", true).await;
    let lift = v1::SetControlRequest {
        team: "coding".to_owned(),
        control: None,
        lift_guard: true,
    };
    let control = caller.admin.set_control(lift).await.unwrap().into_inner();
    // What is not said of the control stays.
    assert!(control.control.unwrap().frozen);
    let after = state(&rig).await;
    assert_eq!(
        (after.guarded, after.router_count, after.holdout_count),
        (false, 0, 0)
    );
    assert_eq!(
        routed(&mut caller).await.1,
        ["fixed:arm=small".to_owned()].into()
    );
    rig.stop().await;
}

/// What a restart with other settings leaves of a team's holdout.
async fn restarted(rig: Rig, change: impl FnOnce(&mut config::Team)) -> Rig {
    let (dir, mut params) = rig.stop().await;
    change(&mut params.teams[0]);
    let opened = server::open(&params, &SystemClock).unwrap();
    let rebuilt = server::rebuild(&opened).unwrap();
    let kept = opened.follower.checkpoint_bytes();
    assert_eq!(rebuilt.checkpoint_bytes(), kept);
    Rig::serve(dir, params, opened).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_signal_stops_a_router_and_is_named_and_all_ends_with_the_baseline() {
    let guarded = |team: &mut config::Team| {
        team.guards = vec![Guard {
            signal: Name::new("json_valid").unwrap(),
            margin: 0.02,
        }];
    };
    let rig = restarted(rig(0.5, Some("fixed:arm=small")).await, guarded).await;
    let mut caller = rig.caller(CODING).await;
    let told = state(&rig).await;
    let [guard] = told.guard_signals.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!((guard.signal.as_str(), guard.margin), ("json_valid", 0.02));
    assert_eq!((guard.gain_lower, guard.gain_upper), (-1.0, 1.0));
    // JSON breaks where the baseline did not answer. Nobody takes the work up, so that in quality nothing is
    // lost by it, and the baseline costs more: in utility the router is no worse.
    let mut number = 0;
    while !state(&rig).await.guarded && number < 1000 {
        for _ in 0..20 {
            let episode = format!("e{number}");
            let reply = caller.ask(within_episode("fix", &episode)).await.unwrap();
            let valid = Value::Flag(reply.arm == "large");
            let told = v1::Feedback {
                signals: vec![signal("json_valid", Some(valid), Kind::Observed)],
                ..crate::rig::item(&reply.decision_id, vec![])
            };
            caller.submit(told, false).await.unwrap();
            let closing = v1::CloseEpisodeRequest {
                episode_id: episode,
                ..Default::default()
            };
            caller.router.close_episode(closing).await.unwrap();
            number += 1;
        }
    }
    let told = state(&rig).await;
    let guard = &told.guard_signals[0];
    assert!(told.guarded && guard.gain_upper < -0.02, "{told:?}");
    assert_eq!(told.trip_signal, "json_valid");
    // Exploration takes the other arm now and then.
    assert!(guard.router_mean.is_some_and(|mean| mean < 0.2), "{told:?}");
    assert_eq!(guard.holdout_mean, Some(1.0));
    let rig = restarted(rig, |_| {}).await;
    assert_eq!(state(&rig).await, told);

    let rig = restarted(rig, |team| {
        team.baseline = None;
        team.guards.clear();
    });
    let rig = rig.await;
    rig.learned().await;
    let team = rig.caller(CODING).await.team("coding").await;
    assert_eq!(team.holdout, None);
    let again = restarted(rig, |team| {
        team.baseline = Some(Baseline {
            arm: Name::new("large").unwrap(),
            holdout: 0.5,
        });
    });
    let rig = again.await;
    let told = state(&rig).await;
    // From nothing: what the router took meanwhile had no held-out cell beside it.
    assert_eq!(
        (told.guarded, told.router_count, told.holdout_count),
        (false, 0, 0)
    );
    assert_eq!(told.guard_signals, []);
    rig.stop().await;
}
