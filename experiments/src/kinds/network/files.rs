//! The files of a trained network: what its pictures and other programs read.

use std::fmt::Write;

use kernels::Exec;
use models::NetworkElement;
use models::checkpoint::save_weights;
use models::network::{LayerSpec, Network};
use sha2::{Digest, Sha256};

use super::batch::image_of;
use super::figures;
use super::pictures::Pictures;
use crate::data::{Data, Features, Targets};
use crate::durable;
use crate::kinds::boundary::Plane;
use crate::kinds::{Stopped, csv_field};
use crate::outcome::Outcome;
use crate::preprocess::{Part, Prepared};
use crate::spec::{Keep, NetworkTrial};

/// At most so many mistakes and feature maps are kept.
const PICTURES_KEPT: usize = 64;

const WEIGHTS: &str = "weights.safetensors";

type File = (String, Vec<u8>);

/// SHA-256 of the weights' canonical bytes.
pub(super) fn weights_digest<T: NetworkElement>(network: &Network<T>) -> String {
    let mut hash = Sha256::new();
    network.canonical_bytes(|bytes| hash.update(bytes));
    durable::hex(&hash.finalize())
}

/// All files of a trial whose training went to its end.
pub(super) fn files<T: NetworkElement>(
    trial: &NetworkTrial,
    exec: Exec,
    data: &Data,
    sets: &Prepared<T>,
    network: &mut Network<T>,
) -> Result<Vec<File>, Stopped> {
    let mut files = Vec::new();
    if !sets.test.rows.is_empty() {
        let evaluation = figures::evaluate(exec, network, &sets.test)?;
        match &data.targets {
            Targets::Classes { names, .. } => {
                files.push(confusion(names, &sets.test.labels, &evaluation.predictions));
                files.push(predicted_classes(&sets.test, &evaluation.predictions));
                files.extend(mistakes(data, names, &sets.test, &evaluation.predictions));
            }
            Targets::Values { .. } => files.push(predicted_values(exec, &sets.test, &evaluation.outputs)),
        }
    }
    files.extend(filters(&trial.model.layers, network));
    files.extend(feature_maps(trial, exec, sets, network)?);
    files.extend(boundary(trial, exec, data, sets, network));
    if trial.keep.contains(&Keep::Weights) {
        let bytes = save_weights(network).map_err(|e| Stopped::Failed(e.to_string()))?;
        files.push((WEIGHTS.to_owned(), bytes));
    }
    Ok(files)
}

/// Whether every file of `keep` is among the outcome's.
pub(in crate::kinds) fn has_kept_files(trial: &NetworkTrial, outcome: &Outcome) -> bool {
    trial.keep.iter().all(|keep| match keep {
        Keep::Weights => outcome.files.iter().any(|(name, _)| name == WEIGHTS),
    })
}

/// One row per true class: how many of its samples were given each class.
fn confusion(names: &[String], labels: &[u32], predictions: &[u32]) -> File {
    let mut counts = vec![vec![0_u64; names.len()]; names.len()];
    for (&label, &prediction) in labels.iter().zip(predictions) {
        if let Some(count) = counts[label as usize].get_mut(prediction as usize) {
            *count += 1;
        }
    }
    let fields: Vec<String> = names.iter().map(|name| csv_field(name)).collect();
    let mut text = format!("true,{}\n", fields.join(","));
    for (name, counts) in fields.iter().zip(counts) {
        let counts: Vec<String> = counts.iter().map(u64::to_string).collect();
        push(&mut text, format_args!("{name},{}\n", counts.join(",")));
    }
    ("confusion.csv".to_owned(), text.into_bytes())
}

/// `sample` is the row in the data set, from 0.
fn predicted_classes<T>(part: &Part<T>, predictions: &[u32]) -> File {
    let mut text = "sample,true,predicted\n".to_owned();
    for ((row, label), prediction) in part.rows.iter().zip(&part.labels).zip(predictions) {
        push(&mut text, format_args!("{row},{label},{prediction}\n"));
    }
    ("predictions.csv".to_owned(), text.into_bytes())
}

/// With a single feature, its value stands before the two others: the curve that was learnt.
fn predicted_values<T: NetworkElement>(exec: Exec, part: &Part<T>, outputs: &[T]) -> File {
    let single = part.width == 1;
    let x = part.to_values(exec.level);
    let mut text = if single { "sample,x,true,predicted\n" } else { "sample,true,predicted\n" }.to_owned();
    for (i, ((row, value), output)) in part.rows.iter().zip(&part.values).zip(outputs).enumerate() {
        let x = if single { format!("{:?},", x[i]) } else { String::new() };
        push(&mut text, format_args!("{row},{x}{value:?},{:?}\n", output.canonical()));
    }
    ("predictions.csv".to_owned(), text.into_bytes())
}

