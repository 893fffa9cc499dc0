//! Calls that were refused by a limit.

use super::record::timestamp;
use crate::proto::v1;
use crate::quota::Refusal;

pub(in crate::grpc) fn over_limit(refusal: Refusal) -> v1::LimitRefusal {
    v1::LimitRefusal {
        refuse_time: Some(timestamp(refusal.time)),
        key: refusal.key.to_string(),
        task: refusal.task.map_or(String::new(), |task| task.to_string()),
        owner: refusal.owner.to_string(),
        limit: refusal.limited.as_str().to_owned(),
    }
}
