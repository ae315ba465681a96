//! What every worker reads: images, labels, start weights.

use std::path::{Path, PathBuf};

use benches::{Images, network, networks, uniform};
use models::checkpoint::save_weights;
use models::network::{LayerSpec, Network};

/// As many as Fashion-MNIST has for training: the five thousand that this project carries, repeated.
const SAMPLES: usize = 60_000;

/// Writes the files and returns their folder.
pub(crate) fn write() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("train_peers");
    std::fs::create_dir_all(&folder).expect("the target folder");
    let Images { pixels, labels } = Images::fashion(SAMPLES);
    save(&folder.join("images.u8"), &pixels);
    save(&folder.join("labels.u8"), &labels);
    for (name, layers) in networks() {
        let weights = save_weights(&start(&layers)).expect("weights");
        save(&folder.join(format!("{name}.safetensors")), &weights);
    }
    folder
}

/// He's weights, and biases that are not 0: the frameworks differ in ReLU's derivative at 0, where black
/// pixels without a bias lie.
fn start(layers: &[LayerSpec]) -> Network<f32> {
    let mut network = network(layers);
    let mut state = 1;
    let tensors = network.tensors().flat_map(|mut tensor| {
        if tensor.name.ends_with(".bias") {
            tensor.data.iter_mut().for_each(|bias| *bias = 0.1 * uniform::<f32>(&mut state));
        }
        tensor.data
    });
    let parameters: Vec<f32> = tensors.collect();
    network.set_parameters(&parameters).expect("as many");
    network
}

/// The layers as the workers read them.
pub(crate) fn words(layers: &[LayerSpec]) -> Vec<String> {
    let word = |layer: &LayerSpec| match layer {
        LayerSpec::Conv2d(spec) => format!("conv:{}", spec.padding[0]),
        LayerSpec::Activation(_) => "relu".to_owned(),
        LayerSpec::MaxPool2d(_) => "pool".to_owned(),
        other => other.kind().to_owned(),
    };
    layers.iter().map(word).collect()
}

fn save(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("the target folder");
}
