//! What a lab is made from: `stdlib/labs/<lab>.toml`, with its scenarios and the inventory of its site. Pure.

use crate::error::{Error, Kind, Result};
use crate::library::Shelf;
use crate::model::run::estate::LabChoice;
use crate::model::site::document::{Document, span_of};
use crate::model::text::did_you_mean;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::de::Deserializer;

/// A lab's description.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// What it rehearses, in one line.
    pub title: String,
    /// The model that animates it.
    pub model: String,
    /// How many seconds pass in a real one, unless the caller says.
    pub speed: u32,
    /// The scenario, unless the caller names one.
    pub scenario: String,
    /// Every scenario with what happens in it.
    pub scenarios: BTreeMap<String, String>,
    /// Parameters a scenario implies, by scenario.
    #[serde(default)]
    pub params: BTreeMap<String, BTreeMap<String, String>>,
    /// The site; `{lab}` stands for the folder the lab lives in.
    inventory: toml::Table,
    /// The description itself.
    #[serde(skip)]
    text: String,
    /// The scenarios' names in the order of the file.
    #[serde(skip)]
    order: Vec<String>,
}

impl Template {
    /// Reads the description of the lab `name`.
    ///
    /// # Errors
    /// `Inventory`, with its place in the file, when it is not one.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let file = Shelf::Labs.path(name);
        let document = Document::new(&file, text);
        let table = document.parse()?;
        let span = table.span();
        let place = span_of(table.get_ref(), &["scenario"]).unwrap_or_default();
        let written = table.get_ref().get("scenarios").and_then(|scenarios| scenarios.get_ref().as_table());
        let mut written: Vec<(usize, String)> =
            written.into_iter().flatten().map(|(name, _)| (name.span().start, name.to_string())).collect();
        written.sort_unstable();
        let order = written.into_iter().map(|(_, name)| name).collect();
        let read = Self::deserialize(Deserializer::from(table)).map_err(|error| document.mistyped(&error, span))?;
        let template = Self { text: text.to_owned(), order, ..read };
        if !template.scenarios.contains_key(&template.scenario) {
            let error = document.wrong(place, format!("the lab has no scenario `{}`", template.scenario));
            return Err(match did_you_mean(&template.scenario, template.scenarios.keys().map(String::as_str)) {
                Some(near) => error.hint(near),
                None => error,
            });
        }
        Ok(template)
    }

    /// The scenarios, each with what happens in it, in the order in which the description tells of them.
    pub fn in_order(&self) -> impl Iterator<Item = (&String, &String)> {
        self.order.iter().filter_map(|name| self.scenarios.get_key_value(name))
    }

    /// The scenario that is meant.
    ///
    /// # Errors
    /// `Usage` when the lab has no such scenario; the message names those it has.
    pub fn scenario(&self, wanted: &LabChoice) -> Result<String> {
        let Some(given) = &wanted.scenario else { return Ok(self.scenario.clone()) };
        if self.scenarios.contains_key(given) {
            return Ok(given.clone());
        }
        let mut error = Error::new(Kind::Usage, format!("the lab `{}` has no scenario `{given}`", wanted.lab));
        if let Some(near) = did_you_mean(given, self.scenarios.keys().map(String::as_str)) {
            error = error.hint(near);
        }
        Err(error.hint(format!("see which it has: baton lab {}", wanted.lab)))
    }

    /// The inventory of the site, for a lab that lives in `folder`. Where it can be, every line of it stands where it
    /// stands in the description, so that whoever has made a mistake there is led to it.
    #[must_use]
    pub fn inventory(&self, folder: &str) -> String {
        let kept = kept_lines(&self.text);
        let same = kept.parse::<toml::Table>().is_ok_and(|table| table == self.inventory);
        let text = if same { kept } else { self.inventory.to_string() };
        text.replace("{lab}", folder)
    }
}

/// The lines of a description that belong to the inventory, without that word in their titles; the others are empty.
fn kept_lines(text: &str) -> String {
    let mut inside = false;
    let keep = |line: &str| {
        if line.starts_with('[') {
            inside = line.starts_with("[inventory.");
        }
        let title = line.strip_prefix("[inventory.").map(|rest| format!("{:10}[{rest}", ""));
        if inside { title.unwrap_or_else(|| line.to_owned()) } else { String::new() }
    };
    text.lines().map(keep).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::Template;
    use crate::library::{self, Shelf};
    use crate::model::run::estate::LabChoice;

    #[test]
    fn every_shipped_lab_can_be_read_and_a_wrong_scenario_is_answered_with_the_near_one() {
        for entry in library::all(Shelf::Labs) {
            let template = Template::parse(entry.name, entry.text).expect(entry.name);
            let told: Vec<&String> = template.in_order().map(|(name, _)| name).collect();
            assert_eq!(told.len(), template.scenarios.len());
            let place = |name: &str| entry.text.find(&format!("\n{name} = "));
            assert!(told.is_sorted_by_key(|name| place(name)), "in the order of the file: {told:?}");
            let inventory = template.inventory("/l");
            assert!(!inventory.contains("{lab}"));
            let line = |text: &str| text.lines().position(|line| line.trim_start().ends_with("hosts.cfg-b]"));
            assert_eq!(line(&inventory), line(entry.text), "lines stay where they are");
            assert!(template.params.keys().all(|scenario| template.scenarios.contains_key(scenario)));
            let near = format!("{}:{}x", entry.name, template.scenario);
            let error = template.scenario(&LabChoice::parse(&near)).expect_err("no such scenario");
            assert!(error.hints[0].contains(&template.scenario), "{error}");
        }
    }
}
