//! `lock.toml`: what was run, resolved.

use std::fmt::Write;
use std::path::Path;

use super::Folder;
use crate::spec::{Cell, Experiment};
use crate::trial::Trial;

/// The resolved grid, the trials' identities, the data digests and the contract number.
pub(super) fn lock_toml(experiment: &Experiment, trials: &[Trial]) -> String {
    let mut text = format!(
        "# Written by the program. A trial is the digest of its resolved settings, data, contract and seed.\n\
         name = {}\nkind = {}\nnumeric_contract = {}\n",
        quoted(&experiment.name),
        quoted(experiment.kind),
        kernels::CONTRACT
    );
    if !experiment.overrides.is_empty() {
        let overrides: Vec<String> = experiment.overrides.iter().map(|o| quoted(o)).collect();
        push(&mut text, format_args!("set = [{}]\n", overrides.join(", ")));
    }
    push_data(&mut text, trials);
    for (index, cell) in experiment.cells.iter().enumerate() {
        push(&mut text, format_args!("\n[[cell]]\nindex = {index}\nresolved = \"\"\"\n"));
        for line in cell.resolved.lines() {
            push(&mut text, format_args!("{}\n", escaped(line)));
        }
        text.push_str("\"\"\"\n\n[cell.trials]\n");
        for trial in trials.iter().filter(|trial| trial.cell == index) {
            push(&mut text, format_args!("{} = \"{}\"\n", trial.seed, trial.id));
        }
    }
    text
}

/// Whether the folder's `lock.toml` has the settings, the seeds and the contract of `experiment`; what data were
/// read is left aside. True where there is nothing to compare with.
pub fn is_of(folder: &Folder, experiment: &Experiment) -> bool {
    let text = fs_err::read_to_string(folder.files.join("lock.toml")).unwrap_or_default();
    let Ok(lock) = text.parse::<toml::Table>() else { return true };
    let Some(cells) = lock.get("cell").and_then(toml::Value::as_array) else { return true };
    let same = |(cell, recorded): (&Cell, &toml::Value)| {
        let seeds = recorded.get("trials").and_then(toml::Value::as_table);
        recorded.get("resolved").and_then(toml::Value::as_str) == Some(&cell.resolved)
            && seeds.is_some_and(|seeds| {
                seeds.len() == experiment.seeds.len()
                    && experiment.seeds.iter().all(|seed| seeds.contains_key(&seed.to_string()))
            })
    };
    let contract = lock.get("numeric_contract").and_then(toml::Value::as_integer);
    contract == Some(i64::from(kernels::CONTRACT))
        && cells.len() == experiment.cells.len()
        && experiment.cells.iter().zip(cells).all(same)
}

/// The trials' identities in the `lock.toml` at `path`; none if there is no such file.
pub fn ids(path: &Path) -> Vec<String> {
    let text = fs_err::read_to_string(path).unwrap_or_default();
    let Ok(lock) = text.parse::<toml::Table>() else { return Vec::new() };
    let cells = lock.get("cell").and_then(toml::Value::as_array).into_iter().flatten();
    let trials = cells.filter_map(|cell| cell.get("trials").and_then(toml::Value::as_table));
    trials.flat_map(|trials| trials.values().filter_map(toml::Value::as_str).map(str::to_owned)).collect()
}

/// `[[data]]`: every file that a trial reads once, in the trials' order.
fn push_data(text: &mut String, trials: &[Trial]) {
    let mut seen: Vec<&(String, String)> = Vec::new();
    for file in trials.iter().flat_map(|trial| &trial.data) {
        if !seen.contains(&file) {
            seen.push(file);
        }
    }
    for (name, sha256) in seen {
        push(text, format_args!("\n[[data]]\nfile = {}\nsha256 = \"{sha256}\"\n", quoted(name)));
    }
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(line);
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// Escapes what a basic TOML string may not hold.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => push(&mut out, format_args!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}
