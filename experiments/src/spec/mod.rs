//! An experiment file: every key, its type, its default, and what is refused.
//!
//! [`parse`] reads the text into a tree that knows where everything stands, puts every
//! cell's swept values in ([`crate::sweep`]) and validates each cell key by key, so that all errors
//! of a file come at once. The reference of all keys is `docs/experiment-files.md`.

mod dataset;
mod experiment;
pub(crate) mod keys;
mod names;
mod network;
mod neuron;
mod other_kinds;
mod place;
mod read;
pub(crate) mod tree;
mod values;

pub use dataset::{DatasetSpec, Function, Share, Source, Split};
pub use experiment::{Cell, Expect, Experiment, Kind, PlotSpec, Published, Role, Statistic, TableSpec};
pub use models::network::LayerSpec;
pub use network::{Dtype, EvaluateSpec, Keep, ModelSpec, NetworkTrial, Per, Probes, Select, Step, TrainSpec};
pub use neuron::{AdalineTrial, PerceptronTrial, Rule, Start, Unit};
pub use other_kinds::{ActivationsTrial, ConvolveTrial, Filter, GradientCheckTrial, Image, KernelsTrial};

pub use place::{Placed, placed};

use std::collections::BTreeSet;

use crate::diagnostics::{Diagnostics, Span};
use crate::fit;
use crate::sweep::{self, Put, Sweep};
use keys::{Context, Keys};
use names::Names;
use read::header::{self, Grid, HEADER};
use tree::{Node, Value};

