//! Which products are timed.

use benches::Shape;

const fn ab(m: usize, n: usize, k: usize) -> Shape {
    Shape::ab(m, n, k)
}
const fn atb(m: usize, n: usize, k: usize) -> Shape {
    Shape::atb(m, n, k)
}
const fn abt(m: usize, n: usize, k: usize) -> Shape {
    Shape::abt(m, n, k)
}

/// Square ones, and those of the course's networks at a batch of 64.
pub(crate) const F32: [Shape; 40] = [
    // Square.
    ab(32, 32, 32),
    ab(64, 64, 64),
    ab(128, 128, 128),
    ab(256, 256, 256),
    ab(512, 512, 512),
    ab(1024, 1024, 1024),
    ab(2048, 2048, 2048),
    // A dense layer forward, its weight gradient, its input gradient.
    ab(64, 128, 784),
    atb(128, 784, 64),
    abt(64, 784, 128),
    ab(64, 512, 784),
    ab(64, 256, 512),
    atb(512, 256, 64),
    abt(64, 512, 256),
    ab(64, 30, 784),
    ab(64, 10, 784),
    ab(128, 10, 128),
    ab(64, 10, 128),
    atb(128, 10, 64),
    abt(64, 128, 10),
    ab(64, 120, 400),
    atb(400, 120, 64),
    abt(64, 400, 120),
    ab(64, 84, 120),
    ab(64, 128, 12544),
    atb(12544, 128, 64),
    // A convolution as a product: one image, a batch, and weight gradients.
    ab(6, 576, 25),
    ab(6, 784, 25),
    ab(16, 64, 150),
    ab(16, 4096, 150),
    ab(32, 784, 9),
    ab(64, 12544, 576),
    ab(256, 3136, 1152),
    abt(16, 150, 4096),
    abt(64, 576, 50176),
    // One sample and a few.
    ab(1, 128, 784),
    ab(1, 1024, 1024),
    abt(1, 1024, 1024),
    ab(1024, 1, 1024),
    ab(8, 128, 784),
];

/// Square ones and the three largest of the networks.
pub(crate) const F64: [Shape; 10] = [
    ab(32, 32, 32),
    ab(64, 64, 64),
    ab(128, 128, 128),
    ab(256, 256, 256),
    ab(512, 512, 512),
    ab(1024, 1024, 1024),
    ab(2048, 2048, 2048),
    ab(64, 12544, 576),
    ab(256, 3136, 1152),
    abt(64, 576, 50176),
];
