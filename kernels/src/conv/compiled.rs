//! The element types whose convolutions are compiled in this crate.

use super::{BackwardInput, ChunkGradients, Conv2d, Forward, backward_input, chunk_gradients, forward};
use crate::{Error, Exec};

/// Element types whose convolutions are compiled in this crate: once, and not again in every crate that
/// convolves. There is a tile of code for every width, depth and level.
pub trait Compiled: Sized {
    /// The body of [`forward`](super::forward()).
    fn forward(exec: Exec, conv: &Conv2d, operands: Forward<'_, Self>) -> Result<(), Error>;
    /// The body of [`backward_input`](super::backward_input()).
    fn backward_input(exec: Exec, conv: &Conv2d, operands: BackwardInput<'_, Self>) -> Result<(), Error>;
    /// The body of [`chunk_gradients`](super::chunk_gradients()), on so many workers.
    fn chunk_gradients(
        workers: (usize, Exec),
        conv: &Conv2d,
        operands: ChunkGradients<'_, Self>,
    ) -> Result<(), Error>;
}

macro_rules! compiled {
    ($($t:ident)*) => {
        $(impl Compiled for $t {
            fn forward(exec: Exec, conv: &Conv2d, operands: Forward<'_, Self>) -> Result<(), Error> {
                forward::compute(exec, conv, operands)
            }

            fn backward_input(
                exec: Exec,
                conv: &Conv2d,
                operands: BackwardInput<'_, Self>,
            ) -> Result<(), Error> {
                backward_input::compute(exec, conv, operands)
            }

            fn chunk_gradients(
                workers: (usize, Exec),
                conv: &Conv2d,
                operands: ChunkGradients<'_, Self>,
            ) -> Result<(), Error> {
                chunk_gradients::compute(workers, conv, operands)
            }
        })*
    };
}

compiled!(f32 f64);
