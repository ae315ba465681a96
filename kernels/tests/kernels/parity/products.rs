//! Random matrix products.

use kernels::Element;

use super::draw::{Draw, Runners};
use crate::common::product::{Case, LAYOUTS, Layout, Of, Operation};

pub(crate) fn compare(draw: &mut Draw, runners: &Runners) -> (&'static str, Result<(), String>) {
    let case = case(draw);
    let name = match case.operation {
        Operation::Product => "gemm",
        Operation::Accumulate => "gemm_acc",
        Operation::OverSamples(_) => "gemm_over_samples",
    };
    let compared =
        if draw.once_in(3) { of::<f64>(case, draw, runners) } else { of::<f32>(case, draw, runners) };
    (name, compared)
}

/// A product with a bias.
pub(crate) fn biased(draw: &mut Draw, runners: &Runners) -> (&'static str, Result<(), String>) {
    let case = Case { operation: Operation::Product, ..case(draw) };
    let bias = [Of::Nothing, Of::Rows, Of::Columns, Of::Columns][draw.below(4)];
    let compared = if draw.once_in(3) {
        with_bias::<f64>(case, bias, draw, runners)
    } else {
        with_bias::<f32>(case, bias, draw, runners)
    };
    ("gemm_bias", compared)
}

fn with_bias<T: Element>(case: Case, bias: Of, draw: &mut Draw, runners: &Runners) -> Result<(), String> {
    let (m, n, k) = case.shape;
    let inputs = bias.inputs(case, |len| draw.values::<T>(len));
    let want = inputs.reference();
    let execs = draw.execs(runners, m * n * k);
    runners.each(&execs, |exec, _| inputs.check(exec, &want))
}

pub(crate) fn case(draw: &mut Draw) -> Case {
    let shape = shape(draw);
    let mut layout = || match draw.below(LAYOUTS.len() + 2) {
        i if i < LAYOUTS.len() => LAYOUTS[i],
        // A power of two, whose rows meet in few sets of a cache, has ways of its own.
        i if i == LAYOUTS.len() => Layout::Padded(1 << draw.below(7)),
        _ => Layout::RowMajor,
    };
    let layouts = [layout(), layout(), layout()];
    let operation = match draw.below(3) {
        0 => Operation::Product,
        1 => Operation::Accumulate,
        _ => Operation::OverSamples(chunk(draw, shape.2)),
    };
    Case { shape, layouts, operation }
}

fn of<T: Element>(case: Case, draw: &mut Draw, runners: &Runners) -> Result<(), String> {
    let (m, n, k) = case.shape;
    let inputs = case.inputs(|len| draw.values::<T>(len));
    let want = inputs.reference();
    let execs = draw.execs(runners, m * n * k);
    runners.each(&execs, |exec, _| inputs.check(exec, &want))
}

/// Mostly small and at the edges of tiles; long in one direction; or so large that threads share it.
fn shape(draw: &mut Draw) -> (usize, usize, usize) {
    let few = |draw: &mut Draw| 1 + draw.below(4);
    match draw.below(64) {
        0 => {
            let k = [4095, 4096, 4097, 8191, 8192, 8193, 12_288, 12_289][draw.below(8)];
            (few(draw), few(draw), k)
        }
        1 => (few(draw), few(draw), 700 + draw.below(800)),
        2 => (few(draw), 200 + draw.below(900), few(draw)),
        3 => (200 + draw.below(900), few(draw), few(draw)),
        4 | 5 => (1, 1 + draw.below(300), 1 + draw.below(200)),
        6 | 7 => (1 + draw.below(300), 1, 1 + draw.below(200)),
        8 => {
            // 2^20 multiply-adds and more are two tasks.
            let shapes = [(64, 129, 131), (1, 1031, 1031), (700, 3, 600), (113, 97, 97), (33, 50, 770)];
            let (m, n, k) = shapes[draw.below(shapes.len())];
            (m + draw.below(3), n + draw.below(3), k + draw.below(3))
        }
        // The gradient of weights to a few classes.
        10 => (60 + draw.below(300), 2 + draw.below(14), 16 + draw.below(60)),
        9 => [(0, 3, 2), (3, 0, 2), (3, 2, 0), (20, 40, 0)][draw.below(4)],
        _ => (draw.size(), draw.size(), draw.size()),
    }
}

fn chunk(draw: &mut Draw, k: usize) -> usize {
    match draw.below(4) {
        0 => 1 << draw.below(11),
        1 => k.max(1),
        _ => 1 + draw.below(k + 1),
    }
}
