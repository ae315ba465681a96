//! `[model]`: the input, the layers, the start.

use kernels::activation::Activation;
use models::init::Init;
use models::network::{ConvSpec, LayerSpec, Window};

use crate::spec::ModelSpec;
use crate::spec::keys::{self, Context, Keys, Must, Tagged, suggestion, tagged};
use crate::spec::tree::{Node, Value};

/// Bounds far above any use here, so that no product of sizes overflows: units or channels, ...
const WIDEST: usize = 1 << 20;
/// ... filters, ...
const FILTERS: usize = 1 << 16;
/// ... length of a 1-D window, ...
const LONGEST: usize = 1 << 14;
/// ... side of a 2-D window, ...
const SIDE: usize = 128;
/// ... stride, padding, dilation, groups.
const STEP: usize = 1024;

/// `[model]`
pub(crate) fn model(keys: Keys<'_>) -> Option<ModelSpec> {
    let input = input(&keys);
    let layers = layers(&keys);
    let parameters = keys.numbers_if_any("parameters", Must::BeFinite);
    let init = match keys.get("init") {
        None if matches!(parameters, Some(Some(_))) => Some(Init::Zeros),
        _ => init(&keys),
    };
    keys.finish();
    let (layers, origins) = layers?;
    Some(ModelSpec { input: input?, layers, origins, init: init?, parameters: parameters? })
}

fn input(keys: &Keys<'_>) -> Option<Vec<usize>> {
    let node = keys.require("input", "input = [1, 28, 28]")?;
    let path = keys.path_of("input");
    let items = keys::list(keys.context, &path, node)?;
    let sizes: Vec<Option<usize>> =
        items.iter().map(|item| keys::count(keys.context, &path, item, [1, WIDEST])).collect();
    let sizes: Vec<usize> = sizes.into_iter().collect::<Option<_>>()?;
    if sizes.is_empty() || sizes.len() > 3 {
        let message = format!("`{path}` has {} sizes, expected 1 to 3", sizes.len());
        let fix = "write [features], [channels, length] or [channels, rows, columns]";
        keys.context.error(&node.span, message, fix);
        return None;
    }
    keys.record("input", &format!("{sizes:?}"));
    Some(sizes)
}

fn init(keys: &Keys<'_>) -> Option<Init> {
    let node = keys.require("init", "init = \"he-normal\"")?;
    let init = tagged(keys.context, &keys.path_of("init"), node)?;
    let read = match init.tag {
        "zeros" => Some(Init::Zeros),
        "normal" => init.keys.number("sd", Must::NotBeNegative).map(|sd| Init::Normal { sd }),
        "standard-normal" => Some(Init::StandardNormal),
        "xavier-uniform" => Some(Init::XavierUniform),
        "xavier-normal" => Some(Init::XavierNormal),
        "he-uniform" => Some(Init::HeUniform),
        "he-normal" => Some(Init::HeNormal),
        "nielsen" => Some(Init::Nielsen),
        _ => {
            let known = [
                "zeros",
                "normal",
                "standard-normal",
                "xavier-uniform",
                "xavier-normal",
                "he-uniform",
                "he-normal",
                "nielsen",
            ];
            init.unknown("start of the weights", &known);
            return None;
        }
    };
    keys.record("init", init.tag);
    init.keys.finish();
    read
}

fn layers(keys: &Keys<'_>) -> Option<(Vec<LayerSpec>, Vec<String>)> {
    let node = keys.require("layers", "layers = [{ dense = { units = 10 } }]")?;
    let layers = layer_list(keys.context, &keys.path_of("layers"), node)?;
    if layers.0.is_empty() {
        keys.context.error(
            &node.span,
            "a network needs a layer",
            "write `layers = [{ dense = { units = 10 } }]`",
        );
        return None;
    }
    Some(layers)
}

/// A list of layers at `path`, with their activations split off, and where each came from.
pub(crate) fn layer_list(
    context: &Context,
    path: &str,
    node: &Node,
) -> Option<(Vec<LayerSpec>, Vec<String>)> {
    let items = keys::list(context, path, node)?;
    let read: Vec<Option<(LayerSpec, Option<Activation>, String)>> =
        items.iter().enumerate().map(|(at, node)| layer(context, &format!("{path}.{at}"), node)).collect();
    let mut layers = Vec::new();
    let mut origins = Vec::new();
    for item in read {
        let (layer, activation, origin) = item?;
        layers.push(layer);
        if let Some(activation) = activation {
            layers.push(LayerSpec::Activation(activation));
            origins.push(origin.clone());
        }
        origins.push(origin);
    }
    Some((layers, origins))
}

const LAYERS: [&str; 12] = [
    "dense",
    "conv2d",
    "conv1d",
    "max_pool2d",
    "average_pool2d",
    "max_pool1d",
    "average_pool1d",
    "global_average_pool",
    "softmax",
    "dropout",
    "flatten",
    "batch_norm",
];

