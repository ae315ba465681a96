//! `[perceptron]` and `[adaline]`.

use super::dataset::{dataset, preprocess};
use crate::spec::keys::{self, Keys, MOST, Must, tagged};
use crate::spec::tree::Value;
use crate::spec::{AdalineTrial, PerceptronTrial, Rule, Start, Unit};

/// The whole of kind `perceptron`.
pub(crate) fn perceptron(root: &Keys<'_>) -> Option<PerceptronTrial> {
    let dataset = root.table("dataset", "[dataset]").and_then(dataset);
    let preprocess = preprocess(root);
    let keys = root.table("perceptron", "[perceptron]")?;
    let unit = keys.choice_or_first("unit", &[("sign", Unit::Sign), ("step", Unit::Step)]);
    let eta = keys.number("eta", Must::BePositive);
    let epochs = keys.count("epochs", [1, MOST]);
    let bias = keys.flag_or("bias", true);
    let start = start(&keys);
    let shuffle = keys.flag_or("shuffle", false);
    let stop_when_separated = keys.flag_or("stop_when_separated", false);
    let novikoff = keys.flag_or("novikoff", false);
    keys.finish();
    Some(PerceptronTrial {
        dataset: dataset?,
        preprocess: preprocess?,
        unit: unit?,
        eta: eta?,
        epochs: epochs?,
        bias: bias?,
        start: start?,
        shuffle: shuffle?,
        stop_when_separated: stop_when_separated?,
        novikoff: novikoff?,
    })
}

/// The whole of kind `adaline`.
pub(crate) fn adaline(root: &Keys<'_>) -> Option<AdalineTrial> {
    let dataset = root.table("dataset", "[dataset]").and_then(dataset);
    let preprocess = preprocess(root);
    let keys = root.table("adaline", "[adaline]")?;
    let rule = rule(&keys);
    let solved = rule == Some(Rule::NormalEquations);
    let eta = if solved {
        keys.number_or("eta", 0.0, Must::NotBeNegative)
    } else {
        keys.number("eta", Must::BePositive)
    };
    let epochs = if solved { keys.count_or("epochs", 1, [1, MOST]) } else { keys.count("epochs", [1, MOST]) };
    let bias = keys.flag_or("bias", true);
    let start = start(&keys);
    let shuffle = keys.flag_or("shuffle", false);
    keys.finish();
    Some(AdalineTrial {
        dataset: dataset?,
        preprocess: preprocess?,
        rule: rule?,
        eta: eta?,
        epochs: epochs?,
        bias: bias?,
        start: start?,
        shuffle: shuffle?,
    })
}

fn rule(keys: &Keys<'_>) -> Option<Rule> {
    let node = keys.require("rule", "rule = \"per-sample\"")?;
    let entry = tagged(keys.context, &keys.path_of("rule"), node)?;
    keys.record("rule", entry.tag);
    let read = match entry.tag {
        "per-sample" => Some(Rule::PerSample),
        "full-batch" => Some(Rule::FullBatch),
        "mini-batch" => entry.keys.count("batch", [1, MOST]).map(|batch| Rule::MiniBatch { batch }),
        "normal-equations" => Some(Rule::NormalEquations),
        _ => {
            entry.unknown("rule", &["per-sample", "full-batch", "mini-batch", "normal-equations"]);
            return None;
        }
    };
    entry.keys.finish();
    read
}

/// `start`: "zeros", `{ normal = { sd = 0.01 } }`, or the weights, the bias first.
fn start(keys: &Keys<'_>) -> Option<Start> {
    let Some(node) = keys.get("start") else {
        keys.record("start", "zeros");
        return Some(Start::Zeros);
    };
    let path = keys.path_of("start");
    if let Value::Array(_) = node.value {
        let weights = keys::numbers(keys.context, &path, node, Must::BeFinite)?;
        keys.record("start", &format!("{weights:?}"));
        return Some(Start::Given(weights));
    }
    let entry = tagged(keys.context, &path, node)?;
    keys.record("start", entry.tag);
    let read = match entry.tag {
        "zeros" => Some(Start::Zeros),
        "normal" => entry.keys.number("sd", Must::NotBeNegative).map(|sd| Start::Normal { sd }),
        _ => {
            entry.unknown("start", &["zeros", "normal"]);
            return None;
        }
    };
    entry.keys.finish();
    read
}
