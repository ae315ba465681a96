//! The element types whose networks are compiled in this crate.

use kernels::{Error, Exec};

use super::{Evaluation, Examples, LayerSpec, Network, Observe, Outline, Position, ProfiledStep, ShapeError};
use crate::loss::{Loss, Targets};
use crate::optimizer::Optimizer;

/// Stamps a trait whose functions are compiled here for f32 and f64, each from the generic body behind its `=`.
macro_rules! compiled {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty = $body:path;)*) => {
        /// The bodies of [`Network`]'s functions. They hold the code of every layer, which a crate that trains a
        /// network would otherwise compile again, whenever it changes.
        pub trait Compiled: Sized {
            $(#[doc = concat!("[`", stringify!($body), "`]")]
            fn $name($($argument: $type),*) -> $result;)*
        }
        compiled!(impl f32 $(fn $name($($argument: $type),*) -> $result = $body;)*);
        compiled!(impl f64 $(fn $name($($argument: $type),*) -> $result = $body;)*);
    };
    (impl $element:ident $(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty = $body:path;)*) => {
        impl Compiled for $element {
            $(fn $name($($argument: $type),*) -> $result {
                $body($($argument),*)
            })*
        }
    };
}

compiled! {
    fn new(input: &[usize], layers: &[LayerSpec], loss: Loss, max_batch: usize)
        -> Result<Network<Self>, ShapeError> = Network::new_body;
    fn outline(input: &[usize], layers: &[LayerSpec], loss: Loss, max_batch: usize)
        -> Result<Outline, ShapeError> = super::outline::outline_body::<Self>;
    fn train_step_from(
        network: &mut Network<Self>, exec: Exec, examples: Examples<'_, Self>, optimizer: &mut Optimizer<Self>,
        at: Position
    ) -> Result<f64, Error> = Network::train_step_body;
    fn forward_backward(
        network: &mut Network<Self>, exec: Exec, x: &[Self], targets: Targets<'_, Self>, at: Position
    ) -> Result<f64, Error> = Network::forward_backward_body;
    fn predict(network: &mut Network<Self>, exec: Exec, x: &[Self], outputs: &mut [Self])
        -> Result<(), Error> = Network::predict_body;
    fn evaluate_from(network: &mut Network<Self>, exec: Exec, examples: Examples<'_, Self>)
        -> Result<Evaluation<Self>, Error> = Network::evaluate_body;
    fn profile(network: &mut Network<Self>, step: ProfiledStep<'_, Self>, observe: Observe<'_>)
        -> Result<(), Error> = Network::profile_body;
}
