//! The surroundings of a command: the folder it runs in and variables it sees. Both travel as words of its own
//! argument list, on every kind of host; no value becomes part of a shell line. Pure.

/// Enters the folder that is its first argument and becomes the command that follows.
const IN_FOLDER: &str = r#"cd -- "$1" && shift && exec "$@""#;

/// Where a command runs and what it sees there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandEnvironment {
    /// The folder, a full path; not said, the home folder of whoever runs it.
    pub folder: Option<String>,
    /// Variables with their values.
    pub variables: Vec<(String, String)>,
}

impl CommandEnvironment {
    /// The command in these surroundings.
    #[must_use]
    pub fn around(&self, argv: Vec<String>) -> Vec<String> {
        let mut whole = Vec::new();
        if !self.variables.is_empty() {
            whole.push("env".to_owned());
            whole.extend(self.variables.iter().map(|(name, value)| format!("{name}={value}")));
        }
        if let Some(folder) = &self.folder {
            whole.extend(["sh", "-c", IN_FOLDER, "sh", folder].map(str::to_owned));
        }
        whole.extend(argv);
        whole
    }
}

/// Whether it can be the name of a variable.
#[must_use]
pub fn is_variable(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(plain) && name.chars().next().is_some_and(|c| !c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{CommandEnvironment, is_variable};

    #[test]
    fn a_command_without_surroundings_is_itself() {
        let argv = vec!["true".to_owned()];
        assert_eq!(CommandEnvironment::default().around(argv.clone()), argv);
    }

    #[test]
    fn a_name_with_an_equals_sign_is_no_variable() {
        assert!(is_variable("PGDATA") && is_variable("_x1"));
        assert!(!is_variable("A=B") && !is_variable("1A") && !is_variable("") && !is_variable("-i"));
    }
}
