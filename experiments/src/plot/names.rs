//! Names of the results as a reader of a figure wants them.

use super::read::{CellOf, Rows};

/// An axis label with its unit: `test.accuracy` becomes `test accuracy`.
pub(super) fn label(figure: &str) -> String {
    let known = match figure {
        "gflops" => "GFLOP/s",
        "percent_of_peak" => "% of one core's peak",
        "h" => "step h",
        "z" => "z",
        "phi" => "φ(z)",
        "phi_prime" => "φ′(z)",
        "updates" => "updates in the epoch",
        _ => "",
    };
    match figure.strip_prefix("train.") {
        _ if !known.is_empty() => known.to_owned(),
        Some(rest) => format!("training {}", rest.replace(['.', '_'], " ")),
        None => figure.replace(['.', '_'], " "),
    }
}

/// The last parts of a dotted key that say what it is: `model.layers.1.dense.units` becomes `units`.
pub(super) fn key(dotted: &str) -> String {
    let last = dotted.rsplit('.').next().unwrap_or(dotted);
    last.replace('_', " ")
}

/// How the cells are called in a legend: the settings in which they differ.
pub(super) fn cells(rows: &Rows, cells: &[CellOf]) -> Vec<String> {
    let varying = rows.varying();
    let name = |cell: &CellOf| {
        let parts: Vec<String> = varying.iter().map(|&k| setting(&rows.keys[k], &cell.settings[k])).collect();
        parts.join(", ")
    };
    cells.iter().map(name).collect()
}

/// `units = 32`; a word speaks for itself, a list of sizes is written with crosses.
pub(super) fn setting(dotted: &str, value: &str) -> String {
    let bare = value.trim_matches('"');
    if bare.starts_with(char::is_alphabetic) && bare != "true" && bare != "false" {
        return bare.to_owned();
    }
    let list = bare.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    match list {
        Some(sizes) => format!("{} {}", key(dotted), sizes.replace(", ", " × ")),
        None => format!("{} = {bare}", key(dotted)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_speak() {
        assert_eq!(label("test.accuracy"), "test accuracy");
        assert_eq!(setting("model.layers.1.dense.units", "32"), "units = 32");
        assert_eq!(setting("case", "two hidden layers"), "two hidden layers");
        assert_eq!(setting("train.shuffle", "true"), "shuffle = true");
        assert_eq!(setting("shape", "[64, 32, 8]"), "shape 64 × 32 × 8");
        assert_eq!(label("train.loss"), "training loss");
    }
}
