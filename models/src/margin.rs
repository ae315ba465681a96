//! Novikoff's bound: how many mistakes the perceptron rule can make.
//!
//! Let R = max |x_i| and let gamma be the widest margin with which a unit vector u separates the
//! classes, gamma = max_u min_i y_i x_i'u. From w = 0 the rule makes at most (R / gamma)^2 updates,
//! in any order and for any learning rate: each update adds at least gamma to w'u and at most R^2
//! to |w|^2 (in units of its step), so after m of them m gamma <= w'u <= |w| <= sqrt(m) R.
//!
//! How gamma is found: with z_i = y_i x_i, the widest margin equals the distance from the origin to the
//! convex hull of the z_i, and u points at the nearest point of the hull. Wolfe's algorithm finds
//! that point exactly, up to rounding, in finitely many steps:
//!
//! ```text
//! start with the z_i of least norm as the only point of the corral S
//! repeat
//!     x = the nearest point found so far, a mixture of the points of S
//!     z = the point that lies furthest towards the origin, least z'x; stop if z'x >= |x|^2
//!     add z to S
//!     repeat
//!         y = the point of the flat through S that is nearest to 0
//!         if y is a mixture of S with positive weights: x = y, leave
//!         go from x towards y until a weight vanishes; drop its point from S
//! ```

use crate::chain::product;
use crate::error::{Error, misfit};
use crate::least_squares::{Minimum, minimise, norm};
use crate::matrix::Matrix;
use crate::observations::Observations;
use crate::perceptron::net_input as dot;

/// The nearest point is accepted if no point lies closer to the origin by more than this fraction.
const TOLERANCE: f64 = 1e-14;

/// Radius, margin and the bound that follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Novikoff {
    /// R, the greatest norm of an observation.
    pub radius: f64,
    /// gamma, the widest margin: the margin that `direction` has on the data.
    pub margin: f64,
    /// The distance from the origin to the hull of the z_i. It is never less than the true gamma, and
    /// `margin` never more, so the gap between the two bounds the error of both.
    pub margin_at_most: f64,
    /// u, the unit vector that separates with this margin.
    pub direction: Vec<f64>,
    /// (R / gamma)^2.
    pub bound: f64,
}

/// Novikoff's bound for the data, or `None` if no hyperplane through the origin separates it.
///
/// Targets count by their sign: those above 0 are +1, the others -1 (so 0 and 1 will do as well).
/// With a bias, give the data with its constant coordinate: R and gamma are those of the augmented
/// observations, on which the rule runs.
///
/// # Errors
/// If there is no observation.
///
/// # Source
/// A. Novikoff, "On convergence proofs for perceptrons" (1962); P. Wolfe, "Finding the
/// nearest point in a polytope" (1976).
///
/// ```
/// use models::{margin::novikoff, observations::Observations};
/// // Points at 3 and -1 on a line: R = 3, gamma = 1.
/// let data = Observations::new(1, &[3.0, -1.0], &[1.0, -1.0])?;
/// let found = novikoff(&data)?.expect("the points are separable");
/// assert_eq!((found.radius, found.margin, found.bound), (3.0, 1.0, 9.0));
/// # Ok::<(), models::Error>(())
/// ```
pub fn novikoff(data: &Observations) -> Result<Option<Novikoff>, Error> {
    if data.n() == 0 {
        return Err(misfit("novikoff", "at least one observation", "none").into());
    }
    let sign = |i| if data.y(i) > 0.0 { 1.0 } else { -1.0 };
    let z = Matrix::from_fn(data.n(), data.p(), |i, k| sign(i) * data.x(i)[k]);
    let radius = (0..z.rows()).map(|i| norm(z.row(i))).fold(0.0, |r, norm| if norm > r { norm } else { r });
    let nearest = nearest_point(&z);
    let distance = norm(&nearest);
    let direction: Vec<f64> = nearest.iter().map(|x| x / distance).collect();
    let margin = dot(z.row(lowest_along(&z, &direction)), &direction);
    // A product of unit vector and observation is off by at most p roundings of R: a margin above
    // that is one, and where no hyperplane separates no direction reaches it.
    let separable = margin > (z.cols() as f64 + 1.0) * f64::EPSILON * radius;
    let ratio = radius / margin;
    let found = Novikoff { radius, margin, margin_at_most: distance, direction, bound: ratio * ratio };
    Ok(separable.then_some(found))
}

