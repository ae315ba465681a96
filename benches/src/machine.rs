//! What a table of timings says about where and with what they were taken, and where it is kept.
//!
//! ```text
//! results/benchmarks/<cpu>/gemm.csv, gemm.md, ...    a folder for each design of CPU
//! results/benchmarks/<cpu>/runs.csv                  a row for each run whose timings are in a table
//! ```
//!
//! A table may hold timings of several runs, one for each number of threads: its head describes each of them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use experiments::provenance;
use kernels::{Level, Machine};

use crate::cpu::Cpu;
use crate::rows::{self, read_rows, replace_rows};

/// The folder of the tables of this CPU, `results/benchmarks/<cpu>`.
pub fn tables() -> PathBuf {
    tables_of(&Cpu::this().slug())
}

/// The folder of the tables of a CPU.
pub fn tables_of(cpu: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../results/benchmarks").join(cpu)
}

/// A run of a benchmark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The table that has its timings: `gemm`.
    pub table: String,
    /// The part of the table, where a run may measure one: `batch`.
    pub part: String,
    /// Threads, each with a core of its own.
    pub threads: usize,
    cpu: String,
    /// The cores that the system has.
    cores: usize,
    level: String,
    /// The compiler, and what else the timings depend on.
    rustc: String,
    commit: String,
    date: String,
    command: String,
    /// Variables that would have limited other libraries, and were removed.
    removed: String,
}

impl Run {
    /// This run, of a table that `command` makes.
    pub fn new(table: &str, command: &str, threads: usize, level: Level) -> Self {
        Self {
            table: table.to_owned(),
            part: String::new(),
            threads,
            cpu: cpu(),
            cores: cores(),
            level: level.name().to_owned(),
            rustc: provenance::RUSTC.to_owned(),
            commit: provenance::commit().unwrap_or_else(|| "unknown".to_owned()),
            date: provenance::date(),
            command: command.to_owned(),
            removed: String::new(),
        }
    }

    /// This run of a part of the table.
    pub fn of_part(&self, part: &str) -> Self {
        Self { part: part.to_owned(), ..self.clone() }
    }

    /// This run with another program beside the compiler: `libm of glibc 2.36`.
    pub fn with(self, program: &str) -> Self {
        Self { rustc: format!("{}, {program}", self.rustc), ..self }
    }

    /// This run, before which variables were removed.
    pub fn without(self, variables: &[String]) -> Self {
        Self { removed: variables.join(" "), ..self }
    }

    /// `2 cores of 2`.
    fn used(&self) -> String {
        let Self { threads, cores, .. } = self;
        format!("{threads} core{} of {cores}", if *threads == 1 { "" } else { "s" })
    }

    /// With what, and when.
    fn how(&self) -> String {
        let Self { level, rustc, commit, date, removed, .. } = self;
        let mut text = format!("level {level}, {rustc}, commit {commit}, {date}");
        if !removed.is_empty() {
            let _ = write!(text, "; these variables were set and removed first: {removed}");
        }
        text
    }
}

impl rows::Row for Run {
    const COLUMNS: &'static [&'static str] = &[
        "table", "part", "threads", "cpu", "cores", "level", "rustc", "commit", "date", "command", "removed",
    ];

    fn fields(&self) -> Vec<String> {
        let Self { table, part, cpu, level, rustc, commit, date, command, removed, .. } = self.clone();
        let [threads, cores] = [self.threads, self.cores].map(|number| number.to_string());
        vec![table, part, threads, cpu, cores, level, rustc, commit, date, command, removed]
    }

    fn read(record: &StringRecord) -> Option<Self> {
        let text = |i: usize| record.get(i).map(str::to_owned);
        Some(Self {
            table: text(0)?,
            part: text(1)?,
            threads: text(2)?.parse().ok()?,
            cpu: text(3)?,
            cores: text(4)?.parse().ok()?,
            level: text(5)?,
            rustc: text(6)?,
            commit: text(7)?,
            date: text(8)?,
            command: text(9)?,
            removed: text(10)?,
        })
    }
}

