//! `experiments profile` from end to end: its files, what stands in them, and what it refuses. No test looks at a time.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_experiments"));
    command.current_dir(folder).env_remove("KERNELS_LEVEL").args(arguments);
    command.output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The rows of a profile's CSV file, each as (column, field) in order.
fn rows(path: &Path) -> Vec<Vec<(String, String)>> {
    let mut reader = csv::Reader::from_path(path).expect("a CSV file");
    let columns: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let row =
        |record: csv::StringRecord| columns.iter().cloned().zip(record.iter().map(str::to_owned)).collect();
    reader.records().map(|record| row(record.expect("a whole row"))).collect()
}

fn field<'a>(row: &'a [(String, String)], column: &str) -> &'a str {
    row.iter().find(|(name, _)| name == column).map_or("", |(_, field)| field)
}

#[test]
fn a_profile_is_a_table_a_page_and_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["profile", "mlp-digits", "--seconds", "1"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let stdout = text(&output.stdout);
    for part in
        ["weight-gradient", "sum of the parts", "whole step", "One thread", "FMA peak", "mlp-digits.svg"]
    {
        assert!(stdout.contains(part), "no `{part}` in\n{stdout}");
    }
    let profiles = folder.path().join("results/benchmarks/profile");
    let rows = rows(&profiles.join("mlp-digits.csv"));
    let passes: Vec<&str> = rows.iter().map(|row| field(row, "pass")).collect();
    assert_eq!([passes[0], passes[1]], ["gather", "forward"]);
    assert_eq!(passes[passes.len() - 3..], ["update", "sum", "step"]);
    for row in &rows {
        for (column, value) in row.iter().skip(3) {
            let value: f64 = value.parse().unwrap_or(f64::NAN);
            assert!(value.is_finite() && value >= 0.0, "{column} of {row:?}");
        }
    }
    let flops = |row: &[(String, String)]| field(row, "flops").parse::<u64>().unwrap();
    let parts: u64 = rows[..rows.len() - 2].iter().map(|row| flops(row)).sum();
    assert_eq!(flops(&rows[rows.len() - 1]), parts);
    let page = fs::read_to_string(profiles.join("mlp-digits.md")).unwrap();
    for part in
        ["# Where the time of a step goes", "mlp-digits.svg", "## What is counted", "## How it was timed"]
    {
        assert!(page.contains(part), "no `{part}` in\n{page}");
    }
    let picture = fs::read_to_string(profiles.join("mlp-digits.svg")).unwrap();
    assert!(picture.starts_with("<svg ") && picture.trim_end().ends_with("</svg>"));
    assert!(picture.contains("Roofline") && !picture.contains("NaN"), "{picture}");
}

#[test]
fn a_cell_a_batch_and_a_setting_have_files_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--cell", "3", "--batch", "8", "--set", "train.dtype=f64", "--seconds", "1", "--json"];
    let output = run(folder.path(), &[&["profile", "mlp-fashion-5k"], &arguments[..]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let profile = &object[0];
    assert_eq!((&profile["batch"], &profile["dtype"]), (&8.into(), &"f64".into()));
    assert_eq!(profile["rows"][1]["kind"], "dense");
    assert_eq!(profile["rows"][1]["flops"], 2 * 8 * 784 * 128);
    let stem = "results/benchmarks/profile/mlp-fashion-5k-cell-3-batch-8-train.dtype=f64";
    for ending in ["csv", "md", "svg"] {
        assert!(folder.path().join(format!("{stem}.{ending}")).is_file(), "{ending}");
    }
}

#[test]
fn what_cannot_be_profiled_is_refused_with_place_reason_and_remedy() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, code, parts) in [
        (
            &["perceptron-iris"][..],
            2,
            &["perceptron-iris.toml:", "`kind` is \"perceptron\"", "\"network\""][..],
        ),
        (&["matmul-ladder"], 2, &["matmul-ladder.toml:", "has no network that trains"]),
        (&["mlp-fashion-5k", "--cell", "4"], 2, &["mlp-fashion-5k.toml:", "`--cell 4`", "3: case = 128-128"]),
        (
            &["mlp-digits", "--batch", "9999999"],
            2,
            &["mlp-digits.toml:", "samples for training", "`--batch "],
        ),
        (&["mlp-digits", "--set", "train.batchs=3"], 2, &["did you mean"]),
        (&["mlp-digit"], 2, &["did you mean `mlp-digits`?"]),
        (&["nowhere.toml"], 6, &["nowhere.toml: does not exist"]),
    ] {
        let output = run(folder.path(), &[&["profile"], arguments].concat());
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        for part in parts.iter().chain(&["fix: "]) {
            assert!(stderr.contains(part), "{arguments:?}: no `{part}` in\n{stderr}");
        }
        assert!(output.stdout.is_empty() && !folder.path().join("results").exists(), "{arguments:?}");
    }
    for arguments in [&["--batch", "0"][..], &["--seconds", "0"], &["--cell", "-1"]] {
        let output = run(folder.path(), &[&["profile", "mlp-digits"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
    }
}
