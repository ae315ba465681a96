//! What the model of scaling takes from the machine: how long a join of threads takes, how fast memory and another core's
//! values are read.

use std::hint::{black_box, spin_loop};
use std::sync::Mutex;
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
/// The name of the row of what another core has written.
pub(crate) const EXCHANGE: &str = "another core's values, a MiB";
/// Rounds of joins, of which the fastest counts, as for the FMA peak: where other programs hold the cores, a round waits for them.
const ROUNDS: usize = 50;
/// Joins of a round.
const JOINS: usize = 200;
/// How long all threads work before a round, so that the system gives each a core of its own.
const WORK: Duration = Duration::from_millis(10);
/// Looks at whether the other half is taken before the core is offered to other threads.
const LOOKS: usize = 1_000;
/// Values that one thread writes and another reads: half a level-2 cache and less.
const VALUES: usize = 1 << 16;
/// Bytes that no cache holds.
const ARRAY: usize = 128 << 20;

/// Memory with one thread; a join and an exchange with several.
pub(crate) fn costs(bench: &Bench) -> Vec<Row> {
    let row = |model: &str| {
        let (part, model) = (row::MACHINE.to_owned(), model.to_owned());
        Row { part, model, threads: bench.threads, ..Row::default() }
    };
    let rows = if bench.threads == 1 {
        let microseconds = (1 << 20) as f64 / gigabytes_read_per_second(bench.exec.level, ARRAY) / 1e3;
        vec![Row { median_microseconds: Some(microseconds), ..row(MEMORY) }]
    } else {
        let (values, mut copy) = (Mutex::new(vec![0.0; VALUES]), vec![0.0; VALUES]);
        let mib = (VALUES * size_of::<f32>()) as f64 / f64::from(1 << 20);
        let of = |name: &str, times: Vec<f64>, unit: f64| {
            let at = |hundredths: usize| Some(1e6 * times[(JOINS - 1) * hundredths / 100] / unit);
            Row { median_microseconds: at(50), p99_microseconds: at(99), ..row(name) }
        };
        vec![
            of(JOIN, fastest_round(join), 1.0),
            of(EXCHANGE, fastest_round(|| exchange(&values, &mut copy)), mib),
        ]
    };
    rows.into_iter().inspect(Row::print).collect()
}

/// The times of the round with the smallest median, ascending.
fn fastest_round(mut time: impl FnMut() -> f64) -> Vec<f64> {
    let mut round = || {
        rayon::broadcast(|_| {
            let start = Instant::now();
            while start.elapsed() < WORK {
                spin_loop();
            }
        });
        let mut times: Vec<f64> = (0..JOINS).map(|_| time()).collect();
        times.sort_by(f64::total_cmp);
        times
    };
    let rounds = (0..ROUNDS).map(|_| round());
    rounds.min_by(|a, b| a[JOINS / 2].total_cmp(&b[JOINS / 2])).unwrap_or_default()
}

/// Seconds of a join whose second half another thread takes: the first half waits for it.
fn join() -> f64 {
    let taken = AtomicBool::new(false);
    let start = Instant::now();
    rayon::join(|| wait_for(&taken), || taken.store(true, Ordering::Release));
    start.elapsed().as_secs_f64()
}

/// Seconds of a copy of what another thread has just written.
fn exchange(values: &Mutex<Vec<f32>>, copy: &mut [f32]) -> f64 {
    let written = AtomicBool::new(false);
    let read = || {
        wait_for(&written);
        let values = values.lock().expect("no thread panics");
        let start = Instant::now();
        black_box(&mut *copy).copy_from_slice(&values);
        start.elapsed().as_secs_f64()
    };
    let write = || {
        values.lock().expect("no thread panics").iter_mut().for_each(|value| *value += 1.0);
        written.store(true, Ordering::Release);
    };
    rayon::join(read, write).0
}

fn wait_for(flag: &AtomicBool) {
    for look in 1_usize.. {
        if flag.load(Ordering::Acquire) {
            return;
        }
        if look.is_multiple_of(LOOKS) { yield_now() } else { spin_loop() }
    }
}
