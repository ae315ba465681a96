//! Pooling against the contract's plain loops, by bits.

use crate::common::{Values, assert_same_bits, levels};
use kernels::activation::Activation;
use kernels::pool::{self, MaxBackward, Pool2d};
use kernels::{Element, Error, Exec, Level, reference};

const PAIRS: Pool2d =
    Pool2d { channels: 3, h_in: 6, w_in: 8, kernel: [2, 2], stride: [2, 2], padding: [0, 0] };

/// Values of which many are equal, so that "the first wins" is tested.
fn ties<T: Element>(values: &mut Values, len: usize) -> Vec<T> {
    let choices = [-T::ONE, -T::ZERO, T::ZERO, T::ONE, T::from_f64(f64::NAN), T::from_f64(f64::NEG_INFINITY)];
    (0..len).map(|_| choices[values.below(choices.len())]).collect()
}

fn assert_parity<T: Element>(exec: Exec, pool: &Pool2d, batch: usize, x: &[T], grad_y: &[T]) {
    let label = |name: &str| format!("{name}, {} {}, batch {batch}, {pool:?}", T::NAME, exec.level.name());
    let nan = T::from_f64(f64::NAN);
    let (mut y, mut grad_x) = (vec![nan; grad_y.len()], vec![nan; x.len()]);
    let mut indices = vec![u16::MAX; grad_y.len()];

    let (want, want_indices) = reference::pool::max_forward(pool, batch, x);
    pool::max_forward(exec, pool, batch, x, &mut y, &mut indices).unwrap();
    assert_same_bits(label("max"), &y, &want);
    assert_eq!(indices, want_indices, "{}", label("indices"));
    let want = reference::pool::max_backward(pool, batch, &indices, grad_y);
    pool::max_backward(exec, pool, batch, &indices, grad_y, &mut grad_x).unwrap();
    assert_same_bits(label("max gradient"), &grad_x, &want);

    let relu: Vec<T> = x.iter().map(|&z| Activation::Relu.phi(z)).collect();
    let (want, want_indices) = reference::pool::max_forward(pool, batch, &relu);
    pool::relu_max_forward(exec, pool, batch, x, &mut y, &mut indices).unwrap();
    assert_same_bits(label("max of relu"), &y, &want);
    assert_eq!(indices, want_indices, "{}", label("indices of relu"));
    let grad_relu = reference::pool::max_backward(pool, batch, &indices, grad_y);
    let grad_z =
        x.iter().zip(&relu).zip(grad_relu).map(|((&z, &a), grad)| Activation::Relu.grad_z(z, a, grad));
    grad_x.fill(nan);
    let operands = MaxBackward { indices: &indices, y: &y, grad_y, grad_x: &mut grad_x };
    pool::relu_max_backward(exec, pool, batch, operands).unwrap();
    assert_same_bits(label("max of relu, gradient"), &grad_x, &grad_z.collect::<Vec<_>>());

    pool::average_forward(exec, pool, batch, x, &mut y).unwrap();
    assert_same_bits(label("average"), &y, &reference::pool::average_forward(pool, batch, x));
    grad_x.fill(nan);
    pool::average_backward(exec, pool, batch, grad_y, &mut grad_x).unwrap();
    let want = reference::pool::average_backward(pool, batch, grad_y);
    assert_same_bits(label("average gradient"), &grad_x, &want);
}

fn assert_parity_at_every_level<T: Element>(seed: u64, pool: Pool2d, batch: usize) {
    pool.validate().unwrap();
    let mut values = Values::new(seed);
    for level in levels() {
        for x in [ties(&mut values, batch * pool.input_len()), values.specials(batch * pool.input_len())] {
            let grad_y: Vec<T> = values.specials(batch * pool.output_len());
            assert_parity(Exec::serial(level), &pool, batch, &x, &grad_y);
        }
    }
}

