//! `train.csv` and the tables that are set from it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use benches::{Run, head as table_head, median, read_rows, record, replace_rows, tables};
use csv::StringRecord;
use kernels::Level;

use crate::peers::{FRAMEWORKS, Task, Worker};

/// The version of a framework that was not there.
const ABSENT: &str = "absent";
const FILE: &str = "train.csv";

/// A framework on a network.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    model: String,
    threads: usize,
    framework: String,
    /// `None` where the framework is absent.
    figures: Option<Figures>,
}

#[derive(Clone, Debug)]
struct Figures {
    version: String,
    samples_per_second: f64,
    percent_of_limit: f64,
    peak_memory: f64,
    first_step: f64,
}

impl Row {
    /// `rates` and `limit` in samples per second, `first_step` in seconds.
    pub(crate) fn new(
        task: &Task<'_>,
        worker: &Worker,
        rates: Vec<f64>,
        limit: f64,
        first_step: f64,
    ) -> Self {
        let samples_per_second = median(rates);
        let figures = Figures {
            version: worker.version.clone(),
            samples_per_second,
            percent_of_limit: 100.0 * samples_per_second / limit,
            peak_memory: worker.peak_memory(),
            first_step: 1e3 * first_step,
        };
        Self { figures: Some(figures), ..Self::absent(task, worker.framework) }
    }

    pub(crate) fn absent(task: &Task<'_>, framework: &str) -> Self {
        Self {
            model: task.model.to_owned(),
            threads: task.threads,
            framework: framework.to_owned(),
            figures: None,
        }
    }

    fn rate(&self) -> f64 {
        self.figures.as_ref().map_or(0.0, |figures| figures.samples_per_second)
    }
}

impl benches::Row for Row {
    const COLUMNS: &'static [&'static str] = &[
        "model",
        "threads",
        "framework",
        "version",
        "samples_per_s",
        "percent_of_limit",
        "peak_rss_mib",
        "first_step_ms",
    ];

    fn fields(&self) -> Vec<String> {
        let number = |decimals: usize, figure: fn(&Figures) -> f64| {
            self.figures.as_ref().map(|figures| format!("{:.decimals$}", figure(figures))).unwrap_or_default()
        };
        vec![
            self.model.clone(),
            self.threads.to_string(),
            self.framework.clone(),
            self.figures.as_ref().map_or(ABSENT, |figures| &figures.version).to_owned(),
            number(0, |figures| figures.samples_per_second),
            number(1, |figures| figures.percent_of_limit),
            number(0, |figures| figures.peak_memory),
            number(0, |figures| figures.first_step),
        ]
    }

    fn read(record: &StringRecord) -> Option<Self> {
        let number = |i: usize| record.get(i)?.parse::<f64>().ok();
        let figures = || {
            Some(Figures {
                version: record.get(3)?.to_owned(),
                samples_per_second: number(4)?,
                percent_of_limit: number(5)?,
                peak_memory: number(6)?,
                first_step: number(7)?,
            })
        };
        Some(Self {
            model: record.get(0)?.to_owned(),
            threads: record.get(1)?.parse().ok()?,
            framework: record.get(2)?.to_owned(),
            figures: if record.get(3)? == ABSENT { None } else { Some(figures()?) },
        })
    }
}

fn best_peer(rows: &[Row]) -> Option<&Row> {
    let others = rows.iter().filter(|row| row.framework != "ours" && row.figures.is_some());
    others.max_by(|a, b| a.rate().total_cmp(&b.rate()))
}

/// One line per network while it runs.
pub(crate) fn print(rows: &[Row]) {
    let Some(first) = rows.first() else { return };
    print!("{} t{}:", first.model, first.threads);
    for row in rows {
        match &row.figures {
            None => print!(" {} absent ", row.framework),
            Some(figures) => print!(
                " {} {:.0}/s {:.1}% {:.0} MiB {:.0} ms ",
                row.framework,
                figures.samples_per_second,
                figures.percent_of_limit,
                figures.peak_memory,
                figures.first_step
            ),
        }
    }
    println!("| ours / best {:.3}", first.rate() / best_peer(rows).map_or(f64::NAN, Row::rate));
}

/// Fails if a later [`write`] would: before anything is measured.
pub(crate) fn check(folder: &Path) {
    read_rows::<Row>(&folder.join(FILE));
}

/// Replaces the rows with these numbers of threads and sets the tables again.
pub(crate) fn write(threads: &[usize], removed: &[String], rows: Vec<Row>) {
    let folder = tables();
    let is_old = |row: &Row| threads.contains(&row.threads);
    replace_rows(&folder.join(FILE), is_old, rows, |row| row.threads);
    let run =
        |&threads: &usize| Run::new("train", "just bench-train", threads, Level::best()).without(removed);
    record(&folder, threads.iter().map(run).collect());
    set(&folder);
}

