//! Kind `adaline`: the delta rule, and the closed form that it approaches.

use kernels::math;
use models::adaline::{Adaline, AdalineRun, Batching, cost, largest_stable_rate};
use models::least_squares;
use models::observations::Observations;
use models::perceptron::net_input;

use super::neuron::{Sets, order, report_weights, trace_csv};
use super::{Context, Stopped};
use crate::data::Targets;
use crate::outcome::{Curve, Outcome, Status};
use crate::spec::{AdalineTrial, Rule};

/// The cost by epoch, the final weights, and the minimum of the cost beside them.
pub(super) fn run(trial: &AdalineTrial, context: &Context<'_>) -> Result<Outcome, Stopped> {
    let sets = Sets::new(context, &trial.dataset, &trial.preprocess, [-1.0, 1.0], trial.bias)?;
    let data = sets.train()?;
    let run = train(trial, &data, &sets.start(&trial.start, context.seed), context.seed)?;
    let mut outcome = Outcome::ok();
    outcome.curve = curve(&run, data.n());
    if let Some(diverged) = run.diverged {
        outcome.status = Status::Diverged { epoch: diverged.epoch as u64, step: diverged.step as u64 };
        return Ok(outcome);
    }
    let classes = matches!(sets.data.targets, Targets::Classes { .. });
    report(&mut outcome, &data, &run.weights, classes);
    if let Some(test) = sets.test()? {
        outcome.metric("test.cost", cost(&test, &run.weights));
        if classes {
            let errors = errors(&test, &run.weights);
            outcome.metric("test.errors", errors);
            outcome.metric("test.accuracy", 1.0 - errors as f64 / test.n() as f64);
        }
    }
    report_weights(&mut outcome, &run.weights);
    let epochs = run.trace.into_iter().enumerate().map(|(i, w)| (vec![(i + 1).to_string()], w));
    outcome.files.push(("trace.csv".to_owned(), trace_csv("epoch", epochs)));
    outcome.files.extend(sets.boundary(&run.weights));
    Ok(outcome)
}

fn train(trial: &AdalineTrial, data: &Observations, start: &[f64], seed: u64) -> Result<AdalineRun, Stopped> {
    let batching = match trial.rule {
        Rule::PerSample => Batching::PerSample,
        Rule::FullBatch => Batching::FullBatch,
        Rule::MiniBatch { batch } => Batching::MiniBatch { size: batch },
        Rule::NormalEquations => {
            let weights = least_squares::fit(data)?;
            return Ok(AdalineRun { weights, costs: Vec::new(), trace: Vec::new(), diverged: None });
        }
    };
    let order = order(trial.shuffle, seed);
    Ok(Adaline { learning_rate: trial.eta, epochs: trial.epochs, batching, order }.train(data, start)?)
}

/// The final cost, the least possible one and the learning rate up to which full batches converge.
fn report(outcome: &mut Outcome, data: &Observations, weights: &[f64], classes: bool) {
    let ours = cost(data, weights);
    outcome.metric("cost", ours);
    // Without a unique minimum (fewer observations than variables) there is nothing to compare with.
    if let Ok(best) = least_squares::fit(data) {
        let least = cost(data, &best);
        outcome.metric("cost.minimum", least);
        outcome.metric("cost.above_minimum", ours - least);
    }
    if classes {
        outcome.metric("errors", errors(data, weights));
    }
    outcome.metric("eta.largest_stable", largest_stable_rate(data));
}

/// Observations on the wrong side of z = 0.
fn errors(data: &Observations, w: &[f64]) -> usize {
    (0..data.n()).filter(|&i| (net_input(data.x(i), w) >= 0.0) != (data.y(i) > 0.0)).count()
}

/// The cost of each epoch: as the slide sums it, per observation, and its logarithm.
fn curve(run: &AdalineRun, n: usize) -> Curve {
    let mut curve = Curve::over("epoch", ["cost", "mean_cost", "log10_cost"]);
    for (i, &cost) in run.costs.iter().enumerate() {
        let figures = [cost, cost / n as f64, math::f64::log10(cost)];
        curve.push(i + 1, figures.map(|figure| Some(figure.into())));
    }
    curve
}
