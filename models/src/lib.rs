//! The course's models, to be read from top to bottom beside the slides.
//!
//! | slide | module |
//! |---|---|
//! | Notations | here: n observations of p variables are an n x p matrix, row-major, one row per observation |
//! | Le neurone artificiel, La règle perceptron | [`perceptron`]: threshold unit, learning rule, Novikoff's bound ([`margin`]) |
//! | Adaline | [`adaline`]: eq. (1), eq. (2), three kinds of steps; [`least_squares`]: the minimum in closed form |
//! | De l'entrée à la sortie, La fonction de coût, La rétropropagation | [`backprop`]: eq. (3) to (5) and BP1 to BP4, one function each; [`gradcheck`]: are the gradients right? |
//! | Réseaux convolutionnels, pooling, Réseau complet | [`network`]: any list of layers, trained in batches; [`loss`]; [`optimizer`] |
//!
//! What every model needs: [`rng`] (random streams), [`init`] (start weights), [`metrics`]
//! (accuracy, confusion, mean and spread).
//!
//! Results are exact: the same inputs give the same bits on every machine. For that, every sum has
//! a written order and every elementary function comes from [`kernels`]; the rules are in
//! `docs/numeric-contract.md` and are cited as N1 to N16.

#![forbid(unsafe_code)]

pub mod adaline;
pub mod backprop;
pub mod chain;
pub mod checkpoint;
pub mod eigenvalues;
mod error;
pub mod gradcheck;
pub mod init;
mod layers;
pub mod least_squares;
pub mod loss;
pub mod margin;
pub mod matrix;
pub mod metrics;
pub mod network;
pub mod observations;
pub mod optimizer;
pub mod perceptron;
pub mod rng;

pub use error::Error;
