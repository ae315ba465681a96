//! Bad usage, unknown names, folders that cannot be written, readers that go away.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Bench, VALID};
use crate::documentation::root;

#[test]
fn exit_codes_of_bad_usage() {
    let bench = Bench::new();
    bench.write("wine.toml", VALID);
    for (arguments, code, part) in [
        (&["fly"][..], 2, "unrecognized subcommand"),
        (&["check"], 2, "required"),
        (&["check", "mlp-digit"], 2, "did you mean `mlp-digits`?"),
        (&["check", "wine"], 2, "write `wine.toml` for the file in this folder"),
        (&["check", "./wine"], 6, "write `./wine.toml`"),
        (&["check", "nowhere.toml"], 6, "nowhere.toml: does not exist\n   = fix: "),
        (&["check", "."], 2, "no experiment is called `.`"),
        (&["check", "./"], 6, "is a folder"),
        (&["run", "wine.toml", "--only", "train.batch=16"], 5, "train.batch"),
        (
            &["run", "wine.toml", "--only", "seed=7"],
            5,
            "the keys and their values are\n     wine: seed = 1, 2\n",
        ),
        (&["data", "verify", "wines"], 2, "did you mean `wine`?"),
        (&["run", "wine.toml", "--threads", "100000"], 2, "make `--jobs` times `--threads` smaller"),
        (&["run", "wine.toml", "--jobs", "100000"], 2, "make `--jobs` times `--threads` smaller"),
    ] {
        let output = bench.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(part), "{arguments:?}: no `{part}` in\n{stderr}");
        assert!(output.stdout.is_empty() && !bench.path("results").exists(), "{arguments:?}");
    }
}

#[test]
fn a_verb_behind_the_verb_run_is_told_from_a_name() {
    let bench = Bench::new();
    bench.write("my wine.toml", VALID);
    for (arguments, command) in [
        (&["run", "check", "my wine.toml"][..], "`cargo x check 'my wine.toml'`"),
        (&["run", "table", "mlp-digits", "--format", "latex"], "`cargo x table mlp-digits --format latex`"),
        (&["run", "--json", "data", "list"], "`cargo x --json data list`"),
        (&["run", "run", "mlp-digits"], "`cargo x run mlp-digits`"),
    ] {
        let output = bench.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("is a verb, not an experiment"), "{stderr}");
        assert!(stderr.contains(&format!("fix: {command}\n")), "no {command} in\n{stderr}");
    }
}

/// The commands of messages and help, by how the program was started.
#[test]
fn commands_are_named_as_the_program_was_started() {
    let bench = Bench::new();
    let program = env!("CARGO_BIN_EXE_experiments");
    let run = |cargo: bool, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.current_dir(bench.folder.path()).args(arguments).env_remove("CARGO").env_remove("PATH");
        if cargo {
            command.envs([("CARGO", "cargo"), ("CARGO_PKG_NAME", "experiments")]);
            command.env_remove("CARGO_MANIFEST_DIR");
        }
        let output = command.output().unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    for (cargo, called) in [(true, "cargo x"), (false, program)] {
        for (arguments, part) in [
            (&["table"][..], "fix: `{} run` makes some"),
            (&["--results", "my results", "table"], "fix: `{} run --results 'my results'` makes some"),
            (&["run", "no-such-name"], "`{} list` prints the names"),
            (&["--help"], "Usage: {} [OPTIONS] <COMMAND>"),
            (&["run", "--help"], "Usage: {} run [OPTIONS]"),
        ] {
            let (said, part) = (run(cargo, arguments), part.replace("{}", called));
            assert!(said.contains(&part), "{arguments:?}: no `{part}` in\n{said}");
        }
    }
}

#[test]
fn a_text_in_another_encoding_is_named_with_its_line() {
    let bench = Bench::new();
    bench.write("wine.toml", [VALID.as_bytes(), b"# \xe9t\xe9\n"].concat());
    bench.refuses("wine.toml", 2, &["wine.toml: line 19 is not UTF-8"]);
}

