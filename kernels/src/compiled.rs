//! What is compiled in this crate for f32 and f64: once, and not again in every crate that computes.
//!
//! A public function that is generic over the element type is a door: it goes through [`Compiled`], whose functions are
//! stamped for both types from the bodies named below. Behind each there is a copy for every level, and tiles of many
//! shapes; a crate that instantiated them would compile them again whenever it changes, and with its own options.

#![expect(
    private_interfaces,
    reason = "nobody outside of this crate can name the trait or call its functions"
)]

use crate::activation::{self, Activation};
use crate::conv::{self, BackwardInput, ChunkGradients, Conv2d, ForwardPass};
use crate::gemm::Product;
use crate::gemm::ladder::{self, Rung};
use crate::lookup::Gather;
use crate::pool::average::{Mean, MeanGradient};
use crate::pool::max::{Max, MaxBackward, MaxGradient, Maxima};
use crate::pool::{self, Pool2d};
use crate::reduce::Sum;
use crate::softmax::{self, CrossEntropy};
use crate::{Error, Exec, Level, peak};

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
    fn conv_forward(exec: Exec, conv: &Conv2d, operands: ForwardPass<'_, Self>)
        -> Result<(), Error> = conv::forward::compute;
    fn conv_backward_input(exec: Exec, conv: &Conv2d, operands: BackwardInput<'_, Self>)
        -> Result<(), Error> = conv::backward_input::compute;
    fn conv_chunk_gradients(exec: Exec, conv: &Conv2d, operands: ChunkGradients<'_, Self>)
        -> Result<(), Error> = conv::backward_weight::compute;
    fn add_chunk(level: Level, chunk: usize, values: &[Self], sum: &mut [Self]) -> () = conv::backward_weight::add;
    fn max_forward(exec: Exec, pool: &Pool2d, planes: usize, slices: Maxima<'_, Self>)
        -> Result<(), Error> = pool::run::<Max<false>, _>;
    fn relu_max_forward(exec: Exec, pool: &Pool2d, planes: usize, slices: Maxima<'_, Self>)
        -> Result<(), Error> = pool::run::<Max<true>, _>;
    fn max_backward(exec: Exec, pool: &Pool2d, planes: usize, slices: MaxBackward<'_, Self>)
        -> Result<(), Error> = pool::run::<MaxGradient<false>, _>;
    fn relu_max_backward(exec: Exec, pool: &Pool2d, planes: usize, slices: MaxBackward<'_, Self>)
        -> Result<(), Error> = pool::run::<MaxGradient<true>, _>;
    fn average_forward(exec: Exec, pool: &Pool2d, planes: usize, slices: (&[Self], &mut [Self]))
        -> Result<(), Error> = pool::run::<Mean, _>;
    fn average_backward(exec: Exec, pool: &Pool2d, planes: usize, slices: (&[Self], &mut [Self]))
        -> Result<(), Error> = pool::run::<MeanGradient, _>;
    fn global_average_forward(exec: Exec, planes: (usize, usize), x: &[Self], y: &mut [Self])
        -> Result<(), Error> = pool::global::forward;
    fn global_average_backward(exec: Exec, planes: (usize, usize), grad_y: &[Self], grad_x: &mut [Self])
        -> Result<(), Error> = pool::global::backward;
    fn activation_forward(level: Level, phi: Activation, z: &[Self], a: &mut [Self]) -> () = activation::values;
    fn activation_backward(
        level: Level, phi: Activation, z: &[Self], a: &[Self], grad_a: &[Self], grad_z: &mut [Self]
    ) -> () = activation::gradients;
    fn softmax(level: Level, classes: usize, rows: CrossEntropy<'_, Self>) -> () = softmax::gradients;
    fn logistic(level: Level, inputs: (&[Self], &[Self]), r: Self, losses: &mut [Self], grad: &mut [Self])
        -> () = softmax::logistic::gradients;
    fn sum(level: Level, x: &[Self]) -> Self = Sum::sum;
    fn sum_of_squares_about(level: Level, x: &[Self], centre: Self) -> Self = Sum::sum_of_squares_about;
    fn gather(level: Level, rows: Gather<'_, Self>) -> () = Level::dispatch;
    fn peak(level: Level, threads: usize) -> f64 = peak::measure::<Self>;
}
