//! Networks as safetensors bytes: weights that PyTorch reads, and the whole state of a training run.
//!
//! Tensors carry PyTorch's `nn.Sequential` names and shapes (`0.weight` [units, inputs] or [filters,
//! channels, height, width], `0.bias`, `0.running_mean`, `0.running_var`), so that
//! `model.load_state_dict(safetensors.torch.load_file(path))` works. The header has a single entry of
//! metadata, because the library writes several in no fixed order: the same state is the same bytes
//! (N13). Files are the caller's business: these functions give and take bytes.

#![expect(clippy::disallowed_types, reason = "safetensors takes its metadata as a map; ours has one entry")]

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use kernels::{CONTRACT, Element};
use safetensors::{Dtype, SafeTensorError, SafeTensors, tensor::TensorView};

use crate::network::{Network, little_endian};
use crate::optimizer::Optimizer;

const CONTRACT_KEY: &str = "numeric_contract";
const STATE_KEY: &str = "training_state";

/// Why bytes are no checkpoint of this network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckpointError {
    /// The bytes are not in the safetensors format.
    Format(String),
    /// The checkpoint was written under another numeric contract.
    Contract {
        /// The contract of the checkpoint, as text.
        found: String,
    },
    /// The checkpoint belongs to another experiment or another optimiser.
    Belongs {
        /// `experiment` or `optimizer`.
        what: &'static str,
        /// What the checkpoint says.
        found: String,
        /// What was asked for.
        expected: String,
    },
    /// An entry of the metadata is missing or makes no sense.
    Metadata(String),
    /// A tensor has another type or shape, or does not exist on one of the two sides.
    Tensor {
        /// Its name, as `0.weight`.
        name: String,
        /// What the network has, as `f32 [10, 784]`.
        expected: String,
        /// What the checkpoint has.
        found: String,
    },
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(reason) => write!(f, "checkpoint: not a safetensors file: {reason}"),
            Self::Contract { found } => write!(
                f,
                "checkpoint: written under numeric contract {found}, this program keeps {CONTRACT}; train again \
                 or use the program that wrote it"
            ),
            Self::Belongs { what, found, expected } => {
                write!(f, "checkpoint: expected {what} {expected}, got {found}; it belongs to another trial")
            }
            Self::Metadata(reason) => write!(f, "checkpoint: metadata: {reason}"),
            Self::Tensor { name, expected, found } => {
                write!(f, "checkpoint: tensor {name}: expected {expected}, got {found}")
            }
        }
    }
}

impl std::error::Error for CheckpointError {}

/// Where a training run is, apart from what the network and the optimiser remember (N14).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress<T> {
    /// The digest that names the experiment; resuming another one is refused.
    pub experiment: String,
    /// The epoch, from 0.
    pub epoch: u32,
    /// Steps made in all.
    pub step: u64,
    /// Samples of the shuffled epoch that are done.
    pub position: u64,
    /// Running sums of the epoch, in the caller's order.
    pub sums: Vec<f64>,
    /// The best epoch so far, where one is selected.
    pub best: Option<Best<T>>,
}

/// The best epoch so far and its weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Best<T> {
    /// The epoch, from 0.
    pub epoch: u32,
    /// The metric that selects.
    pub value: f64,
    /// [`Network::parameters`] at its end.
    pub parameters: Vec<T>,
    /// [`Network::statistics`] at its end.
    pub statistics: Vec<T>,
}

/// The weights and running statistics as a safetensors file.
///
/// # Errors
/// If the library refuses, which it does for no network.
pub fn save_weights<T: Element>(network: &Network<T>) -> Result<Vec<u8>, CheckpointError> {
    let mut file = File::default();
    file.add_network(network);
    file.serialise(CONTRACT_KEY, CONTRACT.to_string())
}

/// Takes weights and running statistics from a safetensors file, of this program or of PyTorch
/// (whose `num_batches_tracked` is passed over).
///
/// # Errors
/// If the bytes are no safetensors file, come from another contract, or a tensor is missing,
/// unknown, or of another type or shape; the network is unchanged then.
pub fn load_weights<T: Element>(network: &mut Network<T>, bytes: &[u8]) -> Result<(), CheckpointError> {
    let Opened { tensors, metadata } = Opened::new(bytes)?;
    if let Some(found) = metadata.get(CONTRACT_KEY) {
        check_contract(found)?;
    }
    let weights = read_network(network, &tensors)?;
    for (name, view) in tensors.iter() {
        let known = weights.iter().any(|(known, _)| known == name) || name.ends_with(".num_batches_tracked");
        if !known {
            let (expected, found) = ("no such tensor".to_owned(), format!("{:?}", view.shape()));
            return Err(CheckpointError::Tensor { name: name.to_owned(), expected, found });
        }
    }
    network.set_tensors(&weights);
    Ok(())
}

