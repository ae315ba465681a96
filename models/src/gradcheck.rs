//! Are the gradients right? Compare them with what the cost itself says.
//!
//! A gradient computed by backpropagation (a, "analytic") must agree with the slope measured by
//! moving each parameter a little up and a little down (n, "numeric"):
//!
//! ```text
//! n = (J(p + h) - J(p - h)) / 2h          error about h^2 J'''/6 + eps J / h
//! ```
//!
//! A large h is off by the curvature of J, a small h by rounding (eps = 2^-53 in f64), so the error
//! over h has the shape of a V with its lowest point near h = 1e-5. A wrong gradient has no such
//! point: its error stays near 1 for every h.

/// n for each parameter: central differences of `cost` with step `h`.
///
/// The divisor is the distance of the two points as rounded, (p + h) - (p - h), so a step that is
/// not a multiple of the parameter's last bit does no harm.
fn central_differences(cost: &mut impl FnMut(&[f64]) -> f64, parameters: &[f64], h: f64) -> Vec<f64> {
    let mut moved = parameters.to_vec();
    let slope = |k: usize| {
        let (up, down) = (parameters[k] + h, parameters[k] - h);
        moved[k] = up;
        let above = cost(&moved);
        moved[k] = down;
        let below = cost(&moved);
        moved[k] = parameters[k];
        (above - below) / (up - down)
    };
    (0..parameters.len()).map(slope).collect()
}

/// |a - n| / max(|a| + |n|, 1e-8 max|a|) for each parameter: 0 is agreement, 1 the opposite sign.
///
/// The second term keeps parameters whose gradient is practically zero from counting: rounding
/// alone makes |a - n| as large as |a| there. Where both are zero the error is 0.
///
/// # Shapes
/// `analytic` and `numeric` one slope per parameter.
///
/// ```
/// use models::gradcheck::relative_errors;
/// assert_eq!(relative_errors(&[1.0, 0.0, -2.0], &[3.0, 0.0, 2.0]), [0.5, 0.0, 1.0]);
/// ```
pub fn relative_errors(analytic: &[f64], numeric: &[f64]) -> Vec<f64> {
    let floor = 1e-8 * largest(analytic.iter().map(|a| a.abs()));
    let error = |(&a, &n): (&f64, &f64)| {
        let size = a.abs() + n.abs();
        let size = if size < floor { floor } else { size };
        if size == 0.0 { 0.0 } else { (a - n).abs() / size }
    };
    analytic.iter().zip(numeric).map(error).collect()
}

/// The steps of a scan: powers of ten from 1e-1 down to 1e-12.
pub const STEPS: [f64; 12] = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12];

/// One point of the V-shaped curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The step h.
    pub step: f64,
    /// The largest relative error over all parameters.
    pub worst: f64,
    /// The parameter that has it.
    pub parameter: usize,
}

/// The largest relative error for each step h.
///
/// # Shapes
/// `parameters` and `analytic` of one length.
///
/// ```
/// use models::gradcheck::{STEPS, best, scan};
/// // J = p^3 with its gradient 3 p^2, and with a wrong one.
/// let mut cost = |p: &[f64]| p[0] * p[0] * p[0];
/// assert!(best(&scan(&mut cost, &[2.0], &[12.0], &STEPS)).unwrap().worst < 1e-10);
/// assert!(best(&scan(&mut cost, &[2.0], &[6.0], &STEPS)).unwrap().worst > 0.3);
/// ```
pub fn scan(
    cost: &mut impl FnMut(&[f64]) -> f64,
    parameters: &[f64],
    analytic: &[f64],
    steps: &[f64],
) -> Vec<Point> {
    let point = |&step: &f64| {
        let errors = relative_errors(analytic, &central_differences(cost, parameters, step));
        let worst = largest(errors.iter().copied());
        let parameter = errors.iter().position(|&error| error == worst || error.is_nan()).unwrap_or(0);
        Point { step, worst, parameter }
    };
    steps.iter().map(point).collect()
}

/// The point with the least error, the first of equals; a NaN is never the best. `None` if there is
/// no such point.
///
/// ```
/// use models::gradcheck::{Point, best};
/// let points = [f64::NAN, 0.5, 0.25, 0.25].map(|worst| Point { step: 0.1, worst, parameter: 0 });
/// assert_eq!(best(&points), Some(points[2]));
/// ```
pub fn best(points: &[Point]) -> Option<Point> {
    let numbers = points.iter().copied().filter(|point| !point.worst.is_nan());
    numbers.reduce(|best, point| if point.worst < best.worst { point } else { best })
}

/// The largest of values that are not negative, 0 for nothing; a NaN wins (N7).
fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |m, value| if value > m || value.is_nan() { value } else { m })
}
