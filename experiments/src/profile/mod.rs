//! Where the time of a training step goes: each pass of each layer against what the machine allows, the roofline.
//!
//! `measure` holds the clock, `sheet` sets what was measured as a table, a CSV file and a page.
//! Times are of one machine and one run: they stand in `benchmarks/profile/`, are never hashed, and no result depends
//! on them.
//!
//! # Source
//! Williams, Waterman and Patterson, *Roofline: an insightful visual performance model* (2009).
#![forbid(unsafe_code)]

mod measure;
mod sheet;

pub use measure::measure;
pub use sheet::Setting;

use kernels::Level;
use models::network::Work;

use crate::results::Statistics;

/// Bytes that the level-2 rate is measured over: more than a level-1 cache, less than the usual level-2 caches.
pub const LEVEL2_BYTES: usize = 256 << 10;
/// Bytes that the rate of the memory is measured over: more than the usual level-3 caches.
pub const MEMORY_BYTES: usize = 128 << 20;

/// What the machine allows one thread, measured in the same run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Roofs {
    /// The FMA peak, in GFLOP/s.
    pub peak: f64,
    /// Reading and writing in the level-2 cache, in GB/s.
    pub level2: f64,
    /// Reading and writing in memory, in GB/s.
    pub memory: f64,
}

impl Roofs {
    /// min(peak, intensity * level2) in GFLOP/s, the intensity in FLOP per byte.
    pub fn bound(&self, intensity: f64) -> f64 {
        let slope = intensity * self.level2;
        if slope < self.peak { slope } else { self.peak }
    }

    /// The time that some work takes at its bound: max(flops / peak, bytes / level2), in seconds.
    pub fn least(&self, flops: u64, bytes: u64) -> f64 {
        let (computing, moving) = (flops as f64 / self.peak / 1e9, bytes as f64 / self.level2 / 1e9);
        if computing > moving { computing } else { moving }
    }
}

/// A part of a step, or several together, with its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The layer's index and kind; none for what belongs to the network as a whole.
    pub layer: Option<(usize, &'static str)>,
    /// `forward`, `input-gradient`, ...
    pub pass: &'static str,
    /// Operations, counted as [`Work::flops`].
    pub flops: u64,
    /// Bytes that move at least, counted as [`Work::bytes`].
    pub bytes: u64,
    /// Seconds of each repetition.
    pub seconds: Statistics,
    /// Seconds at the bound.
    pub least: f64,
}

impl Row {
    /// The layer as `0 conv2d`; empty for what belongs to the network as a whole.
    pub fn layer_name(&self) -> String {
        self.layer.map_or(String::new(), |(index, kind)| format!("{index} {kind}"))
    }

    /// FLOP per byte.
    pub fn intensity(&self) -> f64 {
        self.flops as f64 / self.bytes as f64
    }

    /// 10^9 operations per second.
    pub fn gflops(&self) -> f64 {
        self.flops as f64 / self.seconds.median / 1e9
    }

    /// 10^9 bytes per second.
    pub fn gigabytes(&self) -> f64 {
        self.bytes as f64 / self.seconds.median / 1e9
    }

    /// The rate at the bound, in GFLOP/s.
    pub fn bound(&self) -> f64 {
        self.flops as f64 / self.least / 1e9
    }

    /// The time at the bound over the time, in %.
    pub fn bound_percent(&self) -> f64 {
        100.0 * self.least / self.seconds.median
    }
}

/// A step taken apart and timed.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Samples of the step.
    pub batch: usize,
    /// `f32` or `f64`.
    pub dtype: &'static str,
    /// Repetitions of each part and of the whole step.
    pub repetitions: usize,
    /// What the machine allows.
    pub roofs: Roofs,
    /// The parts, in the order in which they ran.
    pub parts: Vec<Row>,
    /// The step as training runs it.
    pub step: Row,
}

/// What was timed.
struct Timed {
    level: Level,
    batch: usize,
    dtype: &'static str,
}

