//! The minimum of Adaline's cost in closed form.
//!
//! Adaline without its threshold is linear regression (the answer to the slide's question "which
//! model is this?"). J(w) = 1/2 sum (y_i - x_i'w)^2 is smallest where its gradient is zero,
//! -X'(y - Xw) = 0, that is X'X w = X'y: the normal equations. X'X is symmetric and, if no variable is
//! a combination of others, positive definite, so it has a Cholesky factor: X'X = L L' with L lower
//! triangular, and two triangular systems give w.

use crate::Error;
use crate::chain::{over_samples, product};
use crate::matrix::Matrix;
use crate::observations::Observations;

/// Smallest fraction of a diagonal element that may remain after subtraction; less than 2^-42 is rounding noise.
const LEAST_PIVOT: f64 = 1.0 / (1_u64 << 42) as f64;

/// X'X, the sums of products of each two variables.
///
/// # Shapes
/// [p, p], symmetric. Each element is a sum over samples (N3).
///
/// ```
/// use models::least_squares::gram;
/// use models::observations::Observations;
/// let data = Observations::new(2, &[1.0, 2.0, 3.0, 4.0], &[0.0, 0.0])?;
/// assert_eq!(gram(&data).data(), [10.0, 14.0, 14.0, 20.0]);
/// # Ok::<(), models::Error>(())
/// ```
pub fn gram(data: &Observations) -> Matrix<f64> {
    Matrix::from_fn(data.p(), data.p(), |j, k| over_samples(data.n(), |i| (data.x(i)[j], data.x(i)[k])))
}

/// The weights that minimise J(w) = 1/2 sum (y_i - x_i'w)^2.
///
/// # Shapes
/// The result `[p]`, the constant's weight first if the data has it.
///
/// # Errors
/// If a variable is, to working precision, a combination of others: then there is no single
/// minimum.
///
/// # Source
/// Slide "Adaline"; Gauss 1809.
///
/// ```
/// use models::least_squares::fit;
/// use models::observations::Observations;
/// // Points on the line y = 1 + 2 x.
/// let data = Observations::new(1, &[0.0, 1.0, 2.0], &[1.0, 3.0, 5.0])?.with_constant();
/// let w = fit(&data)?;
/// assert!((w[0] - 1.0).abs() < 1e-15 && (w[1] - 2.0).abs() < 1e-15);
/// # Ok::<(), models::Error>(())
/// ```
pub fn fit(data: &Observations) -> Result<Vec<f64>, Error> {
    let xy: Vec<f64> = (0..data.p()).map(|k| over_samples(data.n(), |i| (data.x(i)[k], data.y(i)))).collect();
    Ok(solve_factored(&cholesky("normal equations", &gram(data))?, &xy))
}

/// L, lower triangular with positive diagonal, with L L' = `a`.
///
/// Row by row: l_jj = sqrt(a_jj - sum_k l_jk^2) and l_ij = (a_ij - sum_k l_ik l_jk) / l_jj, the sums
/// over k < j.
///
/// # Shapes
/// `a` [p, p] symmetric, of which the lower triangle is read.
///
/// # Errors
/// If `a` is not positive definite to working precision: a diagonal element lost all but its last
/// few bits to the subtraction.
///
/// ```
/// use models::least_squares::cholesky;
/// use models::matrix::Matrix;
/// let l = cholesky("example", &Matrix::new(2, 2, vec![4.0, 2.0, 2.0, 5.0])?)?;
/// assert_eq!(l.data(), [2.0, 0.0, 1.0, 2.0]);
/// # Ok::<(), models::Error>(())
/// ```
pub fn cholesky(operation: &'static str, a: &Matrix<f64>) -> Result<Matrix<f64>, Error> {
    let p = a.rows();
    let mut l = Matrix::from_fn(p, p, |_, _| 0.0);
    for i in 0..p {
        for j in 0..=i {
            let rest = a.at(i, j) - product(j, |k| (l.at(i, k), l.at(j, k)));
            l.data_mut()[i * p + j] = if i > j {
                rest / l.at(j, j)
            } else if rest > a.at(i, i) * LEAST_PIVOT {
                rest.sqrt()
            } else {
                return Err(Error::NotPositiveDefinite { operation, column: i });
            };
        }
    }
    Ok(l)
}

