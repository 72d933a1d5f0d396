//! `baton check`: says what can be seen to be wrong with runbooks without running them. It touches nothing.

use crate::cli::context::Context;
use crate::cli::operations::site::Site;
use crate::cli::operations::texts;
use crate::error::{Error, Kind, Result};
use crate::library::Shelf;
use crate::model::site::inventory::Inventory;
use crate::model::text::shown;
use crate::platform::desk;
use crate::report::diagnostic;
use crate::report::style::Tone;
use crate::script::analysis::lint::{self, Finding, Severity};
use crate::script::compile::sources::Sources;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Check runbooks without running them
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct CheckArgs {
    /// Names from `baton list`, or paths of .rhai files; without any, all of them
    runbooks: Vec<String>,
    /// Also check the names of hosts, services and pairs against this inventory
    #[arg(short, long, value_name = "FILE")]
    inventory: Option<PathBuf>,
}

impl CheckArgs {
    /// The runbooks and the inventory as they were given.
    pub(in crate::cli) fn names(&self) -> (Vec<String>, Option<PathBuf>) {
        (self.runbooks.clone(), self.inventory.clone())
    }
}

pub(in crate::cli) fn run(args: &CheckArgs, context: &Context) -> Result<u8> {
    let site = Site::here();
    let inventory = args.inventory.as_deref().map(|path| read(path, &site)).transpose()?.map(Rc::new);
    let all = if args.runbooks.is_empty() { site.names(Shelf::Runbooks) } else { args.runbooks.clone() };
    let style = context.screen.out_style;
    let mut worst = 0;
    for given in &all {
        let findings = check(given, &site, inventory.as_ref())
            .unwrap_or_else(|error| vec![Finding { severity: Severity::Error, error }]);
        for finding in &findings {
            let error = context.screen.advised(&finding.error);
            let text = match finding.severity {
                Severity::Error => {
                    worst = worst.max(error.kind.exit_code());
                    diagnostic::render(&error, &style)
                }
                Severity::Warning => diagnostic::render_warning(&error, &style),
            };
            context.screen.out.print(&format!("{text}\n"));
        }
        let (mark, tone) = match findings.len() {
            0 => ("✓ sound".to_owned(), Tone::Good),
            1 => ("! 1 finding".to_owned(), Tone::Warn),
            many => (format!("! {many} findings"), Tone::Warn),
        };
        context.screen.out.say(&format!("{:<13} {}\n", style.paint(tone, &mark), shown(given)));
    }
    if inventory.is_none() {
        let hint = "no inventory given: hosts and services were not checked (-i FILE)";
        context.screen.out.say(&format!("{}\n", style.paint(Tone::Dim, hint)));
    }
    Ok(worst)
}

fn read(path: &Path, site: &Site) -> Result<Inventory> {
    let missing = || Error::new(Kind::Usage, format!("there is no inventory `{}`", path.display()));
    let text = desk::read_text(path)?.ok_or_else(missing)?;
    texts::inventory((&path.display().to_string(), &text), site)
}

fn check(given: &str, site: &Site, inventory: Option<&Rc<Inventory>>) -> Result<Vec<Finding>> {
    let (name, text) = site.runbook(given)?;
    let mut read_module = |module: &str| site.lookup(Shelf::Modules, module);
    let sources = site.check(Sources::collect(&name, &text, &mut read_module))?;
    Ok(lint::lint(&crate::script::program(&sources)?, inventory))
}
