//! Elementary functions.
/// f32 versions, correctly rounded.
pub mod f32 {
    /// e^x
    pub fn exp(x: f32) -> f32 {
        todo!("{x}")
    }
    /// e^x - 1
    pub fn expm1(x: f32) -> f32 {
        todo!("{x}")
    }
    /// ln x
    pub fn ln(x: f32) -> f32 {
        todo!("{x}")
    }
    /// ln(1 + x)
    pub fn ln1p(x: f32) -> f32 {
        todo!("{x}")
    }
    /// tanh x
    pub fn tanh(x: f32) -> f32 {
        todo!("{x}")
    }
    /// sigmoid
    pub fn sigmoid(x: f32) -> f32 {
        todo!("{x}")
    }
}
/// f64 versions, a fixed sequence with a measured bound.
pub mod f64 {
    /// e^x
    pub fn exp(x: f64) -> f64 {
        todo!("{x}")
    }
    /// e^x - 1
    pub fn expm1(x: f64) -> f64 {
        todo!("{x}")
    }
    /// ln x
    pub fn ln(x: f64) -> f64 {
        todo!("{x}")
    }
    /// ln(1 + x)
    pub fn ln1p(x: f64) -> f64 {
        todo!("{x}")
    }
    /// tanh x
    pub fn tanh(x: f64) -> f64 {
        todo!("{x}")
    }
    /// sigmoid
    pub fn sigmoid(x: f64) -> f64 {
        todo!("{x}")
    }
    /// log10
    pub fn log10(x: f64) -> f64 {
        todo!("{x}")
    }
    /// sin
    pub fn sin(x: f64) -> f64 {
        todo!("{x}")
    }
    /// cos
    pub fn cos(x: f64) -> f64 {
        todo!("{x}")
    }
}
