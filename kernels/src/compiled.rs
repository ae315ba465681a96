//! What is compiled in this crate for f32 and f64: once, and not again in every crate that computes.
//!
//! A public function that is generic over the element type is a door: it goes through [`Compiled`], whose functions are
//! stamped for both types from the bodies named below. Behind each there is a copy for every level, and tiles of many
//! shapes; a crate that instantiated them would compile them again whenever it changes, and with its own options.

use crate::activation::{self, Activation};
use crate::conv::{self, BackwardInput, ChunkGradients, Conv2d, Forward};
use crate::gemm::Product;
use crate::gemm::ladder::{self, Rung};
use crate::lookup::{self, Lookup};
use crate::pool::{self, Pool2d};
use crate::{Error, Exec, Level, peak, reduce, softmax};

macro_rules! compiled {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty = $body:expr;)*) => {
        /// The functions behind the doors.
        pub trait Compiled: Sized + 'static {
            $(#[doc = concat!("`", stringify!($body), "`")]
            fn $name($($argument: $type),*) -> $result;)*
        }
        compiled!(impl f32 $(fn $name($($argument: $type),*) -> $result = $body;)*);
        compiled!(impl f64 $(fn $name($($argument: $type),*) -> $result = $body;)*);
    };
    (impl $element:ident $(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty = $body:expr;)*) => {
        impl Compiled for $element {
            $(fn $name($($argument: $type),*) -> $result {
                $body($($argument),*)
            })*
        }
    };
}

compiled! {
    fn product(product: Product<'_, Self>, exec: Exec) -> () = Product::compute;
    fn rungs() -> [Rung<Self>; 6] = ladder::all;
    fn conv_forward(exec: Exec, conv: &Conv2d, operands: Forward<'_, Self>)
        -> Result<(), Error> = conv::forward::compute;
    fn conv_backward_input(exec: Exec, conv: &Conv2d, operands: BackwardInput<'_, Self>)
        -> Result<(), Error> = conv::backward_input::compute;
    fn conv_chunk_gradients(workers: (usize, Exec), conv: &Conv2d, operands: ChunkGradients<'_, Self>)
        -> Result<(), Error> = conv::chunk_gradients::compute;
    fn add_chunk(level: Level, chunk: usize, values: &[Self], sum: &mut [Self]) -> () = conv::chunk_gradients::add;
    fn max_forward(exec: Exec, pool: &Pool2d, batch: usize, x: &[Self], y: &mut [Self], indices: &mut [u16])
        -> Result<(), Error> = pool::max::forward::<Self, false>;
    fn relu_max_forward(exec: Exec, pool: &Pool2d, batch: usize, z: &[Self], y: &mut [Self], indices: &mut [u16])
        -> Result<(), Error> = pool::max::forward::<Self, true>;
    fn max_backward(exec: Exec, pool: &Pool2d, batch: usize, kept: (&[u16], &[Self]), grad_y: &[Self], grad_x: &mut [Self])
        -> Result<(), Error> = pool::max::backward::<Self, false>;
    fn relu_max_backward(
        exec: Exec, pool: &Pool2d, batch: usize, kept: (&[u16], &[Self]), grad_y: &[Self], grad_z: &mut [Self]
    ) -> Result<(), Error> = pool::max::backward::<Self, true>;
    fn average_forward(exec: Exec, pool: &Pool2d, batch: usize, x: &[Self], y: &mut [Self])
        -> Result<(), Error> = pool::average::forward;
    fn average_backward(exec: Exec, pool: &Pool2d, batch: usize, grad_y: &[Self], grad_x: &mut [Self])
        -> Result<(), Error> = pool::average::backward;
    fn global_average_forward(exec: Exec, planes: usize, area: usize, x: &[Self], y: &mut [Self])
        -> Result<(), Error> = pool::global::forward;
    fn global_average_backward(exec: Exec, planes: usize, area: usize, grad_y: &[Self], grad_x: &mut [Self])
        -> Result<(), Error> = pool::global::backward;
    fn activation_forward(exec: Exec, phi: Activation, z: &[Self], a: &mut [Self])
        -> Result<(), Error> = activation::forward_body;
    fn activation_backward(
        exec: Exec, phi: Activation, z: &[Self], a: &[Self], grad_a: &[Self], grad_z: &mut [Self]
    ) -> Result<(), Error> = activation::backward_body;
    fn softmax(exec: Exec, classes: usize, x: &[Self], p: &mut [Self]) -> Result<(), Error> = softmax::softmax_body;
    fn cross_entropy(
        exec: Exec, classes: usize, x: &[Self], labels: &[u32], r: Self, losses: &mut [Self], grad: &mut [Self]
    ) -> Result<(), Error> = softmax::cross_entropy_body;
    fn binary_cross_entropy(
        exec: Exec, z: &[Self], targets: &[Self], r: Self, losses: &mut [Self], grad: &mut [Self]
    ) -> Result<(), Error> = softmax::binary_cross_entropy_body;
    fn sum(exec: Exec, x: &[Self]) -> Self = reduce::sum_body;
    fn sum_of_squares_about(exec: Exec, x: &[Self], centre: Self) -> Self = reduce::sum_of_squares_body;
    fn argmax(x: &[Self]) -> Option<usize> = reduce::argmax_body;
    fn gather(lookup: &Lookup<Self>, level: Level, stored: &[u8], row: lookup::Rows<'_>, x: &mut [Self])
        -> () = Lookup::gather_body;
    fn peak(level: Level, threads: usize) -> f64 = peak::measure::<Self>;
}
