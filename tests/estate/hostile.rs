//! Strings that mean something to a shell, a terminal or a parser, from a corpus and from dice.

use crate::support::Dice;

/// What is most likely to be taken for more than text.
const CORPUS: &[&str] = &[
    "",
    " ",
    "  two  ",
    "'",
    "\"",
    "''",
    "\"\"",
    "'\"'\"'",
    "`id`",
    "$(id)",
    "${HOME}",
    "$HOME",
    "$$",
    "$@",
    "$*",
    "$'x'",
    "\\",
    "\\\\",
    "\\n",
    "\\0101",
    "\\101",
    "\\c",
    "\\",
    "a\\",
    "%s",
    "%%",
    "%b\\n",
    "%n",
    "=x",
    "%x",
    "!x",
    "!!",
    "\n",
    "\n\n",
    "x\n",
    "x\n\n",
    "\nx",
    "a\nb\nc\n",
    "\r",
    "\r\n",
    "x\r",
    "\t",
    "\tx\t",
    "-",
    "--",
    "-n",
    "-e x",
    "-rf",
    "--help",
    "*",
    "?",
    "[a-z]",
    "/*",
    "~",
    "~root",
    "~/x",
    "~+",
    "a;b",
    "a&b",
    "a&&b",
    "a|b",
    "a||b",
    ">x",
    "<x",
    ">&2",
    "2>&1",
    "<<EOF",
    "<<<x",
    "#x",
    "x # y",
    "(x)",
    "{x}",
    "{a,b}",
    "{d}",
    "{name}",
    "a=b",
    "IFS=x",
    "PATH=",
    "\u{1}",
    "\u{7f}",
    "\u{80}",
    "\u{81}\u{82}\u{83}\u{84}\u{85}\u{86}\u{87}\u{88}",
    "\u{1b}[2J",
    "ä",
    "日本語",
    "🦀",
    "e\u{301}",
    "\u{feff}x",
    "\u{202e}x",
    "\u{fffd}",
    "x\u{b}y\u{c}z",
    "\u{8}\u{8}",
    "\u{4}",
    "\u{3}",
    "\u{1a}",
    "\u{11}\u{13}",
    "\u{1}'\u{1}",
    "exit 0",
    "exit",
    "EOF",
    ".",
    "..",
    "./x",
    "/",
    "//",
    "a b  c",
    "'; touch /root/pwned; '",
    "\"; touch /root/pwned; \"",
    "$(touch /root/pwned)",
    "`touch /root/pwned`",
    "\n touch /root/pwned\n",
    "| touch /root/pwned",
    "\\'; touch /root/pwned",
    "0",
    "00",
    "-1",
    "1e9",
    "0x10",
    "nul",
    "true",
    "\\u{0}",
    "\\x00",
    "\\377",
    "\\0",
    "\\00",
    "%00",
    "\u{0301}",
    "\u{10ffff}",
];

/// What random strings are made of.
const PIECES: &[&str] = &[
    "'", "\"", "`", "$", "(", ")", "{", "}", "\\", "\n", "\r", "\t", " ", "-", "*", "?", "[", "]", "~", "!", "#", "%",
    "&", "|", ";", "<", ">", "=", "\u{1}", "\u{7f}", "\u{80}", "\u{85}", "\u{88}", "\u{1b}", "ä", "€", "🦀", "a", "0",
    "7", "x", "e", "id", "/",
];

/// This many of them, the corpus first, then some that are very long, then what the dice give.
pub fn strings(count: usize, seed: u64) -> Vec<String> {
    let mut dice = Dice::new(seed);
    let mut all: Vec<String> = CORPUS.iter().map(|text| (*text).to_owned()).collect();
    // The kernel takes 128 KiB an argument.
    all.extend([
        "x".repeat(120_000),
        "'\n".repeat(4_000),
        "\\$".repeat(20_000),
        "\u{85}".repeat(9_000),
        "\n".repeat(5_000),
    ]);
    while all.len() < count {
        let pieces = 1 + dice.roll(40);
        all.push((0..pieces).map(|_| PIECES[dice.roll(PIECES.len() as u64) as usize]).collect());
    }
    all.truncate(count);
    all
}

/// The same as a literal of the script language.
pub fn literal(text: &str) -> String {
    let mut literal = String::from("\"");
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            literal.push(character);
        } else {
            literal += &format!("\\U{:08x}", u32::from(character));
        }
    }
    literal + "\""
}
