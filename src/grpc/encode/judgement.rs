//! What a log says of candidates, on the wire: the same figures as `replay traffic` gives.

use crate::id::Name;
use crate::ope;
use crate::proto::v1;
use crate::replay::{
    Anytime, Bucket, CandidateReport, Condition, Gate, Measure, Point, PropensityCheck, Range,
    Slice, TrafficReport, Wanted,
};

/// A count.
pub(in crate::grpc) fn whole(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(in crate::grpc) fn replay_report(found: TrafficReport) -> v1::ReplayReport {
    let wanted = |w: Wanted| v1::WantedSignal {
        signal: w.signal.to_string(),
        decision_count: whole(w.decisions),
    };
    v1::ReplayReport {
        used_count: whole(found.used),
        deterministic_count: whole(found.deterministic),
        unobserved_count: whole(found.unobserved),
        logged_mean: found.logged.map_or(0.0, |logged| logged.value),
        candidates: found.candidates.into_iter().map(candidate).collect(),
        wanted: found.wanted.into_iter().map(wanted).collect(),
        held_out_count: whole(found.held_out),
        lift: found.lift.map(|lift| estimate(lift.difference)),
        incumbent: found.incumbent,
        decision_count: whole(found.rows),
        draw_count: whole(found.draws),
        orphaned_count: whole(found.orphaned),
        propensities: Some(propensities(found.propensities)),
        incumbent_refusal: found.incumbent_refusal.map(|refusal| refusal.to_string()),
        episode_count: whole(found.episodes),
        several_draws_count: whole(found.several_draws),
    }
}

fn propensities(found: PropensityCheck) -> v1::PropensityReport {
    let counts = found.calibration;
    let arms = found.arms.into_iter().zip(counts.arms);
    let arm = |(name, arm): (Name, ope::ArmCalibration)| v1::ArmDraws {
        arm: name.to_string(),
        drawn: arm.observed,
        expected: arm.expected,
        z: arm.z,
    };
    v1::PropensityReport {
        recomputed_count: whole(found.recomputed),
        equal_count: whole(found.equal),
        unreadable_count: whole(found.unreadable),
        impossible_count: whole(counts.impossible),
        chi_square: counts.chi_square,
        degrees: whole(counts.degrees),
        p_value: counts.p_value,
        arms: arms.map(arm).collect(),
    }
}

fn candidate(found: CandidateReport) -> v1::CandidateReport {
    let refusal = found.refusal.map(|refusal| refusal.to_string());
    v1::CandidateReport {
        candidate: found.candidate,
        refusal: refusal.unwrap_or_default(),
        effective_sample_size: found.overlap.effective_sample_size,
        mean_weight: found.overlap.mean_weight,
        ips: found.ips.map(estimate),
        snips: found.snips.map(estimate),
        doubly_robust: found.doubly_robust.map(estimate),
        stabilised: found.stabilised.map(estimate),
        difference: found.difference.map(estimate),
        detectable_effect: found.detectable_effect,
        bounds: found.bounds.map(range),
        passed_over_count: whole(found.not_applicable),
        measures: found.measures.into_iter().map(measure).collect(),
        tasks: found.slices.into_iter().map(task).collect(),
        worst_task: found.worst_slice,
        course: found.course.into_iter().map(point).collect(),
        gate: found.gate.map(gate),
        cautions: found.cautions.iter().map(ToString::to_string).collect(),
        weights: found.weights.into_iter().map(bucket).collect(),
        largest_share: found.overlap.largest_share,
        thin_mass: found.thin,
        tail_index: found.tail_index,
    }
}

fn measure(found: Measure) -> v1::CandidateMeasure {
    v1::CandidateMeasure {
        name: found.name,
        decision_count: whole(found.rows),
        value: found.value.map(estimate),
        difference: found.difference.map(estimate),
        stabilised: found.stabilised.map(estimate),
        anytime: found.anytime.map(anytime),
        cut_share: found.anytime.map(|bounds| bounds.cut),
    }
}

fn task(found: Slice) -> v1::TaskDifference {
    v1::TaskDifference {
        task: found.name,
        decision_count: whole(found.rows),
        effective_sample_size: found.effective_sample_size,
        difference: found.difference.map(estimate),
        p_value: found.p_value,
        differs: found.differs,
    }
}

fn point(found: Point) -> v1::CoursePoint {
    v1::CoursePoint {
        decision_count: whole(found.decisions),
        difference: Some(estimate(found.difference)),
        anytime: found.anytime.map(range),
    }
}

fn gate(found: Gate) -> v1::ReplayGate {
    let condition = |one: Condition| v1::GateCondition {
        asks: one.asks,
        holds: one.holds,
        bound: one.bound,
        least: one.least,
        why: one.why,
    };
    v1::ReplayGate {
        promote: found.promote,
        miss: found.miss,
        conditions: found.conditions.into_iter().map(condition).collect(),
    }
}

fn bucket(found: Bucket) -> v1::WeightBucket {
    v1::WeightBucket {
        most: found.most,
        episode_count: whole(found.episodes),
    }
}

fn anytime(found: Anytime) -> v1::ValueRange {
    v1::ValueRange {
        lower: found.lower,
        upper: found.upper,
    }
}

fn range(found: Range) -> v1::ValueRange {
    v1::ValueRange {
        lower: found.lower,
        upper: found.upper,
    }
}

fn estimate(found: ope::Estimate) -> v1::Estimate {
    v1::Estimate {
        value: found.value,
        lower: found.lower,
        upper: found.upper,
        standard_error: found.standard_error,
    }
}
