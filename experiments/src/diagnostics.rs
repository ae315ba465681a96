//! Errors and warnings that say where, why and what to do; all of a file at once.

use std::fmt;
use std::ops::Range;

use serde_json::{Value as Json, json};

/// A place in one of the texts that an experiment is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// 0: the file; i: the i-th `--set` argument, counted from 1.
    pub source: usize,
    /// Bytes of that text.
    pub range: Range<usize>,
}

/// Whether a diagnostic stops the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// Allowed, but worth saying.
    Warning,
}

/// One thing that is wrong, or worth saying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether it stops the program.
    pub severity: Severity,
    /// Where; `None`: the file as a whole.
    pub span: Option<Span>,
    /// What is wrong, and why.
    pub message: String,
    /// What to do about it.
    pub fix: Option<String>,
}

/// All that is to be said about a file, with the texts to quote from.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    /// (name, text) of the file and of each `--set` argument.
    sources: Vec<(String, String)>,
    entries: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Nothing to say yet about the file `name` with this `text`.
    pub fn new(name: &str, text: &str) -> Self {
        Self { sources: vec![(name.to_owned(), text.to_owned())], entries: Vec::new() }
    }

    /// Adds a text to quote from; returns its number for [`Span::source`].
    pub fn add_source(&mut self, name: &str, text: &str) -> usize {
        self.sources.push((name.to_owned(), text.to_owned()));
        self.sources.len() - 1
    }

    /// Adds an entry, unless the same was said of the same place.
    pub fn push(&mut self, entry: Diagnostic) {
        if !self.entries.contains(&entry) {
            self.entries.push(entry);
        }
    }

    /// Adds an error.
    pub fn error(&mut self, span: Option<Span>, message: impl Into<String>, fix: impl Into<String>) {
        let fix = Some(fix.into()).filter(|fix| !fix.is_empty());
        self.push(Diagnostic { severity: Severity::Error, span, message: message.into(), fix });
    }

    /// Adds a warning.
    pub fn warning(&mut self, span: Option<Span>, message: impl Into<String>, fix: impl Into<String>) {
        let fix = Some(fix.into()).filter(|fix| !fix.is_empty());
        self.push(Diagnostic { severity: Severity::Warning, span, message: message.into(), fix });
    }

    /// All entries, in the order in which they were found.
    pub fn entries(&self) -> &[Diagnostic] {
        &self.entries
    }

    /// True if something stops the program.
    pub fn has_errors(&self) -> bool {
        self.entries.iter().any(|entry| entry.severity == Severity::Error)
    }

    /// The number of errors.
    pub fn errors(&self) -> usize {
        self.entries.iter().filter(|entry| entry.severity == Severity::Error).count()
    }

    /// The errors for other programs: message, file, line and column from 1 (null without a place), fix.
    pub fn to_json(&self) -> Vec<Json> {
        let errors = self.entries.iter().filter(|entry| entry.severity == Severity::Error);
        let error = |entry: &Diagnostic| {
            let source = &self.sources[entry.span.as_ref().map_or(0, |span| span.source)];
            let place = entry.span.as_ref().map(|span| Place::of(&source.1, &span.range));
            json!({ "message": entry.message, "file": source.0, "line": place.as_ref().map(|p| p.line),
                    "column": place.as_ref().map(|p| p.column), "fix": entry.fix })
        };
        errors.map(error).collect()
    }

    /// One entry as text: the message, the place, the line with a caret, the fix.
    pub fn render(&self, entry: &Diagnostic) -> String {
        let kind = match entry.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut out = format!("{kind}: {}\n", entry.message);
        match &entry.span {
            None => out += &format!("  --> {}\n", self.sources[0].0),
            Some(span) => out += &self.render_place(span),
        }
        if let Some(fix) = &entry.fix {
            out += &format!("   = fix: {fix}\n");
        }
        out
    }

    fn render_place(&self, span: &Span) -> String {
        let (name, text) = &self.sources[span.source];
        let place = Place::of(text, &span.range);
        let number = place.line.to_string();
        let margin = " ".repeat(number.len());
        format!(
            "{margin}--> {name}:{}:{}\n{margin} |\n{number} | {}\n{margin} | {}{}\n",
            place.line,
            place.column,
            place.text,
            " ".repeat(place.column - 1),
            "^".repeat(place.width),
        )
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut entries: Vec<&Diagnostic> = self.entries.iter().collect();
        entries.sort_by_key(|entry| {
            let place = entry.span.as_ref().map(|span| (span.source, span.range.start));
            (place.is_some(), place)
        });
        for entry in entries {
            writeln!(f, "{}", self.render(entry))?;
        }
        match self.errors() {
            0 => Ok(()),
            1 => write!(f, "1 error in {}", self.sources[0].0),
            n => write!(f, "{n} errors in {}", self.sources[0].0),
        }
    }
}

impl std::error::Error for Diagnostics {}

/// A span as a person counts it: lines and characters from 1, tabs shown as one space.
struct Place {
    line: usize,
    column: usize,
    width: usize,
    text: String,
}

impl Place {
    fn of(text: &str, range: &Range<usize>) -> Self {
        let start = floor_boundary(text, range.start);
        let end = floor_boundary(text, range.end).max(start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let shown_end = end.min(line_end).max(start);
        Self {
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            width: text[start..shown_end].chars().count().max(1),
            text: text[line_start..line_end].trim_end_matches('\r').replace('\t', " "),
        }
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The name among `known` that `given` was probably meant to be.
pub fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&given, &name.to_lowercase()), name))
        .filter(|(score, _)| *score > 0.8)
        .fold(None, |best: Option<(f64, &str)>, this| match best {
            Some(best) if best.0 >= this.0 => Some(best),
            _ => Some(this),
        })
        .map(|(_, name)| name)
}
