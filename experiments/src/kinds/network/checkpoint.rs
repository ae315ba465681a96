//! A checkpoint in the trial's folder: a killed trial goes on from it to the same bits (N14).
//!
//! The file is the SHA-256 of what follows in hexadecimal, a line end, and the state as
//! [`models::checkpoint`] writes it; the rows of the curve travel in its running sums. One that was cut
//! off, changed, or written for another trial or numeric contract is refused, and the trial starts over.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fs_err as fs;

use crate::durable;
use crate::outcome::Value;

/// Seconds between two checkpoints, unless [`SECONDS_VARIABLE`] says otherwise.
const SECONDS: u64 = 20;
/// The environment variable that sets the seconds between two checkpoints; 0: after every batch.
const SECONDS_VARIABLE: &str = "EXPERIMENTS_CHECKPOINT_SECONDS";

/// Where a trial's checkpoint stands, and when the next one is due.
#[derive(Debug)]
pub(super) struct Checkpoint {
    path: PathBuf,
    interval: Duration,
    last: Instant,
}

impl Checkpoint {
    pub(super) fn new(folder: &Path) -> Self {
        let seconds = std::env::var(SECONDS_VARIABLE).ok().and_then(|text| text.parse().ok());
        Self {
            path: folder.join("checkpoint"),
            interval: Duration::from_secs(seconds.unwrap_or(SECONDS)),
            last: Instant::now(),
        }
    }

    /// When a checkpoint is written changes no bit of what is computed.
    pub(super) fn is_due(&self) -> bool {
        self.last.elapsed() >= self.interval
    }

    pub(super) fn save(&mut self, state: &[u8]) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            durable::create_folder(folder)?;
        }
        let mut bytes = format!("{}\n", durable::sha256_hex(state)).into_bytes();
        bytes.extend_from_slice(state);
        durable::write(&self.path, &bytes)?;
        self.last = Instant::now();
        Ok(())
    }

    /// The state, if there is one and it is whole.
    pub(super) fn load(&self) -> Option<Vec<u8>> {
        let mut bytes = fs::read(&self.path).ok()?;
        let end = bytes.iter().position(|&b| b == b'\n')?;
        let state = bytes.split_off(end + 1);
        (bytes[..end] == *durable::sha256_hex(&state).as_bytes()).then_some(state)
    }

    /// Removes the checkpoint of a trial that is done.
    pub(super) fn remove(folder: &Path) -> io::Result<()> {
        match fs::remove_file(folder.join("checkpoint")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Rows of a curve as plain numbers: for each value what it is, then the value.
pub(super) fn flatten(rows: &[Vec<Option<Value>>]) -> Vec<f64> {
    let pair = |value: &Option<Value>| match *value {
        None => [0.0, 0.0],
        // Exact: no epoch or count comes near 2^53.
        Some(Value::Count(n)) => [1.0, n as f64],
        Some(Value::Real(x)) => [2.0, x],
    };
    rows.iter().flatten().flat_map(pair).collect()
}

/// The inverse of [`flatten`] for rows of `width` values.
pub(super) fn unflatten(numbers: &[f64], width: usize) -> Option<Vec<Vec<Option<Value>>>> {
    if !numbers.len().is_multiple_of(2 * width) {
        return None;
    }
    let value = |pair: &[f64]| match pair[0] as u8 {
        0 => None,
        1 => Some(Value::Count(pair[1] as u64)),
        _ => Some(Value::Real(pair[1])),
    };
    Some(numbers.chunks_exact(2 * width).map(|row| row.chunks_exact(2).map(value).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_that_was_cut_off_or_changed_is_refused() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let mut checkpoint = Checkpoint::new(folder.path());
        assert_eq!(checkpoint.load(), None);
        checkpoint.save(b"state\nof two lines")?;
        assert_eq!(checkpoint.load().as_deref(), Some(&b"state\nof two lines"[..]));
        let whole = fs::read(&checkpoint.path)?;
        for length in 0..whole.len() {
            fs::write(&checkpoint.path, &whole[..length])?;
            assert_eq!(checkpoint.load(), None, "{length} bytes were trusted");
        }
        Checkpoint::remove(folder.path())?;
        Checkpoint::remove(folder.path())
    }

    #[test]
    fn rows_travel_as_numbers() {
        let rows =
            vec![vec![Some(Value::Count(3)), None], vec![Some(Value::Real(-0.0)), Some(Value::Real(0.1))]];
        assert_eq!(unflatten(&flatten(&rows), 2), Some(rows));
        assert_eq!(unflatten(&[1.0], 2), None);
    }
}
