//! The table in Markdown (GitHub's dialect).

use super::{Shape, Table};

impl Table {
    /// A Markdown table with its caption below.
    pub fn to_markdown(&self) -> String {
        let line = |fields: Vec<String>| format!("| {} |\n", fields.join(" | "));
        let mut text = line(self.columns.iter().map(|c| escaped(&c.heading)).collect());
        let rule = |shape: Shape| if shape == Shape::Text { ":--" } else { "--:" };
        text += &line(self.columns.iter().map(|c| rule(c.shape).to_owned()).collect());
        for row in &self.rows {
            text += &line(row.iter().map(|entry| escaped(&entry.text())).collect());
        }
        text.push('\n');
        text += &escaped(&self.caption.join(" "));
        text.push('\n');
        text
    }
}

/// Escapes what Markdown would read as a mark.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '*' | '<' | '`' | '\\' | '[' | ']' => out.extend(['\\', c]),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
