//! Results folders that are damaged, edited, unfinished or of an earlier form of their experiment.

use std::process::Output;

use super::{Bench, VALID};

const SMALL: &str = "schema = 1\nkind = \"perceptron\"\nquestion = \"?\"\n[dataset]\nname = \"and\"\n[perceptron]\neta = 0.5\nepochs = 3\n[seeds]\nlist = [4, 5]\n";

/// A bench on which `gate.toml` was run.
fn ran() -> Bench {
    let bench = Bench::new();
    bench.write("gate.toml", SMALL);
    expect(&bench.run(&["run", "gate.toml"]), 0, &[]);
    bench
}

fn expect(output: &Output, code: i32, parts: &[&str]) {
    let all = [&output.stdout[..], b"\n", &output.stderr].concat();
    let all = String::from_utf8_lossy(&all);
    assert_eq!(output.status.code(), Some(code), "{all}");
    for part in parts {
        assert!(all.contains(part), "no `{part}` in\n{all}");
    }
}

#[test]
fn results_of_other_settings_are_said_to_be_such() {
    let bench = ran();
    for verb in ["table", "plot"] {
        let output = bench.run(&[verb, "gate.toml"]);
        expect(&output, 0, &[]);
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    for (from, to) in [("epochs = 3", "epochs = 4"), ("[4, 5]", "[4, 6]")] {
        bench.write("gate.toml", SMALL.replace(from, to));
        for verb in ["table", "plot"] {
            let parts = [
                "results/gate: these results belong to other settings or data than those of gate.toml",
                "fix: ",
            ];
            expect(&bench.run(&[verb, "gate.toml"]), 0, &parts);
        }
    }
}

#[test]
fn results_of_other_data_are_said_to_be_such() {
    let bench = Bench::new();
    bench.write("gate.toml", SMALL.replace("name = \"and\"", "csv = \"t.csv\"\nclass = \"k\""));
    bench.write("t.csv", "a,b,k\n0,0,x\n1,1,y\n");
    expect(&bench.run(&["run", "gate.toml"]), 0, &[]);
    assert!(bench.run(&["table", "gate.toml"]).stderr.is_empty());
    bench.write("t.csv", "a,b,k\n0,0,x\n1,2,y\n");
    expect(&bench.run(&["table", "gate.toml"]), 0, &["other settings or data"]);
    std::fs::remove_file(bench.path("t.csv")).unwrap();
    assert!(bench.run(&["table", "gate.toml"]).stderr.is_empty());
    expect(&bench.run(&["status"]), 0, &["gate: cannot tell, t.csv: does not exist"]);
    expect(&bench.run(&["status", "gate.toml"]), 3, &["t.csv: does not exist", "gate.toml"]);
}

#[test]
fn edited_results_are_refused() {
    let bench = ran();
    let path = bench.path("results/gate/results.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace(",ok,", ",ok,1")).unwrap();
    let parts = ["results.csv is not as SHA256SUMS says", "`cargo x run gate.toml` writes it again"];
    expect(&bench.run(&["table", "gate.toml"]), 6, &parts);
    expect(&bench.run(&["plot", "gate.toml"]), 6, &parts);
    expect(&bench.run(&["status", "gate.toml"]), 0, &["changed (results.csv is not as SHA256SUMS says)"]);
    std::fs::write(&path, text).unwrap();
    for damage in [Some(""), None] {
        match damage {
            Some(text) => bench.write("results/gate/SHA256SUMS", text),
            None => std::fs::remove_file(bench.path("results/gate/SHA256SUMS")).unwrap(),
        }
        expect(&bench.run(&["table", "gate.toml"]), 6, &["is not as SHA256SUMS says"]);
        expect(&bench.run(&["status"]), 0, &["files changed"]);
    }
    expect(&bench.run(&["run", "gate.toml"]), 0, &[]);
    expect(&bench.run(&["table"]), 0, &[]);
}

#[test]
fn a_damaged_copy_of_the_file_is_named_with_its_path() {
    let bench = ran();
    bench.write("results/gate/experiment.toml", "not toml");
    bench.write("results/gate/SHA256SUMS", "");
    expect(&bench.run(&["table", "gate.toml"]), 6, &["results/gate/"]);
    std::fs::remove_file(bench.path("gate.toml")).unwrap();
    expect(
        &bench.run(&["status", "gate"]),
        6,
        &["results/gate/experiment.toml:1:", "`cargo x run gate.toml`"],
    );
}

#[test]
fn an_empty_file_of_curves_is_an_error_and_no_panic() {
    let bench = ran();
    bench.write("results/gate/curves.csv", "");
    for verb in ["table", "plot"] {
        expect(&bench.run(&[verb, "gate.toml"]), 6, &["curves.csv", "fix: "]);
    }
}

#[test]
fn status_finds_what_is_begun_and_what_is_timed() {
    let bench = ran();
    let ladder = "schema = 1\nkind = \"kernels\"\nquestion = \"?\"\n[kernels]\nshape = [8, 8, 8]\nrung = \"naive\"\nrepeats = 1\n";
    bench.write("rungs.toml", ladder);
    expect(&bench.run(&["status", "rungs.toml"]), 0, &["rungs: not measured yet"]);
    expect(&bench.run(&["run", "rungs.toml"]), 0, &[]);
    expect(&bench.run(&["status"]), 0, &["rungs: measured", "gate: 2 of 2 trials done"]);
    bench.write("begun.toml", SMALL);
    expect(&bench.run(&["run", "begun.toml", "--only", "seed=4"]), 0, &[]);
    expect(&bench.run(&["status"]), 0, &["begun: 1 of 2 trials done", "to do    seed=5"]);
    std::fs::remove_file(bench.path("begun.toml")).unwrap();
    expect(&bench.run(&["status"]), 0, &["begun: begun; `cargo x status begun.toml`"]);
}

#[test]
fn records_of_overrides_are_not_stale() {
    let bench = ran();
    expect(&bench.run(&["run", "gate.toml", "--set", "perceptron.eta=0.25"]), 0, &[]);
    let output = bench.run(&["status", "gate.toml"]);
    expect(&output, 0, &["2 of 2 trials done"]);
    assert!(!String::from_utf8_lossy(&output.stdout).contains("stale"));
    bench.write("gate.toml", SMALL.replace("eta = 0.5", "eta = 2.5"));
    expect(&bench.run(&["status", "gate.toml"]), 0, &["stale    2 record(s)", "not used here"]);
}

#[test]
fn differences_name_the_key_and_the_seeds() {
    let bench = Bench::new();
    let tail = "[sweep]\ngrid = { \"perceptron.eta\" = [0.5, 1.0] }\n[[expect]]\nmetric = \"epochs\"\nat_least = 99\nmean = 3\n";
    bench.write("gate.toml", format!("{SMALL}{tail}"));
    let parts = [
        "differs: gate: perceptron.eta = 0.5: epochs: 3.0 is below the expected 99.0 (seed 4)",
        "perceptron.eta = 1.0: epochs",
    ];
    expect(&bench.run(&["run", "gate.toml"]), 4, &parts);
}

#[test]
fn a_record_that_is_not_trusted_is_named_as_people_count() {
    let bench = ran();
    let trials = std::fs::read_dir(bench.path("results/gate/local/trials")).unwrap();
    for trial in trials {
        std::fs::write(trial.unwrap().path().join("result.json"), "{").unwrap();
    }
    expect(&bench.run(&["run", "gate.toml"]), 0, &["gate: the record of seed=4 is not trusted"]);
}

#[test]
fn a_training_that_diverges_has_its_table_and_its_pictures() {
    let bench = Bench::new();
    let text = "schema = 1\nkind = \"adaline\"\nquestion = \"?\"\n[dataset]\nname = \"iris-uci\"\nrows = [1, 100]\n[adaline]\nrule = \"full-batch\"\neta = 2.0\nepochs = 60\n";
    bench.write("far.toml", text);
    expect(&bench.run(&["run", "far.toml"]), 0, &["diverged"]);
    let output = bench.run(&["table", "far.toml"]);
    expect(&output, 0, &["diverged"]);
    assert!(!String::from_utf8_lossy(&output.stdout).contains("n = a/b"));
    let svg = std::fs::read_to_string(bench.path("results/far/curves.svg")).unwrap();
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

#[test]
fn the_valid_file_has_no_results_yet() {
    let bench = Bench::new();
    bench.write("wine.toml", VALID);
    expect(&bench.run(&["table", "wine.toml"]), 6, &["run `cargo x run wine.toml` first"]);
    expect(&bench.run(&["table", "mlp-digit"]), 2, &["did you mean `mlp-digits`?"]);
}
