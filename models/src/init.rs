//! Start values of weights and biases.
//!
//! Why not zeros: units of a layer that start equal receive equal gradients and stay equal for
//! ever. Why not any random numbers: z = sum of fan_in terms has a variance fan_in times that of
//! one term, so weights of a fixed size drive the units of wide layers into saturation. Each rule
//! below picks the spread of the weights from the layer's fan-in and fan-out, the number of
//! connections that enter a unit and that leave one.

use kernels::Element;

use crate::rng::Stream;

/// A rule for the start values of a layer: of its weights, by the sd of a normal or the radius r of a uniform
/// distribution, and of its biases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// All weights and biases 0: the perceptron's usual start.
    Zeros,
    /// Weights N(0, sd^2), biases 0.
    Normal {
        /// Standard deviation of the weights.
        sd: f64,
    },
    /// Weights U(-r, r) with r = sqrt(6 / (fan_in + fan_out)), of variance 2 / (fan_in + fan_out), biases 0: keeps the
    /// variance of activations and gradients through tanh layers (Glorot and Bengio 2010, eq. 16).
    XavierUniform,
    /// Weights N(0, 2 / (fan_in + fan_out)), biases 0: the same variance.
    XavierNormal,
    /// Weights U(-r, r) with r = sqrt(6 / fan_in), biases 0: the variance of `HeNormal`.
    HeUniform,
    /// Weights N(0, 2 / fan_in), biases 0: makes up for the half of the units that ReLU silences (He et al. 2015,
    /// eq. 10).
    HeNormal,
    /// Weights and biases N(0, 1): saturates the units of wide layers, which is what `Nielsen` mends (Nielsen, ch. 1,
    /// and ch. 3 before "Weight initialization").
    StandardNormal,
    /// Weights N(0, 1 / fan_in), biases N(0, 1) (Nielsen, ch. 3, "Weight initialization").
    Nielsen,
}

impl Init {
    /// The standard deviation of normal weights, or the radius of uniform ones.
    fn spread(self, fan_in: usize, fan_out: usize) -> f64 {
        let (fan_in, fan_both) = (fan_in as f64, (fan_in + fan_out) as f64);
        match self {
            Self::Zeros => 0.0,
            Self::Normal { sd } => sd,
            Self::StandardNormal => 1.0,
            Self::XavierUniform => (6.0 / fan_both).sqrt(),
            Self::XavierNormal => (2.0 / fan_both).sqrt(),
            Self::HeUniform => (6.0 / fan_in).sqrt(),
            Self::HeNormal => (2.0 / fan_in).sqrt(),
            Self::Nielsen => (1.0 / fan_in).sqrt(),
        }
    }

    /// Fills `weights` with start values for units with `fan_in` inputs and `fan_out` outputs.
    ///
    /// The values are drawn in the order of the slice, computed in f64 and rounded once to `T`:
    /// sd times a normal, or radius times (2 u - 1) for a uniform u. `Zeros` draws nothing.
    ///
    /// ```
    /// use models::init::Init;
    /// use models::rng::{Purpose, Stream};
    /// let mut w = [0.0_f32; 100];
    /// // fan-in 3, fan-out 3: r = sqrt(6 / 6) = 1.
    /// Init::XavierUniform.fill_weights(&mut Stream::new(Purpose::Init, 1, 0), 3, 3, &mut w);
    /// assert!(w.iter().all(|w| w.abs() <= 1.0) && w.iter().any(|w| w.abs() > 0.9));
    /// ```
    pub fn fill_weights<T: Element>(
        self,
        stream: &mut Stream,
        fan_in: usize,
        fan_out: usize,
        weights: &mut [T],
    ) {
        let spread = self.spread(fan_in, fan_out);
        for w in weights {
            *w = T::from_f64(match self {
                Self::Zeros => 0.0,
                Self::XavierUniform | Self::HeUniform => spread * (2.0 * stream.uniform() - 1.0),
                _ => spread * stream.normal(),
            });
        }
    }

    /// Fills `biases` with start values: standard normals for `StandardNormal` and `Nielsen`, else 0
    /// and nothing drawn.
    pub fn fill_biases<T: Element>(self, stream: &mut Stream, biases: &mut [T]) {
        let random = matches!(self, Self::StandardNormal | Self::Nielsen);
        for b in biases {
            *b = if random { T::from_f64(stream.normal()) } else { T::ZERO };
        }
    }
}
