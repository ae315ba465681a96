//! What each kind calls its figures, so that a file can only ask for those that there are.
//!
//! `#` stands for an integer: `start.delta_norm.#` is a family of figures numbered by layer.

use super::keys::suggestion;

/// The figures of a kind.
pub(crate) struct Names {
    /// The columns of `results.csv`.
    metrics: Vec<String>,
    /// The columns of `curves.csv`, the axis first.
    curves: Vec<String>,
}

impl Names {
    /// The names that trials of `kind` can have.
    pub(crate) fn of(kind: &str) -> Self {
        let (metrics, curves): (&[&str], &[&str]) = match kind {
            "perceptron" => (
                &[
                    "updates",
                    "epochs",
                    "errors",
                    "converged.epoch",
                    "cycle.first",
                    "cycle.again",
                    "test.errors",
                    "test.accuracy",
                    "separable",
                    "radius",
                    "margin",
                    "bound",
                    "w#",
                ],
                &["epoch", "updates", "errors"],
            ),
            "adaline" => (
                &[
                    "cost",
                    "cost.minimum",
                    "cost.above_minimum",
                    "errors",
                    "eta.largest_stable",
                    "test.cost",
                    "test.errors",
                    "test.accuracy",
                    "w#",
                ],
                &["epoch", "cost", "mean_cost", "log10_cost"],
            ),
            "gradient-check" => (
                &["max_relative_error", "best_step", "gradient_norm", "checked", "parameters"],
                &["h", "max_relative_error", "parameter"],
            ),
            "convolve" => (
                &[
                    "channels",
                    "rows",
                    "columns",
                    "mean",
                    "min",
                    "max",
                    "y[#,#,#]",
                    "shift[#,#].differing",
                    "shift[#,#].max_difference",
                ],
                &[],
            ),
            "kernels" => (&["gflops", "gflops.min", "gflops.max", "peak_percent", "peak_gflops"], &[]),
            "activations" => {
                (&["phi(0)", "phi_prime(0)", "phi_prime.max", "phi_prime.min"], &["z", "phi", "phi_prime"])
            }
            _ => return Self::of_network(),
        };
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self { metrics: owned(metrics), curves: owned(curves) }
    }

    fn of_network() -> Self {
        let mut columns: Vec<String> = Vec::new();
        for part in ["train", "train_evaluated", "validation", "test"] {
            columns.extend(["loss", "accuracy"].map(|figure| format!("{part}.{figure}")));
        }
        columns.extend(["delta_norm.#", "weight_norm.#"].map(str::to_owned));
        let mut metrics = columns.clone();
        metrics.extend(columns.iter().map(|name| format!("final.{name}")));
        let others =
            ["start.delta_norm.#", "selected.epoch", "test.accuracy.shift.#", "epochs", "parameters"];
        metrics.extend(others.map(str::to_owned));
        columns.insert(0, "epoch".to_owned());
        Self { metrics, curves: columns }
    }

    /// The x axis of the curves, if there are any.
    pub(crate) fn axis(&self) -> Option<&str> {
        self.curves.first().map(String::as_str)
    }

    /// The remedy, if no trial has this metric.
    pub(crate) fn unknown_metric(&self, name: &str) -> Option<String> {
        let diverged = ["diverged.epoch", "diverged.step"];
        (!diverged.contains(&name)).then(|| remedy(name, &self.metrics.iter().collect::<Vec<_>>())).flatten()
    }

    /// The remedy, if no trial has a metric or a column of the curves of this name.
    pub(crate) fn unknown_figure(&self, name: &str) -> Option<String> {
        remedy(name, &self.metrics.iter().chain(&self.curves).collect::<Vec<_>>())
    }
}

fn remedy(name: &str, known: &[&String]) -> Option<String> {
    if known.iter().any(|pattern| is_one_of(pattern, name)) {
        return None;
    }
    let examples: Vec<String> = known.iter().map(|pattern| pattern.replace('#', "1")).collect();
    Some(suggestion(name, &examples.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// Whether `name` is `pattern` with integers for its `#`.
fn is_one_of(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('#') else { return pattern == name };
    let Some(rest) = name.strip_prefix(before) else { return false };
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(rest.len());
    rest[..end].parse::<i64>().is_ok() && is_one_of(after, &rest[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_a_number_each() {
        for (kind, name, known) in [
            ("network", "start.delta_norm.3", true),
            ("network", "test.accuracy.shift.-2", true),
            ("network", "final.weight_norm.12", true),
            ("network", "start.delta_norm.", false),
            ("network", "start.delta_norm.x", false),
            ("convolve", "y[0,0,1]", true),
            ("convolve", "y[0,0]", false),
            ("convolve", "shift[0,1].differing", true),
            ("adaline", "w0", true),
            ("adaline", "w", false),
            ("adaline", "diverged.epoch", true),
        ] {
            assert_eq!(Names::of(kind).unknown_metric(name).is_none(), known, "{kind} {name}");
        }
        let fix = Names::of("network").unknown_metric("test.acuracy").unwrap_or_default();
        assert!(fix.starts_with("did you mean `test.accuracy`?"), "{fix}");
    }

    /// The names are written by the kinds; the committed results hold one of each.
    #[test]
    fn every_column_of_the_committed_results_has_a_known_name() {
        let results = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
        for folder in std::fs::read_dir(results).unwrap().map(|entry| entry.unwrap().path()) {
            let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap_or_default();
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            if !folder.join("results.csv").exists() {
                continue;
            }
            let text = read("experiment.toml");
            let experiment = crate::spec::parse(&format!("{name}.toml"), &text, &[]).unwrap();
            let names = Names::of(experiment.kind);
            let header = read("results.csv");
            let metrics = header.lines().next().unwrap_or_default().rsplit_once("status");
            // Names that hold a comma are quoted; splitting at quotes first keeps them whole.
            for metric in metrics.map_or("", |(_, metrics)| metrics).split('"').flat_map(|part| {
                if part.starts_with(['y', 's']) { vec![part] } else { part.split(',').collect() }
            }) {
                assert!(metric.is_empty() || names.unknown_metric(metric).is_none(), "{name}: {metric}");
            }
            let header = read("curves.csv");
            for column in
                header.lines().next().unwrap_or_default().split(',').skip(2 + experiment.swept.len())
            {
                assert!(names.unknown_figure(column).is_none(), "{name}: {column}");
            }
        }
    }
}
