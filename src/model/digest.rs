//! SHA-256 as people and `sha256sum` write it. It must not read anything.

use sha2::{Digest, Sha256};

/// A digest that grows with what it is given.
#[derive(Clone, Default)]
pub struct Growing(Sha256);

impl Growing {
    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all that was added, in small hexadecimal digits.
    #[must_use]
    pub fn finish(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The digest of these bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    let mut digest = Growing::default();
    digest.add(bytes);
    digest.finish()
}

/// Whether it is written as a digest is.
#[must_use]
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