/// Reads an experiment file; `overrides` are `--set` arguments, `a.b=value` each.
///
/// # Errors
/// All errors of the file at once.
pub fn parse(file_name: &str, text: &str, overrides: &[String]) -> Result<Experiment, Diagnostics> {
    let stem = std::path::Path::new(file_name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    parse_as(file_name, &stem, text, overrides)
}

/// As [`parse`], for an experiment called `stem` whatever its file is called.
///
/// # Errors
/// As [`parse`].
pub fn parse_as(
    file_name: &str,
    stem: &str,
    text: &str,
    overrides: &[String],
) -> Result<Experiment, Diagnostics> {
    let mut diagnostics = Diagnostics::new(file_name, text);
    let mut tree = tree::parse(text, 0, &mut diagnostics);
    if diagnostics.has_errors() {
        // Whatever else could be said would be guesswork about a text that was misread.
        return Err(diagnostics);
    }
    let puts: Vec<Put> = overrides.iter().filter_map(|set| parse_override(set, &mut diagnostics)).collect();
    let context = Context::new(diagnostics);
    for (at, put) in puts.iter().enumerate() {
        if let Some(earlier) = puts[..at].iter().find(|earlier| sweep::overlap(&earlier.key, &put.key)) {
            let message = format!("`--set {}` and `--set {}` overlap", earlier.key, put.key);
            context.error(&put.span, message, "keep one of the two");
        }
        put.apply(&context, &mut tree);
    }
    let experiment = read_experiment(&context, &tree, stem);
    let diagnostics = context.into_diagnostics();
    match experiment {
        Some(experiment) if !diagnostics.has_errors() => Ok(Experiment {
            file: file_name.to_owned(),
            text: text.to_owned(),
            overrides: overrides.to_vec(),
            warnings: diagnostics.entries().to_vec(),
            ..experiment
        }),
        _ => Err(diagnostics),
    }
}

/// `--set a.b=value`: the value as TOML, or as a bare string where it is none.
fn parse_override(set: &str, diagnostics: &mut Diagnostics) -> Option<Put> {
    let source = diagnostics.add_source(&format!("--set {set}"), set);
    let span = |range| Span { source, range };
    let Some((key, value)) = set.split_once('=') else {
        let fix = "write a dotted key and its value, as `--set train.epochs=3`";
        diagnostics.error(Some(span(0..set.len())), "`--set` without `=`", fix);
        return None;
    };
    let mut scratch = Diagnostics::new("", "");
    let parsed = tree::parse(set, source, &mut scratch);
    let key = key.trim();
    let leaf = key.split('.').try_fold(&parsed, |node, key| match &node.value {
        Value::Table(table) => table.get(key).map(|entry| &entry.node),
        _ => None,
    });
    let node = match leaf {
        Some(node) if !scratch.has_errors() => node.clone(),
        _ => Node {
            span: span(set.len() - value.len()..set.len()),
            value: Value::Text(value.trim().to_owned()),
        },
    };
    Some(Put { key: key.to_owned(), span: span(0..key.len()), node })
}

fn read_experiment(context: &Context, tree: &Node, stem: &str) -> Option<Experiment> {
    let root = Keys::of(context, "", tree)?;
    let header = header::header(&root, stem);
    let seeds = header::seeds(&root);
    let sweep = sweep::sweep(&root, &HEADER);
    let kind = header.as_ref().map(|header| header.kind);
    let names = kind.map(Names::of);
    let swept = sweep.as_ref().map(|sweep| sweep.columns.as_slice());
    let table = header::table(&root, swept, names.as_ref());
    let plots = header::plots(&root, swept, names.as_ref());
    context.take_resolved();
    let cells = read_cells(context, tree, kind?, sweep.as_ref()?);
    let columns = sweep.as_ref().map(|sweep| sweep.columns.clone()).unwrap_or_default();
    let settings: Vec<Vec<(String, String)>> = sweep?
        .cells
        .iter()
        .map(|plan| columns.iter().cloned().zip(plan.values.iter().cloned()).collect())
        .collect();
    let grid = Grid { columns: &columns, cells: &settings, names: names.as_ref() };
    let published = header::published(&root, &grid);
    let expect = header::expect(&root, &grid, seeds.as_deref().unwrap_or_default());
    let roles = cells.as_ref().and_then(|cells| header::roles(&root, &resolved_keys(cells)));
    let header = header?;
    Some(Experiment {
        name: header.name,
        title: header.title,
        question: header.question,
        course: header.course,
        roles: roles?,
        quick: header.quick,
        kind: header.kind,
        seeds: seeds?,
        swept: columns,
        cells: cells?,
        published: published?,
        expect: expect?,
        table: table?,
        plots: plots?,
        warnings: Vec::new(),
        file: String::new(),
        text: String::new(),
        overrides: Vec::new(),
    })
}

/// Every key that some cell reads.
fn resolved_keys(cells: &[Cell]) -> BTreeSet<&str> {
    let lines = cells.iter().flat_map(|cell| cell.resolved.lines());
    lines.filter_map(|line| line.split_once(" = ")).map(|(key, _)| key).collect()
}

fn read_cells(context: &Context, tree: &Node, kind: &str, sweep: &Sweep) -> Option<Vec<Cell>> {
    let read = |plan: &sweep::Plan| {
        let mut tree = tree.clone();
        for put in &plan.puts {
            put.apply(context, &mut tree);
        }
        let kind = read_kind(context, &tree, kind).filter(|kind| shapes_fit(context, &tree, kind));
        let resolved: String = context.take_resolved().iter().map(|line| format!("{line}\n")).collect();
        let settings = sweep.columns.iter().cloned().zip(plan.values.iter().cloned()).collect();
        Some(Cell { settings, kind: kind?, resolved })
    };
    let cells: Vec<Option<Cell>> = sweep.cells.iter().map(read).collect();
    cells.into_iter().collect()
}

/// Whether the layers fit each other, and an image that the file holds; the error points at the layer.
fn shapes_fit(context: &Context, tree: &Node, kind: &Kind) -> bool {
    let (fitted, origins) = match kind {
        Kind::Network(trial) => {
            let TrainSpec { loss, batch, dtype, .. } = trial.train;
            (fit::model(&trial.model, loss, batch, dtype).map(|_| ()), &trial.model.origins)
        }
        Kind::GradientCheck(trial) => {
            if trial.batch == 1 && trial.model.layers.contains(&LayerSpec::BatchNorm) {
                let span = &tree.nearest("gradient_check.batch").span;
                let message = "`gradient_check.batch` is 1, and one sample has no variance to normalise by";
                context.error(span, message, "write `batch = 4`");
                return false;
            }
            (fit::model(&trial.model, trial.loss, trial.batch, Dtype::F64).map(|_| ()), &trial.model.origins)
        }
        Kind::Convolve(ConvolveTrial { image: Image::Inline { shape, .. }, .. }) => {
            let Kind::Convolve(trial) = kind else { return true };
            (fit::convolution(trial, *shape), &trial.origins)
        }
        _ => return true,
    };
    let Err(error) = fitted else { return true };
    let path = error.layer.and_then(|layer| origins.get(layer)).map_or_else(
        || if matches!(kind, Kind::Convolve(_)) { "convolve" } else { "model.layers" },
        String::as_str,
    );
    let message = format!("the shapes do not fit: {}: {}", error.chain, error.reason);
    context.error(&tree.nearest(path).span, message, format!("change `{path}` or what stands before it"));
    false
}

fn read_kind(context: &Context, tree: &Node, kind: &str) -> Option<Kind> {
    let root = Keys::of(context, "", tree)?;
    for key in HEADER {
        root.get(key);
    }
    root.record("kind", kind);
    let read = match kind {
        "network" => read::network::network(&root).map(|trial| Kind::Network(Box::new(trial))),
        "perceptron" => read::neuron::perceptron(&root).map(Kind::Perceptron),
        "adaline" => read::neuron::adaline(&root).map(Kind::Adaline),
        "gradient-check" => read::other_kinds::gradient_check(&root).map(Kind::GradientCheck),
        "convolve" => read::other_kinds::convolve(&root).map(Kind::Convolve),
        "kernels" => read::other_kinds::kernels(&root).map(Kind::Kernels),
        _ => read::other_kinds::activations(&root).map(Kind::Activations),
    };
    root.finish();
    read
}
