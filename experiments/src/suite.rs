//! The shipped experiments, and finding an experiment by its name or file.

use std::path::Path;

use crate::exit::{Exit, Failure};
use crate::spec::{self, Experiment};

/// (name, text) of every shipped experiment, by name.
pub static SHIPPED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/suite.rs"));

/// Reads and resolves an experiment: a file if `name_or_file` ends in `.toml` or holds a `/`, else
/// `experiments/suite/<name>.toml` below the current folder, else the shipped one of this name.
///
/// # Errors
/// [`Exit::Io`] for a file that cannot be read, [`Exit::Usage`] for an unknown name or a bad file.
pub fn open(name_or_file: &str, overrides: &[String]) -> Result<Experiment, Failure> {
    let (file, text) = read(name_or_file)?;
    Ok(spec::parse(&file, &text, overrides)?)
}

/// The names of all experiments: the shipped ones and those in `experiments/suite` below the
/// current folder, sorted.
///
/// # Errors
/// A folder that cannot be read.
pub fn names() -> Result<Vec<String>, Failure> {
    let mut names: Vec<String> = SHIPPED.iter().map(|(name, _)| (*name).to_owned()).collect();
    let local = Path::new("experiments/suite");
    if local.is_dir() {
        for entry in fs_err::read_dir(local)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
            }
        }
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// The file's name for messages, and its text.
fn read(name_or_file: &str) -> Result<(String, String), Failure> {
    if name_or_file.ends_with(".toml") || name_or_file.contains(['/', '\\']) {
        return Ok((name_or_file.to_owned(), fs_err::read_to_string(name_or_file)?));
    }
    let local = format!("experiments/suite/{name_or_file}.toml");
    if Path::new(&local).is_file() {
        let text = fs_err::read_to_string(&local)?;
        return Ok((local, text));
    }
    match SHIPPED.iter().find(|(name, _)| *name == name_or_file) {
        Some((name, text)) => Ok((format!("{name}.toml"), (*text).to_owned())),
        None => Err(unknown(name_or_file)),
    }
}

fn unknown(name: &str) -> Failure {
    let fix = match crate::diagnostics::did_you_mean(name, SHIPPED.iter().map(|(name, _)| *name)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`experiments list` prints the names; a path to a file must end in .toml".to_owned(),
    };
    Failure::new(Exit::Usage, format!("error: no experiment is called `{name}`\n   = fix: {fix}"))
}
