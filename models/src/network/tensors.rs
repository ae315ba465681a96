//! The tensors by name, in PyTorch's naming, shapes and order.

use kernels::{Element, Error};

use super::Network;
use crate::init::Init;
use crate::layers::{Order, Role, TensorPlan};
use crate::rng::{Purpose, Stream};

/// A named tensor as PyTorch's `state_dict` has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<T> {
    /// `<index>.weight`, `<index>.bias`, `<index>.running_mean` or `<index>.running_var`.
    pub name: String,
    /// Dense weights [units, inputs], convolution weights [filters, channels, height, width].
    pub shape: Vec<usize>,
    /// The values, row-major in `shape`.
    pub data: Vec<T>,
}

impl<T: Element> Network<T> {
    /// Draws the start values: per layer one stream (Init, seed, layer index), the weights in PyTorch's
    /// order, then the biases. Scales of batch normalisation start at 1, shifts at 0, running means
    /// at 0, running variances at 1.
    pub fn initialise(&mut self, init: Init, seed: u64) {
        self.reset_constants();
        for (index, (layer, block)) in self.layers.iter().zip(&self.plan.layouts).enumerate() {
            let mut stream = Stream::new(Purpose::Init, seed, index as u64);
            let mut start = block.parameters.start;
            for plan in layer.parameters() {
                let values = &mut self.parameters.as_mut_slice()[start..start + plan.len()];
                match plan.role {
                    Role::Weight { fan_in, fan_out } => {
                        let mut drawn = vec![T::ZERO; plan.len()];
                        init.fill_weights(&mut stream, fan_in, fan_out, &mut drawn);
                        import(&plan, &drawn, values);
                    }
                    Role::Bias => init.fill_biases(&mut stream, values),
                    Role::Scale | Role::Shift => {}
                }
                start += plan.len();
            }
        }
    }

    /// Scales 1, shifts 0, and the running statistics at their start.
    pub(super) fn reset_constants(&mut self) {
        for (layer, block) in self.layers.iter().zip(&self.plan.layouts) {
            let mut start = block.parameters.start;
            for plan in layer.parameters() {
                let value = if plan.role == Role::Scale { T::ONE } else { T::ZERO };
                self.parameters.as_mut_slice()[start..start + plan.len()].fill(value);
                start += plan.len();
            }
            let mut start = block.statistics.start;
            for plan in layer.statistics() {
                self.statistics[start..start + plan.len()].fill(plan.role);
                start += plan.len();
            }
        }
    }

    /// All tensors in the order of PyTorch's `state_dict`: layer by layer, parameters first, then
    /// running statistics.
    ///
    /// ```
    /// use models::loss::Loss;
    /// use models::network::{LayerSpec, Network};
    /// let layers = [LayerSpec::Flatten, LayerSpec::dense(10)];
    /// let network = Network::<f32>::new(&[1, 28, 28], &layers, Loss::SoftmaxCrossEntropy, 1)?;
    /// let shapes: Vec<_> = network.tensors().map(|tensor| (tensor.name, tensor.shape)).collect();
    /// assert_eq!(shapes[0], ("1.weight".to_owned(), vec![10, 784]));
    /// assert_eq!(shapes[1], ("1.bias".to_owned(), vec![10]));
    /// # Ok::<(), models::network::ShapeError>(())
    /// ```
    pub fn tensors(&self) -> impl Iterator<Item = Tensor<T>> {
        self.layers.iter().zip(&self.plan.layouts).enumerate().flat_map(move |(index, (layer, block))| {
            let parameters = &self.parameters.as_slice()[block.parameters.clone()];
            let statistics = &self.statistics[block.statistics.clone()];
            let mut tensors = Vec::new();
            export_all(index, &layer.parameters(), parameters, &mut tensors);
            export_all(index, &layer.statistics(), statistics, &mut tensors);
            tensors
        })
    }

    /// Hands the weights to `sink` piece by piece as canonical bytes: the values of
    /// [`Network::tensors`] in their order, little-endian, every NaN as the contract's one (N8). The
    /// digest of these bytes is the digest of the weights.
    pub fn canonical_bytes(&self, mut sink: impl FnMut(&[u8])) {
        for tensor in self.tensors() {
            sink(&little_endian(&tensor.data));
        }
    }

