//! The record of one finished trial on the disk, under `local/trials/<id>/`.
//!
//! `result.json` is written last and is the commit mark: without it nothing in the folder counts.
//! It carries the digest of its own content and of the files beside it, so that a record that was
//! cut off or edited is not trusted and its trial runs again.
#![forbid(unsafe_code)]

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::durable;
use crate::outcome::{Curve, Outcome, Status, Value};

/// The commit mark's name.
const MARK: &str = "result.json";

/// What stands in a trial's folder.
#[derive(Debug)]
pub enum Found {
    /// A record that agrees with its digests.
    Whole(Outcome),
    /// No commit mark.
    Missing,
    /// A commit mark that cannot be trusted, and why.
    Damaged(String),
}

/// The folder of the trial `id` inside a results folder's `local/`.
pub fn folder(local: &Path, id: &str) -> PathBuf {
    local.join("trials").join(id)
}

/// Writes a trial's files and then its commit mark.
///
/// # Errors
/// As the operating system says; the trial then has no record.
pub fn save(folder: &Path, id: &str, outcome: &Outcome) -> io::Result<()> {
    durable::create_folder(folder)?;
    for (name, bytes) in &outcome.files {
        durable::write(&folder.join(name), bytes)?;
    }
    let body = Body::new(id, outcome);
    let sha256 = body.digest()?;
    let mark = serde_json::to_vec_pretty(&Mark { sha256, record: body })?;
    durable::write(&folder.join(MARK), &mark)
}

/// Reads a trial's record and checks every digest in it.
pub fn load(folder: &Path, id: &str) -> Found {
    let bytes = match fs::read(folder.join(MARK)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Missing,
        Err(error) => return Found::Damaged(error.to_string()),
        Ok(bytes) => bytes,
    };
    match check(folder, id, &bytes) {
        Ok(outcome) => Found::Whole(outcome),
        Err(reason) => Found::Damaged(reason),
    }
}

fn check(folder: &Path, id: &str, bytes: &[u8]) -> Result<Outcome, String> {
    let Mark { sha256, record } = serde_json::from_slice(bytes).map_err(|e| format!("{MARK}: {e}"))?;
    if record.digest().map_err(|e| e.to_string())? != sha256 {
        return Err(format!("{MARK} does not agree with its own digest"));
    }
    if record.contract != kernels::CONTRACT || record.id != id {
        return Err(format!("{MARK} belongs to another trial or numeric contract"));
    }
    let mut files = Vec::with_capacity(record.files.len());
    for (name, expected) in &record.files {
        let content = fs::read(folder.join(name)).map_err(|e| e.to_string())?;
        if durable::sha256_hex(&content) != *expected {
            return Err(format!("{name} does not agree with its digest in {MARK}"));
        }
        files.push((name.clone(), content));
    }
    record.outcome(files).map_err(|e| format!("{MARK}: {e}"))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    sha256: String,
    record: Body,
}

/// Numbers are text (N13), so that no JSON library formats or rounds them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    contract: u32,
    id: String,
    diverged: Option<[u64; 2]>,
    metrics: Vec<(String, String)>,
    columns: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
    digests: Vec<(String, String)>,
    files: Vec<(String, String)>,
}

impl Body {
    fn new(id: &str, outcome: &Outcome) -> Self {
        let text = |value: &Option<Value>| value.map(|v| v.to_string());
        Self {
            contract: kernels::CONTRACT,
            id: id.to_owned(),
            diverged: match outcome.status {
                Status::Ok => None,
                Status::Diverged { epoch, step } => Some([epoch, step]),
            },
            metrics: outcome.metrics.iter().map(|(n, v)| (n.clone(), v.to_string())).collect(),
            columns: outcome.curve.columns.clone(),
            rows: outcome.curve.rows.iter().map(|row| row.iter().map(text).collect()).collect(),
            digests: outcome.digests.clone(),
            files: outcome
                .files
                .iter()
                .map(|(name, bytes)| (name.clone(), durable::sha256_hex(bytes)))
                .collect(),
        }
    }

    fn digest(&self) -> io::Result<String> {
        Ok(durable::sha256_hex(&serde_json::to_vec(self)?))
    }

    fn outcome(self, files: Vec<(String, Vec<u8>)>) -> Result<Outcome, std::num::ParseFloatError> {
        let metrics: Result<_, _> =
            self.metrics.into_iter().map(|(name, text)| text.parse().map(|v| (name, v))).collect();
        let rows: Result<_, _> = self
            .rows
            .iter()
            .map(|row| row.iter().map(|v| v.as_ref().map(|t| t.parse::<Value>()).transpose()).collect())
            .collect();
        Ok(Outcome {
            status: match self.diverged {
                None => Status::Ok,
                Some([epoch, step]) => Status::Diverged { epoch, step },
            },
            metrics: metrics?,
            curve: Curve { columns: self.columns, rows: rows? },
            digests: self.digests,
            files,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome() -> Outcome {
        let mut outcome = Outcome::ok();
        outcome.status = Status::Diverged { epoch: 2, step: 7 };
        outcome.metric("test.accuracy", 0.1);
        outcome.metric("updates", 12_usize);
        outcome.curve = Curve::over("epoch", ["loss", "accuracy"]);
        outcome.curve.push(1_usize, [Some(Value::Real(f64::INFINITY)), None]);
        outcome.digests.push(("weights".into(), durable::sha256_hex(b"w")));
        outcome.files.push(("confusion.csv".into(), b"1,2\n".to_vec()));
        outcome
    }

    #[test]
    fn a_record_reads_back_as_it_was_saved() -> io::Result<()> {
        let local = tempfile::tempdir()?;
        let folder = folder(local.path(), "abc");
        assert!(matches!(load(&folder, "abc"), Found::Missing));
        save(&folder, "abc", &outcome())?;
        match load(&folder, "abc") {
            Found::Whole(back) => assert_eq!(back, outcome()),
            other => panic!("{other:?}"),
        }
        assert!(matches!(load(&folder, "another"), Found::Damaged(_)));
        Ok(())
    }

    #[test]
    fn a_record_cut_off_at_any_byte_is_not_trusted() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        save(folder.path(), "abc", &outcome())?;
        let whole = fs::read(folder.path().join(MARK))?;
        for length in 0..whole.len() {
            fs::write(folder.path().join(MARK), &whole[..length])?;
            assert!(matches!(load(folder.path(), "abc"), Found::Damaged(_)), "{length} bytes were trusted");
        }
        Ok(())
    }

    #[test]
    fn an_edited_record_or_file_is_not_trusted() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let mark = folder.path().join(MARK);
        save(folder.path(), "abc", &outcome())?;
        let edited = fs::read_to_string(&mark)?.replace("\"0.1\"", "\"0.9\"");
        fs::write(&mark, edited)?;
        assert!(matches!(load(folder.path(), "abc"), Found::Damaged(_)));
        save(folder.path(), "abc", &outcome())?;
        fs::write(folder.path().join("confusion.csv"), b"2,1\n")?;
        assert!(matches!(load(folder.path(), "abc"), Found::Damaged(_)));
        Ok(())
    }
}
