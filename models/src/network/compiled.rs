//! The element types whose networks are compiled in this crate.

#![expect(private_interfaces, reason = "nobody outside can name the trait or call its functions")]

use std::ops::Range;

use kernels::Error;

use super::{Gather, LayerSpec, Network, Observe, ProfiledStep, ShapeError};
use crate::layers::{Layer, Pass};
use crate::loss::{Loss, Targets};
use crate::optimizer::{Moments, UpdateRule};

/// Stamps a trait whose functions are compiled here for f32 and f64, each from the generic body behind its `=`.
macro_rules! compiled {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty = $body:path;)*) => {
        /// A type that networks compute in: `f32` or `f64`. [`Network`]'s public functions call its functions, all that
        /// holds the code of the layers: a crate that trains a network would otherwise compile it again, whenever it
        /// changes, and with its own options.
        pub trait NetworkElement: kernels::Element {
            $(#[doc = concat!("`", stringify!($body), "`")]
            fn $name($($argument: $type),*) -> $result;)*
        }
        compiled!(impl f32 $(fn $name($($argument: $type),*) -> $result = $body;)*);
        compiled!(impl f64 $(fn $name($($argument: $type),*) -> $result = $body;)*);
    };
    (impl $element:ident $(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty = $body:path;)*) => {
        impl NetworkElement for $element {
            $(fn $name($($argument: $type),*) -> $result {
                $body($($argument),*)
            })*
        }
    };
}

compiled! {
    fn infer(input: &[usize], specs: &[LayerSpec], loss: Loss, max_batch: usize)
        -> Result<Vec<Layer<Self>>, ShapeError> = super::shape::infer;
    fn pass(
        network: &mut Network<Self>, pass: Pass, gather: Gather<'_, Self>, targets: Option<Targets<'_, Self>>,
        shows: bool
    ) -> Result<f64, Error> = Network::pass;
    fn learn(
        network: &mut Network<Self>, pass: Pass, layers: Range<usize>, update: Option<UpdateRule<Self>>,
        moments: Moments<'_, Self>
    ) -> Result<(), Error> = Network::learn;
    fn stages(network: &mut Network<Self>, step: &ProfiledStep<'_, Self>, observe: Observe<'_>)
        -> Result<(), Error> = Network::stages;
}
