//! The course's models, to be read from top to bottom beside the slides.
//!
//! | slide | module |
//! |---|---|
//! | Notations | [`observations`]: n observations of p variables, one per row |
//! | Le neurone artificiel, La règle perceptron | [`perceptron`]: threshold unit and learning rule; [`margin`]: Novikoff's bound |
//! | Adaline | [`adaline`]: eq. (1), eq. (2), three kinds of steps; [`least_squares`]: the minimum in closed form; [`eigenvalues`]: how large eta may be |
//! | Modèles multi-couches, De l'entrée à la sortie, La fonction de coût, La rétropropagation | [`backprop`]: eq. (3) to (5) and BP1 to BP4, one function each; [`gradcheck`]: are the gradients right? |
//! | the step from there to a fast network | [`mod@reference`]: training in plain loops, the same bits as [`network`] |
//! | Réseaux convolutionnels, pooling, Réseau complet | [`network`]: any list of layers (`layers/`, one file for each kind), trained in batches; [`loss`]; [`optimizer`]; [`checkpoint`] |
//!
//! What every model needs: [`rng`] (random streams), [`init`] (start weights), [`matrix`], [`chain`],
//! the order in which products are added up, and, in `error.rs`, [`Error`].
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
pub mod network;
pub mod observations;
pub mod optimizer;
pub mod perceptron;
pub mod reference;
pub mod rng;

pub use error::Error;
pub use network::NetworkElement;
