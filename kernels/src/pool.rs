//! Pooling.
use crate::{Element, Error, Exec};

/// All sizes of a 2-D pooling, per channel; 1-D has height 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2d {
    /// Channels.
    pub channels: usize,
    /// Height of the input.
    pub h_in: usize,
    /// Width of the input.
    pub w_in: usize,
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Steps between windows.
    pub stride: [usize; 2],
    /// Padding (at most half the window).
    pub padding: [usize; 2],
}
impl Pool2d {
    /// Checks the sizes.
    pub fn validate(&self) -> Result<(), Error> {
        todo!()
    }
    /// (h_in + 2 padding - kernel) / stride + 1
    pub fn h_out(&self) -> usize {
        todo!()
    }
    /// (w_in + 2 padding - kernel) / stride + 1
    pub fn w_out(&self) -> usize {
        todo!()
    }
    /// channels * h_in * w_in
    pub fn input_len(&self) -> usize {
        todo!()
    }
    /// channels * h_out * w_out
    pub fn output_len(&self) -> usize {
        todo!()
    }
}
/// Max pooling; `indices` receives, per output, the position of the maximum in its plane (h * w_in + w).
pub fn max_forward<T: Element>(
    exec: Exec,
    pool: &Pool2d,
    batch: usize,
    x: &[T],
    y: &mut [T],
    indices: &mut [u32],
) -> Result<(), Error> {
    todo!("{exec:?}{pool:?}{batch}{x:?}{y:?}{indices:?}")
}
/// grad_x of max pooling.
pub fn max_backward<T: Element>(
    exec: Exec,
    pool: &Pool2d,
    batch: usize,
    indices: &[u32],
    grad_y: &[T],
    grad_x: &mut [T],
) -> Result<(), Error> {
    todo!("{exec:?}{pool:?}{batch}{indices:?}{grad_y:?}{grad_x:?}")
}
/// Average pooling, padding included (N16).
pub fn average_forward<T: Element>(
    exec: Exec,
    pool: &Pool2d,
    batch: usize,
    x: &[T],
    y: &mut [T],
) -> Result<(), Error> {
    todo!("{exec:?}{pool:?}{batch}{x:?}{y:?}")
}
/// grad_x of average pooling.
pub fn average_backward<T: Element>(
    exec: Exec,
    pool: &Pool2d,
    batch: usize,
    grad_y: &[T],
    grad_x: &mut [T],
) -> Result<(), Error> {
    todo!("{exec:?}{pool:?}{batch}{grad_y:?}{grad_x:?}")
}
/// Global average pooling of `planes` planes of `area` elements: N4 sum, one division.
pub fn global_average_forward<T: Element>(
    exec: Exec,
    planes: usize,
    area: usize,
    x: &[T],
    y: &mut [T],
) -> Result<(), Error> {
    todo!("{exec:?}{planes}{area}{x:?}{y:?}")
}
/// grad_x of global average pooling.
pub fn global_average_backward<T: Element>(
    exec: Exec,
    planes: usize,
    area: usize,
    grad_y: &[T],
    grad_x: &mut [T],
) -> Result<(), Error> {
    todo!("{exec:?}{planes}{area}{grad_y:?}{grad_x:?}")
}