/// Writes the runs into the folder's `runs.csv`, in place of those before with the same table, part and threads.
///
/// # Panics
/// If the file cannot be read or written.
pub fn record(folder: &Path, runs: Vec<Run>) {
    let place = |run: &Run| (run.table.clone(), run.part.clone(), run.threads);
    let new: Vec<_> = runs.iter().map(place).collect();
    replace_rows(&folder.join("runs.csv"), |run| new.contains(&place(run)), runs, place);
}

/// The head of a table: its title, the CPU, and what is known of each run.
///
/// # Panics
/// If `runs.csv` cannot be read.
pub fn head(folder: &Path, table: &str, title: &str) -> String {
    let mut runs: Vec<Run> = read_rows(&folder.join("runs.csv"));
    runs.retain(|run| run.table == table);
    let mut text = format!("# {title}\n\n");
    let mut once = |line: String| {
        if !text.contains(&line) {
            text += &line;
        }
    };
    runs.iter().for_each(|run| once(format!("- CPU: {}\n", run.cpu)));
    for run in &runs {
        let alike: Vec<&Run> = runs.iter().filter(|other| other.how() == run.how()).collect();
        once(format!("- {}: {}\n", what(&alike), run.how()));
    }
    runs.iter().for_each(|run| once(format!("- made by `{}`\n", run.command)));
    text + "\n"
}

/// What the runs measured: `batch, data on 1 core of 2; data on 2 cores of 2`.
fn what(runs: &[&Run]) -> String {
    let mut parts: BTreeMap<usize, (String, Vec<&str>)> = BTreeMap::new();
    for run in runs {
        parts.entry(run.threads).or_insert_with(|| (run.used(), Vec::new())).1.push(&run.part);
    }
    let of = |(used, parts): (String, Vec<&str>)| match parts.join(", ") {
        parts if parts.is_empty() => used,
        parts => format!("{} on {used}", parts.trim_start_matches(", ")),
    };
    parts.into_values().map(of).collect::<Vec<_>>().join("; ")
}

/// The CPU, its caches and how fast its widest registers are.
fn cpu() -> String {
    let &Machine { l1_bytes, l2_bytes, l3_bytes, fma_512_per_cycle, .. } = Machine::this();
    let [l1, l2, l3] = [l1_bytes, l2_bytes, l3_bytes].map(|bytes| bytes >> 10);
    let wide = match fma_512_per_cycle {
        _ if Level::from_name("avx512").is_err() => "",
        1 => ", half rate: one multiply-add on 512-bit registers a cycle",
        _ => ", full rate: two multiply-adds on 512-bit registers a cycle",
    };
    format!("{}, caches of {l1}, {l2} and {l3} KiB{wide}", Cpu::this())
}

/// All cores, also where a benchmark is bound to one.
fn cores() -> usize {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let listed = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    if listed > 0 { listed } else { crate::cores() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_describes_each_run_and_what_is_alike_once() {
        let folder = std::env::temp_dir().join(format!("runs-{}", std::process::id()));
        let run = |threads, commit: &str| Run {
            cpu: "A CPU".to_owned(),
            cores: 4,
            level: "avx2".to_owned(),
            rustc: "rustc 1".to_owned(),
            commit: commit.to_owned(),
            date: "2026-11-28".to_owned(),
            ..Run::new("gemm", "just bench-gemm", threads, Level::best())
        };
        record(&folder, vec![run(1, "a"), run(2, "old")]);
        record(&folder, vec![run(2, "b").without(&["X".to_owned(), "Y".to_owned()])]);
        record(&folder, vec![Run { table: "conv".to_owned(), ..run(1, "c") }, run(4, "a").of_part("batch")]);
        let said = head(&folder, "gemm", "Products");
        std::fs::remove_dir_all(&folder).expect("the folder");
        let want = "# Products\n\n- CPU: A CPU\n\
            - 1 core of 4; batch on 4 cores of 4: level avx2, rustc 1, commit a, 2026-11-28\n\
            - 2 cores of 4: level avx2, rustc 1, commit b, 2026-11-28; these variables were set and removed first: X Y\n\
            - made by `just bench-gemm`\n\n";
        assert_eq!(said, want);
    }

    #[test]
    fn this_run_has_every_field() {
        let run = Run::new("gemm", "just bench-gemm", 1, Level::best());
        assert!(run.rustc.starts_with("rustc 1.") && run.cpu.contains("KiB") && run.cores > 0, "{run:?}");
    }
}
