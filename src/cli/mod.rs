//! The command line: typed words become a session, its ending becomes an exit code. One file a command. It performs no
//! effect and knows no Rhai; what it prints goes to the two streams it is given.

mod called;
mod commands;
mod context;
mod operations;
mod screen;

pub use screen::Screen;

use crate::error::{Error, Kind, Result};
use crate::model::span::Span;
use crate::model::text::{page, typed};
use crate::platform::desk;
use crate::world::machine_lease::MachineLease;
use crate::world::operator::terminal::Terminal;
use crate::world::trace;
use called::Called;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use context::Context;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Carries high-availability systems through upgrades, from editable runbooks, durably
#[derive(Debug, Parser)]
#[command(name = "baton", version, after_help = "Start here: baton list")]
struct CommandLine {
    /// Where runs and labs are kept [default: ~/.local/state/baton]
    #[arg(long, global = true, value_name = "DIR", env = "BATON_STATE", hide_env_values = true)]
    state: Option<PathBuf>,
    /// Where the lease of this machine is kept; all its runners must agree on it
    #[arg(long, global = true, hide = true, value_name = "DIR", env = "BATON_LEASES", hide_env_values = true)]
    leases: Option<PathBuf>,
    /// Tell on stderr what is asked of hosts and what comes back: `debug`
    #[arg(long, global = true, value_name = "FILTER", env = "BATON_TRACE", hide_env_values = true)]
    trace: Option<String>,
    /// Bare text: no colours, nothing rewritten, no line broken
    #[arg(long, global = true)]
    plain: bool,
    /// After how long a question that waits at the terminal is called to mind, again and again
    #[arg(long, global = true, hide = true, value_name = "SPAN", default_value = "15min", value_parser = Span::parse)]
    remind: Span,
    #[command(subcommand)]
    command: Option<CliCommand>,
}

#[derive(Debug, Subcommand)]
enum CliCommand {
    Run(self::commands::run::RunArgs),
    Resume(self::commands::resume::ResumeArgs),
    Rollback(self::commands::rollback::RollbackArgs),
    Abort(self::commands::abort::AbortArgs),
    Takeover(self::commands::takeover::TakeoverArgs),
    Repl(self::commands::repl::ReplArgs),
    Approve(self::commands::approve::ApproveArgs),
    Check(self::commands::check::CheckArgs),
    Verify(self::commands::verify::VerifyArgs),
    Doctor(self::commands::doctor::DoctorArgs),
    List(self::commands::list::ListArgs),
    Doc(self::commands::doc::DocArgs),
    Runs(self::commands::runs::RunsArgs),
    Show(self::commands::show::ShowArgs),
    Eject(self::commands::eject::EjectArgs),
    Lab(self::commands::lab::LabArgs),
    Completions(self::commands::completions::CompletionsArgs),
}

/// Carries out one command line, program name included, and returns the exit code. Plain text on any stream.
#[must_use]
pub fn main_with(words: Vec<OsString>, out: Box<dyn Write>, err: Box<dyn Write>) -> u8 {
    main_on(words, Screen::plain(out, err))
}

/// The same on a screen that is known.
#[must_use]
pub fn main_on(words: Vec<OsString>, screen: Screen) -> u8 {
    let (line, called) = match parse(words.clone()) {
        Ok(parsed) => parsed,
        Err(told) => return tell(&told, &meant_by_file(&told, &words), &screen),
    };
    let screen = if line.plain { screen.unadorned() } else { screen }.called(called);
    let Some(command) = line.command else {
        screen.err.say(&CommandLine::command().render_help().to_string());
        return Kind::Usage.exit_code();
    };
    let outcome = line.trace.as_deref().map_or(Ok(()), trace::begin).and_then(|()| {
        let state = line.state.map_or_else(default_state, Ok)?;
        let remind = Duration::from_millis(line.remind.0);
        let terminal = Arc::new(Terminal::new(desk::who().user, screen.err_style.width).reminding(remind));
        let leases = line.leases.unwrap_or_else(MachineLease::of_machine);
        dispatch(&command, &Context { screen: screen.clone(), state, leases, terminal })
    });
    outcome.unwrap_or_else(|error| {
        screen.complain(&error);
        error.kind.exit_code()
    })
}

/// The command line, and what of it commands need too that are named to be typed next.
fn parse(words: Vec<OsString>) -> std::result::Result<(CommandLine, Called), clap::Error> {
    let matches = CommandLine::command().try_get_matches_from(words)?;
    let line = CommandLine::from_arg_matches(&matches)?;
    let shown = |path: &PathBuf| path.display().to_string();
    // The environment says the same to the next command.
    let given = matches.value_source("state") == Some(ValueSource::CommandLine);
    let state = line.state.as_ref().filter(|_| given).map(shown);
    let (runbooks, inventory) = match &line.command {
        Some(CliCommand::Run(args)) => args.names(),
        Some(CliCommand::Repl(args)) => args.names(),
        Some(CliCommand::Check(args)) => args.names(),
        Some(CliCommand::Verify(args)) => args.names(),
        Some(CliCommand::Doctor(args)) => args.names(),
        Some(CliCommand::Resume(_) | CliCommand::Rollback(_) | CliCommand::Abort(_) | CliCommand::Takeover(_)) => {
            Default::default()
        }
        Some(CliCommand::Approve(_) | CliCommand::List(_) | CliCommand::Doc(_) | CliCommand::Runs(_)) => {
            Default::default()
        }
        Some(CliCommand::Show(_) | CliCommand::Eject(_) | CliCommand::Lab(_) | CliCommand::Completions(_)) => {
            Default::default()
        }
        None => Default::default(),
    };
    let inventory = inventory.map(|path| path.display().to_string());
    Ok((line, Called { state, runbooks, inventory }))
}

