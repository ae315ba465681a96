//! The models beside the slides, the books and other programs. One program, which is linked once.

mod adaline;
mod backprop;
mod chain;
mod checkpoint;
#[path = "../../../kernels/tests/kernels/common/mod.rs"]
mod common;
mod dropout;
mod examples;
mod gradcheck;
mod init;
mod iris;
mod loss;
mod nets;
mod network_allocation;
mod network_bits;
mod network_gradients;
mod network_learning;
mod network_profile;
mod network_shapes;
mod network_without_parameters;
mod optimizer;
mod perceptron;
mod reference;
mod rng;
