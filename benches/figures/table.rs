//! The table of figures, and the statistics it is made of. It measures nothing.

use std::time::Duration;

/// One line of the table.
pub struct Figure {
    /// What was measured.
    pub what: &'static str,
    /// What came out, with its unit.
    pub value: String,
    /// What is aimed at; empty when nothing is.
    pub aim: &'static str,
    /// Whether that is met.
    pub met: Option<bool>,
}

impl Figure {
    /// A figure without an aim.
    pub fn plain(what: &'static str, value: String) -> Self {
        Self { what, value, aim: "", met: None }
    }

    pub fn print(&self) {
        let met = match self.met {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "",
        };
        println!("{:<62} {:>18}  {:<12} {met}", self.what, self.value, self.aim);
    }
}

pub fn head() {
    println!("{:<62} {:>18}  {:<12} ", "figure", "measured", "aim");
}

/// The middle one; half of the runs were faster.
pub fn median<T: Copy + PartialOrd>(mut runs: Vec<T>) -> T {
    runs.sort_by(|a, b| a.partial_cmp(b).expect("comparable"));
    runs[runs.len() / 2]
}

/// The run that 99 of 100 were not slower than.
pub fn p99(mut runs: Vec<Duration>) -> Duration {
    runs.sort();
    runs[(runs.len() * 99 / 100).min(runs.len() - 1)]
}

pub fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}
