//! `gemm.csv`, `gemm-avx2.csv`, `gemm-reading.csv` and the table that is set from them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use benches::{Run, Shape, head, read_rows, record, replace_rows, tables};
use csv::StringRecord;
use kernels::Element;

use crate::Comparison;

/// A library's rate on a shape.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    shape: Shape,
    element: String,
    threads: usize,
    library: String,
    version: String,
    gflops: f64,
    percent_of_peak: f64,
    /// Ours or theirs over the best of theirs.
    ratio: f64,
    least: f64,
    most: f64,
    /// 10^9 bytes per second at which an array as large as the matrix is read, beside one row or column.
    reading: Option<f64>,
}

/// Ours at AVX2 where the CPU has more.
pub(crate) const OURS_AT_AVX2: &str = "ours, avx2";

/// Whether one operand is a vector: each element of the other is read for one multiply-add.
pub(crate) fn is_vector(shape: Shape) -> bool {
    shape.m == 1 || shape.n == 1
}

/// Elements of the larger operand.
pub(crate) fn matrix_len(shape: Shape) -> usize {
    let Shape { m, n, k, .. } = shape;
    if m > n { m * k } else { n * k }
}

impl Row {
    pub(crate) fn new<T: Element>(
        shape: Shape,
        threads: usize,
        library: &str,
        version: &str,
        mut rates: Vec<f64>,
        peak: f64,
    ) -> Self {
        rates.sort_by(f64::total_cmp);
        let median = rates[rates.len() / 2];
        Self {
            shape,
            element: T::NAME.to_owned(),
            threads,
            library: library.to_owned(),
            version: version.to_owned(),
            gflops: median,
            percent_of_peak: 100.0 * median / peak,
            ratio: f64::NAN,
            least: rates[0],
            most: rates[rates.len() - 1],
            reading: None,
        }
    }

    /// This row with what was read beside it.
    pub(crate) fn beside(self, reading: Option<f64>) -> Self {
        Self { reading, ..self }
    }

    fn is_ours(&self) -> bool {
        self.library.starts_with("ours")
    }

    /// What was read beside ours.
    fn as_reading(&self) -> Option<Reading> {
        let rate = self.reading.filter(|_| self.library == "ours")?;
        let (element, threads, product) = self.place();
        Some(Reading { element, threads, product, bytes: self.matrix_bytes(), rate })
    }

    /// What rows of one shape have in common.
    fn place(&self) -> (String, usize, String) {
        (self.element.clone(), self.threads, self.shape.name())
    }

    /// Bytes of the larger operand.
    fn matrix_bytes(&self) -> usize {
        let element = if self.element == f64::NAME { size_of::<f64>() } else { size_of::<f32>() };
        matrix_len(self.shape) * element
    }

    /// 10^9 bytes of the larger operand per second.
    fn gigabytes_per_second(&self) -> f64 {
        self.gflops * self.matrix_bytes() as f64 / self.shape.flops() as f64
    }

    /// That rate, in per cent of [`Row::reading`] too.
    fn bandwidth(&self) -> String {
        let rate = self.gigabytes_per_second();
        let share = self.reading.map_or(f64::NAN, |reading| 100.0 * rate / reading);
        format!("{rate:.0} | {share:.0}")
    }
}

impl benches::Row for Row {
    const COLUMNS: &'static [&'static str] = &[
        "m",
        "n",
        "k",
        "trans_a",
        "trans_b",
        "element",
        "threads",
        "library",
        "version",
        "gflops",
        "percent_of_peak",
        "ratio_to_best_peer",
        "gflops_min",
        "gflops_max",
    ];

    fn fields(&self) -> Vec<String> {
        let Shape { m, n, k, trans_a, trans_b } = self.shape;
        vec![
            m.to_string(),
            n.to_string(),
            k.to_string(),
            trans_a.to_string(),
            trans_b.to_string(),
            self.element.clone(),
            self.threads.to_string(),
            self.library.clone(),
            self.version.clone(),
            format!("{:.2}", self.gflops),
            format!("{:.1}", self.percent_of_peak),
            format!("{:.3}", self.ratio),
            format!("{:.2}", self.least),
            format!("{:.2}", self.most),
        ]
    }

    fn read(record: &StringRecord) -> Option<Self> {
        let number = |i: usize| record.get(i)?.parse::<f64>().ok();
        let size = |i: usize| record.get(i)?.parse::<usize>().ok();
        let flag = |i: usize| record.get(i)?.parse::<bool>().ok();
        Some(Self {
            shape: Shape { m: size(0)?, n: size(1)?, k: size(2)?, trans_a: flag(3)?, trans_b: flag(4)? },
            element: record.get(5)?.to_owned(),
            threads: size(6)?,
            library: record.get(7)?.to_owned(),
            version: record.get(8)?.to_owned(),
            gflops: number(9)?,
            percent_of_peak: number(10)?,
            ratio: number(11)?,
            least: number(12)?,
            most: number(13)?,
            reading: None,
        })
    }
}

