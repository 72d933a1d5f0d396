//! The words that the texts of a run write in quotes: what hosts say is compared with them. It reads; it judges
//! nothing.

use crate::model::site::inventory::Inventory;
use crate::session::texts::Texts;
use std::collections::BTreeMap;

/// The quoted texts of runbook, modules, profiles and inventory, by where they stand. Where the values of secrets are
/// had from is not among them.
#[must_use]
pub fn said(texts: &Texts) -> BTreeMap<String, Vec<String>> {
    let files = texts.files.iter().map(|(name, text)| {
        let words =
            if name.is_script() { quoted(text, "//", "\"`") } else { quoted(&without_secrets(text), "#", "\"'") };
        (name.bare().to_owned(), words)
    });
    let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
    files.for_each(|(place, words)| said.entry(place).or_default().extend(words));
    said
}

/// The product of the first service whose log has records that are read.
#[must_use]
pub fn log_of(site: &Inventory) -> Option<&str> {
    let with_log = site.services.values().find(|service| service.profile.log.is_some())?;
    Some(&with_log.profile.product)
}

fn without_secrets(inventory: &str) -> String {
    let (mut kept, mut is_secret) = (String::new(), false);
    for line in inventory.lines() {
        if line.trim_start().starts_with('[') {
            is_secret = line.trim_start().trim_start_matches('[').trim_start().starts_with("secrets");
        }
        if !is_secret {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// What stands between quotes, outside of comments that go to the end of their line.
fn quoted(text: &str, comment: &str, quotes: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some(c) = rest.chars().next() {
        if rest.starts_with(comment) {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if quotes.contains(c) {
            let (word, behind) = until(&rest[c.len_utf8()..], c);
            found.push(word);
            rest = behind;
        } else {
            rest = &rest[c.len_utf8()..];
        }
    }
    found
}

/// The text up to the quote that closes it, and what follows.
fn until(text: &str, quote: char) -> (String, &str) {
    let (mut word, mut is_escaped) = (String::new(), false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => word.push(c),
            '\\' => {}
            c if c == quote => return (word, &text[at + c.len_utf8()..]),
            c => word.push(c),
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    (word, "")
}

#[cfg(test)]
mod tests {
    use super::said;
    use crate::session::Texts;
    use std::collections::BTreeMap;

    #[test]
    fn words_in_quotes_are_found_and_neither_comments_nor_where_secrets_are_had_from() {
        let file = |name: &str, text: &str| (name.parse().expect("a name"), text.to_owned());
        let files = BTreeMap::from([
            file("runbook:r", "// no \"comment\"\nx == \"/opt/\\\"a\\\"\" && `b ${c}` // \"d\"\n"),
            file("inventory:site.toml", "[secrets.db]\nfile = \"/etc/pw\"\n[hosts.h] # 'e'\naddress = 'local'\n"),
        ]);
        let found = said(&Texts { runbook: "r".into(), files });
        assert_eq!(found["r"], ["/opt/\"a\"", "b ${c}"]);
        assert_eq!(found["site.toml"], ["local"]);
    }
}
