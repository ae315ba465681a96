//! `local/provenance.json`: where and with what the results were computed. It is never hashed, and
//! nothing that a trial computes depends on it.
#![forbid(unsafe_code)]

use std::process::Command;

use kernels::Level;
use serde_json::{Value as Json, json};

/// The program, the machine and the state of the repository around the current folder.
pub fn provenance(level: Level, jobs: usize, threads: usize) -> Json {
    let commit = git(&["rev-parse", "HEAD"]);
    let why_no_commit = match has_git() {
        _ if commit.is_some() => None,
        true => Some("no repository around the current folder, or one without a commit"),
        false => Some("`git` is not on the PATH"),
    };
    let mut provenance = json!({
        "program": env!("CARGO_PKG_VERSION"),
        "numeric_contract": kernels::CONTRACT,
        "level": level.name(),
        "jobs": jobs,
        "threads_per_trial": threads,
        "cores": cores(),
        "cpu": cpu(),
        "operating_system": std::env::consts::OS,
        "architecture": std::env::consts::ARCH,
        "commit": commit,
        "uncommitted": git(&["status", "--porcelain", "--untracked-files=no"]),
    });
    if let Some(why) = why_no_commit {
        provenance["why_no_commit"] = why.into();
    }
    provenance
}

/// The number of cores that the process may use; 1 where it cannot be told.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The CPU's name, where the system tells it.
pub fn cpu() -> Option<String> {
    let text = fs_err::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_owned())
}

/// Whether `git` can be started.
pub fn has_git() -> bool {
    Command::new("git").arg("--version").output().is_ok()
}

/// A git command's answer; `None` outside a repository or without git.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}
