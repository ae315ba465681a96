//! A grid over dotted keys, resolved into cells.
//!
//! `[sweep]` holds a `grid`, every combination of the values of its keys with the first key
//! slowest, and `cases`, each a label with the keys that it sets; with both, every case meets the
//! whole grid. A value is put into the tree of the file before anything is validated, so a swept
//! value is checked as if it stood at its key, and an error in it points at the sweep.

use crate::diagnostics::Span;
use crate::spec::keys::{Context, Keys, list, suggestion, text};
use crate::spec::tree::{Entry, Node, Value};

/// The most cells of one experiment.
const MOST_CELLS: usize = 100_000;

/// The columns that a sweep adds to the tables, and what each cell puts where.
#[derive(Debug)]
pub(crate) struct Sweep {
    /// `case` where there are cases, then the grid's dotted keys.
    pub(crate) columns: Vec<String>,
    /// The cells in order; one without settings if nothing is swept.
    pub(crate) cells: Vec<Plan>,
}

/// One cell: the values of the columns, and the nodes to put in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) values: Vec<String>,
    pub(crate) puts: Vec<Put>,
}

/// A node for a dotted key.
#[derive(Clone, Debug)]
pub(crate) struct Put {
    pub(crate) key: String,
    pub(crate) span: Span,
    pub(crate) node: Node,
}

impl Put {
    /// Puts the node into `tree`; an unknown key is an error.
    pub(crate) fn apply(&self, context: &Context, tree: &mut Node) {
        let keys: Vec<&str> = self.key.split('.').collect();
        if let Err(missing) = tree.replace(&keys, &self.span, self.node.clone()) {
            let known: Vec<&str> = missing.known.iter().map(String::as_str).collect();
            let message =
                format!("`{}` does not exist in the file: it ends before `{}`", self.key, missing.key);
            context.error(&self.span, message, suggestion(&missing.key, &known));
        }
    }
}

/// One axis of the grid.
struct Axis {
    key: String,
    choices: Vec<Plan>,
}

/// Reads `[sweep]`; `forbidden` are the tables that a sweep may not touch.
pub(crate) fn sweep(root: &Keys<'_>, forbidden: &[&str]) -> Option<Sweep> {
    let Some(keys) = root.table_if_any("sweep") else {
        return Some(Sweep { columns: Vec::new(), cells: vec![Plan::default()] });
    };
    let mut axes = Vec::new();
    let mut whole = true;
    if let Some(node) = keys.get("cases") {
        match cases(keys.context, node, forbidden) {
            Some(axis) => axes.push(axis),
            None => whole = false,
        }
    }
    if let Some(grid) = keys.table_if_any("grid") {
        for (key, span, node) in flatten(&grid) {
            match axis(keys.context, &key, span, node, forbidden) {
                Some(axis) => axes.push(axis),
                None => whole = false,
            }
        }
    }
    let (context, span) = (keys.context, keys.span.clone());
    keys.finish();
    whole &= no_overlap(context, &axes);
    let cells = axes.iter().try_fold(1usize, |cells, axis| cells.checked_mul(axis.choices.len()));
    match cells {
        Some(cells) if cells <= MOST_CELLS => {}
        _ => {
            context.error(&span, format!("the sweep has more than {MOST_CELLS} cells"), "sweep fewer values");
            return None;
        }
    }
    whole.then(|| product(&axes))
}

/// The grid's leaves: unquoted dotted keys arrive as nested tables.
fn flatten<'a>(grid: &Keys<'a>) -> Vec<(String, &'a Span, &'a Node)> {
    fn descend<'a>(path: &str, span: &'a Span, node: &'a Node, out: &mut Vec<(String, &'a Span, &'a Node)>) {
        match &node.value {
            Value::Table(table) => {
                for Entry { key, span, node } in &table.0 {
                    descend(&format!("{path}.{key}"), span, node, out);
                }
            }
            _ => out.push((path.to_owned(), span, node)),
        }
    }
    let mut out = Vec::new();
    for (key, span, node) in grid.all() {
        descend(key, span, node, &mut out);
    }
    out
}

fn allowed(context: &Context, key: &str, span: &Span, forbidden: &[&str]) -> bool {
    let first = key.split('.').next().unwrap_or(key);
    let bad = forbidden.contains(&first);
    if bad {
        let fix = if first == "seeds" {
            "every cell runs with all seeds of [seeds]"
        } else {
            "sweep a key of the trial"
        };
        context.error(span, format!("`{key}` cannot be swept: it is no setting of a trial"), fix);
    }
    !bad
}