fn layer(context: &Context, path: &str, node: &Node) -> Option<(LayerSpec, Option<Activation>, String)> {
    let entry = tagged(context, path, node)?;
    context.record(path, entry.tag);
    let keys = &entry.keys;
    let mut activation = Some(None);
    let layer = match entry.tag {
        "dense" => {
            activation = attached(keys);
            dense(keys)
        }
        "conv2d" => {
            activation = attached(keys);
            conv2d(keys)
        }
        "conv1d" => {
            activation = attached(keys);
            conv1d(keys)
        }
        "max_pool2d" => window2d(keys).map(LayerSpec::MaxPool2d),
        "average_pool2d" => window2d(keys).map(LayerSpec::AveragePool2d),
        "max_pool1d" => window1d(keys).map(LayerSpec::MaxPool1d),
        "average_pool1d" => window1d(keys).map(LayerSpec::AveragePool1d),
        "global_average_pool" => Some(LayerSpec::GlobalAveragePool),
        "softmax" => Some(LayerSpec::Softmax),
        "dropout" => keys.number("rate", Must::BeAPart).map(|rate| LayerSpec::Dropout { rate }),
        "flatten" => Some(LayerSpec::Flatten),
        "batch_norm" => Some(LayerSpec::BatchNorm),
        _ if ACTIVATIONS.contains(&entry.tag) => activation_of(&entry).map(LayerSpec::Activation),
        _ => {
            let known: Vec<&str> = LAYERS.iter().chain(&ACTIVATIONS).copied().collect();
            entry.unknown("layer", &known);
            return None;
        }
    };
    let origin = entry.keys.path.clone();
    entry.keys.finish();
    Some((layer?, activation?, origin))
}

fn dense(keys: &Keys<'_>) -> Option<LayerSpec> {
    let units = keys.count("units", [1, WIDEST]);
    let bias = keys.flag_or("bias", true);
    Some(LayerSpec::Dense { units: units?, bias: bias? })
}

fn conv2d(keys: &Keys<'_>) -> Option<LayerSpec> {
    let filters = keys.count("filters", [1, FILTERS]);
    let kernel = keys.pair_or("kernel", None, [1, SIDE]);
    let stride = keys.pair_or("stride", Some([1, 1]), [1, STEP]);
    let padding = keys.pair_or("padding", Some([0, 0]), [0, STEP]);
    let dilation = keys.pair_or("dilation", Some([1, 1]), [1, STEP]);
    let groups = keys.count_or("groups", 1, [1, STEP]);
    let bias = keys.flag_or("bias", true);
    let true_convolution = keys.flag_or("true_convolution", false);
    Some(LayerSpec::Conv2d(ConvSpec {
        filters: filters?,
        kernel: kernel?,
        stride: stride?,
        padding: padding?,
        dilation: dilation?,
        groups: groups?,
        bias: bias?,
        true_convolution: true_convolution?,
    }))
}

fn conv1d(keys: &Keys<'_>) -> Option<LayerSpec> {
    let filters = keys.count("filters", [1, FILTERS]);
    let kernel = keys.count("kernel", [1, LONGEST]);
    let stride = keys.count_or("stride", 1, [1, STEP]);
    let padding = keys.count_or("padding", 0, [0, STEP]);
    let dilation = keys.count_or("dilation", 1, [1, STEP]);
    let groups = keys.count_or("groups", 1, [1, STEP]);
    let bias = keys.flag_or("bias", true);
    Some(LayerSpec::Conv1d(ConvSpec {
        filters: filters?,
        kernel: [1, kernel?],
        stride: [1, stride?],
        padding: [0, padding?],
        dilation: [1, dilation?],
        groups: groups?,
        bias: bias?,
        true_convolution: false,
    }))
}

/// Kernel, stride (the kernel's size unless given) and padding of a pooling layer.
fn window2d(keys: &Keys<'_>) -> Option<Window> {
    let kernel = keys.pair_or("kernel", None, [1, SIDE]);
    let stride = keys.pair_or("stride", Some(kernel.unwrap_or([1, 1])), [1, STEP]);
    let padding = keys.pair_or("padding", Some([0, 0]), [0, STEP]);
    Some(Window { kernel: kernel?, stride: stride?, padding: padding? })
}

fn window1d(keys: &Keys<'_>) -> Option<Window> {
    let kernel = keys.count("kernel", [1, LONGEST]);
    let stride = keys.count_or("stride", kernel.unwrap_or(1), [1, STEP]);
    let padding = keys.count_or("padding", 0, [0, STEP]);
    Some(Window { kernel: [1, kernel?], stride: [1, stride?], padding: [0, padding?] })
}

/// The `activation` key of a layer with weights.
fn attached(keys: &Keys<'_>) -> Option<Option<Activation>> {
    let Some(node) = keys.get("activation") else { return Some(None) };
    activation(keys.context, &keys.path_of("activation"), node).map(Some)
}

/// The names of the activation functions.
pub(crate) const ACTIVATIONS: [&str; 9] =
    ["identity", "step", "sign", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus"];

/// An activation: its name, or `{ elu = { alpha = 1.0 } }`.
pub(crate) fn activation(context: &Context, path: &str, node: &Node) -> Option<Activation> {
    let entry = tagged(context, path, node)?;
    context.record(path, entry.tag);
    if !ACTIVATIONS.contains(&entry.tag) {
        let fix = match (&node.value, entry.tag) {
            (Value::Text(_), "softmax") => {
                "softmax is no elementwise function: write it as a layer".to_owned()
            }
            _ => suggestion(entry.tag, &ACTIVATIONS),
        };
        context.error(entry.span, format!("no activation is called `{}`", entry.tag), fix);
        return None;
    }
    let read = activation_of(&entry);
    entry.keys.finish();
    read
}

fn activation_of(entry: &Tagged<'_>) -> Option<Activation> {
    match entry.tag {
        "identity" => Some(Activation::Identity),
        "step" => Some(Activation::Step),
        "sign" => Some(Activation::Sign),
        "sigmoid" => Some(Activation::Sigmoid),
        "tanh" => Some(Activation::Tanh),
        "relu" => Some(Activation::Relu),
        "leaky_relu" => {
            let slope = entry.keys.number_or("slope", 0.01, Must::BeFinite)?;
            Some(Activation::LeakyRelu { slope })
        }
        "elu" => {
            let alpha = entry.keys.number_or("alpha", 1.0, Must::BeFinite)?;
            Some(Activation::Elu { alpha })
        }
        _ => Some(Activation::Softplus),
    }
}
