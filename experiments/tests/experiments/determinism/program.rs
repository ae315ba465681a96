//! Running the program in a folder of its own, and comparing what it leaves there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// One experiment of each kind, small enough to run in a second; `threads` is just large enough that the threads of
/// a trial share its work out.
pub(crate) const EXPERIMENTS: [&str; 8] = [
    "activations",
    "adaline",
    "convolve",
    "gradient-check",
    "network",
    "perceptron",
    "regression",
    "threads",
];

/// A folder that the program runs in, with an environment free of the tester's own settings.
pub(crate) struct Place {
    folder: TempDir,
}

/// The committed files of a results folder, by name.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

pub(crate) fn experiment(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("tests/experiments/determinism/experiments/{name}.toml"))
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder") }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_experiments"));
        command.current_dir(self.path()).args(arguments).env_remove("KERNELS_LEVEL");
        command
    }

    /// `experiments run` of one experiment with further arguments; its exit code is the caller's to judge.
    pub(crate) fn run(&self, name: &str, arguments: &[&str]) -> Output {
        self.start(name, arguments).output().expect("the program starts")
    }

    pub(crate) fn start(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = self.command(&["run"]);
        command.arg(experiment(name)).args(arguments);
        command
    }

    /// An experiment with some of its text replaced, under the name of `to`.
    pub(crate) fn variant(&self, from: &str, to: &str, changes: &[(&str, &str)]) -> Output {
        let mut given = std::fs::read_to_string(experiment(from)).expect("shipped");
        let name = [(format!("name = \"{from}\""), format!("name = \"{to}\""))];
        let changes = changes.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned()));
        for (old, new) in name.into_iter().chain(changes) {
            assert!(given.contains(&old), "{from}: no `{old}`");
            given = given.replace(&old, &new);
        }
        let file = format!("{to}.toml");
        std::fs::write(self.path().join(&file), given).expect("written");
        self.command(&["run", &file]).output().expect("it starts")
    }

    /// Runs an experiment that must end well, and reads its files.
    pub(crate) fn results(&self, name: &str, arguments: &[&str]) -> Files {
        let output = self.run(name, arguments);
        assert!(output.status.success(), "{name} {arguments:?}: {}", text(&output.stderr));
        self.files(name)
    }

    pub(crate) fn files(&self, name: &str) -> Files {
        let folder = self.path().join("results").join(name);
        let entries = std::fs::read_dir(&folder).expect("a results folder");
        let paths = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file());
        paths
            .map(|path| {
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                (name, std::fs::read(&path).expect("a file"))
            })
            .collect()
    }

    /// The folders of all trials of an experiment, sorted.
    pub(crate) fn trials(&self, name: &str) -> Vec<PathBuf> {
        let folder = self.path().join("results").join(name).join("local/trials");
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut trials: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        trials.sort();
        trials
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Names the first file and line that differ.
pub(crate) fn assert_same_files(label: &str, got: &Files, want: &Files) {
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(got), names(want), "{label}: other files");
    for (name, want) in want {
        if got[name] != *want {
            let (got, want) = (text(&got[name]), text(want));
            let line = got.lines().zip(want.lines()).position(|(a, b)| a != b).unwrap_or(0);
            let (a, b) = (got.lines().nth(line), want.lines().nth(line));
            panic!("{label}: {name} differs in line {}:\n got {a:?}\nwant {b:?}", line + 1);
        }
    }
}
