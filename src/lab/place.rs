//! The folder a lab lives in: what lies where, and its card, which says how it was begun and for which run.

use crate::error::{Error, Kind, Result};
use crate::model::run::instant::Wall;
use crate::platform::desk;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// How a lab was begun: `lab.toml` in its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The lab.
    pub lab: String,
    /// Its scenario.
    pub scenario: String,
    /// The model that animates it.
    pub model: String,
    /// How many seconds pass in a real one.
    pub speed: u32,
    /// When it began, by the real wall clock: its clock agrees with the real one then.
    pub origin: Wall,
    /// The process that animates it; 0 before it is started.
    #[serde(default)]
    pub pid: u32,
    /// The run it was begun for; empty before that has begun.
    #[serde(default)]
    pub run: String,
    /// Nobody answers in it: questions are for whoever began it.
    #[serde(default)]
    pub unattended: bool,
}

impl Card {
    /// The file of its model, as people know it.
    #[must_use]
    pub fn model_file(&self) -> String {
        crate::library::Shelf::Models.path(&self.model)
    }

    /// What its model's chances are drawn from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        u64::try_from(self.origin.0).unwrap_or(0)
    }
}

/// Paths in a lab's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabPaths(PathBuf);

impl LabPaths {
    /// The folder of the lab `name` in a state folder.
    #[must_use]
    pub fn of(state: &Path, name: &str) -> Self {
        Self(state.join("labs").join(name))
    }

    /// A folder that is known.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self(folder.to_path_buf())
    }

    /// The folder itself.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Where the lab listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.0.join("socket")
    }

    /// Every verb that reached the lab, one JSON line each.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.0.join("ledger.jsonl")
    }

    /// The inventory of its site.
    #[must_use]
    pub fn inventory(&self) -> PathBuf {
        self.0.join("inventory.toml")
    }

    /// The commands its adapters know.
    #[must_use]
    pub fn calls(&self) -> PathBuf {
        self.0.join("calls.json")
    }

    /// What the lab's process has to complain about.
    #[must_use]
    pub fn complaints(&self) -> PathBuf {
        self.0.join("lab.log")
    }

    /// The copy of a product's profile that the lab was begun with.
    #[must_use]
    pub fn profile(&self, product: &str) -> PathBuf {
        self.0.join("products").join(format!("{product}.toml"))
    }

    /// The copy of the model that the lab was begun with.
    #[must_use]
    pub fn model(&self, model: &str) -> PathBuf {
        self.0.join("models").join(format!("{model}.rhai"))
    }

    /// The lab's card, if there is a lab in the folder.
    ///
    /// # Errors
    /// When the card cannot be read.
    pub fn card(&self) -> Result<Option<Card>> {
        let path = self.0.join("lab.toml");
        let Some(text) = desk::read_text(&path)? else { return Ok(None) };
        let card = toml::from_str(&text).map_err(|error| {
            Error::new(Kind::Refused, format!("`{}` is damaged", path.display()))
                .cause(error)
                .hint("if it is no lab of baton's, name another state folder: --state DIR")
                .hint("else end what is left of that lab, and set the file aside: baton lab stop")
        })?;
        Ok(Some(card))
    }

    /// Whether a lab may be begun here, in place of what is there: a folder that baton has made for a lab of this name,
    /// or nothing.
    ///
    /// # Errors
    /// `Refused` when there is something else: it is somebody's, whatever its name.
    pub fn must_be_ours(&self, lab: &str) -> Result<()> {
        let made = desk::is_own_folder(&self.0) && self.card()?.is_some_and(|card| card.lab == lab);
        if made || desk::is_free(&self.0)? {
            return Ok(());
        }
        let folder = self.0.display();
        Err(Error::new(Kind::Refused, format!("`{folder}` is there, and no lab of baton's: nothing in it is touched"))
            .hint("move it away, or name a state folder in which baton is alone: --state DIR"))
    }

    /// Sets a card aside that cannot be read. Gives where it is then.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn set_card_aside(&self) -> Result<PathBuf> {
        desk::set_aside(&self.0.join("lab.toml"))
    }

    /// Replaces the card.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_card(&self, card: &Card) -> Result<()> {
        let text =
            toml::to_string(card).map_err(|error| Error::new(Kind::Internal, "cannot write a card").cause(error))?;
        desk::replace(&self.0.join("lab.toml"), &text)
    }
}
