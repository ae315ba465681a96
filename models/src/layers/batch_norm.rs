//! Batch normalisation: y = gamma x_hat + beta with x_hat = (x - mean) / sqrt(variance + eps), per
//! channel over the batch and, where there are planes, over the plane. Ioffe and Szegedy 2015.
//!
//! In training the mean and the biased variance are the batch's, and running values of the mean and
//! the unbiased variance are kept, as `(1 - momentum) old + momentum new` with momentum 0.1;
//! evaluation uses those. Sums: per sample and channel over 32 lanes (N4), samples chained (N16).

use kernels::{Element, Error, Exec, Level, reduce};

use super::{Backward, Forward, Layer, Mode, Pass, Role, TensorPlan, WholeBatch, volume};

const MOMENTUM: f64 = 0.1;
const EPSILON: f64 = 1e-5;

#[derive(Debug)]
pub(crate) struct BatchNorm<T> {
    channels: usize,
    /// Positions of one channel in one sample: 1 for a flat input.
    area: usize,
    output: Vec<usize>,
    /// x_hat of the last pass, [batch, channels, area].
    normalised: Vec<T>,
    /// Per channel, of the last pass.
    mean: Vec<T>,
    /// Per channel, of the last pass: 1 / sqrt(variance + eps).
    inverse_sd: Vec<T>,
    sums: Vec<T>,
    /// Per channel: what the elementwise loop at work needs.
    constants: Vec<[T; 4]>,
}

impl<T: Element> BatchNorm<T> {
    pub(crate) fn new(input: &[usize], max_batch: usize) -> Result<Self, String> {
        let [channels, ref plane @ ..] = *input else {
            return Err("expects an input with channels".to_owned());
        };
        Ok(Self {
            channels,
            area: volume(plane),
            output: input.to_vec(),
            normalised: vec![T::ZERO; max_batch * volume(input)],
            mean: vec![T::ZERO; channels],
            inverse_sd: vec![T::ZERO; channels],
            sums: vec![T::ZERO; channels],
            constants: vec![[T::ZERO; 4]; channels],
        })
    }

    /// Takes the mean and the variance of the batch, and moves the running values towards them.
    fn measure(&mut self, pass: &Pass, x: &[T], statistics: &mut [T]) -> Result<(), Error> {
        let count = pass.batch * self.area;
        if count < 2 {
            return Err(Error::Shape {
                operation: "batch-norm",
                expected: "at least 2 values per channel in a training batch".to_owned(),
                got: "1; choose a batch size that leaves no last batch of 1".to_owned(),
            });
        }
        let (n, n_minus_1) = (T::from_f64(count as f64), T::from_f64((count - 1) as f64));
        let (momentum, keep) = (T::from_f64(MOMENTUM), T::from_f64(1.0 - MOMENTUM));
        let (running_mean, running_variance) = statistics.split_at_mut(self.channels);

        sum_channels(pass.exec, self.area, x, &mut self.sums);
        for (c, running) in running_mean.iter_mut().enumerate() {
            self.mean[c] = self.sums[c] / n;
            self.constants[c] = [self.mean[c], T::ZERO, T::ZERO, T::ZERO];
            *running = keep * *running + momentum * self.mean[c];
        }
        let centred = &mut self.normalised[..x.len()];
        let constants = &self.constants;
        for_channels(pass.exec.level, self.area, constants, (x, x), centred, |[mean, ..], x, _| x - mean);
        sum_squares(pass.exec, self.area, centred, &mut self.sums);
        for (c, running) in running_variance.iter_mut().enumerate() {
            self.inverse_sd[c] = T::ONE / (self.sums[c] / n + T::from_f64(EPSILON)).sqrt();
            *running = keep * *running + momentum * (self.sums[c] / n_minus_1);
        }
        Ok(())
    }

    /// Takes the running values.
    fn recall(&mut self, statistics: &[T]) {
        let (running_mean, running_variance) = statistics.split_at(self.channels);
        self.mean.copy_from_slice(running_mean);
        for (inverse_sd, &variance) in self.inverse_sd.iter_mut().zip(running_variance) {
            *inverse_sd = T::ONE / (variance + T::from_f64(EPSILON)).sqrt();
        }
    }
}

impl<T: Element> Layer<T> for BatchNorm<T> {
    fn output(&self) -> &[usize] {
        &self.output
    }

    fn parameters(&self) -> Vec<TensorPlan<Role>> {
        let shape = [self.channels];
        vec![TensorPlan::new("weight", &shape, Role::Scale), TensorPlan::new("bias", &shape, Role::Shift)]
    }

    fn statistics(&self) -> Vec<TensorPlan<T>> {
        let shape = [self.channels];
        vec![TensorPlan::new("running_mean", &shape, T::ZERO), TensorPlan::new("running_var", &shape, T::ONE)]
    }

    fn scratch(&self, batch: usize) -> usize {
        batch * self.channels * self.area
    }

    /// x_hat, which takes the place of x.
    fn recalled(&self) -> usize {
        self.channels * self.area
    }

    fn needs_whole_batch(&self) -> bool {
        true
    }

    fn whole_batch(&mut self) -> Option<&mut dyn WholeBatch<T>> {
        Some(self)
    }

    fn forward(&self, _: &Pass, _: Forward<'_, T>) -> Result<(), Error> {
        unreachable!("batch normalisation gets the whole batch")
    }

