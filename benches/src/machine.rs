//! What a table of timings says about where they were taken, and where it is kept.

use std::path::PathBuf;

use kernels::Level;

/// The CPU as the system names it, its cores, and the level that the kernels choose on it.
pub fn machine() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("CPU unknown", |(_, name)| name.trim());
    // All of them, also where a benchmark is bound to one.
    let cores = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    format!("{model}, {cores} cores, level {}", Level::best().name())
}

/// The folder of the tables, `results/benchmarks/`.
pub fn tables() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../results/benchmarks")
}
