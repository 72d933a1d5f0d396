//! An error as a person reads it: what happened, the source line with a caret, how it came about, and last what to
//! type next. It must not lose anything an [`Error`] holds, and lets no host text reach the terminal unescaped.

use crate::error::{Error, Place, Snippet};
use crate::model::text::{lines_shown, shown, unsafe_on_a_terminal};
use crate::report::style::{Style, Tone};
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet as Frame};

/// The whole text of an error, ending in a newline; its last line is the last hint.
#[must_use]
pub fn render(error: &Error, style: &Style) -> String {
    shape(error, false, style)
}

/// The same for something that is only suspicious.
#[must_use]
pub fn render_warning(error: &Error, style: &Style) -> String {
    shape(error, true, style)
}

fn shape(error: &Error, warning: bool, style: &Style) -> String {
    let title = lines_shown(&error.message);
    let mut text = match (&error.snippet, &error.place) {
        (Some(snippet), _) => framed(&title, warning, snippet, style),
        (None, place) => titled(&title, warning, place.as_ref(), style),
    };
    for call in &error.trace {
        text += &detail("in", call, style);
    }
    for cause in &error.causes {
        text += &detail("caused by", cause, style);
    }
    for hint in &error.hints {
        text += &format!("{} {}\n", style.paint(Tone::Wait, "help:"), lines_shown(hint));
    }
    text
}

fn titled(title: &str, warning: bool, place: Option<&Place>, style: &Style) -> String {
    let (tone, word) = if warning { (Tone::Warn, "warning") } else { (Tone::Bad, "error") };
    let mut text = format!("{}{}\n", style.paint(tone, word), style.paint(Tone::Strong, &format!(": {title}")));
    if let Some(place) = place {
        text += &format!("  {} {}\n", style.paint(Tone::Dim, "-->"), shown(&place.to_string()));
    }
    text
}

/// The title and the source line with carets under the characters that are meant.
fn framed(title: &str, warning: bool, snippet: &Snippet, style: &Style) -> String {
    let (line, starts) = calm(&snippet.line);
    let byte_at = |index: usize| starts.get(index).copied().unwrap_or(line.len());
    let first = (snippet.place.column as usize).saturating_sub(1);
    let mark = AnnotationKind::Primary.span(byte_at(first)..byte_at(first + snippet.length.max(1)));
    let mark = if snippet.label.is_empty() { mark } else { mark.label(lines_shown(&snippet.label)) };
    let frame =
        Frame::source(&line).line_start(snippet.place.line as usize).path(shown(&snippet.place.file)).annotation(mark);
    let renderer = if style.colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(style.width);
    let level = if warning { Level::WARNING } else { Level::ERROR };
    renderer.render(&[level.primary_title(title).element(frame)]) + "\n"
}

/// A source line in which what a terminal obeys is written out, and where each of its characters begins there.
fn calm(source: &str) -> (String, Vec<usize>) {
    let (mut line, mut starts) = (String::with_capacity(source.len()), Vec::new());
    for character in source.chars() {
        starts.push(line.len());
        match character {
            // The renderer has room for tabs of its own.
            '\t' => line.push('\t'),
            c if unsafe_on_a_terminal(c) => line.extend(c.escape_unicode()),
            c => line.push(c),
        }
    }
    starts.push(line.len());
    (line, starts)
}

fn detail(word: &str, text: &str, style: &Style) -> String {
    format!("  {} {}\n", style.paint(Tone::Dim, &format!("{word}:")), lines_shown(text))
}