/// The full state of a run: continuing from it gives the bits of the uninterrupted run (N14).
///
/// # Errors
/// If the library refuses, which it does for no network.
pub fn save_state<T: Element>(
    network: &Network<T>,
    optimizer: &Optimizer<T>,
    progress: &Progress<T>,
) -> Result<Vec<u8>, CheckpointError> {
    let mut file = File::default();
    file.add_network(network);
    file.add("optimizer.first", &[optimizer.memory.first.len()], &optimizer.memory.first);
    file.add("optimizer.second", &[optimizer.memory.second.len()], &optimizer.memory.second);
    file.add("optimizer.powers", &[2], &optimizer.memory.powers);
    file.add("progress.sums", &[progress.sums.len()], &progress.sums);
    let mut lines = vec![
        format!("contract {CONTRACT}"),
        format!("experiment {}", progress.experiment),
        format!("optimizer {:?}", optimizer.spec()),
        format!("epoch {}", progress.epoch),
        format!("step {}", progress.step),
        format!("position {}", progress.position),
    ];
    if let Some(best) = &progress.best {
        file.add("best.parameters", &[best.parameters.len()], &best.parameters);
        file.add("best.statistics", &[best.statistics.len()], &best.statistics);
        file.add("best.value", &[1], &[best.value]);
        lines.push(format!("best_epoch {}", best.epoch));
    }
    file.serialise(STATE_KEY, lines.join("\n"))
}

/// Takes the full state of the run `experiment` into a network and an optimiser made as before.
///
/// # Errors
/// As [`load_weights`], and if the checkpoint belongs to another experiment or optimiser; nothing is
/// changed then.
pub fn load_state<T: Element>(
    network: &mut Network<T>,
    optimizer: &mut Optimizer<T>,
    experiment: &str,
    bytes: &[u8],
) -> Result<Progress<T>, CheckpointError> {
    let file = Opened::new(bytes)?;
    let progress = file.progress(network, experiment)?;
    file.belongs("optimizer", &format!("{:?}", optimizer.spec()))?;
    let mut memory = optimizer.memory.clone();
    memory.first = read(&file.tensors, "optimizer.first", &[memory.first.len()])?;
    memory.second = read(&file.tensors, "optimizer.second", &[memory.second.len()])?;
    memory.powers.copy_from_slice(&read::<f64>(&file.tensors, "optimizer.powers", &[2])?);
    let weights = read_network(network, &file.tensors)?;
    network.set_tensors(&weights);
    optimizer.memory = memory;
    Ok(progress)
}

/// Where the run `experiment` was, without taking its state: for a caller who looks at the sums first.
///
/// # Errors
/// As [`load_state`], apart from the weights and the optimiser.
pub fn read_progress<T: Element>(
    network: &Network<T>,
    experiment: &str,
    bytes: &[u8],
) -> Result<Progress<T>, CheckpointError> {
    Opened::new(bytes)?.progress(network, experiment)
}

/// The tensors and the metadata of a file. A training state is one entry of lines: a key, a space, the rest.
struct Opened<'a> {
    tensors: SafeTensors<'a>,
    metadata: HashMap<String, String>,
}

