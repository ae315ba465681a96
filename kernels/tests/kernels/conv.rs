//! Convolution and its gradients against the contract's plain loops, by bits.

use crate::common::convolution::{Case, PLAIN};
use crate::common::{Values, assert_same_bits, levels};
use kernels::conv::{self, Conv2d, ForwardPass, col2im, im2col};
use kernels::{Element, Error, Exec, MatMut, MatRef, gemm};

fn assert_parity<T: Element>(conv: Conv2d, batch: usize, value: impl FnMut() -> T) {
    let case = Case::new(conv, batch, value);
    let want = case.reference();
    for level in levels() {
        case.assert_bits(Exec::serial(level), 1, &want);
    }
}

/// f32 and f64, values with zeros of both signs, subnormals, infinities and NaN among them.
fn assert_parity_of_both_types(seed: u64, conv: Conv2d, batch: usize) {
    let mut values = Values::new(seed);
    assert_parity::<f32>(conv, batch, || values.plain());
    assert_parity::<f64>(conv, batch, || values.plain());
    assert_parity::<f32>(conv, batch, || values.special());
}

#[test]
fn kernels_strides_paddings_and_dilations_have_the_bits_of_the_plain_loops() {
    let mut seed = 0;
    for kernel in [1, 2, 3, 5] {
        for stride in 1..=3 {
            for padding in [0, 1, 2, 4] {
                for dilation in 1..=3 {
                    let conv = Conv2d {
                        kernel: [kernel, 3],
                        stride: [stride, 4 - stride],
                        padding: [padding, 1],
                        dilation: [dilation, 4 - dilation],
                        ..PLAIN
                    };
                    seed += 1;
                    if conv.validate().is_ok() {
                        assert_parity_of_both_types(seed, conv, 1);
                    }
                }
            }
        }
    }
}

#[test]
fn every_tile_has_the_bits_of_the_plain_loops() {
    // Heights of a tile, and maps that fill registers exactly or leave a rest.
    for filters in 1..=14 {
        for (w_in, padding) in [(16, 1), (19, 1), (30, 0), (10, 1), (14, 0), (35, 2)] {
            let conv = Conv2d { c_in: 1 + filters % 2, c_out: filters, w_in, padding: [1, padding], ..PLAIN };
            assert_parity_of_both_types(filters as u64, conv, 1);
            assert_parity_of_both_types(filters as u64, Conv2d { c_in: filters, c_out: 2, ..conv }, 1);
        }
    }
    for (groups, stride) in [(2, 1), (4, 2)] {
        let conv = Conv2d { c_in: 4, c_out: 8, groups, w_in: 33, stride: [stride, 1], ..PLAIN };
        assert_parity_of_both_types(stride as u64, conv, 5);
    }
}

#[test]
fn any_number_of_filters_over_any_width_has_the_bits_of_the_plain_loops() {
    // Panels of one and two registers with and without a rest; tiles that end with a row of the map or before it;
    // whole rows of the kernel in the frame; a whole chunk of samples and a short one.
    for w_in in 1..=40 {
        for (filters, kernel, padding) in
            [(1 + w_in * 7 % 70, 3, 1), (1 + w_in * 11 % 40, 5, 2), (16 + w_in, 3, 0)]
        {
            let [h_in, c_in] = [3 + w_in % 4, 1 + w_in % 3];
            let kernel_w = kernel.min(w_in + 2 * padding);
            let conv = Conv2d {
                c_in,
                h_in,
                w_in,
                c_out: filters,
                kernel: [3, kernel_w],
                padding: [1, padding],
                ..PLAIN
            };
            let mut values = Values::new(w_in as u64);
            assert_parity::<f32>(conv, 1, || values.plain());
            assert_parity::<f64>(Conv2d { c_in: filters, c_out: c_in, ..conv }, 1, || values.plain());
            assert_parity::<f32>(Conv2d { dilation: [1, 2], padding: [2, 4], ..conv }, 1, || {
                values.special()
            });
        }
    }
    let conv = Conv2d { c_in: 8, c_out: 36, groups: 2, w_in: 29, padding: [1, 1], ..PLAIN };
    assert_parity_of_both_types(1, conv, 5);
    assert_parity_of_both_types(2, Conv2d { stride: [2, 2], ..conv }, 6);
}