fn dispatch(command: &CliCommand, context: &Context) -> Result<u8> {
    match command {
        CliCommand::Run(args) if args.want_help() => help_of_run(context),
        CliCommand::Run(args) => self::commands::run::run(args, context),
        CliCommand::Resume(args) => self::commands::resume::run(args, context),
        CliCommand::Rollback(args) => self::commands::rollback::run(args, context),
        CliCommand::Abort(args) => self::commands::abort::run(args, context),
        CliCommand::Takeover(args) => self::commands::takeover::run(args, context),
        CliCommand::Repl(args) => self::commands::repl::run(args, context),
        CliCommand::Approve(args) => self::commands::approve::run(args, context),
        CliCommand::Check(args) => self::commands::check::run(args, context),
        CliCommand::Verify(args) => self::commands::verify::run(args, context),
        CliCommand::Doctor(args) => self::commands::doctor::run(args, context),
        CliCommand::List(args) => self::commands::list::run(args, context),
        CliCommand::Doc(args) => self::commands::doc::run(args, context),
        CliCommand::Runs(args) => self::commands::runs::run(args, context),
        CliCommand::Show(args) => self::commands::show::run(args, context),
        CliCommand::Eject(args) => self::commands::eject::run(args, context),
        CliCommand::Lab(args) => self::commands::lab::run(args, context),
        CliCommand::Completions(args) => self::commands::completions::run(args, CommandLine::command(), context),
    }
}

fn help_of_run(context: &Context) -> Result<u8> {
    let mut command = CommandLine::command();
    command.build();
    let text = command.find_subcommand_mut("run").map(|run| run.render_help().to_string()).unwrap_or_default();
    context.screen.out.say(&format!("{text}\nThe parameters of a runbook: baton run RUNBOOK --help\n"));
    Ok(0)
}

/// The flags by which a command takes a file that is written in TOML, and what such a file is.
const FILES: [(&str, &str, &str); 2] = [("inventory", "-i", "a site"), ("answers", "--answers", "a file of answers")];

/// What is added to a complaint of clap about a word that is a TOML file: the flags that were forgotten before it.
fn meant_by_file(told: &clap::Error, words: &[OsString]) -> String {
    let Some(ContextValue::String(word)) = told.get(ContextKind::InvalidArg) else { return String::new() };
    if told.kind() != ErrorKind::UnknownArgument || !word.ends_with(".toml") {
        return String::new();
    }
    let all = CommandLine::command();
    let called = words.iter().skip(1).filter_map(|word| word.to_str());
    let Some(command) = called.filter_map(|word| all.find_subcommand(word)).next() else { return String::new() };
    let takes = |flag: &str| command.get_arguments().any(|arg| arg.get_long() == Some(flag));
    let flags = FILES.iter().filter(|(flag, ..)| takes(flag));
    let mut ways: Vec<String> =
        flags.map(|(_, short, what)| format!("{what} is named with `{short}`: {short} {}", typed(word))).collect();
    if !takes("inventory") && takes("answers") {
        ways.insert(0, "a run keeps the site that it was begun on: none is named here".to_owned());
    }
    ways.iter().map(|way| format!("help: {way}\n")).collect()
}

/// What clap has to say, with what is added to it: help goes to `out`, a complaint to `err`.
fn tell(told: &clap::Error, more: &str, screen: &Screen) -> u8 {
    let text = told.render();
    // Words that were typed are in it: where a terminal would obey one, there are no colours to take it for.
    let plain = text.to_string() + more;
    let calm = page(&plain, false) == plain;
    let paint = |colour: bool| if colour && calm { text.ansi().to_string() + more } else { plain.clone() };
    if told.use_stderr() {
        screen.err.say(&paint(screen.err_style.colour));
        Kind::Usage.exit_code()
    } else {
        screen.out.say(&paint(screen.out_style.colour));
        0
    }
}

/// `$XDG_STATE_HOME/baton`, else `~/.local/state/baton`.
fn default_state() -> Result<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = folder("XDG_STATE_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/state")));
    state.map(|state| state.join("baton")).ok_or_else(|| {
        Error::new(Kind::Usage, "neither `HOME` nor `XDG_STATE_HOME` says where runs are kept")
            .hint("name a folder: --state DIR")
    })
}
