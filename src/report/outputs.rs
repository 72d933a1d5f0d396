//! What commands print while they run, in whole lines: what came without its end waits for the rest. It must not write
//! anything: the screen does.

use crate::model::run::record::EffectId;
use crate::model::text::shown;
use std::collections::BTreeMap;

/// Output that came without its newline yet.
#[derive(Default)]
pub(super) struct Outputs(BTreeMap<EffectId, String>);

impl Outputs {
    /// The lines that are whole by now, as they are shown.
    pub(super) fn whole(&mut self, id: &EffectId, text: &str) -> Vec<String> {
        let held = self.0.entry(id.clone()).or_default();
        held.push_str(text);
        let end = held.rfind('\n').map_or(0, |end| end + 1);
        held.drain(..end).collect::<String>().lines().map(line).collect()
    }

    /// What is left when there comes no more.
    pub(super) fn rest(&mut self, id: &EffectId) -> Option<String> {
        self.0.remove(id).filter(|rest| !rest.is_empty()).map(|rest| line(&rest))
    }
}

fn line(text: &str) -> String {
    format!("| {}", shown(text))
}
