//! Reading a table key by key: types, ranges, defaults, unknown and missing keys.
//!
//! Every getter marks its key as known, records the resolved value (default included) and, where
//! something is wrong, adds an error and gives `None`; a reader goes on to its last key before it
//! gives up, so that one pass finds all errors.

use std::cell::RefCell;

use super::tree::{Node, Table, Value};
pub(crate) use super::values::{
    MOST, Must, Tagged, choice, count, list, number, numbers, suggestion, tagged, text,
};
use super::values::{last, wrong};
use crate::diagnostics::{Diagnostics, Span};

/// What the readers of one cell share.
pub(crate) struct Context {
    pub(crate) diagnostics: RefCell<Diagnostics>,
    resolved: RefCell<Vec<String>>,
}

impl Context {
    pub(crate) fn new(diagnostics: Diagnostics) -> Self {
        Self { diagnostics: RefCell::new(diagnostics), resolved: RefCell::default() }
    }

    pub(crate) fn error(&self, span: &Span, message: impl Into<String>, fix: impl Into<String>) {
        self.diagnostics.borrow_mut().error(Some(span.clone()), message, fix);
    }

    pub(crate) fn into_diagnostics(self) -> Diagnostics {
        self.diagnostics.into_inner()
    }

    /// The lines recorded since the last call.
    pub(crate) fn take_resolved(&self) -> Vec<String> {
        self.resolved.take()
    }

    pub(crate) fn record(&self, path: &str, value: &str) {
        self.resolved.borrow_mut().push(format!("{path} = {value}"));
    }
}

/// A table that is being read.
pub(crate) struct Keys<'a> {
    pub(crate) context: &'a Context,
    pub(crate) path: String,
    /// Where to point for a missing key.
    pub(crate) span: Span,
    table: &'a Table,
    known: RefCell<Vec<&'a str>>,
}

impl<'a> Keys<'a> {
    pub(crate) fn new(context: &'a Context, path: &str, span: &Span, table: &'a Table) -> Self {
        Self { context, path: path.to_owned(), span: span.clone(), table, known: RefCell::default() }
    }

    /// `node` as a table at `path`.
    pub(crate) fn of(context: &'a Context, path: &str, node: &'a Node) -> Option<Self> {
        match &node.value {
            Value::Table(table) => Some(Self::new(context, path, &node.span, table)),
            _ => {
                let fix = format!("write `{} = {{ ... }}`", last(path));
                context.error(&node.span, format!("`{path}` is {}, not a table", node.type_name()), fix);
                None
            }
        }
    }

