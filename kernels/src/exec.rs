//! How a kernel runs, apart from what it computes.

use crate::{Error, Level, Tuning};

/// How a kernel runs: with which instructions, whether it may share its work out, and by which sizes it is tuned.
///
/// It never changes what comes out: every field may be set freely, a size to any number from 1, and the bits stay the same.
#[derive(Clone, Copy, Debug)]
pub struct Exec {
    /// The instruction set.
    pub level: Level,
    /// Whether the kernel may use the threads of the surrounding rayon pool.
    pub threads: Threads,
    /// Block sizes, limits and thresholds.
    pub tuning: &'static Tuning,
}

/// Whether a kernel may share its work out over threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// The calling thread alone.
    One,
    /// The rayon pool that the call runs in (`ThreadPool::install`), where the work is worth it.
    Pool,
}

impl Exec {
    /// The calling thread alone, at `level`.
    pub fn serial(level: Level) -> Self {
        Self { level, threads: Threads::One, tuning: Tuning::in_use() }
    }

    /// All threads of the surrounding rayon pool, at `level`.
    pub fn parallel(level: Level) -> Self {
        Self { threads: Threads::Pool, ..Self::serial(level) }
    }

    /// One thread at the level that [`Level::from_env`] chooses, tuned as [`Tuning::from_env`] says.
    ///
    /// # Errors
    /// As both.
    pub fn from_env() -> Result<Self, Error> {
        Ok(Self { tuning: Tuning::from_env()?, ..Self::serial(Level::from_env()?) })
    }

    /// The same, but on the calling thread alone.
    #[must_use]
    pub fn on_one_thread(self) -> Self {
        Self { threads: Threads::One, ..self }
    }

    /// Into how many parts work of `cost` is cut where `each` of it is worth a thread: at most `per_thread` for each.
    pub fn parts(self, cost: usize, each: usize, per_thread: usize) -> usize {
        let worth = cost / each;
        let threads =
            if self.threads == Threads::One || worth < 2 { 1 } else { rayon::current_num_threads() };
        if threads == 1 { 1 } else { worth.min(threads * per_thread) }
    }
}
