//! Progress on stderr: a bar with the time left on a terminal, one line per trial otherwise.
#![forbid(unsafe_code)]

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use crate::outcome::{Outcome, Status};
use crate::table::Rounded;
use crate::trial::Trial;

/// Writes a line to stderr. One that cannot be written (a closed pipe, a full disk) is no reason to stop a run.
pub fn tell(line: impl Display) {
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

/// The progress of one experiment.
#[derive(Debug)]
pub struct Progress {
    show: Show,
    name: String,
    keys: Vec<String>,
    todo: usize,
    finished: AtomicUsize,
}

#[derive(Debug)]
enum Show {
    Nothing,
    Lines,
    Bar(ProgressBar),
}

/// The progress of one trial.
#[derive(Debug)]
pub struct TrialProgress<'a> {
    all: &'a Progress,
    units: u64,
    advanced: AtomicU64,
}

impl Progress {
    /// Progress of `todo` trials with `units` epochs in all; `quiet` shows nothing.
    pub fn new(name: &str, keys: &[String], todo: usize, units: u64, quiet: bool) -> Self {
        let show = match () {
            () if quiet || todo == 0 => Show::Nothing,
            () if std::io::stderr().is_terminal() => Show::Bar(bar(name, units)),
            () => Show::Lines,
        };
        Self { show, name: name.to_owned(), keys: keys.to_vec(), todo, finished: AtomicUsize::new(0) }
    }

    /// The progress of one of the trials, which has `units` epochs.
    pub fn trial(&self, units: u64) -> TrialProgress<'_> {
        TrialProgress { all: self, units, advanced: AtomicU64::new(0) }
    }

    /// Says that a trial failed; also where nothing else is shown.
    pub fn failed(&self, trial: &Trial, reason: &str) {
        self.say(&format!("error: {} {}: {reason}", self.name, self.describe(trial)));
    }

    /// Removes the bar.
    pub fn finish(&self) {
        if let Show::Bar(bar) = &self.show {
            bar.finish_and_clear();
        }
    }

    /// `units=32 seed=3`
    fn describe(&self, trial: &Trial) -> String {
        let mut text = String::new();
        for (key, value) in self.keys.iter().zip(&trial.settings) {
            text += &format!("{key}={value} ");
        }
        text + &format!("seed={}", trial.seed)
    }

    fn say(&self, line: &str) {
        match &self.show {
            Show::Bar(bar) => bar.println(line),
            Show::Lines | Show::Nothing => tell(line),
        }
    }
}

impl TrialProgress<'_> {
    /// `epochs` more are done.
    pub fn advance(&self, epochs: u64) {
        self.advanced.fetch_add(epochs, Ordering::Relaxed);
        if let Show::Bar(bar) = &self.all.show {
            bar.inc(epochs);
        }
    }

    /// The trial is done; the epochs that it did not need count as done too.
    pub fn done(&self, trial: &Trial, outcome: &Outcome, seconds: f64) {
        self.advance(self.units.saturating_sub(self.advanced.load(Ordering::Relaxed)));
        let all = self.all;
        let count = all.finished.fetch_add(1, Ordering::Relaxed) + 1;
        let result = headline(outcome);
        match &all.show {
            Show::Nothing => {}
            Show::Bar(bar) => bar.set_message(format!("{} {result}", all.describe(trial))),
            Show::Lines => {
                let place = format!("{count}/{}", all.todo);
                all.say(&format!("{} {place}  {}  {result}  {seconds:.1} s", all.name, all.describe(trial)));
            }
        }
    }
}

/// The figure of a trial that a reader wants first.
fn headline(outcome: &Outcome) -> String {
    if let Status::Diverged { epoch, step } = outcome.status {
        return format!("diverged in epoch {epoch}, step {step}");
    }
    let wanted = ["test.accuracy", "test.loss", "train.loss"];
    let metric = wanted
        .iter()
        .find_map(|name| outcome.metrics.iter().find(|(n, _)| n == name))
        .or(outcome.metrics.first());
    metric.map_or_else(String::new, |(name, value)| format!("{name} {}", Rounded::alone(value.as_f64())))
}

fn bar(name: &str, units: u64) -> ProgressBar {
    let bar = ProgressBar::new(units);
    let style = ProgressStyle::with_template("{prefix} {bar:30} {percent:>3} %  {eta} left  {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar.set_prefix(name.to_owned());
    bar.enable_steady_tick(std::time::Duration::from_millis(250));
    bar
}
