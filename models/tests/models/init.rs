//! Start values: the spread that each rule promises, and bits that stay.

use models::init::Init;
use models::rng::{Purpose, Stream};

const FAN_IN: usize = 50;
const FAN_OUT: usize = 30;
const N: usize = 100_000;

fn weights(init: Init) -> Vec<f64> {
    let mut w = vec![f64::NAN; N];
    init.fill_weights(&mut Stream::new(Purpose::Init, 1, 0), FAN_IN, FAN_OUT, &mut w);
    w
}

/// Mean of the squares: the variance, since every rule has mean 0.
fn spread(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |s, x| s + x * x) / x.len() as f64
}

#[test]
fn each_rule_has_its_variance() {
    for (init, variance) in [
        (Init::Normal { sd: 0.01 }, 1e-4),
        (Init::StandardNormal, 1.0),
        (Init::XavierUniform, 2.0 / 80.0),
        (Init::XavierNormal, 2.0 / 80.0),
        (Init::HeUniform, 2.0 / 50.0),
        (Init::HeNormal, 2.0 / 50.0),
        (Init::Nielsen, 1.0 / 50.0),
    ] {
        let ratio = spread(&weights(init)) / variance;
        // z^2 has variance 2 for a normal, 4/5 for a uniform of variance 1: five s.d. of the mean.
        assert!((ratio - 1.0).abs() < 5.0 * (2.0 / N as f64).sqrt(), "{init:?}: {ratio}");
    }
}

#[test]
fn uniform_rules_stay_within_their_radius() {
    for (init, radius) in
        [(Init::XavierUniform, (6.0_f64 / 80.0).sqrt()), (Init::HeUniform, (6.0_f64 / 50.0).sqrt())]
    {
        let w = weights(init);
        assert!(
            w.iter().all(|w| w.abs() <= radius) && w.iter().any(|w| w.abs() > 0.999 * radius),
            "{init:?}"
        );
    }
}

#[test]
fn zeros_are_zeros_and_draw_nothing() {
    let mut stream = Stream::new(Purpose::Init, 1, 0);
    let (mut w, mut b) = ([1.0_f32; 4], [1.0_f32; 2]);
    Init::Zeros.fill_weights(&mut stream, 2, 2, &mut w);
    Init::Zeros.fill_biases(&mut stream, &mut b);
    assert_eq!((w, b), ([0.0; 4], [0.0; 2]));
    assert_eq!(stream.next_u64(), Stream::new(Purpose::Init, 1, 0).next_u64());
}

#[test]
fn only_the_biases_of_nielsens_rules_are_random() {
    let biases = |init: Init| {
        let mut b = vec![f64::NAN; N];
        init.fill_biases(&mut Stream::new(Purpose::Init, 1, 0), &mut b);
        b
    };
    for init in
        [Init::Normal { sd: 1.0 }, Init::XavierUniform, Init::XavierNormal, Init::HeUniform, Init::HeNormal]
    {
        assert!(biases(init).iter().all(|b| b.to_bits() == 0), "{init:?}");
    }
    for init in [Init::StandardNormal, Init::Nielsen] {
        assert!((spread(&biases(init)) - 1.0).abs() < 5.0 * (2.0 / N as f64).sqrt(), "{init:?}");
    }
}

#[test]
fn f32_weights_are_the_f64_ones_rounded_once() {
    for init in [Init::XavierUniform, Init::HeNormal, Init::Nielsen] {
        let mut narrow = vec![0.0_f32; N];
        init.fill_weights(&mut Stream::new(Purpose::Init, 1, 0), FAN_IN, FAN_OUT, &mut narrow);
        assert!(narrow.iter().zip(weights(init)).all(|(narrow, wide)| *narrow == wide as f32), "{init:?}");
    }
}

#[test]
fn weights_match_the_second_implementation() {
    // From the Python implementation that the golden vectors of tests/rng.rs come from.
    let first = |init: Init| weights(init)[..3].to_vec();
    assert_eq!(first(Init::HeNormal), [0.07255254515096181, 0.22801330583520552, -0.18389249160040178]);
    assert_eq!(first(Init::XavierUniform), [0.05805958260893771, 0.1824657886023258, -0.16338565750294043]);
}
