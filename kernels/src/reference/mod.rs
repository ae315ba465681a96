//! The contract as plain loops: the specification that every kernel is compared with, bit by bit.
//!
//! One file for each folder or file of kernels: `conv`, `gemm`, `math`, `pool`, `reduce`, `softmax`.
//!
//! Nothing here is fast. Read it to know what a kernel computes; read the kernel to know how it gets
//! there sooner. Sums and products are written out here and shared with no kernel; these are
//! shared:
//!
//! - a convolution's and a pooling's sizes, with the map from an output and a tap to an input
//!   (`conv::shape`), and the chunks of N3, which are a function of the shape;
//! - the functions of N5: in f32 their definition is the real function, and the loss calls them. The
//!   oracle for them, in `math`, computes with twice f64's precision and takes only the first guess of
//!   a logarithm from the kernels.

#![forbid(unsafe_code)]

pub mod conv;
pub mod gemm;
pub mod math;
pub mod pool;
pub mod reduce;
pub mod softmax;