#[test]
fn windows_strides_and_paddings_have_the_bits_of_the_plain_loops() {
    let mut seed = 0;
    for kernel in 1..=4 {
        for stride in 1..=4 {
            for padding in 0..=kernel / 2 {
                for (h_in, w_in) in [(4, 5), (7, 4), (1, 9)] {
                    let (rows, columns) = if h_in == 1 { (1, 0) } else { (kernel, padding) };
                    let pool = Pool2d {
                        channels: 2,
                        h_in,
                        w_in,
                        kernel: [rows, kernel],
                        stride: [stride, stride],
                        padding: [columns, padding],
                    };
                    seed += 1;
                    assert_parity_at_every_level::<f32>(seed, pool, 2);
                    assert_parity_at_every_level::<f64>(seed, pool, 1);
                }
            }
        }
    }
}

#[test]
fn pairs_of_every_width_have_the_bits_of_the_plain_loops() {
    for w_in in [2, 3, 7, 8, 9, 14, 15, 16, 17, 28, 30, 31, 32, 33, 47, 64, 67, 600] {
        for h_in in [2, 3, 8] {
            let pool = Pool2d { h_in, w_in, ..PAIRS };
            assert_parity_at_every_level::<f32>(w_in as u64, pool, 2);
            assert_parity_at_every_level::<f64>(w_in as u64, pool, 1);
        }
    }
    assert_parity_at_every_level::<f32>(0, PAIRS, 0);
}

#[test]
fn bits_do_not_depend_on_the_threads() {
    let mut values = Values::new(5);
    for pool in [
        Pool2d { channels: 5, h_in: 64, w_in: 66, ..PAIRS },
        Pool2d { channels: 5, h_in: 64, w_in: 66, kernel: [3, 3], padding: [1, 1], ..PAIRS },
    ] {
        let x = values.specials::<f32>(5 * pool.input_len());
        let grad_y = values.specials::<f32>(5 * pool.output_len());
        for threads in 1..=3 {
            let workers = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            for level in levels() {
                workers.install(|| assert_parity(Exec::parallel(level), &pool, 5, &x, &grad_y));
            }
        }
    }
}

#[test]
fn global_averages_have_the_bits_of_the_plain_loops() {
    let mut values = Values::new(9);
    for (planes, area) in [(0, 3), (1, 1), (3, 31), (2, 32), (7, 33), (100, 784)] {
        let x = values.specials::<f32>(planes * area);
        let grad_y = values.specials::<f32>(planes);
        let want = reference::pool::global_average_forward(area, &x);
        let want_grad = reference::pool::global_average_backward(area, &grad_y);
        for exec in levels().into_iter().flat_map(|level| [Exec::serial(level), Exec::parallel(level)]) {
            let (mut y, mut grad_x) = (vec![f32::NAN; planes], vec![f32::NAN; x.len()]);
            pool::global_average_forward(exec, planes, area, &x, &mut y).unwrap();
            assert_same_bits(format!("{planes} x {area}"), &y, &want);
            pool::global_average_backward(exec, planes, area, &grad_y, &mut grad_x).unwrap();
            assert_same_bits(format!("gradient of {planes} x {area}"), &grad_x, &want_grad);
        }
    }
}

#[test]
fn the_rules_of_the_contract_hold_by_hand() {
    let exec = Exec::serial(Level::best());
    let one = Pool2d { channels: 1, h_in: 2, w_in: 2, ..PAIRS };
    let max = |x: [f32; 4]| {
        let (mut y, mut index) = ([0.0_f32], [9]);
        pool::max_forward(exec, &one, 1, &x, &mut y, &mut index).unwrap();
        (y[0].to_bits(), index[0])
    };
    let nan = f32::NAN;
    assert_eq!(max([1.0, 3.0, 3.0, 2.0]), (3.0_f32.to_bits(), 1), "the first of equals wins");
    assert_eq!(max([-0.0, 0.0, -0.0, 0.0]), ((-0.0_f32).to_bits(), 0), "zeros are equal");
    assert_eq!(max([f32::INFINITY, nan, 1.0, nan]).1, 1, "the first NaN stays");
    assert_eq!(max([f32::NEG_INFINITY; 4]), (f32::NEG_INFINITY.to_bits(), 0));
    // Padding is no candidate, even where all inputs are negative.
    let padded = Pool2d { kernel: [3, 3], padding: [1, 1], ..one };
    let (mut y, mut index) = ([0.0_f32], [9]);
    pool::max_forward(exec, &padded, 1, &[-4.0, -3.0, -2.0, -1.0], &mut y, &mut index).unwrap();
    assert_eq!((y, index), ([-1.0], [8]));
    // The average counts the padding: (1 + 2 + 3 + 4) / 9.
    pool::average_forward(exec, &padded, 1, &[1.0, 2.0, 3.0, 4.0], &mut y).unwrap();
    assert_eq!(y, [10.0 / 9.0]);
}

