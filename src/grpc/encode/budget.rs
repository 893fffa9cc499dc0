//! Budgets.

use super::record::timestamp;
use crate::account::Balance;
use crate::budget::Pace;
use crate::proto::v1;

/// A team's budget and where it stands; absent where it has none.
pub(in crate::grpc) fn budget(pace: Option<Pace>, balance: Option<Balance>) -> Option<v1::Budget> {
    if pace.is_none() && balance.is_none() {
        return None;
    }
    Some(v1::Budget {
        request_usd: pace.map(|pace| pace.params().request_usd),
        price: pace.map_or(0.0, |pace| pace.price().low),
        balance_usd: pace.map_or(0.0, |pace| pace.balance_usd()),
        limit_nano_usd: balance.map(|balance| balance.limit.get()),
        spent_nano_usd: balance.map_or(0, |balance| balance.spent.get()),
        held_nano_usd: balance.map_or(0, |balance| balance.held.get()),
        reset_time: balance.and_then(|balance| balance.resets).map(timestamp),
        overrun_nano_usd: balance.map_or(0, |balance| balance.overrun.get()),
    })
}
