//! Exit codes, folders that cannot be written, clean clones, and what the files may not say.

use std::process::Command;

use super::program::{EXPERIMENTS, Place, text};

#[test]
fn a_results_folder_that_cannot_be_written_is_refused_before_training() {
    let place = Place::new();
    std::fs::write(place.path().join("results"), "a file in the way").expect("written");
    let output = place.run("network", &[]);
    assert_eq!(output.status.code(), Some(6));
    let said = text(&output.stderr);
    assert!(said.contains("results") && said.contains("fix:"), "{said}");
    assert!(!said.contains("to run"), "something was trained: {said}");
}

#[test]
fn a_filter_without_a_trial_says_so() {
    let output = Place::new().run("regression", &["--only", "seed=99"]);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    let output = Place::new().run("regression", &["--only", "seed"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
}

#[test]
fn a_part_of_the_trials_leaves_the_files_alone() {
    let place = Place::new();
    let output = place.run("regression", &["--only", "seed=2"]);
    assert!(output.status.success());
    assert!(text(&output.stderr).contains("2 of 3 trials are missing"), "{}", text(&output.stderr));
    assert!(place.files("regression").is_empty());
    assert!(text(&output.stdout).contains("test.loss"));
    let rest = place.run("regression", &[]);
    assert!(text(&rest.stderr).contains("2 to run"), "{}", text(&rest.stderr));
}

#[test]
fn no_file_tells_where_or_when_it_was_made() {
    let place = Place::new();
    let folder = place.path().to_string_lossy().into_owned();
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    for name in EXPERIMENTS {
        for (file, content) in place.results(name, &[]) {
            let content = text(&content);
            for word in [folder.as_str(), host.trim(), "avx", "/tmp/"] {
                assert!(word.is_empty() || !content.contains(word), "{name}: {file} says {word:?}");
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_sums_are_those_of_sha256sum() {
    let place = Place::new();
    place.results("network", &[]);
    let folder = place.path().join("results/network");
    let output = Command::new("sha256sum").args(["--check", "SHA256SUMS"]).current_dir(folder).output();
    let output = output.expect("sha256sum is there: this test needs it");
    assert!(output.status.success(), "{}", text(&output.stdout));
}

#[test]
fn a_clean_clone_trains_again_and_stays_clean() {
    let place = Place::new();
    let git = |folder: &std::path::Path, arguments: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main"];
        Command::new("git").args(identity).args(arguments).current_dir(folder).output()
    };
    let begun = git(place.path(), &["init", "-q"]).expect("git is there: this test needs it");
    assert!(begun.status.success(), "{}", text(&begun.stderr));
    std::fs::write(place.path().join(".gitignore"), "/results/*/local/\n").expect("written");
    for name in ["regression", "perceptron"] {
        place.results(name, &[]);
    }
    for arguments in [&["add", "-A"][..], &["commit", "-qm", "results"]] {
        assert!(git(place.path(), arguments).expect("git runs").status.success());
    }
    let clone = Place::new();
    let from = place.path().to_string_lossy().into_owned();
    assert!(git(clone.path(), &["clone", "-q", &from, "."]).expect("git runs").status.success());
    for name in ["regression", "perceptron"] {
        let output = clone.run(name, &[]);
        assert!(!text(&output.stderr).contains(" 0 to run"), "nothing may count as done in a clone");
    }
    let status = git(clone.path(), &["status", "--porcelain"]).expect("git runs");
    assert_eq!(text(&status.stdout), "");
}

#[test]
fn a_failed_trial_is_told_and_the_others_go_on() {
    let place = Place::new();
    let local = place.path().join("results/regression/local");
    std::fs::create_dir_all(&local).expect("made");
    std::fs::write(local.join("trials"), "a file where the records should stand").expect("written");
    let output = place.run("regression", &[]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.matches("error: regression seed=").count(), 3, "{said}");
    assert!(said.contains("3 of 3 trials are missing"), "{said}");
    assert!(place.files("regression").is_empty(), "an unfinished table must not be written");
    let output = place.run("regression", &["--fail-fast", "--jobs", "1"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr).matches("error: regression seed=").count(), 1);
    std::fs::remove_file(local.join("trials")).expect("removed");
    place.results("regression", &[]);
}

#[test]
fn a_table_comes_in_every_format_from_the_files_alone() {
    let place = Place::new();
    let files = place.results("perceptron", &[]);
    std::fs::remove_dir_all(place.path().join("results/perceptron/local")).expect("removed");
    let table = |format: &str| {
        let output = place.command(&["table", "perceptron", "--format", format]).output().expect("it starts");
        assert!(output.status.success(), "{format}: {}", text(&output.stderr));
        output.stdout
    };
    assert_eq!(table("markdown"), files["table.md"]);
    assert_eq!(table("latex"), files["table.tex"]);
    assert_eq!(table("csv"), files["summary.csv"]);
    assert!(text(&table("terminal")).contains("published"));
    let json: serde_json::Value = serde_json::from_slice(&table("json")).expect("JSON");
    assert_eq!(json[0]["name"], "perceptron");
}

#[test]
fn a_figure_that_is_not_the_expected_one_is_told() {
    let place = Place::new();
    let with = |name: &str, expectation: &str| {
        let given = std::fs::read_to_string(super::program::experiment("perceptron")).expect("shipped");
        let given = given.replace("name = \"perceptron\"", &format!("name = \"{name}\""));
        let file = format!("{name}.toml");
        let expect = "[[expect]]\nwhere = { \"perceptron.start\" = \"zeros\" }\nmetric = \"updates\"\n";
        std::fs::write(place.path().join(&file), given + expect + expectation).expect("written");
        place.command(&["run", &file]).output().expect("it starts")
    };
    let right = with("right", "mean = 10\nat_least = 10\nat_most = 10\n");
    assert_eq!(right.status.code(), Some(0), "{}", text(&right.stderr));
    for wrong in ["mean = 11\n", "at_least = 11\n", "at_most = 9\n"] {
        let output = with("wrong", wrong);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{wrong}: {said}");
        assert!(said.contains("updates") && said.contains("10"), "{wrong}: {said}");
        assert!(place.path().join("results/wrong/results.csv").is_file(), "the results themselves stay");
    }
    let digest = format!("weights_sha256 = {{ 1 = \"{}\" }}\n", "0".repeat(64));
    let output = with("wrong", &digest);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
}