    fn backward(&self, _: &Pass, _: Backward<'_, T>) -> Result<(), Error> {
        unreachable!("batch normalisation gets the whole batch")
    }
}

impl<T: Element> WholeBatch<T> for BatchNorm<T> {
    /// x_hat = (x - mean) * inverse_sd; y = fma(gamma, x_hat, beta); all [batch, channels, ...]
    fn forward(&mut self, pass: &Pass, f: Forward<'_, T>, statistics: &mut [T]) -> Result<(), Error> {
        match pass.mode {
            Mode::Training(_) => self.measure(pass, f.x, statistics)?,
            Mode::Evaluation => self.recall(statistics),
        }
        let (gamma, beta) = f.parameters.split_at(self.channels);
        for (c, k) in self.constants.iter_mut().enumerate() {
            *k = [self.mean[c], self.inverse_sd[c], gamma[c], beta[c]];
        }
        let (level, constants) = (pass.exec.level, &self.constants);
        let x_hat = &mut self.normalised[..f.x.len()];
        for_channels(level, self.area, constants, (f.x, f.x), x_hat, |[mean, inverse_sd, ..], x, _| {
            (x - mean) * inverse_sd
        });
        for_channels(level, self.area, constants, (x_hat, x_hat), f.y, |[.., gamma, beta], x_hat, _| {
            gamma.mul_add(x_hat, beta)
        });
        Ok(())
    }

    /// y = gamma x_hat + beta, so dJ/dgamma = sum delta x_hat, dJ/dbeta = sum delta, and through the
    /// mean and the variance dJ/dx = gamma inverse_sd (delta - mean(delta) - x_hat mean(delta x_hat)).
    fn backward(&mut self, pass: &Pass, b: Backward<'_, T>, gradient: &mut [T]) -> Result<(), Error> {
        let (level, area, x_hat) = (pass.exec.level, self.area, &self.normalised[..b.x.len()]);
        let (grad_gamma, grad_beta) = gradient.split_at_mut(self.channels);
        let products = &mut b.scratch[..b.x.len()];
        for_channels(level, area, &self.constants, (b.grad_y, x_hat), products, |_, delta, x_hat| {
            delta * x_hat
        });
        sum_channels(pass.exec, area, products, grad_gamma);
        sum_channels(pass.exec, area, b.grad_y, grad_beta);
        let Some(grad_x) = b.grad_x else { return Ok(()) };

        let n = T::from_f64((pass.batch * area) as f64);
        for (c, k) in self.constants.iter_mut().enumerate() {
            let slope = b.parameters[c] * self.inverse_sd[c];
            *k = [slope, grad_beta[c] / n, grad_gamma[c] / n, T::ZERO];
        }
        let constants = &self.constants;
        for_channels(level, area, constants, (b.grad_y, x_hat), grad_x, |k, delta, x_hat| {
            let [slope, mean_delta, mean_product, _] = k;
            slope * (-x_hat).mul_add(mean_product, delta - mean_delta)
        });
        Ok(())
    }
}

/// out = f(constants of the channel, a, b) for every element of [batch, channels, area].
#[inline(always)]
fn for_channels<T: Element>(
    level: Level,
    area: usize,
    constants: &[[T; 4]],
    (a, b): (&[T], &[T]),
    out: &mut [T],
    f: impl Fn([T; 4], T, T) -> T,
) {
    level.vectorize(
        #[inline(always)]
        || {
            let planes = a.chunks_exact(area).zip(b.chunks_exact(area)).zip(out.chunks_exact_mut(area));
            for (((a, b), out), &k) in planes.zip(constants.iter().cycle()) {
                for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                    *out = f(k, a, b);
                }
            }
        },
    );
}

/// Per channel of [batch, channels, area]: N4 over the plane, samples chained.
fn sum_channels<T: Element>(exec: Exec, area: usize, values: &[T], sums: &mut [T]) {
    match area {
        1 => chain_columns(exec.level, values, sums, |value| value),
        _ => chain_planes(area, values, sums, |plane| reduce::sum(exec, plane)),
    }
}

/// As [`sum_channels`], of the squares.
fn sum_squares<T: Element>(exec: Exec, area: usize, values: &[T], sums: &mut [T]) {
    match area {
        1 => chain_columns(exec.level, values, sums, |value| value * value),
        _ => chain_planes(area, values, sums, |plane| reduce::sum_of_squares(exec, plane)),
    }
}

fn chain_planes<T: Element>(area: usize, values: &[T], sums: &mut [T], f: impl Fn(&[T]) -> T) {
    sums.fill(T::ZERO);
    for sample in values.chunks_exact(sums.len() * area) {
        for (sum, plane) in sums.iter_mut().zip(sample.chunks_exact(area)) {
            *sum += f(plane);
        }
    }
}

/// A plane of one value is its own N4 sum.
#[inline(always)]
fn chain_columns<T: Element>(level: Level, values: &[T], sums: &mut [T], f: impl Fn(T) -> T) {
    level.vectorize(
        #[inline(always)]
        || {
            sums.fill(T::ZERO);
            for sample in values.chunks_exact(sums.len()) {
                for (sum, &value) in sums.iter_mut().zip(sample) {
                    *sum += f(value);
                }
            }
        },
    );
}
