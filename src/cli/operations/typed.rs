//! A line that somebody at the terminal types for a command, and how they leave if they do not. It must not judge what
//! was typed.

use crate::cli::context::Context;
use crate::error::{Kind, Result};
use crate::world::clock::Clock;
use crate::world::operator::console::Console;
use crate::world::operator::person::Person;
use crate::world::operator::terminal::Terminal;
use crate::world::request::ReadLine;
use crate::world::system::SystemWorld;
use crate::world::{Completion, HasReply, Line, Ticket, World};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How somebody who was asked for a line leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Departure {
    /// By a word, or by the end of input.
    Willingly,
    /// By Ctrl-C, or because their terminal went away.
    Interrupted,
}

impl Departure {
    /// What that is for a command which asked before it did anything.
    pub(in crate::cli) fn kind(self) -> Kind {
        match self {
            Self::Willingly => Kind::Suspended,
            Self::Interrupted => Kind::Interrupted,
        }
    }
}

/// The next line, or how whoever should type it has left.
pub(in crate::cli) fn type_line(world: &mut dyn World, prompt: &str) -> std::result::Result<String, Departure> {
    world.submit(Ticket(0), ReadLine { prompt: prompt.to_owned() }.into());
    let line = match world.next_result() {
        Completion::Reply(_, came) => ReadLine::came_back(came).ok(),
        Completion::Told(_) | Completion::Interrupted | Completion::Idle => None,
    };
    match line {
        Some(Line::Typed(line)) => Ok(line),
        // A terminal that went away is told by a signal, or by the end of its input, whichever comes first.
        Some(Line::Closed(_)) if Terminal::outlives_its_input() => Err(Departure::Willingly),
        Some(Line::Closed(_) | Line::Cancelled) | None => Err(Departure::Interrupted),
    }
}

/// How the person at the terminal leaves this question; nothing when they type `yes`.
pub(in crate::cli) fn disagrees(prompt: &str, context: &Context) -> Result<Option<Departure>> {
    let world = SystemWorld::new(BTreeMap::new(), Clock::real(), Person::Nobody("nothing is asked".into()))?;
    let mut world = world.steered(Console::Terminal(Arc::clone(&context.terminal)));
    Ok(match type_line(&mut world, prompt) {
        Ok(line) if line.trim() == "yes" => None,
        Ok(_) => Some(Departure::Willingly),
        Err(left) => Some(left),
    })
}
