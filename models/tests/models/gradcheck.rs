//! The gradient check itself: what it forgives and what it does not.

use models::gradcheck::{Point, best, relative_errors, scan};

#[test]
fn a_gradient_that_is_zero_on_paper_does_not_fail_the_check() {
    // 1e-17 against 0 beside a gradient of 1: measured against 1e-8, not against itself.
    let errors = relative_errors(&[1.0, 0.0], &[1.0, 1e-17]);
    assert!((errors[1] - 1e-9).abs() < 1e-24, "{errors:?}");
}

#[test]
fn a_cost_that_is_nan_never_passes_the_check() {
    let curve = scan(&mut |_: &[f64]| f64::NAN, &[1.0], &[1.0], &[1e-3, 1e-5]);
    assert!(curve.iter().all(|point| point.worst.is_nan()));
    assert_eq!(best(&curve), None);
    let point = |worst| Point { step: 1.0, worst, parameter: 0 };
    assert_eq!(best(&[point(f64::NAN), point(0.5), point(0.25), point(0.25)]).unwrap().worst, 0.25);
}
