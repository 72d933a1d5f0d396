//! Words that nobody else can know and nobody made before: they tell what is ours from everything else, as what our
//! scripts say over a channel, or a folder that we made.

use super::Trouble;
use std::fmt::Write;
use std::fs::File;
use std::io::Read;

/// A new one: 32 hexadecimal digits.
///
/// # Errors
/// `Refused` when this machine gives no random bytes.
pub(super) fn nonce() -> Result<String, Trouble> {
    let mut bytes = [0_u8; 16];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    read.map_err(|error| Trouble::Refused(format!("this machine gives no random bytes: {error}")))?;
    Ok(bytes.iter().fold(String::new(), |mut word, byte| {
        // Writing to a text cannot fail.
        let _ = write!(word, "{byte:02x}");
        word
    }))
}
