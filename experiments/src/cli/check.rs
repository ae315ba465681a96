//! `experiments check`: everything about a file that can be known before it runs.

use std::sync::Arc;

use kernels::{Exec, Level};
use models::network::Outline;
use serde_json::{Value as Json, json};

use super::output::{aligned, bytes, grouped, say};
use super::{CheckArgs, Global};
use crate::data::{self, Data, DataError, Targets};
use crate::diagnostics::Diagnostics;
use crate::engine::limits;
use crate::exit::{Exit, Failure};
use crate::progress::tell;
use crate::spec::{self, DatasetSpec, Dtype, Experiment, Kind, ModelSpec, Step};
use crate::{fit, kinds, preprocess, suite};

pub(super) fn check(global: &Global, args: &CheckArgs) -> Result<Exit, Failure> {
    let level = Exec::from_env()?.level;
    let mut worst = Exit::Done;
    let mut objects = Vec::new();
    for name in &args.experiments {
        match checked(level, name, args) {
            Ok((experiment, report)) if global.json => objects.push(report.json(&experiment)),
            Ok((experiment, report)) => say(&report.text(&experiment))?,
            Err(refused) => {
                if global.json {
                    objects.push(json!({ "name": name, "errors": refused.errors }));
                }
                tell(format_args!("{}\n", refused.failure));
                worst = if worst == Exit::Done { refused.failure.exit } else { worst };
            }
        }
    }
    if global.json {
        say(&format!("{:#}", Json::Array(objects)))?;
    }
    Ok(worst)
}

/// What there is to say about a file without errors.
struct Report {
    data: Vec<(DatasetSpec, Arc<Data>)>,
    /// The distinct preprocessings that were looked at.
    prepared: Vec<(DatasetSpec, Vec<Step>)>,
    /// The distinct networks, each with the index of its first cell.
    networks: Vec<(usize, Vec<usize>, Outline)>,
    warnings: Vec<String>,
}

/// Why a file cannot be run: in words, and its errors for other programs.
struct Refused {
    failure: Failure,
    errors: Vec<Json>,
}

impl Refused {
    fn new(exit: Exit, errors: &Diagnostics) -> Self {
        Self { errors: errors.to_json(), failure: Failure::new(exit, errors.to_string()) }
    }
}

fn checked(level: Level, name: &str, args: &CheckArgs) -> Result<(Experiment, Report), Refused> {
    let (file, text) = suite::read(name).map_err(|failure| {
        let (reason, fix) = failure.parts();
        let error = json!({ "message": reason, "file": name, "line": null, "column": null, "fix": fix });
        Refused { errors: vec![error], failure }
    })?;
    let experiment =
        spec::parse(&file, &text, &args.overrides).map_err(|errors| Refused::new(Exit::Usage, &errors))?;
    let mut report =
        Report { data: Vec::new(), prepared: Vec::new(), networks: Vec::new(), warnings: Vec::new() };
    let mut failures: Vec<Failure> = Vec::new();
    for (at, cell) in experiment.cells.iter().enumerate() {
        if let Err(failure) = report.data_of(level, &experiment, &cell.kind)
            && failures.iter().all(|known| known.message != failure.message)
        {
            failures.push(failure);
        }
        report.network_of(at, &cell.kind);
    }
    report.warnings.extend(experiment.warnings.iter().map(|warning| warning.message.clone()));
    let Some(exit) = failures.first().map(|failure| failure.exit) else { return Ok((experiment, report)) };
    let placed: Vec<Diagnostics> =
        failures.into_iter().map(|failure| spec::placed(&experiment, failure).errors).collect();
    let messages: Vec<String> = placed.iter().map(ToString::to_string).collect();
    Err(Refused {
        errors: placed.iter().flat_map(Diagnostics::to_json).collect(),
        failure: Failure::new(exit, messages.join("\n\n")),
    })
}

