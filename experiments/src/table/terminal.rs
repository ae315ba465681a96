//! The table on a terminal: aligned columns, numbers at their decimal point.

use super::{Entry, Table};

/// Columns of a caption line.
const CAPTION_WIDTH: usize = 100;

impl Table {
    /// Aligned columns under their headings, the caption below.
    pub fn to_terminal(&self) -> String {
        let columns: Vec<Vec<String>> = (0..self.columns.len()).map(|i| self.aligned(i)).collect();
        let mut text = String::new();
        for row in 0..=self.rows.len() {
            let fields: Vec<&str> = columns.iter().map(|column| column[row].as_str()).collect();
            text += fields.join("  ").trim_end();
            text.push('\n');
            if row == 0 {
                let widths = columns.iter().map(|column| "─".repeat(width(&column[0])));
                text += &widths.collect::<Vec<_>>().join("  ");
                text.push('\n');
            }
        }
        text.push('\n');
        text += &wrapped(&self.caption.join(" "));
        text
    }

    /// Heading and entries of column `i`, all padded to one width.
    fn aligned(&self, i: usize) -> Vec<String> {
        let entries: Vec<String> = self.rows.iter().map(|row| row[i].text()).collect();
        let before = |entry: &Entry, text: &str| match entry {
            Entry::Text(_) | Entry::Missing => 0,
            _ => width(text.split(['.', ' ', 'e']).next().unwrap_or_default()),
        };
        let points: Vec<usize> =
            self.rows.iter().zip(&entries).map(|(row, text)| before(&row[i], text)).collect();
        let point = points.iter().copied().max().unwrap_or(0);
        let mut column = vec![self.columns[i].heading.clone()];
        column.extend(entries.into_iter().zip(points).map(|(text, own)| match own {
            // Words and dashes have no decimal point to stand at.
            0 => text,
            _ => format!("{}{text}", " ".repeat(point - own)),
        }));
        let widest = column.iter().map(|text| width(text)).max().unwrap_or(0);
        for text in &mut column {
            text.push_str(&" ".repeat(widest - width(text)));
        }
        column
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Words broken into lines of at most [`CAPTION_WIDTH`] characters.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        if column > 0 && column + 1 + width(word) > CAPTION_WIDTH {
            out.push('\n');
            column = 0;
        }
        if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width(word);
    }
    out.push('\n');
    out
}
