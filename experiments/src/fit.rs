//! Whether the parts of a trial fit each other: layers to layers, network to data, neuron to data.

use models::loss::Loss;
use models::network::{Outline, ShapeError, outline};

use crate::data::{Data, Targets};
use crate::exit::{Exit, Failure};
use crate::spec::{Dtype, Kind, LayerSpec, ModelSpec, NetworkTrial, Start};

/// More memory than this is a slip of the pen.
const MOST_BYTES: usize = 1 << 36;

/// The sizes of `model`, without taking its memory.
///
/// # Errors
/// [`ShapeError`] with the chain of shapes, also for more than 64 GiB.
pub fn model(model: &ModelSpec, loss: Loss, batch: usize, dtype: Dtype) -> Result<Outline, ShapeError> {
    let outline = match dtype {
        Dtype::F32 => outline::<f32>(&model.input, &model.layers, loss, batch)?,
        Dtype::F64 => outline::<f64>(&model.input, &model.layers, loss, batch)?,
    };
    let whole =
        |reason: String| Err(ShapeError { layer: None, chain: chain(&model.input, &outline), reason });
    if outline.memory > MOST_BYTES {
        return whole(format!(
            "needs {} GiB for {} parameters and batches of {batch}: make layers or batches smaller",
            outline.memory >> 30,
            outline.parameters
        ));
    }
    match &model.parameters {
        Some(given) if given.len() != outline.parameters => whole(format!(
            "`model.parameters` has {} values, the network has {} parameters",
            given.len(),
            outline.parameters
        )),
        _ => Ok(outline),
    }
}

/// The chain of shapes on one line: `[1, 28, 28] -> conv2d -> [6, 24, 24]`.
pub fn chain(input: &[usize], outline: &Outline) -> String {
    outline
        .layers
        .iter()
        .fold(format!("{input:?}"), |chain, layer| format!("{chain} -> {} -> {:?}", layer.kind, layer.output))
}

/// Whether a trial fits its data.
///
/// # Errors
/// [`Exit::Usage`], with key, reason and remedy.
pub fn trial(kind: &Kind, data: &Data) -> Result<(), Failure> {
    match kind {
        Kind::Network(trial) => network(trial, data),
        Kind::Perceptron(trial) => match &data.targets {
            Targets::Classes { .. } => neuron("perceptron", trial.bias, &trial.start, data),
            Targets::Values { name, .. } => wrong(
                format!("the perceptron tells two classes apart, but `{name}` of {} is a value", data.name),
                "remove `dataset.target`, or take kind = \"adaline\"",
            ),
        },
        Kind::Adaline(trial) => neuron("adaline", trial.bias, &trial.start, data),
        Kind::GradientCheck(_) | Kind::Convolve(_) | Kind::Kernels(_) | Kind::Activations(_) => Ok(()),
    }
}

fn wrong(what: String, fix: impl std::fmt::Display) -> Result<(), Failure> {
    Err(Failure::new(Exit::Usage, format!("error: {what}\n   = fix: {fix}")))
}

/// Two classes or a value, and as many start weights as inputs.
fn neuron(kind: &str, bias: bool, start: &Start, data: &Data) -> Result<(), Failure> {
    if let Targets::Classes { names, .. } = &data.targets
        && names.len() != 2
    {
        let what = format!("a single neuron tells 2 classes apart, {} has {}", data.name, names.len());
        return wrong(what, "keep two with `dataset.classes`");
    }
    let inputs = data.width() + usize::from(bias);
    match start {
        Start::Given(weights) if weights.len() != inputs => wrong(
            format!("`{kind}.start` has {} weights, the neuron has {inputs} inputs", weights.len()),
            if bias {
                "write the bias first, then one weight per feature"
            } else {
                "write one weight per feature"
            },
        ),
        _ => Ok(()),
    }
}

/// Whether `trial` fits `data`: input, outputs, loss, validation, batches.
fn network(trial: &NetworkTrial, data: &Data) -> Result<(), Failure> {
    let model = &trial.model;
    let wrong =
        |what: String, fix: String| Err(Failure::new(Exit::Usage, format!("error: {what}\n   = fix: {fix}")));
    let outline = self::model(model, trial.train.loss, trial.train.batch, trial.train.dtype)
        .map_err(|error| Failure::new(Exit::Usage, format!("error: {error}")))?;
    if model.input.iter().product::<usize>() != data.width() {
        return wrong(
            format!("`model.input` is {:?}, but a sample of {} is {:?}", model.input, data.name, data.shape),
            format!("write `input = {:?}`", data.shape),
        );
    }
    let shapes = chain(&model.input, &outline);
    match &data.targets {
        Targets::Values { name, .. } if trial.train.loss != Loss::Quadratic || outline.outputs != 1 => wrong(
            format!("`{name}` of {} is a value, but the network is {shapes} with another cost", data.name),
            "predict a value with one output and `loss = \"quadratic\"`".to_owned(),
        ),
        Targets::Classes { names, .. }
            if outline.outputs != names.len() && !one_for_two(trial, &outline, names) =>
        {
            wrong(
                format!(
                    "{} has {} classes, but the network has {} outputs: {shapes}",
                    data.name,
                    names.len(),
                    outline.outputs
                ),
                format!("end with `{{ dense = {{ units = {} }} }}`", names.len()),
            )
        }
        _ => rest(trial, data),
    }
}

/// Two classes may have one output, unless the cost is the softmax's.
fn one_for_two(trial: &NetworkTrial, outline: &Outline, names: &[String]) -> bool {
    names.len() == 2 && outline.outputs == 1 && trial.train.loss != Loss::SoftmaxCrossEntropy
}

fn rest(trial: &NetworkTrial, data: &Data) -> Result<(), Failure> {
    let wrong =
        |what: String, fix: &str| Err(Failure::new(Exit::Usage, format!("error: {what}\n   = fix: {fix}")));
    if let Some(select) = &trial.train.select
        && data.validation.is_empty()
    {
        let what = format!("`train.select` chooses by `{}`, but there is no validation part", select.metric);
        return wrong(what, "add `dataset.validation = 0.1`, or remove `train.select`");
    }
    let moved = trial.train.augment_shift > 0 || !trial.evaluate.shifts.is_empty();
    if moved && data.shape.len() != 3 {
        let what = format!("only pictures can be shifted, but a sample of {} is {:?}", data.name, data.shape);
        return wrong(what, "remove `train.augment_shift` and `evaluate.shifts`");
    }
    let last = data.train.len() % trial.train.batch;
    if last == 1 && trial.model.layers.contains(&LayerSpec::BatchNorm) {
        let what = format!(
            "{} samples in batches of {} leave a last batch of 1, which has no variance",
            data.train.len(),
            trial.train.batch
        );
        return wrong(what, "choose another `train.batch`");
    }
    Ok(())
}
