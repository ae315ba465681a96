//! What stands around the trial: name, question, roles, seeds, published and expected figures, table.

use std::collections::BTreeSet;

use crate::diagnostics::did_you_mean;
use crate::spec::keys::{self, Context, Keys, Must, list, numbers, text};
use crate::spec::names::Names;
use crate::spec::tree::Node;
use crate::spec::{Expect, PlotSpec, Published, Role, Statistic, TableSpec};

/// The keys of a file that are no setting of a trial.
pub(crate) const HEADER: [&str; 15] = [
    "schema",
    "name",
    "title",
    "question",
    "course",
    "kind",
    "quick",
    "keep",
    "roles",
    "seeds",
    "sweep",
    "published",
    "expect",
    "table",
    "plot",
];

/// The kinds.
pub(crate) const KINDS: [&str; 7] =
    ["network", "perceptron", "adaline", "gradient-check", "convolve", "kernels", "activations"];

/// The plain keys at the top of a file.
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) question: String,
    pub(crate) course: String,
    pub(crate) kind: &'static str,
    pub(crate) quick: bool,
}

/// Reads the plain keys; `stem` is the file's name without its ending.
pub(crate) fn header(root: &Keys<'_>, stem: &str) -> Option<Header> {
    let schema = root.count("schema", [1, 1]);
    let name = name(root, stem);
    let title = root.words_or("title", stem);
    let question = root.require("question", "question = \"What does this answer?\"");
    let question = question.and_then(|node| text(root.context, "question", node)).map(str::to_owned);
    let course = root.words_or("course", "");
    let kinds: Vec<(&str, &'static str)> = KINDS.iter().map(|&kind| (kind, kind)).collect();
    let kind = root.choice_or_first("kind", &kinds);
    let quick = root.flag_or("quick", false);
    schema?;
    Some(Header {
        name: name?,
        title: title?,
        question: question?,
        course: course?,
        kind: kind?,
        quick: quick?,
    })
}

fn name(root: &Keys<'_>, stem: &str) -> Option<String> {
    let plain = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let name = root.words_or("name", stem)?;
    if !plain(stem) {
        let message = format!("the file is called `{stem}.toml`, and so would its results folder");
        root.context.error(&root.span, message, "rename it with lower-case letters, digits and `-`");
        return None;
    }
    if stem == "benchmarks" {
        let message = "the results of an experiment called `benchmarks` would stand among the timings";
        root.context.error(&root.span, message, "rename the file");
        return None;
    }
    if name != stem {
        let span = root.get("name").map_or(&root.span, |node| &node.span);
        let message = format!("the name is `{name}`, the file is called `{stem}.toml`");
        root.context.error(span, message, format!("write `name = \"{stem}\"` or rename the file"));
        return None;
    }
    Some(name)
}

/// `[seeds]`: each seed once.
pub(crate) fn seeds(root: &Keys<'_>) -> Option<Vec<u64>> {
    let Some(keys) = root.table_if_any("seeds") else {
        return if root.get("seeds").is_none() { Some(vec![1]) } else { None };
    };
    let seeds = match (keys.get("list"), keys.get("count")) {
        (Some(node), None) => seed_list(keys.context, node),
        (None, Some(_)) => keys.count("count", [1, 1_000_000]).map(|count| (1..=count as u64).collect()),
        _ => {
            let fix = "write `list = [1, 2, 3]` or `count = 3`";
            keys.context.error(&keys.span, "`seeds` needs either a list or a count", fix);
            None
        }
    };
    keys.finish();
    seeds
}

fn seed_list(context: &Context, node: &Node) -> Option<Vec<u64>> {
    let items = list(context, "seeds.list", node)?;
    let mut seeds: Vec<u64> = Vec::new();
    let mut whole = true;
    for item in items {
        match keys::count(context, "seeds.list", item, [0, i64::MAX as usize]) {
            Some(seed) if seeds.contains(&(seed as u64)) => {
                let message =
                    format!("the seed {seed} stands twice: its trial would count twice in every mean");
                context.error(&item.span, message, "remove it, or use another seed");
                whole = false;
            }
            Some(seed) => seeds.push(seed as u64),
            None => whole = false,
        }
    }
    if items.is_empty() {
        context.error(&node.span, "`seeds.list` is empty", "write at least one seed");
        return None;
    }
    whole.then_some(seeds)
}

/// `[roles]`: dotted keys by role; each is one that some cell reads (`known`), or stands above such keys.
pub(crate) fn roles(root: &Keys<'_>, known: &BTreeSet<&str>) -> Option<Vec<(String, Role)>> {
    let Some(keys) = root.table_if_any("roles") else { return Some(Vec::new()) };
    let exists = |key: &str| known.contains(key) || known.iter().any(|known| is_below(known, key));
    let mut roles: Vec<(String, Role)> = Vec::new();
    for role in [Role::Scientific, Role::Nuisance, Role::Fixed] {
        let Some(node) = keys.get(role.name()) else { continue };
        for item in list(keys.context, &keys.path_of(role.name()), node)? {
            let key = text(keys.context, &keys.path_of(role.name()), item)?;
            if roles.iter().any(|(earlier, _)| earlier == key) {
                keys.context.error(&item.span, format!("`{key}` has two roles"), "keep one of them");
            } else if !exists(key) {
                let message = format!("no key of this experiment is called `{key}`");
                keys.context.error(&item.span, message, nearest_key(key, known));
            } else {
                roles.push((key.to_owned(), role));
            }
        }
    }
    keys.finish();
    Some(roles)
}

fn is_below(key: &str, above: &str) -> bool {
    key.strip_prefix(above).is_some_and(|rest| rest.starts_with('.'))
}

/// What `[roles]` should say instead of `key`, which is none of the `known` ones.
fn nearest_key(key: &str, known: &BTreeSet<&str>) -> String {
    let last = |key: &str| key.rsplit('.').next().map(str::to_owned);
    // The same setting of another optimizer or layer first: `learning_rate` stays what it is.
    let same: Vec<&str> = known.iter().copied().filter(|known| last(known) == last(key)).collect();
    match did_you_mean(key, same).or_else(|| did_you_mean(key, known.iter().copied())) {
        Some(near) => format!("write `{near}`, which this experiment has, or remove it from `[roles]`"),
        None => {
            let known: Vec<&str> = known.iter().copied().collect();
            format!("remove it from `[roles]`, or write one of {}", known.join(", "))
        }
    }
}

/// A list of tables, `[[name]]`.
fn tables<'a>(root: &Keys<'a>, name: &'a str) -> Option<Vec<Keys<'a>>> {
    let Some(node) = root.get(name) else { return Some(Vec::new()) };
    let items = list(root.context, name, node)?;
    items.iter().enumerate().map(|(at, item)| Keys::of(root.context, &format!("{name}.{at}"), item)).collect()
}

/// The swept columns and the values of every cell, to resolve `where`.
pub(crate) struct Grid<'g> {
    pub(crate) columns: &'g [String],
    pub(crate) cells: &'g [Vec<(String, String)>],
    /// What the kind calls its figures; `None` if the kind is not known.
    pub(crate) names: Option<&'g Names>,
}

