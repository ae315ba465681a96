//! Reading a value: its type, its range, and what is said when it is wrong.

use super::keys::{Context, Keys};
use super::tree::{Node, Table, Value};
use crate::diagnostics::{Span, did_you_mean};

/// Which numbers are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Must {
    BeFinite,
    BePositive,
    NotBeNegative,
    /// In [0, 1).
    BeAPart,
}

impl Must {
    fn holds(self, x: f64) -> bool {
        match self {
            Self::BeFinite => true,
            Self::BePositive => x > 0.0,
            Self::NotBeNegative => x >= 0.0,
            Self::BeAPart => (0.0..1.0).contains(&x),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::BeFinite => "a number",
            Self::BePositive => "a number above 0",
            Self::NotBeNegative => "a number from 0",
            Self::BeAPart => "a number from 0 to below 1",
        }
    }
}

/// The largest count that a file may ask for: far above any use here, far below an overflow.
pub(crate) const MOST: usize = 1 << 31;

/// "did you mean", or all there is.
pub(crate) fn suggestion(given: &str, known: &[&str]) -> String {
    let mut all = known.to_vec();
    all.sort_unstable();
    all.dedup();
    match did_you_mean(given, all.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? Known here: {}", all.join(", ")),
        None if all.is_empty() => "nothing may stand here: remove it".to_owned(),
        None => format!("known here: {}", all.join(", ")),
    }
}

pub(super) fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

pub(super) fn wrong(context: &Context, path: &str, node: &Node, expected: &str, fix: &str) {
    let shown = match &node.value {
        Value::Text(text) => format!("the string \"{text}\""),
        Value::Array(_) | Value::Table(_) | Value::Date => node.type_name().to_owned(),
        Value::Float(x) if x.is_nan() => "nan".to_owned(),
        _ => node.text(),
    };
    let fix = match &node.value {
        Value::Text(text) if text.trim().parse::<f64>().is_ok() && fix.is_empty() => {
            format!("remove the quotes: `{} = {}`", last(path), text.trim())
        }
        _ if fix.is_empty() => format!("write {expected}"),
        _ => fix.to_owned(),
    };
    context.error(&node.span, format!("`{path}` is {shown}, expected {expected}"), fix);
}

/// `node` as an integer in `range`.
pub(crate) fn count(context: &Context, path: &str, node: &Node, range: [usize; 2]) -> Option<usize> {
    let [least, most] = range;
    let expected = match (least, most) {
        (_, most) if most >= MOST => format!("an integer from {least}"),
        _ => format!("an integer from {least} to {most}"),
    };
    match node.value {
        Value::Integer(n) if usize::try_from(n).is_ok_and(|n| (least..=most).contains(&n)) => {
            Some(n as usize)
        }
        _ => {
            wrong(context, path, node, &expected, "");
            None
        }
    }
}

/// `node` as a finite number that f32 can hold.
pub(crate) fn number(context: &Context, path: &str, node: &Node, must: Must) -> Option<f64> {
    let x = match node.value {
        Value::Integer(n) => n as f64,
        Value::Float(x) => x,
        _ => {
            wrong(context, path, node, must.words(), "");
            return None;
        }
    };
    let reason = if x.is_nan() {
        "is nan: every comparison with it is false, and no training recovers from it"
    } else if x.is_infinite() {
        "is infinite"
    } else if !(x as f32).is_finite() {
        "overflows f32, whose largest value is 3.4028235e38"
    } else if x != 0.0 && x as f32 == 0.0 {
        "is 0 in f32, whose smallest value is 1e-45"
    } else if !must.holds(x) {
        wrong(context, path, node, must.words(), "");
        return None;
    } else {
        return Some(x);
    };
    context.error(&node.span, format!("`{path}` {reason}"), format!("write {}", must.words()));
    None
}

/// `node` as a string.
pub(crate) fn text<'n>(context: &Context, path: &str, node: &'n Node) -> Option<&'n str> {
    match &node.value {
        Value::Text(text) => Some(text),
        _ => {
            wrong(context, path, node, "a string", "put it in quotes");
            None
        }
    }
}

/// `node` as a list.
pub(crate) fn list<'n>(context: &Context, path: &str, node: &'n Node) -> Option<&'n [Node]> {
    match &node.value {
        Value::Array(items) => Some(items),
        _ => {
            wrong(context, path, node, "a list", "put it in [ ]");
            None
        }
    }
}

/// `node` as a list of numbers.
pub(crate) fn numbers(context: &Context, path: &str, node: &Node, must: Must) -> Option<Vec<f64>> {
    let items = list(context, path, node)?;
    let numbers: Vec<Option<f64>> = items.iter().map(|item| number(context, path, item, must)).collect();
    numbers.into_iter().collect()
}

/// `node` as one of the named values.
pub(crate) fn choice<'c, T: Copy>(
    context: &Context,
    path: &str,
    node: &Node,
    choices: &[(&'c str, T)],
) -> Option<(&'c str, T)> {
    let given = text(context, path, node)?;
    let found = choices.iter().find(|(name, _)| *name == given);
    if found.is_none() {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        context.error(&node.span, format!("`{path}` cannot be \"{given}\""), suggestion(given, &names));
    }
    found.copied()
}

/// A kind and its settings.
pub(crate) struct Tagged<'a> {
    pub(crate) tag: &'a str,
    pub(crate) span: &'a Span,
    pub(crate) keys: Keys<'a>,
}

impl Tagged<'_> {
    /// The tag is none of `known`.
    pub(crate) fn unknown(&self, what: &str, known: &[&str]) {
        let message = format!("no {what} is called `{}`", self.tag);
        self.keys.context.error(self.span, message, suggestion(self.tag, known));
    }
}

/// A value tagged by its only key, `{ sgd = { ... } }`, or a bare string for a tag without settings.
pub(crate) fn tagged<'a>(context: &'a Context, path: &str, node: &'a Node) -> Option<Tagged<'a>> {
    static EMPTY: Table = Table(Vec::new());
    match &node.value {
        Value::Text(tag) => {
            let keys = Keys::new(context, &format!("{path}.{tag}"), &node.span, &EMPTY);
            Some(Tagged { tag, span: &node.span, keys })
        }
        Value::Table(Table(entries)) if entries.len() == 1 => {
            let entry = &entries[0];
            let keys = Keys::of(context, &format!("{path}.{}", entry.key), &entry.node)?;
            Some(Tagged { tag: &entry.key, span: &entry.span, keys })
        }
        Value::Table(Table(entries)) => {
            let message = format!("`{path}` has {} keys, expected one that names its kind", entries.len());
            context.error(&node.span, message, "write `{ kind = { settings } }`");
            None
        }
        _ => {
            wrong(context, path, node, "a name or `{ name = { settings } }`", "");
            None
        }
    }
}
