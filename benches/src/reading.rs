//! How fast one core reads: what bounds a product with a single row or column, as the FMA peak bounds the others.

use std::hint::black_box;
use std::time::Instant;

use kernels::Level;

use crate::uniform;

/// Values that are added up side by side: eight chains or more on every level, so that no addition is waited for.
const LANES: usize = 128;
/// Samples, of which the fastest counts, as for the FMA peak.
const SAMPLES: usize = 60;
/// Bytes read in a sample at least: some 0.1 ms, shorter than a time slice of the scheduler.
const SAMPLE_BYTES: usize = 8 << 20;
/// Bytes of a cache line, with which the array begins.
const LINE: usize = 64;

/// 10^9 bytes per second that a loop over an array of `bytes` reads again and again: from the level-2 cache what
/// fits it, else from the level-3 cache or memory.
pub fn gigabytes_read_per_second(level: Level, bytes: usize) -> f64 {
    let len = bytes / size_of::<f32>() / LANES * LANES;
    let mut state = 1_u64;
    let room: Vec<f32> = (0..len + LINE / size_of::<f32>()).map(|_| uniform(&mut state)).collect();
    let array = &room[room.as_ptr().align_offset(LINE)..][..len];
    let passes = (SAMPLE_BYTES / bytes).max(1);
    let mut best = 0.0;
    for _ in 0..SAMPLES {
        let start = Instant::now();
        for _ in 0..passes {
            black_box(sums(level, black_box(array)));
        }
        let rate = (passes * size_of_val(array)) as f64 / start.elapsed().as_secs_f64() / 1e9;
        if rate > best {
            best = rate;
        }
    }
    best
}

/// Adds up every 128th value.
fn sums(level: Level, array: &[f32]) -> [f32; LANES] {
    level.vectorize(
        #[inline(always)]
        || {
            let mut sums = [0.0; LANES];
            for values in array.chunks_exact(LANES) {
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += value;
                }
            }
            sums
        },
    )
}
