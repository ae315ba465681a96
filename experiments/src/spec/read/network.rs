//! `[train]`, `[evaluate]` and `[probes]` of a network.

use models::loss::Loss;
use models::optimizer::{OptimizerSpec, Rule, Schedule};

use super::dataset::{dataset, preprocess};
use super::model::model;
use crate::spec::keys::{self, Keys, MOST, Must, tagged};
use crate::spec::{Dtype, EvaluateSpec, Keep, NetworkTrial, Probes, Select, TrainSpec};

/// The whole of kind `network`.
pub(crate) fn network(root: &Keys<'_>) -> Option<NetworkTrial> {
    let dataset = root.table("dataset", "[dataset]").and_then(dataset);
    let preprocess = preprocess(root);
    let model = root.table("model", "[model]").and_then(model);
    let train = root.table("train", "[train]").and_then(train);
    let evaluate = evaluate(root);
    let probes = probes(root);
    let keep = keep(root);
    Some(NetworkTrial {
        dataset: dataset?,
        preprocess: preprocess?,
        model: model?,
        train: train?,
        evaluate: evaluate?,
        probes: probes?,
        keep: keep?,
    })
}

/// The names of the costs.
pub(crate) const LOSSES: [(&str, Loss); 3] = [
    ("cross-entropy", Loss::SoftmaxCrossEntropy),
    ("quadratic", Loss::Quadratic),
    ("binary-cross-entropy", Loss::BinaryCrossEntropy),
];

fn train(keys: Keys<'_>) -> Option<TrainSpec> {
    let epochs = keys.count("epochs", [0, 1 << 24]);
    let batch = keys.count("batch", [1, 1 << 24]);
    let loss = keys.choice("loss", &LOSSES);
    let optimizer = optimizer(&keys);
    let schedule = schedule(&keys);
    let warm_up = keys.count_or("warm_up", 0, [0, 1 << 24]).map(|epochs| epochs as u32);
    let shuffle = keys.flag_or("shuffle", true);
    let augment_shift = keys.count_or("augment_shift", 0, [0, 1024]);
    let dtype = keys.choice_or_first("dtype", &[("f32", Dtype::F32), ("f64", Dtype::F64)]);
    let select = match keys.get("select") {
        None => Some(None),
        Some(node) => Keys::of(keys.context, "train.select", node).and_then(select).map(Some),
    };
    keys.finish();
    Some(TrainSpec {
        epochs: epochs?,
        batch: batch?,
        loss: loss?,
        optimizer: OptimizerSpec { rule: optimizer?, schedule: schedule?, warm_up: warm_up? },
        shuffle: shuffle?,
        augment_shift: augment_shift?,
        select: select?,
        dtype: dtype?,
    })
}

fn optimizer(keys: &Keys<'_>) -> Option<Rule> {
    let node = keys.require("optimizer", "optimizer = { sgd = { learning_rate = 0.1 } }")?;
    let entry = tagged(keys.context, &keys.path_of("optimizer"), node)?;
    let read = match entry.tag {
        "sgd" => sgd(&entry.keys),
        "adam" => adam(&entry.keys),
        _ => {
            entry.unknown("optimizer", &["sgd", "adam"]);
            return None;
        }
    };
    entry.keys.finish();
    read
}

fn sgd(keys: &Keys<'_>) -> Option<Rule> {
    let learning_rate = keys.number("learning_rate", Must::NotBeNegative);
    let momentum = keys.number_or("momentum", 0.0, Must::BeAPart);
    let nesterov = keys.flag_or("nesterov", false);
    let weight_decay = keys.number_or("weight_decay", 0.0, Must::NotBeNegative);
    if nesterov == Some(true) && momentum == Some(0.0) {
        let fix = "add `momentum = 0.9`, or remove `nesterov`";
        keys.context.error(&keys.span, "Nesterov's rule looks ahead along the momentum, which is 0", fix);
        return None;
    }
    Some(Rule::Sgd {
        learning_rate: learning_rate?,
        momentum: momentum?,
        nesterov: nesterov?,
        weight_decay: weight_decay?,
    })
}

fn adam(keys: &Keys<'_>) -> Option<Rule> {
    let learning_rate = keys.number_or("learning_rate", 0.001, Must::NotBeNegative);
    let beta1 = keys.number_or("beta1", 0.9, Must::BeAPart);
    let beta2 = keys.number_or("beta2", 0.999, Must::BeAPart);
    let epsilon = keys.number_or("epsilon", 1e-8, Must::BePositive);
    let weight_decay = keys.number_or("weight_decay", 0.0, Must::NotBeNegative);
    Some(Rule::Adam {
        learning_rate: learning_rate?,
        beta1: beta1?,
        beta2: beta2?,
        epsilon: epsilon?,
        weight_decay: weight_decay?,
    })
}

