//! The FMA peak: the rate that no matrix product can exceed, measured rather than looked up.

#![forbid(unsafe_code)]

use std::hint::black_box;
use std::marker::PhantomData;
use std::sync::Barrier;
use std::time::Instant;

use crate::simd::{Kernel, MOST_LANES, Simd, Vector};
use crate::{Element, Level};

/// Chains under way at once: an FMA takes four or five cycles and two start in each.
const CHAINS: usize = 12;
/// Links per chain in one sample: about 0.1 ms, shorter than a time slice of the scheduler.
const LINKS: usize = 30_000;
/// Samples, of which the fastest counts: whatever else runs can only make one slower.
const SAMPLES: usize = 60;

/// The fused-multiply-add peak of `threads` cores at `level`, in GFLOP/s (10^9 operations per second).
///
/// Formula: 2 * lanes * chains * links / time, the best of 60 samples; independent chains of
/// `c = fma(a, c, b)` on registers alone. It is a measurement: it differs from call to call and
/// is lower where other programs run or the clock is throttled. It takes about 10 ms.
///
/// # Source
/// Williams, Waterman and Patterson, *Roofline* (2009), for peak as the yardstick of a kernel.
///
/// ```
/// let level = kernels::Level::best();
/// assert!(kernels::peak::gflops::<f32>(level, 1) > 0.0);
/// ```
pub fn gflops<T: Element>(level: Level, threads: usize) -> f64 {
    T::peak(level, threads)
}

pub(crate) fn measure<T: Element>(level: Level, threads: usize) -> f64 {
    let barrier = Barrier::new(threads);
    let sample = || {
        barrier.wait();
        let start = Instant::now();
        let lanes = level.dispatch(Chains::<T> { links: LINKS, element: PhantomData });
        let seconds = start.elapsed().as_secs_f64();
        (2 * lanes * CHAINS * LINKS) as f64 / seconds / 1e9
    };
    let samples = || (0..SAMPLES).map(|_| sample()).collect::<Vec<_>>();
    let per_thread: Vec<Vec<f64>> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(samples)).collect();
        let mut all = vec![samples()];
        all.extend(others.into_iter().filter_map(|thread| thread.join().ok()));
        all
    });
    // All threads run sample i together, so their rates add up.
    let together = |i: usize| per_thread.iter().fold(0.0, |sum, rates| sum + rates[i]);
    (0..SAMPLES).map(together).fold(0.0, |best, rate| if rate > best { rate } else { best })
}

/// Whether 512-bit registers multiply and add clearly more values in a time than 256-bit ones do. CPUs do not say: the best
/// of short samples of both, in turns, decides.
pub(crate) fn wide_registers_pay() -> bool {
    const LINKS: usize = 1000;
    let (Ok(wide), Ok(narrow)) = (Level::from_name("avx512"), Level::from_name("avx2")) else { return false };
    let time = |level: Level| {
        let start = Instant::now();
        level.dispatch(Chains::<f32> { links: LINKS, element: PhantomData });
        start.elapsed()
    };
    let samples = (0..SAMPLES).map(|_| [time(wide), time(narrow)]);
    let best = samples.reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1])]);
    // As long for twice the values: 1. Twice as long: 2.
    best.is_some_and(|[wide, narrow]| 2 * wide < 3 * narrow)
}

/// Twelve independent chains of so many links; returns the lanes of a register.
struct Chains<T> {
    links: usize,
    element: PhantomData<T>,
}

impl<T: Element> Kernel for Chains<T> {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> usize {
        // c = c / 2 + 1 / 4 stays near 1/2: no overflow, no subnormals.
        let [factor, addend] = [0.5, 0.25].map(|x| T::Vector::<S>::splat(simd, black_box(T::from_f64(x))));
        let mut chains = [addend; CHAINS];
        for _ in 0..self.links {
            for chain in &mut chains {
                *chain = factor.mul_add(*chain, addend);
            }
        }
        let mut lanes = [T::ZERO; MOST_LANES];
        for chain in chains {
            chain.store(&mut lanes);
            black_box(&lanes);
        }
        T::Vector::<S>::LANES
    }
}
