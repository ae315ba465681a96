//! How fast one core moves values: the yardstick of a kernel that computes little, as the FMA peak is of the others.

#![forbid(unsafe_code)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::Level;
use crate::simd::vectorized;

/// Bytes moved in one sample at least: some 0.1 ms, shorter than a time slice of the scheduler.
const SAMPLE_BYTES: usize = 4 << 20;
/// Samples go on for this long, of which the fastest counts: whatever else runs can only make one slower.
const DURATION: Duration = Duration::from_millis(10);
/// Samples at least.
const SAMPLES: usize = 3;

/// The rate at which one core reads and writes, in GB/s (10^9 bytes per second): x <- c x over an array of `bytes`,
/// again and again.
///
/// Formula: 2 * bytes * passes / time, the best sample; every value counts once as read and once as written. The array
/// comes from L2 if it fits that and not L1, else from L3 or memory. In place, no line is loaded only to be
/// overwritten, so this is the fastest possible loop. It is a measurement and differs from call to call; it takes about
/// 10 ms for what caches hold.
///
/// # Source
/// McCalpin, *Memory bandwidth and machine balance* (1995): STREAM, whose `scale` loop this is, but in place.
///
/// ```
/// let level = kernels::Level::best();
/// assert!(kernels::bandwidth::gigabytes_per_second(level, 256 << 10) > 0.0);
/// ```
pub fn gigabytes_per_second(level: Level, bytes: usize) -> f64 {
    let mut x = vec![1.0_f32; (bytes / size_of::<f32>()).max(1)];
    let moved = 2 * size_of_val(&x[..]);
    let passes = (SAMPLE_BYTES / moved).max(1);
    let (mut best, begun) = (0.0, Instant::now());
    for sample in 0.. {
        if sample >= SAMPLES && begun.elapsed() >= DURATION {
            break;
        }
        let start = Instant::now();
        for _ in 0..passes {
            let x = black_box(&mut x[..]);
            vectorized!(level, {
                // A factor that is not known and keeps the values what they are.
                let c = black_box(1.0);
                for x in x {
                    *x *= c;
                }
            });
        }
        let rate = (passes * moved) as f64 / start.elapsed().as_secs_f64() / 1e9;
        if rate > best {
            best = rate;
        }
    }
    best
}
