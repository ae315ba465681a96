//! What the model of scaling takes from the machine: how long a join of threads takes, how fast memory is read.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use benches::gigabytes_read_per_second;

use crate::Bench;
use crate::row::{self, Row};

/// The name of the row of a join.
pub(crate) const JOIN: &str = "join";
/// The name of the row of memory.
pub(crate) const MEMORY: &str = "memory, a MiB";
/// Joins, of which the median counts.
const JOINS: usize = 5_000;
/// Bytes that no cache holds.
const ARRAY: usize = 128 << 20;

/// One row: memory with one thread, a join with several.
pub(crate) fn costs(bench: &Bench) -> Vec<Row> {
    let row = |model: &str| {
        let (part, model) = (row::MACHINE.to_owned(), model.to_owned());
        Row { part, model, threads: bench.threads, ..Row::default() }
    };
    let row = if bench.threads == 1 {
        let microseconds = (1 << 20) as f64 / gigabytes_read_per_second(bench.exec.level, ARRAY) / 1e3;
        Row { median_microseconds: Some(microseconds), ..row(MEMORY) }
    } else {
        let mut times: Vec<f64> = (0..JOINS).map(|_| 1e6 * join()).collect();
        times.sort_by(f64::total_cmp);
        let at = |hundredths: usize| Some(times[(JOINS - 1) * hundredths / 100]);
        Row { median_microseconds: at(50), p99_microseconds: at(99), ..row(JOIN) }
    };
    row.print();
    vec![row]
}

/// Seconds of a join whose second half another thread takes: the first half waits for it.
fn join() -> f64 {
    let taken = AtomicBool::new(false);
    let wait = || {
        while !taken.load(Ordering::Acquire) {
            spin_loop();
        }
    };
    let start = Instant::now();
    rayon::join(wait, || taken.store(true, Ordering::Release));
    start.elapsed().as_secs_f64()
}
