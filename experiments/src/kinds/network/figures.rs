//! The figures of an epoch and the names of their columns.

use kernels::Exec;
use models::NetworkElement;
use models::network::{Evaluation, Examples, Network};

use super::batch::{image_of, shifted, targets};
use super::probes;
use crate::kinds::Stopped;
use crate::outcome::Value;
use crate::preprocess::{Part, Prepared};
use crate::spec::NetworkTrial;

/// Loss and accuracy of one part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    pub(super) loss: f64,
    /// `None` for regression.
    pub(super) accuracy: Option<f64>,
}

/// The parts that are evaluated after an epoch, by the first half of their columns' names.
pub(super) fn parts<'a, T>(
    trial: &NetworkTrial,
    sets: &'a Prepared<T>,
) -> impl Iterator<Item = (&'static str, &'a Part<T>)> {
    let train = trial.evaluate.train.then_some(("train_evaluated", &sets.train));
    let others = [("validation", &sets.validation), ("test", &sets.test)];
    train.into_iter().chain(others.into_iter().filter(|(_, part)| !part.rows.is_empty()))
}

/// The names of all columns of a trial's curve, apart from the epoch.
pub(super) fn columns<T>(trial: &NetworkTrial, sets: &Prepared<T>, learning_layers: usize) -> Vec<String> {
    let accuracy = !sets.train.labels.is_empty();
    let mut columns = Vec::new();
    let mut push = |part: &str| {
        columns.push(format!("{part}.loss"));
        if accuracy {
            columns.push(format!("{part}.accuracy"));
        }
    };
    push("train");
    parts(trial, sets).for_each(|(name, _)| push(name));
    let mut probe = |wanted: bool, name: &str| {
        columns.extend((1..=learning_layers).filter(|_| wanted).map(|k| format!("{name}.{k}")));
    };
    probe(trial.probes.delta_norms_by_epoch, probes::DELTA_NORM);
    probe(trial.probes.weight_norms, probes::WEIGHT_NORM);
    columns
}

impl Figures {
    /// Loss and accuracy of `part` under the network as it stands.
    pub(super) fn of<T: NetworkElement>(
        exec: Exec,
        network: &mut Network<T>,
        part: &Part<T>,
    ) -> Result<Self, Stopped> {
        let evaluation = evaluate(exec, network, part)?;
        let accuracy = (!part.labels.is_empty()).then(|| evaluation.accuracy(&part.labels));
        Ok(Self { loss: evaluation.loss, accuracy })
    }

    /// The loss and, for classes, the accuracy.
    pub(super) fn values(self) -> impl Iterator<Item = Option<Value>> {
        [Some(self.loss), self.accuracy].into_iter().flatten().map(|figure| Some(Value::Real(figure)))
    }
}

/// What the network makes of all of `part`.
pub(super) fn evaluate<T: NetworkElement>(
    exec: Exec,
    network: &mut Network<T>,
    part: &Part<T>,
) -> Result<Evaluation<T>, Stopped> {
    let gather = part.gather(exec.level, |i| i);
    let examples = Examples { samples: part.len(), gather: &gather, targets: targets(part) };
    Ok(network.evaluate_from(exec, examples)?)
}

/// The accuracy on `part` shifted by each of the trial's shifts, with its metric's name.
pub(super) fn after_shifts<T: NetworkElement>(
    exec: Exec,
    network: &mut Network<T>,
    part: &Part<T>,
    shape: &[usize],
    shifts: &[i64],
) -> Result<Vec<(String, Value)>, Stopped> {
    let mut metrics = Vec::new();
    if part.labels.is_empty() {
        return Ok(metrics);
    }
    for &by in shifts {
        let gather = shifted(image_of(shape), part.gather(exec.level, |i| i), move |_| [0, by]);
        let examples = Examples { samples: part.len(), gather: &gather, targets: targets(part) };
        let accuracy = network.evaluate_from(exec, examples)?.accuracy(&part.labels);
        metrics.push((format!("test.accuracy.shift.{by}"), Value::Real(accuracy)));
    }
    Ok(metrics)
}
