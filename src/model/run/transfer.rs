//! A file that is carried between the machine baton runs on and a host. Plain data; nothing here looks at a file.

use crate::model::span::Span;
use serde::{Deserialize, Serialize};

/// What is carried, and under which conditions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// The file on the machine baton runs on; a relative path is one below the folder baton was started in.
    pub local: String,
    /// The file on the host, a full path.
    pub remote: String,
    /// The permission bits the target gets; not said, those of the file it replaces, or else of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    /// The SHA-256 the source must have, in small hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// How long it may take.
    pub limit: Span,
    /// The most bytes it may have.
    pub max: u64,
    /// Whether a local file with another content may be replaced. Those of hosts are.
    pub replace: bool,
}