impl<'a> Opened<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, CheckpointError> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(format_error)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(format_error)?;
        Ok(Self { tensors, metadata: header.metadata().clone().unwrap_or_default() })
    }

    fn get(&self, key: &str) -> Result<&str, CheckpointError> {
        let lines = self.metadata.get(STATE_KEY).map_or("", String::as_str).lines();
        let found = lines.filter_map(|line| line.split_once(' ')).find(|(name, _)| *name == key);
        found.map(|(_, value)| value).ok_or_else(|| {
            CheckpointError::Metadata(format!("no `{key}`; the file holds weights, but no training state"))
        })
    }

    fn number<N: FromStr>(&self, key: &str) -> Result<N, CheckpointError> {
        let text = self.get(key)?;
        text.parse().map_err(|_| CheckpointError::Metadata(format!("`{key}` is `{text}`, not a number")))
    }

    fn belongs(&self, what: &'static str, expected: &str) -> Result<(), CheckpointError> {
        let (found, expected) = (self.get(what)?.to_owned(), expected.to_owned());
        if found == expected { Ok(()) } else { Err(CheckpointError::Belongs { what, found, expected }) }
    }

    fn progress<T: Element>(
        &self,
        network: &Network<T>,
        experiment: &str,
    ) -> Result<Progress<T>, CheckpointError> {
        check_contract(self.get("contract")?)?;
        self.belongs("experiment", experiment)?;
        let sums = self.tensors.tensor("progress.sums").map_or(0, |tensor| tensor.shape().iter().product());
        Ok(Progress {
            experiment: experiment.to_owned(),
            epoch: self.number("epoch")?,
            step: self.number("step")?,
            position: self.number("position")?,
            sums: read(&self.tensors, "progress.sums", &[sums])?,
            best: self.get("best_epoch").ok().map(|_| self.best(network)).transpose()?,
        })
    }

    fn best<T: Element>(&self, network: &Network<T>) -> Result<Best<T>, CheckpointError> {
        let value: Vec<f64> = read(&self.tensors, "best.value", &[1])?;
        Ok(Best {
            epoch: self.number("best_epoch")?,
            value: value[0],
            parameters: read(&self.tensors, "best.parameters", &[network.parameters().len()])?,
            statistics: read(&self.tensors, "best.statistics", &[network.statistics().len()])?,
        })
    }
}

/// Tensors on their way to a file.
#[derive(Default)]
struct File {
    tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
}

impl File {
    fn add<T: Element>(&mut self, name: &str, shape: &[usize], values: &[T]) {
        self.tensors.push((name.to_owned(), dtype::<T>(), shape.to_vec(), little_endian(values)));
    }

    fn add_network<T: Element>(&mut self, network: &Network<T>) {
        for tensor in network.tensors() {
            self.add(&tensor.name, &tensor.shape, &tensor.data);
        }
    }

    fn serialise(self, key: &str, value: String) -> Result<Vec<u8>, CheckpointError> {
        let mut views = Vec::new();
        for (name, dtype, shape, bytes) in &self.tensors {
            views.push((name, TensorView::new(*dtype, shape.clone(), bytes).map_err(format_error)?));
        }
        let metadata = HashMap::from([(key.to_owned(), value)]);
        safetensors::serialize(views, Some(metadata)).map_err(format_error)
    }
}

fn format_error(error: SafeTensorError) -> CheckpointError {
    CheckpointError::Format(error.to_string())
}

fn dtype<T: Element>() -> Dtype {
    if T::NAME == "f32" { Dtype::F32 } else { Dtype::F64 }
}

fn check_contract(found: &str) -> Result<(), CheckpointError> {
    if found == CONTRACT.to_string() {
        return Ok(());
    }
    Err(CheckpointError::Contract { found: found.to_owned() })
}

/// The values of one tensor, checked against its type and shape.
fn read<T: Element>(
    tensors: &SafeTensors<'_>,
    name: &str,
    shape: &[usize],
) -> Result<Vec<T>, CheckpointError> {
    let wrong = |found: String| CheckpointError::Tensor {
        name: name.to_owned(),
        expected: format!("{} {shape:?}", T::NAME),
        found,
    };
    let tensor = tensors.tensor(name).map_err(|_| wrong("no such tensor".to_owned()))?;
    if tensor.dtype() != dtype::<T>() || tensor.shape() != shape {
        return Err(wrong(format!("{:?} {:?}", tensor.dtype(), tensor.shape()).to_lowercase()));
    }
    Ok(tensor.data().chunks_exact(size_of::<T>()).map(from_little_endian).collect())
}

/// One value; the way through f64 is exact for both types.
fn from_little_endian<T: Element>(bytes: &[u8]) -> T {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    let bits = u64::from_le_bytes(word);
    T::from_f64(match bytes.len() {
        4 => f64::from(f32::from_bits(bits as u32)),
        _ => f64::from_bits(bits),
    })
}

/// The network's tensors, in the order of [`Network::tensors`].
fn read_network<T: Element>(
    network: &Network<T>,
    tensors: &SafeTensors<'_>,
) -> Result<Vec<(String, Vec<T>)>, CheckpointError> {
    network.tensors().map(|own| read(tensors, &own.name, &own.shape).map(|data| (own.name, data))).collect()
}
