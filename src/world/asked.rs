//! What a job was asked to be, in a form that a host can keep and compare: a record on a host says of which command it
//! is. Pure. It must not hold anything that a host should not show: of a secret it knows the name alone.

use crate::model::digest::Growing;

/// The digest of a command: its words, which hold the account, the folder and the variables, and the name of the secret
/// that it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandDigest(String);

impl CommandDigest {
    /// For this command.
    #[must_use]
    pub fn of(argv: &[String], secret: Option<&str>) -> Self {
        let mut digest = Growing::default();
        let mut add = |kind: &str, word: &str| digest.add(format!("{kind}{}:{word}", word.len()).as_bytes());
        argv.iter().for_each(|word| add("w", word));
        secret.into_iter().for_each(|name| add("s", name));
        Self(digest.finish())
    }

    /// As records have it: 64 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::CommandDigest;

    #[test]
    fn commands_that_differ_in_anything_have_different_digests() {
        let of = |words: &[&str], secret| {
            CommandDigest::of(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>(), secret)
        };
        let all = [
            of(&["a", "b"], None),
            of(&["ab"], None),
            of(&["a b"], None),
            of(&["a", "b", ""], None),
            of(&["b", "a"], None),
            of(&["a", "b"], Some("db")),
            of(&["a", "b"], Some("")),
            of(&["a", "b", "db"], None),
            of(&["a", "w1:b"], None),
            of(&[], None),
        ];
        for (at, one) in all.iter().enumerate() {
            assert_eq!(all.iter().filter(|other| *other == one).count(), 1, "number {at}");
            assert_eq!(one.as_str().len(), 64);
        }
        assert_eq!(of(&["a"], Some("x")), of(&["a"], Some("x")));
    }
}
