//! Dropout: in training each value is dropped with probability `rate`, the others are scaled by
//! 1 / (1 - rate); in evaluation nothing happens. Srivastava et al. 2014; the inverted form.
//!
//! Each sample has a stream of its own, keyed by (layer, epoch, position in the shuffled epoch)
//! (N16), so that the mask depends neither on the batch size nor on the threads. A value is dropped
//! if its 32-bit word is below `rate * 2^32`.

use kernels::{Element, Error, Level};

use super::{Backward, Forward, Layer, Mode, Pass, PerSample, Position, Properties, volume};
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
        let dropout = Self::new(volume(input), rate, index)?;
        let properties = Properties { output: input.to_vec(), kept: dropout.values, ..Properties::default() };
        Ok(Layer::per_sample(dropout, properties))
    }

    fn new(values: usize, rate: f64, layer: usize) -> Result<Self, String> {
        if !(0.0..1.0).contains(&rate) {
            return Err(format!("needs a rate of at least 0 and below 1, not {rate:?}"));
        }
        let layer = u32::try_from(layer).map_err(|_| "cannot be numbered above 2^32".to_owned())?;
        Ok(Self { layer, threshold: (rate * TWO_POW_32) as u64, scale: 1.0 / (1.0 - rate), values })
    }

    /// Draws the mask of every sample, [batch, ...]: 1 where a value is kept.
    fn draw(&self, at: Position, kept: &mut [u16]) {
        let samples = kept.chunks_exact_mut(self.values);
        for (position, kept) in (at.first..).zip(samples) {
            let mut stream = Stream::for_sample(Purpose::Dropout, at.seed, self.layer, at.epoch, position);
            for kept in kept {
                *kept = u16::from(u64::from(stream.next_u32()) >= self.threshold);
            }
        }
    }
}

impl<T: Element> PerSample<T> for Dropout {
    /// y = kept ? x / (1 - rate) : 0, both [batch, ...]
    fn forward(&self, pass: &Pass, f: Forward<'_, T>) -> Result<(), Error> {
        match pass.mode {
            Mode::Evaluation => f.y.copy_from_slice(f.x),
            Mode::Training(at) => {
                self.draw(at, f.kept);
                select(pass.exec.level, f.kept, T::from_f64(self.scale), f.x, f.y);
            }
        }
        Ok(())
    }

    /// y is linear in x, so dJ/dx = kept ? delta / (1 - rate) : 0.
    fn backward(&self, pass: &Pass, b: Backward<'_, T>) -> Result<(), Error> {
        select(pass.exec.level, b.kept, T::from_f64(self.scale), b.grad_y, b.grad_x);
        Ok(())
    }
}

/// out = kept ? scale * value : +0.0
fn select<T: Element>(level: Level, kept: &[u16], scale: T, values: &[T], out: &mut [T]) {
    level.vectorize(
        #[inline(always)]
        || {
            for ((out, &value), &kept) in out.iter_mut().zip(values).zip(kept) {
                *out = if kept == 1 { scale * value } else { T::ZERO };
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks(first: u64, batch: usize) -> Vec<u16> {
        let dropout = Dropout::new(50, 0.25, 3).unwrap();
        let mut kept = vec![9; batch * 50];
        dropout.draw(Position { seed: 7, epoch: 2, first }, &mut kept);
        kept
    }

    #[test]
    fn a_mask_depends_on_the_position_and_not_on_the_batch() {
        let whole = masks(16, 8);
        assert_eq!([masks(16, 3), masks(19, 5)].concat(), whole);
        assert_ne!(whole[..50], whole[50..100]);
    }

    #[test]
    fn one_value_in_four_is_dropped() {
        let dropped: usize = (0..100).flat_map(|i| masks(8 * i, 8)).filter(|&kept| kept == 0).count();
        // Binomial with n = 40,000 and p = 1/4: mean 10,000, s.d. 87; six of them.
        assert!(dropped.abs_diff(10_000) < 520, "{dropped} of 40000");
    }

    #[test]
    fn a_rate_of_one_is_refused() {
        assert!(Dropout::new(4, 1.0, 0).unwrap_err().contains("below 1, not 1.0"));
    }
}
