//! Random poolings: of windows, with a ReLU below or without, and of whole planes.

use kernels::activation::Activation;
use kernels::pool::{self, MaxBackward, Pool2d};
use kernels::{Element, Exec, reference};

use super::draw::{Draw, Runners};
use super::{Compared, either_type};
use crate::common::same_bits;

pub(crate) fn windows(draw: &mut Draw, runners: &Runners) -> Compared {
    either_type!(windows_of, draw, runners)
}

/// A pooling with its operands.
struct Case<T> {
    pool: Pool2d,
    batch: usize,
    x: Vec<T>,
    grad_y: Vec<T>,
}

/// What the plain loops give for a maximum.
struct Maxima<T> {
    y: Vec<T>,
    indices: Vec<u16>,
    grad_x: Vec<T>,
}

fn windows_of<T: Element>(draw: &mut Draw, runners: &Runners) -> Compared {
    let pool = loop {
        let pool = pool2d(draw);
        if pool.validate().is_ok() {
            break pool;
        }
    };
    let batch = draw.below(4);
    let (x, grad_y) = (draw.values(batch * pool.input_len()), draw.values(batch * pool.output_len()));
    let case: Case<T> = Case { pool, batch, x, grad_y };
    let (max, relu_max) = (case.max(&case.x), case.relu_max());
    let average = reference::pool::average_forward(&pool, batch, &case.x);
    let average_gradient = reference::pool::average_backward(&pool, batch, &case.grad_y);
    let execs = draw.execs(runners, case.x.len());
    runners.each(&execs, |exec, _| {
        case.check_max(exec, &max)?;
        case.check_relu_max(exec, &relu_max)?;
        let (mut y, mut grad_x) = case.outputs();
        pool::average_forward(exec, &pool, batch, &case.x, &mut y).unwrap();
        same_bits(case.label("average", exec), &y, &average)?;
        pool::average_backward(exec, &pool, batch, &case.grad_y, &mut grad_x).unwrap();
        same_bits(case.label("average gradient", exec), &grad_x, &average_gradient)
    })
}

impl<T: Element> Case<T> {
    fn label(&self, name: &str, exec: Exec) -> String {
        format!("{name} of {}, batch {}, {:?}, {exec:?}", T::NAME, self.batch, self.pool)
    }

    /// Room for the values and their gradient, filled with what no kernel may leave.
    fn outputs(&self) -> (Vec<T>, Vec<T>) {
        let nan = T::from_f64(f64::NAN);
        (vec![nan; self.grad_y.len()], vec![nan; self.x.len()])
    }

    fn max(&self, x: &[T]) -> Maxima<T> {
        let (y, indices) = reference::pool::max_forward(&self.pool, self.batch, x);
        let grad_x = reference::pool::max_backward(&self.pool, self.batch, &indices, &self.grad_y);
        Maxima { y, indices, grad_x }
    }

    /// The pooling of a ReLU, and the gradient of what the ReLU was given.
    fn relu_max(&self) -> Maxima<T> {
        let relu: Vec<T> = self.x.iter().map(|&z| Activation::Relu.phi(z)).collect();
        let Maxima { y, indices, mut grad_x } = self.max(&relu);
        for ((grad, &z), &a) in grad_x.iter_mut().zip(&self.x).zip(&relu) {
            *grad = Activation::Relu.grad_z(z, a, *grad);
        }
        Maxima { y, indices, grad_x }
    }

    fn check_max(&self, exec: Exec, want: &Maxima<T>) -> Compared {
        let Self { pool, batch, x, grad_y } = self;
        let (mut y, mut grad_x) = self.outputs();
        let mut indices = vec![u16::MAX; y.len()];
        pool::max_forward(exec, pool, *batch, x, &mut y, &mut indices).unwrap();
        same_bits(self.label("max", exec), &y, &want.y)?;
        if indices != want.indices {
            return Err(self.label("indices", exec));
        }
        pool::max_backward(exec, pool, *batch, &indices, grad_y, &mut grad_x).unwrap();
        same_bits(self.label("max gradient", exec), &grad_x, &want.grad_x)
    }

    fn check_relu_max(&self, exec: Exec, want: &Maxima<T>) -> Compared {
        let Self { pool, batch, x, grad_y } = self;
        let (mut y, mut grad_x) = self.outputs();
        let mut indices = vec![u16::MAX; y.len()];
        pool::relu_max_forward(exec, pool, *batch, x, &mut y, &mut indices).unwrap();
        same_bits(self.label("max of relu", exec), &y, &want.y)?;
        if indices != want.indices {
            return Err(self.label("indices of relu", exec));
        }
        let operands = MaxBackward { indices: &indices, y: &y, grad_y, grad_x: &mut grad_x };
        pool::relu_max_backward(exec, pool, *batch, operands).unwrap();
        same_bits(self.label("max of relu, gradient", exec), &grad_x, &want.grad_x)
    }
}

fn pool2d(draw: &mut Draw) -> Pool2d {
    let (channels, h_in, w_in) = (1 + draw.below(4), 1 + draw.below(12), draw.size());
    if draw.once_in(2) {
        return Pool2d { channels, h_in, w_in, kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
    }
    let kernel = [1 + draw.below(4), 1 + draw.below(4)];
    let padding = kernel.map(|size| draw.below(size / 2 + 1));
    Pool2d { channels, h_in, w_in, kernel, stride: [1 + draw.below(3), 1 + draw.below(3)], padding }
}

pub(crate) fn global_average(draw: &mut Draw, runners: &Runners) -> Compared {
    either_type!(global_average_of, draw, runners)
}

fn global_average_of<T: Element>(draw: &mut Draw, runners: &Runners) -> Compared {
    let planes = draw.below(40);
    let area = if draw.once_in(8) { 1 + draw.below(900) } else { draw.size() };
    let (x, grad_y): (Vec<T>, Vec<T>) = (draw.values(planes * area), draw.values(planes));
    let want = reference::pool::global_average_forward(area, &x);
    let want_grad = reference::pool::global_average_backward(area, &grad_y);
    let execs = draw.execs(runners, x.len());
    runners.each(&execs, |exec, _| {
        let label = |name| format!("{name}, {planes} planes of {area} x {}, {exec:?}", T::NAME);
        let nan = T::from_f64(f64::NAN);
        let (mut y, mut grad_x) = (vec![nan; planes], vec![nan; x.len()]);
        pool::global_average_forward(exec, planes, area, &x, &mut y).unwrap();
        same_bits(label("global average"), &y, &want)?;
        pool::global_average_backward(exec, planes, area, &grad_y, &mut grad_x).unwrap();
        same_bits(label("its gradient"), &grad_x, &want_grad)
    })
}