/// `where = { key = value }`: swept keys with a value that some cell has, as the cells write it.
fn place(keys: &Keys<'_>, grid: &Grid<'_>) -> Option<Vec<(String, String)>> {
    let Some(inner) = keys.table_if_any("where") else { return Some(Vec::new()) };
    let mut place = Vec::new();
    for (key, span, node) in inner.all() {
        let Some(column) = grid.columns.iter().position(|column| column == key) else {
            let known: Vec<&str> = grid.columns.iter().map(String::as_str).collect();
            inner.context.error(span, format!("`{key}` is not swept"), keys::suggestion(key, &known));
            return None;
        };
        let wanted = node.text();
        let value = grid.cells.iter().map(|cell| &cell[column].1).find(|value| same_value(value, &wanted));
        let Some(value) = value else {
            let mut values: Vec<&str> = grid.cells.iter().map(|cell| cell[column].1.as_str()).collect();
            values.dedup();
            let message = format!("the sweep over `{key}` has no value {wanted}");
            inner.context.error(&node.span, message, keys::suggestion(&wanted, &values));
            return None;
        };
        place.push((key.to_owned(), value.clone()));
    }
    Some(place)
}

/// Equal as text, or as numbers: 1 and 1.0.
fn same_value(a: &str, b: &str) -> bool {
    a == b || matches!((a.parse::<f64>(), b.parse::<f64>()), (Ok(a), Ok(b)) if a == b)
}