fn axis(context: &Context, key: &str, span: &Span, node: &Node, forbidden: &[&str]) -> Option<Axis> {
    let items = list(context, &format!("sweep.grid.{key}"), node)?;
    if !allowed(context, key, span, forbidden) {
        return None;
    }
    if items.is_empty() {
        context.error(&node.span, format!("the sweep over `{key}` has no values"), "write at least one");
        return None;
    }
    let mut choices: Vec<Plan> = Vec::new();
    for item in items {
        let value = item.text();
        if choices.iter().any(|choice| choice.values[0] == value) {
            context.error(
                &item.span,
                format!("the sweep over `{key}` has {value} twice"),
                "keep one of them",
            );
            return None;
        }
        let put = Put { key: key.to_owned(), span: span.clone(), node: item.clone() };
        choices.push(Plan { values: vec![value], puts: vec![put] });
    }
    Some(Axis { key: key.to_owned(), choices })
}

fn cases(context: &Context, node: &Node, forbidden: &[&str]) -> Option<Axis> {
    let items = list(context, "sweep.cases", node)?;
    let mut choices: Vec<Plan> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let keys = Keys::of(context, &format!("sweep.cases.{at}"), item)?;
        let label = keys.require("label", "label = \"deeper\"");
        let label = text(context, &keys.path_of("label"), label?)?.to_owned();
        if choices.iter().any(|choice| choice.values[0] == label) {
            context.error(&item.span, format!("two cases are called `{label}`"), "give each its own label");
            return None;
        }
        let mut puts = Vec::new();
        for (key, span, node) in keys.all().into_iter().filter(|(key, ..)| *key != "label") {
            if !allowed(context, key, span, forbidden) {
                return None;
            }
            puts.push(Put { key: key.to_owned(), span: span.clone(), node: node.clone() });
        }
        choices.push(Plan { values: vec![label], puts });
    }
    if choices.is_empty() {
        context.error(
            &node.span,
            "`sweep.cases` is empty",
            "write `cases = [{ label = \"...\", \"key\" = value }]`",
        );
        return None;
    }
    Some(Axis { key: "case".to_owned(), choices })
}

/// Whether one of two dotted keys holds the other, or is the other.
pub(crate) fn overlap(a: &str, b: &str) -> bool {
    let holds =
        |a: &str, b: &str| b.strip_prefix(a).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    holds(a, b) || holds(b, a)
}

/// No cell may put two values at one place: the second would hide the first.
fn no_overlap(context: &Context, axes: &[Axis]) -> bool {
    let mut whole = true;
    let mut check = |first: &Put, second: &Put| {
        if overlap(&first.key, &second.key) {
            let message = format!("the sweep sets `{}` and `{}`, which overlap", first.key, second.key);
            context.error(&second.span, message, "sweep one of the two");
            whole = false;
        }
    };
    for (at, axis) in axes.iter().enumerate() {
        for choice in &axis.choices {
            for (put, later) in choice.puts.iter().enumerate() {
                choice.puts[..put].iter().for_each(|earlier| check(earlier, later));
            }
            let others = axes[at + 1..].iter().flat_map(|axis| axis.choices.iter().flat_map(|c| &c.puts));
            others.for_each(|other| choice.puts.iter().for_each(|put| check(put, other)));
        }
    }
    whole
}

/// Every combination, the first axis slowest.
fn product(axes: &[Axis]) -> Sweep {
    let mut cells = vec![Plan::default()];
    for axis in axes {
        cells = cells
            .iter()
            .flat_map(|cell| {
                axis.choices.iter().map(|choice| Plan {
                    values: cell.values.iter().chain(&choice.values).cloned().collect(),
                    puts: cell.puts.iter().chain(&choice.puts).cloned().collect(),
                })
            })
            .collect();
    }
    Sweep { columns: axes.iter().map(|axis| axis.key.clone()).collect(), cells }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(key: &str, values: &[&str]) -> Axis {
        let plan = |value: &&str| Plan { values: vec![(*value).to_owned()], puts: Vec::new() };
        Axis { key: key.to_owned(), choices: values.iter().map(plan).collect() }
    }

    #[test]
    fn the_first_key_is_the_slowest() {
        let sweep = product(&[axis("a", &["1", "2"]), axis("b", &["x", "y"])]);
        let cells: Vec<String> = sweep.cells.iter().map(|cell| cell.values.concat()).collect();
        assert_eq!(
            (sweep.columns.join(""), cells),
            ("ab".to_owned(), ["1x", "1y", "2x", "2y"].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn nothing_swept_is_one_cell() {
        assert_eq!(product(&[]).cells.len(), 1);
    }
}
