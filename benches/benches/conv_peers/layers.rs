//! Which layers are timed, and ours.

use std::hint::black_box;

use benches::convolutions;
use kernels::Exec;
use kernels::conv::{self, BackwardInput, BackwardWeight, Conv2d, ForwardPass};
use kernels::pool::{self, Pool2d};

/// Name, batch, channels, side; windows of 2 x 2.
const POOLINGS: [(&str, [usize; 3]); 3] =
    [("64x6x28x28 2x2", [64, 6, 28]), ("64x32x28x28 2x2", [64, 32, 28]), ("64x64x28x28 2x2", [64, 64, 28])];

/// What is timed of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    Forward,
    WeightGradient,
    InputGradient,
    MaxForward,
    MaxBackward,
    AverageForward,
    AverageBackward,
}

impl Pass {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::WeightGradient => "weight-gradient",
            Self::InputGradient => "input-gradient",
            Self::MaxForward => "max-forward",
            Self::MaxBackward => "max-backward",
            Self::AverageForward => "average-forward",
            Self::AverageBackward => "average-backward",
        }
    }
}

enum Sizes {
    Conv(Conv2d),
    Pool(Pool2d),
}

/// A layer with its operands, drawn from [-1, 1), and its outputs.
pub(crate) struct Layer {
    pub(crate) name: &'static str,
    /// How PyTorch is asked to make it.
    pub(crate) request: String,
    sizes: Sizes,
    batch: usize,
    x: Vec<f32>,
    w: Vec<f32>,
    bias: Vec<f32>,
    grad_y: Vec<f32>,
    y: Vec<f32>,
    indices: Vec<u16>,
    grad_x: Vec<f32>,
    grad_w: Vec<f32>,
    scratch: Vec<f32>,
}

/// All of them, each made when its turn comes.
pub(crate) fn layers(threads: usize) -> impl Iterator<Item = Layer> {
    let convolutions = convolutions().map(move |(name, batch, conv)| {
        let sizes = [batch, conv.c_in, conv.h_in, conv.c_out, conv.kernel[0], conv.padding[0]];
        let scratch = vec![0.0; conv.scratch_len(threads)];
        let lengths = [conv.input_len(), conv.weight_len(), conv.c_out, conv.output_len()];
        Layer { scratch, ..Layer::new(name, "conv", &sizes, Sizes::Conv(conv), batch, lengths) }
    });
    convolutions.chain(POOLINGS.into_iter().map(|(name, sizes)| {
        let [batch, channels, side] = sizes;
        let pool =
            Pool2d { channels, h_in: side, w_in: side, kernel: [2; 2], stride: [2; 2], padding: [0; 2] };
        let lengths = [pool.input_len(), 0, 0, pool.output_len()];
        Layer::new(name, "pool", &sizes, Sizes::Pool(pool), batch, lengths)
    }))
}

impl Layer {
    /// `lengths` of one sample's input, the weights, the bias, and one sample's output.
    fn new(
        name: &'static str,
        kind: &str,
        request: &[usize],
        sizes: Sizes,
        batch: usize,
        [input, weight, bias, output]: [usize; 4],
    ) -> Self {
        let mut state = 1_u64;
        let mut values =
            |len: usize| -> Vec<f32> { (0..len).map(|_| benches::uniform(&mut state)).collect() };
        let request = request.iter().map(|size| format!(" {size}"));
        Self {
            name,
            request: format!("{kind}{}", request.collect::<String>()),
            sizes,
            batch,
            x: values(batch * input),
            w: values(weight),
            bias: values(bias),
            grad_y: values(batch * output),
            y: vec![0.0; batch * output],
            indices: vec![0; batch * output],
            grad_x: vec![0.0; batch * input],
            grad_w: vec![0.0; weight],
            scratch: Vec::new(),
        }
    }

    pub(crate) fn passes(&self) -> &'static [Pass] {
        match self.sizes {
            Sizes::Conv(_) => &[Pass::Forward, Pass::WeightGradient, Pass::InputGradient],
            // The maximum's backward pass reads the indices of its forward pass.
            Sizes::Pool(_) => {
                &[Pass::MaxForward, Pass::MaxBackward, Pass::AverageForward, Pass::AverageBackward]
            }
        }
    }

    /// One call.
    pub(crate) fn run(&mut self, pass: Pass, exec: Exec) {
        let Self { sizes, batch, x, w, bias, grad_y, y, indices, grad_x, grad_w, scratch, .. } =
            black_box(self);
        let batch = *batch;
        let done = match (&*sizes, pass) {
            (Sizes::Conv(conv), Pass::Forward) => {
                conv::forward(exec, conv, ForwardPass { batch, x, w, bias: Some(bias), y, scratch })
            }
            (Sizes::Conv(conv), Pass::WeightGradient) => {
                conv::backward_weight(exec, conv, BackwardWeight { batch, x, grad_y, grad_w, scratch })
            }
            (Sizes::Conv(conv), _) => {
                conv::backward_input(exec, conv, BackwardInput { batch, w, grad_y, grad_x, scratch })
            }
            (Sizes::Pool(sizes), Pass::MaxForward) => pool::max_forward(exec, sizes, batch, x, y, indices),
            (Sizes::Pool(sizes), Pass::MaxBackward) => {
                pool::max_backward(exec, sizes, batch, indices, grad_y, grad_x)
            }
            (Sizes::Pool(sizes), Pass::AverageForward) => pool::average_forward(exec, sizes, batch, x, y),
            (Sizes::Pool(sizes), _) => pool::average_backward(exec, sizes, batch, grad_y, grad_x),
        };
        done.expect("the sizes fit");
    }

    /// What a pass writes.
    pub(crate) fn output(&self, pass: Pass) -> &[f32] {
        match pass {
            Pass::Forward | Pass::MaxForward | Pass::AverageForward => &self.y,
            Pass::WeightGradient => &self.grad_w,
            Pass::InputGradient | Pass::MaxBackward | Pass::AverageBackward => &self.grad_x,
        }
    }

    /// Products in one element of the output.
    pub(crate) fn terms(&self, pass: Pass) -> usize {
        let Sizes::Conv(conv) = &self.sizes else { return 4 };
        match pass {
            Pass::Forward => conv.weight_len() / conv.c_out,
            Pass::WeightGradient => self.batch * conv.output_len() / conv.c_out,
            _ => conv.weight_len() / conv.c_in,
        }
    }

    /// Multiplications and additions of the definition, the same in each pass; 0 for pooling.
    pub(crate) fn flops(&self) -> usize {
        match &self.sizes {
            Sizes::Conv(conv) => 2 * self.batch * conv.output_len() * conv.weight_len() / conv.c_out,
            Sizes::Pool(_) => 0,
        }
    }
}
