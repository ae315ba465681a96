//! What the Rust workers of `just bench-train` share: files, the shuffle, and the lines they speak.
//!
//! ```text
//! worker MODEL FOLDER THREADS LAYERS...
//! ```
//!
//! FOLDER holds images.u8 [samples, 784], labels.u8 [samples] and MODEL.safetensors, the start weights. LAYERS are
//! PyTorch's `nn.Sequential`, index by index: conv:PADDING relu pool flatten dense; sizes are those of the weights.
//!
//! After its first step the worker says `ready VERSION`. `train SAMPLES` trains from the start weights in shuffled
//! epochs and answers the seconds; `losses STEPS` the mean losses of the first batches, in file order.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::time::Instant;

/// Samples of a step.
pub(crate) const BATCH: usize = 64;
/// Values of a sample.
pub(crate) const PIXELS: usize = 28 * 28;
/// The rate of plain SGD: small, so that one unit that rounding turns on or off does not carry far.
pub(crate) const LEARNING_RATE: f64 = 0.001;

/// What the arguments name, read.
pub(crate) struct Job {
    /// Name and argument of each layer; 0 where it takes none.
    pub(crate) layers: Vec<(String, usize)>,
    /// [samples, 784]
    pub(crate) pixels: Vec<u8>,
    pub(crate) labels: Vec<u32>,
    /// Where the start weights are.
    pub(crate) weights: PathBuf,
    pub(crate) threads: usize,
}

impl Job {
    /// From the program's arguments, without its name.
    pub(crate) fn new(arguments: &[String]) -> Self {
        let [model, folder, threads, layers @ ..] = arguments else { panic!("MODEL FOLDER THREADS LAYERS") };
        let folder = PathBuf::from(folder);
        let read = |name: &str| std::fs::read(folder.join(name)).expect("the benchmark's files");
        let layers = layers.iter().map(|layer| match layer.split_once(':') {
            Some((kind, padding)) => (kind.to_owned(), padding.parse().expect("a padding")),
            None => (layer.clone(), 0),
        });
        Self {
            layers: layers.collect(),
            pixels: read("images.u8"),
            labels: read("labels.u8").iter().map(|&label| u32::from(label)).collect(),
            weights: folder.join(format!("{model}.safetensors")),
            threads: threads.parse().expect("a number of threads"),
        }
    }

    /// The pixels as values between 0 and 1.
    #[allow(dead_code, reason = "one worker takes the pixels as they are")]
    pub(crate) fn images(&self) -> Vec<f32> {
        self.pixels.iter().map(|&pixel| value(pixel)).collect()
    }
}

/// A pixel as a value between 0 and 1.
#[inline(always)]
pub(crate) fn value(pixel: u8) -> f32 {
    f32::from(pixel) * (1.0 / 255.0)
}

/// A framework that trains one network.
pub(crate) trait Trainer {
    /// What a step leaves of its loss.
    type Loss;
    /// Back to the start weights.
    fn reset(&mut self);
    /// One step on the samples `rows`; `next` are those of the next one, if they are known.
    fn step(&mut self, rows: &[u32], next: &[u32]) -> Self::Loss;
    /// The mean loss as a number.
    fn number(loss: Self::Loss) -> f32;
}

/// Answers lines until the input ends.
pub(crate) fn serve<T: Trainer>(version: &str, samples: usize, trainer: &mut T) {
    let mut epochs = Epochs::new(samples);
    let mut train = |trainer: &mut T, steps: usize| {
        (0..steps).for_each(|_| {
            let (rows, next) = epochs.next_batch();
            trainer.step(rows, next);
        });
    };
    train(trainer, 1);
    say(&format!("ready {version}"));
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line");
        let (verb, number) = line.split_once(' ').expect("a verb and a number");
        let number: usize = number.parse().expect("a number");
        trainer.reset();
        if verb == "train" {
            let start = Instant::now();
            train(trainer, number.div_ceil(BATCH));
            say(&start.elapsed().as_secs_f64().to_string());
        } else {
            let rows: Vec<u32> = (0..number as u32 * BATCH as u32).collect();
            let losses = rows.chunks(BATCH).map(|rows| T::number(trainer.step(rows, &[])).to_string());
            say(&losses.collect::<Vec<_>>().join(" "));
        }
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("somebody who listens");
}

/// Whole batches of one shuffled epoch after the other.
struct Epochs {
    order: Vec<u32>,
    position: usize,
    state: u64,
}

impl Epochs {
    fn new(samples: usize) -> Self {
        let mut epochs = Self { order: (0..samples as u32).collect(), position: 0, state: 1 };
        epochs.shuffle();
        epochs
    }

    /// A batch, and the one after it if it is of the same epoch.
    fn next_batch(&mut self) -> (&[u32], &[u32]) {
        if self.position + BATCH > self.order.len() {
            self.shuffle();
            self.position = 0;
        }
        self.position += BATCH;
        let (until, after) = self.order.split_at(self.position);
        (&until[self.position - BATCH..], after.get(..BATCH).unwrap_or_default())
    }

    /// Fisher and Yates, with Marsaglia's xorshift.
    fn shuffle(&mut self) {
        for i in (1..self.order.len()).rev() {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            self.order.swap(i, (self.state % (i as u64 + 1)) as usize);
        }
    }
}
