//! `[gradient_check]`, `[convolve]`, `[kernels]` and `[activations]`.

use std::path::PathBuf;

use super::model::{activation, layer_list, model};
use super::network::LOSSES;
use crate::spec::keys::{self, Context, Keys, MOST, Must};
use crate::spec::tree::{Node, Value};
use crate::spec::{ActivationsTrial, ConvolveTrial, Filter, GradientCheckTrial, Image, KernelsTrial};

/// The whole of kind `gradient-check`.
pub(crate) fn gradient_check(root: &Keys<'_>) -> Option<GradientCheckTrial> {
    let model = root.table("model", "[model]").and_then(model);
    let keys = root.table("gradient_check", "[gradient_check]")?;
    let loss = keys.choice("loss", &LOSSES);
    let batch = keys.count_or("batch", 4, [1, 65_536]);
    let steps = keys.require("steps", "steps = [1e-3, 1e-5, 1e-7]");
    let steps = steps.and_then(|node| {
        let steps = keys.numbers_if_any("steps", Must::BePositive).flatten();
        if steps.as_ref().is_some_and(Vec::is_empty) {
            keys.context.error(
                &node.span,
                "`gradient_check.steps` is empty",
                "write at least one step, as `[1e-5]`",
            );
        }
        steps
    });
    let parameters = match keys.get("parameters") {
        Some(_) => keys.count("parameters", [1, MOST]).map(Some),
        None => Some(None),
    };
    keys.finish();
    Some(GradientCheckTrial {
        model: model?,
        loss: loss?,
        batch: batch?,
        steps: steps?,
        parameters: parameters?,
    })
}

/// The whole of kind `convolve`.
pub(crate) fn convolve(root: &Keys<'_>) -> Option<ConvolveTrial> {
    let keys = root.table("convolve", "[convolve]")?;
    let image = image(&keys);
    let filter = filter(&keys);
    let stride = keys.pair_or("stride", Some([1, 1]), [1, 4096]);
    let padding = keys.pair_or("padding", Some([0, 0]), [0, 4096]);
    let dilation = keys.pair_or("dilation", Some([1, 1]), [1, 4096]);
    let true_convolution = keys.flag_or("true_convolution", false);
    let then = match keys.get("then") {
        Some(node) => layer_list(keys.context, "convolve.then", node),
        None => Some((Vec::new(), Vec::new())),
    };
    let shifts = shifts(&keys);
    let pictures = keys.flag_or("pictures", true);
    let values = keys.flag_or("values", false);
    keys.finish();
    let (then, behind) = then?;
    let origins = std::iter::once("convolve.filter".to_owned()).chain(behind).collect();
    Some(ConvolveTrial {
        image: image?,
        filter: filter?,
        stride: stride?,
        padding: padding?,
        dilation: dilation?,
        true_convolution: true_convolution?,
        then,
        origins,
        shifts: shifts?,
        pictures: pictures?,
        values: values?,
    })
}

/// `image`: "temple", `{ file = "photo.png" }`, or values by channel, row, column.
fn image(keys: &Keys<'_>) -> Option<Image> {
    let node = keys.require("image", "image = \"temple\"")?;
    match &node.value {
        Value::Text(_) => {
            keys::choice(keys.context, &keys.path_of("image"), node, &[("temple", ())]).map(|_| {
                keys.record("image", "temple");
                Image::Temple
            })
        }
        Value::Table(_) => {
            let inner = Keys::of(keys.context, &keys.path_of("image"), node)?;
            let file = inner.require("file", "file = \"photo.png\"");
            let file = file.and_then(|node| keys::text(inner.context, &inner.path_of("file"), node));
            inner.finish();
            file.map(|file| Image::File(PathBuf::from(file)))
        }
        _ => {
            let (shape, values) = block(keys.context, &keys.path_of("image"), node)?;
            keys.record("image", &node.text());
            Some(Image::Inline { shape, values })
        }
    }
}