/// `[[published]]`
pub(crate) fn published(root: &Keys<'_>, grid: &Grid<'_>) -> Option<Vec<Published>> {
    let read = |keys: Keys<'_>| {
        let cell = place(&keys, grid);
        let metric = metric(&keys, |name| grid.names?.unknown_figure(name));
        let values = match (keys.get("value"), keys.get("values")) {
            (Some(node), None) => {
                keys::number(keys.context, &keys.path_of("value"), node, Must::BeFinite).map(|x| vec![x])
            }
            (None, Some(node)) => numbers(keys.context, &keys.path_of("values"), node, Must::BeFinite),
            _ => {
                let fix = "write `value = 0.871`, or `values = [...]` for a series";
                keys.context.error(&keys.span, format!("`{}` needs a value or values", keys.path), fix);
                None
            }
        };
        let at = points(&keys, values.as_ref().map_or(0, Vec::len));
        let source = keys.require("source", "source = \"Author (year), place\"");
        let source =
            source.and_then(|node| text(keys.context, &keys.path_of("source"), node)).map(str::to_owned);
        let note = keys.words_or("note", "");
        keys.finish();
        Some(Published {
            cell: cell?,
            metric: metric?,
            values: values?,
            at: at?,
            source: source?,
            note: note?,
        })
    };
    let read: Vec<Option<Published>> = tables(root, "published")?.into_iter().map(read).collect();
    read.into_iter().collect()
}

/// `at`: the points of the curve that a series with gaps belongs to, ascending; all from 1 without it.
fn points(keys: &Keys<'_>, values: usize) -> Option<Vec<usize>> {
    let Some(node) = keys.get("at") else { return Some((1..=values).collect()) };
    let items = list(keys.context, &keys.path_of("at"), node)?;
    let at: Vec<usize> = items
        .iter()
        .map(|item| keys::count(keys.context, &keys.path_of("at"), item, [1, keys::MOST]))
        .collect::<Option<_>>()?;
    if at.len() != values || !at.is_sorted_by(|a, b| a < b) {
        let message = format!("`{}` names {} points for {values} values", keys.path_of("at"), at.len());
        let fix = "name one point of the curve per value, ascending from 1, as `at = [1, 2, 10]`";
        keys.context.error(&node.span, message, fix);
        return None;
    }
    Some(at)
}

/// `unknown` gives the remedy for a name that the kind does not have.
fn metric(keys: &Keys<'_>, unknown: impl Fn(&str) -> Option<String>) -> Option<String> {
    let node = keys.require("metric", "metric = \"test.accuracy\"")?;
    figure(keys, "metric", node, unknown)
}

/// `node`, one of the names at `key`, as the name of a figure.
fn figure(
    keys: &Keys<'_>,
    key: &str,
    node: &Node,
    unknown: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let name = text(keys.context, &keys.path_of(key), node)?;
    if let Some(fix) = unknown(name) {
        let message = format!("`{}` names `{name}`, which this kind does not have", keys.path_of(key));
        keys.context.error(&node.span, message, fix);
        return None;
    }
    Some(name.to_owned())
}

/// A list of figures' names, if it is there.
fn figures<'a>(
    keys: &Keys<'a>,
    key: &'a str,
    unknown: impl Fn(&str) -> Option<String>,
) -> Option<Vec<String>> {
    let Some(node) = keys.get(key) else { return Some(Vec::new()) };
    let items = list(keys.context, &keys.path_of(key), node)?;
    let names: Vec<Option<String>> = items.iter().map(|item| figure(keys, key, item, &unknown)).collect();
    names.into_iter().collect()
}

/// `[[expect]]`
pub(crate) fn expect(root: &Keys<'_>, grid: &Grid<'_>, seeds: &[u64]) -> Option<Vec<Expect>> {
    let read = |keys: Keys<'_>| {
        let cell = place(&keys, grid);
        let metric = metric(&keys, |name| grid.names?.unknown_metric(name));
        let bound = |key| match keys.get(key) {
            None => Some(None),
            Some(node) => keys::number(keys.context, &keys.path_of(key), node, Must::BeFinite).map(Some),
        };
        let (mean, at_least, at_most) = (bound("mean"), bound("at_least"), bound("at_most"));
        let weights_sha256 = digests(&keys, seeds);
        if ["mean", "at_least", "at_most", "weights_sha256"].iter().all(|key| keys.get(key).is_none()) {
            let fix = "add `mean`, `at_least`, `at_most` or `weights_sha256`";
            keys.context.error(&keys.span, format!("`{}` expects nothing", keys.path), fix);
        }
        keys.finish();
        Some(Expect {
            cell: cell?,
            metric: metric?,
            mean: mean?,
            at_least: at_least?,
            at_most: at_most?,
            weights_sha256: weights_sha256?,
        })
    };
    let read: Vec<Option<Expect>> = tables(root, "expect")?.into_iter().map(read).collect();
    read.into_iter().collect()
}

