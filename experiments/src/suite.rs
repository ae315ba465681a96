//! The shipped experiments, and finding an experiment by its name or file.

use std::path::{Path, PathBuf};

use crate::command;
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

/// Whether `name` is that of a shipped experiment or of one in `experiments/suite`.
pub fn knows(name: &str) -> bool {
    SHIPPED.iter().any(|(known, _)| *known == name) || local(name).is_file()
}

fn local(name: &str) -> PathBuf {
    Path::new("experiments/suite").join(format!("{name}.toml"))
}

/// The file's name for messages, and its text.
pub(crate) fn read(name_or_file: &str) -> Result<(String, String), Failure> {
    if name_or_file.ends_with(".toml") || name_or_file.contains(['/', '\\']) {
        return Ok((name_or_file.to_owned(), text_of(name_or_file)?));
    }
    let local = local(name_or_file);
    if local.is_file() {
        let file = local.display().to_string();
        return Ok((file.clone(), text_of(&file)?));
    }
    match SHIPPED.iter().find(|(name, _)| *name == name_or_file) {
        Some((name, text)) => Ok((format!("{name}.toml"), (*text).to_owned())),
        None => Err(unknown(name_or_file)),
    }
}

/// The text of an experiment file.
pub(crate) fn text_of(file: &str) -> Result<String, Failure> {
    let failure = |exit, reason: &str, fix: &str| {
        Failure::new(exit, format!("error: {file}: {reason}\n   = fix: {fix}"))
    };
    let path = Path::new(file);
    if path.is_dir() {
        return Err(failure(
            Exit::Io,
            "is a folder, not an experiment file",
            "name a file in it that ends in .toml",
        ));
    }
    if !path.exists() {
        let with_ending = format!("{file}.toml");
        let fix = match Path::new(&with_ending).is_file() {
            true => format!("write `{with_ending}`"),
            false => format!(
                "check the path, which counts from the current folder; `{}` prints the names of shipped experiments",
                command::line(["list"])
            ),
        };
        return Err(failure(Exit::Io, "does not exist", &fix));
    }
    String::from_utf8(fs_err::read(path)?).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let fix = "save the file as UTF-8";
        failure(Exit::Usage, &format!("line {line} is not UTF-8"), fix)
    })
}

fn unknown(name: &str) -> Failure {
    let file = format!("{name}.toml");
    let fix = match crate::diagnostics::did_you_mean(name, SHIPPED.iter().map(|(name, _)| *name)) {
        _ if Path::new(&file).is_file() => format!("write `{file}` for the file in this folder"),
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            format!("`{}` prints the names; a path to a file must end in .toml", command::line(["list"]))
        }
    };
    Failure::new(Exit::Usage, format!("error: no experiment is called `{name}`\n   = fix: {fix}"))
}
