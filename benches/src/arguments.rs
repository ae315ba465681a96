//! The options that the benchmarks share.

use kernels::{Exec, Level};

/// The words behind the program's name.
#[derive(Clone, Debug)]
pub struct Arguments(Vec<String>);

impl Arguments {
    /// Those of this program.
    pub fn of_program() -> Self {
        Self(std::env::args().skip(1).collect())
    }

    /// Whether the option is there.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|word| word == name)
    }

    /// The words behind the option; `None` where it is absent.
    pub fn after(&self, name: &str) -> Option<&[String]> {
        let place = self.0.iter().position(|word| word == name)?;
        Some(&self.0[place + 1..])
    }

    /// The word behind the option: `TEXT` of `--layer TEXT`.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.after(name)?.first().map(String::as_str)
    }

    /// The number of threads that `--threads N` or `--threads all` asks for.
    ///
    /// # Panics
    /// If it is something else.
    pub fn threads(&self) -> Option<usize> {
        self.value("--threads").map(|word| match word {
            "all" => cores(),
            number => number.parse().expect("--threads N or all"),
        })
    }

    /// As [`Arguments::threads`]; without the option one thread and all, each once.
    pub fn each_threads(&self) -> Vec<usize> {
        let mut threads = self.threads().map_or_else(|| vec![1, cores()], |threads| vec![threads]);
        threads.dedup();
        threads
    }
}

/// The cores that this program may run on.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The level of `KERNELS_LEVEL`, else the best, with one thread or the pool of the caller.
///
/// # Panics
/// If `KERNELS_LEVEL` names no level of this CPU.
pub fn exec(threads: usize) -> Exec {
    let level = Level::from_env().expect("KERNELS_LEVEL names a level of this CPU");
    if threads == 1 { Exec::serial(level) } else { Exec::parallel(level) }
}

/// Runs the benchmark in a pool of so many threads, as a training loop runs: to enter it costs 20 microseconds.
///
/// # Panics
/// If the system gives no threads.
pub fn in_pool<R: Send>(threads: usize, run: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool").install(run)
}
