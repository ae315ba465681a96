//! `experiments profile`: where the time of a training step goes, on this machine.

use std::path::PathBuf;
use std::time::Duration;

use kernels::{Exec, Level};
use serde_json::Value as Json;

use super::named::BENCHMARKS;
use super::output::{say, show};
use super::{Global, ProfileArgs};
use crate::engine::{Inputs, limits};
use crate::exit::{Exit, Failure};
use crate::profile::{self, MEMORY_BYTES, Profile, Setting};
use crate::progress::tell;
use crate::results::slug;
use crate::spec::{self, Cell, Experiment, Kind, NetworkTrial};
use crate::{command, durable, fit, plot, provenance, suite};

pub(super) fn profile(global: &Global, args: &ProfileArgs) -> Result<Exit, Failure> {
    let level = Exec::from_env()?.level;
    let experiment = suite::open(&args.experiment, &args.overrides)?;
    let (experiment, trial) =
        chosen(&experiment, args).map_err(|failure| spec::placed(&experiment, failure))?;
    let (inputs, seed) = loaded(&experiment, &trial).map_err(|failure| spec::placed(&experiment, failure))?;
    let folder = global.results.join(BENCHMARKS).join("profile");
    durable::create_folder(&folder)
        .map_err(|error| Failure::cannot_write(&error, &["profile", &args.experiment]))?;
    if !global.quiet {
        let name = &experiment.name;
        tell(format_args!("{name}: one thread, level {}, about {} s", level.name(), args.seconds));
    }
    let duration = Duration::from_secs(u64::from(args.seconds));
    let profile = profile::measure(&trial, &inputs, seed, level, duration)
        .map_err(|e| Failure::new(Exit::TrialFailed, format!("error: {}: {e}", experiment.name)))?;
    let setting = setting(&experiment, &trial, args, level);
    let mut files = Vec::new();
    for (ending, bytes) in [
        ("csv", profile.csv()),
        ("md", profile.page(&setting).into_bytes()),
        ("svg", plot::roofline(&setting.title, &profile)?.into_bytes()),
    ] {
        let path = folder.join(format!("{}.{ending}", setting.name));
        durable::write_if_changed(&path, &bytes)?;
        files.push(path);
    }
    print(global, &setting, &profile, &files)?;
    Ok(Exit::Done)
}

/// The table and the files' paths on stdout, or the same as JSON.
fn print(global: &Global, setting: &Setting, profile: &Profile, files: &[PathBuf]) -> Result<(), Failure> {
    let paths: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    if global.json {
        let mut object = profile.json(setting);
        object["files"] = paths.into();
        return say(&format!("{:#}", Json::Array(vec![object])));
    }
    let table = profile.table(setting).to_terminal();
    show(&format!("{}\n\n{table}\n{}\n", setting.title, paths.join("\n")))
}

/// The experiment with the chosen cell alone, and that cell's trial with the chosen batch.
fn chosen(experiment: &Experiment, args: &ProfileArgs) -> Result<(Experiment, NetworkTrial), Failure> {
    let wrong =
        |what: String, fix: String| Failure::new(Exit::Usage, format!("error: {what}\n   = fix: {fix}"));
    let Some(cell) = experiment.cells.get(args.cell) else {
        return Err(wrong(
            format!("`--cell {}` is not among the {} cell(s) of `sweep`", args.cell, experiment.cells.len()),
            format!("the cells are {}", cells(experiment)),
        ));
    };
    let Kind::Network(trial) = &cell.kind else {
        return Err(wrong(
            format!("`kind` is \"{}\", which has no network that trains", cell.kind.name()),
            format!(
                "take an experiment of the kind \"network\", as mlp-fashion-5k; `{}` shows the kinds",
                command::line(["list"])
            ),
        ));
    };
    let mut trial = (**trial).clone();
    if let Some(batch) = args.batch {
        trial.train.batch = batch as usize;
    }
    let cell = Cell { kind: Kind::Network(Box::new(trial.clone())), ..cell.clone() };
    Ok((Experiment { cells: vec![cell], ..experiment.clone() }, trial))
}

