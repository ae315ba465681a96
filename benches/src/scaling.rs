//! A model of how a training step scales with the threads.
//!
//! ```text
//! T(1) = T_s + T_p                          samples: forward, loss, backward; parameters: gradients and update
//! T(n) = max(T_s m p(m) / (B p(B)) + T_p q, bytes / rate(n)) + exchanged (1 - 1/n) / e + t (log2 w_s + log2 w_p)
//! ```
//!
//! T(1) is measured. T_p's share is that of its operations. Of B samples the largest part has m, whole chunks; p(m) are the
//! measured seconds of a sample's answer in a batch of m, so that p(m) / p(B) is what small parts cost. q is the largest
//! share of the parameters' buckets. t is the measured time of a join, and w threads are reached by log2 w of them in a
//! row. The bytes are those that no cache keeps; exchanged are those that the other threads have written, at the
//! measured rate e. `docs/scaling.md` has the assumptions.

use kernels::Tuning;
use kernels::conv::Conv2d;
use models::network::{ConvSpec, LayerSpec, Network};

use crate::{IMAGE, flop_per_sample, network_for};

/// What the network is cut by.
const TUNING: Tuning = Tuning::ZEN4;
/// Buckets of a layer at least.
const BUCKETS: usize = 4;
/// Operations of an update, and of adding a chunk's gradient, for each parameter, about.
const UPDATE: usize = 8;
/// Bytes of the last cache.
const LAST_CACHE: usize = 32 << 20;
/// How many cores' reading fills the memory's channels.
const CORES_PER_MEMORY: usize = 4;

/// What a step of a network on a batch consists of.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// Samples of the step.
    pub batch: usize,
    /// Samples that stay together: the largest chunk of a convolution (N3), else 1.
    pub chunk: usize,
    /// Operations of a step.
    pub flop: usize,
    /// Operations with which the network reckons whether a thread is worth waking.
    reckoned: usize,
    /// Operations that belong to parameters: dense weight gradients, sums of chunks, updates.
    pub parameter_flop: usize,
    /// The parameters' buckets, ascending: operations of each.
    pub buckets: Vec<usize>,
    /// Bytes that a step reads and writes beyond all caches.
    pub bytes: usize,
    /// Bytes that one phase writes and the other reads: on several threads, mostly from another core's cache.
    pub exchanged: usize,
}

/// What the machine gives.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Seconds of a join whose second half another thread takes.
    pub join: f64,
    /// Bytes of memory that a core reads in a second.
    pub memory: f64,
    /// Bytes that another core has just written which a core reads in a second.
    pub exchange: f64,
}

/// What was measured of a network on one thread, in seconds.
pub struct Measured<'a> {
    /// A training step.
    pub step: f64,
    /// An answer per sample, in batches of so many.
    pub answer: &'a dyn Fn(usize) -> f64,
}

impl Work {
    /// A step of the network on a batch.
    ///
    /// # Panics
    /// If the layers do not fit each other.
    pub fn new(layers: &[LayerSpec], batch: usize) -> Self {
        let network = network_for(layers, 1);
        let (mut longest, mut buckets, mut dense, mut exchanged) = (1, Vec::new(), 0, 0);
        for (index, spec) in layers.iter().enumerate() {
            let summary = &network.layers()[index];
            // Parameters that are computed together, and operations for each besides the update.
            let (row, each) = match chunk(spec, &network, index) {
                Some(chunk) => {
                    longest = if chunk > longest { chunk } else { longest };
                    exchanged += batch.div_ceil(chunk) * summary.parameters;
                    (1, batch.div_ceil(chunk))
                }
                None => {
                    dense += summary.flops as usize;
                    let units = summary.output.iter().product();
                    if summary.parameters > 0 {
                        exchanged += batch * (summary.parameters / units - 1 + units);
                    }
                    (units, 2 * batch)
                }
            };
            exchanged += summary.parameters;
            let whole = cut(summary.parameters, row);
            buckets.extend(whole.map(|parameters| parameters * (each + UPDATE)));
        }
        let parameter_flop = buckets.iter().sum();
        let forward: usize = network.layers().iter().map(|layer| layer.flops as usize).sum();
        let samples = batch * (flop_per_sample(layers) - dense);
        let bytes = bytes(layers, batch);
        let (flop, reckoned) = (samples + parameter_flop, 3 * batch * forward);
        let exchanged = exchanged * size_of::<f32>();
        Self { batch, chunk: longest, flop, reckoned, parameter_flop, buckets, bytes, exchanged }
    }

    /// How many times as fast as one thread so many are.
    pub fn speed_up(&self, threads: usize, measured: &Measured<'_>, machine: Machine) -> f64 {
        let chunks = self.batch.div_ceil(self.chunk);
        let of_samples = workers(threads, chunks, self.reckoned);
        let of_buckets = workers(threads, self.buckets.len(), self.parameter_flop);
        let in_parameters = self.parameter_flop as f64 / self.flop as f64;
        let part = self.batch.min(chunks.div_ceil(of_samples) * self.chunk);
        let small = (measured.answer)(part) / (measured.answer)(self.batch);
        let samples = measured.step * (1.0 - in_parameters) * part as f64 / self.batch as f64 * small;
        let parameters = measured.step * in_parameters * self.largest_share(of_buckets);
        let memory = self.bytes as f64 / (machine.memory * threads.min(CORES_PER_MEMORY) as f64);
        let work = samples + parameters;
        let others = 1.0 - 1.0 / (if of_samples > of_buckets { of_samples } else { of_buckets }) as f64;
        let exchange = others * self.exchanged as f64 / machine.exchange;
        let joins = (of_samples.next_power_of_two().ilog2() + of_buckets.next_power_of_two().ilog2()) as f64;
        measured.step / (if work > memory { work } else { memory } + exchange + joins * machine.join)
    }