fn schedule(keys: &Keys<'_>) -> Option<Schedule> {
    let Some(node) = keys.get("schedule") else {
        keys.record("schedule", "constant");
        return Some(Schedule::Constant);
    };
    let entry = tagged(keys.context, &keys.path_of("schedule"), node)?;
    keys.record("schedule", entry.tag);
    let read = match entry.tag {
        "constant" => Some(Schedule::Constant),
        "step" => {
            let every = epochs(&entry.keys, "every");
            let factor = entry.keys.number("factor", Must::BePositive);
            every.zip(factor).map(|(every, factor)| Schedule::Step { every, factor })
        }
        "cosine" => epochs(&entry.keys, "epochs").map(|epochs| Schedule::Cosine { epochs }),
        "linear" => {
            let epochs = epochs(&entry.keys, "epochs");
            let end = entry.keys.number_or("end", 0.0, Must::NotBeNegative);
            epochs.zip(end).map(|(epochs, end)| Schedule::Linear { epochs, end })
        }
        _ => {
            entry.unknown("schedule", &["constant", "step", "cosine", "linear"]);
            return None;
        }
    };
    entry.keys.finish();
    read
}

fn epochs<'a>(keys: &Keys<'a>, key: &'a str) -> Option<u32> {
    keys.count(key, [1, 1 << 24]).map(|epochs| epochs as u32)
}

fn select(keys: Keys<'_>) -> Option<Select> {
    let metrics = [("validation.accuracy", "validation.accuracy"), ("validation.loss", "validation.loss")];
    let metric = match keys.get("metric") {
        Some(node) if matches!(node.text().split_once('.'), Some(("test", _))) => {
            let fix = "choose by `validation.accuracy` or `validation.loss`, with `dataset.validation = n`";
            let message =
                format!("`{}` chooses by the test set, whose figure would then mean nothing", keys.path);
            keys.context.error(&node.span, message, fix);
            None
        }
        _ => keys.choice("metric", &metrics),
    };
    let largest = match keys.get("mode") {
        Some(_) => keys.choice("mode", &[("max", true), ("min", false)]),
        None => metric.map(|metric| metric.ends_with("accuracy")),
    };
    let patience = match keys.get("patience") {
        Some(_) => keys.count("patience", [1, MOST]).map(Some),
        None => Some(None),
    };
    keys.finish();
    Some(Select { metric: metric?.to_owned(), largest: largest?, patience: patience? })
}

fn evaluate(root: &Keys<'_>) -> Option<EvaluateSpec> {
    let Some(node) = root.get("evaluate") else {
        return Some(EvaluateSpec { every: 1, train: false, shifts: Vec::new() });
    };
    let keys = Keys::of(root.context, "evaluate", node)?;
    let every = keys.count_or("every", 1, [1, MOST]);
    let train = keys.flag_or("train", false);
    let shifts = shifts(&keys);
    keys.finish();
    Some(EvaluateSpec { every: every?, train: train?, shifts: shifts? })
}

fn shifts(keys: &Keys<'_>) -> Option<Vec<i64>> {
    let Some(shifts) = keys.numbers_if_any("shifts", Must::BeFinite)? else { return Some(Vec::new()) };
    let whole: Vec<i64> = shifts.iter().map(|&shift| shift as i64).collect();
    if whole.iter().zip(&shifts).any(|(&whole, &shift)| whole as f64 != shift || whole.abs() > 1024) {
        let message = format!("`{}` holds a value that is no whole number of pixels", keys.path_of("shifts"));
        keys.context.error(
            &keys.span,
            message,
            "write `shifts = [0, 1, 2]`; negative numbers shift to the left",
        );
        return None;
    }
    Some(whole)
}

fn probes(root: &Keys<'_>) -> Option<Probes> {
    let Some(node) = root.get("probes") else { return Some(Probes::default()) };
    let keys = Keys::of(root.context, "probes", node)?;
    let delta_norms = keys.flag_or("delta_norms", false);
    let delta_norms_by_epoch = keys.flag_or("delta_norms_by_epoch", false);
    let weight_norms = keys.flag_or("weight_norms", false);
    keys.finish();
    Some(Probes {
        delta_norms: delta_norms?,
        delta_norms_by_epoch: delta_norms_by_epoch?,
        weight_norms: weight_norms?,
    })
}

/// `keep`: what is written besides; it changes no result.
fn keep(root: &Keys<'_>) -> Option<Vec<Keep>> {
    let Some(node) = root.get("keep") else { return Some(Vec::new()) };
    let items = keys::list(root.context, "keep", node)?;
    let kept: Vec<Option<Keep>> = items
        .iter()
        .map(|item| {
            keys::choice(root.context, "keep", item, &[("weights", Keep::Weights)]).map(|(_, keep)| keep)
        })
        .collect();
    kept.into_iter().collect()
}
