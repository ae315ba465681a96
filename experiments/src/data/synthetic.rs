//! Data that are drawn or computed.

use kernels::math::f64::{cos, sin};
use models::rng::{Purpose, Stream};

use crate::spec::Function;

/// Two clouds that the hyperplane u'x = 0 separates, u a random unit vector.
///
/// x = t u + s v with v a random unit vector perpendicular to u, margin <= |t| <= radius and
/// s^2 <= radius^2 - t^2; t > 0 for class 1. The first two samples are p + margin u and p - margin u
/// with one p perpendicular to u: for any unit vector u' and threshold, the sum of their distances to
/// the hyperplane is 2 margin u'u, so none has a larger margin. Row-major `[samples, features]`; the
/// labels alternate 1, 0, 1, ...
pub(super) fn clouds(
    samples: usize,
    features: usize,
    margin: f64,
    radius: f64,
    seed: u64,
) -> (Vec<f64>, Vec<u32>) {
    let mut stream = Stream::new(Purpose::Data, seed, 0);
    let normal = unit(&mut stream, features, None);
    let mut x: Vec<f64> = Vec::with_capacity(samples * features);
    let mut labels = Vec::with_capacity(samples);
    let mut across = Vec::new();
    for i in 0..samples {
        let t = if i < 2 { margin } else { stream.uniform().mul_add(radius - margin, margin) };
        if i != 1 {
            let reach = stream.uniform() * (radius * radius - t * t).sqrt();
            across = unit(&mut stream, features, Some(&normal)).into_iter().map(|v| reach * v).collect();
        }
        let side = if i % 2 == 0 { t } else { -t };
        x.extend(normal.iter().zip(&across).map(|(u, p)| side.mul_add(*u, *p)));
        labels.push(u32::from(i % 2 == 0));
    }
    (x, labels)
}

/// A random unit vector, perpendicular to `normal` if there is one; zero where none exists.
fn unit(stream: &mut Stream, features: usize, normal: Option<&[f64]>) -> Vec<f64> {
    let mut v: Vec<f64> = (0..features).map(|_| stream.normal()).collect();
    if let Some(u) = normal {
        let along = dot(&v, u);
        for (v, u) in v.iter_mut().zip(u) {
            *v = (-along).mul_add(*u, *v);
        }
    }
    let length = dot(&v, &v).sqrt();
    if features == 1 && normal.is_some() {
        return vec![0.0];
    }
    v.iter().map(|v| v / length).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| a.mul_add(*b, sum))
}

/// f(x)
fn value(function: Function, x: f64) -> f64 {
    match function {
        Function::Sine => sin(2.0 * std::f64::consts::PI * x),
        Function::Absolute => x.abs(),
        Function::Step => f64::from(u8::from(x >= 0.0)),
        Function::Square => x * x,
        Function::Nielsen => 0.4 * (x * x) + 0.2 + 0.3 * (x * sin(15.0 * x)) + 0.05 * cos(50.0 * x),
    }
}

/// `samples` points from `from` to `to`, both included, with noise; then `test_samples` at the
/// middles of as many equal parts, without. Gives x and y.
pub(super) fn function(
    function: Function,
    [from, to]: [f64; 2],
    [samples, test_samples]: [usize; 2],
    noise: f64,
    seed: u64,
) -> (Vec<f64>, Vec<f64>) {
    let mut stream = Stream::new(Purpose::Data, seed, 0);
    let width = to - from;
    let train = (0..samples).map(|i| width.mul_add(i as f64 / (samples - 1) as f64, from));
    let test = (0..test_samples).map(|i| width.mul_add((i as f64 + 0.5) / test_samples as f64, from));
    let x: Vec<f64> = train.chain(test).collect();
    let mut y: Vec<f64> = x.iter().map(|&x| value(function, x)).collect();
    if noise > 0.0 {
        for y in &mut y[..samples] {
            *y = stream.normal().mul_add(noise, *y);
        }
    }
    (x, y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clouds_keep_their_margin_and_stay_in_the_ball() {
        for features in [1, 2, 5] {
            let (x, labels) = clouds(200, features, 0.1, 2.0, 7);
            // The first two samples differ by 2 margin u.
            let u: Vec<f64> = (0..features).map(|j| (x[j] - x[features + j]) / 0.2).collect();
            for (row, &label) in x.chunks_exact(features).zip(&labels) {
                let t = dot(row, &u);
                let signed = if label == 1 { t } else { -t };
                // u is recovered with a relative error of a few 1e-15 (a difference of values up to 2, divided by 0.2).
                assert!(signed >= 0.1 - 1e-13, "{signed}");
                assert!(dot(row, row).sqrt() <= 2.0 + 1e-14);
            }
        }
    }

    #[test]
    fn a_grid_has_both_ends() {
        let (x, y) = function(Function::Square, [-1.0, 1.0], [3, 2], 0.0, 1);
        assert_eq!((x, y), (vec![-1.0, 0.0, 1.0, -0.5, 0.5], vec![1.0, 0.0, 1.0, 0.25, 0.25]));
    }
}
