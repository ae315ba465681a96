//! Global average pooling: each plane becomes its mean.

use super::check;
use super::pass::in_parts;
use crate::reduce::sum_lanes;
use crate::simd::vectorized;
use crate::{Element, Error, Exec};

/// y = the mean of each plane: the N4 sum, then one division by the area (N16).
///
/// # Shapes
/// `x` [planes, area], `y` `[planes]`.
///
/// # Errors
/// [`Error::Shape`] if the area is 0 or a slice has another length.
///
/// # Source
/// M. Lin, Q. Chen, S. Yan, "Network in network", 2013, section 3.2; slide "Pooling".
///
/// ```
/// use kernels::{Exec, pool};
///
/// let mut y = [0.0_f32; 2];
/// pool::global_average_forward(Exec::from_env()?, 2, 2, &[1.0, 3.0, 5.0, 6.0], &mut y)?;
/// assert_eq!(y, [2.0, 5.5]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn global_average_forward<T: Element>(
    exec: Exec,
    planes: usize,
    area: usize,
    x: &[T],
    y: &mut [T],
) -> Result<(), Error> {
    const NAME: &str = "global average pooling";
    check_area(NAME, area)?;
    check(NAME, "x", [planes, area], x.len())?;
    check(NAME, "y", [planes, 1], y.len())?;
    T::global_average_forward(exec, (planes, area), x, y)
}

pub(crate) fn forward<T: Element>(
    exec: Exec,
    (planes, area): (usize, usize),
    x: &[T],
    y: &mut [T],
) -> Result<(), Error> {
    in_parts(exec, (planes, area), (x, y), |part| {
        let (x, y) = part.slices;
        vectorized!(exec.level, {
            for (y, plane) in y.iter_mut().zip(x.chunks_exact(area)) {
                *y = sum_lanes(plane) / T::from_f64(area as f64);
            }
        });
        Ok(())
    })
}

/// grad_x of global average pooling: y holds x / area, so every input collects grad_y / area.
///
/// # Shapes
/// `grad_y` `[planes]`, `grad_x` [planes, area].
///
/// # Errors
/// As [`global_average_forward`].
///
/// ```
/// use kernels::{Exec, pool};
///
/// let mut grad_x = [9.0_f32; 4];
/// pool::global_average_backward(Exec::from_env()?, 2, 2, &[1.0, 3.0], &mut grad_x)?;
/// assert_eq!(grad_x, [0.5, 0.5, 1.5, 1.5]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn global_average_backward<T: Element>(
    exec: Exec,
    planes: usize,
    area: usize,
    grad_y: &[T],
    grad_x: &mut [T],
) -> Result<(), Error> {
    const NAME: &str = "global average pooling gradient";
    check_area(NAME, area)?;
    check(NAME, "grad_x", [planes, area], grad_x.len())?;
    check(NAME, "grad_y", [planes, 1], grad_y.len())?;
    T::global_average_backward(exec, (planes, area), grad_y, grad_x)
}

pub(crate) fn backward<T: Element>(
    exec: Exec,
    (planes, area): (usize, usize),
    grad_y: &[T],
    grad_x: &mut [T],
) -> Result<(), Error> {
    in_parts(exec, (planes, area), (grad_y, grad_x), |part| {
        let (grad_y, grad_x) = part.slices;
        vectorized!(exec.level, {
            for (plane, &grad) in grad_x.chunks_exact_mut(area).zip(grad_y) {
                plane.fill(grad / T::from_f64(area as f64));
            }
        });
        Ok(())
    })
}

fn check_area(operation: &'static str, area: usize) -> Result<(), Error> {
    Error::unless(area > 0, operation, || ("planes of at least 1 value".to_owned(), "0".to_owned()))
}
