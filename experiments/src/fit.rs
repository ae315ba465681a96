//! Whether the parts of a trial fit each other: layers to layers, network to data, neuron to data.

use models::loss::Loss;
use models::network::{Outline, ShapeError, outline};
use models::optimizer::Rule;

use crate::data::picture::Picture;
use crate::data::{Data, Targets};
use crate::exit::{Exit, Failure};
use crate::kinds;
use crate::spec::{ConvolveTrial, Dtype, Kind, LayerSpec, ModelSpec, NetworkTrial, Start};

/// More memory than this is a slip of the pen.
const MOST_BYTES: usize = 1 << 36;

/// The sizes of `model`, without taking its memory.
///
/// # Errors
/// [`ShapeError`] with the chain of shapes, also for more than 64 GiB.
pub fn model(model: &ModelSpec, loss: Loss, batch: usize, dtype: Dtype) -> Result<Outline, ShapeError> {
    let outline = outline_of(model, loss, batch, dtype)?;
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

/// Bytes that a trial takes besides its data: the network, the optimiser, the best weights so far, and a
/// checkpoint of all that on its way to the disk (its bytes, and the file made of them).
pub fn memory(kind: &Kind, data: &Data) -> usize {
    let Kind::Network(trial) = kind else { return 0 };
    let batch = kinds::largest_batch(trial, data.train.len());
    let train = &trial.train;
    let element = match train.dtype {
        Dtype::F32 => size_of::<f32>(),
        Dtype::F64 => size_of::<f64>(),
    };
    let Ok(outline) = outline_of(&trial.model, train.loss, batch, train.dtype) else { return 0 };
    let remembered = match train.optimizer.rule {
        Rule::Sgd { momentum, .. } => usize::from(momentum != 0.0),
        Rule::Adam { .. } => 2,
    };
    let copies = remembered + usize::from(train.select.is_some());
    let weights = outline.parameters.saturating_mul(element);
    let checkpoint = weights.saturating_mul(1 + copies).saturating_mul(2);
    outline.memory.saturating_add(weights.saturating_mul(copies)).saturating_add(checkpoint)
}

fn outline_of(model: &ModelSpec, loss: Loss, batch: usize, dtype: Dtype) -> Result<Outline, ShapeError> {
    match dtype {
        Dtype::F32 => outline::<f32>(&model.input, &model.layers, loss, batch),
        Dtype::F64 => outline::<f64>(&model.input, &model.layers, loss, batch),
    }
}

/// The chain of shapes on one line: `[1, 28, 28] -> conv2d -> [6, 24, 24]`.
pub fn chain(input: &[usize], outline: &Outline) -> String {
    outline
        .layers
        .iter()
        .fold(format!("{input:?}"), |chain, layer| format!("{chain} -> {} -> {:?}", layer.kind, layer.output))
}

/// Whether the filter and the layers behind it fit an image of `shape`.
///
/// # Errors
/// [`ShapeError`] with the chain of shapes.
pub fn convolution(trial: &ConvolveTrial, shape: [usize; 3]) -> Result<(), ShapeError> {
    let wrong = |layer, reason| Err(ShapeError { layer: Some(layer), chain: format!("{shape:?}"), reason });
    let [_, per_filter, kernel_h, kernel_w] = trial.filter.shape;
    if ![1, shape[0]].contains(&per_filter) {
        let reason = format!("the weights are for {per_filter} input channels, the image has {}", shape[0]);
        return wrong(0, reason);
    }
    let reach = |axis: usize, kernel: usize| trial.dilation[axis] * (kernel - 1) + 1;
    let window = [reach(0, kernel_h), reach(1, kernel_w)];
    let padded = [0, 1].map(|axis| shape[axis + 1] + 2 * trial.padding[axis]);
    if window[0] > padded[0] || window[1] > padded[1] {
        let [[h, w], [rows, columns]] = [window, padded];
        return wrong(
            0,
            format!("a kernel that covers {h} x {w} is larger than the padded image, {rows} x {columns}"),
        );
    }
    let mut layers = trial.layers(shape[0]);
    layers.push(LayerSpec::Flatten);
    let outline = outline::<f64>(&shape, &layers, Loss::Quadratic, 1)?;
    match outline.layers.iter().skip(1).position(|layer| layer.parameters > 0) {
        Some(at) => {
            let reason = format!("`{}` learns, and nothing does here", outline.layers[at + 1].kind);
            wrong(at + 1, format!("{reason}: write activations or pooling"))
        }
        None => Ok(()),
    }
}

/// Whether a convolution fits its picture.
///
/// # Errors
/// [`Exit::Usage`], with the layer's key, the shapes and the remedy.
pub fn picture(trial: &ConvolveTrial, picture: &Picture) -> Result<(), Failure> {
    convolution(trial, picture.shape).map_err(|error| {
        let key = error.layer.and_then(|layer| trial.origins.get(layer)).map_or("convolve", String::as_str);
        let what = format!("the shapes of `{key}` do not fit: {}: {}", error.chain, error.reason);
        let fix = format!("change `{key}` or what stands before it");
        Failure::new(Exit::Usage, format!("error: {what}\n   = fix: {fix}"))
    })
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

/// What to do about data of a single class.
const ONE_CLASS: &str =
    "take two classes or more: change `dataset.classes` or `dataset.rows`, or take other data";

/// Two classes or a value, and as many start weights as inputs.
fn neuron(kind: &str, bias: bool, start: &Start, data: &Data) -> Result<(), Failure> {
    if let Targets::Classes { names, .. } = &data.targets
        && names.len() != 2
    {
        let what = format!("a single neuron tells 2 classes apart, {} has {}", data.name, names.len());
        return match names.len() {
            0 | 1 => wrong(what, ONE_CLASS),
            _ => wrong(what, "keep two with `dataset.classes`"),
        };
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
        // One class and one output: a neuron that is pulled to one value.
        Targets::Classes { names, .. } if names.len() < 2 && outline.outputs != names.len() => wrong(
            format!("{} has {} class, which leaves nothing to tell apart", data.name, names.len()),
            ONE_CLASS.to_owned(),
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
