//! Elementwise kernels, sums and the softmax beside what a program without this crate would do, in turns:
//! baseline, each level, baseline, each level ...
//!
//! | kernels | baseline | arrays |
//! |---|---|---|
//! | exp, expm1, ln, ln1p, tanh, sigmoid | std's function in a loop, which is the platform's libm | in the second cache |
//! | ReLU forward and backward, a step of SGD | a plain loop with the same reads and writes, as STREAM's | in memory |
//! | sums, softmax, cross-entropy | plain loops, with std's functions | in the second cache |
//!
//! Before it is timed, every kernel's output is compared with the reference's by bits. The median of the repetitions
//! counts; each lasts some milliseconds. Bytes per second count what a loop names, as STREAM does, and not the
//! lines that a write reads first.
//!
//! What biases it: the machine may be shared, so only ratios inside a run mean anything; libm's functions are
//! called one by one, as std does, also where the platform has a library of vector functions.
//!
//! `--kernel TEXT` chooses the kernels whose name holds the text; nothing is written then. Without it
//! `results/benchmarks/<cpu>/elementwise.csv` and `elementwise.md` are replaced. `--retable CPU` only sets the table of
//! that CPU again.
//!
//! **Source** McCalpin 1995, *Memory bandwidth and machine balance in current high performance computers* (STREAM).

mod functions;
mod memory;
mod report;
mod rows;

use std::hint::black_box;

use benches::{Arguments, REPETITIONS, calls_per_repetition, seconds, tables_of};
use kernels::Level;
use report::Row;

/// What every call reads and writes: the same memory for all that are compared.
struct Buffers {
    x: Vec<f32>,
    z: Vec<f32>,
    y: Vec<f32>,
}

/// One call of a kernel or of its baseline.
type Call<'a> = Box<dyn Fn(&mut Buffers) + 'a>;

/// A kernel at several levels and its baseline.
struct Contest<'a> {
    kernel: String,
    elements: usize,
    /// Bytes that one call reads and writes.
    bytes: usize,
    buffers: Buffers,
    /// What y must begin with after a call.
    want: Vec<f32>,
    baseline: (&'static str, Call<'a>),
    levels: Vec<(Level, Call<'a>)>,
}

fn main() {
    let arguments = Arguments::of_program();
    if let Some(cpu) = arguments.value("--retable") {
        return report::set(&tables_of(cpu));
    }
    let wanted = arguments.value("--kernel");
    let mut rows = Vec::new();
    // Made one by one: those in memory take half a gigabyte each.
    for make in functions::all().into_iter().chain(memory::all()).chain(rows::all()) {
        if wanted.is_none_or(|text| make.kernel.contains(text)) {
            rows.extend(compare((make.contest)(make.kernel)));
        }
    }
    if wanted.is_none() {
        report::write(&rows);
    }
}

/// A contest that is made when its turn comes.
struct Later {
    kernel: String,
    contest: Box<dyn FnOnce(String) -> Contest<'static>>,
}

impl Later {
    fn new(kernel: impl Into<String>, contest: impl FnOnce(String) -> Contest<'static> + 'static) -> Self {
        Self { kernel: kernel.into(), contest: Box::new(contest) }
    }
}

/// The two fastest levels of this CPU.
fn levels() -> impl Iterator<Item = Level> {
    Level::available().into_iter().rev().take(2)
}

/// `call` at each of the [`levels`].
fn at_levels<'a, F: Fn(&mut Buffers) + 'a>(call: impl Fn(Level) -> F) -> Vec<(Level, Call<'a>)> {
    levels().map(|level| (level, Box::new(call(level)) as Call<'a>)).collect()
}

/// `n` random values in [-scale, scale).
fn values(seed: u64, n: usize, scale: f32) -> Vec<f32> {
    let mut state = seed;
    (0..n).map(|_| scale * benches::uniform::<f32>(&mut state)).collect()
}

/// A row for each level.
fn compare(mut contest: Contest<'_>) -> Vec<Row> {
    let buffers = &mut contest.buffers;
    for (_, call) in &contest.levels {
        // A step works in place: it begins at z.
        let length = buffers.y.len();
        buffers.y.copy_from_slice(&buffers.z[..length]);
        call(buffers);
        benches::assert_same_bits(&buffers.y[..contest.want.len()], &contest.want);
    }
    let calls: Vec<&Call<'_>> =
        std::iter::once(&contest.baseline.1).chain(contest.levels.iter().map(|(_, call)| call)).collect();
    let counts: Vec<usize> =
        calls.iter().map(|call| calls_per_repetition(|| call(black_box(buffers)))).collect();
    let mut times = vec![Vec::with_capacity(REPETITIONS); calls.len()];
    for _ in 0..REPETITIONS {
        for ((call, &count), times) in calls.iter().zip(&counts).zip(&mut times) {
            call(buffers);
            times.push(1e9 * seconds(count, || call(black_box(buffers))) / (count * contest.elements) as f64);
        }
    }
    let rows: Vec<Row> = (contest.levels.iter().zip(&times[1..]))
        .map(|((level, _), ours)| Row::new(&contest, level.name(), ours.clone(), times[0].clone()))
        .collect();
    report::print(&rows);
    rows
}
