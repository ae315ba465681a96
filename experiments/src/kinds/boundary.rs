//! `boundary.csv`: the class that a model gives each point of the plane, for data of two features.

use kernels::{Element, Level};

use super::Stopped;
use super::activations::grid;
use crate::data::Data;
use crate::preprocess::Part;

/// Points along each side of the lattice.
const SIDE: usize = 101;
/// How far the lattice reaches beyond the samples, as a part of their range.
const MARGIN: f64 = 0.1;

/// Data of two features as the model sees them.
pub(super) struct Plane<'a, T> {
    pub(super) data: &'a Data,
    /// The samples to show.
    pub(super) part: &'a Part<T>,
    /// The classes' names.
    pub(super) names: &'a [String],
    /// Whether preprocessing changed the features; their names then say so.
    pub(super) processed: bool,
    /// At which the samples are gathered.
    pub(super) level: Level,
}

impl<T: Element> Plane<'_, T> {
    /// The file, or `None` for data of other than two features or without classes; `classify` gets
    /// points as [n, 2] and answers with n classes.
    pub(super) fn csv(
        &self,
        classify: impl FnOnce(&[T]) -> Result<Vec<u32>, Stopped>,
    ) -> Option<(String, Vec<u8>)> {
        if self.data.width() != 2 || self.part.labels.is_empty() {
            return None;
        }
        let samples = self.part.to_values(self.level);
        let (columns, rows) = (axis(&samples, 0), axis(&samples, 1));
        let points: Vec<T> =
            rows.iter().flat_map(|&y| columns.iter().flat_map(move |&x| [x, y])).map(T::from_f64).collect();
        let classes = classify(&points).ok()?;
        let mut text = format!("part,{},{},class\n", self.feature(0), self.feature(1));
        let mut push = |part: &str, x: &[T], class: u32| {
            let name = self.names.get(class as usize).map_or("?", String::as_str);
            let [x, y] = [x[0], x[1]].map(Element::canonical);
            text += &format!("{part},{x:?},{y:?},{}\n", super::csv_field(name));
        };
        for (point, class) in points.chunks_exact(2).zip(classes) {
            push("grid", point, class);
        }
        for (sample, &label) in samples.chunks_exact(2).zip(&self.part.labels) {
            push("point", sample, label);
        }
        Some(("boundary.csv".to_owned(), text.into_bytes()))
    }

    fn feature(&self, i: usize) -> String {
        let name = self.data.feature_names.get(i).map_or_else(|| format!("x{}", i + 1), String::clone);
        super::csv_field(&if self.processed { format!("{name} (preprocessed)") } else { name })
    }
}

/// The lattice along one of the two features of `samples`, [n, 2].
fn axis<T: Element>(samples: &[T], feature: usize) -> Vec<f64> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for sample in samples.chunks_exact(2) {
        let x = sample[feature].to_f64();
        if x < low {
            low = x;
        }
        if x > high {
            high = x;
        }
    }
    let reach = MARGIN * (high - low);
    grid(low - reach, high + reach, SIDE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Features, Targets};
    use crate::preprocess::Samples;

    #[test]
    fn a_coordinate_prints_as_a_value_of_its_own_type() {
        let names = ["a".to_owned(), "b".to_owned()];
        let data = Data {
            name: "two".to_owned(),
            shape: vec![2],
            features: Features::F64(vec![0.1, 0.2, 0.3, 0.4]),
            feature_names: Vec::new(),
            targets: Targets::Classes { labels: vec![0, 1], names: names.to_vec() },
            train: vec![0, 1],
            validation: Vec::new(),
            test: Vec::new(),
            digests: Vec::new(),
        };
        let part = Part::<f32> {
            x: Samples::Values(vec![0.1, 0.2, 0.3, -f32::NAN]),
            width: 2,
            labels: vec![0, 1],
            values: Vec::new(),
            rows: vec![0, 1],
        };
        let plane = Plane { data: &data, part: &part, names: &names, processed: false, level: Level::best() };
        let (_, bytes) = plane.csv(|points| Ok(vec![0; points.len() / 2])).expect("two features");
        let text = String::from_utf8(bytes).expect("text");
        assert!(text.contains("\npoint,0.1,0.2,a\npoint,0.3,NaN,b\n"), "{text}");
    }
}
