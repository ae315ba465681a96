//! Compute kernels with one definition of every bit.
//!
//! Each operation here is defined by the numeric contract (`docs/numeric-contract.md`) and
//! written down as plain loops in [`reference`](mod@reference); the fast bodies must return the same bits at
//! every [`Level`], for any number of threads and any block size. Tests compare them bit by bit.
//!
//! Where to look:
//!
//! | module | holds |
//! |---|---|
//! | [`gemm`] | C = A B over strided matrices, cache-blocked and packed; the heart is `gemm/microkernel.rs` |
//! | [`conv`] | 1-D and 2-D convolution, directly or through im2col, and its gradients |
//! | [`pool`] | max, average and global pooling |
//! | [`activation`], [`softmax`] | the course's activation functions and the softmax loss |
//! | [`math`] | exp, ln, tanh, sigmoid: correctly rounded in f32 |
//! | [`reduce`] | sums, means, norms over 32 virtual lanes; argmax |
//! | [`lookup`] | stored bytes to values, row by row |
//! | [`parallel`] | work cut into parts for threads |
//! | [`samples`] | the memory of a batch, lent to threads by ranges of samples |
//! | [`tuning`], [`machine`] | the sizes and limits that follow the machine; what it is |
//! | [`environment`] | rounding and subnormals as the contract asks for |
//! | [`peak`], [`bandwidth`] | the FMA peak and the rate of moving values of this machine, the yardsticks of every timing |
//! | [`simd`] | instruction sets: tokens that prove them, [`Level`], dispatch |
//! | [`reference`](mod@reference) | the contract as plain loops |
//! | `view.rs`, `element.rs`, `exec.rs`, `error.rs` | [`MatRef`] and [`MatMut`]; f32 and f64; how a kernel runs; what can be wrong |
//! | `window.rs`, `aligned.rs`, `compiled.rs` | windows over an axis; aligned memory; what is compiled for both types |
//!
//! A function takes an [`Exec`] first: how to run, which never changes what comes out.

// Allowed in view.rs, aligned.rs, samples.rs, most of simd/ and three files of gemm/, where each says why.
#![deny(unsafe_code)]

#[cfg(not(all(target_endian = "little", target_pointer_width = "64")))]
compile_error!("the numeric contract covers 64-bit little-endian CPUs only");

pub mod activation;
#[allow(unsafe_code)] // reads bytes as f32 or f64
mod aligned;
pub mod bandwidth;
mod compiled;
pub mod conv;
mod element;
pub mod environment;
mod error;
mod exec;
pub mod gemm;
pub mod lookup;
pub mod machine;
pub mod math;
pub mod parallel;
pub mod peak;
pub mod pool;
pub mod reduce;
pub mod reference;
#[allow(unsafe_code)] // lends rows of several blocks to a thread
pub mod samples;
pub mod simd;
pub mod softmax;
pub mod tuning;
#[allow(unsafe_code)] // splits a matrix into tiles that do not meet
mod view;
mod window;

pub use element::Element;
pub use error::Error;
pub use exec::{Exec, Threads};
pub use machine::Machine;
pub use simd::Level;
pub use tuning::Tuning;
pub use view::{MatMut, MatRef};

/// Number of the numeric contract that this crate keeps. A change of any bit raises it.
pub const CONTRACT: u32 = 1;