#[test]
fn taps_beside_the_map_count_where_a_result_is_minus_zero() {
    // Products of +-1e-30 and +-1e-30 are too small for f32 and become zeros with their sign, so that a chain ends
    // with -0.0 unless a tap of +0.0 comes after the last negative one.
    for w_in in [7, 14, 28] {
        for (c_in, c_out, kernel, padding) in
            [(2, 20, 3, 1), (20, 2, 3, 1), (3, 33, 5, 2), (6, 4, 5, 0), (3, 2, 5, 0), (1, 16, 5, 4)]
        {
            let conv = Conv2d {
                c_in,
                h_in: w_in,
                w_in,
                c_out,
                kernel: [kernel, kernel],
                padding: [padding, padding],
                ..PLAIN
            };
            let mut values = Values::new(w_in as u64);
            let mut tiny = || if values.below(2) == 0 { -1e-30_f32 } else { 1e-30 };
            let mut case = Case::<f32>::new(conv, 2, &mut tiny);
            case.bias.fill(-0.0);
            let want = case.reference();
            let negative = |v: &[f32]| v.iter().filter(|v| v.to_bits() == 0x8000_0000).count();
            assert!(negative(&want[0]) > 0 && negative(&want[1]) > 0, "{conv:?}");
            for level in levels() {
                case.assert_bits(Exec::serial(level), 1, &want);
            }
        }
    }
}

#[test]
fn a_small_map_s_input_gradient_has_the_bits_of_the_plain_loops() {
    // Kernels of 5 x 5 without padding, whose taps beside the map are left out, and their neighbours.
    for w_in in 6..=15 {
        for c_in in [1, 5, 6, 8, 9, 16] {
            for kernel in [[5, 5], [3, 5], [5, 4]] {
                let conv = Conv2d { c_in, h_in: 4 + w_in % 5, w_in, c_out: 3, kernel, ..PLAIN };
                if conv.validate().is_ok() {
                    assert_parity_of_both_types(w_in as u64, conv, 2);
                }
            }
        }
    }
}

#[test]
fn odd_shapes_have_the_bits_of_the_plain_loops() {
    let one = [1, 1];
    let point = Conv2d { c_in: 1, h_in: 1, w_in: 1, c_out: 1, kernel: one, ..PLAIN };
    let signal = Conv2d { h_in: 1, w_in: 300, kernel: [1, 9], padding: [0, 4], ..PLAIN };
    for (seed, conv) in [
        point,
        Conv2d { padding: [3, 2], ..point }, // windows of padding alone
        Conv2d { kernel: [3, 3], padding: one, ..point }, // taps of padding alone
        Conv2d { stride: [5, 9], ..PLAIN },  // a stride beyond the kernel
        Conv2d { kernel: one, stride: [2, 2], ..PLAIN }, // inputs that no tap meets
        Conv2d { kernel: one, c_in: 5, c_out: 7, ..PLAIN }, // a matrix product
        Conv2d { kernel: [6, 7], ..PLAIN },  // one window
        Conv2d { kernel: [2, 4], stride: [4, 2], dilation: [2, 2], ..PLAIN }, // strides and dilations that share factors
        Conv2d { kernel: [3, 2], stride: [6, 4], dilation: [4, 6], padding: [4, 4], ..PLAIN },
        Conv2d { c_in: 6, c_out: 4, groups: 2, padding: one, ..PLAIN },
        Conv2d { c_in: 3, c_out: 6, groups: 3, stride: [2, 1], ..PLAIN }, // depthwise
        signal,
        Conv2d { stride: [1, 3], dilation: [1, 2], ..signal },
    ]
    .into_iter()
    .enumerate()
    {
        assert_parity_of_both_types(seed as u64, conv, 2);
    }
}

