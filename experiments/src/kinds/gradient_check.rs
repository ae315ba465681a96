//! Kind `gradient-check`: backpropagation against central differences, in f64.

use kernels::reduce;
use models::gradcheck::{best, scan};
use models::loss::Targets;
use models::network::{Network, Position};
use models::rng::{Purpose, Stream};

use super::{Context, Stopped};
use crate::outcome::{Curve, Outcome, Value};
use crate::spec::GradientCheckTrial;

/// A random batch and the class of each sample.
struct Samples {
    x: Vec<f64>,
    labels: Vec<u32>,
}

impl Samples {
    /// x from N(0, 1); labels even over the classes (two for a single output).
    fn new(trial: &GradientCheckTrial, network: &Network<f64>, seed: u64) -> Self {
        let mut values = Stream::new(Purpose::Data, seed, 0);
        let mut classes = Stream::new(Purpose::Data, seed, 1);
        let count = if network.outputs() == 1 { 2 } else { network.outputs() as u64 };
        Self {
            x: (0..trial.batch * network.inputs()).map(|_| values.normal()).collect(),
            labels: (0..trial.batch).map(|_| classes.below(count) as u32).collect(),
        }
    }
}

/// The largest relative error over the parameters for each step h: a V with its lowest point near 1e-5.
pub(super) fn run(trial: &GradientCheckTrial, context: &Context<'_>) -> Result<Outcome, Stopped> {
    let model = &trial.model;
    let network = Network::<f64>::new(&model.input, &model.layers, trial.loss, trial.batch);
    let mut network = network.map_err(|e| Stopped::Failed(e.to_string()))?;
    match &model.parameters {
        None => network.initialise(model.init, context.seed),
        Some(values) => network.set_parameters(values)?,
    }
    let samples = Samples::new(trial, &network, context.seed);
    cost(&mut network, &samples, context)?;
    let chosen = evenly(network.parameters().len(), trial.parameters);
    let pick = |values: &[f64]| chosen.iter().map(|&i| values[i]).collect::<Vec<f64>>();
    let (analytic, at) = (pick(network.gradients()), pick(network.parameters()));
    let mut failure = None;
    let mut moved_cost = |moved: &[f64]| {
        for (&i, &value) in chosen.iter().zip(moved) {
            network.parameters_mut()[i] = value;
        }
        // A failure is reported below; until then the scan gets a number that agrees with nothing.
        cost(&mut network, &samples, context).unwrap_or_else(|stopped| {
            failure = Some(stopped);
            f64::NAN
        })
    };
    let points = scan(&mut moved_cost, &at, &analytic, &trial.steps);
    if let Some(stopped) = failure {
        return Err(stopped);
    }
    let mut outcome = Outcome::ok();
    if let Some(best) = best(&points) {
        outcome.metric("max_relative_error", best.worst);
        outcome.metric("best_step", best.step);
    }
    outcome.metric("gradient_norm", reduce::sum_of_squares(context.exec, &analytic).sqrt());
    outcome.metric("checked", chosen.len());
    outcome.metric("parameters", network.parameters().len());
    outcome.curve = Curve::over("h", ["max_relative_error", "parameter"]);
    for point in &points {
        let parameter = chosen.get(point.parameter).map(|&i| i.into());
        outcome.curve.push(point.step, [Some(Value::Real(point.worst)), parameter]);
    }
    outcome.digests.push(("gradient".to_owned(), super::digest_of(&analytic)));
    Ok(outcome)
}

/// J on the batch, in training mode with the same random masks each time; leaves the gradient.
fn cost(network: &mut Network<f64>, samples: &Samples, context: &Context<'_>) -> Result<f64, Stopped> {
    let at = Position { seed: context.seed, epoch: 0, first: 0 };
    let targets = Targets::Labels(&samples.labels);
    let sum = network.forward_backward(context.exec, &samples.x, targets, at)?;
    Ok(sum / samples.labels.len() as f64)
}

/// All of `total` indices, or so many of them at even distances.
fn evenly(total: usize, wanted: Option<usize>) -> Vec<usize> {
    let count = wanted.map_or(total, |wanted| wanted.min(total));
    (0..count).map(|i| i * total / count).collect()
}

#[cfg(test)]
mod tests {
    use super::evenly;

    #[test]
    fn parameters_are_picked_evenly() {
        assert_eq!(evenly(10, Some(4)), [0, 2, 5, 7]);
        assert_eq!(evenly(3, None), [0, 1, 2]);
        assert_eq!(evenly(3, Some(9)), [0, 1, 2]);
        assert!(evenly(0, Some(9)).is_empty());
    }
}
