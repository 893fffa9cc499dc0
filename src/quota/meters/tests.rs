//! Who is let in, and what is drawn, with the clock held.

use super::super::Per;
use super::*;
use crate::decision::Usage;
use crate::store::sample::name;
use proptest::prelude::*;

fn requests(amount: u32, burst: u32) -> Quota {
    Quota {
        requests: Rate::new(amount, Per::Minute, Some(burst)),
        ..Quota::default()
    }
}

fn tokens(amount: u32) -> Quota {
    Quota {
        tokens: Rate::new(amount, Per::Minute, None),
        ..Quota::default()
    }
}

fn quotas(key: Option<Quota>, team: Option<Quota>, all: Option<Quota>) -> Quotas {
    Quotas {
        organisation: all,
        teams: team.map(|quota| (name("t"), quota)).into_iter().collect(),
        keys: key
            .map(|quota| (name("k"), (name("t"), quota)))
            .into_iter()
            .collect(),
    }
}

const EXPECTED: Expected = Expected {
    input: 100,
    most_output: Some(100),
};

fn admit(meters: &Arc<Meters>, quotas: &Quotas) -> Result<Option<Pass>, Box<Refused>> {
    meters.admit(quotas, (&name("t"), &name("k")), EXPECTED)
}

fn used(pass: &Pass, input: u32, output: u32) {
    pass.used(&Usage {
        input: Some(input),
        output: Some(output),
        ..Usage::default()
    });
}

