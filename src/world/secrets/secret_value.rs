//! The value of a secret, on its way from where it is kept to a pipe. It must not be shown, in whatever way.

use std::fmt;

/// The value of a secret. It has no way to be shown.
#[derive(Clone)]
pub struct SecretValue(pub(in crate::world) Vec<u8>);

impl SecretValue {
    /// The value, for a pipe.
    pub(in crate::world) fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
