//! The contract as plain loops: the specification that every kernel is compared with, bit by bit.
//!
//! Nothing here is fast, and nothing here is shared with the kernels. Read it to know what a
//! kernel computes; read the kernel to know how it gets there sooner.

#![forbid(unsafe_code)]

pub mod conv;
pub mod gemm;
pub mod math;
pub mod pool;
pub mod reduce;
pub mod softmax;
