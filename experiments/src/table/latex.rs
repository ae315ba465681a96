//! The table in LaTeX, with booktabs and siunitx.
//!
//! Mean and deviation stand in two `S` columns joined by a plus-minus: one column with an
//! uncertainty sets them lopsided.

use super::{Column, Entry, Rounded, Shape, Table};

impl Table {
    /// A `table` environment; the preamble needs `booktabs` and `siunitx`.
    pub fn to_latex(&self) -> String {
        let specifications: Vec<String> =
            self.columns.iter().enumerate().map(|(i, c)| self.specification(i, c)).collect();
        let headings: Vec<String> = self.columns.iter().map(heading).collect();
        let mut text = format!(
            "% \\usepackage{{booktabs}} \\usepackage{{siunitx}}\n\\begin{{table}}\n  \\centering\n  \
             \\caption{{{}}}\n  \\label{{tab:{}}}\n  \\begin{{tabular}}{{{}}}\n    \\toprule\n    {} \\\\\n    \\midrule\n",
            escaped(&self.caption.join(" ")),
            label(&self.name),
            specifications.join(" "),
            headings.join(" & "),
        );
        for row in &self.rows {
            let cells: Vec<String> = row.iter().zip(&self.columns).map(|(e, c)| cell(e, c.shape)).collect();
            text += &format!("    {} \\\\\n", cells.join(" & "));
        }
        text += "    \\bottomrule\n  \\end{tabular}\n\\end{table}\n";
        text
    }

    /// The column's entry in the preamble of `tabular`.
    fn specification(&self, i: usize, column: &Column) -> String {
        let entries = self.rows.iter().map(|row| &row[i]);
        let first = entries.clone().filter_map(|entry| match entry {
            Entry::Number(x) | Entry::Spread(x, _) | Entry::Range(x, ..) => Some(x),
            Entry::Text(_) | Entry::Missing => None,
        });
        let second = entries.filter_map(|entry| match entry {
            Entry::Spread(_, sd) => Some(sd),
            _ => None,
        });
        match column.shape {
            Shape::Text => "l".to_owned(),
            Shape::Number => format!("S[{}]", table_format(first)),
            Shape::Spread => {
                format!("S[{}]@{{\\,$\\pm$\\,}}S[{}]", table_format(first), table_format(second))
            }
            Shape::Range => format!("S[{}] l", table_format(first)),
        }
    }
}

/// siunitx's `table-format` that holds all of `numbers`.
fn table_format<'a>(numbers: impl Iterator<Item = &'a Rounded>) -> String {
    let (mut sign, mut whole, mut places, mut exponent) = (false, 1, 0, 0);
    for number in numbers {
        let digits = number.digits.trim_start_matches('-');
        sign |= digits.len() < number.digits.len();
        let (left, right) = digits.split_once('.').unwrap_or((digits, ""));
        whole = whole.max(left.len());
        places = places.max(right.len());
        if number.exponent != 0 {
            exponent = exponent.max(number.exponent.to_string().len());
        }
    }
    let sign = if sign { "-" } else { "" };
    let exponent = if exponent > 0 { format!("e{exponent}") } else { String::new() };
    let places = if places > 0 { format!(".{places}") } else { String::new() };
    format!("table-format={sign}{whole}{places}{exponent}")
}

fn columns_of(shape: Shape) -> usize {
    match shape {
        Shape::Text | Shape::Number => 1,
        Shape::Spread | Shape::Range => 2,
    }
}

fn heading(column: &Column) -> String {
    let text = escaped(&column.heading);
    match columns_of(column.shape) {
        1 => format!("{{{text}}}"),
        n => format!("\\multicolumn{{{n}}}{{c}}{{{text}}}"),
    }
}

fn cell(entry: &Entry, shape: Shape) -> String {
    match (entry, shape) {
        (Entry::Text(text), _) => match columns_of(shape) {
            1 => format!("{{{}}}", escaped(text)),
            n => format!("\\multicolumn{{{n}}}{{c}}{{{}}}", escaped(text)),
        },
        (Entry::Missing, _) => match columns_of(shape) {
            1 => "{---}".to_owned(),
            n => format!("\\multicolumn{{{n}}}{{c}}{{---}}"),
        },
        (Entry::Number(x), Shape::Spread) => format!("\\multicolumn{{2}}{{c}}{{\\num{{{x}}}}}"),
        (Entry::Number(x), Shape::Range) => format!("{} & ", number(x)),
        (Entry::Number(x), _) => number(x),
        (Entry::Spread(mean, sd), _) => format!("{} & {}", number(mean), number(sd)),
        (Entry::Range(median, min, max), _) => {
            format!("{} & (\\num{{{min}}} to \\num{{{max}}})", number(median))
        }
    }
}

/// A number as an `S` column reads it; `inf` and `nan` are words there.
fn number(x: &Rounded) -> String {
    if x.digits.ends_with(|c: char| c.is_ascii_digit()) { x.to_string() } else { format!("{{{x}}}") }
}

fn label(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "-:.".contains(c) { c } else { '-' }).collect()
}

/// Escapes LaTeX's special characters and spells the few signs that old engines lack.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\textbackslash{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '{' | '}' | '$' | '&' | '#' | '_' | '%' => out.extend(['\\', c]),
            '[' | ']' => out.extend(['{', c, '}']),
            '<' => out.push_str("$<$"),
            '>' => out.push_str("$>$"),
            '±' => out.push_str("$\\pm$"),
            '×' => out.push_str("$\\times$"),
            '−' => out.push_str("$-$"),
            '≤' => out.push_str("$\\le$"),
            '≥' => out.push_str("$\\ge$"),
            '→' => out.push_str("$\\to$"),
            '—' => out.push_str("---"),
            '–' => out.push_str("--"),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
