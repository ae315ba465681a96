//! The tensors by name, in PyTorch's naming, shapes and order.

use kernels::{Element, Error};

use super::Network;
use super::plan::PlacedTensor;
use crate::error::misfit;
use crate::init::Init;
use crate::layers::{Initial, TensorPlan};
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
    /// Calls `body` on every tensor, in the order of [`Network::tensors`], with its values in memory order.
    fn each_tensor_mut(&mut self, mut body: impl FnMut(&PlacedTensor, &mut [T])) {
        for placed in &self.plan.tensors {
            let learns = placed.tensor.learns;
            let values = if learns { self.parameters.as_mut_slice() } else { &mut self.statistics };
            body(placed, &mut values[placed.range.clone()]);
        }
    }

    /// Draws the start values: per layer one stream (Init, seed, layer index), the weights in PyTorch's
    /// order, then the biases. Scales of batch normalisation start at 1, shifts at 0, running means
    /// at 0, running variances at 1.
    pub fn initialise(&mut self, init: Init, seed: u64) {
        self.reset_constants();
        let stream = |index| Stream::new(Purpose::Init, seed, index);
        let mut streams: Vec<Stream> = (0..self.layers.len() as u64).map(stream).collect();
        self.each_tensor_mut(|PlacedTensor { layer, tensor, .. }, values| match tensor.start {
            Initial::Weight { fan_in, fan_out } => {
                let mut drawn = vec![T::ZERO; tensor.len()];
                init.fill_weights(&mut streams[*layer], fan_in, fan_out, &mut drawn);
                import(tensor, &drawn, values);
            }
            Initial::Bias => init.fill_biases(&mut streams[*layer], values),
            Initial::Constant(_) => {}
        });
    }

    /// All parameters 0 but those with another constant, and the running statistics at their start.
    pub(super) fn reset_constants(&mut self) {
        self.each_tensor_mut(|placed, values| {
            let start = placed.tensor.start;
            values.fill(T::from_f64(if let Initial::Constant(value) = start { value } else { 0.0 }));
        });
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
        self.plan.tensors.iter().map(|PlacedTensor { layer, tensor, range }| {
            let values = if tensor.learns { self.parameters() } else { self.statistics() };
            let (name, shape) = (format!("{layer}.{}", tensor.name), tensor.shape.clone());
            Tensor { name, shape, data: export(tensor, &values[range.clone()]) }
        })
    }

    /// Hands the weights to `sink` tensor by tensor as canonical bytes: the values of
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
            return Err(misfit("network", format!("{expected} parameters"), values.len().to_string()));
        }
        self.each_tensor_mut(|PlacedTensor { tensor, range, .. }, to| {
            if tensor.learns {
                import(tensor, &values[range.clone()], to);
            }
        });
        Ok(())
    }

    /// Takes the values of all tensors, in the order of [`Network::tensors`]; each in PyTorch's order.
    pub(crate) fn set_tensors(&mut self, tensors: &[Tensor<T>]) {
        let mut tensors = tensors.iter();
        self.each_tensor_mut(|placed, to| {
            tensors.by_ref().take(1).for_each(|own| import(&placed.tensor, &own.data, to));
        });
    }
}

/// The values little-endian, every NaN as the contract's one (N8).
pub(crate) fn little_endian<T: Element>(values: &[T]) -> Vec<u8> {
    let width = size_of::<T>();
    values.iter().flat_map(|value| value.canonical().bits().to_le_bytes().into_iter().take(width)).collect()
}

/// From memory order to PyTorch's.
fn export<T: Element>(tensor: &TensorPlan, values: &[T]) -> Vec<T> {
    (0..values.len()).map(|i| values[tensor.in_memory(i)]).collect()
}

/// From PyTorch's order to memory order.
fn import<T: Element>(tensor: &TensorPlan, data: &[T], values: &mut [T]) {
    data.iter().enumerate().for_each(|(i, &value)| values[tensor.in_memory(i)] = value);
}