    /// The largest share of the parameters' operations that one of so many threads has.
    fn largest_share(&self, workers: usize) -> f64 {
        let largest = self.buckets.iter().copied().max().unwrap_or(0);
        let fair = self.parameter_flop as f64 / workers as f64;
        let whole = largest as f64;
        (if whole > fair { whole } else { fair }) / self.parameter_flop as f64
    }
}

/// Samples of a chunk of a convolution's gradients (N3); `None` for other layers.
fn chunk(spec: &LayerSpec, network: &Network<f32>, index: usize) -> Option<usize> {
    let &LayerSpec::Conv2d(spec) = spec else { return None };
    let ConvSpec { filters, kernel, stride, padding, dilation, groups, .. } = spec;
    let input = index.checked_sub(1).map_or(&IMAGE[..], |below| &network.layers()[below].output);
    let [c_in, h_in, w_in] = input.try_into().ok()?;
    let conv = Conv2d { c_in, h_in, w_in, c_out: filters, kernel, stride, padding, dilation, groups };
    Some(conv.chunk())
}

/// The lengths of a layer's buckets: whole rows.
fn cut(parameters: usize, row: usize) -> impl Iterator<Item = usize> {
    let rows = parameters / row;
    let bucket =
        row * (TUNING.bucket_parameters / row).max(TUNING.bucket_rows).min(rows.div_ceil(BUCKETS).max(1));
    (0..parameters).step_by(bucket).map(move |start| bucket.min(parameters - start))
}

/// As the network counts them.
fn workers(threads: usize, most: usize, flop: usize) -> usize {
    threads.min(most).min(flop / TUNING.step_flops).max(1)
}

/// The images, and everything that is kept of a sample, written once and read once, if the last cache does not hold it.
fn bytes(layers: &[LayerSpec], batch: usize) -> usize {
    let images = batch * IMAGE.iter().product::<usize>();
    let [one, two] = [64, 128].map(|batch| network_for(layers, batch).memory());
    let values = batch * (two - one) / 64;
    images + if values > LAST_CACHE { 2 * values } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks;

    const FREE: Machine = Machine { join: 0.0, memory: f64::INFINITY, exchange: f64::INFINITY };
    /// No part is slower than the whole.
    const EVEN: Measured<'_> = Measured { step: 1.0, answer: &|_| 1.0 };

    fn work(model: &str, batch: usize) -> Work {
        let layers = networks().into_iter().find(|(name, _)| *name == model);
        Work::new(&layers.expect("a network").1, batch)
    }

    #[test]
    fn operations_are_those_of_the_step_and_the_update() {
        let m1 = work("M1", 64);
        let dense = 2 * 64 * (784 * 128 + 128 * 10);
        let biases = 2 * 64 * 138;
        assert_eq!(m1.parameter_flop, dense + biases + UPDATE * (785 * 128 + 129 * 10));
        assert_eq!(m1.flop - m1.parameter_flop, 2 * 64 * (784 * 128 + 2 * 128 * 10));
        // Weights and biases, what the two layers take, and the gradients of what they give.
        assert_eq!(m1.exchanged, 4 * (785 * 128 + 129 * 10 + 64 * (784 + 128 + 128 + 10)));
        assert_eq!(work("L5", 64).chunk, 4);
    }

    #[test]
    fn one_thread_is_as_fast_as_one_thread() {
        for (_, layers) in networks() {
            assert_eq!(Work::new(&layers, 64).speed_up(1, &EVEN, FREE), 1.0);
        }
    }

    #[test]
    fn free_threads_share_even_work_evenly() {
        // 1024 samples in chunks of 4, and buckets by the dozen.
        for threads in [2, 4, 8, 16] {
            let speed_up = work("L5", 1024).speed_up(threads, &EVEN, FREE);
            assert!((speed_up - threads as f64).abs() < 0.2 * threads as f64, "{threads}: {speed_up}");
        }
    }

    #[test]
    fn parts_joins_and_memory_bound_the_speed_up() {
        let c2 = work("C2", 64);
        let free = c2.speed_up(16, &EVEN, FREE);
        assert!(c2.speed_up(16, &EVEN, Machine { join: 0.01, ..FREE }) < 0.95 * free);
        // Half of what is exchanged lies in the other of two caches.
        let exchanging = Machine { exchange: c2.exchanged as f64, ..FREE };
        let gain = 1.0 / (1.0 / c2.speed_up(2, &EVEN, FREE) + 0.5);
        assert!((c2.speed_up(2, &EVEN, exchanging) - gain).abs() < 1e-9);
        // 16 chunks of 4 samples: no thread beyond the sixteenth has any.
        let samples = 1.0 - c2.parameter_flop as f64 / c2.flop as f64;
        assert!(c2.speed_up(64, &EVEN, FREE) <= 16.0 / samples);
        // A memory that takes the whole step for its bytes leaves nothing to four cores but to read side by side.
        let slow = Machine { memory: c2.bytes as f64, ..FREE };
        assert!((c2.speed_up(16, &EVEN, slow) - 4.0).abs() < 1e-9);
    }

    #[test]
    fn a_small_step_stays_on_its_thread() {
        assert_eq!(work("P", 1).speed_up(16, &EVEN, FREE), 1.0);
    }
}
