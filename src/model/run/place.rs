//! Places in texts as the journal stores them. It must not know what stands there.

use crate::error::Place;
use serde::{Deserialize, Serialize};

/// A [`Place`] as the journal stores it: `file:line:column`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceData {
    /// The file as the user knows it, `genesys/confserv-ha.rhai`.
    pub file: String,
    /// Line from 1.
    pub line: u32,
    /// Column from 1.
    pub column: u32,
}

impl From<&Place> for PlaceData {
    fn from(place: &Place) -> Self {
        Self { file: place.file.clone(), line: place.line, column: place.column }
    }
}

impl From<&PlaceData> for Place {
    fn from(place: &PlaceData) -> Self {
        Self { file: place.file.clone(), line: place.line, column: place.column }
    }
}