#[test]
fn batches_around_a_chunk_have_the_bits_of_the_plain_loops() {
    let small = Conv2d { h_in: 4, w_in: 3, padding: [1, 1], ..PLAIN };
    assert_eq!(small.chunk(), 4);
    for batch in [0, 1, 3, 4, 5, 8, 9] {
        assert_parity_of_both_types(batch as u64, small, batch);
    }
    let middle = Conv2d { c_in: 128, h_in: 1, w_in: 1, c_out: 257, kernel: [1, 1], ..PLAIN };
    assert_eq!((middle.chunk(), Conv2d { c_out: 256, ..middle }.chunk()), (16, 4));
    let large = Conv2d { c_in: 1024, c_out: 513, ..middle };
    assert_eq!((large.chunk(), Conv2d { c_out: 512, ..large }.chunk()), (64, 16));
    let mut values = Values::new(5);
    assert_parity::<f32>(middle, 33, || values.plain());
    assert_parity::<f32>(large, 65, || values.plain());
}

#[test]
fn long_chains_are_cut_as_the_contract_says() {
    let mut values = Values::new(7);
    // More than 8192 taps: forward and input gradient in chunks of 4096 (N2).
    let deep = Conv2d { c_in: 1000, h_in: 3, w_in: 3, c_out: 1, ..PLAIN };
    let wide = Conv2d { c_in: 1, h_in: 1, w_in: 2, c_out: 9000, kernel: [1, 1], ..PLAIN };
    // More than 8192 positions: the weight gradient's chain is not cut (N3).
    let long = Conv2d { c_in: 1, h_in: 1, w_in: 9001, c_out: 1, kernel: [1, 3], ..PLAIN };
    let tall = Conv2d { c_in: 1, h_in: 9001, w_in: 1, c_out: 1, kernel: [3, 1], ..PLAIN };
    for conv in [deep, wide, long, tall] {
        assert_parity::<f32>(conv, 2, || values.plain());
    }
}

#[test]
fn bits_do_not_depend_on_the_threads() {
    let conv = Conv2d { c_in: 3, h_in: 20, w_in: 21, c_out: 8, padding: [1, 1], ..PLAIN };
    let mut values = Values::new(3);
    for conv in [conv, Conv2d { stride: [2, 2], ..conv }] {
        // Enough work for several threads, and batches that they cannot share evenly.
        for batch in [1, 2, 13] {
            let case = Case::<f32>::new(conv, batch, || values.plain());
            let want = case.reference();
            for threads in 1..=3 {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                for level in levels() {
                    pool.install(|| case.assert_bits(Exec::parallel(level), threads, &want));
                    pool.install(|| case.assert_bits(Exec::parallel(level), 1, &want)); // scratch for one
                }
            }
        }
    }
}

#[test]
fn a_convolution_by_1_x_1_is_a_matrix_product() {
    let conv = Conv2d { c_in: 5, c_out: 3, kernel: [1, 1], ..PLAIN };
    let mut values = Values::new(5);
    let case = Case::<f32>::new(conv, 1, || values.plain());
    for level in levels() {
        let mut want = vec![0.0; 3 * 42];
        let (w, x) = (MatRef::row_major(&case.w, 3, 5).unwrap(), MatRef::row_major(&case.x, 5, 42).unwrap());
        gemm::gemm(Exec::serial(level), w, x, MatMut::row_major(&mut want, 3, 42).unwrap()).unwrap();
        for (plane, b) in want.chunks_mut(42).zip(&case.bias) {
            plane.iter_mut().for_each(|y| *y += b);
        }
        assert_same_bits(level.name(), &case.forward(Exec::serial(level), 1), &want);
    }
}

#[test]
fn a_sample_does_not_depend_on_its_batch() {
    let conv = Conv2d { stride: [2, 1], padding: [1, 2], ..PLAIN };
    let mut values = Values::new(11);
    let case = Case::<f32>::new(conv, 6, || values.plain());
    let exec = Exec::serial(kernels::Level::best());
    let (y, grad_x) = (case.forward(exec, 1), case.backward_input(exec, 1));
    let permutation = [3, 0, 5, 1, 4, 2];
    let permute = |data: &[f32], each: usize| -> Vec<f32> {
        permutation.iter().flat_map(|&n| data[n * each..][..each].to_vec()).collect()
    };
    let (each_in, each_out) = (conv.input_len(), conv.output_len());
    let permuted = Case {
        x: permute(&case.x, each_in),
        grad_y: permute(&case.grad_y, each_out),
        w: case.w.clone(),
        bias: case.bias.clone(),
        ..case
    };
    assert_same_bits("y of the permuted batch", &permuted.forward(exec, 1), &permute(&y, each_out));
    let permuted_grad = permuted.backward_input(exec, 1);
    assert_same_bits("grad_x of the permuted batch", &permuted_grad, &permute(&grad_x, each_in));
    let alone = Case { batch: 1, x: permuted.x[..each_in].to_vec(), ..permuted };
    assert_same_bits("y of a sample alone", &alone.forward(exec, 1), &y[3 * each_out..][..each_out]);
}

