//! A network trained on data.

use models::init::Init;
use models::loss::Loss;
use models::network::LayerSpec;
use models::optimizer::OptimizerSpec;

use super::DatasetSpec;

/// One training run of a network, apart from its seed.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkTrial {
    /// The data.
    pub dataset: DatasetSpec,
    /// Steps of preprocessing, in order.
    pub preprocess: Vec<Step>,
    /// The network.
    pub model: ModelSpec,
    /// The training.
    pub train: TrainSpec,
    /// What is evaluated, and when.
    pub evaluate: EvaluateSpec,
    /// What is looked at inside.
    pub probes: Probes,
    /// What is kept for plots.
    pub keep: Vec<Keep>,
}

/// A step of preprocessing; statistics come from the training part only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// x / by
    Divide {
        /// The divisor.
        by: f64,
    },
    /// (x - mean) / population standard deviation
    Standardise {
        /// Over which values the statistics run.
        per: Per,
    },
}

/// Over which values statistics run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// Each position of the sample by itself.
    Feature,
    /// Each channel, over all its positions.
    Channel,
}

/// A network before its shapes are planned.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSpec {
    /// Shape of one sample.
    pub input: Vec<usize>,
    /// The layers; an `activation` of dense or conv stands as a layer of its own.
    pub layers: Vec<LayerSpec>,
    /// The dotted key of the file that each of `layers` came from, as `model.layers.1.dense`.
    pub origins: Vec<String>,
    /// How weights start.
    pub init: Init,
    /// All parameters in tensor order instead of `init`.
    pub parameters: Option<Vec<f64>>,
}

/// How a network is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainSpec {
    /// Passes over the training part.
    pub epochs: usize,
    /// Samples per update.
    pub batch: usize,
    /// The cost.
    pub loss: Loss,
    /// The update rule and how its learning rate changes.
    pub optimizer: OptimizerSpec,
    /// Whether each epoch sees the samples in an order of its own.
    pub shuffle: bool,
    /// Random shifts of up to so many pixels, filled with zeros; 0: none.
    pub augment_shift: usize,
    /// Which epoch's weights count; `None`: the last.
    pub select: Option<Select>,
    /// The element type.
    pub dtype: Dtype,
}

/// Which epoch's weights count.
#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    /// A metric of the validation part, as `validation.accuracy`.
    pub metric: String,
    /// Whether larger is better.
    pub largest: bool,
    /// Stop after so many epochs without a better value; `None`: train all epochs.
    pub patience: Option<usize>,
}

/// The element type of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// 32 bits, the default.
    F32,
    /// 64 bits.
    F64,
}

/// What is evaluated, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluateSpec {
    /// Every so many epochs, and after the last.
    pub every: usize,
    /// Whether the training part is evaluated too.
    pub train: bool,
    /// Test images are shifted by so many pixels to the right (negative: left), filled with zeros; a metric each.
    pub shifts: Vec<i64>,
}

/// What is looked at inside a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Probes {
    /// Norms of the bias gradients of every layer with weights, over the whole training part, at the start (Nielsen ch. 5).
    pub delta_norms: bool,
    /// The same after every epoch.
    pub delta_norms_by_epoch: bool,
    /// Norms of the weights by layer after every epoch.
    pub weight_norms: bool,
}

/// A large file that is kept under `local/` only where asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// `weights.safetensors`
    Weights,
}
