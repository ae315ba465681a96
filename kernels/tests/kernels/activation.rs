//! The nine activations over slices against the functions of one number, and their gradients against differences.

use crate::common::{ACTIVATIONS, Values, assert_same_bits, levels};
use kernels::activation::{Activation, backward, forward};
use kernels::{Element, Exec, Level};

/// Nothing, less than a register, around registers and the pieces of 256 and 512, and a prime.
const LENGTHS: [usize; 12] = [0, 1, 7, 8, 16, 31, 33, 255, 257, 512, 513, 1031];

fn slices_match_single_values<T: Element>() {
    let mut values = Values::new(1);
    for level in levels() {
        let exec = Exec::serial(level);
        for (phi, length) in ACTIVATIONS.into_iter().flat_map(|phi| LENGTHS.map(|length| (phi, length))) {
            let label = format!("{phi:?}, {length} x {}, {}", T::NAME, level.name());
            let z: Vec<T> = values.specials::<T>(length).iter().map(|&z| T::from_f64(8.0) * z).collect();
            let grad_a: Vec<T> = values.specials(length);
            let mut a = vec![T::ONE; length];
            forward(exec, phi, &z, &mut a).expect("one length");
            assert_exact_bits(&label, &a, z.iter().map(|&z| phi.phi(z)));
            let mut grad_z = vec![T::ONE; length];
            backward(exec, phi, &z, &a, &grad_a, &mut grad_z).expect("one length");
            let want = (0..length).map(|i| phi.grad_z(z[i], a[i], grad_a[i]));
            assert_exact_bits(&label, &grad_z, want);
        }
    }
}

/// The same bits, those of a NaN included: activations give the contract's.
#[track_caller]
fn assert_exact_bits<T: Element>(label: &str, got: &[T], want: impl Iterator<Item = T>) {
    let want: Vec<T> = want.collect();
    assert_same_bits(label, got, &want);
    assert!(got.iter().all(|v| v.bits() == v.canonical().bits()), "{label}: a NaN of its own");
}

#[test]
fn slices_match_single_values_in_f32() {
    slices_match_single_values::<f32>();
}

#[test]
fn slices_match_single_values_in_f64() {
    slices_match_single_values::<f64>();
}

#[test]
fn derivatives_agree_with_central_differences() {
    // phi is smooth on each side of 0; the step keeps to one side. Truncation: h^2/6 |phi'''| < h^2 here;
    // rounding: 3 ulp of |phi| < 10, over 2h.
    const H: f64 = 1e-5;
    const TOLERANCE: f64 = H * H + 3.0 * 10.0 * f64::EPSILON / H;
    let mut values = Values::new(2);
    for phi in ACTIVATIONS {
        for _ in 0..2000 {
            let z = 5.0 * values.plain::<f64>();
            if z.abs() <= H {
                continue;
            }
            let difference = (phi.phi(z + H) - phi.phi(z - H)) / (2.0 * H);
            let off = (phi.phi_prime(z) - difference).abs();
            assert!(off <= TOLERANCE, "{phi:?} at {z}: off by {off:e}");
        }
    }
}

#[test]
fn a_nan_passes_and_kinks_take_the_left_derivative() {
    for phi in ACTIVATIONS {
        assert!(phi.phi(f32::NAN).is_nan(), "{phi:?}");
    }
    for zero in [0.0_f32, -0.0] {
        assert_eq!(Activation::Relu.phi_prime(zero).to_bits(), 0);
        assert_eq!(Activation::LeakyRelu { slope: 0.25 }.phi_prime(zero), 0.25);
        assert_eq!(Activation::Elu { alpha: 1.5 }.phi_prime(zero), 1.5);
        assert_eq!(Activation::Relu.grad_z(zero, zero, -3.0).to_bits(), 0);
    }
    assert_eq!(Activation::Step.phi(-0.0_f64), 1.0);
    assert_eq!(Activation::Sign.phi(-1e-300_f64), -1.0);
}

#[test]
fn softplus_neither_overflows_nor_loses_its_tail() {
    let softplus = |z: f64| Activation::Softplus.phi(z);
    assert_eq!(softplus(1000.0), 1000.0);
    assert_eq!(softplus(-800.0), 0.0);
    // ln(1 + e^-40) = e^-40 - e^-80/2: to f64 precision e^-40, 4.248354255291589e-18.
    assert_eq!(softplus(-40.0), 4.248_354_255_291_589e-18);
}

#[test]
fn lengths_that_differ_are_refused() {
    let exec = Exec::serial(Level::best());
    assert!(forward(exec, Activation::Tanh, &[0.0_f32; 2], &mut [0.0; 3]).is_err());
    let error = backward(exec, Activation::Tanh, &[0.0_f32; 2], &[0.0; 2], &[0.0; 1], &mut [0.0; 2]);
    assert_eq!(
        error.expect_err("one gradient for two").to_string(),
        "activation backward: expected `grad_a` of 2 values, as many as `z`, got 1 values"
    );
}
