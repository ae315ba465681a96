//! The workers: each takes the next trial until none is left.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use kernels::{Exec, Level};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::Plan;
use crate::durable;
use crate::interrupt::Interrupt;
use crate::kinds::{self, Context, Stopped};
use crate::outcome::Outcome;
use crate::progress::Progress;
use crate::record;
use crate::results::{Folder, SECONDS};

/// How to run; never changes what comes out.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Trials at the same time.
    pub jobs: usize,
    /// Threads of each trial.
    pub threads: usize,
    /// The instruction level.
    pub level: Level,
    /// Whether to go on after a failed trial.
    pub keep_going: bool,
}

/// A trial that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its index in the plan.
    pub trial: usize,
    /// Why.
    pub reason: String,
}

/// What became of the trials that were to run.
#[derive(Debug, Default)]
pub struct Report {
    /// (index in the plan, outcome), sorted by index.
    pub finished: Vec<(usize, Outcome)>,
    /// Those that failed, sorted by index.
    pub failed: Vec<Failure>,
}

/// Runs the trials `todo` of `plan` and saves a record of each.
///
/// Returns when all are done, or after the interrupt or (without `keep_going`) the first failure
/// once the trials at work have saved where they are.
pub fn run(
    plan: &Plan<'_>,
    folder: &Folder,
    todo: &[usize],
    options: Options,
    progress: &Progress,
    interrupt: &Interrupt,
) -> Report {
    let work = Work {
        plan,
        folder,
        todo,
        options,
        progress,
        interrupt,
        next: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
        report: Mutex::default(),
    };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.min(todo.len()) {
            scope.spawn(|| work.worker());
        }
    });
    let mut report = work.report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.finished.sort_by_key(|(index, _)| *index);
    report.failed.sort_by_key(|failure| failure.trial);
    report
}

struct Work<'a> {
    plan: &'a Plan<'a>,
    folder: &'a Folder,
    todo: &'a [usize],
    options: Options,
    progress: &'a Progress,
    interrupt: &'a Interrupt,
    next: AtomicUsize,
    stop: AtomicBool,
    report: Mutex<Report>,
}

impl Work<'_> {
    fn worker(&self) {
        let pool = match self.options.threads {
            0 | 1 => None,
            // Where no threads can be had: fewer are slower, never different.
            n => ThreadPoolBuilder::new().num_threads(n).build().ok(),
        };
        while !self.stop.load(Ordering::Relaxed) && !self.interrupt.requested() {
            let position = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(&index) = self.todo.get(position) else { return };
            let result = self.trial(index, pool.as_ref());
            let mut report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
            match result {
                Ok(outcome) => report.finished.push((index, outcome)),
                Err(Stopped::Interrupted) => {}
                Err(Stopped::Failed(reason)) => {
                    self.progress.failed(&self.plan.trials[index], &reason);
                    report.failed.push(Failure { trial: index, reason });
                    if !self.options.keep_going {
                        self.stop.store(true, Ordering::Relaxed);
                    }
                }
            }
        }
    }

    /// Runs one trial, in the pool if there is one, and saves its record.
    fn trial(&self, index: usize, pool: Option<&ThreadPool>) -> Result<Outcome, Stopped> {
        let trial = &self.plan.trials[index];
        let cell = &self.plan.experiment.cells[trial.cell];
        let records = record::folder(&self.folder.local, &trial.id);
        let level = self.options.level;
        let progress = self.progress.trial(kinds::units(&cell.kind));
        let context = Context {
            exec: if pool.is_some() { Exec::parallel(level) } else { Exec::serial(level) },
            seed: trial.seed,
            id: &trial.id,
            folder: &records,
            inputs: &self.plan.inputs,
            interrupt: self.interrupt,
            progress: &progress,
        };
        let begun = Instant::now();

        on_every_thread(pool, kernels::environment::check)?;
        let compute = || kinds::run(&cell.kind, &context);
        let caught = catch_unwind(AssertUnwindSafe(|| match pool {
            Some(pool) => pool.install(compute),
            None => compute(),
        }));
        let outcome = caught.unwrap_or_else(|panic| Err(Stopped::Failed(panic_text(&*panic))))?;
        let seconds = begun.elapsed().as_secs_f64();
        self.save(&records, &trial.id, &outcome, seconds).map_err(|e| Stopped::Failed(e.to_string()))?;
        progress.done(trial, &outcome, seconds);
        Ok(outcome)
    }

    fn save(
        &self,
        records: &std::path::Path,
        id: &str,
        outcome: &Outcome,
        seconds: f64,
    ) -> std::io::Result<()> {
        durable::create_folder(records)?;
        durable::write(&records.join(SECONDS), format!("{seconds:.3}\n").as_bytes())?;
        record::save(records, id, outcome)?;
        Ok(())
    }
}

/// Asks `check` on the calling thread and on every thread of the pool: the settings that it looks at belong to
/// a thread (N10).
fn on_every_thread(
    pool: Option<&ThreadPool>,
    check: impl Fn() -> Result<(), kernels::Error> + Sync,
) -> Result<(), kernels::Error> {
    check()?;
    pool.map_or_else(Vec::new, |pool| pool.broadcast(|_| check())).into_iter().collect()
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    format!("the trial panicked: {}; this is a defect, please report it", text.unwrap_or("no message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_thread_of_a_pool_is_found() -> Result<(), rayon::ThreadPoolBuildError> {
        let pool = ThreadPoolBuilder::new().num_threads(3).build()?;
        let wrong_on = |wrong: Option<usize>| {
            on_every_thread(Some(&pool), || match rayon::current_thread_index() {
                index if index == wrong => Err(kernels::Error::Environment { found: "flush-to-zero is on" }),
                _ => Ok(()),
            })
        };
        // The caller itself has no index.
        for wrong in [None, Some(0), Some(1), Some(2)] {
            assert!(wrong_on(wrong).is_err(), "{wrong:?}");
        }
        assert!(wrong_on(Some(3)).is_ok());
        Ok(())
    }
}