/// `weights_sha256 = { 1 = "9f2c..." }`, by seed.
fn digests(keys: &Keys<'_>, seeds: &[u64]) -> Option<Vec<(u64, String)>> {
    let Some(inner) = keys.table_if_any("weights_sha256") else { return Some(Vec::new()) };
    let mut digests = Vec::new();
    for (key, span, node) in inner.all() {
        let Some(seed) = key.parse().ok().filter(|seed| seeds.contains(seed)) else {
            inner.context.error(
                span,
                format!("`{key}` is no seed of this experiment"),
                "write a seed of [seeds]",
            );
            return None;
        };
        let digest = text(inner.context, &inner.path_of(key), node)?;
        if digest.len() != 64 || !digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            let message = format!("`{}` is no SHA-256", inner.path_of(key));
            inner.context.error(&node.span, message, "write 64 lower-case hexadecimal digits");
            return None;
        }
        digests.push((seed, digest.to_owned()));
    }
    Some(digests)
}

/// `[table]`
pub(crate) fn table(root: &Keys<'_>, swept: Option<&[String]>, names: Option<&Names>) -> Option<TableSpec> {
    let Some(node) = root.get("table") else { return Some(TableSpec::default()) };
    let keys = Keys::of(root.context, "table", node)?;
    let columns = figures(&keys, "columns", |name| names?.unknown_metric(name));
    let statistic =
        keys.choice_or_first("statistic", &[("mean", Statistic::Mean), ("median", Statistic::Median)]);
    let caption = keys.words_or("caption", "");
    let pool = keys.texts_if_any("pool").map(Option::unwrap_or_default);
    if let Some(swept) = swept
        && let Some(key) = pool.iter().flatten().find(|key| !swept.contains(key))
    {
        let known: Vec<&str> = swept.iter().map(String::as_str).collect();
        let message = format!("`table.pool` names `{key}`, which is not swept");
        keys.context.error(&keys.span, message, keys::suggestion(key, &known));
    }
    let reached = reached(&keys, names);
    keys.finish();
    Some(TableSpec {
        columns: columns?,
        statistic: statistic?,
        caption: caption?,
        pool: pool?,
        reached: reached?,
    })
}

/// `reached = { metric = "test.accuracy", at_least = 0.9 }`
fn reached(keys: &Keys<'_>, names: Option<&Names>) -> Option<Option<(String, f64)>> {
    if keys.get("reached").is_none() {
        return Some(None);
    }
    let inner = keys.table_if_any("reached")?;
    let metric = metric(&inner, |name| names?.unknown_metric(name));
    let bound = inner.number("at_least", Must::BeFinite);
    inner.finish();
    Some(Some((metric?, bound?)))
}

/// The kinds of pictures.
const PICTURES: [(&str, &str); 6] = [
    ("curve", "curve"),
    ("bars", "bars"),
    ("confusion", "confusion"),
    ("boundary", "boundary"),
    ("filters", "filters"),
    ("mistakes", "mistakes"),
];

/// `[[plot]]`
pub(crate) fn plots(
    root: &Keys<'_>,
    swept: Option<&[String]>,
    names: Option<&Names>,
) -> Option<Vec<PlotSpec>> {
    let along = |name: &str| {
        let axis = names?.axis();
        let known: Vec<&str> = swept?.iter().map(String::as_str).chain(axis).collect();
        (!known.contains(&name)).then(|| keys::suggestion(name, &known))
    };
    let axes = |name: &str| (!["x", "y"].contains(&name)).then(|| "write `log = [\"y\"]`".to_owned());
    let read = |keys: Keys<'_>| {
        let kind = keys.choice("kind", &PICTURES);
        let x = match keys.get("x") {
            None => Some(String::new()),
            Some(node) => figure(&keys, "x", node, along),
        };
        let y = figures(&keys, "y", |name| names?.unknown_figure(name));
        let log = figures(&keys, "log", axes);
        let title = keys.words_or("title", "");
        keys.finish();
        Some(PlotSpec { kind: kind?.to_owned(), x: x?, y: y?, log: log?, title: title? })
    };
    let read: Vec<Option<PlotSpec>> = tables(root, "plot")?.into_iter().map(read).collect();
    read.into_iter().collect()
}