impl Report {
    /// Loads the data of a cell, once for all cells that share them, and fits the cell to them.
    fn data_of(&mut self, level: Level, experiment: &Experiment, kind: &Kind) -> Result<(), Failure> {
        if let Kind::Convolve(trial) = kind {
            fit::picture(trial, &data::picture::load(&trial.image)?)?;
        }
        let Some(spec) = kinds::dataset(kind) else { return Ok(()) };
        let data = match self.data.iter().find(|(known, _)| known == spec) {
            Some((_, data)) => Arc::clone(data),
            None => {
                let first = experiment.seeds.first().copied().unwrap_or(1);
                let data =
                    data::load(&spec.for_seed(first)).map_err(|error: DataError| Failure::from(error))?;
                let data = Arc::new(data);
                self.data.push((spec.clone(), Arc::clone(&data)));
                data
            }
        };
        fit::trial(kind, &data)?;
        if let Err(warning) = limits::memory(fit::memory(kind, &data), 1, limits::available())
            && !self.warnings.contains(&warning)
        {
            self.warnings.push(warning);
        }
        let steps = match kind {
            Kind::Network(trial) => &trial.preprocess,
            Kind::Perceptron(trial) => &trial.preprocess,
            Kind::Adaline(trial) => &trial.preprocess,
            _ => return Ok(()),
        };
        let prepared = (spec.clone(), steps.clone());
        if self.prepared.contains(&prepared) {
            return Ok(());
        }
        self.prepared.push(prepared);
        let constant = preprocess::constant(level, &data, steps).len();
        if constant > 0 {
            let warning = format!(
                "{constant} column(s) of {} are constant in the training part: centred, and divided by 1",
                data.name
            );
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
        Ok(())
    }

    fn network_of(&mut self, at: usize, kind: &Kind) {
        let planned = match kind {
            Kind::Network(trial) => Some((
                &trial.model,
                fit::model(&trial.model, trial.train.loss, trial.train.batch, trial.train.dtype),
            )),
            Kind::GradientCheck(trial) => {
                Some((&trial.model, fit::model(&trial.model, trial.loss, trial.batch, Dtype::F64)))
            }
            _ => None,
        };
        if let Some((ModelSpec { input, .. }, Ok(outline))) = planned
            && self.networks.iter().all(|(_, known, other)| known != input || *other != outline)
        {
            self.networks.push((at, input.clone(), outline));
        }
    }

    fn text(&self, experiment: &Experiment) -> String {
        let (cells, seeds) = (experiment.cells.len(), experiment.seeds.len());
        let mut out = format!("{}: {}\n{}\n\n", experiment.name, experiment.title, experiment.question);
        let mut rows = vec![vec!["kind".to_owned(), experiment.kind.to_owned()]];
        rows.extend(self.data.iter().map(|(_, data)| vec!["data".to_owned(), describe(data)]));
        rows.push(vec![
            "trials".to_owned(),
            format!("{cells} cell(s) x {seeds} seed(s) = {}", cells * seeds),
        ]);
        rows.extend(experiment.roles.iter().map(|(key, role)| vec![role.name().to_owned(), key.clone()]));
        out += &aligned(&rows);
        for (cell, input, outline) in &self.networks {
            out += &format!("\n{}", layers(experiment, *cell, input, outline));
        }
        for warning in &self.warnings {
            out += &format!("\nwarning: {warning}\n");
        }
        out
    }

    fn json(&self, experiment: &Experiment) -> Json {
        let networks: Vec<Json> = self
            .networks
            .iter()
            .map(|(cell, input, outline)| {
                let layers: Vec<Json> = outline
                    .layers
                    .iter()
                    .map(|l| json!({ "kind": l.kind, "output": l.output, "parameters": l.parameters, "flops": l.flops }))
                    .collect();
                json!({ "cell": cell, "input": input, "layers": layers, "parameters": outline.parameters,
                        "flops": outline.flops, "memory": outline.memory })
            })
            .collect();
        let data: Vec<Json> = self
            .data
            .iter()
            .map(|(_, d)| {
                json!({ "name": d.name, "shape": d.shape, "train": d.train.len(),
                                  "validation": d.validation.len(), "test": d.test.len() })
            })
            .collect();
        json!({ "name": experiment.name, "kind": experiment.kind, "cells": experiment.cells.len(),
                "seeds": experiment.seeds, "data": data, "networks": networks, "warnings": self.warnings })
    }
}

fn describe(data: &Data) -> String {
    let parts: Vec<String> =
        [("training", &data.train), ("validation", &data.validation), ("test", &data.test)]
            .iter()
            .filter(|(_, part)| !part.is_empty())
            .map(|(name, part)| format!("{} for {name}", grouped(part.len() as u64)))
            .collect();
    let target = match &data.targets {
        Targets::Classes { names, .. } => format!("{} classes", names.len()),
        Targets::Values { name, .. } => format!("predict {name}"),
    };
    format!("{}: samples of {:?}, {target}; {}", data.name, data.shape, parts.join(", "))
}

/// The table of layers of one cell.
fn layers(experiment: &Experiment, cell: usize, input: &[usize], outline: &Outline) -> String {
    let row = |cells: [&str; 5]| cells.map(str::to_owned).to_vec();
    let mut rows = vec![
        row(["layer", "kind", "output", "parameters", "FLOPs/sample"]),
        row(["", "input", &format!("{input:?}"), "", ""]),
    ];
    for (index, layer) in outline.layers.iter().enumerate() {
        rows.push(row([
            &index.to_string(),
            layer.kind,
            &format!("{:?}", layer.output),
            &grouped(layer.parameters as u64),
            &grouped(layer.flops),
        ]));
    }
    rows.push(row(["", "total", "", &grouped(outline.parameters as u64), &grouped(outline.flops)]));
    let settings: Vec<String> =
        experiment.cells[cell].settings.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    let heading = if settings.is_empty() { String::new() } else { format!("{}\n", settings.join(", ")) };
    format!("{heading}{}memory for one trial: {}\n", aligned(&rows), bytes(outline.memory))
}
