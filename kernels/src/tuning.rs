//! The choices that follow the machine, in one table. None of them touches a bit (N12).
//!
//! What follows from the registers of a level alone, as the tallest tile that is compiled (`gemm/strip.rs`), is beside the
//! code that it bounds.

/// Sizes and limits that a call is tuned by: [`Exec`](crate::Exec) carries them, and a test may set any. What memory is
/// planned with, before there is an `Exec`, is taken from [`Tuning::DEFAULT`] alone: those fields say so.
///
/// The values of [`Tuning::DEFAULT`] were measured on Zen 4 and Zen 5, with 1 MiB of L2 and an L1 of 32 or 48 KiB in 8
/// or 12 ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// Matrix products.
    pub gemm: Gemm,
    /// A convolution: floating-point operations that are worth a thread.
    pub conv_flops: usize,
    /// A pooling: values that are worth a thread.
    pub pool_values: usize,
    /// A training step: floating-point operations that are worth a thread, about five microseconds at the peak.
    pub step_flops: usize,
    /// A training step on fewer samples, and of fewer operations than [`Tuning::serial_flops`], stays on one thread: the
    /// parameters that change hands cost more than a second thread brings.
    pub serial_samples: usize,
    /// Floating-point operations of a training step that is shared out whatever its samples.
    pub serial_flops: usize,
    /// A training step: parameters whose gradient and update are computed together, so that the gradient stays in L1
    /// and what it is computed from in L2. Planned with the default.
    pub bucket_parameters: usize,
    /// A training step: the fewest rows of those parameters, because a product of fewer is slow, whatever fits a
    /// cache. Planned with the default.
    pub bucket_rows: usize,
    /// A training step: bytes of L2 for the values and gradients of the samples that go through several layers before
    /// the next samples do. Planned with the default.
    pub micro_batch_bytes: usize,
    /// A convolution through columns: values of the columns that are made at a time, 256 KiB of f32, which stay in L2
    /// beside the weights. Scratch is planned with the default, which bounds it.
    pub conv_block: usize,
    /// A convolution's weight gradient: values of chunks' gradients that a thread computes before they are added up,
    /// several chunks where they are small, so that threads meet less often. Planned with the default.
    pub conv_gradients: usize,
}

/// The sizes of a matrix product C [m, n] = A [m, k] B [k, n].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gemm {
    /// Floating-point operations that are worth a thread.
    pub flops: usize,
    /// Parts for each thread. More of them even out what other programs take, but pack more.
    pub parts_per_thread: usize,
    /// The tallest tile in rows, as far as the registers allow.
    pub tile_rows: usize,
    /// The widest tile in registers, as far as they allow.
    pub tile_registers: usize,
    /// Bytes of a register from which on one fused multiply-add starts in a cycle, not two.
    pub half_rate_bytes: usize,
    /// The longest run over k before C is stored. Every further one reads C again, but a micro-panel of B (192 bytes for each
    /// k in AVX-512) has to stay in L2.
    pub kc: usize,
    /// Bytes of a block of A, which the micro-panels of B pass by: it and one or two of them fill an L2 of 1 MiB.
    pub block_of_a_bytes: usize,
    /// Bytes of a panel of B that one block of A passes by, in L2.
    pub panel_of_b_l2_bytes: usize,
    /// Bytes of a panel of B that several blocks of A pass by, in L3.
    pub panel_of_b_l3_bytes: usize,
    /// Bytes of an A that is read in place by the two innermost loops alone: L2 holds it.
    pub small_a_bytes: usize,
    /// Bytes of a B that is read in place by the two innermost loops alone: L2 holds it.
    pub small_b_bytes: usize,
    /// Rows of B that are fewer bytes apart are read in place as fast as from a copy.
    pub close_rows_bytes: usize,
    /// Rows of A whose distance is a multiple of this meet in one set of L1.
    pub aliasing_bytes: usize,
    /// The most rows of a tile of one register whose rows of A meet in one set: it reads little else between them.
    pub aliasing_rows: usize,
    /// Bytes of a B that is multiplied by one row of A in columns, because it stays in L2.
    pub row_b_bytes: usize,
    /// Rows and columns of the part of C whose later chunks (N2, N3) are summed apart.
    pub partial_side: usize,
}

impl Gemm {
    const DEFAULT: Self = Self {
        flops: 1 << 18,
        parts_per_thread: 2,
        tile_rows: 12,
        tile_registers: 3,
        half_rate_bytes: 64,
        kc: 1024,
        block_of_a_bytes: 640 << 10,
        panel_of_b_l2_bytes: 448 << 10,
        panel_of_b_l3_bytes: 4 << 20,
        small_a_bytes: 512 << 10,
        small_b_bytes: 512 << 10,
        close_rows_bytes: 1024,
        aliasing_bytes: 4096,
        aliasing_rows: 6,
        row_b_bytes: 768 << 10,
        partial_side: 384,
    };
}

/// Values of a block that several passes go over, one after the other: they stay in L1.
pub(crate) const L1_BLOCK: usize = 512;

impl Tuning {
    /// The values that [`Exec`](crate::Exec) starts with.
    pub const DEFAULT: Self = Self {
        gemm: Gemm::DEFAULT,
        conv_flops: 1 << 19,
        pool_values: 1 << 15,
        step_flops: 1 << 19,
        serial_samples: 8,
        serial_flops: 1 << 25,
        bucket_parameters: 8192,
        bucket_rows: 16,
        micro_batch_bytes: 512 << 10,
        conv_block: 1 << 16,
        conv_gradients: 1 << 15,
    };
}
