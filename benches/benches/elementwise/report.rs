//! `elementwise.csv` and the table that is set from it.

use std::ffi::{CStr, c_char};
use std::fmt::Write;
use std::path::Path;

use benches::{REPETITIONS, Run, head, read_rows, record, tables, write_rows};
use csv::StringRecord;
use kernels::Level;

use crate::Contest;

/// A kernel at a level.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    kernel: String,
    level: String,
    elements: usize,
    nanoseconds: f64,
    gigabytes: f64,
    baseline: String,
    baseline_nanoseconds: f64,
    least: f64,
    most: f64,
}

impl Row {
    /// `ours` and `theirs` are nanoseconds per element, one of each repetition.
    pub(crate) fn new(
        contest: &Contest<'_>,
        level: &'static str,
        mut ours: Vec<f64>,
        mut theirs: Vec<f64>,
    ) -> Self {
        ours.sort_by(f64::total_cmp);
        theirs.sort_by(f64::total_cmp);
        let nanoseconds = ours[ours.len() / 2];
        Self {
            kernel: contest.kernel.clone(),
            level: level.to_owned(),
            elements: contest.elements,
            nanoseconds,
            gigabytes: contest.bytes as f64 / (nanoseconds * contest.elements as f64),
            baseline: contest.baseline.0.to_owned(),
            baseline_nanoseconds: theirs[theirs.len() / 2],
            least: ours[0],
            most: ours[ours.len() - 1],
        }
    }

    /// How many times as fast as the baseline.
    fn ratio(&self) -> f64 {
        self.baseline_nanoseconds / self.nanoseconds
    }
}

impl benches::Row for Row {
    const COLUMNS: &'static [&'static str] = &[
        "kernel",
        "level",
        "elements",
        "ns_per_element",
        "gb_per_s",
        "baseline",
        "baseline_ns_per_element",
        "ratio",
        "ns_min",
        "ns_max",
    ];

    fn fields(&self) -> Vec<String> {
        vec![
            self.kernel.clone(),
            self.level.clone(),
            self.elements.to_string(),
            format!("{:.4}", self.nanoseconds),
            format!("{:.2}", self.gigabytes),
            self.baseline.clone(),
            format!("{:.4}", self.baseline_nanoseconds),
            format!("{:.3}", self.ratio()),
            format!("{:.4}", self.least),
            format!("{:.4}", self.most),
        ]
    }

    fn read(record: &StringRecord) -> Option<Self> {
        let number = |i: usize| record.get(i)?.parse::<f64>().ok();
        Some(Self {
            kernel: record.get(0)?.to_owned(),
            level: record.get(1)?.to_owned(),
            elements: record.get(2)?.parse().ok()?,
            nanoseconds: number(3)?,
            gigabytes: number(4)?,
            baseline: record.get(5)?.to_owned(),
            baseline_nanoseconds: number(6)?,
            least: number(8)?,
            most: number(9)?,
        })
    }
}

pub(crate) fn print(rows: &[Row]) {
    for row in rows {
        println!(
            "{:24} {:7} {:.3} ns {:6.1} GB/s, {} {:.3} ns: {:.2}",
            row.kernel,
            row.level,
            row.nanoseconds,
            row.gigabytes,
            row.baseline,
            row.baseline_nanoseconds,
            row.ratio()
        );
    }
}

const FILE: &str = "elementwise.csv";

/// Replaces the rows and the table.
pub(crate) fn write(rows: &[Row]) {
    let folder = tables();
    write_rows(&folder.join(FILE), rows);
    let run = Run::new("elementwise", "just bench-elementwise", 1, Level::best());
    record(&folder, vec![run.with(&format!("libm of {}", libc()))]);
    set(&folder);
    println!("wrote {}", folder.join(FILE).display());
}

/// Sets the table of a folder's file.
pub(crate) fn set(folder: &Path) {
    let rows = read_rows(&folder.join(FILE));
    let text = head(folder, "elementwise", "Elementwise kernels") + &table(&rows);
    std::fs::write(folder.join("elementwise.md"), text).expect("elementwise.md");
}

/// The table: a line for each kernel and level.
fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "One thread. Median of {REPETITIONS} repetitions in turns with the baseline; the ratio is the baseline's \
         time over ours. All outputs were compared with the reference by bits before they were timed. GB/s counts \
         the arrays that a kernel reads and writes once each.\n"
    );
    text += "| kernel | level | elements | ns per element | GB/s | baseline | ns per element | ratio |\n";
    text += "|---|---|--:|--:|--:|---|--:|--:|\n";
    for row in rows {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.3} | {:.1} | {} | {:.3} | {:.2} |",
            row.kernel,
            row.level,
            row.elements,
            row.nanoseconds,
            row.gigabytes,
            row.baseline,
            row.baseline_nanoseconds,
            row.ratio()
        );
    }
    text
}

/// The C library, whose libm std calls: `glibc 2.36`, or the operating system where it is another.
fn libc() -> String {
    type Version = unsafe extern "C" fn() -> *const c_char;
    let process = libloading::os::unix::Library::this();
    // SAFETY: the signature is that of gnu/libc-version.h.
    match unsafe { process.get::<Version>(b"gnu_get_libc_version") } {
        // SAFETY: glibc returns a string that ends with a zero and lives for good.
        Ok(version) => format!("glibc {}", unsafe { CStr::from_ptr(version()) }.to_string_lossy()),
        Err(_) => std::env::consts::OS.to_owned(),
    }
}
