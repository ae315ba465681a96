//! The same bytes from every run, number of jobs and threads, and instruction level.

use kernels::Level;

use super::program::{EXPERIMENTS, Place, assert_same_files, text};

#[test]
fn every_kind_gives_the_same_files_twice() {
    for name in EXPERIMENTS {
        let first = Place::new().results(name, &[]);
        for file in ["results.csv", "lock.toml", "table.md", "table.tex", "summary.csv", "SHA256SUMS"] {
            assert!(first.contains_key(file), "{name} wrote no {file}");
        }
        assert_same_files(name, &Place::new().results(name, &[]), &first);
    }
}

#[test]
fn bits_do_not_depend_on_jobs_or_threads() {
    for name in EXPERIMENTS {
        let want = Place::new().results(name, &["--jobs", "1", "--threads", "1"]);
        for (jobs, threads) in [("2", "1"), ("3", "2"), ("1", "2"), ("1", "3")] {
            let got = Place::new().results(name, &["--jobs", jobs, "--threads", threads]);
            assert_same_files(&format!("{name} with {jobs} jobs of {threads} threads"), &got, &want);
        }
    }
}

#[test]
fn bits_do_not_depend_on_the_instruction_level() {
    let levels: Vec<&str> = Level::available().iter().map(|level| level.name()).collect();
    println!("levels of this CPU: {}", levels.join(", "));
    for required in std::env::var("REQUIRE_LEVELS").unwrap_or_default().split(',').filter(|l| !l.is_empty()) {
        assert!(levels.contains(&required), "this CPU lacks {required}, which REQUIRE_LEVELS asks for");
    }
    for name in EXPERIMENTS {
        let want = Place::new().results(name, &[]);
        for level in &levels {
            let place = Place::new();
            let output = place.start(name, &[]).env("KERNELS_LEVEL", level).output().expect("it starts");
            assert!(output.status.success(), "{name} at {level}: {}", text(&output.stderr));
            assert_same_files(&format!("{name} at {level}"), &place.files(name), &want);
        }
    }
}

#[test]
fn running_again_computes_nothing_and_changes_nothing() {
    for name in EXPERIMENTS {
        let place = Place::new();
        let want = place.results(name, &[]);
        let modified = |file: &str| {
            let path = place.path().join("results").join(name).join(file);
            path.metadata().and_then(|m| m.modified()).expect("a time")
        };
        let before = modified("results.csv");
        let again = place.run(name, &[]);
        assert!(text(&again.stderr).contains(" 0 to run"), "{}", text(&again.stderr));
        assert_same_files(name, &place.files(name), &want);
        assert_eq!(modified("results.csv"), before, "{name}: a file with the same bytes was written again");
    }
}

#[test]
fn a_trial_that_diverges_keeps_its_row() {
    let files = Place::new().results("network", &[]);
    let results = text(&files["results.csv"]);
    let diverged: Vec<&str> = results.lines().filter(|line| line.contains(",diverged,")).collect();
    assert_eq!(diverged.len(), 2, "{results}");
    let table = text(&files["table.md"]);
    assert!(table.contains("0/2") && table.contains("did not diverge"), "{table}");
}

#[test]
fn an_overflow_in_the_last_update_is_a_divergence() {
    let place = Place::new();
    // One update: no later batch sees what it did, only the evaluation, or where there is none the weights.
    let one = [
        ("epochs = 30", "epochs = 1"),
        ("batch = 16", "batch = 64"),
        ("learning_rate = 0.1", "learning_rate = 3e38"),
        ("dtype = \"f64\"", "dtype = \"f32\""),
        ("noise = 0.01", "noise = 1000.0"),
        ("delta_norms_by_epoch = true", "delta_norms_by_epoch = false"),
    ];
    let untested = [&one[..], &[("test_samples = 33, ", "")]].concat();
    for (name, changes) in [("tested", &one[..]), ("untested", &untested)] {
        let output = place.variant("regression", name, changes);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let results = text(&place.files(name)["results.csv"]);
        assert_eq!(results.matches(",diverged,").count(), 3, "{results}");
        assert!(results.contains("diverged.epoch,diverged.step"), "{results}");
    }
    let changes = [("eta\" = [0.01, 1e30]", "eta\" = [3e38]"), ("epochs = 15", "epochs = 4")];
    // In full batch each update multiplies the weights by about 1e40: after the fourth the cost overflows.
    let output = place.variant("adaline", "adaline-last", &changes);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let results = text(&place.files("adaline-last")["results.csv"]);
    assert_eq!(results.matches(",diverged,").count(), 6, "{results}");
    assert_eq!(results.matches(",diverged,4,1,").count(), 2, "{results}");
}

#[test]
fn a_file_to_keep_is_made_where_it_is_missing() {
    let place = Place::new();
    let run = |changes: &[(&str, &str)], to_run: &str| {
        let output = place.variant("regression", "kept", changes);
        assert!(output.status.success() && text(&output.stderr).contains(to_run), "{}", text(&output.stderr));
    };
    let keep = [("kind = ", "keep = [\"weights\"]\nkind = ")];
    run(&[], " 3 to run");
    let want = place.files("kept")["results.csv"].clone();
    run(&keep, " 3 to run");
    assert_eq!(place.files("kept")["results.csv"], want);
    let trials = place.trials("kept");
    assert!(trials.iter().all(|trial| trial.join("weights.safetensors").is_file()), "{trials:?}");
    run(&keep, " 0 to run");
    run(&[], " 0 to run");
}

/// The weights of every network here, digest by digest (N15): convolution, both poolings, batch normalisation, dropout,
/// Adam, momentum, f32 and f64. Another digest is another numeric contract.
#[test]
fn the_weights_are_the_golden_ones() {
    for name in ["network", "regression", "threads"] {
        let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("tests/experiments/determinism/golden/{name}.csv"));
        let want = std::fs::read_to_string(&golden).unwrap_or_default();
        let got = text(&Place::new().results(name, &[])["digests.csv"]);
        assert_eq!(got, want, "{}: got\n{got}", golden.display());
    }
}

#[test]
fn the_losses_of_an_epoch_are_one_chain_over_its_samples() {
    let place = Place::new();
    // Weights that no step moves, in file order: training and evaluation add up the same losses.
    let changes = [
        ("learning_rate = 0.1", "learning_rate = 1e-37"),
        ("batch = 16", "batch = 5\nshuffle = false"),
        ("every = 10", "every = 10\ntrain = true"),
    ];
    let output = place.variant("regression", "chain", &changes);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let curves = text(&place.files("chain")["curves.csv"]);
    let mut rows = curves.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = rows.next().expect("a header");
    let column = |name: &str| names.iter().position(|n| *n == name).expect("a column");
    let (trained, evaluated) = (column("train.loss"), column("train_evaluated.loss"));
    assert!(rows.clone().count() >= 9, "{curves}");
    for row in rows {
        assert_eq!(row[trained], row[evaluated], "{curves}");
    }
}
