//! What is timed in turns: A B C A B C ..., so that a machine whose speed drifts is the same for all.

use std::time::Instant;

/// Repetitions, of which the median counts.
pub const REPETITIONS: usize = 11;
/// Seconds that a repetition lasts at least.
const SHORTEST: f64 = 2e-3;

/// Seconds of `count` calls.
pub fn seconds(count: usize, mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..count).for_each(|_| call());
    start.elapsed().as_secs_f64()
}

/// How many calls make a repetition.
pub fn calls_per_repetition(mut call: impl FnMut()) -> usize {
    calls_lasting(SHORTEST, |count| seconds(count, &mut call))
}

/// How many calls last so many seconds, if `time` tells how long some last.
pub fn calls_lasting(wanted: f64, mut time: impl FnMut(usize) -> f64) -> usize {
    let mut count = 1;
    loop {
        let seconds = time(count);
        if seconds >= wanted / 4.0 {
            return ((count as f64 * wanted / seconds).ceil() as usize).max(1);
        }
        count *= 4;
    }
}

/// The middle value.
///
/// # Panics
/// If there is none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
