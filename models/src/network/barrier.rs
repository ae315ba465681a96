//! A barrier's passes: the whole batch at once, when all parts have arrived.

use kernels::samples::Samples;
use kernels::{Element, Error};

use super::Network;
use super::arena::BlockId;
use crate::layers::{Kind, LayerBackward, LayerForward, Pass};

impl<T: Element> Network<T> {
    pub(super) fn barrier_forward(&mut self, pass: Pass, index: usize) -> Result<(), Error> {
        let Kind::WholeBatch(layer) = &mut self.layers[index].kind else { return Ok(()) };
        let layout = &self.plan.layouts[index];
        let mut values = Samples::new(self.values.as_mut_slice(), &self.plan.values.list, pass.batch);
        let ([x], [y]) = values.lend([layout.x.0], [layout.y.0]);
        let parameters = &self.parameters.as_slice()[layout.parameters.clone()];
        let forward = LayerForward { x, parameters, y, kept: &mut [], scratch: self.scratch.as_mut_slice() };
        layer.forward(&pass, forward, &mut self.statistics[layout.statistics.clone()])
    }

    /// The gradient of the parameters, and dJ/dx where a layer below learns.
    pub(super) fn barrier_backward(&mut self, pass: Pass, index: usize) {
        let Kind::WholeBatch(layer) = &mut self.layers[index].kind else { return };
        let layout = &self.plan.layouts[index];
        let mut values = Samples::new(self.values.as_mut_slice(), &self.plan.values.list, pass.batch);
        let Some(grad_y) = layout.grad_y else { return };
        let grad_x = layout.grad_x.unwrap_or(BlockId::EMPTY);
        let ([x, y, grad_y], [grad_x]) = values.lend([layout.x.0, layout.y.0, grad_y.0], [grad_x.0]);
        let parameters = &self.parameters.as_slice()[layout.parameters.clone()];
        let gradient = &mut self.gradients.as_mut_slice()[layout.parameters.clone()];
        let (chunks, kept): (&mut [T], _) = (&mut [], &[][..]);
        let scratch = self.scratch.as_mut_slice();
        layer.backward(
            &pass,
            LayerBackward { x, y, parameters, grad_y, grad_x, chunks, kept, scratch },
            gradient,
        );
    }
}
