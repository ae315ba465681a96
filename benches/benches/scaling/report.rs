//! `scaling.csv` and the tables that are set from it.

use std::fmt::Write;
use std::path::Path;

use benches::{
    Machine, Measured, Run, Work, exec, head as table_head, networks, read_rows, record, replace_rows,
};

use crate::machine::{EXCHANGE, JOIN, MEMORY};
use crate::row::{self, Row};

/// What the spread over the samples in memory should not exceed, in per cent; P, whose steps are short, may have twice as much.
const WANTED: f64 = 10.0;
/// Threads that the model is asked about.
const THREADS: [usize; 4] = [2, 4, 8, 16];
/// Batches that the model is asked about.
const BATCHES: [usize; 2] = [64, 1024];

const FILE: &str = "scaling.csv";

/// Fails if a later [`write`] would: before anything is measured.
pub(crate) fn check(folder: &Path) {
    read_rows::<Row>(&folder.join(FILE));
}

/// Replaces the rows of these parts with these numbers of threads, and sets the tables again.
pub(crate) fn write(folder: &Path, threads: &[usize], parts: &[&str], rows: Vec<Row>) {
    let is_old = |row: &Row| threads.contains(&row.threads) && parts.contains(&row.part.as_str());
    replace_rows(&folder.join(FILE), is_old, rows, Row::place);
    let run = |threads: usize| Run::new("scaling", "just bench-scaling", threads, exec(threads).level);
    let runs = threads.iter().map(|&threads| run(threads));
    record(folder, runs.flat_map(|run| parts.iter().map(move |part| run.of_part(part))).collect());
    set(folder);
}

/// Sets the tables of a folder's file.
pub(crate) fn set(folder: &Path) {
    let rows = read_rows(&folder.join(FILE));
    let text = table_head(folder, "scaling", "How the cost grows") + &tables(&rows);
    std::fs::write(folder.join("scaling.md"), text).expect("scaling.md");
}

fn tables(rows: &[Row]) -> String {
    let mut text = String::new();
    text += "Training steps in f32 on Fashion-MNIST's images, which stand in memory as bytes: shuffled epochs, softmax cross-entropy, \
             plain SGD, in batches of 64 where nothing else is said. P is 784-10, M1 784-128-10, M2 784-512-256-10, L5 LeNet-5 with ReLU and max \
             pooling, C2 two 3 x 3 convolutions of 32 and 64 filters, pooling and 128 units. Median of rounds in turns; % is that of the \
             FMA peak of the cores used, measured in the same run. What the last table predicts is told in \
             [docs/scaling.md](../../../docs/scaling.md).\n\n";
    let mut threads: Vec<usize> = rows.iter().map(|row| row.threads).collect();
    threads.sort_unstable();
    threads.dedup();
    for threads in threads {
        let of = |part: &str| -> Vec<Row> {
            rows.iter().filter(|row| row.part == part && row.threads == threads).cloned().collect()
        };
        let _ = writeln!(text, "## {threads} thread{}\n", if threads == 1 { "" } else { "s" });
        data(&mut text, &of(row::DATA));
        batches(&mut text, &of(row::BATCH));
        widths(&mut text, &of(row::WIDTH));
        inference(&mut text, &of(row::INFERENCE));
    }
    prediction(&mut text, rows);
    text
}

fn networks_of(rows: &[Row]) -> impl Iterator<Item = &[Row]> {
    rows.chunk_by(|a, b| a.model == b.model)
}

/// The columns' names and how they are set.
fn head(text: &mut String, names: &[String]) {
    let _ = writeln!(text, "| {} |\n|---|{}", names.join(" | "), "--:|".repeat(names.len() - 1));
}

