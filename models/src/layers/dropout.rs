//! Dropout: in training each value is dropped with probability `rate`, the others are scaled by
//! 1 / (1 - rate); in evaluation nothing happens. Srivastava et al. 2014; the inverted form.
//!
//! Each sample has a stream of its own, keyed by (layer, epoch, position in the shuffled epoch)
//! (N16), so that the mask depends neither on the batch size nor on the threads. A value is dropped
//! if its 32-bit word is below `rate * 2^32`.

use kernels::{Element, Error, Level, vectorized};

use super::{Layer, LayerBackward, LayerForward, Pass, PerSample, Properties, volume};
use crate::rng::{Purpose, Stream};

const TWO_POW_32: f64 = 4_294_967_296.0;

#[derive(Debug)]
pub(crate) struct Dropout {
    /// The layer's index, part of the stream's key.
    layer: u32,
    /// Words below it are dropped.
    threshold: u64,
    /// 1 / (1 - rate)
    scale: f64,
    /// Values of a sample.
    values: usize,
}

impl Dropout {
    pub(crate) fn layer<T: Element>(input: &[usize], rate: f64, index: usize) -> Result<Layer<T>, String> {
        if !(0.0..1.0).contains(&rate) {
            return Err(format!("needs a rate of at least 0 and below 1, not {rate:?}"));
        }
        let layer = u32::try_from(index).map_err(|_| "cannot be numbered above 2^32".to_owned())?;
        let (threshold, scale, values) = ((rate * TWO_POW_32) as u64, 1.0 / (1.0 - rate), volume(input));
        let properties = Properties { output: input.to_vec(), kept: values, ..Properties::default() };
        Ok(Layer::per_sample(Self { layer, threshold, scale, values }, properties))
    }
}

impl<T: Element> PerSample<T> for Dropout {
    /// y = kept ? x / (1 - rate) : 0, both [batch, ...]; the mask of a sample is 1 where a value is kept.
    fn forward(&self, pass: &Pass, f: LayerForward<'_, T>) -> Result<(), Error> {
        match pass.training {
            None => f.y.copy_from_slice(f.x),
            Some(at) => {
                for (position, kept) in (at.first..).zip(f.kept.chunks_exact_mut(self.values)) {
                    let mut stream =
                        Stream::for_sample(Purpose::Dropout, at.seed, self.layer, at.epoch, position);
                    for kept in kept {
                        *kept = u16::from(u64::from(stream.next_u32()) >= self.threshold);
                    }
                }
                select(pass.exec.level, f.kept, T::from_f64(self.scale), f.x, f.y);
            }
        }
        Ok(())
    }

    /// y is linear in x, so dJ/dx = kept ? delta / (1 - rate) : 0.
    fn backward(&self, pass: &Pass, b: LayerBackward<'_, T>) -> Result<(), Error> {
        select(pass.exec.level, b.kept, T::from_f64(self.scale), b.grad_y, b.grad_x);
        Ok(())
    }
}

/// out = kept ? scale * value : +0.0
fn select<T: Element>(level: Level, kept: &[u16], scale: T, values: &[T], out: &mut [T]) {
    vectorized!(level, {
        for ((out, &value), &kept) in out.iter_mut().zip(values).zip(kept) {
            *out = if kept == 1 { scale * value } else { T::ZERO };
        }
    });
}
