//! The convolutions that are timed: LeNet-5's, and those of small and middling networks.

use kernels::conv::Conv2d;

/// Batch, c_in, side of the square image, c_out, side of the kernel, padding.
const LAYERS: [(&str, [usize; 6]); 6] = [
    ("64x1x28x28->6 k5p2", [64, 1, 28, 6, 5, 2]),
    ("64x6x14x14->16 k5", [64, 6, 14, 16, 5, 0]),
    ("64x1x28x28->32 k3p1", [64, 1, 28, 32, 3, 1]),
    ("64x32x28x28->64 k3p1", [64, 32, 28, 64, 3, 1]),
    ("32x64x56x56->64 k3p1", [32, 64, 56, 64, 3, 1]),
    ("16x128x28x28->128 k3p1", [16, 128, 28, 128, 3, 1]),
];

/// Name, batch and sizes of each layer.
pub fn convolutions() -> impl Iterator<Item = (&'static str, usize, Conv2d)> {
    LAYERS.into_iter().map(|(name, [batch, c_in, side, c_out, kernel, padding])| {
        let conv = Conv2d {
            c_in,
            h_in: side,
            w_in: side,
            c_out,
            kernel: [kernel; 2],
            stride: [1; 2],
            padding: [padding; 2],
            dilation: [1; 2],
            groups: 1,
        };
        (name, batch, conv)
    })
}
