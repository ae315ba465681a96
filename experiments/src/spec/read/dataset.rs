//! `[dataset]` and `[preprocess]`.

use std::path::PathBuf;

use crate::command;
use crate::data::catalogue;
use crate::spec::keys::{self, Context, Keys, MOST, Must, tagged};
use crate::spec::tree::{Node, Value};
use crate::spec::{DatasetSpec, Function, Per, Share, Source, Split, Step};

/// `[dataset]`
pub(crate) fn dataset(keys: Keys<'_>) -> Option<DatasetSpec> {
    let source = source(&keys);
    let rows = rows(&keys);
    let features = keys.texts_if_any("features");
    let classes = keys.texts_if_any("classes");
    let target = keys.text_if_any("target");
    let split = split(&keys);
    let validation = match keys.get("validation") {
        None => Some(Share::Count(0)),
        Some(node) => share(&keys, "validation", node),
    };
    let train = keys.get("train").map(|node| {
        let count = keys::count(keys.context, &keys.path_of("train"), node, [1, MOST])?;
        keys.record("train", &count.to_string());
        Some(count)
    });
    let split_seed = keys.seed_or("split_seed", 0);
    keys.finish();
    Some(DatasetSpec {
        source: source?,
        rows: rows?,
        features: features?,
        classes: classes?,
        target: target?,
        split: split?,
        validation: validation?,
        train: match train {
            Some(train) => Some(train?),
            None => None,
        },
        split_seed: split_seed?,
    })
}

const SOURCES: [&str; 7] = ["name", "csv", "images", "idx", "inline", "clouds", "function"];

fn source(keys: &Keys<'_>) -> Option<Source> {
    let given: Vec<&str> = SOURCES.iter().copied().filter(|key| keys.get(key).is_some()).collect();
    match given.as_slice() {
        ["name"] => catalogue_set(keys),
        ["csv"] => {
            let path = path(keys, "csv");
            let class = keys.text_if_any("class");
            Some(Source::Csv { path: path?, class: class? })
        }
        ["images"] => {
            let path = path(keys, "images");
            let channels = keys.choice_or_first("colours", &[("grey", 1), ("rgb", 3)]);
            Some(Source::Images { path: path?, channels: channels? })
        }
        ["idx"] => idx(keys.table_if_any("idx")?),
        ["inline"] => inline(keys.table_if_any("inline")?),
        ["clouds"] => clouds(keys.table_if_any("clouds")?),
        ["function"] => function(keys.table_if_any("function")?),
        [] => {
            let fix =
                format!("add `name = \"digits\"`; `{}` prints the sets", command::line(["data", "list"]));
            keys.context.error(
                &keys.span,
                format!("`{}` does not say where the data come from", keys.path),
                fix,
            );
            None
        }
        [first, others @ ..] => {
            let message =
                format!("`{}` has both `{first}` and `{}`: data come from one place", keys.path, others[0]);
            keys.context.error(&keys.span, message, "keep one of them");
            None
        }
    }
}

fn catalogue_set(keys: &Keys<'_>) -> Option<Source> {
    let names: Vec<(&str, &str)> = catalogue::names().map(|name| (name, name)).collect();
    let name = keys.choice("name", &names);
    let folder = match keys.get("folder") {
        Some(_) => path(keys, "folder").map(Some),
        None => Some(None),
    };
    let (name, folder) = (name?, folder?);
    if let Some(node) = keys.get("folder").filter(|_| !catalogue::is_on_disk(name)) {
        let message =
            format!("`{}` names a folder, but {name} is inside the program", keys.path_of("folder"));
        keys.context.error(&node.span, message, "remove the key");
        return None;
    }
    Some(Source::Catalogue { name: name.to_owned(), folder })
}

/// A path: part of no identity, because the digests of what lies there are.
fn path(keys: &Keys<'_>, key: &'static str) -> Option<PathBuf> {
    let node = keys.require(key, &format!("{key} = \"path\""))?;
    keys::text(keys.context, &keys.path_of(key), node).map(PathBuf::from)
}

fn idx(keys: Keys<'_>) -> Option<Source> {
    let train = path(&keys, "train");
    let train_labels = path(&keys, "train_labels");
    let test = match (keys.get("test"), keys.get("test_labels")) {
        (None, None) => Some(None),
        _ => path(&keys, "test").zip(path(&keys, "test_labels")).map(Some),
    };
    let class_names = keys.texts_if_any("class_names");
    keys.finish();
    Some(Source::Idx {
        train: train?,
        train_labels: train_labels?,
        test: test?,
        class_names: class_names?.unwrap_or_default(),
    })
}

