//! Metrics on counts and numbers that can be checked by hand.

use models::metrics::{Confusion, accuracy, mean, median, standard_deviation};

#[test]
fn a_confusion_matrix_gives_all_ratios() {
    // Class 0: 3 of 4 found, one taken for 1. Class 1: 2 of 3, one taken for 2. Class 2: 1 of 1.
    let labels = [0, 0, 0, 0, 1, 1, 1, 2];
    let predictions = [0, 0, 0, 1, 1, 1, 2, 2];
    let confusion = Confusion::new(3, &labels, &predictions);
    let counts: Vec<u64> = (0..9).map(|i| confusion.count(i / 3, i % 3)).collect();
    assert_eq!(counts, [3, 1, 0, 0, 2, 1, 0, 0, 1]);
    assert_eq!(confusion.accuracy(), 0.75);
    assert_eq!(confusion.accuracy(), accuracy(&labels, &predictions));
    assert_eq!([0, 1, 2].map(|class| confusion.recall(class)), [0.75, 2.0 / 3.0, 1.0]);
    assert_eq!([0, 1, 2].map(|class| confusion.precision(class)), [1.0, 2.0 / 3.0, 0.5]);
    assert_eq!([0, 1, 2].map(|class| confusion.f1(class)), [6.0 / 7.0, 4.0 / 6.0, 2.0 / 3.0]);
    assert_eq!(confusion.macro_f1(), (6.0 / 7.0 + 4.0 / 6.0 + 2.0 / 3.0) / 3.0);
}

#[test]
fn a_class_that_never_comes_has_no_ratios() {
    let confusion = Confusion::new(2, &[0, 0], &[0, 0]);
    assert!(confusion.precision(1).is_nan() && confusion.recall(1).is_nan() && confusion.f1(1).is_nan());
}

#[test]
#[should_panic(expected = "class 2 or 0 of 2")]
fn a_label_beyond_the_classes_is_refused() {
    Confusion::new(2, &[2], &[0]);
}

#[test]
fn statistics_of_few_values() {
    assert!(accuracy(&[], &[]).is_nan() && mean(&[]).is_nan() && median(&[]).is_nan());
    assert_eq!((mean(&[2.5]), median(&[2.5])), (2.5, 2.5));
    assert!(standard_deviation(&[2.5]).is_nan());
    assert_eq!(standard_deviation(&[1.0, 2.0, 3.0, 4.0, 5.0]), 2.5_f64.sqrt());
    // Two passes: a large mean costs the spread nothing.
    assert_eq!(standard_deviation(&[1e9 + 1.0, 1e9 + 3.0, 1e9 + 5.0]), 2.0);
}

#[test]
fn the_median_orders_zeros_and_nan_in_one_way() {
    assert_eq!(median(&[0.0, -0.0, -0.0]).to_bits(), (-0.0_f64).to_bits());
    assert!(median(&[f64::NAN, 1.0, f64::NAN]).is_nan());
    assert_eq!(median(&[f64::MAX, f64::MAX]), f64::MAX);
}
