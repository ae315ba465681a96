//! Softmax as a layer: p_i = e^{z_i} / sum_j e^{z_j}, for the quadratic loss.
//!
//! It has no elementwise phi': every p_i depends on every z_j, so that BP1's product with phi' is
//! one with the whole Jacobian, dp_i/dz_j = p_i ([i = j] - p_j).

use kernels::{Element, Error, softmax, vectorized};

use super::{Layer, LayerBackward, LayerForward, Pass, PerSample, Properties};

#[derive(Debug)]
pub(crate) struct Softmax {
    classes: usize,
}

impl Softmax {
    pub(crate) fn layer<T: Element>(input: &[usize]) -> Result<Layer<T>, String> {
        let [classes] = *input else {
            return Err("expects a flat input, put a flatten before it".to_owned());
        };
        // p is what the gradient is computed from.
        let properties =
            Properties { output: vec![classes], read_for_grad_x: classes, ..Properties::default() };
        Ok(Layer::per_sample(Self { classes }, properties))
    }
}

impl<T: Element> PerSample<T> for Softmax {
    /// p [batch, classes] = softmax(z [batch, classes]), row by row
    fn forward(&self, pass: &Pass, f: LayerForward<'_, T>) -> Result<(), Error> {
        softmax::softmax(pass.exec, self.classes, f.x, f.y)
    }

    /// dJ/dz_j = sum_i delta_i p_i ([i = j] - p_j) = p_j (delta_j - sum_i delta_i p_i), row by row; the sum is one chain
    /// over the classes, ascending (N2).
    fn backward(&self, pass: &Pass, b: LayerBackward<'_, T>) -> Result<(), Error> {
        vectorized!(pass.exec.level, {
            let rows = b.y.chunks_exact(self.classes).zip(b.grad_y.chunks_exact(self.classes));
            for ((p, delta), grad_z) in rows.zip(b.grad_x.chunks_exact_mut(self.classes)) {
                let mut inner = T::ZERO;
                for (&p, &delta) in p.iter().zip(delta) {
                    inner = delta.mul_add(p, inner);
                }
                for ((g, &p), &delta) in grad_z.iter_mut().zip(p).zip(delta) {
                    *g = p * (delta - inner);
                }
            }
        });
        Ok(())
    }
}
