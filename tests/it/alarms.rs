//! An arm that gets worse without a word is told: through `AdminService`, and the same after a restart
//! and a rebuild from the journal.

use crate::rig::{CODING, Rig, SUPPORT, passed};
use bellwether::clock::SystemClock;
use bellwether::proto::v1::{self, alarm::Direction};
use bellwether::server;

/// Outcomes of the pinned arm, one of ten unlike the others.
async fn outcomes(rig: &Rig, count: u32, good: bool) {
    let mut team = rig.caller(CODING).await;
    for number in 0..count {
        let decision = team.route("fix").await;
        let told = passed((number % 10 != 4) == good);
        team.tell(&decision.decision_id, told).await;
    }
    rig.learned().await;
}

async fn alarms(rig: &Rig) -> Vec<v1::Alarm> {
    rig.caller(CODING).await.team("coding").await.alarms
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arm_that_gets_worse_is_told_and_told_the_same_after_a_restart_and_a_rebuild() {
    let rig = Rig::start().await;
    rig.caller(CODING).await.control("medium", false).await;
    outcomes(&rig, 150, true).await;
    assert_eq!(alarms(&rig).await, []);
    let before = rig.caller(CODING).await.team("coding").await;
    outcomes(&rig, 60, false).await;

    let told = alarms(&rig).await;
    assert_eq!(told.len(), 1, "{told:?}");
    let alarm = &told[0];
    assert_eq!(
        (alarm.arm.as_str(), alarm.signal.as_str(), alarm.direction()),
        ("medium", "tests_passed", Direction::Fell)
    );
    assert!(alarm.raise_sequence > before.journal_sequence, "{alarm:?}");
    let times = [&alarm.begin_time, &alarm.raise_time].map(|time| time.as_ref().unwrap());
    assert!(times[0].seconds > 0 && times[0].seconds <= times[1].seconds);
    assert!((10..=40).contains(&alarm.outcome_count), "{alarm:?}");
    assert!(
        alarm.mean_before > 0.6 && alarm.mean_after < 0.3,
        "{alarm:?}"
    );
    assert!(alarm.evidence >= alarm.threshold && alarm.threshold > 1.0);
    assert_eq!(alarm.run_length, 100_000);
    let other = rig.caller(SUPPORT).await.team("support").await;
    assert_eq!(other.alarms, []);

    let rig = rig.restart().await;
    assert_eq!(alarms(&rig).await, told);
    let (_dir, params) = rig.stop().await;
    let opened = server::open(&params, &SystemClock).unwrap();
    let rebuilt = server::rebuild(&opened).unwrap();
    assert_eq!(rebuilt.learner().alarms().count(), 1);
    assert_eq!(
        rebuilt.checkpoint_bytes(),
        opened.follower.checkpoint_bytes()
    );
}