#[test]
fn max_pooling_commutes_with_shifts_by_its_stride_only() {
    let exec = Exec::serial(Level::best());
    let mut values = Values::new(21);
    let (row, signal) = (Pool2d { channels: 1, h_in: 2, w_in: 16, ..PAIRS }, values.plains::<f32>(40));
    let pooled = |shift: usize| {
        let x = [&signal[shift..shift + 16], &signal[shift + 20..shift + 36]].concat();
        let (mut y, mut indices) = (vec![0.0; 8], vec![0; 8]);
        pool::max_forward(exec, &row, 1, &x, &mut y, &mut indices).unwrap();
        y
    };
    assert_eq!(pooled(0)[1..], pooled(2)[..7]);
    assert_ne!(pooled(0)[1..], pooled(1)[..7]);
}

#[test]
fn sizes_and_indices_that_do_not_fit_are_refused() {
    let reason = |pool: Pool2d| match pool.validate() {
        Err(Error::Shape { operation: "pool2d", expected, got }) if got.contains("Pool2d") => expected,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(Pool2d { channels: 0, ..PAIRS }), "every size but the padding to be at least 1");
    assert_eq!(reason(Pool2d { padding: [2, 0], ..PAIRS }), "a padding of at most half the window");
    assert_eq!(reason(Pool2d { kernel: [9, 2], ..PAIRS }), "a window no larger than the padded input");
    let huge = Pool2d { h_in: 1 << 20, w_in: 1 << 20, ..PAIRS };
    assert_eq!(reason(Pool2d { kernel: [1 << 8, (1 << 8) + 1], ..huge }), "a window of at most 2^16 values");
    assert_eq!(reason(Pool2d { h_in: 1 << 40, w_in: 1 << 40, ..huge }), "sizes whose products fit in memory");

    let exec = Exec::serial(Level::best());
    let one = Pool2d { channels: 1, h_in: 4, w_in: 8, ..PAIRS };
    let (x, mut y, mut indices) = ([0.0_f32; 32], [0.0; 8], [0; 8]);
    let error = pool::max_forward(exec, &one, 1, &x[1..], &mut y, &mut indices).unwrap_err();
    assert_eq!(error.to_string(), "max pooling: expected x of 1 times 32 values, got 31 values");
    assert!(pool::average_forward(exec, &one, 1, &x, &mut y[1..]).is_err());
    // Sizes are looked at before what is computed from them.
    let invalid = Pool2d { kernel: [9, 2], ..one };
    let mut grad_z = [0.0; 32];
    for (pool, y) in [(&one, &y[1..]), (&invalid, &y)] {
        let operands = MaxBackward { indices: &indices, y, grad_y: &[0.0; 8], grad_x: &mut grad_z };
        assert!(pool::relu_max_backward(exec, pool, 1, operands).is_err());
    }
    assert!(pool::global_average_forward(exec, 0, 0, &[0.0_f32; 0], &mut []).is_err());
    let mut grad_x = x;
    for pool in [one, Pool2d { h_in: 3, w_in: 6, kernel: [2, 3], stride: [1, 1], ..one }] {
        let (x, mut y) = (&mut grad_x[..pool.input_len()], vec![0.0; pool.output_len()]);
        let mut indices = vec![0; y.len()];
        pool::max_forward(exec, &pool, 1, x, &mut y, &mut indices).unwrap();
        assert_eq!(pool::max_backward(exec, &pool, 1, &indices, &y, x), Ok(()));
        for wrong in [pool.kernel[0] * pool.kernel[1], 1 << 12, 0xFFFF].map(|tap| tap as u16) {
            indices[7] = wrong;
            let error = pool::max_backward(exec, &pool, 1, &indices, &y, x).unwrap_err();
            assert!(error.to_string().ends_with("got an index outside of its window"), "{error}");
        }
    }
}
