//! The kernels against the contract's plain loops, by bits, at every level. One program, which is linked once.

mod activation;
mod common;
mod conv;
mod conv_course;
mod environment;
mod gemm;
mod lookup;
mod math;
mod parity;
mod planted;
mod pool;
mod reduce;
mod samples;
mod simd;
mod softmax;
mod tuning;
