//! Values as data for a script on a host: a line each, never part of a shell line. Pure; the scripts' `get` reads them.

/// A value as a line: `=` and the text as it is, or `%` and the text with everything else in octal.
pub(in crate::world) fn field(value: &[u8]) -> Vec<u8> {
    let plain = value.iter().all(|byte| (0x20..=0x7e).contains(byte));
    let mut line = Vec::with_capacity(value.len() + 2);
    line.push(if plain { b'=' } else { b'%' });
    for &byte in value {
        if plain || byte.is_ascii_alphanumeric() {
            line.push(byte);
        } else {
            line.extend_from_slice(format!("\\0{byte:03o}").as_bytes());
        }
    }
    line.push(b'\n');
    line
}

/// Whether a shell can carry it: only a zero byte cannot be part of an argument.
pub(super) fn fits(values: &[impl AsRef<[u8]>]) -> bool {
    values.iter().all(|value| !value.as_ref().contains(&0))
}

/// A text of ours as one word of a shell line. For scripts, which are constant, and for nothing else.
pub(in crate::world) fn quoted(script: &str) -> String {
    format!("'{}'", script.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::{field, fits};

    #[test]
    fn a_value_is_always_one_line() {
        assert_eq!(field(b"a 'b' $c\\"), b"=a 'b' $c\\\n");
        assert_eq!(field(b"a\nb"), b"%a\\0012b\n");
        assert_eq!(field("ä".as_bytes()), b"%\\0303\\0244\n");
        assert_eq!(field(b"\x01-"), b"%\\0001\\0055\n");
        assert_eq!(field(b""), b"=\n");
    }

    #[test]
    fn a_zero_byte_is_no_argument() {
        assert!(fits(&["a\nb", ""]) && !fits(&["a\0b"]));
    }
}
