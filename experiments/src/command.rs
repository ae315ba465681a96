//! The commands that messages name: they work as the reader started the program.
//!
//! | started | `check my.toml` is called |
//! |---|---|
//! | `cargo x`, `cargo experiment`, `just` | `cargo x check my.toml` |
//! | `cargo run --manifest-path`, outside the repository | `cargo run ... -- check my.toml` |
//! | `experiments`, installed | `experiments check my.toml` |
//! | by a path | that path, as it was typed |
//!
//! What is committed names `cargo x` however it was made.
#![forbid(unsafe_code)]

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::LazyLock;

/// The program's name in a clone of the repository: an alias of `.cargo/config.toml`.
pub const IN_A_CLONE: &str = "cargo x";

/// Where results go without `--results`.
pub const RESULTS: &str = "results";

/// What stands in front of the verb.
pub fn program() -> &'static str {
    &PROGRAM
}

/// A whole command, each argument quoted where the shell needs it: `cargo x check 'my file.toml'`.
pub fn line<S: AsRef<str>>(arguments: impl IntoIterator<Item = S>) -> String {
    joined(program(), arguments)
}

/// As [`line()`], with the results folder where it is another one than without `--results`.
pub fn on(results: &Path, arguments: &[&str]) -> String {
    let line = line(arguments);
    match results == Path::new(RESULTS) {
        true => line,
        false => format!("{line} --results {}", quoted(&results.to_string_lossy())),
    }
}

/// `program` and its arguments.
pub(crate) fn joined<S: AsRef<str>>(program: &str, arguments: impl IntoIterator<Item = S>) -> String {
    let mut line = program.to_owned();
    for argument in arguments {
        line.push(' ');
        line += &quoted(argument.as_ref());
    }
    line
}

/// An argument as a shell takes it.
pub fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-+=./,:@%".contains(c) || (cfg!(windows) && c == '\\');
    match !argument.is_empty() && argument.chars().all(plain) {
        true => argument.to_owned(),
        false if cfg!(windows) => format!("\"{argument}\""),
        false => format!("'{}'", argument.replace('\'', r"'\''")),
    }
}

static PROGRAM: LazyLock<String> = LazyLock::new(|| {
    let typed = env::args_os().next().unwrap_or_default();
    let here = env::current_dir().unwrap_or_default();
    started(|name| env::var_os(name), &typed, &here)
});

/// How the program was started, from its environment, the name that was `typed`, and the current folder.
fn started(variable: impl Fn(&str) -> Option<OsString>, typed: &OsStr, here: &Path) -> String {
    // `cargo run` sets these for the program.
    if variable("CARGO").is_some() && variable("CARGO_PKG_NAME").is_some_and(|name| name == "experiments") {
        let package = variable("CARGO_MANIFEST_DIR");
        return match package.as_deref().and_then(|package| Path::new(package).parent()) {
            Some(root) if !here.starts_with(root) => {
                let manifest = quoted(&root.join("Cargo.toml").to_string_lossy());
                format!("cargo run --release --manifest-path {manifest} --package experiments --")
            }
            _ => IN_A_CLONE.to_owned(),
        };
    }
    let path = Path::new(typed);
    let Some(name) = path.file_name() else { return "experiments".to_owned() };
    let found = variable("PATH")
        .and_then(|folders| env::split_paths(&folders).map(|f| f.join(name)).find(|file| file.is_file()));
    let is_on_path = found.is_some_and(|found| match (found.canonicalize(), path.canonicalize()) {
        (Ok(found), Ok(path)) => found == path,
        _ => false,
    });
    quoted(&if is_on_path { name } else { typed }.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(variables: &[(&str, &str)], typed: &str, here: &str) -> String {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        };
        started(variable, OsStr::new(typed), Path::new(here))
    }

    #[test]
    fn a_program_that_cargo_started_is_called_by_the_alias() {
        let cargo = [("CARGO", "/bin/cargo"), ("CARGO_PKG_NAME", "experiments")];
        assert_eq!(called(&cargo, "target/release/experiments", "/any"), "cargo x");
        let clone = [&cargo[..], &[("CARGO_MANIFEST_DIR", "/my clone/experiments")]].concat();
        assert_eq!(called(&clone, "target/release/experiments", "/my clone/docs"), "cargo x");
        let other = called(&clone, "target/release/experiments", "/elsewhere");
        assert_eq!(
            other,
            "cargo run --release --manifest-path '/my clone/Cargo.toml' --package experiments --"
        );
        let benches = [("CARGO", "/bin/cargo"), ("CARGO_PKG_NAME", "benches")];
        assert_eq!(called(&benches, "./experiments", "/any"), "./experiments");
    }

    #[test]
    fn another_is_called_as_it_was_typed() {
        for (typed, shown) in [
            ("experiments", "experiments"),
            ("./experiments", "./experiments"),
            ("target/release/experiments", "target/release/experiments"),
            ("/my tools/experiments", "'/my tools/experiments'"),
            ("", "experiments"),
        ] {
            assert_eq!(called(&[], typed, "/any"), shown);
        }
    }

    #[test]
    fn a_path_that_the_bare_name_leads_to_is_called_by_the_bare_name() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("experiments");
        std::fs::write(&program, "").unwrap();
        let (folder, program) = (folder.path().to_str().unwrap(), program.to_str().unwrap());
        assert_eq!(called(&[("PATH", folder)], program, "/any"), "experiments");
        assert_eq!(called(&[("PATH", "/nowhere")], program, "/any"), program);
    }

    #[cfg(unix)]
    #[test]
    fn an_argument_is_quoted_where_a_shell_would_change_it() {
        for (argument, shown) in [
            ("my-wide.toml", "my-wide.toml"),
            ("train.batch=64", "train.batch=64"),
            ("my file.toml", "'my file.toml'"),
            ("kernels.shape=[64, 64, 64]", "'kernels.shape=[64, 64, 64]'"),
            ("it's", r"'it'\''s'"),
            ("~/a", "'~/a'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(argument), shown);
        }
    }
}
