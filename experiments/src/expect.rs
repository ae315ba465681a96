//! Compares results with what the experiment file expects of them.
#![forbid(unsafe_code)]

use crate::outcome::Outcome;
use crate::results::{Sheet, Statistics};
use crate::spec::{Expect, Experiment};
use crate::trial::Trial;

/// Every expectation that the results do not meet, one line each.
pub fn differences(experiment: &Experiment, finished: &[(Trial, Outcome)]) -> Vec<String> {
    experiment.expect.iter().flat_map(|expect| differences_of(experiment, expect, finished)).collect()
}

fn differences_of(experiment: &Experiment, expect: &Expect, finished: &[(Trial, Outcome)]) -> Vec<String> {
    let fits = |trial: &Trial| {
        expect.cell.iter().all(|(key, value)| {
            experiment.swept.iter().zip(&trial.settings).any(|(k, v)| k == key && v == value)
        })
    };
    let matching: Vec<(Trial, Outcome)> = finished.iter().filter(|(t, _)| fits(t)).cloned().collect();
    let sheet = Sheet::new(&experiment.swept, &matching);
    let mut differences = Vec::new();
    for rows in sheet.by_cell() {
        let place = rows[0].settings.join(", ");
        let place =
            if place.is_empty() { expect.metric.clone() } else { format!("{place}: {}", expect.metric) };
        let values: Vec<f64> = rows
            .iter()
            .filter(|r| !r.diverged)
            .filter_map(|r| r.metric(&expect.metric))
            .map(|v| v.as_f64())
            .collect();
        match Statistics::of(&values) {
            None if bounded(expect) => differences.push(format!("{place}: there is no value")),
            None => {}
            Some(s) => differences.extend(outside(expect, &s, &place)),
        }
    }
    differences.extend(other_weights(expect, &matching));
    differences
}

fn bounded(expect: &Expect) -> bool {
    expect.mean.is_some() || expect.at_least.is_some() || expect.at_most.is_some()
}

fn outside(expect: &Expect, s: &Statistics, place: &str) -> Vec<String> {
    let mut differences = Vec::new();
    if let Some(mean) = expect.mean {
        let written = format!("{mean:?}");
        let places = written.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let ours = format!("{:.places$}", s.mean);
        if !written.contains('e') && ours != format!("{mean:.places$}")
            || written.contains('e') && s.mean != mean
        {
            differences.push(format!("{place}: mean {:?}, expected {written}", s.mean));
        }
    }
    // A NaN meets no bound.
    if let Some(bound) = expect.at_least.filter(|&bound| s.min.is_nan() || s.min < bound) {
        differences.push(format!("{place}: {:?} is below the expected {bound:?}", s.min));
    }
    if let Some(bound) = expect.at_most.filter(|&bound| s.max.is_nan() || s.max > bound) {
        differences.push(format!("{place}: {:?} is above the expected {bound:?}", s.max));
    }
    differences
}

fn other_weights(expect: &Expect, matching: &[(Trial, Outcome)]) -> Vec<String> {
    let mut differences = Vec::new();
    for (seed, sha256) in &expect.weights_sha256 {
        for (trial, outcome) in matching.iter().filter(|(t, _)| t.seed == *seed) {
            let ours = outcome.digests.iter().find(|(name, _)| name == "weights").map(|(_, d)| d.as_str());
            // A file may give the first characters only, as people do.
            if !ours.is_some_and(|ours| ours.starts_with(sha256.as_str())) {
                let ours = ours.unwrap_or("none");
                let place = trial.settings.join(", ");
                differences.push(format!("{place} seed {seed}: weights {ours}, expected {sha256}"));
            }
        }
    }
    differences
}
