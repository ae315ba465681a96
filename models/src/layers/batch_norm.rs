//! Batch normalisation: y = gamma x_hat + beta with x_hat = (x - mean) / sqrt(variance + eps), per
//! channel over the batch and, where there are planes, over the plane. Ioffe and Szegedy 2015.
//!
//! In training the mean and the biased variance are the batch's, and running values of the mean and
//! the unbiased variance are kept, as `(1 - momentum) old + momentum new` with momentum 0.1;
//! evaluation uses those. Sums: per sample and channel over 32 lanes (N4), samples chained (N16).

use kernels::{Element, Error, Exec, Level, reduce, vectorized};

use super::{Initial, Kind, Layer, LayerBackward, LayerForward, Pass, Properties, TensorPlan, volume};
use crate::error::misfit;

const MOMENTUM: f64 = 0.1;
const EPSILON: f64 = 1e-5;

#[derive(Debug)]
pub(crate) struct BatchNorm<T> {
    channels: usize,
    /// Positions of one channel in one sample: 1 for a flat input.
    area: usize,
    /// x_hat of the last pass, [batch, channels, area].
    normalised: Vec<T>,
    sums: Vec<T>,
    /// Per channel, of the last pass.
    affine: Vec<Affine<T>>,
    slopes: Vec<Slope<T>>,
}

/// y = gamma (x - mean) `inverse_sd` + beta
#[derive(Clone, Copy, Debug)]
struct Affine<T> {
    mean: T,
    /// 1 / sqrt(variance + eps)
    inverse_sd: T,
    gamma: T,
    beta: T,
}

/// dJ/dx = slope (delta - `mean_delta` - x_hat `mean_product`)
#[derive(Clone, Copy, Debug)]
struct Slope<T> {
    /// gamma / sqrt(variance + eps)
    slope: T,
    /// mean(delta) and mean(delta x_hat)
    mean_delta: T,
    mean_product: T,
}

impl<T: Element> BatchNorm<T> {
    pub(crate) fn layer(input: &[usize], max_batch: usize) -> Result<Layer<T>, String> {
        let [channels, ref plane @ ..] = *input else {
            return Err("expects an input with channels".to_owned());
        };
        let learning = |name, value| TensorPlan::new(name, &[channels], Initial::Constant(value));
        let measured = |name, value| TensorPlan { learns: false, ..learning(name, value) };
        let properties = Properties {
            output: input.to_vec(),
            tensors: vec![
                learning("weight", 1.0),
                learning("bias", 0.0),
                measured("running_mean", 0.0),
                measured("running_var", 1.0),
            ],
            scratch_per_sample: volume(input),
            // x_hat, which takes the place of x.
            read_for_grad_x: volume(input),
            ..Properties::default()
        };
        let zero = T::ZERO;
        let layer = Self {
            channels,
            area: volume(plane),
            normalised: vec![zero; max_batch * volume(input)],
            sums: vec![zero; channels],
            affine: vec![Affine { mean: zero, inverse_sd: zero, gamma: zero, beta: zero }; channels],
            slopes: vec![Slope { slope: zero, mean_delta: zero, mean_product: zero }; channels],
        };
        Ok(Layer { properties, kind: Kind::WholeBatch(layer) })
    }

    /// Takes the mean and the variance of the batch, and moves the running values towards them.
    fn measure(&mut self, pass: &Pass, x: &[T], statistics: &mut [T]) -> Result<(), Error> {
        let count = pass.batch * self.area;
        if count < 2 {
            let expected = "at least 2 values per channel in a training batch";
            let got = "1; choose a batch size that leaves no last batch of 1";
            return Err(misfit("batch-norm", expected, got));
        }
        let (n, n_minus_1) = (T::from_f64(count as f64), T::from_f64((count - 1) as f64));
        let (momentum, keep) = (T::from_f64(MOMENTUM), T::from_f64(1.0 - MOMENTUM));
        let (running_mean, running_variance) = statistics.split_at_mut(self.channels);

        sum_channels(pass.exec, self.area, x, false, &mut self.sums);
        for (c, running) in running_mean.iter_mut().enumerate() {
            self.affine[c].mean = self.sums[c] / n;
            *running = keep * *running + momentum * self.affine[c].mean;
        }
        let centred = &mut self.normalised[..x.len()];
        let channels = Channels { level: pass.exec.level, area: self.area, constants: &self.affine };
        channels.map(x, x, centred, |k, x, _| x - k.mean);
        sum_channels(pass.exec, self.area, centred, true, &mut self.sums);
        for (c, running) in running_variance.iter_mut().enumerate() {
            self.affine[c].inverse_sd = T::ONE / (self.sums[c] / n + T::from_f64(EPSILON)).sqrt();
            *running = keep * *running + momentum * (self.sums[c] / n_minus_1);
        }
        Ok(())
    }

