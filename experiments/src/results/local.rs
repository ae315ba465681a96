//! `local/`: times and provenance, which are never hashed nor committed.

use std::io;

use fs_err as fs;

use super::{Folder, csv_text};
use crate::durable;
use crate::record;
use crate::trial::Trial;

/// Holds a trial's wall time in seconds, beside its record.
pub const SECONDS: &str = "seconds";

/// Writes `timing.csv` from the records and `provenance.json`.
///
/// # Errors
/// As the operating system says.
pub fn write_local(folder: &Folder, trials: &[Trial], provenance: &str) -> io::Result<()> {
    let rows = trials.iter().filter_map(|trial| {
        let seconds = read_seconds(folder, trial)?;
        Some([trial.cell.to_string(), trial.seed.to_string(), format!("{seconds:?}")])
    });
    durable::write(&folder.local.join("timing.csv"), &csv_text(&["cell", "seed", "seconds"], rows))?;
    durable::write(&folder.local.join("provenance.json"), provenance.as_bytes())
}

/// The wall times of those trials that have run.
pub fn seconds(folder: &Folder, trials: &[Trial]) -> Vec<f64> {
    trials.iter().filter_map(|trial| read_seconds(folder, trial)).collect()
}

fn read_seconds(folder: &Folder, trial: &Trial) -> Option<f64> {
    let text = fs::read_to_string(record::folder(&folder.local, &trial.id).join(SECONDS)).ok()?;
    text.trim().parse().ok()
}