    pub(crate) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value of `key`, if it is there; marks the key as known.
    pub(crate) fn get(&self, key: &'a str) -> Option<&'a Node> {
        self.known.borrow_mut().push(key);
        self.table.get(key).map(|entry| &entry.node)
    }

    /// The value of `key`, which must be there.
    pub(crate) fn require(&self, key: &'a str, example: &str) -> Option<&'a Node> {
        let node = self.get(key);
        if node.is_none() {
            self.context.error(
                &self.span,
                format!("`{}` is missing", self.path_of(key)),
                format!("add `{example}`"),
            );
        }
        node
    }

    /// The keys that are there, in file order; marks all as known.
    pub(crate) fn all(&self) -> Vec<(&'a str, &'a Span, &'a Node)> {
        self.known.borrow_mut().extend(self.table.0.iter().map(|entry| entry.key.as_str()));
        self.table.0.iter().map(|entry| (entry.key.as_str(), &entry.span, &entry.node)).collect()
    }

    /// The table at `key`, which must be there.
    pub(crate) fn table(&self, key: &'a str, example: &str) -> Option<Keys<'a>> {
        Keys::of(self.context, &self.path_of(key), self.require(key, example)?)
    }

    /// The table at `key`, if it is there.
    pub(crate) fn table_if_any(&self, key: &'a str) -> Option<Keys<'a>> {
        Keys::of(self.context, &self.path_of(key), self.get(key)?)
    }

    /// Records a resolved value that no getter records.
    pub(crate) fn record(&self, key: &str, value: &str) {
        self.context.record(&self.path_of(key), value);
    }

    pub(crate) fn wrong(&self, key: &str, node: &Node, expected: &str, fix: &str) {
        wrong(self.context, &self.path_of(key), node, expected, fix);
    }

    /// An integer in `range`, required.
    pub(crate) fn count(&self, key: &'a str, range: [usize; 2]) -> Option<usize> {
        let node = self.require(key, &format!("{key} = {}", range[0].max(1)))?;
        self.read_count(key, node, range)
    }

    /// An integer in `range`.
    pub(crate) fn count_or(&self, key: &'a str, default: usize, range: [usize; 2]) -> Option<usize> {
        match self.get(key) {
            Some(node) => self.read_count(key, node, range),
            None => {
                self.record(key, &default.to_string());
                Some(default)
            }
        }
    }

    fn read_count(&self, key: &str, node: &Node, range: [usize; 2]) -> Option<usize> {
        let n = count(self.context, &self.path_of(key), node, range)?;
        self.record(key, &n.to_string());
        Some(n)
    }

    /// A seed: any integer from 0.
    pub(crate) fn seed_or(&self, key: &'a str, default: u64) -> Option<u64> {
        self.count_or(key, default as usize, [0, i64::MAX as usize]).map(|n| n as u64)
    }

    /// A number, required.
    pub(crate) fn number(&self, key: &'a str, must: Must) -> Option<f64> {
        let node = self.require(key, &format!("{key} = 0.1"))?;
        self.read_number(key, node, must)
    }

    /// A number.
    pub(crate) fn number_or(&self, key: &'a str, default: f64, must: Must) -> Option<f64> {
        match self.get(key) {
            Some(node) => self.read_number(key, node, must),
            None => {
                self.record(key, &format!("{default:?}"));
                Some(default)
            }
        }
    }

    fn read_number(&self, key: &str, node: &Node, must: Must) -> Option<f64> {
        let x = number(self.context, &self.path_of(key), node, must)?;
        self.record(key, &format!("{x:?}"));
        Some(x)
    }

    /// true or false.
    pub(crate) fn flag_or(&self, key: &'a str, default: bool) -> Option<bool> {
        let flag = match self.get(key) {
            None => default,
            Some(Node { value: Value::Flag(flag), .. }) => *flag,
            Some(node) => {
                self.wrong(key, node, "true or false", "write true or false, without quotes");
                return None;
            }
        };
        self.record(key, if flag { "true" } else { "false" });
        Some(flag)
    }

    /// A string that changes no result: it is not recorded.
    pub(crate) fn words_or(&self, key: &'a str, default: &str) -> Option<String> {
        match self.get(key) {
            None => Some(default.to_owned()),
            Some(node) => text(self.context, &self.path_of(key), node).map(str::to_owned),
        }
    }

    /// A string, if it is there; recorded.
    pub(crate) fn text_if_any(&self, key: &'a str) -> Option<Option<String>> {
        let Some(node) = self.get(key) else { return Some(None) };
        let text = text(self.context, &self.path_of(key), node)?;
        self.record(key, text);
        Some(Some(text.to_owned()))
    }

    /// One of the named values, required.
    pub(crate) fn choice<T: Copy>(&self, key: &'a str, choices: &[(&str, T)]) -> Option<T> {
        let node = self.require(key, &format!("{key} = \"{}\"", choices[0].0))?;
        self.read_choice(key, node, choices)
    }

    /// One of the named values; the first is the default.
    pub(crate) fn choice_or_first<T: Copy>(&self, key: &'a str, choices: &[(&str, T)]) -> Option<T> {
        match self.get(key) {
            Some(node) => self.read_choice(key, node, choices),
            None => {
                self.record(key, choices[0].0);
                Some(choices[0].1)
            }
        }
    }

    fn read_choice<T: Copy>(&self, key: &str, node: &Node, choices: &[(&str, T)]) -> Option<T> {
        let (name, value) = choice(self.context, &self.path_of(key), node, choices)?;
        self.record(key, name);
        Some(value)
    }

    /// A list of strings, if it is there; recorded.
    pub(crate) fn texts_if_any(&self, key: &'a str) -> Option<Option<Vec<String>>> {
        let Some(node) = self.get(key) else { return Some(None) };
        let path = self.path_of(key);
        let items = list(self.context, &path, node)?;
        let texts: Vec<Option<&str>> = items.iter().map(|item| text(self.context, &path, item)).collect();
        self.record(key, &node.text());
        texts.into_iter().map(|text| text.map(str::to_owned)).collect::<Option<Vec<_>>>().map(Some)
    }

    /// A list of numbers, if it is there; recorded.
    pub(crate) fn numbers_if_any(&self, key: &'a str, must: Must) -> Option<Option<Vec<f64>>> {
        let Some(node) = self.get(key) else { return Some(None) };
        let path = self.path_of(key);
        let numbers = numbers(self.context, &path, node, must)?;
        self.record(key, &format!("{numbers:?}"));
        Some(Some(numbers))
    }

    /// One integer for both directions, or two: rows, columns.
    pub(crate) fn pair_or(
        &self,
        key: &'a str,
        default: Option<[usize; 2]>,
        range: [usize; 2],
    ) -> Option<[usize; 2]> {
        let path = self.path_of(key);
        let pair = match (self.get(key), default) {
            (None, Some(default)) => default,
            (None, None) => {
                let fix = format!("add `{key} = 3` or `{key} = [3, 3]`");
                self.context.error(&self.span, format!("`{path}` is missing"), fix);
                return None;
            }
            (Some(Node { value: Value::Array(items), span }), _) => match items.as_slice() {
                [rows, columns] => {
                    let pair =
                        [count(self.context, &path, rows, range), count(self.context, &path, columns, range)];
                    [pair[0]?, pair[1]?]
                }
                _ => {
                    let message =
                        format!("`{path}` has {} values, expected 2: rows and columns", items.len());
                    self.context.error(
                        span,
                        message,
                        format!("write `{key} = [3, 3]`, or `{key} = 3` for both"),
                    );
                    return None;
                }
            },
            (Some(node), _) => [count(self.context, &path, node, range)?; 2],
        };
        self.record(key, &format!("{pair:?}"));
        Some(pair)
    }

    /// Reports every key that no getter asked for.
    pub(crate) fn finish(self) {
        let known = self.known.borrow();
        for entry in &self.table.0 {
            if known.contains(&entry.key.as_str()) {
                continue;
            }
            let place =
                if self.path.is_empty() { "at the top".to_owned() } else { format!("in `{}`", self.path) };
            let message = format!("unknown key `{}` {place}", entry.key);
            self.context.error(&entry.span, message, suggestion(&entry.key, &known));
        }
    }
}
