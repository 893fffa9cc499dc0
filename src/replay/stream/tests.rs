//! Streams: order, what is given away, lost or changed. The table is that of `outcomes`.

use super::*;
use crate::replay::outcomes::tests::made;

fn bench(lambda: f64) -> Bench {
    Bench::rewards_only(&made(1000, true), lambda).unwrap()
}

fn drift(text: &str) -> StreamParams {
    StreamParams {
        drift: Some(text.parse().unwrap()),
        ..StreamParams::default()
    }
}

/// The options are refused with these words.
fn check(params: &StreamParams, expected: &str) {
    let refused = Plan::new(&bench(0.0), params).unwrap_err().to_string();
    assert_eq!(refused, expected);
}

#[test]
fn options_out_of_range_are_refused_with_what_is_allowed() {
    let plain = StreamParams::default;
    let given_away = StreamParams {
        seed_rows: 1000,
        ..plain()
    };
    check(
        &given_away,
        "seed_rows is 1000: allowed 0 to 999, one less than a stream has prompts",
    );
    let late = StreamParams {
        delay: 1_000_001,
        ..plain()
    };
    check(&late, "delay is 1000001: allowed 0 to 1000000");
    for missing in [-0.1, 1.0, f64::NAN] {
        let lost = StreamParams { missing, ..plain() };
        check(&lost, &format!("missing is {missing}: allowed 0 to 0.99"));
    }
    check(&drift("drop=0.5@0.5:z"), "drift has arm z: allowed a, b, c");
    check(
        &drift("suffix=1,#e9"),
        "drift has suffix \"#e9\": allowed one that the id of some prompt ends with",
    );
}

#[test]
fn the_plain_stream_is_the_tables_order() {
    let (bench, params) = (bench(0.0), StreamParams::default());
    let plan = Plan::new(&bench, &params).unwrap();
    let stream = plan.stream(3);
    let prompts: Vec<usize> = stream.played().map(|step| step.prompt).collect();
    assert_eq!(prompts, bench.order(3));
    assert!(stream.played().all(|step| stream.arrives(step)));
    assert_eq!(stream.seeded().count(), 0);
}

#[test]
fn rows_that_are_given_away_come_first_and_are_not_played() {
    let (bench, mut params) = (bench(0.0), StreamParams::default());
    params.seed_rows = 300;
    let plan = Plan::new(&bench, &params).unwrap();
    let stream = plan.stream(0);
    let prompts = |steps: Vec<Step>| steps.iter().map(|s| s.prompt).collect::<Vec<_>>();
    let (seeded, played) = (stream.seeded().collect(), stream.played().collect());
    assert_eq!([prompts(seeded), prompts(played)].concat(), bench.order(0));
    assert_eq!(stream.played().next().unwrap().index, 300);
}

#[test]
fn the_share_that_is_lost_is_as_asked() {
    let (bench, mut params) = (bench(0.0), StreamParams::default());
    params.missing = 0.3;
    let plan = Plan::new(&bench, &params).unwrap();
    let lost = |seed| {
        let stream = plan.stream(seed);
        let mut lost: Vec<usize> = stream
            .played()
            .filter(|step| !stream.arrives(*step))
            .map(|step| step.prompt)
            .collect();
        lost.sort_unstable();
        lost
    };
    // Four standard deviations of a binomial of 1,000 at 0.3: 58. The hash is fixed, so is the count.
    for seed in 0..5 {
        assert!(lost(seed).len().abs_diff(300) < 58, "{}", lost(seed).len());
    }
    assert_ne!(lost(0), lost(1));
}

/// From the change on, the arm's reward is less by (1 - 0.5) of its score; nothing else differs.
fn check_drop(text: &str, lambda: f64, dropped: &str, change: usize) {
    let (bench, params) = (bench(lambda), drift(text));
    let plan = Plan::new(&bench, &params).unwrap();
    assert_eq!(plan.dropped().unwrap().as_str(), dropped);
    let stream = plan.stream(1);
    for (index, step) in stream.played().enumerate() {
        let (scores, rewards) = (bench.scores(step.prompt), bench.rewards(step.prompt));
        for (place, arm) in bench.arms().iter().enumerate() {
            let hit = index >= change && arm.as_str() == dropped;
            let factor = if hit { 0.5 } else { 1.0 };
            let (seen, before) = (
                stream.seen(step, place),
                bench.seen(step.prompt, place).cost,
            );
            assert!((seen.score - factor * scores[place]).abs() < 1e-12 && seen.cost == before);
            let expected = rewards[place] - (1.0 - factor) * scores[place];
            assert!((stream.rewards(step)[place] - expected).abs() < 1e-12);
        }
    }
}

#[test]
fn a_drop_takes_its_share_of_one_arms_score_and_only_later() {
    // The best single arm: c where cost is ignored; a dear one is not the best where it counts.
    check_drop("drop=0.5@0.5", 0.0, "c", 500);
    check_drop("drop=0.5@0.25", 1.0, "a", 250);
    check_drop("drop=0.5@0.999:b", 0.1, "b", 999);
}

#[test]
fn suffixes_put_one_part_before_the_other_each_in_the_streams_order() {
    let (bench, params) = (bench(0.0), drift("suffix=7,3"));
    let plan = Plan::new(&bench, &params).unwrap();
    assert_eq!((plan.len(), plan.change()), (200, Some(100)));
    let played: Vec<usize> = plan.stream(2).played().map(|step| step.prompt).collect();
    let order = bench.order(2);
    let ending = |last: usize| order.iter().copied().filter(move |p| p % 10 == last);
    assert_eq!(played, ending(7).chain(ending(3)).collect::<Vec<_>>());
    assert!(plan.dropped().is_none());
}
