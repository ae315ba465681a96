//! Convolutions to be compared with the contract's plain loops.

use kernels::conv::{self, BackwardInput, BackwardWeight, ChunkGradients, Conv2d, ForwardPass};
use kernels::{Element, Exec, reference};

use super::same_bits;

/// 2 -> 2 channels of 6 x 7 under a 3 x 3 kernel: what most cases vary.
pub const PLAIN: Conv2d = Conv2d {
    c_in: 2,
    h_in: 6,
    w_in: 7,
    c_out: 2,
    kernel: [3, 3],
    stride: [1, 1],
    padding: [0, 0],
    dilation: [1, 1],
    groups: 1,
};

/// The operands of all four functions, and what the reference makes of them.
pub struct Case<T> {
    pub conv: Conv2d,
    pub batch: usize,
    pub x: Vec<T>,
    pub w: Vec<T>,
    pub bias: Vec<T>,
    pub grad_y: Vec<T>,
}

impl<T: Element> Case<T> {
    pub fn new(conv: Conv2d, batch: usize, mut value: impl FnMut() -> T) -> Self {
        conv.validate().unwrap();
        let mut values = |len: usize| (0..len).map(|_| value()).collect::<Vec<T>>();
        Self {
            conv,
            batch,
            x: values(batch * conv.input_len()),
            w: values(conv.weight_len()),
            bias: values(conv.c_out),
            grad_y: values(batch * conv.output_len()),
        }
    }

    /// Scratch and outputs begin as NaN, so that whatever is not written shows.
    fn scratch(&self, threads: usize) -> Vec<T> {
        vec![T::from_f64(f64::NAN); self.conv.scratch_len(threads)]
    }

    pub fn forward(&self, exec: Exec, threads: usize) -> Vec<T> {
        let mut y = vec![T::from_f64(f64::NAN); self.batch * self.conv.output_len()];
        let operands = ForwardPass {
            batch: self.batch,
            x: &self.x,
            w: &self.w,
            bias: Some(&self.bias),
            y: &mut y,
            scratch: &mut self.scratch(threads),
        };
        conv::forward(exec, &self.conv, operands).unwrap();
        y
    }

    pub fn backward_input(&self, exec: Exec, threads: usize) -> Vec<T> {
        let mut grad_x = vec![T::from_f64(f64::NAN); self.batch * self.conv.input_len()];
        let operands = BackwardInput {
            batch: self.batch,
            w: &self.w,
            grad_y: &self.grad_y,
            grad_x: &mut grad_x,
            scratch: &mut self.scratch(threads),
        };
        conv::backward_input(exec, &self.conv, operands).unwrap();
        grad_x
    }

    pub fn backward_weight(&self, exec: Exec, threads: usize) -> Vec<T> {
        let mut grad_w = vec![T::from_f64(f64::NAN); self.conv.weight_len()];
        let operands = BackwardWeight {
            batch: self.batch,
            x: &self.x,
            grad_y: &self.grad_y,
            grad_w: &mut grad_w,
            scratch: &mut self.scratch(threads),
        };
        conv::backward_weight(exec, &self.conv, operands).unwrap();
        grad_w
    }

    pub fn backward_bias(&self, exec: Exec) -> Vec<T> {
        let mut grad_bias = vec![T::from_f64(f64::NAN); self.conv.c_out];
        conv::backward_bias(exec, &self.conv, self.batch, &self.grad_y, &mut grad_bias).unwrap();
        grad_bias
    }

    /// The gradients of each chunk added up, first chunk's value first: [weights, biases].
    pub fn sum_of_chunks(&self, exec: Exec, threads: usize, bias: bool) -> Vec<T> {
        let conv = &self.conv;
        let each = conv.weight_len() + if bias { conv.c_out } else { 0 };
        let mut partials = vec![T::from_f64(f64::NAN); self.batch.div_ceil(conv.chunk()) * each];
        let operands = ChunkGradients {
            batch: self.batch,
            x: &self.x,
            grad_y: &self.grad_y,
            bias,
            partials: &mut partials,
            scratch: &mut self.scratch(threads),
        };
        conv::chunk_gradients(exec, conv, operands).unwrap();
        let mut sums = vec![T::ZERO; each];
        for (chunk, partial) in partials.chunks_exact(each).enumerate() {
            for (sum, &value) in sums.iter_mut().zip(partial) {
                *sum = if chunk == 0 { value } else { *sum + value };
            }
        }
        sums
    }

    /// The four results in the order of the functions above.
    pub fn all(&self, exec: Exec, threads: usize) -> [Vec<T>; 4] {
        [
            self.forward(exec, threads),
            self.backward_input(exec, threads),
            self.backward_weight(exec, threads),
            self.backward_bias(exec),
        ]
    }

    pub fn reference(&self) -> [Vec<T>; 4] {
        let (conv, batch) = (&self.conv, self.batch);
        [
            reference::conv::forward(conv, batch, &self.x, &self.w, Some(&self.bias)),
            reference::conv::backward_input(conv, batch, &self.w, &self.grad_y),
            reference::conv::backward_weight(conv, batch, &self.x, &self.grad_y),
            reference::conv::backward_bias(conv, batch, &self.grad_y),
        ]
    }

    /// Compares all four with the reference's.
    pub fn check(&self, exec: Exec, threads: usize, want: &[Vec<T>; 4]) -> Result<(), String> {
        let names = ["forward", "input gradient", "weight gradient", "bias gradient"];
        for ((name, got), want) in names.iter().zip(self.all(exec, threads)).zip(want) {
            let (level, conv, batch) = (exec.level.name(), &self.conv, self.batch);
            let label = format!("{name}, {} {level}, {threads} threads, batch {batch}, {conv:?}", T::NAME);
            same_bits(label, &got, want)?;
        }
        let (weights, both) = (&want[2], [&want[2][..], &want[3]].concat());
        for (bias, want) in [(false, weights), (true, &both)] {
            let (level, conv, batch) = (exec.level.name(), &self.conv, self.batch);
            let label = format!("chunks, {} {level}, {threads} threads, batch {batch}, {conv:?}", T::NAME);
            same_bits(label, &self.sum_of_chunks(exec, threads, bias), want)?;
        }
        Ok(())
    }

    #[track_caller]
    pub fn assert_bits(&self, exec: Exec, threads: usize, want: &[Vec<T>; 4]) {
        self.check(exec, threads, want).unwrap_or_else(|difference| panic!("{difference}"));
    }
}
