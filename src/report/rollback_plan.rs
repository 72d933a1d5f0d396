//! The plan of a way back: what would be undone and how, what stays, what is owed at the end, and where the way is
//! closed. Text only; what it says was decided elsewhere.

use super::layout::{date_and_time, wrap};
use super::style::{Style, Tone};
use crate::journal::acted;
use crate::journal::happened::Happened;
use crate::journal::history::History;
use crate::journal::rollback_plan;
use crate::journal::rollback_plan::{Change, RollbackStep, UndoMethod};
use crate::model::run::record::RollbackScope;
use crate::model::text::shown;
use jiff::tz::TimeZone;

/// Everything a plan tells of.
#[derive(Debug, Clone, Copy)]
pub struct RollbackPlan<'a> {
    /// The run.
    pub run: &'a str,
    /// How far it goes back.
    pub way: &'a RollbackScope,
    /// Its record.
    pub history: &'a History,
    /// What is to be undone, newest first.
    pub acts: &'a [RollbackStep],
    /// How many steps of it are behind it, of a way back that was begun before.
    pub gone: Option<usize>,
    /// What is owed at the end, newest first.
    pub owes: &'a [String],
}

/// The plan, several lines.
#[must_use]
pub fn render(plan: &RollbackPlan<'_>, style: &Style, zone: &TimeZone) -> String {
    let head = wrap(&headline(plan), style.width);
    let mut text: String = head.iter().map(|line| format!("{}\n", style.paint(Tone::Strong, line))).collect();
    if let Some(gone @ 1..) = plan.gone {
        let steps = if gone == 1 { "1 step of it is".to_owned() } else { format!("{gone} steps of it are") };
        text += &line(style, 2, &format!("it was begun before: {steps} done or left out already"));
    } else if plan.gone.is_some() {
        text += &line(style, 2, "it was begun before, and no step of it is done yet");
    }
    let (stays, undone): (Vec<&RollbackStep>, Vec<&RollbackStep>) =
        plan.acts.iter().partition(|act| matches!(act.how, UndoMethod::Nothing(_)));
    if *plan.way == RollbackScope::Abort {
        text += "  nothing is undone; what was changed stays as it is\n";
    } else if undone.is_empty() {
        text += match plan.gone {
            Some(_) => "  nothing is left that would have to be undone\n",
            None => "  nothing was changed that would have to be undone\n",
        };
    } else if plan.gone.is_some() {
        text += &part(style, "still to be undone, newest first");
    } else {
        text += &part(style, "to be undone, newest first");
    }
    for (number, acts) in (1..).zip(undone.chunk_by(|a, b| a.step == b.step)) {
        text += &group(number, acts, style);
    }
    if !stays.is_empty() {
        text += &part(style, "stays as it is, because nothing of it needs to be put back");
        stays.iter().for_each(|act| text += &line(style, 6, &label(act)));
    }
    // What typed lines changed. The runbook knows nothing of it, so its way back does not either.
    let by_hand = acted::typed_since(plan.history, 0);
    if !by_hand.is_empty() {
        text += &part(style, "changed by lines typed in the REPL: not undone by this, only by hand");
        by_hand.iter().for_each(|effect| text += &line(style, 6, &effect.label));
    }
    if !plan.owes.is_empty() {
        text += &part(style, "owed, and done at the end");
        plan.owes.iter().for_each(|owed| text += &line(style, 6, owed));
    }
    if matches!(plan.way, RollbackScope::To(_)) {
        text += &part(style, "the run can be resumed after that; what it owes is done at its own end");
        if let Some((why, at)) = rollback_plan::no_return_since(plan.history, 0) {
            let at = date_and_time(at.wall, zone);
            text += &part(style, &format!("there is no way back to before {at}: {why}"));
        }
    }
    text
}

fn headline(plan: &RollbackPlan<'_>) -> String {
    let begun = plan.history.begun();
    let what = match plan.way {
        RollbackScope::All => "the way back of".to_owned(),
        RollbackScope::To(step) => {
            let name = rollback_plan::stop(plan.history, step).map(|stop| stop.name).unwrap_or_default();
            format!("the way back to before step {step} `{name}` of")
        }
        RollbackScope::Abort => "giving up".to_owned(),
    };
    let again = if plan.gone.is_some() { "going on with " } else { "" };
    shown(&format!("{again}{what} run {}, {} on {}", plan.run, begun.runbook, begun.estate))
}

/// What belongs to one step.
fn group(number: usize, acts: &[&RollbackStep], style: &Style) -> String {
    let step = acts.first().and_then(|act| act.step.as_ref());
    let name = step.map_or_else(|| "outside steps".to_owned(), |(step, name)| format!("{name} (step {})", step.number));
    // Under a number the words stand in one column.
    let mut text = line(style, 6, &name);
    text.replace_range(..4, &format!("{number:>4}"));
    for act in acts {
        text += &match &act.how {
            UndoMethod::Own(changes) => own(changes, style),
            UndoMethod::Recorded(change) => {
                line(style, 6, &format!("{}: {}{}", change.effect.label, put_back(change), caution(change)))
            }
            UndoMethod::ByHand(change) => {
                line(style, 6, &format!("{}: by hand, a person is asked{}", change.effect.label, caution(change)))
            }
            UndoMethod::Nothing(_) => String::new(),
        };
    }
    text
}

fn own(changes: &[Change], style: &Style) -> String {
    let labels: Vec<String> =
        changes.iter().map(|change| format!("{}{}", change.effect.label, caution(change))).collect();
    line(style, 6, &format!("as the step says itself, for {}", labels.join(", ")))
}

fn put_back(change: &Change) -> String {
    let Some(undo) = &change.effect.undo else { return String::new() };
    match undo.args.get("former").map(ToString::to_string) {
        Some(former) if !former.is_empty() && former != "null" => format!("{} (it was `{former}`)", undo.verb),
        Some(_) | None => undo.verb.clone(),
    }
}

fn caution(change: &Change) -> &'static str {
    match change.fate {
        Happened::Happened | Happened::Never => "",
        Happened::Unclear => " - it did not end well: looked at first",
        Happened::Unseen => " - nobody knows yet whether it happened: looked at first",
    }
}

fn label(act: &RollbackStep) -> String {
    match &act.how {
        UndoMethod::Recorded(change) | UndoMethod::ByHand(change) | UndoMethod::Nothing(change) => {
            change.effect.label.clone()
        }
        UndoMethod::Own(changes) => {
            changes.iter().map(|change| change.effect.label.as_str()).collect::<Vec<_>>().join(", ")
        }
    }
}

fn part(style: &Style, words: &str) -> String {
    format!("\n{}", line(style, 2, words))
}

fn line(style: &Style, indent: usize, words: &str) -> String {
    let lines = wrap(&shown(words), style.width.saturating_sub(indent));
    let indent = " ".repeat(indent);
    lines.iter().map(|line| format!("{indent}{line}\n")).collect()
}
