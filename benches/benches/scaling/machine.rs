//! What the model of scaling takes from the machine: how long a join of threads takes, how fast memory is read.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::yield_now;
use std::time::{Duration, Instant};

use benches::gigabytes_read_per_second;

use crate::Bench;
use crate::row::{self, Row};

/// The name of the row of a join.
pub(crate) const JOIN: &str = "join";
/// The name of the row of memory.
pub(crate) const MEMORY: &str = "memory, a MiB";
/// Rounds of joins, of which the fastest counts, as for the FMA peak: where other programs hold the cores, a round waits for them.
const ROUNDS: usize = 50;
/// Joins of a round.
const JOINS: usize = 200;
/// How long all threads work before a round, so that the system gives each a core of its own.
const WORK: Duration = Duration::from_millis(10);
/// Looks at whether the other half is taken before the core is offered to other threads.
const LOOKS: usize = 1_000;
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
        let times = fastest_round();
        let at = |hundredths: usize| Some(1e6 * times[(JOINS - 1) * hundredths / 100]);
        Row { median_microseconds: at(50), p99_microseconds: at(99), ..row(JOIN) }
    };
    row.print();
    vec![row]
}

/// Seconds of the joins of the round with the smallest median, ascending.
fn fastest_round() -> Vec<f64> {
    let round = || {
        rayon::broadcast(|_| {
            let start = Instant::now();
            while start.elapsed() < WORK {
                spin_loop();
            }
        });
        let mut times: Vec<f64> = (0..JOINS).map(|_| join()).collect();
        times.sort_by(f64::total_cmp);
        times
    };
    let rounds = (0..ROUNDS).map(|_| round());
    rounds.min_by(|a, b| a[JOINS / 2].total_cmp(&b[JOINS / 2])).unwrap_or_default()
}

/// Seconds of a join whose second half another thread takes: the first half waits for it.
fn join() -> f64 {
    let taken = AtomicBool::new(false);
    let wait = || {
        for look in 1_usize.. {
            if taken.load(Ordering::Acquire) {
                return;
            }
            if look.is_multiple_of(LOOKS) { yield_now() } else { spin_loop() }
        }
    };
    let start = Instant::now();
    rayon::join(wait, || taken.store(true, Ordering::Release));
    start.elapsed().as_secs_f64()
}