/// The filters that have a name: rows of a kernel and what they are divided by.
const NAMED: [(&str, &[&[i32]], i32); 8] = [
    ("identity", &[&[0, 0, 0], &[0, 1, 0], &[0, 0, 0]], 1),
    ("sobel-x", &[&[-1, 0, 1], &[-2, 0, 2], &[-1, 0, 1]], 1),
    ("sobel-y", &[&[-1, -2, -1], &[0, 0, 0], &[1, 2, 1]], 1),
    ("laplacian", &[&[0, 1, 0], &[1, -4, 1], &[0, 1, 0]], 1),
    ("sharpen", &[&[0, -1, 0], &[-1, 5, -1], &[0, -1, 0]], 1),
    ("emboss", &[&[-2, -1, 0], &[-1, 1, 1], &[0, 1, 2]], 1),
    ("box-blur", &[&[1, 1, 1], &[1, 1, 1], &[1, 1, 1]], 9),
    ("gaussian-blur", &[&[1, 2, 1], &[2, 4, 2], &[1, 2, 1]], 16),
];

/// `filter`: the name of one, or `{ name, weights, bias }` with weights by output channel, input
/// channel, row, column (one output channel may leave the outermost list out).
fn filter(keys: &Keys<'_>) -> Option<Filter> {
    let node = keys.require("filter", "filter = \"sobel-x\"")?;
    let path = keys.path_of("filter");
    if let Value::Text(_) = node.value {
        let choices: Vec<(&str, usize)> = NAMED.iter().enumerate().map(|(at, named)| (named.0, at)).collect();
        let (name, at) = keys::choice(keys.context, &path, node, &choices)?;
        let (_, rows, divisor) = NAMED[at];
        keys.record("filter", name);
        let weights = rows.iter().copied().flatten().map(|&w| f64::from(w) / f64::from(divisor)).collect();
        return Some(Filter {
            name: name.to_owned(),
            shape: [1, 1, rows.len(), rows[0].len()],
            weights,
            bias: vec![0.0],
        });
    }
    let inner = Keys::of(keys.context, &path, node)?;
    let name = inner.words_or("name", "filter");
    let weights = inner.require("weights", "weights = [[[1, 0], [0, 1]]]").and_then(|node| {
        inner.record("weights", &node.text());
        filters(inner.context, &inner.path_of("weights"), node)
    });
    let bias = inner.numbers_if_any("bias", Must::BeFinite);
    let (context, span) = (inner.context, inner.span.clone());
    inner.finish();
    let (shape, weights) = weights?;
    let bias = bias?.unwrap_or_else(|| vec![0.0; shape[0]]);
    if bias.len() != shape[0] {
        let message = format!("`{path}` has {} biases for {} output channels", bias.len(), shape[0]);
        context.error(&span, message, "give one bias per output channel");
        return None;
    }
    Some(Filter { name: name?, shape, weights, bias })
}

/// Weights by (output channel,) input channel, row, column.
fn filters(context: &Context, path: &str, node: &Node) -> Option<([usize; 4], Vec<f64>)> {
    if depth(node) < 4 {
        let ([c, h, w], values) = block(context, path, node)?;
        return Some(([1, c, h, w], values));
    }
    let items = keys::list(context, path, node)?;
    let blocks: Vec<Option<([usize; 3], Vec<f64>)>> =
        items.iter().map(|item| block(context, path, item)).collect();
    let blocks: Vec<([usize; 3], Vec<f64>)> = blocks.into_iter().collect::<Option<_>>()?;
    let shape = blocks.first()?.0;
    if let Some(at) = blocks.iter().position(|block| block.0 != shape) {
        let message = format!("`{path}`: filter {at} is {:?}, the first is {shape:?}", blocks[at].0);
        context.error(&items[at].span, message, "make all filters equally large");
        return None;
    }
    let [c, h, w] = shape;
    Some(([blocks.len(), c, h, w], blocks.into_iter().flat_map(|block| block.1).collect()))
}

fn depth(node: &Node) -> usize {
    match &node.value {
        Value::Array(items) => 1 + items.first().map_or(0, depth),
        _ => 0,
    }
}