/// The first test images that were given a wrong class, as stored.
fn mistakes<T>(data: &Data, names: &[String], part: &Part<T>, predictions: &[u32]) -> Option<File> {
    let [channels, height, width] = data.shape[..] else { return None };
    let shape = [channels, height, width];
    let mut pictures = Pictures::default();
    let wrong = part.rows.iter().zip(&part.labels).zip(predictions).filter(|((_, l), p)| l != p);
    for ((&row, &label), &prediction) in wrong.take(PICTURES_KEPT) {
        let name = |class: u32| names.get(class as usize).map_or("?", String::as_str);
        let title = format!("{} > {}", name(label), name(prediction));
        let range = row as usize * data.width()..(row as usize + 1) * data.width();
        match &data.features {
            Features::U8(x) => pictures.push(&title, shape, &x[range]),
            Features::I16(x) => pictures.push(&title, shape, &x[range]),
            Features::F64(x) => pictures.push(&title, shape, &x[range]),
        }
    }
    Some(("mistakes.csv".to_owned(), pictures.into_csv()))
}

/// The weights of the first layer that learns, if it is a convolution: a picture per filter, or per
/// filter and channel where the channels are no colours.
fn filters<T: NetworkElement>(layers: &[LayerSpec], network: &Network<T>) -> Option<File> {
    let first = first_convolution(layers)?;
    let tensor = network.tensors().find(|tensor| tensor.name == format!("{first}.weight"))?;
    let (filters, [channels, height, width]) = match tensor.shape[..] {
        [f, c, h, w] if c == 1 || c == 3 => (f, [c, h, w]),
        [f, c, h, w] => (f * c, [1, h, w]),
        // A 1-D filter: its channels one below the other.
        [f, c, length] => (f, [1, c, length]),
        _ => return None,
    };
    let mut pictures = Pictures::default();
    for (k, filter) in tensor.data.chunks_exact(channels * height * width).take(filters).enumerate() {
        pictures.push(&(k + 1).to_string(), [channels, height, width], filter);
    }
    Some(("filters.csv".to_owned(), pictures.into_csv()))
}

/// The first layer that learns, if it is a convolution.
fn first_convolution(layers: &[LayerSpec]) -> Option<usize> {
    let learns = |layer: &LayerSpec| {
        matches!(layer, LayerSpec::Dense { .. } | LayerSpec::Conv2d(_) | LayerSpec::Conv1d(_))
    };
    let first = layers.iter().position(learns)?;
    (!matches!(layers[first], LayerSpec::Dense { .. })).then_some(first)
}

/// What that convolution, with its activation, makes of the first test sample.
fn feature_maps<T: NetworkElement>(
    trial: &NetworkTrial,
    exec: Exec,
    sets: &Prepared<T>,
    network: &mut Network<T>,
) -> Result<Option<File>, Stopped> {
    let layers = &trial.model.layers;
    let Some(first) = first_convolution(layers).filter(|_| !sets.test.is_empty()) else { return Ok(None) };
    let mut x = vec![T::ZERO; network.inputs()];
    sets.test.gather(exec.level, |i| i)(0..1, &mut x);
    let activated = matches!(layers.get(first + 1), Some(LayerSpec::Activation(_)));
    let shown = first + usize::from(activated);
    let mut outputs = vec![T::ZERO; network.outputs()];
    network.predict(exec, &x, &mut outputs)?;
    let [maps, height, width] = image_of(&network.layers()[shown].output);
    let mut pictures = Pictures::default();
    let values = network.activations(shown).chunks_exact(height * width);
    for (k, map) in values.take(maps.min(PICTURES_KEPT)).enumerate() {
        pictures.push(&(k + 1).to_string(), [1, height, width], map);
    }
    Ok(Some(("feature-maps.csv".to_owned(), pictures.into_csv())))
}

fn boundary<T: NetworkElement>(
    trial: &NetworkTrial,
    exec: Exec,
    data: &Data,
    sets: &Prepared<T>,
    network: &mut Network<T>,
) -> Option<File> {
    let Targets::Classes { names, .. } = &data.targets else { return None };
    let processed = !trial.preprocess.is_empty();
    let plane = Plane { data, part: &sets.train, names, processed, level: exec.level };
    plane.csv(|points| {
        // The labels only give the evaluation something to compare with.
        let labels = vec![0; points.len() / 2];
        Ok(network.evaluate(exec, points, models::loss::Targets::Labels(&labels))?.predictions)
    })
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(line);
}
