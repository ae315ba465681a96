//! Softmax as a layer: p_i = e^{z_i} / sum_j e^{z_j}, for the quadratic loss.
//!
//! It has no elementwise phi': every p_i depends on every z_j, so that BP1's product with phi' is
//! one with the whole Jacobian, dp_i/dz_j = p_i ([i = j] - p_j).

use kernels::{Element, Error, Level, softmax};

use super::{Backward, Forward, Layer, Pass};

#[derive(Debug)]
pub(crate) struct Softmax {
    output: [usize; 1],
}

impl Softmax {
    pub(crate) fn new(input: &[usize]) -> Result<Self, String> {
        match *input {
            [classes] => Ok(Self { output: [classes] }),
            _ => Err("expects a flat input, put a flatten before it".to_owned()),
        }
    }
}

impl<T: Element> Layer<T> for Softmax {
    fn output(&self) -> &[usize] {
        &self.output
    }

    /// p
    fn recalled(&self) -> usize {
        self.output[0]
    }

    /// p [batch, classes] = softmax(z [batch, classes]), row by row
    fn forward(&self, pass: &Pass, f: Forward<'_, T>) -> Result<(), Error> {
        softmax::softmax(pass.exec, self.output[0], f.x, f.y)
    }

    /// dJ/dz_j = sum_i delta_i p_i ([i = j] - p_j) = p_j (delta_j - sum_i delta_i p_i)
    fn backward(&self, pass: &Pass, b: Backward<'_, T>) -> Result<(), Error> {
        if let Some(grad_z) = b.grad_x {
            jacobian_products(pass.exec.level, self.output[0], b.y, b.grad_y, grad_z);
        }
        Ok(())
    }
}

/// Row by row; the inner product is one chain over the classes, ascending (N2).
fn jacobian_products<T: Element>(level: Level, classes: usize, p: &[T], delta: &[T], grad_z: &mut [T]) {
    level.vectorize(
        #[inline(always)]
        || {
            let rows = p.chunks_exact(classes).zip(delta.chunks_exact(classes));
            for ((p, delta), grad_z) in rows.zip(grad_z.chunks_exact_mut(classes)) {
                let mut inner = T::ZERO;
                for (&p, &delta) in p.iter().zip(delta) {
                    inner = delta.mul_add(p, inner);
                }
                for ((g, &p), &delta) in grad_z.iter_mut().zip(p).zip(delta) {
                    *g = p * (delta - inner);
                }
            }
        },
    );
}
