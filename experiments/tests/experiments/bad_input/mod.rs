//! Whatever a user gets wrong: the real binary names the place, the reason and the remedy, leaves with
//! the documented code, writes nothing and never panics.

mod data_files;
mod experiment_files;
mod results_folders;
mod surroundings;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A small valid experiment; the tests change one thing each.
const VALID: &str = r#"schema = 1
question = "Does it learn?"
[dataset]
name = "wine"
validation = 20
[preprocess]
steps = [{ standardise = { per = "feature" } }]
[model]
input = [13]
layers = [{ dense = { units = 8, activation = "relu" } }, { dense = { units = 3 } }]
init = "he-normal"
[train]
epochs = 2
batch = 16
loss = "cross-entropy"
optimizer = { sgd = { learning_rate = 0.1, momentum = 0.9 } }
[seeds]
list = [1, 2]
"#;

/// A folder of its own with the program to run in it.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_experiments"))
            .current_dir(self.folder.path())
            .env_remove("EXPERIMENTS_DATA")
            // As under `cargo x`, however the tests were started.
            .envs([("CARGO", "cargo"), ("CARGO_PKG_NAME", "experiments")])
            .env_remove("CARGO_MANIFEST_DIR")
            .args(arguments)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
        output
    }

    /// `check` and `run` both leave with `code`, say all of `parts` on stderr, and write nothing.
    fn refuses(&self, file: &str, code: i32, parts: &[&str]) {
        for verb in ["check", "run"] {
            let output = self.run(&[verb, file]);
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{verb}: {stderr}");
            for part in parts {
                assert!(stderr.contains(part), "{verb}: no `{part}` in\n{stderr}");
            }
            assert!(stderr.contains("fix: "), "{verb}: no remedy in\n{stderr}");
        }
        assert!(
            !self.path("results").exists(),
            "something was written: {:?}",
            listing(&self.path("results"))
        );
    }
}

fn listing(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default()
}

/// `VALID` with `from` replaced, which must stand in it.
fn changed(from: &str, to: &str) -> String {
    assert!(VALID.contains(from), "{from}");
    VALID.replace(from, to)
}

#[test]
fn the_valid_file_is_valid() {
    let bench = Bench::new();
    bench.write("wine.toml", VALID);
    let output = bench.run(&["check", "wine.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let stdout = String::from_utf8_lossy(&output.stdout);
    for part in ["158 for training, 20 for validation", "1 cell(s) x 2 seed(s) = 2", "dense  [8]", "139"] {
        assert!(stdout.contains(part), "no `{part}` in\n{stdout}");
    }
}
