//! What was measured, as a table, a CSV file, JSON and a page that says how to read it.

use std::fmt::Write;

use serde_json::{Value as Json, json};

use super::{LEVEL2_BYTES, MEMORY_BYTES, Profile, Row};
use crate::table::{Column, Entry, Rounded, Shape, Table};

/// Significant digits of a figure on the page; the CSV file has all of them.
const DIGITS: usize = 3;

/// What a page says besides the figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The stem of the files.
    pub name: String,
    /// The experiment's title.
    pub title: String,
    /// The command that measures again.
    pub command: String,
    /// CPU, cores, level, versions.
    pub machine: String,
    /// The chain of shapes, and the settings of the cell.
    pub network: Vec<String>,
}

/// The columns of the CSV file.
const COLUMNS: [&str; 17] = [
    "layer",
    "kind",
    "pass",
    "flops",
    "bytes",
    "intensity",
    "seconds",
    "seconds.min",
    "seconds.max",
    "gflops",
    "gigabytes_per_second",
    "bound_gflops",
    "bound_percent",
    "step_percent",
    "peak_gflops",
    "level2_gigabytes_per_second",
    "memory_gigabytes_per_second",
];

impl Profile {
    /// One row per part, then their sum and the whole step.
    pub fn table(&self, setting: &Setting) -> Table {
        let column = |heading: &str, shape| Column { heading: heading.to_owned(), shape };
        let mut columns = vec![column("layer", Shape::Text), column("pass", Shape::Text)];
        let numbers =
            ["MFLOP", "kB", "FLOP/B", "µs", "GFLOP/s", "GB/s", "bound GFLOP/s", "% of bound", "% of step"];
        columns.extend(numbers.map(|heading| column(heading, Shape::Number)));
        let sum = self.sum();
        let together = [("sum of the parts", &sum), ("whole step", &self.step)];
        let mut rows: Vec<Vec<Entry>> =
            self.parts.iter().map(|row| self.entries(&row.layer_name(), row.pass, row)).collect();
        rows.extend(together.map(|(name, row)| self.entries(name, "", row)));
        Table { name: setting.name.clone(), caption: self.caption(), columns, rows }
    }

    fn entries(&self, layer: &str, pass: &str, row: &Row) -> Vec<Entry> {
        let number = |x: f64| Entry::Number(Rounded::to_digits(x, DIGITS));
        // A copy has no rate of operations.
        let computing = |x: f64| if row.flops > 0 { number(x) } else { Entry::Missing };
        vec![
            Entry::Text(layer.to_owned()),
            Entry::Text(pass.to_owned()),
            number(row.flops as f64 / 1e6),
            number(row.bytes as f64 / 1e3),
            computing(row.intensity()),
            number(row.seconds.median * 1e6),
            computing(row.gflops()),
            number(row.gigabytes()),
            computing(row.bound()),
            number(row.bound_percent()),
            number(self.step_percent(row.seconds.median)),
        ]
    }

    fn caption(&self) -> Vec<String> {
        let (sum, step) = (self.sum().seconds.median, self.step.seconds.median);
        let digits = |x: f64| Rounded::to_digits(x, DIGITS);
        let (verb, difference) = if sum < step { ("costs", step - sum) } else { ("saves", sum - step) };
        let roofs = self.roofs;
        vec![
            format!(
                "One thread, {} samples, {}, median of {} repetitions.",
                self.batch, self.dtype, self.repetitions
            ),
            format!(
                "Measured in the same run: FMA peak {} GFLOP/s; reading and writing {} GB/s in the level-2 cache \
                 ({} KiB), {} GB/s in memory ({} MiB).",
                digits(roofs.peak),
                digits(roofs.level2),
                LEVEL2_BYTES >> 10,
                digits(roofs.memory),
                MEMORY_BYTES >> 20
            ),
            format!(
                "The parts by themselves add up to {} µs, the whole step takes {} µs: doing them in one step {verb} \
                 {} µs, {} % of it.",
                digits(sum * 1e6),
                digits(step * 1e6),
                digits(difference * 1e6),
                digits(self.step_percent(difference))
            ),
        ]
    }

