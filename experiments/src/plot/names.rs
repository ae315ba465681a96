//! Names of the results as a reader of a figure wants them.

use super::read::{CellOf, Rows};

/// An axis label with its unit: `test.accuracy` becomes `test accuracy`.
pub(super) fn label(figure: &str) -> String {
    let known = match figure {
        "gflops" => "GFLOP/s",
        "peak_percent" => "% of one core's peak",
        "h" => "step h",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let figure = figure.strip_suffix(".shift").unwrap_or(figure);
    let words = figure.replace(['.', '_'], " ");
    if let Some(rest) = words.strip_prefix("train evaluated ") {
        return format!("training {rest}, after the epoch");
    }
    match words.strip_prefix("train ") {
        Some(rest) => format!("training {rest}"),
        None => words,
    }
}

/// A feature of the data with its unit: `petal_length_cm` becomes `petal length (cm)`.
pub(super) fn feature(name: &str) -> String {
    let words = name.replace('_', " ");
    match words.strip_suffix(" cm") {
        Some(quantity) => format!("{quantity} (cm)"),
        None => words,
    }
}

/// The values that a figure can take at all.
pub(super) fn bounds(figure: &str) -> Option<(f64, f64)> {
    if figure.contains("accuracy") {
        return Some((0.0, 1.0));
    }
    let never_negative = ["loss", "cost", "norm", "error", "updates"];
    never_negative.iter().any(|word| figure.contains(word)).then_some((0.0, f64::INFINITY))
}

/// The number behind the last dot, and the figure's name before it: `start.delta_norm.2`.
pub(super) fn numbered(figure: &str) -> Option<(&str, i64)> {
    let (stem, number) = figure.rsplit_once('.')?;
    Some((stem, number.parse().ok()?))
}

/// What the numbers of a family of figures count.
pub(super) fn counted(stem: &str) -> &'static str {
    if stem.ends_with("shift") {
        return "shift (pixels)";
    }
    if stem.ends_with("norm") { "layer with weights, from the input" } else { "number" }
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
    let word = bare.starts_with(char::is_alphabetic) && bare != "true" && bare != "false";
    if word || dotted == "case" {
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
        assert_eq!(setting("case", "100-100"), "100-100");
        assert_eq!(setting("train.shuffle", "true"), "shuffle = true");
        assert_eq!(setting("shape", "[64, 32, 8]"), "shape 64 × 32 × 8");
        assert_eq!(label("train.loss"), "training loss");
        assert_eq!(label("train_evaluated.loss"), "training loss, after the epoch");
        assert_eq!(feature("petal_length_cm"), "petal length (cm)");
        assert_eq!(numbered("test.accuracy.shift.-2"), Some(("test.accuracy.shift", -2)));
        assert_eq!(numbered("test.accuracy"), None);
    }
}
