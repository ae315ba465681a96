//! Kernels that do next to nothing with what they read, over arrays that no cache holds.

use kernels::activation::{self, Activation};
use kernels::{Exec, Level};
use models::optimizer::{Optimizer, OptimizerSpec};

use crate::{Buffers, Call, Contest, Later, at_levels, values};

/// 128 MiB: several times the last cache.
const ELEMENTS: usize = 1 << 25;
/// Small, so that many steps leave the weights where they are.
const ETA: f32 = 1.0 / 1_048_576.0;

pub(crate) fn all() -> Vec<Later> {
    vec![
        Later::new("ReLU forward", forward),
        Later::new("ReLU backward", backward),
        Later::new("SGD step", step),
    ]
}

/// A loop compiled for the best level, so that only the memory can slow it down.
fn stream(body: fn(&mut Buffers)) -> Call<'static> {
    Box::new(move |buffers| {
        Level::best().vectorize(
            #[inline(always)]
            || body(buffers),
        );
    })
}

fn contest(
    kernel: String,
    arrays: usize,
    want: impl Fn(f32, f32) -> f32,
    baseline: (&'static str, Call<'static>),
    levels: Vec<(Level, Call<'static>)>,
) -> Contest<'static> {
    let (x, z) = (values(1, ELEMENTS, 1.0), values(2, ELEMENTS, 1.0));
    let want = x.iter().zip(&z).map(|(&x, &z)| want(x, z)).collect();
    let buffers = Buffers { x, z, y: vec![0.0; ELEMENTS] };
    let bytes = arrays * size_of_val(&buffers.x[..]);
    Contest { kernel, elements: ELEMENTS, bytes, buffers, want, baseline, levels }
}

/// a = relu(x): one array is read, one written.
fn forward(kernel: String) -> Contest<'static> {
    fn scale(Buffers { x, y, .. }: &mut Buffers) {
        x.iter().zip(y).for_each(|(&x, y)| *y = 3.0 * x);
    }
    let levels = at_levels(|level| {
        move |Buffers { x, y, .. }: &mut Buffers| {
            activation::forward(Exec::serial(level), Activation::Relu, x, y).expect("one length");
        }
    });
    contest(kernel, 2, |x, _| Activation::Relu.phi(x), ("y = 3 x", stream(scale)), levels)
}

/// `grad_z` = `grad_a` where z > 0: two arrays are read, one written. What stands in a is never read.
fn backward(kernel: String) -> Contest<'static> {
    fn add(Buffers { x, z, y }: &mut Buffers) {
        x.iter().zip(&*z).zip(y).for_each(|((&x, &z), y)| *y = x + z);
    }
    let levels = at_levels(|level| {
        move |Buffers { x, z, y }: &mut Buffers| {
            activation::backward(Exec::serial(level), Activation::Relu, z, z, x, y).expect("one length");
        }
    });
    let want = |x, z| Activation::Relu.grad_z(z, z, x);
    contest(kernel, 3, want, ("y = x + z", stream(add)), levels)
}

/// y += -eta x, the models' elementwise addition: two arrays are read, one of them is written.
fn step(kernel: String) -> Contest<'static> {
    fn add(Buffers { x, y, .. }: &mut Buffers) {
        x.iter().zip(y).for_each(|(&x, y)| *y += x);
    }
    let levels = at_levels(|level| {
        move |Buffers { x, y, .. }: &mut Buffers| {
            let spec = OptimizerSpec::sgd(f64::from(ETA));
            let mut optimizer = Optimizer::new(spec, x.len()).expect("a learning rate");
            optimizer.step(level, 0, y, x);
        }
    });
    contest(kernel, 3, |x, z| (-ETA).mul_add(x, z), ("y = y + x", stream(add)), levels)
}
