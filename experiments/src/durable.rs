//! Files that are whole or absent, whatever kills the program.
#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::path::Path;

use fs_err as fs;
use sha2::{Digest, Sha256};

/// The SHA-256 of `bytes` in lower-case hexadecimal, as `sha256sum` prints it.
///
/// ```
/// let empty = experiments::durable::sha256_hex(b"");
/// assert!(empty.starts_with("e3b0c44298fc1c14"));
/// ```
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Whether `bytes` would have the digest `sha256` if each CRLF were LF: then only line ends were changed.
///
/// ```
/// use experiments::durable::{is_crlf_of, sha256_hex};
/// let sha256 = sha256_hex(b"a\nb\n");
/// assert!(is_crlf_of(b"a\r\nb\r\n", &sha256));
/// assert!(!is_crlf_of(b"a\r\nc\r\n", &sha256) && !is_crlf_of(b"a\nb\n", &sha256));
/// ```
pub fn is_crlf_of(bytes: &[u8], sha256: &str) -> bool {
    let pairs = bytes.iter().zip(bytes.iter().skip(1).map(Some).chain([None]));
    let kept = pairs.filter(|(byte, next)| !(**byte == b'\r' && *next == Some(&b'\n')));
    let lf: Vec<u8> = kept.map(|(byte, _)| *byte).collect();
    lf.len() < bytes.len() && sha256_hex(&lf) == sha256
}

/// Bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Puts `bytes` at `path`: temporary file in the same folder, flush, fsync, rename, fsync of the folder.
///
/// A reader sees the old file or the new one, never a part. The temporary file is called
/// `.NAME.tmp.PID`, so that two processes do not write into each other's.
///
/// # Errors
/// As the operating system says; the temporary file is then removed. A failed fsync is not
/// tried again, because the pages would be marked clean.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = parent(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.tmp.{}", std::process::id()));
    let result = write_and_sync(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if result.is_err() {
        // The first error is the one to report; a leftover is swept by the next run.
        let _ = fs::remove_file(&temporary);
        return result;
    }
    sync_folder(folder)
}

/// As [`write()`], but leaves the file alone where it already holds `bytes`. Says whether it wrote.
///
/// # Errors
/// As [`write()`].
pub fn write_if_changed(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    write(path, bytes).map(|()| true)
}

/// Makes a folder and its parents, each entry synced to the disk.
///
/// # Errors
/// As the operating system says.
pub fn create_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = parent(path)?;
    create_folder(above)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_folder(above),
    }
}

/// Removes what killed runs left in `folder`: files called `.NAME.tmp.PID`.
///
/// # Errors
/// As the operating system says; a folder that does not exist is no error.
pub fn sweep(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.contains(".tmp.") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn parent(path: &Path) -> io::Result<&Path> {
    match path.parent() {
        Some(p) if p.as_os_str().is_empty() => Ok(Path::new(".")),
        Some(p) => Ok(p),
        None => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{} has no folder above it", path.display()),
        )),
    }
}

fn write_and_sync(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.flush()?;
    file.sync_all()
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

/// Only Unix lets a folder be opened and synced; elsewhere the rename alone has to do.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_stays() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a/b/results.csv");
        create_folder(path.parent().unwrap())?;
        write(&path, b"first and longer")?;
        assert!(write_if_changed(&path, b"second")?);
        assert!(!write_if_changed(&path, b"second")?);
        assert_eq!(fs::read(&path)?, b"second");
        assert_eq!(fs::read_dir(path.parent().unwrap())?.count(), 1);
        Ok(())
    }

    #[test]
    fn sweeping_takes_leftovers_only() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        for name in [".results.csv.tmp.12", "results.csv", ".hidden"] {
            fs::write(folder.path().join(name), b"x")?;
        }
        sweep(folder.path())?;
        let mut left: Vec<_> = fs::read_dir(folder.path())?
            .map(|e| e.map(|e| e.file_name().into_string().unwrap()))
            .collect::<Result<_, _>>()?;
        left.sort();
        assert_eq!(left, [".hidden", "results.csv"]);
        sweep(&folder.path().join("absent"))
    }
}
