//! The elementary functions beside std's.

use kernels::math::{self, Function};
use kernels::{Exec, reference};

use crate::{Buffers, Call, Contest, Later, at_levels, values};

/// Values of an array: with its result 64 KiB.
const ELEMENTS: usize = 8192;

pub(crate) fn all() -> Vec<Later> {
    Function::ALL.map(|function| Later::new(function.name(), move |name| contest(name, function))).into()
}

fn contest(kernel: String, function: Function) -> Contest<'static> {
    let mut x = values(1, ELEMENTS, 8.0);
    if matches!(function, Function::Ln | Function::Ln1p) {
        x.iter_mut().for_each(|x| *x = x.abs());
    }
    let want = x.iter().map(|&x| reference::math::rounded(function, x).value).collect();
    let levels = at_levels(|level| {
        move |Buffers { x, y, .. }: &mut Buffers| {
            math::evaluate(Exec::serial(level), function, x, y).expect("one length");
        }
    });
    let y = vec![0.0; ELEMENTS];
    let buffers = Buffers { z: x.clone(), x, y };
    let baseline = ("std's function in a loop", std_loop(function));
    Contest { kernel, elements: ELEMENTS, bytes: 8 * ELEMENTS, buffers, want, baseline, levels }
}

/// y = f(x) by std's function; a closure of its own for each, so that the loop calls libm directly.
#[allow(clippy::disallowed_methods, reason = "the baseline that N5's functions are timed against")]
fn std_loop(function: Function) -> Call<'static> {
    fn each(f: impl Fn(f32) -> f32 + 'static) -> Call<'static> {
        Box::new(move |Buffers { x, y, .. }| x.iter().zip(y).for_each(|(&x, y)| *y = f(x)))
    }
    match function {
        Function::Exp => each(f32::exp),
        Function::Expm1 => each(f32::exp_m1),
        Function::Ln => each(f32::ln),
        Function::Ln1p => each(f32::ln_1p),
        Function::Tanh => each(f32::tanh),
        Function::Sigmoid => each(|x| 1.0 / (1.0 + (-x).exp())),
    }
}
