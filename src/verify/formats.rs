//! What came of an exploration, in the formats of machines: JSON, JUnit, SARIF. It adds nothing to what it is handed.

use super::story::{Story, StoryLine, Told};
use super::tally::{Counterexample, Explored};
use super::violation::Violation;
use crate::script::analysis::coverage::{Coverage, Unreached};
use serde_json::{Value, json};

/// The version of the JSON; it changes when a field changes its meaning or goes away.
const VERSION: u32 = 1;

/// What was explored of one runbook, and what came of it.
pub struct Verified {
    /// Its name.
    pub runbook: String,
    /// Its scenarios.
    pub scenarios: Vec<String>,
    /// The scenarios that do not fit it, each with the reason.
    pub left_out: Vec<(String, String)>,
    /// The services of which nothing is known.
    pub unknown: Vec<String>,
    /// The bound, in words.
    pub bound: String,
    /// The numbers and what was found.
    pub explored: Explored,
    /// The story of each thing that was found.
    pub stories: Vec<Story>,
    /// What no schedule has reached, of all that there is.
    pub coverage: Coverage,
    /// The command that plays the `n`th counterexample again.
    pub replays: Vec<String>,
}

impl Verified {
    /// Whether nothing was found, everything within the bound was walked, and models said how all of it behaves.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.explored.found.is_empty() && self.explored.is_exhausted && self.unknown.is_empty()
    }

    fn found(&self) -> impl Iterator<Item = (&Counterexample, Option<&Story>, &str)> {
        let of = |index: usize| (self.stories.get(index), self.replays.get(index).map_or("", String::as_str));
        self.explored.found.iter().enumerate().map(move |(index, found)| (found, of(index).0, of(index).1))
    }
}

/// As JSON.
#[must_use]
pub fn json(all: &[Verified]) -> String {
    let runbooks: Vec<Value> = all.iter().map(runbook).collect();
    pretty(&json!({ "version": VERSION, "runbooks": runbooks }))
}

fn runbook(verified: &Verified) -> Value {
    let Verified { runbook, scenarios, left_out, unknown, bound, explored, .. } = verified;
    let found: Vec<Value> =
        verified.found().map(|(found, story, replay)| counterexample(found, story, replay)).collect();
    let left_out: Vec<Value> = left_out.iter().map(|(name, why)| json!({ "scenario": name, "reason": why })).collect();
    let Coverage { statements, reached, unreached: missing, false_reasons, unused_functions } = &verified.coverage;
    let unreached: Vec<Value> = missing.iter().map(unreached).collect();
    let false_reasons: Vec<Value> =
        false_reasons.iter().map(|one| json!({ "place": one.place.to_string(), "what": one.fault })).collect();
    let unused: Vec<Value> =
        unused_functions.iter().map(|one| json!({ "place": one.place.to_string(), "name": one.name })).collect();
    let tally = &explored.tally;
    json!({
        "runbook": runbook, "scenarios": scenarios, "left_out": left_out, "without_model": unknown, "bound": bound,
        "exhausted": explored.is_exhausted, "holds": verified.holds(), "violations": found,
        "schedules": tally.schedules, "plays": tally.plays, "states": tally.states, "not_walked": tally.left,
        "milliseconds": tally.spent_ms, "ends": tally.ends, "statements": statements,
        "reached": reached, "unreached": unreached, "false_reasons": false_reasons, "unused_functions": unused,
    })
}

fn counterexample(found: &Counterexample, story: Option<&Story>, replay: &str) -> Value {
    let Violation { oracle, text } = &found.finding;
    let lines = story.map(|story| story.lines.iter().map(line).collect::<Vec<_>>()).unwrap_or_default();
    json!({
        "kind": oracle.word(), "text": text, "scenario": found.scenario, "schedule": found.schedule.to_string(),
        "times": found.times, "after_milliseconds": found.after_ms, "replay": replay, "story": lines,
    })
}

fn line(line: &StoryLine) -> Value {
    let told = match line.told {
        Told::Step => "step",
        Told::Deed => "deed",
        Told::Fault => "fault",
        Told::Wrong => "wrong",
        Told::Aside => "aside",
        Told::End => "end",
    };
    json!({
        "told": told, "text": line.text, "at": line.when.and_then(|at| at.timestamp()).map(|at| at.to_string()),
        "place": line.place.as_ref().map(ToString::to_string),
    })
}