fn inline(keys: Keys<'_>) -> Option<Source> {
    let features = rows_of_numbers(&keys, "features");
    let values = keys.numbers_if_any("values", Must::BeFinite);
    let labels = keys.get("labels").map(|node| labels(&keys, node));
    let span = keys.span.clone();
    let context = keys.context;
    keys.finish();
    let (features, values) = (features?, values?.unwrap_or_default());
    let labels = match labels {
        Some(labels) => labels?,
        None => Vec::new(),
    };
    let targets = labels.len() + values.len();
    if labels.is_empty() == values.is_empty() || targets != features.len() {
        let message = format!(
            "inline data have {} rows, {} labels and {} values",
            features.len(),
            labels.len(),
            values.len()
        );
        context.error(&span, message, "give one label per row (classes) or one value per row (regression)");
        return None;
    }
    Some(Source::Inline { features, labels, values })
}

fn labels(keys: &Keys<'_>, node: &Node) -> Option<Vec<u32>> {
    let path = keys.path_of("labels");
    let items = keys::list(keys.context, &path, node)?;
    let labels: Vec<Option<usize>> =
        items.iter().map(|item| keys::count(keys.context, &path, item, [0, 65_535])).collect();
    keys.record("labels", &node.text());
    labels.into_iter().map(|label| label.map(|label| label as u32)).collect()
}

/// A list of equally long lists of numbers.
pub(crate) fn rows_of_numbers(keys: &Keys<'_>, key: &'static str) -> Option<Vec<Vec<f64>>> {
    let node = keys.require(key, &format!("{key} = [[0, 1], [1, 0]]"))?;
    let path = keys.path_of(key);
    let items = keys::list(keys.context, &path, node)?;
    let rows: Vec<Option<Vec<f64>>> =
        items.iter().map(|item| keys::numbers(keys.context, &path, item, Must::BeFinite)).collect();
    let rows: Vec<Vec<f64>> = rows.into_iter().collect::<Option<_>>()?;
    let width = rows.first().map_or(0, Vec::len);
    if width == 0 {
        keys.context.error(&node.span, format!("`{path}` is empty"), "write at least one row of numbers");
        return None;
    }
    if let Some(at) = rows.iter().position(|row| row.len() != width) {
        let message =
            format!("`{path}`: row {} has {} numbers, the first has {width}", at + 1, rows[at].len());
        keys.context.error(&items[at].span, message, "make all rows equally long");
        return None;
    }
    keys.record(key, &format!("{rows:?}"));
    Some(rows)
}

fn clouds(keys: Keys<'_>) -> Option<Source> {
    let samples = keys.count("samples", [2, 10_000_000]);
    let features = keys.count_or("features", 2, [1, 10_000]);
    let radius = keys.number_or("radius", 1.0, Must::BePositive);
    let margin = keys.number("margin", Must::BePositive);
    let seed = own_seed(&keys);
    if let (Some(margin), Some(radius)) = (margin, radius)
        && margin >= radius
    {
        let message =
            format!("`{}`: a margin of {margin} leaves no room in a ball of radius {radius}", keys.path);
        keys.context.error(&keys.span, message, "choose a margin below the radius");
        return None;
    }
    keys.finish();
    Some(Source::Clouds {
        samples: samples?,
        features: features?,
        margin: margin?,
        radius: radius?,
        seed: seed?,
    })
}

/// A seed of the data's own; without one they are drawn from each trial's seed.
fn own_seed(keys: &Keys<'_>) -> Option<Option<u64>> {
    match keys.get("seed") {
        Some(_) => keys.seed_or("seed", 0).map(Some),
        None => {
            keys.record("seed", "the trial's");
            Some(None)
        }
    }
}

const FUNCTIONS: [(&str, Function); 5] = [
    ("sine", Function::Sine),
    ("absolute", Function::Absolute),
    ("step", Function::Step),
    ("square", Function::Square),
    ("nielsen", Function::Nielsen),
];

