//! Eigenvalues of a symmetric matrix, for the step sizes that keep gradient descent stable.

use crate::matrix::Matrix;

/// Rounds of rotations after which a matrix of any size in use has long converged (7 to 10 do).
const SWEEPS: usize = 60;

/// The eigenvalues of the symmetric matrix `a`, ascending.
///
/// Jacobi's method: a rotation in the plane of coordinates p and q makes a_pq zero and leaves the
/// eigenvalues as they are. Going through all pairs again and again makes the matrix diagonal, and
/// the diagonal holds the eigenvalues.
///
/// # Shapes
/// `a` [p, p] symmetric.
///
/// # Source
/// Jacobi 1846; Golub and Van Loan, section 8.5.
///
/// ```
/// use models::eigenvalues::eigenvalues;
/// use models::matrix::Matrix;
/// let found = eigenvalues(&Matrix::new(2, 2, vec![2.0, 1.0, 1.0, 2.0])?);
/// assert!((found[0] - 1.0).abs() < 1e-15 && (found[1] - 3.0).abs() < 1e-15);
/// # Ok::<(), models::Error>(())
/// ```
pub fn eigenvalues(a: &Matrix<f64>) -> Vec<f64> {
    let n = a.rows();
    let mut a = a.clone();
    for _ in 0..SWEEPS {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                rotated |= rotate(&mut a, p, q);
            }
        }
        if !rotated {
            break;
        }
    }
    let mut values: Vec<f64> = (0..n).map(|i| a.at(i, i)).collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Makes a_pq zero; false if it is already negligible beside the diagonal.
fn rotate(a: &mut Matrix<f64>, p: usize, q: usize) -> bool {
    let (app, aqq, apq) = (a.at(p, p), a.at(q, q), a.at(p, q));
    // |a_pq| this small moves neither eigenvalue by as much as a rounding.
    if apq.abs() <= 0.25 * f64::EPSILON * (app.abs().sqrt() * aqq.abs().sqrt()) || !apq.is_finite() {
        return false;
    }
    // The smaller root t = tan(angle) of t^2 + 2 theta t - 1 = 0.
    let theta = (aqq - app) / (2.0 * apq);
    let root = theta.mul_add(theta, 1.0).sqrt();
    let t = if theta >= 0.0 { 1.0 / (theta + root) } else { 1.0 / (theta - root) };
    let cos = 1.0 / t.mul_add(t, 1.0).sqrt();
    let sin = t * cos;
    let n = a.rows();
    let mut rotate_pair = |i: usize, j: usize| {
        let (x, y) = (a.data()[i], a.data()[j]);
        a.data_mut()[i] = cos * x - sin * y;
        a.data_mut()[j] = sin * x + cos * y;
    };
    (0..n).for_each(|k| rotate_pair(k * n + p, k * n + q));
    (0..n).for_each(|k| rotate_pair(p * n + k, q * n + k));
    a.data_mut()[p * n + q] = 0.0;
    a.data_mut()[q * n + p] = 0.0;
    true
}