/// Sets the tables of a folder's file.
pub(crate) fn set(folder: &Path) {
    let rows = read_rows(&folder.join(FILE));
    let text = table_head(folder, "train", "Training beside other frameworks") + &table(&rows);
    std::fs::write(folder.join("train.md"), text).expect("train.md");
}

/// The tables: for each number of threads the rates, and what a program costs besides.
fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "Samples per second of whole training steps: batches of 64 from shuffled epochs of 60,000 images in memory, \
         softmax cross-entropy, plain SGD, f32. P is 784-10, M1 784-128-10, M2 784-512-256-10, L5 LeNet-5 with ReLU \
         and max pooling, C2 two 3 x 3 convolutions of 32 and 64 filters, pooling and 128 units. Median of rounds in turns, \
         each from the same start weights; all frameworks' losses over twenty steps were compared before. The limit is the FMA peak of the cores used, \
         measured in the same run, over the multiply-adds of a step. jax-loop is one compiled loop \
         over all steps of an epoch. Compared: {}.\n",
        versions(rows)
    );
    let mut by_threads: BTreeMap<usize, Vec<Vec<Row>>> = BTreeMap::new();
    for model in rows.chunk_by(|a, b| (&a.model, a.threads) == (&b.model, b.threads)) {
        by_threads.entry(model[0].threads).or_default().push(model.to_vec());
    }
    for (threads, models) in by_threads {
        let _ = writeln!(text, "## {threads} thread{}\n", if threads == 1 { "" } else { "s" });
        rates(&mut text, &models);
        text += "\nPeak memory in MiB, and milliseconds from the program's start to the end of its first step:\n\n";
        costs(&mut text, &models);
        text += "\n";
    }
    text
}

/// The frameworks with their versions, and which are absent.
fn versions(rows: &[Row]) -> String {
    let name = |framework: &&str| {
        let row = rows.iter().rev().find(|row| row.framework == *framework);
        let figures = row.and_then(|row| row.figures.as_ref());
        format!("{framework} {}", figures.map_or(ABSENT, |figures| &figures.version))
    };
    FRAMEWORKS[1..].iter().map(name).collect::<Vec<_>>().join(", ")
}

fn head(text: &mut String, first: &str, last: &str) {
    let _ = writeln!(text, "| {first} | {} |{last}", FRAMEWORKS.join(" | "));
    let columns = FRAMEWORKS.len() + last.matches('|').count();
    let _ = writeln!(text, "|---|{}", "--:|".repeat(columns));
}

fn rates(text: &mut String, models: &[Vec<Row>]) {
    head(text, "samples per second", " ours, % of the limit | best other | ratio |");
    let mut ratios = Vec::new();
    for rows in models {
        let cells: Vec<String> = cells(rows, |figures| format!("{:.0}", figures.samples_per_second));
        let (ours, best) = (&rows[0], best_peer(rows));
        let ratio = best.map(|best| ours.rate() / best.rate());
        ratios.extend(ratio);
        let _ = writeln!(
            text,
            "| {} | {} | {:.0} | {} | {} |",
            ours.model,
            cells.join(" | "),
            ours.figures.as_ref().map_or(0.0, |figures| figures.percent_of_limit),
            best.map_or("—", |best| &best.framework),
            ratio.map_or("—".to_owned(), |ratio| format!("{ratio:.2}"))
        );
    }
    if !ratios.is_empty() {
        let logs: f64 = ratios.iter().fold(0.0, |sum, &ratio| sum + kernels::math::f64::ln(ratio));
        let mean = kernels::math::f64::exp(logs / ratios.len() as f64);
        let _ = writeln!(text, "\nGeometric mean of the ratios {mean:.2}.");
    }
}

fn costs(text: &mut String, models: &[Vec<Row>]) {
    head(text, "MiB / ms", "");
    for rows in models {
        let cells = cells(rows, |figures| format!("{:.0} / {:.0}", figures.peak_memory, figures.first_step));
        let _ = writeln!(text, "| {} | {} |", rows[0].model, cells.join(" | "));
    }
}

/// One cell per framework, in the order of [`FRAMEWORKS`].
fn cells(rows: &[Row], cell: impl Fn(&Figures) -> String) -> Vec<String> {
    rows.iter().map(|row| row.figures.as_ref().map_or("—".to_owned(), &cell)).collect()
}
