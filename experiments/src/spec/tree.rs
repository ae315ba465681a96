//! A TOML text as a tree that knows where everything stands.
//!
//! The tree keeps the order of the file, so that layers, grids and errors come in the order in which
//! a person wrote them, and it can be changed: a sweep and `--set` replace a node by one that stands
//! elsewhere, so an error in a swept value points at the sweep.

use toml::de::{DeTable, DeValue};

use crate::diagnostics::{Diagnostics, Span};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) value: Value,
}

/// What a TOML value can be; dates stay unread.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Flag(bool),
    Date,
    Array(Vec<Node>),
    Table(Table),
}

/// A table in file order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table(pub(crate) Vec<Entry>);

/// A key with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) span: Span,
    pub(crate) node: Node,
}

impl Table {
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.key == key)
    }
}

impl Node {
    /// What the value is, for messages: `a string`, `an integer`, ...
    pub(crate) fn type_name(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a number with a point",
            Value::Flag(_) => "true or false",
            Value::Date => "a date",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// The value on one line: strings bare, floats as Rust's `{:?}` prints them.
    pub(crate) fn text(&self) -> String {
        match &self.value {
            Value::Text(text) => text.clone(),
            Value::Integer(n) => n.to_string(),
            Value::Float(x) => format!("{x:?}"),
            Value::Flag(flag) => flag.to_string(),
            Value::Date => "date".to_owned(),
            Value::Array(items) => {
                format!("[{}]", items.iter().map(Self::text).collect::<Vec<_>>().join(", "))
            }
            Value::Table(table) if table.0.is_empty() => "{}".to_owned(),
            Value::Table(table) => {
                let entry = |entry: &Entry| format!("{} = {}", entry.key, entry.node.text());
                format!("{{ {} }}", table.0.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// The node at the dotted path, or the last one on the way to it.
    pub(crate) fn nearest(&self, path: &str) -> &Self {
        path.split('.').fold(self, |node, key| match &node.value {
            Value::Table(table) => table.get(key).map_or(node, |entry| &entry.node),
            Value::Array(items) => key.parse::<usize>().ok().and_then(|at| items.get(at)).unwrap_or(node),
            _ => node,
        })
    }

    /// Puts `new` at the dotted path `keys` below this node. The parent must exist; the last key may be new.
    ///
    /// # Errors
    /// The first key that does not exist, with the keys that do.
    pub(crate) fn replace(&mut self, keys: &[&str], key_span: &Span, new: Node) -> Result<(), NoSuchKey> {
        let Some((first, rest)) = keys.split_first() else {
            *self = new;
            return Ok(());
        };
        let missing = |known: Vec<String>| NoSuchKey { key: (*first).to_owned(), known };
        match &mut self.value {
            Value::Table(table) => {
                if let Some(entry) = table.0.iter_mut().find(|entry| entry.key == *first) {
                    return entry.node.replace(rest, key_span, new);
                }
                if !rest.is_empty() {
                    return Err(missing(table.0.iter().map(|entry| entry.key.clone()).collect()));
                }
                table.0.push(Entry { key: (*first).to_owned(), span: key_span.clone(), node: new });
                Ok(())
            }
            Value::Array(items) => {
                let count = items.len();
                match first.parse::<usize>().ok().and_then(|at| items.get_mut(at)) {
                    Some(item) => item.replace(rest, key_span, new),
                    None => Err(missing((0..count).map(|at| at.to_string()).collect())),
                }
            }
            _ => Err(missing(Vec::new())),
        }
    }
}

/// A dotted path leaves the tree at `key`.
#[derive(Debug)]
pub(crate) struct NoSuchKey {
    pub(crate) key: String,
    pub(crate) known: Vec<String>,
}

/// Parses source number `source` of `diagnostics`; syntax errors are added to it, and what could be read comes back.
pub(crate) fn parse(text: &str, source: usize, diagnostics: &mut Diagnostics) -> Node {
    let (table, errors) = DeTable::parse_recoverable(text);
    // One slip makes several errors: the first is the slip.
    if let Some(error) = errors.into_iter().next() {
        let span = error.span().map(|range| Span { source, range });
        diagnostics.error(
            span,
            format!("not TOML: {}", error.message().replace('\n', ", ")),
            syntax_fix(&error),
        );
    }
    let span = Span { source, range: table.span() };
    Node { span, value: Value::Table(convert_table(table.get_ref(), source, diagnostics)) }
}

fn syntax_fix(error: &toml::de::Error) -> &'static str {
    if error.message().contains("duplicate") {
        return "keep one of the two";
    }
    "write `key = value`, `[table]` or `[[list]]`, each on a line; text stands in double quotes"
}

fn convert_table(table: &DeTable<'_>, source: usize, diagnostics: &mut Diagnostics) -> Table {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            span: Span { source, range: key.span() },
            node: convert(value.get_ref(), Span { source, range: value.span() }, diagnostics),
        })
        .collect();
    entries.sort_by_key(|entry| entry.span.range.start);
    Table(entries)
}

fn convert(value: &DeValue<'_>, span: Span, diagnostics: &mut Diagnostics) -> Node {
    let value = match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(n) => Value::Integer(n),
            Err(_) => {
                diagnostics.error(
                    Some(span.clone()),
                    "the integer does not fit 64 bits",
                    "write a smaller one",
                );
                Value::Integer(0)
            }
        },
        DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| {
                    convert(item.get_ref(), Span { source: span.source, range: item.span() }, diagnostics)
                })
                .collect(),
        ),
        DeValue::Table(table) => Value::Table(convert_table(table, span.source, diagnostics)),
    };
    Node { span, value }
}
