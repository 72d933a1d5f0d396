//! How output looks on a given screen: colours or none, its width, and whether a line may be rewritten. A symbol and a
//! word always stand beside a colour: nothing is told by colour alone.

/// The width that is assumed when a screen does not tell.
pub const WIDTH: usize = 80;
/// Nothing is laid out for less.
const NARROWEST: usize = 40;
/// Longer lines are hard to read.
const WIDEST: usize = 120;
/// Lines are not broken at all: who reads them takes them whole.
const UNBROKEN: usize = 1 << 20;

/// What a piece of text is meant to say, apart from its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It went well.
    Good,
    /// It went wrong.
    Bad,
    /// Somebody should look.
    Warn,
    /// It waits, for time or for a person.
    Wait,
    /// A heading.
    Strong,
    /// Of lesser weight.
    Dim,
    /// Ordinary text.
    Plain,
}

/// What a screen can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether colours are shown.
    pub colour: bool,
    /// Whether the last line may be rewritten: a person is watching.
    pub live: bool,
    /// How many columns a line may have.
    pub width: usize,
}

impl Style {
    /// No colours, nothing rewritten: files, pipes and tests.
    #[must_use]
    pub fn plain() -> Self {
        Self { colour: false, live: false, width: WIDTH }
    }

    /// The same without colours, rewritten lines and broken ones.
    #[must_use]
    pub fn unadorned() -> Self {
        Self { width: UNBROKEN, ..Self::plain() }
    }

    /// Whether lines are broken where the screen ends.
    #[must_use]
    pub fn breaks_lines(&self) -> bool {
        self.width < UNBROKEN
    }

    /// Where the right edge of a page is; lines that are not broken may go beyond it.
    #[must_use]
    pub fn edge(&self) -> usize {
        if self.breaks_lines() { self.width } else { WIDTH }
    }

    /// What suits a handle, from whether it is a terminal, how wide that is, and the environment's `NO_COLOR`, `TERM`
    /// and `COLUMNS`.
    #[must_use]
    pub fn of(is_terminal: bool, columns: Option<usize>, variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let dumb = variable("TERM").is_none_or(|term| term == "dumb");
        let no_colour = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
        let told = || variable("COLUMNS").and_then(|text| text.parse().ok());
        let known = columns.or_else(told).map(|columns| columns.clamp(NARROWEST, WIDEST));
        let width = known.unwrap_or(if is_terminal { WIDTH } else { UNBROKEN });
        Self { colour: is_terminal && !dumb && !no_colour, live: is_terminal && !dumb, width }
    }

    /// `text` in the colour of `tone`, if colours are shown.
    #[must_use]
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "1;31",
            Tone::Warn => "33",
            Tone::Wait => "36",
            Tone::Strong => "1",
            Tone::Dim => "2",
            Tone::Plain => "",
        };
        if self.colour && !code.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::Style;

    #[test]
    fn colours_need_a_terminal_that_has_them_and_a_user_who_wants_them() {
        let of = |terminal, term: &'static str, no_color: &'static str| {
            Style::of(terminal, Some(50), &move |name| match name {
                "TERM" => Some(term.to_owned()),
                "NO_COLOR" => Some(no_color.to_owned()),
                _ => None,
            })
        };
        assert!(of(true, "xterm", "").colour);
        assert_eq!(of(true, "xterm", "").width, 50);
        assert!(!of(true, "xterm", "1").colour);
        assert!(!of(true, "dumb", "").colour && !of(true, "dumb", "").live);
        assert!(!of(false, "xterm", "").colour && !of(false, "xterm", "").live);
        let pipe = Style::of(false, None, &|_| None);
        assert!(!pipe.breaks_lines(), "who reads a pipe takes whole lines: {pipe:?}");
        assert!(Style::of(false, None, &|name| (name == "COLUMNS").then(|| "70".to_owned())).breaks_lines());
    }
}