    /// One line per part, then `sum` and `step`, in full precision.
    pub fn csv(&self) -> Vec<u8> {
        let mut text = COLUMNS.join(",") + "\n";
        for row in self.parts.iter().chain([&self.sum(), &self.step]) {
            let (index, kind) =
                row.layer.map_or((String::new(), ""), |(index, kind)| (index.to_string(), kind));
            // Writing to a string cannot fail.
            let _ = write!(text, "{index},{kind},{},{},{}", row.pass, row.flops, row.bytes);
            for figure in self.figures(row) {
                let _ = write!(text, ",{figure}");
            }
            text.push('\n');
        }
        text.into_bytes()
    }

    /// The figures of a row, in the order of [`COLUMNS`] from `intensity` on.
    fn figures(&self, row: &Row) -> [f64; 12] {
        let (s, roofs) = (row.seconds, self.roofs);
        [
            row.intensity(),
            s.median,
            s.min,
            s.max,
            row.gflops(),
            row.gigabytes(),
            row.bound(),
            row.bound_percent(),
            self.step_percent(s.median),
            roofs.peak,
            roofs.level2,
            roofs.memory,
        ]
    }

    /// The same as an object.
    pub fn json(&self, setting: &Setting) -> Json {
        let sum = self.sum();
        let rows = self.parts.iter().chain([&sum, &self.step]).map(|row| {
            let mut object = json!({ "layer": row.layer.map(|(index, _)| index), "kind": row.layer.map(|(_, kind)| kind),
                "pass": row.pass, "flops": row.flops, "bytes": row.bytes });
            for (name, figure) in COLUMNS[5..].iter().zip(self.figures(row)) {
                object[*name] = json!(figure);
            }
            object
        });
        let rows: Vec<Json> = rows.collect();
        json!({ "name": setting.name, "machine": setting.machine, "batch": self.batch, "dtype": self.dtype,
                "repetitions": self.repetitions, "rows": rows })
    }

    /// The page: the table, its picture beside it, what is counted and how it was timed.
    pub fn page(&self, setting: &Setting) -> String {
        let Setting { name, title, command, machine, network } = setting;
        let table = self.table(setting).to_markdown();
        let network = network.join("\n\n");
        format!(
            "# Where the time of a step goes: {title}\n\n\
             Made by `{command}`. {machine}. The times are of this machine and this run; they are no part of the \
             results that are byte-identical everywhere.\n\n\
             {network}\n\n{table}\n![roofline and time per layer]({name}.svg)\n\n{EXPLAINED}"
        )
    }
}

/// How to read the page.
const EXPLAINED: &str = "\
## What is counted

- **FLOP**: multiplications and additions of the products, batch × 2 × outputs × connections into an output, for each of forward, input \
gradient and weight gradient. A pass without products (activation, pooling, loss, update) counts one operation for each value that it \
writes: a convention, which gives it a place in the picture. Gathering the batch counts none. A ReLU below a max-pooling has no row of its own: \
the pooling does both.
- **Bytes**: what must move at least, each array once. Forward reads the input and the parameters and writes the output; the input gradient \
reads dJ/dy, the parameters and what the derivative needs of the forward pass, and writes dJ/dx; the weight gradient reads the input and \
dJ/dy and writes dJ/dw; the update reads gradients, parameters and what its rule remembers, and writes the latter two.
- **Bound**: min(FMA peak, FLOP per byte × rate of the level-2 cache). The time at the bound over the time is the % of the bound. The \
sum and the whole step are held against the sum of the parts' times at their bounds. The rate is that of x ← c x, each value read and written: \
a pass that writes another array than it reads also fetches the lines that it writes, so that two thirds of the rate are all that it can \
reach. What the level-1 cache holds may exceed the bound; what the level-2 cache does not hold cannot reach it.

## How it was timed

On one thread, in turns: a whole training step on the next batch of the shuffled data, then a step on another batch taken apart. Its parts \
run one after the other, each once and over the whole batch, in the groups of samples that a step takes them in; so each finds the caches as the part \
before it left them. The median of all repetitions counts, less what reading the clock takes. Peak and level-2 rate are measured five times in between; \
their medians count. The step goes through several layers with one group of samples before the next, and updates a parameter while its gradient is \
in the cache; what that saves or costs is the difference between the sum of the parts and the step.
";
