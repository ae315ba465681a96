//! `gemm.csv` and the table that is set from it.

use std::collections::BTreeMap;
use std::fmt::Write;

use benches::{Shape, machine, tables};
use kernels::Element;

/// The columns of `gemm.csv`.
const COLUMNS: [&str; 14] = [
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
        }
    }

    fn is_ours(&self) -> bool {
        self.library.starts_with("ours")
    }

    /// What rows of one shape have in common.
    fn place(&self) -> (String, usize, String) {
        (self.element.clone(), self.threads, self.shape.name())
    }

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

    fn read(record: &csv::StringRecord) -> Option<Self> {
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
}

/// The version of a crate in Cargo.lock.
pub(crate) fn version(name: &str) -> String {
    let lock = include_str!("../../../Cargo.lock");
    let entry = format!("name = \"{name}\"\nversion = \"");
    let rest = lock.split_once(&entry).map_or("", |(_, rest)| rest);
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// Replaces the rows with this number of threads and sets the table again.
pub(crate) fn write(threads: usize, rows: Vec<Row>) {
    let path = tables().join("gemm.csv");
    let mut all: Vec<Row> = Vec::new();
    if let Ok(mut reader) = csv::Reader::from_path(&path) {
        all.extend(reader.records().flatten().filter_map(|record| Row::read(&record)));
    }
    all.retain(|row| row.threads != threads);
    all.extend(rows);
    all.sort_by_key(|row| (row.element.clone(), row.threads));
    std::fs::create_dir_all(tables()).expect("results/benchmarks");
    let mut writer = csv::Writer::from_path(&path).expect("gemm.csv");
    writer.write_record(COLUMNS).expect("gemm.csv");
    for row in &all {
        writer.write_record(row.fields()).expect("gemm.csv");
    }
    writer.flush().expect("gemm.csv");
    std::fs::write(tables().join("gemm.md"), table(&all)).expect("gemm.md");
    println!("wrote {}", path.display());
}

/// The table: a line per shape, ours beside the best of the others.
fn table(rows: &[Row]) -> String {
    let mut groups: BTreeMap<(String, usize), Vec<Vec<Row>>> = BTreeMap::new();
    for shape in rows.chunk_by(|a, b| a.place() == b.place()) {
        groups.entry((shape[0].element.clone(), shape[0].threads)).or_default().push(shape.to_vec());
    }
    let mut text = String::from("# Matrix products beside other libraries\n\n");
    let _ = writeln!(text, "Made by `just bench-gemm`. {}.\n", machine());
    let versions: BTreeMap<&str, &str> = rows
        .iter()
        .filter(|row| !row.is_ours())
        .map(|row| (row.library.as_str(), row.version.as_str()))
        .collect();
    let versions: Vec<String> = versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let _ = writeln!(
        text,
        "Median of eleven repetitions in turns; % of the FMA peak of the cores used, measured in the same run. \
         Ratios are ours over the best other library. Compared: {}.\n",
        versions.join(", ")
    );
    for ((element, threads), shapes) in groups {
        let _ = writeln!(text, "## {element}, {threads} thread{}\n", if threads == 1 { "" } else { "s" });
        text += "| product | ours, % of peak | best other | % of peak | ratio | ours, AVX2 |\n";
        text += "|---|--:|---|--:|--:|--:|\n";
        let mut ratios = Vec::new();
        for rows in &shapes {
            let (Some(ours), Some(best)) = (rows.iter().find(|row| row.library == "ours"), best_peer(rows))
            else {
                continue;
            };
            let avx2 = rows.iter().find(|row| row.library == "ours, avx2");
            ratios.push(ours.ratio);
            let _ = writeln!(
                text,
                "| {} | {:.0} | {} | {:.0} | {:.2} | {} |",
                ours.shape.name(),
                ours.percent_of_peak,
                best.library,
                best.percent_of_peak,
                ours.ratio,
                avx2.map_or("—".to_owned(), |row| format!("{:.0}", row.percent_of_peak))
            );
        }
        let logs: f64 = ratios.iter().fold(0.0, |sum, &ratio| sum + kernels::math::f64::ln(ratio));
        let mean = kernels::math::f64::exp(logs / ratios.len() as f64);
        let least = ratios
            .iter()
            .copied()
            .fold(f64::INFINITY, |least, ratio| if ratio < least { ratio } else { least });
        let _ = writeln!(text, "\nGeometric mean of the ratios {mean:.3}, smallest {least:.2}.\n");
    }
    text
}