/// Fills the ratios of the rows of one shape.
pub(crate) fn with_ratios(mut rows: Vec<Row>) -> Vec<Row> {
    let best = best_peer(&rows).map_or(f64::NAN, |row| row.gflops);
    for row in &mut rows {
        row.ratio = row.gflops / best;
    }
    rows
}

fn best_peer(rows: &[Row]) -> Option<&Row> {
    rows.iter().filter(|row| !row.is_ours()).max_by(|a, b| a.gflops.total_cmp(&b.gflops))
}

/// One line per shape while it runs.
pub(crate) fn print(rows: &[Row]) {
    let Some(first) = rows.first() else { return };
    let best = best_peer(rows);
    print!("{} {} t{}: ", first.element, first.shape.name(), first.threads);
    for row in rows {
        print!("{} {:.0}%  ", row.library, row.percent_of_peak);
    }
    println!("| ours / best {:.3}", first.gflops / best.map_or(f64::NAN, |row| row.gflops));
    if let Some(reading) = first.reading {
        let rates = rows.iter().map(|row| format!("{} {:.0}", row.library, row.gigabytes_per_second()));
        println!("  GB/s, of {reading:.0} read: {}", rates.collect::<Vec<_>>().join("  "));
    }
}

/// The version of a crate in Cargo.lock.
pub(crate) fn version(name: &str) -> String {
    let lock = include_str!("../../../Cargo.lock");
    let entry = format!("name = \"{name}\"\nversion = \"");
    let rest = lock.split_once(&entry).map_or("", |(_, rest)| rest);
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// The files, and the part of the table that the second has.
const FILES: [&str; 2] = ["gemm.csv", "gemm-avx2.csv"];
const READINGS: &str = "gemm-reading.csv";
const LIMITED: &str = "limited to AVX2";

/// Fails if a later [`write`] would: before anything is measured.
pub(crate) fn check(folder: &Path) {
    FILES.iter().for_each(|name| drop(read_rows::<Row>(&folder.join(name))));
    read_rows::<Reading>(&folder.join(READINGS));
}

/// Replaces the rows with this number of threads and sets the table again.
pub(crate) fn write(comparison: &Comparison<'_>, removed: &[String], rows: Vec<Row>) {
    let (folder, threads) = (tables(), comparison.threads);
    let run = Run::new("gemm", "just bench-gemm", threads, comparison.level).without(removed);
    let run = if comparison.limited { run.of_part(LIMITED) } else { run };
    if !comparison.limited {
        let readings: Vec<Reading> = rows.iter().filter_map(Row::as_reading).collect();
        let key = |reading: &Reading| (reading.element.clone(), reading.threads);
        replace_rows(&folder.join(READINGS), |reading| reading.threads == threads, readings, key);
    }
    let path = folder.join(FILES[usize::from(comparison.limited)]);
    replace_rows(&path, |row: &Row| row.threads == threads, rows, |row| (row.element.clone(), row.threads));
    record(&folder, vec![run]);
    set(&folder);
}

/// Sets the table of a folder's files.
pub(crate) fn set(folder: &Path) {
    let [mut rows, limited] = FILES.map(|name| read_rows::<Row>(&folder.join(name)));
    for reading in read_rows::<Reading>(&folder.join(READINGS)) {
        let place = (reading.element, reading.threads, reading.product);
        rows.iter_mut().filter(|row| row.place() == place).for_each(|row| row.reading = Some(reading.rate));
    }
    let text = head(folder, "gemm", "Matrix products beside other libraries") + &table(&rows, &limited);
    std::fs::write(folder.join("gemm.md"), text).expect("gemm.md");
}

/// A line of `gemm-reading.csv`: the rate at which an array as large as a product's matrix is read.
#[derive(Clone, Debug)]
struct Reading {
    element: String,
    threads: usize,
    product: String,
    bytes: usize,
    rate: f64,
}

impl benches::Row for Reading {
    const COLUMNS: &'static [&'static str] =
        &["element", "threads", "product", "bytes", "gigabytes_per_second"];

    fn fields(&self) -> Vec<String> {
        let Self { element, threads, product, bytes, rate } = self.clone();
        vec![element, threads.to_string(), product, bytes.to_string(), format!("{rate:.1}")]
    }

    fn read(record: &StringRecord) -> Option<Self> {
        Some(Self {
            element: record.get(0)?.to_owned(),
            threads: record.get(1)?.parse().ok()?,
            product: record.get(2)?.to_owned(),
            bytes: record.get(3)?.parse().ok()?,
            rate: record.get(4)?.parse().ok()?,
        })
    }
}