fn unreached(place: &Unreached) -> Value {
    json!({
        "place": place.place.to_string(), "line": place.line, "what": place.what, "statements": place.statements,
        "reason": place.reason,
    })
}

/// As JUnit: a suite a runbook, a case a scenario, and one for the bound.
#[must_use]
pub fn junit(all: &[Verified]) -> String {
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"baton verify\">\n".to_owned();
    for verified in all {
        let failures = verified.explored.found.len();
        let cases = verified.scenarios.len() + 1;
        let errors = usize::from(!verified.explored.is_exhausted);
        let seconds = seconds(verified.explored.tally.spent_ms);
        let name = escaped(&verified.runbook);
        xml += &format!(
            "  <testsuite name=\"{name}\" tests=\"{cases}\" failures=\"{failures}\" errors=\"{errors}\" \
             time=\"{seconds}\">\n"
        );
        for scenario in &verified.scenarios {
            let scenario_name = if scenario.is_empty() { "site" } else { scenario };
            xml += &format!("    <testcase classname=\"{name}\" name=\"{}\">\n", escaped(scenario_name));
            for (found, story, replay) in verified.found().filter(|(found, ..)| found.scenario == *scenario) {
                let message = format!("{}: {}", found.finding.oracle.title(), found.finding.text);
                let body = story.map(told).unwrap_or_default();
                xml += &format!(
                    "      <failure type=\"{}\" message=\"{}\">{}</failure>\n",
                    found.finding.oracle.word(),
                    escaped(&message),
                    escaped(&format!("{body}\n{replay}"))
                );
            }
            xml += "    </testcase>\n";
        }
        xml += &bound(verified, &name);
        xml += "  </testsuite>\n";
    }
    xml + "</testsuites>\n"
}

/// Whether all within the bound was walked, as a case of its own.
fn bound(verified: &Verified, name: &str) -> String {
    let words = escaped(&verified.bound);
    if verified.explored.is_exhausted {
        return format!("    <testcase classname=\"{name}\" name=\"{words}\"/>\n");
    }
    let left = verified.explored.tally.left;
    format!(
        "    <testcase classname=\"{name}\" name=\"{words}\">\n      <error type=\"budget\" message=\"{left} planned \
         schedules were not walked\"/>\n    </testcase>\n"
    )
}

/// As SARIF: a result for each thing found, at the last line of the runbook in its story.
#[must_use]
pub fn sarif(all: &[Verified]) -> String {
    let results: Vec<Value> = all.iter().flat_map(|verified| verified.found().map(result)).collect();
    let rules: Vec<Value> = super::violation::ALL
        .iter()
        .map(|oracle| json!({ "id": oracle.word(), "shortDescription": { "text": oracle.title() } }))
        .collect();
    let driver = json!({ "name": "baton verify", "version": env!("CARGO_PKG_VERSION"), "rules": rules });
    let complete = all.iter().all(|verified| verified.explored.is_exhausted);
    pretty(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver }, "results": results,
            "invocations": [{ "executionSuccessful": complete }],
        }],
    }))
}

fn result((found, story, replay): (&Counterexample, Option<&Story>, &str)) -> Value {
    let Violation { oracle, text } = &found.finding;
    let lines = story.map(|story| story.lines.as_slice()).unwrap_or_default();
    let until = lines.iter().position(|line| line.told == Told::Wrong).unwrap_or(lines.len());
    let place = lines.iter().take(until).rev().find_map(|line| line.place.as_ref());
    let mut result = json!({
        "ruleId": oracle.word(), "level": "error",
        "message": { "text": format!("{text}\n{}\n{replay}", story.map(told).unwrap_or_default()) },
    });
    if let (Some(place), Some(fields)) = (place, result.as_object_mut()) {
        let region = json!({ "startLine": place.line, "startColumn": place.column });
        let at = json!({ "artifactLocation": { "uri": place.file }, "region": region });
        fields.insert("locations".to_owned(), json!([{ "physicalLocation": at }]));
    }
    result
}

/// A story as plain lines.
#[must_use]
pub fn told(story: &Story) -> String {
    let line = |line: &StoryLine| {
        let when = line.when.map_or_else(|| " ".repeat(8), super::story::time);
        let place = line.place.as_ref().map_or_else(String::new, |place| format!("  ({place})"));
        format!("{when}  {}{place}", line.text)
    };
    story.lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

/// Text inside XML; what XML cannot hold is left out.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\n' => safe += "&#10;",
            c if c.is_control() => {}
            c => safe.push(c),
        }
    }
    safe
}