/// Moves the paused clock.
async fn wait(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_quota_there_is_no_pass() {
    let meters = Arc::default();
    assert_eq!(admit(&meters, &Quotas::default()).unwrap(), None);
    let of_another = Quotas {
        keys: [(name("k"), (name("other"), requests(1, 1)))].into(),
        ..Quotas::default()
    };
    assert_eq!(admit(&meters, &of_another).unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_one_refuses_is_counted_by_none() {
    let meters = Arc::default();
    let all = quotas(
        Some(requests(60, 5)),
        Some(requests(60, 5)),
        Some(requests(60, 2)),
    );
    assert!(admit(&meters, &all).is_ok() && admit(&meters, &all).is_ok());
    for _ in 0..50 {
        let refused = admit(&meters, &all).unwrap_err();
        assert_eq!(
            (refused.owner, refused.limited),
            (Owner::Organisation, Limited::Requests)
        );
        assert_eq!(
            refused.told.requests.map(|r| r.left),
            Some(3),
            "the key's own"
        );
    }
    // The key and the team have drawn two, not fifty-two.
    let own = quotas(Some(requests(60, 5)), Some(requests(60, 5)), None);
    for _ in 0..3 {
        assert!(admit(&meters, &own).is_ok());
    }
    let refused = admit(&meters, &own).unwrap_err();
    assert_eq!(refused.owner, Owner::Key(name("t"), name("k")));
    assert_eq!(refused.wait, Duration::from_secs(1));
    wait(1).await;
    assert!(admit(&meters, &own).is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_organisations_figures_are_told_to_nobody() {
    let meters = Arc::default();
    let all = quotas(None, None, Some(requests(4711, 1)));
    assert!(admit(&meters, &all).is_ok());
    let refused = admit(&meters, &all).unwrap_err();
    assert_eq!(refused.told, Told::default());
    let words = refused.to_string();
    assert_eq!(
        words,
        "the organisation's limit on requests is reached: come again in 0.0 s"
    );
}

#[tokio::test(start_paused = true)]
async fn of_a_rate_that_a_key_has_not_its_teams_is_told() {
    let meters = Arc::default();
    let at_once = Quota {
        parallel: Some(5),
        ..Quota::default()
    };
    let team = Quota {
        tokens: Rate::new(600, Per::Minute, None),
        ..requests(60, 7)
    };
    let limits = |meters: &Arc<Meters>, key| {
        let pass = admit(meters, &quotas(Some(key), Some(team), Some(tokens(4711))));
        let told = *pass.unwrap().unwrap().told();
        [told.requests, told.tokens].map(|told| told.map(|t| t.limit))
    };
    assert_eq!(limits(&meters, at_once), [Some(7), Some(600)]);
    assert_eq!(limits(&meters, requests(60, 3)), [Some(3), Some(600)]);
}

#[tokio::test(start_paused = true)]
async fn a_call_has_its_place_until_its_pass_is_dropped() {
    let meters = Arc::default();
    let two = Quota {
        parallel: Some(2),
        ..Quota::default()
    };
    let all = quotas(None, Some(two), None);
    let first = admit(&meters, &all).unwrap();
    let second = admit(&meters, &all).unwrap();
    let refused = admit(&meters, &all).unwrap_err();
    assert_eq!(refused.limited, Limited::Parallel);
    assert_eq!(
        refused.to_string(),
        "the limit of t on parallel calls is reached: allowed 2 at once; come again in 1.0 s"
    );
    drop(first);
    assert!(admit(&meters, &all).is_ok());
    drop(second);
}

#[tokio::test(start_paused = true)]
async fn tokens_are_held_as_expected_and_drawn_as_used() {
    let meters = Arc::default();
    let all = quotas(None, Some(tokens(600)), None);
    let calls: Vec<_> = (0..3).map(|_| admit(&meters, &all).unwrap()).collect();
    let refused = admit(&meters, &all).unwrap_err();
    assert_eq!(refused.limited, Limited::Tokens);
    assert_eq!(
        refused.told.tokens.map(|t| (t.limit, t.left)),
        Some((600, 0))
    );
    // Each used 20 of the 200 that were held: 540 are left.
    for call in calls.iter().flatten() {
        used(call, 10, 10);
    }
    drop(calls);
    let left = |meters: &Arc<Meters>| {
        let pass = admit(meters, &all).unwrap().unwrap();
        pass.told().tokens.unwrap().left
    };
    assert_eq!(left(&meters), 540);
    // What was not expected is drawn as well, and waited for.
    let call = admit(&meters, &all).unwrap().unwrap();
    used(&call, 100, 1040);
    drop(call);
    wait(60).await;
    assert!(admit(&meters, &all).is_err());
    wait(20).await;
    assert_eq!(left(&meters), 200);
}

#[tokio::test(start_paused = true)]
async fn a_call_larger_than_a_burst_is_let_in_when_it_is_alone() {
    let meters = Arc::default();
    let all = quotas(None, Some(tokens(60)), None);
    let call = admit(&meters, &all).unwrap().unwrap();
    assert!(admit(&meters, &all).is_err());
    used(&call, 100, 20);
    drop(call);
    wait(119).await;
    assert!(admit(&meters, &all).is_err());
    wait(1).await;
    assert!(admit(&meters, &all).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_rate_that_changes_keeps_what_there_is_to_wait() {
    let meters = Arc::default();
    let slow = quotas(None, Some(requests(60, 1)), None);
    assert!(admit(&meters, &slow).is_ok());
    let fast = quotas(None, Some(requests(6000, 100)), None);
    let refused = admit(&meters, &fast).unwrap_err();
    assert_eq!(refused.told.requests.map(|r| r.left), Some(0));
    assert_eq!(refused.wait, Duration::from_millis(10));
    tokio::time::advance(refused.wait).await;
    assert!(admit(&meters, &fast).is_ok());
    assert!(admit(&meters, &fast).is_err());
}

#[tokio::test(start_paused = true)]
async fn what_is_owed_beyond_a_burst_stays_as_many_when_the_rate_changes() {
    let meters = Arc::default();
    let slow = quotas(None, Some(tokens(1_000)), None);
    let call = admit(&meters, &slow).unwrap().unwrap();
    let late = admit(&meters, &slow).unwrap().unwrap();
    used(&call, 0, 60_000);
    drop(call);
    let refused = admit(&meters, &slow).unwrap_err();
    assert!(refused.wait > Duration::from_secs(59 * 60), "{refused:?}");
    // 59,000 are owed beyond the burst of a minute: at 100,000 a minute they are 35.4 s.
    let fast = quotas(None, Some(tokens(100_000)), None);
    let refused = admit(&meters, &fast).unwrap_err();
    let about = Duration::from_secs(35)..Duration::from_secs(37);
    assert!(about.contains(&refused.wait), "{refused:?}");
    // What a call of before uses is drawn by the rate that there is now.
    used(&late, 0, 10_000);
    drop(late);
    let refused = admit(&meters, &fast).unwrap_err();
    let about = Duration::from_secs(41)..Duration::from_secs(43);
    assert!(about.contains(&refused.wait), "{refused:?}");
    tokio::time::advance(refused.wait).await;
    assert!(admit(&meters, &fast).is_ok());
}

#[test]
fn threads_at_once_get_no_more_than_the_burst() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let meters: Arc<Meters> = runtime.block_on(async { Arc::default() });
    let all = quotas(
        Some(requests(1, 500)),
        Some(requests(1, 300)),
        Some(requests(1, 400)),
    );
    let admitted: usize = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let calls = (0..100).filter(|_| admit(&meters, &all).is_ok());
                    calls.count()
                })
            })
            .collect();
        callers.into_iter().map(|c| c.join().unwrap()).sum()
    });
    assert_eq!(admitted, 300);
}

proptest! {
    /// Tokens that calls used within the whole time fit the burst and the rate, and what was not expected of those
    /// under way; and who is refused could not have been let in.
    #[test]
    fn tokens_fit_burst_and_rate(
        steps in prop::collection::vec((0_u64..5_000, 0_u32..200, any::<bool>()), 1..200),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let meters: Arc<Meters> = Arc::default();
            let all = quotas(None, Some(tokens(6000)), None);
            let (mut under_way, mut total, mut elapsed) = (Vec::new(), 0_u64, 0_u64);
            for (gap, input, ends) in steps {
                tokio::time::advance(Duration::from_millis(gap)).await;
                elapsed += gap;
                if ends && !under_way.is_empty() {
                    let (pass, input): (Pass, u32) = under_way.remove(0);
                    used(&pass, input, 50);
                    total += u64::from(input) + 50;
                    drop(pass);
                }
                let expected = Expected { input, most_output: Some(50) };
                if let Ok(Some(pass)) = meters.admit(&all, (&name("t"), &name("k")), expected) {
                    under_way.push((pass, input));
                }
                // 6000 at once, one each 10 ms.
                prop_assert!(total <= 6000 + elapsed / 10);
            }
            Ok(())
        })?;
    }
}
