//! Compares results with what the experiment file expects of them.
#![forbid(unsafe_code)]

use kernels::Level;

use crate::outcome::Outcome;
use crate::results::{Sheet, Statistics};
use crate::spec::{Expect, Experiment};
use crate::trial::Trial;

/// Every expectation that the results do not meet, one line each; means are computed at `level`.
pub fn differences(level: Level, experiment: &Experiment, finished: &[(Trial, Outcome)]) -> Vec<String> {
    experiment.expect.iter().flat_map(|expect| differences_of(level, experiment, expect, finished)).collect()
}

fn differences_of(
    level: Level,
    experiment: &Experiment,
    expect: &Expect,
    finished: &[(Trial, Outcome)],
) -> Vec<String> {
    let fits = |trial: &Trial| {
        expect.cell.iter().all(|(key, value)| {
            experiment.swept.iter().zip(&trial.settings).any(|(k, v)| k == key && v == value)
        })
    };
    let matching: Vec<(Trial, Outcome)> = finished.iter().filter(|(t, _)| fits(t)).cloned().collect();
    let sheet = Sheet::new(&experiment.swept, &matching);
    let mut differences = Vec::new();
    for rows in sheet.by_cell() {
        let place = place(experiment, &rows[0].settings, &expect.metric);
        let values: Vec<(u64, f64)> = rows
            .iter()
            .filter(|r| !r.diverged)
            .filter_map(|r| Some((r.seed, r.metric(&expect.metric)?.as_f64())))
            .collect();
        if values.is_empty() && bounded(expect) {
            let seeds: Vec<u64> = rows.iter().map(|row| row.seed).collect();
            differences.push(format!("{place}: there is no value{}", of_seeds(&seeds)));
        }
        differences.extend(outside(level, expect, &values, &place));
    }
    differences.extend(other_weights(experiment, expect, &matching));
    differences
}

/// `train.batch = 16: test.accuracy`
fn place(experiment: &Experiment, settings: &[String], what: &str) -> String {
    let settings: Vec<String> =
        experiment.swept.iter().zip(settings).map(|(key, value)| format!("{key} = {value}")).collect();
    if settings.is_empty() { what.to_owned() } else { format!("{}: {what}", settings.join(", ")) }
}

/// ` (seeds 1, 2)`
fn of_seeds(seeds: &[u64]) -> String {
    let numbers: Vec<String> = seeds.iter().map(u64::to_string).collect();
    format!(" (seed{} {})", if seeds.len() == 1 { "" } else { "s" }, numbers.join(", "))
}

fn bounded(expect: &Expect) -> bool {
    expect.mean.is_some() || expect.at_least.is_some() || expect.at_most.is_some()
}

fn outside(level: Level, expect: &Expect, values: &[(u64, f64)], place: &str) -> Vec<String> {
    let mut differences = Vec::new();
    let reals: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
    let seeds = |of: &[(u64, f64)]| of_seeds(&of.iter().map(|(seed, _)| *seed).collect::<Vec<_>>());
    if let (Some(mean), Some(s)) = (expect.mean, Statistics::of(level, &reals)) {
        let written = format!("{mean:?}");
        let places = written.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let ours = format!("{:.places$}", s.mean);
        if !written.contains('e') && ours != format!("{mean:.places$}")
            || written.contains('e') && s.mean != mean
        {
            differences.push(format!("{place}: mean {:?}, expected {written}{}", s.mean, seeds(values)));
        }
    }
    // A NaN meets no bound.
    let mut bound = |what: &str, bound: Option<f64>, broken: fn(f64, f64) -> bool| {
        let Some(bound) = bound else { return };
        for &(seed, value) in values.iter().filter(|(_, value)| value.is_nan() || broken(*value, bound)) {
            differences
                .push(format!("{place}: {value:?} is {what} the expected {bound:?}{}", of_seeds(&[seed])));
        }
    };
    bound("below", expect.at_least, |value, bound| value < bound);
    bound("above", expect.at_most, |value, bound| value > bound);
    differences
}

fn other_weights(experiment: &Experiment, expect: &Expect, matching: &[(Trial, Outcome)]) -> Vec<String> {
    let mut differences = Vec::new();
    for (seed, sha256) in &expect.weights_sha256 {
        for (trial, outcome) in matching.iter().filter(|(t, _)| t.seed == *seed) {
            let ours = outcome.digests.iter().find(|(name, _)| name == "weights").map(|(_, d)| d.as_str());
            // A file may give the first characters only, as people do.
            if !ours.is_some_and(|ours| ours.starts_with(sha256.as_str())) {
                let ours = ours.unwrap_or("none");
                let place = place(experiment, &trial.settings, "weights");
                differences.push(format!("{place}: {ours}, expected {sha256}{}", of_seeds(&[*seed])));
            }
        }
    }
    differences
}
