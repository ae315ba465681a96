//! Softmax and the losses against the contract's plain loops by bits, and their gradients against differences.

use crate::common::{Values, assert_same_bits, levels};
use kernels::softmax::{CrossEntropy, binary_cross_entropy, cross_entropy, softmax};
use kernels::{Element, Exec, Level, reference};

/// Rows and classes: one, the course's, around the 32 lanes, the sixteen rows that are turned around and the pieces of
/// 512, and no rows at all.
const SHAPES: [[usize; 2]; 21] = [
    [1, 1],
    [3, 2],
    [200, 1],
    [100, 3],
    [9, 10],
    [10, 10],
    [16, 10],
    [64, 10],
    [128, 10],
    [52, 10],
    [33, 15],
    [47, 16],
    [15, 17],
    [5, 31],
    [21, 32],
    [5, 32],
    [21, 33],
    [2, 511],
    [2, 513],
    [1, 1031],
    [0, 10],
];

fn rows_match_the_reference<T: Element>() {
    let mut values = Values::new(1);
    for ([rows, classes], special) in SHAPES.into_iter().flat_map(|shape| [(shape, false), (shape, true)]) {
        let n = rows * classes;
        let x: Vec<T> = if special { values.specials(n) } else { values.plains(n) };
        let x: Vec<T> = x.into_iter().map(|x| T::from_f64(20.0) * x).collect();
        let labels: Vec<u32> = (0..rows).map(|_| values.below(classes) as u32).collect();
        let r = T::ONE / T::from_f64(rows as f64);
        let p: Vec<T> = x.chunks(classes).flat_map(reference::softmax::softmax).collect();
        let (losses, grads): (Vec<T>, Vec<Vec<T>>) = x
            .chunks(classes)
            .zip(&labels)
            .map(|(x, &y)| reference::softmax::cross_entropy(x, y as usize, r))
            .unzip();
        for level in levels() {
            let exec = Exec::serial(level);
            let label = format!("{rows} x {classes} {}, {}", T::NAME, level.name());
            let mut got = vec![T::ONE; n];
            softmax(exec, classes, &x, &mut got).expect("the shapes fit");
            assert_same_bits(&label, &got, &p);
            let mut got_losses = vec![T::ONE; rows];
            let operands =
                CrossEntropy { x: &x, labels: &labels, r, losses: &mut got_losses, grad: &mut got };
            cross_entropy(exec, classes, operands).expect("the shapes fit");
            assert_same_bits(&label, &got_losses, &losses);
            assert_same_bits(&label, &got, &grads.concat());
        }
    }
}

fn logistic_loss_matches_the_reference<T: Element>() {
    let mut values = Values::new(2);
    for n in [0, 1, 9, 511, 512, 513, 1031] {
        let z: Vec<T> = values.specials::<T>(n).iter().map(|&z| T::from_f64(20.0) * z).collect();
        let y: Vec<T> = (0..n).map(|i| [T::ZERO, T::ONE, T::from_f64(0.25)][i % 3]).collect();
        let r = T::from_f64(0.125);
        let want = z.iter().zip(&y).map(|(&z, &y)| reference::softmax::binary_cross_entropy(z, y, r));
        let (losses, grads): (Vec<T>, Vec<T>) = want.unzip();
        for level in levels() {
            let (mut got_losses, mut got) = (vec![T::ONE; n], vec![T::ONE; n]);
            binary_cross_entropy(Exec::serial(level), &z, &y, r, &mut got_losses, &mut got)
                .expect("one length");
            assert_same_bits(format!("{n} losses, {}", level.name()), &got_losses, &losses);
            assert_same_bits(format!("{n} gradients, {}", level.name()), &got, &grads);
        }
    }
}

#[test]
fn rows_match_the_reference_in_f32() {
    rows_match_the_reference::<f32>();
}

#[test]
fn rows_match_the_reference_in_f64() {
    rows_match_the_reference::<f64>();
}

#[test]
fn the_logistic_loss_matches_the_reference() {
    logistic_loss_matches_the_reference::<f32>();
    logistic_loss_matches_the_reference::<f64>();
}