    /// Takes the running values.
    fn recall(&mut self, statistics: &[T]) {
        let (running_mean, running_variance) = statistics.split_at(self.channels);
        for (k, (&mean, &variance)) in self.affine.iter_mut().zip(running_mean.iter().zip(running_variance)) {
            (k.mean, k.inverse_sd) = (mean, T::ONE / (variance + T::from_f64(EPSILON)).sqrt());
        }
    }

    /// x_hat = (x - mean) * inverse_sd; y = fma(gamma, x_hat, beta); all [batch, channels, ...]
    pub(crate) fn forward(
        &mut self,
        pass: &Pass,
        f: LayerForward<'_, T>,
        statistics: &mut [T],
    ) -> Result<(), Error> {
        match pass.training {
            Some(_) => self.measure(pass, f.x, statistics)?,
            None => self.recall(statistics),
        }
        let (gamma, beta) = f.parameters.split_at(self.channels);
        for (c, k) in self.affine.iter_mut().enumerate() {
            (k.gamma, k.beta) = (gamma[c], beta[c]);
        }
        let channels = Channels { level: pass.exec.level, area: self.area, constants: &self.affine };
        let x_hat = &mut self.normalised[..f.x.len()];
        channels.map(f.x, f.x, x_hat, |k, x, _| (x - k.mean) * k.inverse_sd);
        channels.map(x_hat, x_hat, f.y, |k, x_hat, _| k.gamma.mul_add(x_hat, k.beta));
        Ok(())
    }

    /// y = gamma x_hat + beta, so dJ/dgamma = sum delta x_hat and dJ/dbeta = sum delta.
    /// Through the mean and the variance dJ/dx = gamma inverse_sd (delta - mean(delta) - x_hat mean(delta x_hat)),
    /// unless that has no elements: no layer below learns then.
    pub(crate) fn backward(&mut self, pass: &Pass, b: LayerBackward<'_, T>, gradient: &mut [T]) {
        let (grad_gamma, grad_beta) = gradient.split_at_mut(self.channels);
        let (x_hat, products) = (&self.normalised[..b.grad_y.len()], &mut b.scratch[..b.grad_y.len()]);
        let channels = Channels { level: pass.exec.level, area: self.area, constants: &self.affine };
        channels.map(b.grad_y, x_hat, products, |_, delta, x_hat| delta * x_hat);
        sum_channels(pass.exec, self.area, products, false, grad_gamma);
        sum_channels(pass.exec, self.area, b.grad_y, false, grad_beta);

        let n = T::from_f64((pass.batch * self.area) as f64);
        for (c, k) in self.slopes.iter_mut().enumerate() {
            let slope = b.parameters[c] * self.affine[c].inverse_sd;
            *k = Slope { slope, mean_delta: grad_beta[c] / n, mean_product: grad_gamma[c] / n };
        }
        let channels = Channels { level: pass.exec.level, area: self.area, constants: &self.slopes };
        channels.map(b.grad_y, x_hat, b.grad_x, |k, delta, x_hat| {
            k.slope * (-x_hat).mul_add(k.mean_product, delta - k.mean_delta)
        });
    }
}

/// Values [batch, channels, area], with the constants of each channel.
struct Channels<'a, C> {
    level: Level,
    area: usize,
    constants: &'a [C],
}

impl<C: Copy> Channels<'_, C> {
    /// out = f(constants of the channel, a, b) for every element.
    #[inline(always)]
    fn map<T: Element>(&self, a: &[T], b: &[T], out: &mut [T], f: impl Fn(C, T, T) -> T) {
        let (area, constants) = (self.area, self.constants);
        vectorized!(self.level, {
            let planes = a.chunks_exact(area).zip(b.chunks_exact(area)).zip(out.chunks_exact_mut(area));
            for (((a, b), out), &k) in planes.zip(constants.iter().cycle()) {
                for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                    *out = f(k, a, b);
                }
            }
        });
    }
}

/// Per channel of [batch, channels, area] the sum of the values or their squares: N4 over the plane, samples chained.
fn sum_channels<T: Element>(exec: Exec, area: usize, values: &[T], squares: bool, sums: &mut [T]) {
    sums.fill(T::ZERO);
    if area == 1 {
        // A plane of one value is its own sum.
        return vectorized!(exec.level, {
            for sample in values.chunks_exact(sums.len()) {
                for (sum, &value) in sums.iter_mut().zip(sample) {
                    *sum += if squares { value * value } else { value };
                }
            }
        });
    }
    let of_plane = if squares { reduce::sum_of_squares } else { reduce::sum };
    for sample in values.chunks_exact(sums.len() * area) {
        for (sum, plane) in sums.iter_mut().zip(sample.chunks_exact(area)) {
            *sum += of_plane(exec, plane);
        }
    }
}
