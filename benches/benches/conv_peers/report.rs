//! `conv.csv` and the table that is set from it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use benches::{REPETITIONS, Run, exec, head, median, optional, read_rows, record, replace_rows, tables};
use csv::StringRecord;

/// A library's time for a pass.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    layer: String,
    pass: String,
    library: String,
    version: String,
    threads: usize,
    milliseconds: f64,
    /// GFLOP/s and % of the peak; pooling has neither.
    rate: Option<[f64; 2]>,
}

impl Row {
    /// `times` in seconds, `peak` in GFLOP/s.
    pub(crate) fn new(
        [layer, pass, library]: [&str; 3],
        version: String,
        threads: usize,
        times: Vec<f64>,
        flops: usize,
        peak: f64,
    ) -> Self {
        let seconds = median(times);
        let gflops = flops as f64 / seconds / 1e9;
        Self {
            layer: layer.to_owned(),
            pass: pass.to_owned(),
            library: library.to_owned(),
            version,
            threads,
            milliseconds: 1e3 * seconds,
            rate: (flops > 0).then_some([gflops, 100.0 * gflops / peak]),
        }
    }

    /// `0.123 ms, 45 %`.
    fn cell(&self) -> String {
        let percent = self.rate.map(|[_, percent]| format!(", {percent:.0} %"));
        format!("{:.3} ms{}", self.milliseconds, percent.unwrap_or_default())
    }
}

impl benches::Row for Row {
    const COLUMNS: &'static [&'static str] =
        &["layer", "pass", "threads", "library", "version", "ms", "gflops", "percent_of_peak"];

    fn fields(&self) -> Vec<String> {
        let rate = |i: usize| self.rate.map(|rate| format!("{:.1}", rate[i])).unwrap_or_default();
        vec![
            self.layer.clone(),
            self.pass.clone(),
            self.threads.to_string(),
            self.library.clone(),
            self.version.clone(),
            format!("{:.4}", self.milliseconds),
            rate(0),
            rate(1),
        ]
    }

    fn read(record: &StringRecord) -> Option<Self> {
        let number = |i: usize| record.get(i)?.parse::<f64>().ok();
        Some(Self {
            layer: record.get(0)?.to_owned(),
            pass: record.get(1)?.to_owned(),
            threads: record.get(2)?.parse().ok()?,
            library: record.get(3)?.to_owned(),
            version: record.get(4)?.to_owned(),
            milliseconds: number(5)?,
            rate: match (optional(record, 6)?, optional(record, 7)?) {
                (Some(gflops), Some(percent)) => Some([gflops, percent]),
                (None, None) => None,
                _ => return None,
            },
        })
    }
}

/// The others' shortest time over ours: above 1 where ours is faster.
fn ratio(rows: &[Row]) -> Option<f64> {
    let others = rows.iter().skip(1).map(|row| row.milliseconds);
    Some(others.min_by(f64::total_cmp)? / rows[0].milliseconds)
}

/// One line per pass while it runs.
pub(crate) fn print(rows: &[Row]) {
    print!("{} {} t{}:", rows[0].layer, rows[0].pass, rows[0].threads);
    for row in rows {
        print!(" {} {} |", row.library, row.cell());
    }
    println!(" best / ours {:.2}", ratio(rows).unwrap_or(f64::NAN));
}

const FILE: &str = "conv.csv";

/// Fails if a later [`write`] would: before anything is measured.
pub(crate) fn check(folder: &Path) {
    read_rows::<Row>(&folder.join(FILE));
}

/// Replaces the rows with this number of threads and sets the table again.
pub(crate) fn write(threads: usize, removed: &[String], rows: Vec<Row>) {
    let folder = tables();
    replace_rows(&folder.join(FILE), |row| row.threads == threads, rows, |row: &Row| row.threads);
    let run = Run::new("conv", "just bench-conv", threads, exec(threads).level);
    record(&folder, vec![run.without(removed)]);
    set(&folder);
}

/// Sets the table of a folder's file.
pub(crate) fn set(folder: &Path) {
    let rows = read_rows(&folder.join(FILE));
    let text = head(folder, "conv", "Convolutions and pooling beside PyTorch") + &table(&rows);
    std::fs::write(folder.join("conv.md"), text).expect("conv.md");
}

/// The table: a line per layer and pass.
fn table(rows: &[Row]) -> String {
    let theirs = rows.iter().find(|row| row.library != "ours");
    let version = theirs.map_or("absent", |row| &row.version);
    let mut text = String::new();
    let _ = writeln!(
        text,
        "PyTorch {version}. Median of {REPETITIONS} repetitions in turns; % of the FMA peak of the cores used, measured in the same \
         run. The ratio is PyTorch's time in its better layout over ours. A layer is batch x channels x height x width -> \
         filters, k its kernel's side, p its padding. Some outputs of each pass were compared before it was timed.\n"
    );
    let mut by_threads: BTreeMap<usize, Vec<&[Row]>> = BTreeMap::new();
    for pass in rows.chunk_by(|a, b| (&a.layer, &a.pass, a.threads) == (&b.layer, &b.pass, b.threads)) {
        by_threads.entry(pass[0].threads).or_default().push(pass);
    }
    for (threads, passes) in by_threads {
        let _ = writeln!(text, "## {threads} thread{}\n", if threads == 1 { "" } else { "s" });
        text += "| layer | pass | ours | PyTorch | channels last | ratio |\n|---|---|--:|--:|--:|--:|\n";
        for rows in passes {
            let cell = |i: usize| rows.get(i).map_or("—".to_owned(), Row::cell);
            let ratio = ratio(rows).map_or("—".to_owned(), |ratio| format!("{ratio:.2}"));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {ratio} |",
                rows[0].layer,
                rows[0].pass,
                cell(0),
                cell(1),
                cell(2)
            );
        }
        text += "\n";
    }
    text
}
