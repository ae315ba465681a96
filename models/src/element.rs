//! The element types of networks.

use crate::network::Compiled;

/// A type that networks compute in: `f32` or `f64`. What a network does is compiled for both in this crate, not again in
/// each crate that trains one.
pub trait Element: kernels::Element + Compiled {}

impl<T: kernels::Element + Compiled> Element for T {}
