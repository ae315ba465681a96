//! `local/provenance.json`: where and with what the results were computed. It is never hashed, and
//! nothing that a trial computes depends on it.
#![forbid(unsafe_code)]

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use kernels::Level;
use serde_json::{Value as Json, json};

/// The compiler that built this program: `rustc 1.95.0 (59807616e 2026-04-14)`.
pub const RUSTC: &str = env!("RUSTC_VERSION");

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
        "rustc": RUSTC,
        "date": date(),
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

/// Today in UTC, as `2026-11-28`.
pub fn date() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    date_of((seconds / 86_400) as i64)
}

/// The date so many days after 1970-01-01. Years begin in March here, so that a leap day is the last of its year.
///
/// # Source
/// Hinnant 2013, *chrono-compatible low-level date algorithms*, `civil_from_days`.
fn date_of(days: i64) -> String {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + 400 * era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The commit, `and changes` if tracked files outside of `results/` differ from it; `None` without one. What a
/// program has just written is no change of what it is.
pub fn commit() -> Option<String> {
    let commit = git(&["rev-parse", "HEAD"])?;
    let changes = ["status", "--porcelain", "--untracked-files=no", "--", ":(top)", ":(top,exclude)results"];
    let is_clean = git(&changes).is_some_and(|changes| changes.is_empty());
    Some(if is_clean { commit } else { format!("{commit} and changes") })
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

#[cfg(test)]
mod tests {
    use super::date_of;

    #[test]
    fn days_are_dates_of_the_gregorian_calendar() {
        for (days, date) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_785, "2026-11-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(date_of(days), date);
        }
    }
}
