//! Networks as safetensors bytes: weights that PyTorch reads, and the whole state of a training run.
//!
//! Tensors carry PyTorch's `nn.Sequential` names and shapes (`0.weight` [units, inputs] or [filters,
//! channels, height, width], `0.bias`, `0.running_mean`, `0.running_var`), so that
//! `model.load_state_dict(safetensors.torch.load_file(path))` works. The header has a single entry of
//! metadata, because the library writes several in no fixed order: the same state is the same bytes
//! (N13). Files are the caller's business: these functions give and take bytes.

#![expect(clippy::disallowed_types, reason = "safetensors takes its metadata as a map; ours has one entry")]

use std::collections::HashMap;
use std::str::FromStr;

use kernels::{CONTRACT, Element};
use safetensors::{Dtype, SafeTensorError, SafeTensors, tensor::TensorView};

use crate::Error;
use crate::network::{Network, Tensor, little_endian};
use crate::optimizer::Optimizer;

const CONTRACT_KEY: &str = "numeric_contract";
const STATE_KEY: &str = "training_state";

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
pub fn save_weights<T: Element>(network: &Network<T>) -> Result<Vec<u8>, Error> {
    serialise(&entries(network), CONTRACT_KEY, CONTRACT.to_string())
}

/// Takes weights and running statistics from a safetensors file, of this program or of PyTorch
/// (whose `num_batches_tracked` is passed over).
///
/// # Errors
/// If the bytes are no safetensors file, come from another contract, or a tensor is missing,
/// unknown, or of another type or shape; the network is unchanged then.
pub fn load_weights<T: Element>(network: &mut Network<T>, bytes: &[u8]) -> Result<(), Error> {
    let file = Opened::new(bytes)?;
    if let Some(found) = file.metadata.get(CONTRACT_KEY) {
        check_contract(found)?;
    }
    let weights = file.read_network(network)?;
    for (name, view) in file.tensors.iter() {
        let known = weights.iter().any(|own| own.name == name) || name.ends_with(".num_batches_tracked");
        if !known {
            return Err(wrong_tensor(name, "no such tensor", &format!("{:?}", view.shape())));
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
) -> Result<Vec<u8>, Error> {
    let mut entries = entries(network);
    entries.push(vector("optimizer.first", &optimizer.first));
    entries.push(vector("optimizer.second", &optimizer.second));
    entries.push(vector("optimizer.powers", &optimizer.powers));
    entries.push(vector("progress.sums", &progress.sums));
    let mut lines = vec![
        format!("contract {CONTRACT}"),
        format!("experiment {}", progress.experiment),
        format!("optimizer {:?}", optimizer.spec()),
        format!("epoch {}", progress.epoch),
        format!("step {}", progress.step),
        format!("position {}", progress.position),
    ];
    if let Some(best) = &progress.best {
        entries.push(vector("best.parameters", &best.parameters));
        entries.push(vector("best.statistics", &best.statistics));
        entries.push(vector("best.value", &[best.value]));
        lines.push(format!("best_epoch {}", best.epoch));
    }
    serialise(&entries, STATE_KEY, lines.join("\n"))
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
) -> Result<Progress<T>, Error> {
    let file = Opened::new(bytes)?;
    let progress = file.progress(network, experiment)?;
    file.belongs("optimizer", &format!("{:?}", optimizer.spec()))?;
    let first = file.read("optimizer.first", &[optimizer.first.len()])?;
    let second = file.read("optimizer.second", &[optimizer.second.len()])?;
    let powers = file.read("optimizer.powers", &[2])?;
    network.set_tensors(&file.read_network(network)?);
    (optimizer.first, optimizer.second) = (first, second);
    optimizer.powers.copy_from_slice(&powers);
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
) -> Result<Progress<T>, Error> {
    Opened::new(bytes)?.progress(network, experiment)
}

/// A tensor on its way to a file: its name, type, shape and bytes.
type Entry = (String, Dtype, Vec<usize>, Vec<u8>);

fn entry<T: Element>(name: &str, shape: &[usize], values: &[T]) -> Entry {
    (name.to_owned(), dtype::<T>(), shape.to_vec(), little_endian(values))
}

fn vector<T: Element>(name: &str, values: &[T]) -> Entry {
    entry(name, &[values.len()], values)
}

fn entries<T: Element>(network: &Network<T>) -> Vec<Entry> {
    network.tensors().map(|tensor| entry(&tensor.name, &tensor.shape, &tensor.data)).collect()
}

fn serialise(entries: &[Entry], key: &str, value: String) -> Result<Vec<u8>, Error> {
    let mut views = Vec::new();
    for (name, dtype, shape, bytes) in entries {
        views.push((name, TensorView::new(*dtype, shape.clone(), bytes)?));
    }
    Ok(safetensors::serialize(views, Some(HashMap::from([(key.to_owned(), value)])))?)
}

/// The tensors and the metadata of a file. A training state is one entry of lines: a key, a space, the rest.
struct Opened<'a> {
    tensors: SafeTensors<'a>,
    metadata: HashMap<String, String>,
}

impl<'a> Opened<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        let tensors = SafeTensors::deserialize(bytes)?;
        Ok(Self { tensors, metadata: header.metadata().clone().unwrap_or_default() })
    }

    fn get(&self, key: &str) -> Result<&str, Error> {
        let lines = self.metadata.get(STATE_KEY).map_or("", String::as_str).lines();
        let found = lines.filter_map(|line| line.split_once(' ')).find(|(name, _)| *name == key);
        let missing = || format!("metadata: no `{key}`; the file holds weights, but no training state");
        found.map(|(_, value)| value).ok_or_else(|| Error::Checkpoint(missing()))
    }

    fn number<N: FromStr>(&self, key: &str) -> Result<N, Error> {
        let text = self.get(key)?;
        text.parse().map_err(|_| Error::Checkpoint(format!("metadata: `{key}` is `{text}`, not a number")))
    }

    fn belongs(&self, what: &str, expected: &str) -> Result<(), Error> {
        let found = self.get(what)?;
        let other = || format!("expected {what} {expected}, got {found}; it belongs to another trial");
        if found == expected { Ok(()) } else { Err(Error::Checkpoint(other())) }
    }

    fn progress<T: Element>(&self, network: &Network<T>, experiment: &str) -> Result<Progress<T>, Error> {
        check_contract(self.get("contract")?)?;
        self.belongs("experiment", experiment)?;
        let sums = self.tensors.tensor("progress.sums").map_or(0, |tensor| tensor.shape().iter().product());
        Ok(Progress {
            experiment: experiment.to_owned(),
            epoch: self.number("epoch")?,
            step: self.number("step")?,
            position: self.number("position")?,
            sums: self.read("progress.sums", &[sums])?,
            best: self.get("best_epoch").ok().map(|_| self.best(network)).transpose()?,
        })
    }

    fn best<T: Element>(&self, network: &Network<T>) -> Result<Best<T>, Error> {
        Ok(Best {
            epoch: self.number("best_epoch")?,
            value: self.read("best.value", &[1])?[0],
            parameters: self.read("best.parameters", &[network.parameters().len()])?,
            statistics: self.read("best.statistics", &[network.statistics().len()])?,
        })
    }

    /// The network's tensors, in the order of [`Network::tensors`].
    fn read_network<T: Element>(&self, network: &Network<T>) -> Result<Vec<Tensor<T>>, Error> {
        let read = |own: Tensor<T>| Ok(Tensor { data: self.read(&own.name, &own.shape)?, ..own });
        network.tensors().map(read).collect()
    }

    /// The values of one tensor, checked against its type and shape.
    fn read<T: Element>(&self, name: &str, shape: &[usize]) -> Result<Vec<T>, Error> {
        let wrong = |found: &str| wrong_tensor(name, &format!("{} {shape:?}", T::NAME), found);
        let tensor = self.tensors.tensor(name).map_err(|_| wrong("no such tensor"))?;
        if tensor.dtype() != dtype::<T>() || tensor.shape() != shape {
            return Err(wrong(&format!("{:?} {:?}", tensor.dtype(), tensor.shape()).to_lowercase()));
        }
        Ok(tensor.data().chunks_exact(size_of::<T>()).map(from_little_endian).collect())
    }
}

impl From<SafeTensorError> for Error {
    fn from(error: SafeTensorError) -> Self {
        Self::Checkpoint(format!("not a safetensors file: {error}"))
    }
}

fn wrong_tensor(name: &str, expected: &str, found: &str) -> Error {
    Error::Checkpoint(format!("tensor {name}: expected {expected}, got {found}"))
}

fn check_contract(found: &str) -> Result<(), Error> {
    let other = || {
        format!(
            "written under numeric contract {found}, this program keeps {CONTRACT}; train again or use the program \
             that wrote it"
        )
    };
    if found == CONTRACT.to_string() { Ok(()) } else { Err(Error::Checkpoint(other())) }
}

fn dtype<T: Element>() -> Dtype {
    if T::NAME == "f32" { Dtype::F32 } else { Dtype::F64 }
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