#[test]
fn col2im_is_the_adjoint_of_im2col() {
    let mut values = Values::new(13);
    for conv in [
        PLAIN,
        Conv2d { stride: [2, 3], padding: [2, 1], dilation: [1, 2], ..PLAIN },
        Conv2d { kernel: [5, 2], padding: [3, 4], ..PLAIN },
    ] {
        let rows = conv.c_in * conv.kernel[0] * conv.kernel[1];
        let len = rows * conv.h_out() * conv.w_out();
        // Small integers, so that both inner products are exact and must be equal.
        let mut integers =
            |len: usize| -> Vec<f64> { (0..len).map(|_| values.below(19) as f64 - 9.0).collect() };
        let (x, m) = (integers(conv.input_len()), integers(len));
        let (mut columns, mut image) = (vec![f64::NAN; len], vec![f64::NAN; x.len()]);
        im2col(&conv, &x, &mut columns).unwrap();
        col2im(&conv, &m, &mut image).unwrap();
        let inner = |a: &[f64], b: &[f64]| a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b);
        assert_eq!(inner(&columns, &m), inner(&x, &image), "{conv:?}");
    }
}

/// grad_x by col2im(W' grad_y) sums the same k products in another order, with k - 1 more
/// roundings at most. Each of two sums of k products is within gamma_(k+1) sum |a b| of the exact
/// one, gamma_n = n u / (1 - n u) (Higham, Accuracy and Stability, section 3.1), so they are
/// within twice that of each other.
#[test]
fn the_textbook_input_gradient_agrees_within_its_rounding_errors() {
    let conv = Conv2d { c_in: 3, c_out: 4, stride: [2, 1], padding: [1, 1], ..PLAIN };
    let mut values = Values::new(17);
    let case = Case::<f64>::new(conv, 1, || values.plain());
    let exec = Exec::serial(kernels::Level::best());
    let (taps, positions) = (27, conv.h_out() * conv.w_out());
    let scatter = |w: &[f64], grad_y: &[f64]| {
        let (w, grad_y) =
            (MatRef::row_major(w, 4, taps).unwrap(), MatRef::row_major(grad_y, 4, positions).unwrap());
        let (mut columns, mut grad_x) = (vec![0.0; taps * positions], vec![0.0; conv.input_len()]);
        gemm::gemm(exec, w.t(), grad_y, MatMut::row_major(&mut columns, taps, positions).unwrap()).unwrap();
        col2im(&conv, &columns, &mut grad_x).unwrap();
        grad_x
    };
    let absolute = |values: &[f64]| values.iter().map(|v| v.abs()).collect::<Vec<_>>();
    let magnitude = scatter(&absolute(&case.w), &absolute(&case.grad_y));
    let terms = (4 * 9 + 1) as f64 * (f64::EPSILON / 2.0);
    let bound = 2.0 * terms / (1.0 - terms);
    for ((gather, scatter), magnitude) in
        case.backward_input(exec, 1).iter().zip(scatter(&case.w, &case.grad_y)).zip(magnitude)
    {
        assert!((gather - scatter).abs() <= bound * magnitude * 1.01, "{gather} against {scatter}");
    }
}

#[test]
fn padding_taps_are_taps_of_zero_and_not_left_out() {
    let conv = Conv2d { c_in: 1, h_in: 1, w_in: 2, c_out: 1, kernel: [1, 3], padding: [0, 1], ..PLAIN };
    // fma(infinity, +0.0, c) is NaN: the tap that lies in the padding is there.
    let mut case = Case::<f32>::new(conv, 1, || 1.0);
    case.w[0] = f32::INFINITY;
    for level in levels() {
        let y = case.forward(Exec::serial(level), 1);
        assert!(y[0].is_nan() && y[1] == f32::INFINITY, "{y:?}");
        let grad_x = case.backward_input(Exec::serial(level), 1);
        assert!(grad_x[0] == f32::INFINITY && grad_x[1].is_nan(), "{grad_x:?}");
    }
}