/// The solution v of L L' v = `rhs`: first L u = rhs from the top, then L' v = u from the bottom.
fn solve_factored(l: &Matrix<f64>, rhs: &[f64]) -> Vec<f64> {
    let p = l.rows();
    let mut v = rhs.to_vec();
    for i in 0..p {
        v[i] = (v[i] - product(i, |k| (l.at(i, k), v[k]))) / l.at(i, i);
    }
    for i in (0..p).rev() {
        let known = product(p - 1 - i, |k| (l.at(i + 1 + k, i), v[i + 1 + k]));
        v[i] = (v[i] - known) / l.at(i, i);
    }
    v
}

/// The v that minimises |a v - b|, and what is left.
#[derive(Clone, Debug, PartialEq)]
pub struct Minimum {
    /// v `[n]`.
    pub v: Vec<f64>,
    /// b - a v `[m]`, orthogonal to the columns of a.
    pub residual: Vec<f64>,
}

/// The v that minimises |a v - b|, by Householder's reflections.
///
/// The normal equations square the condition of `a`; reflections work on `a` itself and lose half as
/// many digits. Each makes one column zero below the diagonal and reflects b as well: Q' a = R,
/// Q' b = c. Then R v = the first n of c, and the residual is Q times the others.
///
/// # Shapes
/// `a` [m, n], `b [m]`.
///
/// # Errors
/// If a column is, to working precision, a combination of those before it (as it must be if there
/// are fewer rows than columns).
///
/// # Source
/// Householder 1958; Golub and Van Loan, section 5.3.
///
/// ```
/// use models::least_squares::minimise;
/// use models::matrix::Matrix;
/// let found = minimise("example", &Matrix::new(3, 1, vec![2.0, 0.0, 0.0])?, &[6.0, 1.0, 5.0])?;
/// assert_eq!((found.v, found.residual), (vec![3.0], vec![0.0, 1.0, 5.0]));
/// # Ok::<(), models::Error>(())
/// ```
pub fn minimise(operation: &'static str, a: &Matrix<f64>, b: &[f64]) -> Result<Minimum, Error> {
    let (m, n) = (a.rows(), a.cols());
    let mut columns: Vec<Vec<f64>> = (0..n).map(|j| (0..m).map(|i| a.at(i, j)).collect()).collect();
    let mut c = b.to_vec();
    let mut mirrors: Vec<Vec<f64>> = Vec::new();
    for k in 0..n {
        let below = columns[k].get(k..).unwrap_or(&[]);
        let length = norm(below);
        if length.is_nan() || length <= norm(&columns[k]) * (n as f64 * f64::EPSILON) {
            return Err(Error::NotPositiveDefinite { operation, column: k });
        }
        // v = x - end e_1 with the sign of `end` against x_1, so that nothing cancels.
        let end = if below[0] < 0.0 { length } else { -length };
        let mut mirror = below.to_vec();
        mirror[0] -= end;
        columns[k][k] = end;
        columns[k + 1..].iter_mut().for_each(|column| reflect(&mirror, &mut column[k..]));
        reflect(&mirror, &mut c[k..]);
        mirrors.push(mirror);
    }
    let mut v = vec![0.0; n];
    for i in (0..n).rev() {
        let known = product(n - 1 - i, |k| (columns[i + 1 + k][i], v[i + 1 + k]));
        v[i] = (c[i] - known) / columns[i][i];
    }
    c[..n].fill(0.0);
    for (k, mirror) in mirrors.iter().enumerate().rev() {
        reflect(mirror, &mut c[k..]);
    }
    Ok(Minimum { v, residual: c })
}

/// x - 2 v (v'x) / (v'v): the mirror image of x in the plane orthogonal to v.
fn reflect(v: &[f64], x: &mut [f64]) {
    let scale = -2.0 * product(v.len(), |i| (v[i], x[i])) / product(v.len(), |i| (v[i], v[i]));
    for (x, &v) in x.iter_mut().zip(v) {
        *x = scale.mul_add(v, *x);
    }
}

pub(crate) fn norm(x: &[f64]) -> f64 {
    product(x.len(), |i| (x[i], x[i])).sqrt()
}
