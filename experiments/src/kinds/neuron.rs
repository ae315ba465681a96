//! What the perceptron and Adaline share: their observations, their first weights, their pictures.

use std::sync::Arc;

use kernels::Level;
use models::observations::{Observations, Order};
use models::rng::{Purpose, Stream};

use super::boundary::Plane;
use super::{Context, Stopped};
use crate::data::{Data, Targets};
use crate::outcome::{Outcome, Value};
use crate::preprocess::{Part, Prepared};
use crate::spec::{DatasetSpec, Start, Step};

/// More weights than this stand in the digests only, not in the table.
const WEIGHTS_SHOWN: usize = 8;

/// The data of a neuron's trial.
pub(super) struct Sets {
    pub(super) data: Arc<Data>,
    pub(super) prepared: Arc<Prepared<f64>>,
    /// The values of class 0 and class 1.
    values: [f64; 2],
    /// Whether a constant coordinate 1 stands before the features.
    bias: bool,
    /// Whether `x` is not as stored.
    processed: bool,
    level: Level,
}

impl Sets {
    pub(super) fn new(
        context: &Context<'_>,
        dataset: &DatasetSpec,
        steps: &[Step],
        values: [f64; 2],
        bias: bool,
    ) -> Result<Self, Stopped> {
        let data = context.inputs.data(dataset, context.seed).ok_or_else(super::no_data)?;
        let level = context.exec.level;
        let prepared = context.inputs.prepared::<f64>(level, &data, steps);
        let parts = [&prepared.train, &prepared.validation, &prepared.test];
        if parts.iter().any(|part| part.labels.iter().any(|&label| label > 1)) {
            return Err(Stopped::Failed(format!(
                "{}: a single neuron tells 2 classes apart, the data have more; keep two with `dataset.classes`",
                data.name
            )));
        }
        Ok(Self { data, prepared, values, bias, processed: !steps.is_empty(), level })
    }

    pub(super) fn train(&self) -> Result<Observations, Stopped> {
        self.observations(&self.prepared.train)
    }

    /// `None` without a test part.
    pub(super) fn test(&self) -> Result<Option<Observations>, Stopped> {
        if self.prepared.test.rows.is_empty() {
            return Ok(None);
        }
        self.observations(&self.prepared.test).map(Some)
    }

    fn observations(&self, part: &Part<f64>) -> Result<Observations, Stopped> {
        let y: Vec<f64> = if part.values.is_empty() {
            part.labels.iter().map(|&label| self.values[label as usize]).collect()
        } else {
            part.values.clone()
        };
        let observations = Observations::new(self.data.width(), &part.to_values(self.level), &y)?;
        Ok(if self.bias { observations.with_constant() } else { observations })
    }

    /// The first weights, the bias first.
    pub(super) fn start(&self, start: &Start, seed: u64) -> Vec<f64> {
        let p = self.data.width() + usize::from(self.bias);
        match start {
            Start::Zeros => vec![0.0; p],
            Start::Normal { sd } => {
                let mut stream = Stream::new(Purpose::Init, seed, 0);
                (0..p).map(|_| sd * stream.normal()).collect()
            }
            Start::Given(weights) => weights.clone(),
        }
    }

    /// `boundary.csv` of two features: what `z` answers over the plane, and the training samples.
    pub(super) fn boundary(&self, weights: &[f64]) -> Option<(String, Vec<u8>)> {
        let Targets::Classes { names, .. } = &self.data.targets else { return None };
        let plane = Plane {
            data: &self.data,
            part: &self.prepared.train,
            names,
            processed: self.processed,
            level: self.level,
        };
        plane.csv(|points| {
            let of_point = |x: &[f64]| {
                let constant = [1.0, x[0], x[1]];
                let x = if self.bias { &constant[..] } else { x };
                u32::from(models::perceptron::net_input(x, weights) >= 0.0)
            };
            Ok(points.chunks_exact(2).map(of_point).collect())
        })
    }
}

pub(crate) fn order(shuffle: bool, seed: u64) -> Order {
    if shuffle { Order::Shuffled { seed } } else { Order::File }
}

/// The final weights: their digest, and the values where they are few.
pub(super) fn report_weights(outcome: &mut Outcome, weights: &[f64]) {
    if weights.len() <= WEIGHTS_SHOWN {
        for (i, &w) in weights.iter().enumerate() {
            outcome.metric(format!("w{i}"), w);
        }
    }
    outcome.digests.push(("weights".to_owned(), super::digest_of(weights)));
}

/// A file of rows of weights, the step they belong to first.
pub(super) fn trace_csv(axis: &str, rows: impl Iterator<Item = (Vec<String>, Vec<f64>)>) -> Vec<u8> {
    let mut text = String::new();
    for (step, weights) in rows {
        if text.is_empty() {
            text = axis.to_owned();
            for i in 0..weights.len() {
                text += &format!(",w{i}");
            }
            text.push('\n');
        }
        text += &step.join(",");
        for w in weights {
            text += &format!(",{}", Value::Real(w));
        }
        text.push('\n');
    }
    text.into_bytes()
}
