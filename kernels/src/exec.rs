//! How a kernel runs, apart from what it computes.

use crate::{Error, Level};

/// How a kernel runs: with which instructions and whether it may share its work out.
///
/// It never changes what comes out: every field may be set freely and the bits stay the same.
#[derive(Clone, Copy, Debug)]
pub struct Exec {
    /// The instruction set.
    pub level: Level,
    /// Whether the kernel may use the threads of the surrounding rayon pool.
    pub threads: Threads,
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
        Self { level, threads: Threads::One }
    }

    /// All threads of the surrounding rayon pool, at `level`.
    pub fn parallel(level: Level) -> Self {
        Self { level, threads: Threads::Pool }
    }

    /// One thread at the level that [`Level::from_env`] chooses.
    ///
    /// # Errors
    /// As [`Level::from_env`].
    pub fn from_env() -> Result<Self, Error> {
        Ok(Self::serial(Level::from_env()?))
    }
}