#[test]
fn two_files_of_one_name_are_not_run_together() {
    let bench = Bench::new();
    bench.write("wine.toml", VALID);
    fs::create_dir(bench.path("other")).unwrap();
    bench.write("other/wine.toml", VALID.replace("epochs = 2", "epochs = 1"));
    let output = bench.run(&["run", "wine.toml", "other/wine.toml"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("wine.toml and other/wine.toml are both called `wine`"), "{stderr}");
    assert!(!bench.path("results").exists());
}

#[test]
fn help_and_version_go_to_stdout() {
    let bench = Bench::new();
    for (arguments, part) in [(&["--help"][..], "Usage"), (&["--version"], "numeric contract")] {
        let output = bench.run(arguments);
        assert_eq!(output.status.code(), Some(0));
        assert!(String::from_utf8_lossy(&output.stdout).contains(part));
    }
}

#[test]
fn results_that_cannot_be_written_stop_the_run_before_it_starts() {
    let bench = Bench::new();
    bench.write("wine.toml", VALID);
    bench.write("occupied", "a file where a folder should be");
    for verb in ["run", "status", "table", "plot"] {
        let output = bench.run(&["--results", "occupied", verb, "wine.toml"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(6), "{verb}: {stderr}");
        assert!(stderr.contains("occupied is a file") && stderr.contains("fix: "), "{verb}: {stderr}");
    }
    assert_eq!(fs::read_to_string(bench.path("occupied")).unwrap(), "a file where a folder should be");
}

/// Nobody may make a folder there, root included.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_may_not_be_written_is_named_with_the_way_out() {
    let bench = Bench::new();
    bench.write("wine.toml", VALID);
    for (arguments, example) in [
        (&["run", "wine.toml"][..], "`cargo x run wine.toml --results my-results`"),
        (&["profile", "wine.toml"], "`cargo x profile wine.toml --results my-results`"),
    ] {
        let output = bench.run(&[&["--results", "/proc/results"], arguments].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(6), "{stderr}");
        let first = stderr.lines().next().unwrap();
        for part in ["/proc/results", "os error", "make it writable", "`--results FOLDER`"] {
            assert!(first.contains(part), "no `{part}` in\n{stderr}");
        }
        assert!(stderr.contains(example), "no {example} in\n{stderr}");
    }
}

#[test]
fn without_git_everything_works_and_says_what_is_missing() {
    let bench = Bench::new();
    bench.write("wine.toml", VALID);
    for (arguments, part) in [
        (
            &["run", "wine.toml"][..],
            "note: `git` is not on the PATH, so local/provenance.json names no commit",
        ),
        (&["status", "wine.toml"], "2 of 2 trials done"),
        (&["doctor"], "not on the PATH: results name no commit"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_experiments"));
        command.current_dir(bench.folder.path()).env("PATH", bench.folder.path()).args(arguments);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: no `{part}` in\n{said}");
    }
    let provenance = fs::read(bench.path("results/wine/local/provenance.json")).unwrap();
    let provenance: serde_json::Value = serde_json::from_slice(&provenance).unwrap();
    assert_eq!(provenance["commit"], serde_json::Value::Null);
    assert_eq!(provenance["why_no_commit"], "`git` is not on the PATH");
}

/// Training, preprocessing, the means and deviations of tables, and timings: each reads `KERNELS_LEVEL` and `KERNELS_TUNING`.
#[test]
fn an_unknown_level_or_tuning_is_an_error_and_never_a_fallback() {
    let bench = Bench::new();
    bench.write("wine.toml", VALID);
    assert_eq!(bench.run(&["run", "wine.toml"]).status.code(), Some(0));
    let levels = "use emulated, scalar, avx2, avx512 or neon";
    for (variable, value, fix) in [
        ("KERNELS_LEVEL", "avx9", levels),
        ("KERNELS_TUNING", "gemm.kcc=3", "`doctor --tuning` lists"),
        ("KERNELS_TUNING", "gemm.kc=0", "whole numbers from 1"),
        ("KERNELS_TUNING", "gemm.kc", "write as gemm.kc=512"),
        ("KERNELS_TUNING", "machine.l9_bytes=1", "machine.l2_bytes=262144"),
    ] {
        for arguments in [
            &["run", "wine.toml"][..],
            &["check", "wine.toml"],
            &["table", "wine"],
            &["profile", "wine.toml"],
            &["doctor"],
        ] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_experiments"));
            command.current_dir(bench.folder.path()).env(variable, value).args(arguments);
            let output = command.output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
            assert!(stderr.contains(value) && stderr.contains(fix), "{arguments:?}: {stderr}");
        }
    }
}

/// The level has no share in the bits, so no result shows which one computed it: the sources must. Tests may choose one.
#[test]
fn nothing_but_the_environment_chooses_the_level() {
    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { sources(&path, found) } else { found.push(path) }
        }
    }
    let mut files = Vec::new();
    ["experiments/src", "models/src"].iter().for_each(|folder| sources(&root().join(folder), &mut files));
    for file in files.iter().filter(|file| !file.ends_with("tests.rs")) {
        let text = fs::read_to_string(file).unwrap();
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in product.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for choice in ["Level::best", "Level::from_name", "Level::emulated"] {
                assert!(!line.contains(choice), "{}: {line}: pass the level down instead", file.display());
            }
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_experiments"))
        .args(["data", "list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.is_empty(), "{stderr}");
}

/// Training goes on where its progress cannot be shown, and an error keeps its exit code.
#[cfg(target_os = "linux")]
#[test]
fn a_stderr_that_cannot_be_written_stops_nothing() {
    let bench = Bench::new();
    bench.write("wine.toml", VALID);
    for (arguments, code) in [(&["run", "wine.toml"][..], 0), (&["run", "nowhere.toml"], 6)] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let status = Command::new(env!("CARGO_BIN_EXE_experiments"))
            .current_dir(bench.folder.path())
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(full)
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(code), "{arguments:?}");
    }
    assert!(bench.path("results/wine/results.csv").is_file());
}

/// No machine has room for 512 of them.
#[cfg(target_os = "linux")]
#[test]
fn a_network_that_does_not_fit_into_memory_is_refused() {
    let bench = Bench::new();
    let huge = VALID
        .replace("units = 8", "units = 1_000_000")
        .replace("units = 3 }", "units = 1000 }")
        .replace("list = [1, 2]", "count = 512")
        .replace("layers = [", "layers = [{ dense = { units = 3 } }, ");
    let huge = huge
        .replace("{ dense = { units = 1000 } }]", "{ dense = { units = 1000 } }, { dense = { units = 3 } }]");
    bench.write("huge.toml", huge);
    let output = bench.run(&["run", "huge.toml", "--jobs", "512", "--threads", "1"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    for part in ["512 trial(s) at a time need", "nothing was computed", "fix: "] {
        assert!(stderr.contains(part), "no `{part}` in\n{stderr}");
    }
}

#[test]
fn data_and_doctor_find_everything_in_order() {
    let bench = Bench::new();
    let output = bench.run(&["data", "verify", "wine", "digits", "fashion-5k"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("7 file(s), 0 damaged"));
    for arguments in [&["list", "--json"][..], &["data", "list", "--json"], &["doctor", "--json"]] {
        let output = bench.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(serde_json::from_slice::<serde_json::Value>(&output.stdout).is_ok());
    }
}
