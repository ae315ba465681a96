//! Looking inside a network: norms of its gradients and weights, layer by layer.

use std::ops::Range;

use kernels::{Exec, reduce};
use models::NetworkElement;
use models::network::{LayerSpec, Network, Position};

use super::batch::Batch;
use crate::kinds::Stopped;
use crate::preprocess::Part;

pub(super) const DELTA_NORM: &str = "delta_norm";
pub(super) const WEIGHT_NORM: &str = "weight_norm";

/// Where the weights and the biases of a layer stand among the parameters.
#[derive(Clone, Debug)]
pub(super) struct Learning {
    weights: Range<usize>,
    /// Empty without a bias.
    biases: Range<usize>,
}

/// The dense and convolution layers, from the input to the output.
pub(super) fn learning_layers<T: NetworkElement>(
    network: &Network<T>,
    layers: &[LayerSpec],
) -> Vec<Learning> {
    let mut start = 0;
    let mut learning = Vec::new();
    for (summary, layer) in network.layers().iter().zip(layers) {
        let end = start + summary.parameters;
        let biases = match layer {
            LayerSpec::Dense { units, bias } => usize::from(*bias) * units,
            LayerSpec::Conv2d(spec) | LayerSpec::Conv1d(spec) => usize::from(spec.bias) * spec.filters,
            _ => {
                start = end;
                continue;
            }
        };
        learning.push(Learning { weights: start..end - biases, biases: end - biases..end });
        start = end;
    }
    learning
}

/// |dJ/db| of every learning layer, J the mean over the whole of `part`: Nielsen's speed of learning.
///
/// The gradient of each batch counts by its number of samples, added in f64 in file order. A layer
/// without a bias has norm 0. At a loss that is not finite there is no gradient: all norms are NaN.
pub(super) fn delta_norms<T: NetworkElement>(
    exec: Exec,
    network: &mut Network<T>,
    layers: &[Learning],
    part: &Part<T>,
    at: Position,
) -> Result<Vec<f64>, Stopped> {
    // A pass in training mode moves the running statistics of batch normalisation.
    let statistics = network.statistics().to_vec();
    let samples = part.rows.len();
    let mut sums: Vec<Vec<f64>> = layers.iter().map(|layer| vec![0.0; layer.biases.len()]).collect();
    let mut batch = Batch::new(network.max_batch());
    let mut x = vec![T::ZERO; network.max_batch() * part.width];
    let gather = part.gather(exec.level, |i| i);
    let all: Vec<u32> = (0..samples as u32).collect();
    for (i, rows) in all.chunks(network.max_batch()).enumerate() {
        batch.take(part, rows);
        let (first, x) = (i * network.max_batch(), &mut x[..rows.len() * part.width]);
        gather(first..first + rows.len(), x);
        let at = Position { first: first as u64, ..at };
        let loss = network.forward_backward(exec, x, batch.targets(), at)?;
        if !loss.is_finite() {
            network.statistics_mut().copy_from_slice(&statistics);
            return Ok(vec![f64::NAN; layers.len()]);
        }
        for (sum, layer) in sums.iter_mut().zip(layers) {
            for (s, g) in sum.iter_mut().zip(&network.gradients()[layer.biases.clone()]) {
                *s = g.to_f64().mul_add(rows.len() as f64, *s);
            }
        }
    }
    network.statistics_mut().copy_from_slice(&statistics);
    Ok(sums.iter().map(|sum| reduce::sum_of_squares(exec, sum).sqrt() / samples as f64).collect())
}

/// |w| of every learning layer, biases left out, in f64.
pub(super) fn weight_norms<T: NetworkElement>(
    exec: Exec,
    network: &Network<T>,
    layers: &[Learning],
) -> Vec<f64> {
    let norm = |layer: &Learning| {
        let weights: Vec<f64> =
            network.parameters()[layer.weights.clone()].iter().map(|w| w.to_f64()).collect();
        reduce::sum_of_squares(exec, &weights).sqrt()
    };
    layers.iter().map(norm).collect()
}

#[cfg(test)]
mod tests {
    use kernels::Level;
    use models::loss::Loss;

    use super::*;
    use crate::preprocess::Samples;

    #[test]
    fn without_a_finite_loss_there_are_no_norms() -> Result<(), Box<dyn std::error::Error>> {
        let layers = [LayerSpec::dense(2), LayerSpec::BatchNorm, LayerSpec::dense(1)];
        let mut network = Network::<f32>::new(&[1], &layers, Loss::Quadratic, 2)?;
        network.parameters_mut().fill(0.5);
        let learning = learning_layers(&network, &layers);
        let exec = Exec::serial(Level::best());
        let statistics = network.statistics().to_vec();
        let mut norms = |x: Vec<f32>| {
            let part = Part {
                values: vec![1.0; x.len()],
                labels: Vec::new(),
                rows: (0..x.len() as u32).collect(),
                width: 1,
                x: Samples::Values(x),
            };
            delta_norms(exec, &mut network, &learning, &part, Position::default()).map_err(|e| e.to_string())
        };
        assert!(norms(vec![1.0, 2.0, 3.0, 4.0])?.iter().all(|norm| norm.is_finite()));
        // The second batch alone is bad: its gradients must not be the first one's.
        assert!(norms(vec![1.0, 2.0, f32::INFINITY, 4.0])?.iter().all(|norm| norm.is_nan()));
        assert_eq!(network.statistics(), statistics);
        Ok(())
    }
}
