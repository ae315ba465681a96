//! Errors that come up only with the data, set beside the line of the file that they are about.

use super::{Experiment, parse_override, tree};
use crate::diagnostics::{Diagnostics, Span};
use crate::exit::{Exit, Failure};
use crate::spec::tree::{Node, Value};

/// A failure with its place in the experiment's file.
pub struct Placed {
    /// How the program ends.
    pub exit: Exit,
    /// The one error.
    pub errors: Diagnostics,
}

impl From<Placed> for Failure {
    fn from(placed: Placed) -> Self {
        Self::new(placed.exit, placed.errors.to_string())
    }
}

/// `failure`, which says `error: reason` and perhaps `= fix: remedy`, with the file's name and the line of the first
/// key in backquotes that the file has, or of the table above it.
pub fn placed(experiment: &Experiment, failure: Failure) -> Placed {
    let (reason, fix) = failure.parts();
    let mut errors = Diagnostics::new(&experiment.file, &experiment.text);
    let mut tree = tree::parse(&experiment.text, 0, &mut errors);
    for put in
        experiment.overrides.iter().filter_map(|set| parse_override(set, &mut errors)).collect::<Vec<_>>()
    {
        let keys: Vec<&str> = put.key.split('.').collect();
        // What was applied once can be applied again.
        let _ = tree.replace(&keys, &put.span, put.node);
    }
    let keys: Vec<&str> = [reason, fix].iter().flat_map(|text| text.split('`').skip(1).step_by(2)).collect();
    let span = keys.iter().find_map(|key| place_of(&tree, key)).or_else(|| {
        let above = |key: &&str| key.rsplit_once('.').and_then(|(above, _)| place_of(&tree, above));
        keys.iter().find_map(above)
    });
    errors.error(span, reason, fix);
    Placed { exit: failure.exit, errors }
}

/// Where a dotted key has its value: in the sweep or at its place.
fn place_of(tree: &Node, key: &str) -> Option<Span> {
    if let Value::Table(grid) = &tree.nearest("sweep.grid").value
        && let Some(swept) = grid.get(key)
    {
        return Some(swept.span.clone());
    }
    key.split('.')
        .try_fold(tree, |node, part| match &node.value {
            Value::Table(table) => table.get(part).map(|entry| &entry.node),
            Value::Array(items) => items.get(part.parse::<usize>().ok()?),
            _ => None,
        })
        .map(|node| node.span.clone())
}
