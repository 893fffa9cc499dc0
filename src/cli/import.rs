//! `import`: files of other projects and gateways into ours.

use super::args::{Import, Litellm, Sheets, Shop, ShopPmf};
use super::out::{self, Failure};
use bellwether::table::{
    self, Columns, Error, Fields, Imported, LITELLM, OPEN_BANDIT, OpenBandit, Pmf, Spend, Weights,
    Wide,
};

/// Imports files of one format.
pub(crate) fn import(arguments: &Import) -> Result<(), Failure> {
    let (format, done) = match arguments {
        Import::Wide(sheets) => (sheets.moved.format, wide(sheets, Wide::default())),
        Import::Routerbench(sheets) => (sheets.moved.format, wide(sheets, Wide::routerbench())),
        Import::Long(long) => {
            let (moved, columns) = (&long.moved, Columns::parse(&long.columns.map)?);
            let done = table::long(&moved.files, &columns, long.percent, &moved.out);
            (moved.format, done)
        }
        Import::OpenBandit(shop) => (shop.moved.format, open_bandit(shop)),
        Import::Litellm(log) => (log.moved.format, litellm(log)),
    };
    let done = done?;
    out::write(format, &done, &done.to_string())
}

fn wide(arguments: &Sheets, usual: Wide) -> Result<Imported, Error> {
    let models = arguments.models.clone();
    let wide = Wide {
        id: arguments.id.clone().unwrap_or_else(|| usual.id.clone()),
        prompt: arguments.prompt.clone(),
        task: arguments.task.clone(),
        models: (!models.is_empty()).then_some(models),
        cost_suffix: arguments.cost_suffix.clone(),
        latency_suffix: arguments.latency_suffix.clone(),
        percent: arguments.percent,
        ..usual
    };
    wide.import(&arguments.moved.files, &arguments.moved.out)
}

fn open_bandit(arguments: &Shop) -> Result<Imported, Error> {
    let log = OpenBandit {
        fields: Fields::parse(&arguments.map, OPEN_BANDIT)?,
        pmf: match arguments.pmf {
            ShopPmf::None => Pmf::None,
            ShopPmf::Uniform => Pmf::Uniform,
            ShopPmf::Shares => Pmf::Shares,
        },
        target: arguments.target.clone(),
        arms: arguments.arms.map(|arms| arms as usize),
    };
    log.import(&arguments.moved.files, &arguments.moved.out)
}

fn litellm(arguments: &Litellm) -> Result<Imported, Error> {
    let weights = arguments.weights.as_deref().map(Weights::parse);
    let log = Spend {
        fields: Fields::parse(&arguments.map, LITELLM)?,
        weights: weights.transpose()?,
        group: arguments.group.clone(),
        tag: arguments.tag.clone(),
        outcomes: arguments.outcomes.clone(),
        outcome_id: arguments.outcome_id.clone(),
        score: arguments.score.clone(),
        percent: arguments.percent,
    };
    log.import(&arguments.moved.files, &arguments.moved.out)
}
