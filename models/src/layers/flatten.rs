//! Flatten: the same values in one axis, row-major. No memory moves.

use kernels::{Element, Error};

use super::{Backward, Forward, Layer, Pass, volume};

#[derive(Debug)]
pub(crate) struct Flatten {
    output: [usize; 1],
}

impl Flatten {
    pub(crate) fn new(input: &[usize]) -> Self {
        Self { output: [volume(input)] }
    }
}

impl<T: Element> Layer<T> for Flatten {
    fn output(&self) -> &[usize] {
        &self.output
    }

    fn only_reshapes(&self) -> bool {
        true
    }

    /// y = x, which already stands where y does.
    fn forward(&self, _: &Pass, _: Forward<'_, T>) -> Result<(), Error> {
        Ok(())
    }

    /// y = x, so dJ/dx = delta, in the same place.
    fn backward(&self, _: &Pass, _: Backward<'_, T>) -> Result<(), Error> {
        Ok(())
    }
}
