//! Every choice that follows the machine, in one table. None of them touches a bit (N12).

/// Sizes and limits that a call is tuned by: [`Exec`](crate::Exec) carries them, and a test may set any.
///
/// The values of [`Tuning::DEFAULT`] were measured on Zen 4 and Zen 5, with 1 MiB of L2 and an L1 of 32 or 48 KiB in 8
/// or 12 ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// A matrix product: floating-point operations that are worth a thread.
    pub gemm_flops: usize,
    /// A matrix product: parts for each thread. More of them even out what other programs take, but pack more.
    pub gemm_parts_per_thread: usize,
    /// A convolution: floating-point operations that are worth a thread.
    pub conv_flops: usize,
    /// A pooling: values that are worth a thread.
    pub pool_values: usize,
    /// A training step: floating-point operations that are worth a thread, about five microseconds at the peak.
    pub step_flops: usize,
    /// A training step on fewer samples than this stays on one thread, because the parameters that change hands cost
    /// more than the second thread brings,
    pub serial_samples: usize,
    /// unless it takes as many floating-point operations as this.
    pub serial_flops: usize,
}

impl Tuning {
    /// The values that [`Exec`](crate::Exec) starts with.
    pub const DEFAULT: Self = Self {
        gemm_flops: 1 << 18,
        gemm_parts_per_thread: 2,
        conv_flops: 1 << 19,
        pool_values: 1 << 15,
        step_flops: 1 << 19,
        serial_samples: 8,
        serial_flops: 1 << 25,
    };
}