    /// Takes all parameters (not the running statistics) in the order of [`Network::tensors`], each
    /// tensor row-major in PyTorch's shape.
    ///
    /// # Errors
    /// If there is not one value per parameter.
    ///
    /// ```
    /// use models::loss::Loss;
    /// use models::network::{LayerSpec, Network};
    /// let mut network = Network::<f64>::new(&[2], &[LayerSpec::dense(1)], Loss::Quadratic, 1)?;
    /// network.set_parameters(&[1.0, 2.0, 0.5])?; // weights, then the bias
    /// let mut y = [0.0];
    /// network.predict(kernels::Exec::from_env()?, &[10.0, 100.0], &mut y)?;
    /// assert_eq!(y, [210.5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_parameters(&mut self, values: &[T]) -> Result<(), Error> {
        let expected = self.parameters().len();
        if values.len() != expected {
            return Err(Error::Shape {
                operation: "network",
                expected: format!("{expected} parameters"),
                got: format!("{}", values.len()),
            });
        }
        let mut rest = values;
        for (index, (layer, block)) in self.layers.iter().zip(&self.plan.layouts).enumerate() {
            let parameters = &mut self.parameters.as_mut_slice()[block.parameters.clone()];
            for plan in layer.parameters() {
                let (data, after) = rest.split_at(plan.len());
                import_named(index, &layer.parameters(), &format!("{index}.{}", plan.name), data, parameters);
                rest = after;
            }
        }
        Ok(())
    }

    /// Takes the values of one tensor; `data` in PyTorch's order.
    pub(crate) fn set_tensor(&mut self, name: &str, data: &[T]) {
        for (index, (layer, block)) in self.layers.iter().zip(&self.plan.layouts).enumerate() {
            let parameters = &mut self.parameters.as_mut_slice()[block.parameters.clone()];
            import_named(index, &layer.parameters(), name, data, parameters);
            let statistics = &mut self.statistics[block.statistics.clone()];
            import_named(index, &layer.statistics(), name, data, statistics);
        }
    }
}

/// The values little-endian, every NaN as the contract's one (N8).
pub(crate) fn little_endian<T: Element>(values: &[T]) -> Vec<u8> {
    let width = size_of::<T>();
    values.iter().flat_map(|value| value.canonical().bits().to_le_bytes().into_iter().take(width)).collect()
}

fn export_all<T: Element, R>(index: usize, plans: &[TensorPlan<R>], values: &[T], out: &mut Vec<Tensor<T>>) {
    let mut start = 0;
    for plan in plans {
        let data = export(plan, &values[start..start + plan.len()]);
        out.push(Tensor { name: format!("{index}.{}", plan.name), shape: plan.shape.clone(), data });
        start += plan.len();
    }
}

fn import_named<T: Element, R>(
    index: usize,
    plans: &[TensorPlan<R>],
    name: &str,
    data: &[T],
    values: &mut [T],
) {
    let mut start = 0;
    for plan in plans {
        if name == format!("{index}.{}", plan.name) {
            import(plan, data, &mut values[start..start + plan.len()]);
        }
        start += plan.len();
    }
}

/// From memory order to PyTorch's.
fn export<T: Element, R>(plan: &TensorPlan<R>, values: &[T]) -> Vec<T> {
    match (plan.order, plan.shape.as_slice()) {
        (Order::Transposed, &[rows, columns]) => {
            (0..rows * columns).map(|i| values[i % columns * rows + i / columns]).collect()
        }
        _ => values.to_vec(),
    }
}

/// From PyTorch's order to memory order.
fn import<T: Element, R>(plan: &TensorPlan<R>, data: &[T], values: &mut [T]) {
    match (plan.order, plan.shape.as_slice()) {
        (Order::Transposed, &[rows, columns]) => {
            for (i, &value) in data.iter().enumerate() {
                values[i % columns * rows + i / columns] = value;
            }
        }
        _ => values.copy_from_slice(data),
    }
}
