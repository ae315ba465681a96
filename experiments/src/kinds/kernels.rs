//! Kind `kernels`: the rungs of the matrix product's ladder against the clock.
//!
//! What biases it: the operands are hot (a product that is not timed goes before those that are), other
//! programs and the CPU's clock move the figures by 5 to 20 % from run to run, and the peak is measured by the
//! same program. So the rungs take turns within each repetition, the median counts, and only ratios
//! inside one run should be compared. All of it runs inside the thread pool, as a training loop does: entering
//! it from outside takes longer than a small product.

use std::hint::black_box;
use std::rc::Rc;
use std::time::Instant;

use kernels::gemm::ladder::{Sizes, rungs};
use kernels::{Exec, Level, peak};
use models::rng::{Purpose, Stream};

use super::Stopped;
use crate::outcome::Outcome;
use crate::results::Statistics;
use crate::spec::KernelsTrial;

/// Seconds that one timing lasts at least: short products are repeated within it, for less than a time slice of
/// the scheduler.
const SHORTEST: f64 = 3e-4;
/// A product of more seconds than this is timed without another before it: fetching its operands does not show.
const LONG: f64 = 0.1;

/// Times every trial's rung, all taking turns; outcomes in the order of `trials`.
///
/// Every rung's result is compared with the first rung's, by bits, before it is timed.
///
/// # Errors
/// If a rung is unknown or returns another result.
pub fn measure(
    trials: &[&KernelsTrial],
    level: Level,
    advance: impl Fn() + Send,
) -> Result<Vec<Outcome>, Stopped> {
    rayon::scope(|_| in_pool(trials, level, advance))
}

fn in_pool(trials: &[&KernelsTrial], level: Level, advance: impl Fn()) -> Result<Vec<Outcome>, Stopped> {
    let mut products: Vec<Product> = Vec::with_capacity(trials.len());
    for trial in trials {
        let mut product = Product::new(trial, level);
        // Products of one shape have the same operands, and the plain loops are slow.
        let expected = match products.iter().find(|other| other.sizes == product.sizes) {
            Some(other) => other.expected.clone(),
            None => product.plain_loops()?,
        };
        product.check(expected)?;
        product.calibrate()?;
        products.push(product);
    }
    let repeats = trials.iter().map(|trial| trial.repeats).max().unwrap_or(0);
    let mut peaks = Vec::with_capacity(repeats);
    for repeat in 0..repeats {
        peaks.push(peak::gflops::<f32>(level, 1));
        for product in products.iter_mut().filter(|product| repeat < product.trial.repeats) {
            product.time()?;
        }
        advance();
    }
    let peak = Statistics::of(level, &peaks).map_or(f64::NAN, |s| s.median);
    Ok(products.into_iter().filter_map(|product| product.outcome(peak)).collect())
}

/// A matrix that begins with a cache line: in the plain loops, registers that straddle two lines take twice as
/// long, so a rung's place on the ladder would depend on where its operands happen to lie.
struct Operand {
    room: Vec<f32>,
    start: usize,
    len: usize,
}

impl Operand {
    const LINE: usize = 64;

    fn new(len: usize, value: impl FnMut() -> f32) -> Self {
        let mut room = vec![0.0; len + Self::LINE / size_of::<f32>()];
        let start = room.as_ptr().align_offset(Self::LINE);
        room[start..start + len].fill_with(value);
        Self { room, start, len }
    }

    fn values(&self) -> &[f32] {
        &self.room[self.start..self.start + self.len]
    }

    fn values_mut(&mut self) -> &mut [f32] {
        &mut self.room[self.start..self.start + self.len]
    }
}

/// One product with its operands and its timings.
struct Product<'a> {
    trial: &'a KernelsTrial,
    sizes: Sizes,
    exec: Exec,
    a: Operand,
    b: Operand,
    c: Operand,
    /// C of the plain loops.
    expected: Rc<[f32]>,
    /// Products per timing.
    inner: usize,
    /// Whether a product goes before those that are timed.
    warmed: bool,
    gflops: Vec<f64>,
}

impl<'a> Product<'a> {
    fn new(trial: &'a KernelsTrial, level: Level) -> Self {
        let [m, n, k] = trial.shape;
        let random = |index, len| {
            let mut stream = Stream::new(Purpose::Data, 1, index);
            Operand::new(len, || (stream.uniform() - 0.5) as f32)
        };
        Self {
            trial,
            sizes: Sizes { m, n, k },
            exec: Exec::parallel(level),
            a: random(0, m * k),
            b: random(1, k * n),
            c: Operand::new(m * n, || 0.0),
            expected: Rc::new([]),
            inner: 1,
            warmed: true,
            gflops: Vec::with_capacity(trial.repeats),
        }
    }

    /// How often the product is repeated, found when everything that happens once has happened.
    fn calibrate(&mut self) -> Result<(), Stopped> {
        while self.seconds()? * (self.inner as f64) < SHORTEST {
            self.inner *= 2;
        }
        Ok(())
    }

    fn multiply(&mut self) -> Result<(), Stopped> {
        let Some(rung) = rungs::<f32>().into_iter().find(|rung| rung.name == self.trial.rung) else {
            return Err(Stopped::Failed(format!("the ladder has no rung `{}`", self.trial.rung)));
        };
        Ok(rung.multiply(self.exec, self.sizes, self.a.values(), self.b.values(), self.c.values_mut())?)
    }

    /// The first rung's C.
    fn plain_loops(&self) -> Result<Rc<[f32]>, Stopped> {
        let mut c = vec![0.0; self.c.values().len()];
        rungs::<f32>()[0].multiply(self.exec, self.sizes, self.a.values(), self.b.values(), &mut c)?;
        Ok(c.into())
    }

    /// Compares the result with the plain loops'.
    fn check(&mut self, expected: Rc<[f32]>) -> Result<(), Stopped> {
        self.multiply()?;
        self.expected = expected;
        let differs = |(got, want): (&f32, &f32)| got.to_bits() != want.to_bits();
        match self.c.values().iter().zip(&*self.expected).position(differs) {
            None => Ok(()),
            Some(at) => Err(Stopped::Failed(format!(
                "rung `{}`: element {at} is {:08x}, the plain loops give {:08x}",
                self.trial.rung,
                self.c.values()[at].to_bits(),
                self.expected[at].to_bits()
            ))),
        }
    }

    /// Seconds per product over one timing.
    fn seconds(&mut self) -> Result<f64, Stopped> {
        let begun = Instant::now();
        for _ in 0..self.inner {
            self.multiply()?;
            black_box(self.c.values_mut());
        }
        Ok(begun.elapsed().as_secs_f64() / self.inner as f64)
    }

    fn time(&mut self) -> Result<(), Stopped> {
        let Sizes { m, n, k } = self.sizes;
        let operations = 2.0 * m as f64 * n as f64 * k as f64;
        if self.warmed {
            self.multiply()?;
        }
        let seconds = self.seconds()?;
        self.warmed = seconds < LONG;
        self.gflops.push(operations / seconds / 1e9);
        Ok(())
    }

    fn outcome(self, peak: f64) -> Option<Outcome> {
        let s = Statistics::of(self.exec.level, &self.gflops)?;
        let mut outcome = Outcome::ok();
        outcome.metric("gflops", s.median);
        outcome.metric("gflops.min", s.min);
        outcome.metric("gflops.max", s.max);
        outcome.metric("peak_percent", 100.0 * s.median / peak);
        outcome.metric("peak_gflops", peak);
        Some(outcome)
    }
}