/// The loss of one row and its gradient with r = 1.
fn loss(x: &[f64], y: u32) -> (f64, Vec<f64>) {
    let (mut loss, mut grad) = ([0.0], vec![0.0; x.len()]);
    let row = CrossEntropy { x, labels: &[y], r: 1.0, losses: &mut loss, grad: &mut grad };
    cross_entropy(Exec::serial(Level::best()), x.len(), row).expect("one row");
    (loss[0], grad)
}

/// Central differences with this step: truncation below h^2/6 |f'''| < h^2; rounding, a few ulps of
/// values below 16, over 2h.
const H: f64 = 1e-5;
const TOLERANCE: f64 = H * H + 8.0 * 16.0 * f64::EPSILON / H;

#[test]
fn gradients_agree_with_central_differences() {
    let mut values = Values::new(3);
    for _ in 0..200 {
        let x: Vec<f64> = values.plains::<f64>(10).iter().map(|x| 3.0 * x).collect();
        let (_, grad) = loss(&x, 4);
        for (j, g) in grad.iter().enumerate() {
            let moved = |h: f64| {
                let mut x = x.clone();
                x[j] += h;
                loss(&x, 4).0
            };
            let off = (g - (moved(H) - moved(-H)) / (2.0 * H)).abs();
            assert!(off <= TOLERANCE, "class {j}: off by {off:e}");
        }
        let (z, y) = (x[0], f64::from(u8::from(x[1] > 0.0)));
        let at = |z| reference::softmax::binary_cross_entropy(z, y, 1.0);
        let off = (at(z).1 - (at(z + H).0 - at(z - H).0) / (2.0 * H)).abs();
        assert!(off <= TOLERANCE, "logistic: off by {off:e}");
    }
}

#[test]
fn probabilities_sum_to_one_and_a_rows_result_is_its_own() {
    let exec = Exec::serial(Level::best());
    let x: Vec<f32> = Values::new(4).plains::<f32>(640).iter().map(|x| 50.0 * x).collect();
    let mut p = vec![0.0; x.len()];
    softmax(exec, 10, &x, &mut p).expect("64 rows");
    for (row, p_row) in x.chunks(10).zip(p.chunks(10)) {
        let mut alone = [0.0; 10];
        softmax(exec, 10, row, &mut alone).expect("one row");
        assert_same_bits("one row", &alone, p_row);
        let sum: f64 = p_row.iter().fold(0.0, |sum, &p| sum + f64::from(p));
        // Each p is off by 1.5 ulp at most of itself and s by ten roundings: relative 12 * 2^-24.
        assert!((sum - 1.0).abs() < 12.0 / (1_u32 << 24) as f64, "{sum}");
    }
}

#[test]
fn large_logits_neither_overflow_nor_hide_a_nan() {
    assert_eq!(loss(&[1e300, 0.0], 0), (0.0, vec![0.0, 0.0]));
    assert_eq!(loss(&[1e300, 0.0], 1), (1e300, vec![1.0, -1.0]));
    let (nan, grad) = loss(&[0.0, f64::NAN], 0);
    assert!(nan.is_nan() && grad.iter().all(|g| g.is_nan()));
}

#[test]
fn shapes_and_labels_that_do_not_fit_are_refused_before_anything_is_written() {
    let exec = Exec::serial(Level::best());
    let (mut losses, mut grad) = ([7.0_f32; 2], [7.0; 6]);
    let x = [0.0; 6];
    let mut of = |labels: &[u32]| {
        let (losses, grad) = (&mut losses, &mut grad);
        cross_entropy(exec, 3, CrossEntropy { x: &x, labels, r: 1.0, losses, grad })
    };
    let error = of(&[0, 3]);
    assert!(of(&[0]).is_err());
    assert_eq!(
        error.expect_err("three classes").to_string(),
        "softmax cross_entropy: expected labels from 0 to 2, one class each, got label 3 in row 1"
    );
    assert_eq!((losses, grad), ([7.0; 2], [7.0; 6]));
    assert!(softmax(exec, 4, &x, &mut grad).is_err());
    assert!(softmax(exec, 0, &x, &mut grad).is_err());
    assert!(binary_cross_entropy(exec, &x, &x[..5], 1.0, &mut [0.0; 6], &mut grad).is_err());
}