impl Profile {
    /// From the parts with their times, and the times of the whole step; `kinds` are those of the layers. None if a
    /// time is missing.
    fn new(
        Timed { level, batch, dtype }: Timed,
        roofs: Roofs,
        kinds: &[&'static str],
        parts: &[(Work, Vec<f64>)],
        step: &[f64],
    ) -> Option<Self> {
        let row = |(work, times): &(Work, Vec<f64>)| {
            Some(Row {
                layer: work.layer.and_then(|index| Some((index, *kinds.get(index)?))),
                pass: work.stage.name(),
                flops: work.flops,
                bytes: work.bytes,
                seconds: Statistics::of(level, times)?,
                least: roofs.least(work.flops, work.bytes),
            })
        };
        let parts: Vec<Row> = parts.iter().map(row).collect::<Option<_>>()?;
        let step = together("step", &parts, Statistics::of(level, step)?);
        Some(Self { batch, dtype, repetitions: step.seconds.n, roofs, parts, step })
    }

    /// The parts together: their medians added up.
    pub fn sum(&self) -> Row {
        let sum = |of: fn(&Statistics) -> f64| self.parts.iter().fold(0.0, |sum, row| sum + of(&row.seconds));
        let seconds = Statistics {
            n: self.repetitions,
            mean: sum(|s| s.mean),
            sd: None,
            median: sum(|s| s.median),
            min: sum(|s| s.min),
            max: sum(|s| s.max),
        };
        together("sum", &self.parts, seconds)
    }

    /// The share of a time in the whole step's, in %.
    pub fn step_percent(&self, seconds: f64) -> f64 {
        100.0 * seconds / self.step.seconds.median
    }
}

/// What several parts amount to together: the time at the bound is the sum of theirs.
fn together(pass: &'static str, parts: &[Row], seconds: Statistics) -> Row {
    Row {
        layer: None,
        pass,
        flops: parts.iter().map(|row| row.flops).sum(),
        bytes: parts.iter().map(|row| row.bytes).sum(),
        seconds,
        least: parts.iter().fold(0.0, |sum, row| sum + row.least),
    }
}

#[cfg(test)]
mod tests {
    use models::network::Stage;

    use super::*;

    const ROOFS: Roofs = Roofs { peak: 100.0, level2: 50.0, memory: 10.0 };

    fn example() -> Profile {
        let work = |layer, stage, flops, bytes| Work { layer, stage, flops, bytes };
        let parts = [
            (work(None, Stage::Gather, 0, 1000), vec![4e-8; 3]),
            (work(Some(0), Stage::Forward, 80_000, 4000), vec![1e-6, 9e-6, 2e-6]),
        ];
        let timed = Timed { level: Level::best(), batch: 8, dtype: "f32" };
        Profile::new(timed, ROOFS, &["dense"], &parts, &[1e-6; 3]).unwrap()
    }

    #[test]
    fn the_bound_is_the_lower_of_two_roofs() {
        assert_eq!([0.5, 2.0, 20.0].map(|intensity| ROOFS.bound(intensity)), [25.0, 100.0, 100.0]);
        // 10^5 operations at 100 GFLOP/s take 1 us, 10^6 bytes at 50 GB/s take 20 us.
        assert!((ROOFS.least(100_000, 1000) - 1e-6).abs() < 1e-20);
        assert!((ROOFS.least(100_000, 1_000_000) - 2e-5).abs() < 1e-20);
    }

    #[test]
    fn a_row_tells_rates_of_its_median() {
        let row = &example().parts[1];
        assert_eq!(row.layer_name(), "0 dense");
        assert_eq!((row.seconds.median, row.intensity()), (2e-6, 20.0));
        assert!((row.gflops() - 40.0).abs() < 1e-9 && (row.gigabytes() - 2.0).abs() < 1e-9);
        assert!((row.bound() - 100.0).abs() < 1e-9 && (row.bound_percent() - 40.0).abs() < 1e-9);
    }

    #[test]
    fn the_sum_adds_the_parts_and_the_step_has_their_work() {
        let profile = example();
        let sum = profile.sum();
        assert_eq!((sum.flops, sum.bytes), (80_000, 5000));
        assert_eq!((profile.step.flops, profile.step.bytes), (80_000, 5000));
        assert!((sum.seconds.median - 2.04e-6).abs() < 1e-18);
        assert!((profile.step_percent(sum.seconds.median) - 204.0).abs() < 1e-9);
        // 1000 bytes at 50 GB/s and 80,000 operations at 100 GFLOP/s.
        assert!((sum.least - (2e-8 + 8e-7)).abs() < 1e-18);
    }
}
