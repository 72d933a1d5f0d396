//! Edited texts for a run that is under way: read from where they are edited, compiled, linted, and held against the
//! record. For `resume --adopt-edited`, and for whoever opens an editor in the midst of a run. It opens none itself.

use super::acquire::AcquiredRun;
use super::estate::lab_of;
use super::site::Site;
use super::texts::{Recheck, prepare};
use crate::cli::context::Context;
use crate::dispatch::Gate;
use crate::error::{Error, Kind, Result};
use crate::journal::history::History;
use crate::library::Shelf;
use crate::model::run::source_name::SourceName;
use crate::model::text::{shown, typed};
use crate::platform::desk;
use crate::report::layout::paragraphs;
use crate::session::adoption::{self, Adoption};
use crate::session::{self, Finished, OperatorRuling, Prepared, ResumeTerms};
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

/// Texts that a run can go on with.
pub(in crate::cli) struct Edited {
    /// What it is made of then.
    pub(in crate::cli) prepared: Prepared,
    /// What differs.
    pub(in crate::cli) adoption: Adoption,
}

impl Edited {
    /// The texts as they are in this folder now: the runbook by its name on record, the inventory from its file.
    ///
    /// # Errors
    /// `Script` or `Inventory` for what is wrong with them, `Refused` when they do not fit the record. Nothing is
    /// written.
    pub(in crate::cli) fn read(
        run: &str,
        history: &History,
        verdict: &OperatorRuling,
        context: &Context,
    ) -> Result<Self> {
        let (site, store) = (Site::here(), context.store()?);
        let (file, inventory) = inventory(history, context)?;
        let name = &history.begun().runbook;
        let check = format!("baton check {name}");
        let check = match history.begun().estate.lab() {
            None => Recheck::both(format!("{check} -i {}", typed(&file))),
            Some(_) => Recheck { alone: check, beside_site: format!("baton resume {run} --adopt-edited --dry") },
        };
        let prepared = prepare(&site.runbook(&format!("{name}.rhai"))?, (&file, &inventory), &site, &check)?;
        let adoption = adoption::fit(&prepared, &*store, run, history, verdict)?;
        Ok(Self { prepared, adoption })
    }

    /// Goes on with them in a run that this command has taken up and that has stopped.
    ///
    /// # Errors
    /// `Refused` when they name another site, which is in use, or when what they give up still runs.
    pub(in crate::cli) fn go_on(
        self,
        taken: &mut AcquiredRun,
        events: Option<&Path>,
        gates: Vec<Rc<dyn Gate>>,
        context: &Context,
    ) -> Result<Finished> {
        self.tell_if_same(context);
        taken.exchange(self.prepared, context)?;
        let parts = taken.parts(events, gates, context)?;
        session::resume_on(
            &taken.prepared,
            parts,
            ResumeTerms { adoption: Some(self.adoption), ..ResumeTerms::default() },
        )
    }

    /// What differs, for people who only look.
    pub(in crate::cli) fn tell(&self, context: &Context) {
        self.tell_if_same(context);
        if self.adoption.differs {
            let changes = shown(&format!("the edited texts fit: {}", self.adoption.changes.join(", ")));
            let lines = paragraphs(&changes, context.screen.out_style.width);
            context.screen.out.say(&format!("{}\n", lines.join("\n")));
        }
    }

    /// What differs is told by the record; that nothing does, by nobody else.
    pub(in crate::cli) fn tell_if_same(&self, context: &Context) {
        if !self.adoption.differs {
            context.screen.remark("nothing was edited: the texts are those on record");
        }
    }
}

/// What is said where texts of a run have been edited since it began, with the command that takes them; nothing when
/// none has been, or when they do not fit as they are.
pub(in crate::cli) fn edited_since(run: &str, history: &History, context: &Context) -> Option<String> {
    let before = session::snapshot(&*context.store().ok()?, history).ok()?;
    // To find out whether they fit costs a replay.
    if !lie_otherwise(&before.files, history) {
        return None;
    }
    let edited =
        Edited::read(run, history, &OperatorRuling::Retry, context).ok().filter(|edited| edited.adoption.differs)?;
    let now = &edited.prepared.texts.files;
    let differs = |(name, text): &(&SourceName, &String)| now.get(*name) != Some(*text);
    let names: Vec<&str> = before.files.iter().filter(differs).map(|(name, _)| name.bare()).collect();
    let (what, has, it) = match names.as_slice() {
        [] => return None,
        [one] => (format!("`{one}`"), "has", "one"),
        [first, ..] => (format!("`{first}` and {} more", names.len() - 1), "have", "ones"),
    };
    Some(shown(&format!(
        "{what} {has} changed since run {run} began, which goes on with the texts it keeps; take the new {it}: \
         baton resume {run} --adopt-edited"
    )))
}

/// Whether a text of a run lies here otherwise than it keeps it.
fn lie_otherwise(kept: &BTreeMap<SourceName, String>, history: &History) -> bool {
    let site = Site::here();
    let is_changed = |(name, text): &(&SourceName, &String)| {
        let now = match name {
            SourceName::Inventory(_) if lab_of(history).is_some() => None,
            SourceName::Inventory(file) => desk::read_text(Path::new(file)).ok().flatten(),
            SourceName::Runbook(name) => site.runbook(&format!("{name}.rhai")).ok().map(|(_, text)| text),
            SourceName::Module(name) => site.lookup(Shelf::Modules, name),
            SourceName::Profile(name) => site.lookup(Shelf::Products, name),
            SourceName::Model(_) => None,
        };
        now.is_some_and(|now| now != **text)
    };
    kept.iter().any(|text| is_changed(&text))
}

/// The inventory of a run: its file as it is now; a lab keeps its own.
fn inventory(history: &History, context: &Context) -> Result<(String, String)> {
    let mut sources = history.sources().iter();
    let Some((file, digest)) = sources.find_map(|(name, digest)| Some((name.inventory()?, digest))) else {
        return Err(Error::new(Kind::Refused, "the run has no inventory on record"));
    };
    let text = if history.begun().estate.lab().is_some() {
        context.store()?.source(digest)?
    } else {
        desk::read_text(Path::new(file))?.ok_or_else(|| {
            Error::new(Kind::Usage, format!("there is no inventory `{file}` here, which the run was begun with"))
                .hint("type it in the folder where the run was begun")
        })?
    };
    Ok((file.to_owned(), text))
}
