//! Every network of the suite, and the five of the benchmarks, each of those a second time with batch normalisation,
//! dropout and Adam.

use experiments::spec::{self, Dtype, Kind};
use experiments::suite::SHIPPED;
use kernels::activation::Activation;
use models::init::Init;
use models::loss::Loss;
use models::network::{LayerSpec, outline};
use models::optimizer::{OptimizerSpec, Rule};

/// A network and how it is trained.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) input: Vec<usize>,
    pub(crate) layers: Vec<LayerSpec>,
    pub(crate) init: Init,
    pub(crate) loss: Loss,
    pub(crate) optimizer: OptimizerSpec,
    pub(crate) batch: usize,
    pub(crate) f64: bool,
    /// Operations of one sample's products going forward.
    pub(crate) flops: u64,
}

const RELU: LayerSpec = LayerSpec::Activation(Activation::Relu);

pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, layers) in benches::networks() {
        cases.push(of_images(name.to_owned(), layers.clone(), OptimizerSpec::sgd(0.05)));
        let (beta1, beta2, epsilon) = (0.9, 0.999, 1e-8);
        let adam = Rule::Adam { learning_rate: 1e-3, beta1, beta2, epsilon, weight_decay: 1e-4 };
        let name = format!("{name} with batch-norm dropout Adam");
        cases.push(of_images(name, regularised(layers), OptimizerSpec::constant(adam)));
    }
    let mut known: Vec<String> = Vec::new();
    for (name, text) in SHIPPED {
        let experiment = spec::parse(&format!("{name}.toml"), text, &[]).expect("a shipped experiment");
        for (index, cell) in experiment.cells.iter().enumerate() {
            let Kind::Network(trial) = &cell.kind else { continue };
            let (model, train) = (&trial.model, &trial.train);
            let dtype = train.dtype;
            // What the file changes beside these does not matter here.
            let key = format!(
                "{:?}",
                (&model.input, &model.layers, model.init, train.loss, train.optimizer, train.batch, dtype)
            );
            if known.contains(&key) {
                continue;
            }
            known.push(key);
            let outline = outline::<f32>(&model.input, &model.layers, train.loss, 1).expect("the layers fit");
            cases.push(Case {
                name: format!("{name} {index}"),
                input: model.input.clone(),
                layers: model.layers.clone(),
                init: model.init,
                loss: train.loss,
                optimizer: train.optimizer,
                batch: train.batch,
                f64: dtype == Dtype::F64,
                flops: outline.flops,
            });
        }
    }
    cases
}

/// Batch normalisation before every ReLU, or first where there is none; dropout before the last layer.
fn regularised(layers: Vec<LayerSpec>) -> Vec<LayerSpec> {
    let mut layers: Vec<LayerSpec> = layers
        .into_iter()
        .flat_map(|layer| if layer == RELU { vec![LayerSpec::BatchNorm, layer] } else { vec![layer] })
        .collect();
    if !layers.contains(&LayerSpec::BatchNorm) {
        layers.insert(1, LayerSpec::BatchNorm);
    }
    layers.insert(layers.len() - 1, LayerSpec::Dropout { rate: 0.25 });
    layers
}

fn of_images(name: String, layers: Vec<LayerSpec>, optimizer: OptimizerSpec) -> Case {
    let (input, loss) = (benches::IMAGE.to_vec(), Loss::SoftmaxCrossEntropy);
    let outline = outline::<f32>(&input, &layers, loss, 1).expect("the layers fit");
    let init = Init::HeNormal;
    Case {
        name,
        input,
        layers,
        init,
        loss,
        optimizer,
        batch: benches::BATCH,
        f64: false,
        flops: outline.flops,
    }
}
