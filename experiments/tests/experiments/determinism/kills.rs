//! Kills and damage: whatever happens, the next run ends with the same bytes.

use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use experiments::durable::sha256_hex;
use kernels::activation::Activation;
use models::checkpoint::{Progress, save_state};
use models::loss::Loss;
use models::network::{LayerSpec, Network};
use models::optimizer::{Optimizer, OptimizerSpec, Rule};

use super::program::{Place, assert_same_files, experiment, text};

/// Long enough to be killed in the middle of a trial.
const LONG: [&str; 2] = ["--set", "train.epochs=12"];

fn want(name: &str, arguments: &[&str]) -> super::program::Files {
    let place = Place::new();
    place.results(name, arguments);
    set_files(&place, name, arguments)
}

/// With `--set` the files stand in a folder of their own.
fn set_files(place: &Place, name: &str, arguments: &[&str]) -> super::program::Files {
    match arguments {
        ["--set", setting] => place.files(&format!("{name}/local/set/{setting}")),
        _ => place.files(name),
    }
}

#[test]
fn a_run_killed_at_any_moment_ends_with_the_same_bytes() {
    let want = want("network", &LONG);
    let place = Place::new();
    let (mut kills, mut in_the_middle) = (0, 0);
    let mut wait = Duration::from_millis(20);
    loop {
        let mut child = place
            .start("network", &LONG)
            .env("EXPERIMENTS_CHECKPOINT_SECONDS", "0")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let begun = Instant::now();
        let mut ended = None;
        while begun.elapsed() < wait && ended.is_none() {
            ended = child.try_wait().expect("its state");
            sleep(Duration::from_millis(2));
        }
        if let Some(status) = ended {
            assert!(status.success());
            break;
        }
        // SIGKILL: nothing in the program gets a chance to tidy up.
        child.kill().expect("a kill");
        child.wait().expect("its end");
        kills += 1;
        in_the_middle += place.trials("network").iter().filter(|t| t.join("checkpoint").exists()).count();
        wait += Duration::from_millis(if kills < 10 { 17 } else { 400 });
    }
    println!("{kills} kills, {in_the_middle} trials found in the middle");
    assert!(kills > 2 && in_the_middle > 0, "{kills} kills, {in_the_middle} trials in the middle");
    assert_same_files("after kills", &set_files(&place, "network", &LONG), &want);
    let left: Vec<_> =
        place.trials("network").into_iter().filter(|t| t.join("checkpoint").exists()).collect();
    assert!(left.is_empty(), "checkpoints of finished trials: {left:?}");
}

#[test]
fn an_interrupted_run_saves_its_state_and_goes_on() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let want = want("network", &LONG);
        let place = Place::new();
        let child = place
            .start("network", &LONG)
            .args(["--jobs", "1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        // Until a trial is at work, which shows in the first record.
        while place.trials("network").is_empty() {
            sleep(Duration::from_millis(2));
        }
        let sent =
            std::process::Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status();
        assert!(sent.expect("kill is there").success());
        let output = child.wait_with_output().expect("its end");
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("the same command goes on"), "{}", text(&output.stderr));
        place.results("network", &LONG);
        assert_same_files(signal, &set_files(&place, "network", &LONG), &want);
    }
}

#[test]
fn damaged_records_and_checkpoints_are_not_trusted() {
    let place = Place::new();
    let want = place.results("regression", &[]);
    let trials = place.trials("regression");
    let mark = |trial: &std::path::Path| trial.join("result.json");
    let whole = std::fs::read_to_string(mark(&trials[0])).expect("a record");
    std::fs::write(mark(&trials[0]), &whole[..whole.len() / 2]).expect("written");
    std::fs::remove_file(mark(&trials[1])).expect("removed");
    std::fs::write(trials[1].join("checkpoint"), "0123\nno state").expect("written");
    std::fs::write(trials[1].join(".result.json.tmp.1"), "left over").expect("written");
    std::fs::write(trials[2].join("predictions.csv"), "sample,true,predicted\n").expect("written");
    let output = place.run("regression", &[]);
    assert!(output.status.success());
    let said = text(&output.stderr);
    assert!(said.contains("3 to run") && said.contains("is not trusted"), "{said}");
    assert_same_files("after damage", &place.files("regression"), &want);
    assert!(!trials[1].join(".result.json.tmp.1").exists(), "the leftover of a killed run is swept");
}

/// State of the very trial, but with sums of another length or rows of other columns, and weights that would show.
#[test]
fn a_checkpoint_that_does_not_fit_leaves_the_trial_at_its_start() {
    let layers = [LayerSpec::dense(16), LayerSpec::Activation(Activation::Tanh), LayerSpec::dense(1)];
    let network = Network::<f64>::new(&[1], &layers, Loss::Quadratic, 128).expect("a network");
    let rule = Rule::Sgd { learning_rate: 0.1, momentum: 0.9, nesterov: false, weight_decay: 0.0 };
    let optimizer = Optimizer::<f64>::new(OptimizerSpec::constant(rule), 49).expect("an optimiser");
    let place = Place::new();
    let want = place.results("regression", &[]);
    let header = text(&want["curves.csv"]).lines().next().expect("a header").to_owned();
    let columns = &header[header.find("epoch").expect("the axis")..];
    for trial in place.trials("regression") {
        let id = trial.file_name().expect("a name").to_string_lossy().into_owned();
        let fitting = format!("{id} {columns}");
        for (experiment, sums) in
            [(&id, 1), (&id, 2), (&fitting, 1), (&fitting, 3), (&format!("{fitting},x"), 2)]
        {
            let at = Progress {
                experiment: experiment.clone(),
                epoch: 25,
                step: 100,
                position: 16,
                sums: vec![0.0; sums],
                best: None,
            };
            let state = save_state(&network, &optimizer, &at).expect("a state");
            let mut bytes = format!("{}\n", sha256_hex(&state)).into_bytes();
            bytes.extend(state);
            std::fs::write(trial.join("checkpoint"), bytes).expect("written");
            std::fs::remove_file(trial.join("result.json")).expect("removed");
            place.results("regression", &[]);
            assert_same_files(experiment, &place.files("regression"), &want);
        }
    }
}

#[test]
fn a_record_of_other_settings_is_not_used() {
    let place = Place::new();
    let want = place.results("regression", &[]);
    place.results("regression", &["--set", "train.batch=8"]);
    assert_eq!(place.trials("regression").len(), 6);
    let status = place.command(&["status"]).arg(experiment("regression")).output().expect("it starts");
    assert!(text(&status.stdout).contains("3 of 3 trials done"), "{}", text(&status.stdout));
    // The records of `--set` are those of its own results.
    assert!(!text(&status.stdout).contains("stale"), "{}", text(&status.stdout));
    assert_same_files("after --set", &place.files("regression"), &want);
}
