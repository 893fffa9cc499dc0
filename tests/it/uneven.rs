//! A signal that is reported of one arm and hardly of another is told through `AdminService`, and the same
//! after a restart.

use crate::rig::{CODING, Rig, SUPPORT, passed, within_episode};
use bellwether::proto::v1;

/// Closed episodes of an arm, of one decision each; `reported` of a hundred of them are told of.
async fn episodes(rig: &Rig, arm: &str, reported: u32) {
    let mut team = rig.caller(CODING).await;
    team.control(arm, false).await;
    for number in 0..100 {
        let episode = format!("{arm}-{number}");
        let decision = team.ask(within_episode("fix", &episode)).await.unwrap();
        assert_eq!(decision.arm, arm);
        if number < reported {
            team.tell(&decision.decision_id, passed(number % 2 == 0))
                .await;
        }
        let closing = v1::CloseEpisodeRequest {
            episode_id: episode,
            ..Default::default()
        };
        team.router.close_episode(closing).await.unwrap();
    }
    rig.learned().await;
}

async fn uneven(rig: &Rig, key: &str, team: &str) -> Vec<v1::UnevenReports> {
    rig.caller(key).await.team(team).await.uneven_reports
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_that_is_reported_of_one_arm_more_than_of_another_is_told() {
    let rig = Rig::start().await;
    episodes(&rig, "small", 60).await;
    episodes(&rig, "medium", 50).await;
    // What chance explains is not told.
    assert_eq!(uneven(&rig, CODING, "coding").await, []);
    episodes(&rig, "large", 20).await;

    let told = uneven(&rig, CODING, "coding").await;
    let [only] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(only.signal, "tests_passed");
    // 130 of 300: (16.67^2 + 6.67^2 + 23.33^2) / 24.56 = 35.3 with two degrees, exp(-17.6).
    assert!((1e-8..1e-7).contains(&only.p_value), "{}", only.p_value);
    let arm = |arm: &str, reported_count| v1::ArmReports {
        arm: arm.to_owned(),
        closed_count: 100,
        reported_count,
    };
    let arms = [arm("large", 20), arm("medium", 50), arm("small", 60)];
    assert_eq!(only.arms, arms);
    assert_eq!(uneven(&rig, SUPPORT, "support").await, []);

    let rig = rig.restart().await;
    assert_eq!(uneven(&rig, CODING, "coding").await, told);
}
