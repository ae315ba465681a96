//! Fashion-MNIST as it stands in memory while a network trains: bytes, which a step makes values of.

use std::ops::Range;
use std::sync::Arc;

use experiments::data::{Features, embedded, idx};
use kernels::Level;
use kernels::lookup::Lookup;

use crate::PIXELS;

/// Images with their classes.
#[derive(Clone, Debug)]
pub struct Images {
    /// [samples, 784].
    pub pixels: Vec<u8>,
    /// The class of each sample.
    pub labels: Vec<u8>,
}

impl Images {
    /// As many as are wanted: the five thousand that this project carries, repeated.
    ///
    /// # Panics
    /// If the embedded files are damaged.
    pub fn fashion(samples: usize) -> Self {
        Self {
            pixels: repeated(&bytes(&embedded::FASHION_TRAIN_IMAGES), samples * PIXELS),
            labels: repeated(&bytes(&embedded::FASHION_TRAIN_LABELS), samples),
        }
    }
}

/// What a pixel stands for, 0 to 1: its product with 1/255 in f32, as in every worker of `just bench-train`.
///
/// # Panics
/// Never: an image has pixels.
pub fn values() -> Lookup<f32> {
    // Exact in f64, and then rounded once.
    let value = |_, pixel| f64::from(pixel) * f64::from(1.0_f32 / 255.0);
    Lookup::new(PIXELS, 1, value).expect("an image has pixels")
}

/// Writes some `samples` of a batch of the images `rows`, and prefetches the same samples of the `next` batch, as far
/// as it goes: what [`models::network::Network::train_step_from`] needs of its caller.
pub fn gather(
    (level, values): (Level, &Lookup<f32>),
    pixels: &[u8],
    [rows, next]: [&[u32]; 2],
    samples: Range<usize>,
    x: &mut [f32],
) {
    values.gather(level, pixels, &|i| rows[samples.start + i] as usize, x);
    let next = next.iter().skip(samples.start).take(samples.len());
    values.prefetch(level, pixels, &mut next.map(|&row| row as usize));
}

fn bytes(file: &embedded::File) -> Arc<Vec<u8>> {
    let content = idx::decompress(file.name, file.bytes).expect("an embedded file");
    match idx::parse(file.name, content).expect("an embedded file").values {
        Features::U8(values) => values,
        _ => panic!("{}: not bytes", file.name),
    }
}

fn repeated(values: &[u8], length: usize) -> Vec<u8> {
    values.iter().copied().cycle().take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_have_the_bits_of_a_product_in_f32() {
        let pixels: Vec<u8> = (0..=255).cycle().take(PIXELS).collect();
        let mut x = vec![0.0; PIXELS];
        values().gather(Level::best(), &pixels, &|row| row, &mut x);
        assert!(x.iter().zip(&pixels).all(|(&x, &pixel)| x == f32::from(pixel) * (1.0 / 255.0)));
    }
}