/// The point nearest to the origin of the convex hull of the rows of `z` (Wolfe's algorithm).
///
/// It ends where the distance no longer shrinks, at the latest when rounding stops it.
fn nearest_point(z: &Matrix<f64>) -> Vec<f64> {
    let shortest = (1..z.rows()).fold(0, |s, i| if norm(z.row(i)) < norm(z.row(s)) { i } else { s });
    let mut corral = vec![Vertex { row: shortest, weight: 1.0 }];
    let mut x = z.row(shortest).to_vec();
    loop {
        let added = lowest_along(z, &x);
        let square = dot(&x, &x);
        if dot(z.row(added), &x) >= square * (1.0 - TOLERANCE) || corral.iter().any(|v| v.row == added) {
            return x;
        }
        corral.push(Vertex { row: added, weight: 0.0 });
        match descend(z, &mut corral) {
            Some(nearer) if dot(&nearer, &nearer) < square => x = nearer,
            _ => return x,
        }
    }
}

/// A point of the corral with its weight in the mixture x.
struct Vertex {
    row: usize,
    weight: f64,
}

/// The inner loop: moves the weights to the nearest point of the corral's hull, drops the points that
/// it does not need, and returns it. `None` if the corral's points are dependent to working precision.
fn descend(z: &Matrix<f64>, corral: &mut Vec<Vertex>) -> Option<Vec<f64>> {
    loop {
        let (target, nearest) = nearest_of_flat(z, corral).ok()?;
        // The fraction of the way to the target at which the first weight vanishes.
        let (mut fraction, mut first) = (1.0, None);
        for (v, vertex) in corral.iter().enumerate().filter(|&(v, _)| target[v] <= 0.0) {
            // The weight just added is 0 and vanishes at once if rounding sends it down.
            let way = vertex.weight - target[v];
            let vanishes = if way > 0.0 { vertex.weight / way } else { 0.0 };
            if first.is_none() || vanishes < fraction {
                (fraction, first) = (vanishes, Some(v));
            }
        }
        for (vertex, target) in corral.iter_mut().zip(&target) {
            vertex.weight = fraction.mul_add(target - vertex.weight, vertex.weight);
        }
        match first {
            Some(v) => drop(corral.remove(v)),
            None => return Some(nearest),
        }
    }
}

/// The point nearest to the origin in the flat through the corral, and its weights, of sum 1.
///
/// With z_0 the corral's first point every point of the flat is z_0 + sum_v beta_v (z_v - z_0): the
/// betas are a least-squares problem, and minus its residual is the point.
fn nearest_of_flat(z: &Matrix<f64>, corral: &[Vertex]) -> Result<(Vec<f64>, Vec<f64>), Error> {
    let base = z.row(corral[0].row);
    let edges = Matrix::from_fn(z.cols(), corral.len() - 1, |k, v| z.at(corral[v + 1].row, k) - base[k]);
    let away: Vec<f64> = base.iter().map(|x| -x).collect();
    let Minimum { v: betas, residual } = minimise("nearest point of a flat", &edges, &away)?;
    let first = 1.0 - product(betas.len(), |v| (betas[v], 1.0));
    let weights = std::iter::once(first).chain(betas).collect();
    Ok((weights, residual.iter().map(|r| -r).collect()))
}

/// The row of `z` with the least product with `x`, the first of equals.
fn lowest_along(z: &Matrix<f64>, x: &[f64]) -> usize {
    let products = (0..z.rows()).map(|i| (i, dot(z.row(i), x)));
    products.reduce(|least, next| if next.1 < least.1 { next } else { least }).map_or(0, |(row, _)| row)
}