/// The sizes that occur, ascending.
fn sizes(rows: &[Row], size: impl Fn(&Row) -> usize) -> Vec<usize> {
    let mut sizes: Vec<usize> = rows.iter().map(size).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

fn names(first: &str, sizes: &[usize], last: &[&str]) -> Vec<String> {
    let sizes = sizes.iter().map(usize::to_string);
    let last = last.iter().map(|&name| name.to_owned());
    [first.to_owned()].into_iter().chain(sizes).chain(last).collect()
}

fn data(text: &mut String, rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    text.push_str(
        "Samples per second with so many samples in memory, the same number of steps for each:\n\n",
    );
    let sizes = sizes(rows, |row| row.samples);
    head(text, &names("network", &sizes, &["spread, %", "wanted, %"]));
    for rows in networks_of(rows) {
        let rates: Vec<f64> = rows.iter().map(Row::rate).collect();
        let cells: Vec<String> = rates.iter().map(|rate| format!("{rate:.0}")).collect();
        let wanted = if rows[0].model == "P" { 2.0 * WANTED } else { WANTED };
        let _ = writeln!(
            text,
            "| {} | {} | {:.1} | {wanted} |",
            rows[0].model,
            cells.join(" | "),
            spread(&rates)
        );
    }
    text.push('\n');
}

/// By how many per cent the largest exceeds the smallest.
fn spread(rates: &[f64]) -> f64 {
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    100.0 * (sorted[sorted.len() - 1] / sorted[0] - 1.0)
}

/// `38000 / 98.1 / 83`: samples per second, GFLOP/s, % of the peak.
fn rates(row: &Row) -> String {
    let number = |figure: Option<f64>| figure.unwrap_or(f64::NAN);
    format!("{:.0} / {:.1} / {:.0}", row.rate(), number(row.gflops), number(row.percent_of_peak))
}

fn batches(text: &mut String, rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    text.push_str("Samples per second / GFLOP/s / % of the peak in batches of so many:\n\n");
    let sizes = sizes(rows, |row| row.batch);
    head(text, &names("network", &sizes, &[]));
    for rows in networks_of(rows) {
        let cell = |size: &usize| rows.iter().find(|row| row.batch == *size).map_or("—".to_owned(), rates);
        let cells: Vec<String> = sizes.iter().map(cell).collect();
        let _ = writeln!(text, "| {} | {} |", rows[0].model, cells.join(" | "));
    }
    text.push('\n');
}

fn widths(text: &mut String, rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    text.push_str("784-W-10, samples per second / GFLOP/s / % of the peak:\n\n");
    let sizes = sizes(rows, |row| row.width);
    head(text, &names("W", &sizes, &[]));
    let cells: Vec<String> = rows.iter().map(rates).collect();
    let _ = writeln!(text, "| {} | {} |\n", rows[0].model, cells.join(" | "));
}

fn inference(text: &mut String, rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    text.push_str(
        "Answers: microseconds of one sample, then samples per second / GFLOP/s / % of the peak in batches. A sample's outputs had the same \
         bits alone and in each batch:\n\n",
    );
    head(
        text,
        &names("network", &[], &["one sample, µs", "99th percentile, µs", "batches of 64", "of 1024"]),
    );
    for rows in networks_of(rows) {
        let cell = |size: usize| rows.iter().find(|row| row.batch == size).map_or("—".to_owned(), rates);
        let (median, p99) = (rows[0].median_microseconds, rows[0].p99_microseconds);
        let _ = writeln!(
            text,
            "| {} | {:.2} | {:.2} | {} | {} |",
            rows[0].model,
            median.unwrap_or(f64::NAN),
            p99.unwrap_or(f64::NAN),
            cell(64),
            cell(1024)
        );
    }
    text.push('\n');
}

/// What the model says of more threads, and what was measured.
fn prediction(text: &mut String, rows: &[Row]) {
    let cost = |name: &str| {
        let row = rows.iter().rev().find(|row| row.part == row::MACHINE && row.model == name)?;
        Some((row.threads, 1e-6 * row.median_microseconds?))
    };
    let (Some((measured, join)), Some((_, memory)), Some((_, exchange))) =
        (cost(JOIN), cost(MEMORY), cost(EXCHANGE))
    else {
        return;
    };
    let rate = |seconds_of_mib: f64| (1 << 20) as f64 / seconds_of_mib;
    let machine = Machine { join, memory: rate(memory), exchange: rate(exchange) };
    let _ = writeln!(
        text,
        "## More threads\n\nPredicted speed-up over one thread, with {:.2} microseconds for a join, {:.1} GB/s that a core reads from memory and {:.1} GB/s of what another core \
         has just written, all measured here; the last columns are what {measured} threads were predicted and measured to gain.\n",
        1e6 * join,
        machine.memory / 1e9,
        machine.exchange / 1e9
    );
    let columns = [
        "batch",
        "MFLOP of a step",
        "of parameters, %",
        "MFLOP of a chunk",
        "chunks",
        "buckets",
        "beyond caches, MB",
    ];
    let threads = THREADS.map(|threads| format!("{threads} threads"));
    let last = [format!("{measured}, predicted"), "measured".to_owned()];
    head(text, &[names("network", &[], &columns), threads.to_vec(), last.to_vec()].concat());
    for (model, layers) in networks() {
        for batch in BATCHES {
            let work = Work::new(&layers, batch);
            let Some(step) = step(rows, model, batch) else { continue };
            let answer = |part| answer(rows, model, part);
            let one = Measured { step, answer: &answer };
            let speed_up = |threads| format!("{:.2}", work.speed_up(threads, &one, machine));
            let gained = step_rate(rows, model, measured, batch).zip(step_rate(rows, model, 1, batch));
            let _ = writeln!(
                text,
                "| {model} | {} | {} | {} | {} |",
                shape(&work),
                THREADS.map(speed_up).join(" | "),
                speed_up(measured),
                gained.map_or("—".to_owned(), |(several, one)| format!("{:.2}", several / one))
            );
        }
    }
}

/// What a step consists of, as cells.
fn shape(work: &Work) -> String {
    let chunks = work.batch.div_ceil(work.chunk);
    let of_samples = work.flop - work.parameter_flop;
    format!(
        "{} | {:.1} | {:.0} | {:.2} | {chunks} | {} | {:.1}",
        work.batch,
        work.flop as f64 / 1e6,
        100.0 * work.parameter_flop as f64 / work.flop as f64,
        of_samples as f64 / chunks as f64 / 1e6,
        work.buckets.len(),
        work.bytes as f64 / 1e6
    )
}

/// Samples per second of training in batches of so many.
fn step_rate(rows: &[Row], model: &str, threads: usize, batch: usize) -> Option<f64> {
    let mut of_model = rows.iter().filter(|row| row.part == row::BATCH && row.model == model);
    of_model.find(|row| row.threads == threads && row.batch == batch)?.samples_per_second
}

/// Seconds of a training step on one thread; a batch larger than those measured costs as much per sample as the largest.
fn step(rows: &[Row], model: &str, batch: usize) -> Option<f64> {
    let of_model = rows.iter().filter(|row| row.part == row::BATCH && row.model == model && row.threads == 1);
    let largest = of_model.filter(|row| row.batch <= batch).max_by_key(|row| row.batch)?;
    Some(batch as f64 / largest.samples_per_second?)
}

/// Seconds of an answer per sample on one thread, in the largest batch measured that is not larger.
fn answer(rows: &[Row], model: &str, batch: usize) -> f64 {
    let of_model =
        rows.iter().filter(|row| row.part == row::INFERENCE && row.model == model && row.threads == 1);
    let largest = of_model.filter(|row| row.batch <= batch).max_by_key(|row| row.batch);
    largest.map_or(f64::NAN, |row| 1.0 / row.rate())
}