#[test]
#[should_panic(expected = "as many values as the sum")]
fn a_chunk_of_another_length_is_refused() {
    conv::add_chunk(kernels::Level::best(), 1, &[1.0_f32; 3], &mut [0.0; 4]);
}

#[test]
fn a_rotated_kernel_is_a_true_convolution() {
    // (1, 2, 3) * (1, 10, 100) by hand: the full convolution is 1, 12, 123, 230, 300.
    let conv = Conv2d { c_in: 1, h_in: 1, w_in: 3, c_out: 1, kernel: [1, 3], padding: [0, 2], ..PLAIN };
    let mut case = Case::<f32>::new(conv, 1, || 0.0);
    case.x = vec![1.0, 2.0, 3.0];
    conv::rotate([1, 3], &[1.0, 10.0, 100.0], &mut case.w).unwrap();
    let y = case.forward(Exec::serial(kernels::Level::best()), 1);
    assert_eq!(y, [1.0, 12.0, 123.0, 230.0, 300.0]);
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    for (conv, reason) in [
        (Conv2d { h_in: 0, ..PLAIN }, "every size but the padding to be at least 1"),
        (Conv2d { stride: [1, 0], ..PLAIN }, "every size but the padding to be at least 1"),
        (Conv2d { groups: 3, ..PLAIN }, "groups that divide c_in and c_out"),
        (Conv2d { kernel: [7, 3], ..PLAIN }, "a kernel, dilated, no larger than the padded input"),
        (Conv2d { dilation: [1, 4], ..PLAIN }, "a kernel, dilated, no larger than the padded input"),
        (Conv2d { padding: [usize::MAX, 0], ..PLAIN }, "a kernel, dilated, no larger than the padded input"),
        (Conv2d { c_in: 1 << 40, c_out: 1 << 40, ..PLAIN }, "sizes whose products fit in memory"),
        (Conv2d { padding: [1 << 40, 1 << 40], ..PLAIN }, "sizes whose products fit in memory"),
    ] {
        let Error::Shape { operation, expected, got } = conv.validate().unwrap_err() else { panic!() };
        assert_eq!((operation, expected.as_str()), ("conv2d", reason));
        assert!(got.contains("Conv2d {"), "{got}");
    }
}

#[test]
fn operands_that_do_not_fit_are_refused() {
    let exec = Exec::serial(kernels::Level::best());
    let (x, w) = (vec![0.0_f32; PLAIN.input_len()], vec![0.0; PLAIN.weight_len()]);
    let mut y = vec![0.0; PLAIN.output_len()];
    let mut refuse = |x: &[f32], w: &[f32], y_len: usize, scratch_len: usize| {
        let operands = ForwardPass {
            batch: 1,
            x,
            w,
            bias: None,
            y: &mut y[..y_len],
            scratch: &mut vec![0.0; scratch_len],
        };
        conv::forward(exec, &PLAIN, operands).map_err(|error| error.to_string())
    };
    let enough = PLAIN.scratch_len(1);
    assert_eq!(refuse(&x, &w, 40, enough), Ok(()));
    assert_eq!(
        refuse(&x[1..], &w, 40, enough).unwrap_err(),
        "conv2d forward: expected x of 1 samples of 84 values, got 83 values"
    );
    assert_eq!(refuse(&x, &w[1..], 40, enough).unwrap_err(), "conv2d forward: expected 36 weights, got 35");
    assert_eq!(
        refuse(&x, &w, 39, enough).unwrap_err(),
        "conv2d forward: expected y of 1 samples of 40 values, got 39 values"
    );
    assert!(refuse(&x, &w, 40, enough - 1).unwrap_err().contains("a scratch of at least"));
    let mut short = [0.0; 3];
    assert!(conv::rotate([2, 2], &[0.0; 3], &mut short).is_err());
    assert!(im2col(&PLAIN, &x, &mut short).is_err() && col2im(&PLAIN, &short, &mut y).is_err());
    assert!(conv::backward_bias(exec, &PLAIN, 1, &y, &mut short).is_err());
}
