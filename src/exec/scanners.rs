//! Scanners that were compiled before, by what they look for: compiling one takes longer than most of what a
//! simulated wait does. It keeps them; it does not scan.

use crate::exec::scan::Scanner;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// How many are kept; a runbook that makes up ever new expressions must not fill the memory.
const KEPT: usize = 64;

/// Event patterns, events and expressions.
type Sought = (Vec<String>, Vec<i64>, Vec<String>);

/// The scanners of a runbook, shared by all its runs.
#[derive(Debug, Default)]
pub struct Scanners(RefCell<BTreeMap<Sought, Rc<Scanner>>>);

impl Scanners {
    /// The scanner that [`Scanner::new`] makes of these.
    ///
    /// # Errors
    /// Which expression is not one, in words.
    pub fn get(&self, event_patterns: &[String], events: &[i64], patterns: &[String]) -> Result<Rc<Scanner>, String> {
        let sought = (event_patterns.to_vec(), events.to_vec(), patterns.to_vec());
        let mut kept = self.0.borrow_mut();
        if let Some(scanner) = kept.get(&sought) {
            return Ok(Rc::clone(scanner));
        }
        let scanner = Rc::new(Scanner::new(event_patterns, events, patterns)?);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(sought, Rc::clone(&scanner));
        Ok(scanner)
    }
}