/// The products with one row or column as what they are: readings of a matrix.
fn matrix_vector_table(rows: &[Row]) -> String {
    let shapes: Vec<&[Row]> =
        rows.chunk_by(|a, b| a.place() == b.place()).filter(|rows| rows[0].reading.is_some()).collect();
    if shapes.is_empty() {
        return String::new();
    }
    let mut text = String::from("## Matrix-vector products\n\n");
    text += "With one row or column, each element of the matrix is read for a single multiply-add, and the memory decides. \
             10^9 bytes of the matrix per second on one thread, beside a loop that reads an array of the same size \
             over and over in the same run: from the level-2 cache if that holds it, else from the level-3 cache.\n\n";
    text += "| product | matrix, KiB | read, GB/s | ours, GB/s | % of reading | best other | GB/s | % of reading |\n";
    text += "|---|--:|--:|--:|--:|---|--:|--:|\n";
    for rows in shapes {
        let (Some(ours), Some(best)) = (rows.iter().find(|row| row.library == "ours"), best_peer(rows))
        else {
            continue;
        };
        let _ = writeln!(
            text,
            "| {} | {} | {:.0} | {} | {} | {} |",
            ours.shape.name(),
            ours.matrix_bytes() >> 10,
            ours.reading.unwrap_or(f64::NAN),
            ours.bandwidth(),
            best.library,
            best.bandwidth()
        );
    }
    text
}

/// The table: a line per shape, ours beside the best of the others.
fn table(rows: &[Row], limited: &[Row]) -> String {
    let others = rows.iter().chain(limited).filter(|row| !row.is_ours());
    let versions: BTreeMap<&str, &str> =
        others.map(|row| (row.library.as_str(), row.version.as_str())).collect();
    let versions: Vec<String> = versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let mut text = format!(
        "Median of eleven repetitions in turns; % of the FMA peak of the cores used, measured in the same run. \
         Ratios are ours over the best other library. Compared: {}.\n\n",
        versions.join(", ")
    );
    text += &sections(rows, "");
    text += &matrix_vector_table(rows);
    if !limited.is_empty() {
        text += "\nThe sections below are of libraries that their own switches limit to AVX2, beside ours at that level; \
                 % of that level's peak. BLIS, faer, gemm and matrixmultiply have no such switch.\n\n";
        text += sections(limited, ", limited to AVX2").trim_end();
        text += "\n";
    }
    text
}

/// A section for each type and number of threads.
fn sections(rows: &[Row], title: &str) -> String {
    let mut groups: BTreeMap<(&str, usize), Vec<&[Row]>> = BTreeMap::new();
    for shape in rows.chunk_by(|a, b| a.place() == b.place()) {
        groups.entry((&shape[0].element, shape[0].threads)).or_default().push(shape);
    }
    let mut text = String::new();
    for ((element, threads), shapes) in groups {
        let _ =
            writeln!(text, "## {element}, {threads} thread{}{title}\n", if threads == 1 { "" } else { "s" });
        let at_avx2 = shapes.iter().any(|rows| rows.iter().any(|row| row.library == OURS_AT_AVX2));
        let last = if at_avx2 { [" ours, AVX2 |", "--:|"] } else { [""; 2] };
        let _ = writeln!(text, "| product | ours, % of peak | best other | % of peak | ratio |{}", last[0]);
        let _ = writeln!(text, "|---|--:|---|--:|--:|{}", last[1]);
        let mut ratios = Vec::new();
        for rows in shapes {
            let (Some(ours), Some(best)) = (rows.iter().find(|row| row.library == "ours"), best_peer(rows))
            else {
                continue;
            };
            ratios.push(ours.ratio);
            text += &line(ours, best);
            if at_avx2 {
                let avx2 = rows.iter().find(|row| row.library == OURS_AT_AVX2);
                let cell = avx2.map_or("—".to_owned(), |row| format!("{:.0}", row.percent_of_peak));
                let _ = write!(text, " {cell} |");
            }
            text += "\n";
        }
        text += &summary(&ratios);
    }
    text
}

/// A row of a section, without the last cell.
fn line(ours: &Row, best: &Row) -> String {
    format!(
        "| {} | {:.0} | {} | {:.0} | {:.2} |",
        ours.shape.name(),
        ours.percent_of_peak,
        best.library,
        best.percent_of_peak,
        ours.ratio
    )
}

fn summary(ratios: &[f64]) -> String {
    let logs: f64 = ratios.iter().fold(0.0, |sum, &ratio| sum + kernels::math::f64::ln(ratio));
    let mean = kernels::math::f64::exp(logs / ratios.len() as f64);
    let smaller = |least: f64, &ratio: &f64| if ratio < least { ratio } else { least };
    let least = ratios.iter().fold(f64::INFINITY, smaller);
    format!("\nGeometric mean of the ratios {mean:.3}, smallest {least:.2}.\n\n")
}