fn function(keys: Keys<'_>) -> Option<Source> {
    let function = keys.choice("name", &FUNCTIONS);
    let samples = keys.count("samples", [2, 10_000_000]);
    let test_samples = keys.count_or("test_samples", 0, [0, 10_000_000]);
    let from = keys.number_or("from", 0.0, Must::BeFinite);
    let to = keys.number_or("to", 1.0, Must::BeFinite);
    let noise = keys.number_or("noise", 0.0, Must::NotBeNegative);
    let seed = own_seed(&keys);
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        let message = format!("`{}` runs from {from} to {to}", keys.path);
        keys.context.error(&keys.span, message, "let `from` be below `to`");
        return None;
    }
    keys.finish();
    Some(Source::Function {
        function: function?,
        samples: samples?,
        test_samples: test_samples?,
        from: from?,
        to: to?,
        noise: noise?,
        seed: seed?,
    })
}

fn rows(keys: &Keys<'_>) -> Option<Option<[usize; 2]>> {
    let Some(node) = keys.get("rows") else { return Some(None) };
    let path = keys.path_of("rows");
    let items = keys::list(keys.context, &path, node)?;
    let bounds: Option<Vec<usize>> =
        items.iter().map(|item| keys::count(keys.context, &path, item, [1, MOST])).collect();
    match bounds?.as_slice() {
        [first, last] if first <= last => {
            keys.record("rows", &node.text());
            Some(Some([*first, *last]))
        }
        _ => {
            let message = format!("`{path}` is {}", node.text());
            keys.context.error(&node.span, message, "write the first and the last row, as `rows = [1, 100]`");
            None
        }
    }
}

fn split(keys: &Keys<'_>) -> Option<Split> {
    let Some(node) = keys.get("split") else {
        keys.record("split", "given");
        return Some(Split::Given);
    };
    if let Value::Text(_) = node.value {
        return keys.choice("split", &[("given", Split::Given)]);
    }
    let keys = Keys::of(keys.context, &keys.path_of("split"), node)?;
    let fix = "write \"given\", { first = 898 }, { test = 0.25 } or { folds = 13, fold = 0 }";
    let split = match [keys.get("first"), keys.get("test"), keys.get("folds").or(keys.get("fold"))] {
        [Some(_), None, None] => keys.count("first", [1, MOST]).map(Split::First),
        [None, Some(node), None] => share(&keys, "test", node).map(Split::Test),
        [None, None, Some(_)] => fold(&keys),
        _ => {
            keys.context.error(&keys.span, format!("`{}` does not name one kind of split", keys.path), fix);
            None
        }
    };
    keys.finish();
    split
}

fn fold(keys: &Keys<'_>) -> Option<Split> {
    let folds = keys.count("folds", [2, MOST]);
    let fold = keys.count("fold", [0, MOST]);
    let (folds, fold) = (folds?, fold?);
    if fold >= folds {
        let message = format!("`{}`: fold {fold} of {folds} does not exist", keys.path);
        keys.context.error(&keys.span, message, format!("folds are counted from 0 to {}", folds - 1));
        return None;
    }
    Some(Split::Fold { folds, fold })
}

/// An integer: a number of samples. A number with a point: a part of them.
fn share(keys: &Keys<'_>, key: &str, node: &Node) -> Option<Share> {
    let path = keys.path_of(key);
    let share = match node.value {
        Value::Float(_) => Share::Part(keys::number(keys.context, &path, node, Must::BeAPart)?),
        _ => Share::Count(keys::count(keys.context, &path, node, [0, MOST])?),
    };
    keys.record(key, &node.text());
    Some(share)
}

/// `[preprocess]`
pub(crate) fn preprocess(root: &Keys<'_>) -> Option<Vec<Step>> {
    let Some(node) = root.get("preprocess") else { return Some(Vec::new()) };
    let keys = Keys::of(root.context, "preprocess", node)?;
    let steps = keys.require("steps", "steps = [{ divide = { by = 255 } }]");
    let steps = steps.and_then(|node| keys::list(keys.context, "preprocess.steps", node));
    let context = keys.context;
    keys.finish();
    let steps: Vec<Option<Step>> =
        steps?.iter().enumerate().map(|(at, node)| step(context, at, node)).collect();
    steps.into_iter().collect()
}

fn step(context: &Context, at: usize, node: &Node) -> Option<Step> {
    let step = tagged(context, &format!("preprocess.steps.{at}"), node)?;
    let read = match step.tag {
        "divide" => step.keys.number("by", Must::BePositive).map(|by| Step::Divide { by }),
        "standardise" => step
            .keys
            .choice_or_first("per", &[("feature", Per::Feature), ("channel", Per::Channel)])
            .map(|per| Step::Standardise { per }),
        _ => {
            step.unknown("step of preprocessing", &["divide", "standardise"]);
            return None;
        }
    };
    step.keys.finish();
    read
}
