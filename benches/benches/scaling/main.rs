//! How the cost of training and answering grows: with the samples in memory, the batch, the width of a layer and
//! the threads. It has no other libraries: `train_peers` compares.
//!
//! | part | measured | how |
//! |---|---|---|
//! | `data` | samples/s with 1,000 to 60,000 samples in memory | the same number of steps from shuffled epochs of each size |
//! | `batch` | samples/s in batches of 1 to 1,024 | a network for each, planned for that batch |
//! | `width` | samples/s of 784-W-10 in batches of 64 | as before |
//! | `inference` | microseconds of one sample; samples/s of larger batches | one network, planned for the largest batch |
//! | `machine` | a join of threads, reading from memory and from another core | what the model of scaling takes from the machine |
//!
//! The sizes of a network are timed in turns, A B C A B C ..., after an untimed tenth of each round, and the median
//! of the rounds counts. Images stand in memory as bytes and become f32 on their way into a step: that, the shuffling,
//! the loss and the update are all timed. Before a training step is timed, its parameters on several threads are compared with those on
//! one, and before answers are timed, those of a sample alone with those in a batch: all by bits.
//!
//! Rates are those of the multiply-adds of [`benches::flop_per_sample`], in % of the FMA peak of the cores used,
//! measured before and after a network's rounds.
//!
//! What biases it: the machine may be shared, so only ratios inside a run mean anything; the five thousand images are
//! repeated, which no step notices, for their bytes stand in memory twelve times.
//!
//! `--threads N` (1 or all; both without it) and `--part NAME` choose what is measured; those rows of
//! `results/benchmarks/<cpu>/scaling.csv` are replaced, and `scaling.md` is set again. `--model NAME` measures one network and writes nothing;
//! `--quick` takes few and short rounds, to see that all
//! runs, and writes to the target folder instead. `--retable CPU` only sets the tables of that CPU again.

mod inference;
mod machine;
mod report;
mod row;
mod training;

use std::path::PathBuf;
use std::time::Instant;

use benches::{Arguments, Images, exec, in_pool, median, networks, tables, tables_of};
use kernels::{Exec, peak};
use models::network::LayerSpec;

/// As many as Fashion-MNIST has for training.
const SAMPLES: usize = 60_000;

/// What every part is given.
#[derive(Clone, Debug)]
pub(crate) struct Bench {
    pub(crate) threads: usize,
    pub(crate) exec: Exec,
    pub(crate) images: Images,
    /// Rounds, of which the median counts.
    rounds: usize,
    /// Seconds that a round lasts at least.
    round: f64,
    /// The only network, if not all are wanted.
    model: Option<String>,
}

impl Bench {
    /// The networks that are wanted.
    pub(crate) fn networks(&self) -> impl Iterator<Item = (&'static str, Vec<LayerSpec>)> {
        networks().into_iter().filter(|(name, _)| self.model.as_deref().is_none_or(|model| model == *name))
    }

    /// The median seconds of each entrant's call, in turns; `run(entrant, count)` makes `count` calls of one. Each
    /// makes `calls(entrant)` of them in a round, after a tenth as many.
    pub(crate) fn in_turns(&self, calls: &[usize], mut run: impl FnMut(usize, usize)) -> Vec<f64> {
        let mut times = vec![Vec::with_capacity(self.rounds); calls.len()];
        for _ in 0..self.rounds {
            for (entrant, (&count, times)) in calls.iter().zip(&mut times).enumerate() {
                run(entrant, count.div_ceil(10));
                times.push(seconds(|| run(entrant, count)) / count as f64);
            }
        }
        times.into_iter().map(median).collect()
    }

    /// How many calls make a round.
    pub(crate) fn calls(&self, mut run: impl FnMut(usize)) -> usize {
        benches::calls_lasting(self.round, |count| seconds(|| run(count)))
    }

    /// What `measure` returns, and the FMA peak in GFLOP/s, measured before and after.
    pub(crate) fn beside_peak<R>(&self, measure: impl FnOnce() -> R) -> (R, f64) {
        let peak = || peak::gflops::<f32>(self.exec.level, self.threads);
        let before = peak();
        let result = measure();
        let after = peak();
        (result, if before > after { before } else { after })
    }
}

fn seconds(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}

/// How a part is measured.
type Part = fn(&Bench) -> Vec<row::Row>;

/// The parts by name.
const PARTS: [(&str, Part); 5] = [
    (row::DATA, training::data),
    (row::BATCH, training::batches),
    (row::WIDTH, training::widths),
    (row::INFERENCE, inference::answers),
    (row::MACHINE, machine::costs),
];

fn main() {
    let arguments = Arguments::of_program();
    if let Some(cpu) = arguments.value("--retable") {
        return report::set(&tables_of(cpu));
    }
    let threads = arguments.each_threads();
    let wanted = arguments.value("--part");
    let parts = PARTS.into_iter().filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name));
    let parts: Vec<_> = parts.collect();
    assert!(!parts.is_empty(), "--part data, batch, width, inference or machine");
    let (model, quick) = (arguments.value("--model"), arguments.has("--quick"));
    let (rounds, round) = if quick { (3, 0.005) } else { (9, 0.1) };
    let folder = if quick { PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("scaling") } else { tables() };
    report::check(&folder);
    let images = Images::fashion(SAMPLES);
    let mut rows = Vec::new();
    for &threads in &threads {
        let model = model.map(str::to_owned);
        let bench = Bench { threads, exec: exec(threads), images: images.clone(), rounds, round, model };
        in_pool(threads, || parts.iter().for_each(|(_, measure)| rows.extend(measure(&bench))));
    }
    if model.is_some() {
        return;
    }
    let names: Vec<&str> = parts.iter().map(|(name, _)| *name).collect();
    report::write(&folder, &threads, &names, rows);
}
