//! Kind `kernels`: the rungs of the matrix product's ladder against the clock.
//!
//! What biases it: the operands are hot (each rung finds them where the repetition before left them), other
//! programs and the CPU's clock move the figures by 5 to 20 % from run to run, and the peak is measured by the
//! same program. So the rungs take turns within each repetition, the median counts, and only ratios
//! inside one run should be compared.

use std::hint::black_box;
use std::time::Instant;

use kernels::gemm::ladder::{Sizes, rungs};
use kernels::{Exec, Level, peak};
use models::rng::{Purpose, Stream};

use super::Stopped;
use crate::outcome::Outcome;
use crate::results::Statistics;
use crate::spec::KernelsTrial;

/// Seconds that one timing lasts at least: short products are repeated within it.
const SHORTEST: f64 = 1e-3;

/// Times every trial's rung, all taking turns; outcomes in the order of `trials`.
///
/// Every rung's result is compared with the first rung's, by bits, before it is timed.
///
/// # Errors
/// If a rung is unknown or returns another result.
pub fn measure(trials: &[&KernelsTrial], level: Level, advance: impl Fn()) -> Result<Vec<Outcome>, Stopped> {
    let mut products: Vec<Product> = Vec::with_capacity(trials.len());
    for trial in trials {
        let mut product = Product::new(trial, level)?;
        product.check()?;
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
    let peak = Statistics::of(&peaks).map_or(f64::NAN, |s| s.median);
    Ok(products.into_iter().filter_map(|product| product.outcome(peak)).collect())
}

/// One product with its operands and its timings.
struct Product<'a> {
    trial: &'a KernelsTrial,
    sizes: Sizes,
    exec: Exec,
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
    /// Products per timing.
    inner: usize,
    gflops: Vec<f64>,
}

impl<'a> Product<'a> {
    fn new(trial: &'a KernelsTrial, level: Level) -> Result<Self, Stopped> {
        let [m, n, k] = trial.shape;
        let random = |index, len| {
            let mut stream = Stream::new(Purpose::Data, 1, index);
            (0..len).map(|_| (stream.uniform() - 0.5) as f32).collect::<Vec<f32>>()
        };
        let mut product = Self {
            trial,
            sizes: Sizes { m, n, k },
            exec: Exec::parallel(level),
            a: random(0, m * k),
            b: random(1, k * n),
            c: vec![0.0; m * n],
            inner: 1,
            gflops: Vec::with_capacity(trial.repeats),
        };
        let once = product.seconds()?;
        product.inner = if once < SHORTEST { (SHORTEST / once) as usize + 1 } else { 1 };
        Ok(product)
    }

    fn multiply(&mut self) -> Result<(), Stopped> {
        let Some(rung) = rungs::<f32>().into_iter().find(|rung| rung.name == self.trial.rung) else {
            return Err(Stopped::Failed(format!("the ladder has no rung `{}`", self.trial.rung)));
        };
        Ok(rung.multiply(self.exec, self.sizes, &self.a, &self.b, &mut self.c)?)
    }

    /// Compares the result with the plain loops'.
    fn check(&mut self) -> Result<(), Stopped> {
        self.multiply()?;
        let mut expected = vec![0.0; self.c.len()];
        rungs::<f32>()[0].multiply(self.exec, self.sizes, &self.a, &self.b, &mut expected)?;
        let differs = |(got, want): (&f32, &f32)| got.to_bits() != want.to_bits();
        match self.c.iter().zip(&expected).position(differs) {
            None => Ok(()),
            Some(at) => Err(Stopped::Failed(format!(
                "rung `{}`: element {at} is {:08x}, the plain loops give {:08x}",
                self.trial.rung,
                self.c[at].to_bits(),
                expected[at].to_bits()
            ))),
        }
    }

    /// Seconds per product over one timing.
    fn seconds(&mut self) -> Result<f64, Stopped> {
        let begun = Instant::now();
        for _ in 0..self.inner {
            self.multiply()?;
            black_box(&mut self.c);
        }
        Ok(begun.elapsed().as_secs_f64() / self.inner as f64)
    }

    fn time(&mut self) -> Result<(), Stopped> {
        let Sizes { m, n, k } = self.sizes;
        let operations = 2.0 * m as f64 * n as f64 * k as f64;
        let seconds = self.seconds()?;
        self.gflops.push(operations / seconds / 1e9);
        Ok(())
    }

    fn outcome(self, peak: f64) -> Option<Outcome> {
        let s = Statistics::of(&self.gflops)?;
        let mut outcome = Outcome::ok();
        outcome.metric("gflops", s.median);
        outcome.metric("gflops.min", s.min);
        outcome.metric("gflops.max", s.max);
        outcome.metric("peak_percent", 100.0 * s.median / peak);
        outcome.metric("peak_gflops", peak);
        Some(outcome)
    }
}