/// `0: units = 32; 1: units = 128`.
fn cells(experiment: &Experiment) -> String {
    let cell = |(index, cell): (usize, &Cell)| match settings(cell) {
        text if text.is_empty() => index.to_string(),
        text => format!("{index}: {text}"),
    };
    experiment.cells.iter().enumerate().map(cell).collect::<Vec<_>>().join("; ")
}

fn settings(cell: &Cell) -> String {
    let settings = cell.settings.iter().map(|(key, value)| format!("{key} = {value}"));
    settings.collect::<Vec<_>>().join(", ")
}

/// The data of the experiment's one cell, and the seed that they are for.
fn loaded(experiment: &Experiment, trial: &NetworkTrial) -> Result<(Inputs, u64), Failure> {
    let seed = experiment.seeds.first().copied().unwrap_or(1);
    let alone = Experiment { seeds: vec![seed], ..experiment.clone() };
    let inputs = Inputs::load(&alone, 1)?;
    let Some(data) = inputs.data(&trial.dataset, seed) else { return Ok((inputs, seed)) };
    let samples = data.train.len();
    if trial.train.batch > samples && samples > 0 {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "error: a batch of {} is more than the {samples} samples for training: `train.batch`\n   = fix: `--batch {samples}` or less",
                trial.train.batch
            ),
        ));
    }
    let needed =
        MEMORY_BYTES + experiment.cells.iter().map(|cell| fit::memory(&cell.kind, &data)).sum::<usize>();
    limits::memory(needed, 1, limits::available()).map_err(|reason| {
        Failure::new(
            Exit::Usage,
            format!("error: {reason}: `train.batch`\n   = fix: a smaller `--batch`, or smaller layers"),
        )
    })?;
    Ok((inputs, seed))
}

fn setting(experiment: &Experiment, trial: &NetworkTrial, args: &ProfileArgs, level: Level) -> Setting {
    let (mut name, mut words) =
        (experiment.name.clone(), vec!["profile".to_owned(), args.experiment.clone()]);
    if args.cell > 0 {
        name += &format!("-cell-{}", args.cell);
        words.extend(["--cell".to_owned(), args.cell.to_string()]);
    }
    if let Some(batch) = args.batch {
        name += &format!("-batch-{batch}");
        words.extend(["--batch".to_owned(), batch.to_string()]);
    }
    if !args.overrides.is_empty() {
        name += &format!("-{}", slug(&args.overrides));
        words.extend(args.overrides.iter().flat_map(|set| ["--set".to_owned(), set.clone()]));
    }
    // The page may be committed: what it names does not depend on how the program was started.
    let command = command::joined(command::IN_A_CLONE, words);
    let cpu = provenance::cpu().unwrap_or_else(|| "CPU unknown".to_owned());
    let (cores, level, version) = (provenance::cores(), level.name(), env!("CARGO_PKG_VERSION"));
    let contract = kernels::CONTRACT;
    let (rustc, date) = (provenance::RUSTC, provenance::date());
    let commit = provenance::commit().unwrap_or_else(|| "unknown".to_owned());
    let machine = format!(
        "{cpu}, {cores} cores, level {level}, program {version}, numeric contract {contract}, {rustc}, commit {commit}, {date}"
    );
    let mut network: Vec<String> = experiment.cells.iter().map(settings).filter(|s| !s.is_empty()).collect();
    let train = &trial.train;
    if let Ok(outline) = fit::model(&trial.model, train.loss, train.batch, train.dtype) {
        network.push(fit::chain(&trial.model.input, &outline));
    }
    if train.augment_shift > 0 {
        network.push("The random shifts of `train.augment_shift` are left out.".to_owned());
    }
    Setting { name, title: experiment.title.clone(), command, machine, network }
}
