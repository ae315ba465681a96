//! What a machine has: threads and memory, asked about before anything is computed.

use crate::exit::{Exit, Failure};

/// So many threads are allowed on any machine, and [`THREADS_PER_CORE`] on a large one.
const THREADS: usize = 1024;
const THREADS_PER_CORE: usize = 8;

/// Refuses more threads in all than a machine with `cores` can have any use for; 0 jobs are one per core.
///
/// # Errors
/// [`Exit::Usage`], with the largest numbers that are allowed.
pub fn threads(jobs: usize, threads: usize, cores: usize) -> Result<(), Failure> {
    let most = THREADS.max(cores.saturating_mul(THREADS_PER_CORE));
    let at_once = if jobs == 0 { cores } else { jobs };
    if at_once.saturating_mul(threads.max(1)) <= most {
        return Ok(());
    }
    let message = format!(
        "error: {at_once} job(s) of {} thread(s) each are more than the {most} threads that are allowed on {cores} core(s)\n   = fix: make `--jobs` times `--threads` smaller; 0 chooses by the cores",
        threads.max(1)
    );
    Err(Failure::new(Exit::Usage, message))
}

/// Bytes of memory that new work may take; `None` where the system does not tell.
pub fn available() -> Option<usize> {
    available_in(&fs_err::read_to_string("/proc/meminfo").ok()?)
}

fn available_in(meminfo: &str) -> Option<usize> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// How many of `jobs` trials of `needed` bytes fit, at least 1.
pub fn jobs_that_fit(needed: usize, jobs: usize, available: Option<usize>) -> usize {
    let most = available.and_then(|available| available.checked_div(needed)).unwrap_or(jobs);
    jobs.min(most).max(1)
}

/// Whether `jobs` trials of `needed` bytes each fit into the memory that there is.
///
/// # Errors
/// What is needed, and what there is.
pub fn memory(needed: usize, jobs: usize, available: Option<usize>) -> Result<(), String> {
    match available {
        Some(available) if needed.saturating_mul(jobs) > available => {
            let mib = |bytes: usize| bytes.div_ceil(1 << 20);
            Err(format!(
                "{jobs} trial(s) at a time need {} MiB of memory each (weights, optimiser, activations, checkpoint), and {} MiB are available",
                mib(needed),
                mib(available)
            ))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_in_all_are_bounded() {
        for (jobs, each, cores) in [(0, 0, 2), (1024, 0, 2), (0, 512, 2), (1, 2048, 256)] {
            assert!(threads(jobs, each, cores).is_ok(), "{jobs} {each} {cores}");
        }
        for (jobs, each, cores) in [(0, 513, 2), (1025, 0, 2), (1, 100_000, 2), (usize::MAX, 2, 1)] {
            let refused = threads(jobs, each, cores).unwrap_err();
            assert_eq!(refused.exit, Exit::Usage, "{jobs} {each} {cores}");
            assert!(refused.message.contains("fix: "));
        }
    }

    #[test]
    fn memory_is_shared_among_the_jobs() {
        assert_eq!(available_in("MemTotal: 9 kB\nMemAvailable:     20 kB\n"), Some(20_480));
        assert_eq!(available_in("MemTotal: 9 kB\n"), None);
        assert_eq!([7, 8, 21].map(|needed| jobs_that_fit(needed, 4, Some(20))), [2, 2, 1]);
        assert_eq!([jobs_that_fit(0, 4, Some(20)), jobs_that_fit(9, 4, None)], [4, 4]);
        assert!(memory(10, 2, Some(20)).is_ok() && memory(usize::MAX, 2, None).is_ok());
        assert!(memory(3 << 20, 2, Some(5 << 20)).unwrap_err().contains("need 3 MiB of memory each"));
    }
}
