//! Budgets.

use super::record::timestamp;
use crate::account::{Owner, Refusal};
use crate::budget::Pace;
use crate::grpc::admin::Spent;
use crate::proto::v1;

/// A team's budget and where it stands; absent where it has none, its key neither, and nothing was refused.
pub(in crate::grpc) fn budget(pace: Option<Pace>, spent: Spent) -> Option<v1::Budget> {
    let Spent {
        team: balance,
        key,
        refusals,
    } = spent;
    if pace.is_none() && balance.is_none() && key.is_none() && refusals.is_empty() {
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
        refusals: refusals.into_iter().map(refusal).collect(),
        key: key.map(|(key, balance)| v1::KeyBudget {
            key: key.to_string(),
            limit_nano_usd: balance.limit.get(),
            spent_nano_usd: balance.spent.get(),
            held_nano_usd: balance.held.get(),
            reset_time: balance.resets.map(timestamp),
        }),
    })
}

fn refusal(refusal: Refusal) -> v1::BudgetRefusal {
    let of_all = refusal.owner == Owner::Organisation;
    v1::BudgetRefusal {
        refuse_time: Some(timestamp(refusal.time)),
        key: refusal.key.to_string(),
        task: refusal.task.map_or(String::new(), |task| task.to_string()),
        owner: refusal.owner.to_string(),
        asked_nano_usd: refusal.asked.get(),
        // It tells what others spend.
        left_nano_usd: (!of_all).then_some(refusal.left.get()),
    }
}
