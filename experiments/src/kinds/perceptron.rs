//! Kind `perceptron`: Rosenblatt's rule on two classes.

use models::margin::novikoff;
use models::perceptron::{Labels, Perceptron, PerceptronRun};

use super::neuron::{Sets, order, report_weights, trace_csv};
use super::{Context, Stopped};
use crate::outcome::{Curve, Outcome, Value};
use crate::spec::{PerceptronTrial, Unit};

/// Updates and errors by epoch, the final weights, and where asked Novikoff's bound.
pub(super) fn run(trial: &PerceptronTrial, context: &Context<'_>) -> Result<Outcome, Stopped> {
    let labels = match trial.unit {
        Unit::Sign => Labels::MinusOneOne,
        Unit::Step => Labels::ZeroOne,
    };
    let sets = Sets::new(context, &trial.dataset, &trial.preprocess, labels.values(), trial.bias)?;
    let data = sets.train()?;
    let rule = Perceptron {
        learning_rate: trial.eta,
        epochs: trial.epochs,
        order: order(trial.shuffle, context.seed),
        labels,
    };
    let mut run = rule.train(&data, &sets.start(&trial.start, context.seed))?;
    if let Some(converged) = run.converged.filter(|_| trial.stop_when_separated) {
        // Nothing changes after this epoch: cutting it off is stopping there.
        run.updates.truncate(converged);
        run.errors.truncate(converged);
    }
    let mut outcome = Outcome::ok();
    report(&mut outcome, &run);
    if let Some(test) = sets.test()? {
        let errors = rule.errors(&test, &run.weights);
        outcome.metric("test.errors", errors);
        outcome.metric("test.accuracy", 1.0 - errors as f64 / test.n() as f64);
    }
    if trial.novikoff {
        let found = novikoff(&data)?;
        outcome.metric("separable", usize::from(found.is_some()));
        if let Some(found) = found {
            outcome.metric("radius", found.radius);
            outcome.metric("margin", found.margin);
            outcome.metric("bound", found.bound);
        }
    }
    report_weights(&mut outcome, &run.weights);
    let steps = run.trace.into_iter().map(|u| {
        (vec![u.epoch.to_string(), u.observation.to_string(), Value::Real(u.delta).to_string()], u.weights)
    });
    outcome.files.push(("trace.csv".to_owned(), trace_csv("epoch,observation,delta", steps)));
    outcome.files.extend(sets.boundary(&run.weights));
    Ok(outcome)
}

fn report(outcome: &mut Outcome, run: &PerceptronRun) {
    outcome.metric("updates", run.updates.iter().sum::<usize>());
    outcome.metric("epochs", run.updates.len());
    outcome.metric("errors", run.errors.last().copied().unwrap_or(0));
    if let Some(converged) = run.converged {
        outcome.metric("converged.epoch", converged);
    }
    if let Some(cycle) = run.cycle {
        outcome.metric("cycle.first", cycle.first);
        outcome.metric("cycle.again", cycle.again);
    }
    let mut curve = Curve::over("epoch", ["updates", "errors"]);
    for (i, (&updates, &errors)) in run.updates.iter().zip(&run.errors).enumerate() {
        curve.push(i + 1, [Some(updates.into()), Some(errors.into())]);
    }
    outcome.curve = curve;
}
