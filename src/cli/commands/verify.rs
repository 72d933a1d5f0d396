//! `baton verify`: walks every path through runbooks that an unkind world can make them take, in simulated worlds, and
//! says what does not hold there. It touches no host.

use crate::cli::context::Context;
use crate::cli::operations::scenes::{self, Scenes, Wanted};
use crate::cli::operations::site::Site;
use crate::cli::operations::texts::given_params;
use crate::error::Result;
use crate::model::span::Span;
use crate::verify::explorer::{self, Bounds};
use crate::world::crew;
use std::path::PathBuf;

/// Walk every path through a runbook in simulated worlds, with faults, and say what does not hold
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct VerifyArgs {
    /// Names from `baton list`, or paths of .rhai files
    #[arg(required = true)]
    runbooks: Vec<String>,
    /// The site: its inventory, a TOML file. Nothing there is touched: its products are simulated
    #[arg(short, long, value_name = "FILE", conflicts_with = "lab")]
    inventory: Option<PathBuf>,
    /// A lab, of which every scenario is explored, or only one
    #[arg(long, value_name = "LAB[:SCENARIO]")]
    lab: Option<String>,
    /// A parameter of the runbook; may be given several times
    #[arg(short, long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,
    /// How long it may take, all runbooks together
    #[arg(long, value_name = "SPAN", default_value = "5min", value_parser = Span::parse)]
    budget: Span,
    /// How many faults there may be in one night
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=2))]
    faults: u8,
    /// By which number pairs of faults are ordered
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Re-live a counterexample, by the line that was printed with it
    #[arg(long, value_name = "LINE")]
    replay: Option<String>,
    /// How many workers
    #[arg(long, value_name = "N", hide = true)]
    workers: Option<usize>,
}

impl VerifyArgs {
    /// The runbooks and the inventory as they were given.
    pub(in crate::cli) fn names(&self) -> (Vec<String>, Option<PathBuf>) {
        (self.runbooks.clone(), self.inventory.clone())
    }
}

pub(in crate::cli) fn run(args: &VerifyArgs, context: &Context) -> Result<u8> {
    let site = Site::here();
    for runbook in &args.runbooks {
        let params = given_params(&args.params, runbook)?;
        let wanted =
            Wanted { runbook, inventory: args.inventory.as_deref(), lab: args.lab.as_deref(), params: &params };
        let Scenes { name, scenes, .. } = scenes::gather(&wanted, &site)?;
        let bounds = Bounds {
            faults: args.faults.into(),
            deaths: 1,
            seed: args.seed,
            budget_ms: args.budget.0,
            workers: args.workers.unwrap_or_else(crew::cores),
            first_only: false,
        };
        let explored = explorer::explore(scenes, bounds, &mut |tally, found| {
            context.screen.remark(&format!("{name}: {tally:?} {found}"));
        })?;
        context.screen.out.say(&format!("{explored:#?}\n"));
    }
    Ok(0)
}
