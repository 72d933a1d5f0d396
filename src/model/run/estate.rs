//! Where a run acts, as its record names it. Plain data: it must not know how that place is reached.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where a run acts: written `site`, `simulation`, or `lab genesys:upgrade-mode`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum EstateId {
    /// On real hosts, which its inventory names.
    #[default]
    Site,
    /// On hosts that a test simulates.
    Simulation,
    /// In a rehearsal.
    Lab {
        /// The name of the lab.
        lab: String,
        /// The situation it began in.
        scenario: String,
    },
}

impl EstateId {
    /// The lab that it is, if it is one.
    #[must_use]
    pub fn lab(&self) -> Option<&str> {
        match self {
            Self::Lab { lab, .. } => Some(lab),
            Self::Site | Self::Simulation => None,
        }
    }
}

impl fmt::Display for EstateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Site => f.write_str("site"),
            Self::Simulation => f.write_str("simulation"),
            Self::Lab { lab, scenario } if scenario.is_empty() => write!(f, "lab {lab}"),
            Self::Lab { lab, scenario } => write!(f, "lab {lab}:{scenario}"),
        }
    }
}

/// Which rehearsal is asked for: `genesys` or `genesys:compatible`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabChoice {
    /// The lab.
    pub lab: String,
    /// The scenario, if one was named.
    pub scenario: Option<String>,
}

impl LabChoice {
    /// Reads `LAB` or `LAB:SCENARIO`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.split_once(':') {
            Some((lab, scenario)) => Self { lab: lab.to_owned(), scenario: Some(scenario.to_owned()) },
            None => Self { lab: text.to_owned(), scenario: None },
        }
    }
}

impl FromStr for EstateId {
    type Err = NoEstate;

    fn from_str(text: &str) -> Result<Self, NoEstate> {
        match text {
            "site" => Ok(Self::Site),
            "simulation" => Ok(Self::Simulation),
            _ => {
                let name = text.strip_prefix("lab ").filter(|name| !name.is_empty()).ok_or(NoEstate)?;
                let LabChoice { lab, scenario } = LabChoice::parse(name);
                Ok(Self::Lab { lab, scenario: scenario.unwrap_or_default() })
            }
        }
    }
}

impl TryFrom<String> for EstateId {
    type Error = NoEstate;

    fn try_from(text: String) -> Result<Self, NoEstate> {
        text.parse()
    }
}

impl From<EstateId> for String {
    fn from(estate: EstateId) -> Self {
        estate.to_string()
    }
}

/// A text that names no place where runs act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoEstate;

impl fmt::Display for NoEstate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it names no place where runs act: `site`, or a lab such as `lab genesys:compatible`")
    }
}

#[cfg(test)]
mod tests {
    use super::EstateId;

    #[test]
    fn what_is_written_is_read_again() {
        let lab = |lab: &str, scenario: &str| EstateId::Lab { lab: lab.into(), scenario: scenario.into() };
        for estate in [EstateId::Site, EstateId::Simulation, lab("genesys", "upgrade-mode"), lab("x", "")] {
            let text = serde_json::to_string(&estate).unwrap();
            assert_eq!(serde_json::from_str::<EstateId>(&text).unwrap(), estate, "{text}");
        }
        assert_eq!(lab("genesys", "upgrade-mode").to_string(), "lab genesys:upgrade-mode");
        for text in ["", "Site", "lab", "lab ", "sites"] {
            assert!(text.parse::<EstateId>().is_err(), "{text}");
        }
    }
}
