//! Full-size sets on disk: found in a folder, accepted by digest.

use std::path::{Path, PathBuf};

use super::DataError;
use super::catalogue::Set;
use super::idx::Content;

/// The files of a full-size set: samples and labels for training, then for test.
pub const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// The variable that names a folder with one folder per set.
pub const VARIABLE: &str = "EXPERIMENTS_DATA";

/// Where a set may lie: in the folder that the experiment names, else in `$EXPERIMENTS_DATA/<name>`,
/// else where the system's package puts it.
pub fn candidates(set: &Set, folder: Option<&Path>) -> Vec<PathBuf> {
    match folder {
        Some(folder) => vec![folder.to_owned()],
        None => std::env::var_os(VARIABLE)
            .map(|root| Path::new(&root).join(set.name))
            .into_iter()
            .chain([Path::new("/usr/share/datasets").join(set.name)])
            .collect(),
    }
}

/// The first candidate folder that holds the set's first file.
///
/// # Errors
/// If none does: where it was looked for, and how to get it.
pub fn locate(set: &Set, folder: Option<&Path>) -> Result<PathBuf, DataError> {
    let candidates = candidates(set, folder);
    candidates.iter().find(|folder| file(folder, FILES[0]).is_some()).cloned().ok_or_else(|| {
        let places: Vec<String> = candidates.iter().map(|folder| folder.display().to_string()).collect();
        let package = match set.name {
            "fashion-mnist" => "install Debian's package dataset-fashion-mnist, or ",
            _ => "",
        };
        let fix = format!(
            "{package}put the four files ({}, plain or .gz) into a folder and name it with `dataset.folder` or {VARIABLE}",
            FILES.join(", ")
        );
        DataError::new(set.name, format!("is not there: looked in {}", places.join(" and in ")), fix)
    })
}

/// `stem` in `folder`, plain or gzipped.
fn file(folder: &Path, stem: &str) -> Option<PathBuf> {
    [stem.to_owned(), format!("{stem}.gz")]
        .into_iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
}

/// The decompressed content of file number `at`, if it is the published one.
///
/// # Errors
/// A file that is missing, cannot be read, or differs from the published one.
pub fn read(set: &Set, folder: &Path, at: usize, digest: &str) -> Result<Content, DataError> {
    let stem = FILES[at];
    let Some(path) = file(folder, stem) else {
        let subject = folder.join(stem).display().to_string();
        return Err(DataError::new(
            subject,
            "is missing",
            format!("{} needs all of {}", set.name, FILES.join(", ")),
        ));
    };
    let name = path.display().to_string();
    let content = Content::decompress(&name, super::read_file(&path)?)?;
    if content.digest != digest {
        let reason = format!(
            "is not the published file: its decompressed content has the SHA-256 {}, expected {digest}",
            content.digest
        );
        return Err(DataError::new(
            name,
            reason,
            "fetch it again; to use other data, read it with `dataset.idx`",
        ));
    }
    Ok(Content { name: stem.to_owned(), ..content })
}
