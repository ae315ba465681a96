//! What keeps the tiles in this program: the linker drops the code that nobody calls.

use kernels::conv::{self, BackwardInput, BackwardWeight, Conv2d, ForwardPass};
use kernels::{Element, Exec, Level, MatMut, MatRef, gemm};

/// Keeps the products.
pub(crate) fn multiply<T: Element>() {
    let (a, mut c) = (vec![T::ONE; 16 * 16], vec![T::ZERO; 16 * 16]);
    let a = MatRef::row_major(&a, 16, 16).unwrap();
    let product = MatMut::row_major(&mut c, 16, 16).unwrap();
    gemm::gemm(Exec::serial(Level::best()), a, a, product).unwrap();
    assert!(c.iter().all(|&x| x.to_f64() == 16.0));
}

/// Keeps the three passes of a convolution.
pub(crate) fn convolve() {
    let conv = Conv2d {
        c_in: 2,
        h_in: 8,
        w_in: 8,
        c_out: 8,
        kernel: [3, 3],
        stride: [1, 1],
        padding: [0, 0],
        dilation: [1, 1],
        groups: 1,
    };
    let exec = Exec::serial(Level::best());
    let (x, w) = (vec![1.0_f32; conv.input_len()], vec![1.0; conv.weight_len()]);
    let (mut y, mut scratch) = (vec![0.0; conv.output_len()], vec![0.0; conv.scratch_len(1)]);
    let (mut grad_x, mut grad_w) = (vec![0.0; x.len()], vec![0.0; w.len()]);
    let forward = ForwardPass { batch: 1, x: &x, w: &w, bias: None, y: &mut y, scratch: &mut scratch };
    conv::forward(exec, &conv, forward).unwrap();
    assert!(y.iter().all(|&y| y == 18.0), "2 x 3 x 3 taps");
    let input = BackwardInput { batch: 1, w: &w, grad_y: &y, grad_x: &mut grad_x, scratch: &mut scratch };
    conv::backward_input(exec, &conv, input).unwrap();
    assert_eq!(grad_x[0], 8.0 * 18.0, "one tap of each of 8 filters");
    let weight = BackwardWeight { batch: 1, x: &x, grad_y: &y, grad_w: &mut grad_w, scratch: &mut scratch };
    conv::backward_weight(exec, &conv, weight).unwrap();
    assert!(grad_w.iter().all(|&g| g == 36.0 * 18.0), "6 x 6 positions");
}