/// Numbers by channel, row, column.
fn block(context: &Context, path: &str, node: &Node) -> Option<([usize; 3], Vec<f64>)> {
    let channels = keys::list(context, path, node)?;
    let mut values = Vec::new();
    let mut shape: Option<[usize; 2]> = None;
    for channel in channels {
        let rows = keys::list(context, path, channel)?;
        for row in rows {
            let numbers = keys::numbers(context, path, row, Must::BeFinite)?;
            let [h, w] = *shape.get_or_insert([rows.len(), numbers.len()]);
            if rows.len() != h || numbers.len() != w {
                let message = format!(
                    "`{path}`: a part of {} x {} stands beside one of {h} x {w}",
                    rows.len(),
                    numbers.len()
                );
                context.error(&row.span, message, "make all rows and channels equally large");
                return None;
            }
            values.extend(numbers);
        }
    }
    match shape {
        Some([h, w]) if h > 0 && w > 0 => Some(([channels.len(), h, w], values)),
        _ => {
            context.error(&node.span, format!("`{path}` is empty"), "write numbers by channel, row, column");
            None
        }
    }
}

fn shifts(keys: &Keys<'_>) -> Option<Vec<[usize; 2]>> {
    let Some(node) = keys.get("shifts") else { return Some(Vec::new()) };
    let path = keys.path_of("shifts");
    let items = keys::list(keys.context, &path, node)?;
    let pair = |item: &Node| {
        let sizes: Option<Vec<usize>> = keys::list(keys.context, &path, item)?
            .iter()
            .map(|size| keys::count(keys.context, &path, size, [0, 4096]))
            .collect();
        match sizes?.as_slice() {
            [rows, columns] => Some([*rows, *columns]),
            _ => {
                keys.wrong("shifts", item, "rows and columns", "write `shifts = [[0, 1], [2, 2]]`");
                None
            }
        }
    };
    let pairs: Vec<Option<[usize; 2]>> = items.iter().map(pair).collect();
    keys.record("shifts", &node.text());
    pairs.into_iter().collect()
}

/// The whole of kind `kernels`.
pub(crate) fn kernels(root: &Keys<'_>) -> Option<KernelsTrial> {
    let keys = root.table("kernels", "[kernels]")?;
    let shape = keys.require("shape", "shape = [256, 256, 256]").and_then(|node| {
        let path = keys.path_of("shape");
        let sizes: Option<Vec<usize>> = keys::list(keys.context, &path, node)?
            .iter()
            .map(|size| keys::count(keys.context, &path, size, [1, 16_384]))
            .collect();
        match sizes?.as_slice() {
            [m, n, k] => Some([*m, *n, *k]),
            _ => {
                keys.wrong("shape", node, "three sizes: m, n, k", "write `shape = [256, 256, 256]`");
                None
            }
        }
    });
    if let Some(shape) = shape {
        keys.record("shape", &format!("{shape:?}"));
    }
    let names = kernels::gemm::ladder::rungs::<f32>().map(|rung| rung.name.replace(' ', "-"));
    let rungs: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
    let rung = keys.choice("rung", &rungs);
    let repeats = keys.count_or("repeats", 15, [1, 100_000]);
    keys.finish();
    Some(KernelsTrial { shape: shape?, rung: rung?.to_owned(), repeats: repeats? })
}

/// The whole of kind `activations`.
pub(crate) fn activations(root: &Keys<'_>) -> Option<ActivationsTrial> {
    let keys = root.table("activations", "[activations]")?;
    let function = keys.require("function", "function = \"relu\"");
    let function = function.and_then(|node| activation(keys.context, &keys.path_of("function"), node));
    let from = keys.number_or("from", -5.0, Must::BeFinite);
    let to = keys.number_or("to", 5.0, Must::BeFinite);
    let points = keys.count_or("points", 201, [2, 1_000_000]);
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        keys.context.error(
            &keys.span,
            format!("`activations` runs from {from} to {to}"),
            "let `from` be below `to`",
        );
        return None;
    }
    keys.finish();
    Some(ActivationsTrial { function: function?, from: from?, to: to?, points: points? })
}
