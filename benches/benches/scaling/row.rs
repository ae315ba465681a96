//! A line of `scaling.csv`.

use benches::optional;
use csv::StringRecord;

/// Samples in memory.
pub(crate) const DATA: &str = "data";
/// Samples of a step.
pub(crate) const BATCH: &str = "batch";
/// Units of the hidden layer.
pub(crate) const WIDTH: &str = "width";
/// Answers without learning.
pub(crate) const INFERENCE: &str = "inference";
/// What the model of scaling takes from the machine.
pub(crate) const MACHINE: &str = "machine";

/// The parts in the order of the file.
const ORDER: [&str; 5] = [DATA, BATCH, WIDTH, INFERENCE, MACHINE];

/// A measurement. What does not apply is 0 or `None`, and empty in the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) part: String,
    pub(crate) model: String,
    pub(crate) threads: usize,
    /// In memory.
    pub(crate) samples: usize,
    pub(crate) batch: usize,
    pub(crate) width: usize,
    pub(crate) samples_per_second: Option<f64>,
    pub(crate) gflops: Option<f64>,
    pub(crate) percent_of_peak: Option<f64>,
    pub(crate) median_microseconds: Option<f64>,
    /// What 99 of 100 do not exceed.
    pub(crate) p99_microseconds: Option<f64>,
}

impl Row {
    /// With the rates that `seconds` for a call on a batch are: `flop` are the operations of a sample, `peak` is in GFLOP/s.
    pub(crate) fn with_rates(self, seconds: f64, flop: usize, peak: f64) -> Self {
        let samples_per_second = self.batch as f64 / seconds;
        let gflops = samples_per_second * flop as f64 / 1e9;
        Self {
            samples_per_second: Some(samples_per_second),
            gflops: Some(gflops),
            percent_of_peak: Some(100.0 * gflops / peak),
            ..self
        }
    }

    /// In a sorted file.
    pub(crate) fn place(&self) -> (usize, usize) {
        (ORDER.iter().position(|part| *part == self.part).unwrap_or(ORDER.len()), self.threads)
    }

    pub(crate) fn rate(&self) -> f64 {
        self.samples_per_second.unwrap_or(f64::NAN)
    }

    /// One line while it runs.
    pub(crate) fn print(&self) {
        let names = Self::names().iter().zip(benches::Row::fields(self));
        let fields =
            names.filter(|(_, field)| !field.is_empty()).map(|(name, field)| format!("{name} {field}"));
        println!("{}", fields.collect::<Vec<_>>().join(", "));
    }

    fn names() -> &'static [&'static str] {
        <Self as benches::Row>::COLUMNS
    }
}

impl benches::Row for Row {
    const COLUMNS: &'static [&'static str] = &[
        "part",
        "model",
        "threads",
        "samples",
        "batch",
        "width",
        "samples_per_s",
        "gflops",
        "percent_of_peak",
        "median_us",
        "p99_us",
    ];

    fn fields(&self) -> Vec<String> {
        let size = |size: usize| if size == 0 { String::new() } else { size.to_string() };
        let number = |figure: Option<f64>, decimals: usize| {
            figure.map(|figure| format!("{figure:.decimals$}")).unwrap_or_default()
        };
        vec![
            self.part.clone(),
            self.model.clone(),
            self.threads.to_string(),
            size(self.samples),
            size(self.batch),
            size(self.width),
            number(self.samples_per_second, 0),
            number(self.gflops, 2),
            number(self.percent_of_peak, 1),
            number(self.median_microseconds, 2),
            number(self.p99_microseconds, 2),
        ]
    }

    fn read(record: &StringRecord) -> Option<Self> {
        let number = |i: usize| optional::<f64>(record, i);
        let size = |i: usize| optional::<usize>(record, i).map(|size| size.unwrap_or(0));
        Some(Self {
            part: record.get(0)?.to_owned(),
            model: record.get(1)?.to_owned(),
            threads: record.get(2)?.parse().ok()?,
            samples: size(3)?,
            batch: size(4)?,
            width: size(5)?,
            samples_per_second: number(6)?,
            gflops: number(7)?,
            percent_of_peak: number(8)?,
            median_microseconds: number(9)?,
            p99_microseconds: number(10)?,
        })
    }
}
