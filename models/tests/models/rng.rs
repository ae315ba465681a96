//! The random streams: golden vectors and the properties that they promise.
//!
//! The golden words, uniforms, integers and permutations come from a second implementation
//! (ChaCha8 and the mappings written anew in Python from the descriptions in `rng.rs`), not from
//! the code under test.

use models::rng::{Purpose, Stream};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// J. Strombergson, "Test Vectors for the Stream Cipher ChaCha" (draft-strombergson-chacha-test-
/// vectors-01), TC1 (all-zero key and IV), 256-bit key, 8 rounds: the first keystream block.
const CHACHA8_ZERO_KEY: &str = "3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e\
                                984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42";

const PURPOSES: [Purpose; 6] =
    [Purpose::Split, Purpose::Init, Purpose::Shuffle, Purpose::Dropout, Purpose::Augmentation, Purpose::Data];

#[test]
fn the_cipher_is_the_published_chacha8() {
    let mut cipher = ChaCha8Rng::from_seed([0; 32]);
    let block: String =
        (0..16).flat_map(|_| cipher.next_u32().to_le_bytes()).map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(block, CHACHA8_ZERO_KEY);
}

#[test]
fn words_are_those_of_the_documented_key() {
    let mut stream = Stream::new(Purpose::Init, 1, 0);
    let words = [(); 4].map(|()| stream.next_u32());
    assert_eq!(words, [0x546e_4efe, 0x9b22_ef44, 0x432e_3d30, 0xd548_5d08]);

    let mut sample = Stream::for_sample(Purpose::Dropout, (1 << 63) + 5, 2, 3, 7);
    let words = [(); 3].map(|()| sample.next_u64());
    assert_eq!(words, [0xbf6d_3aae_a101_4065, 0xe514_f494_9437_f993, 0x3abc_ccfa_2a1b_da83]);

    // The 100th word stands in the seventh block of 16.
    let mut long = Stream::new(Purpose::Data, 9, 0);
    let hundredth = (0..100).map(|_| long.next_u32()).last();
    assert_eq!(hundredth, Some(0xe4e0_ccba));
}

#[test]
fn every_purpose_has_its_own_stream() {
    let first = PURPOSES.map(|purpose| Stream::new(purpose, 42, 0).next_u64());
    assert_eq!(
        first,
        [
            0xfc3c_e98c_f277_46fb,
            0x6a79_ec2c_39e2_de36,
            0x3bd6_c219_b09b_ace7,
            0x05a9_70c7_4947_8940,
            0x027c_8580_b7d5_0dcf,
            0x025f_efb7_4ccf_0d17,
        ]
    );
}

#[test]
fn uniforms_are_53_bits_of_the_words() {
    let mut stream = Stream::new(Purpose::Split, 1, 0);
    let values = [(); 3].map(|()| stream.uniform());
    assert_eq!(values, [0.07347126732059095, 0.6996297444416736, 0.9301934958735586]);
}

#[test]
fn integers_below_a_bound_match_the_second_implementation() {
    let mut stream = Stream::new(Purpose::Data, 1, 0);
    let dice = [(); 12].map(|()| stream.below(6));
    assert_eq!(dice, [4, 0, 3, 0, 4, 0, 0, 0, 4, 0, 0, 3]);
    // A bound above 2^63 rejects nearly every second draw.
    let wide = [(); 3].map(|()| stream.below((1 << 63) + 1));
    assert_eq!(wide, [5265079325359124197, 4483004302214101743, 2620987010916240018]);
}

#[test]
fn integers_below_a_bound_are_evenly_spread() {
    let mut stream = Stream::new(Purpose::Data, 2, 0);
    let mut counts = [0_u32; 6];
    for _ in 0..60_000 {
        counts[stream.below(6) as usize] += 1;
    }
    // Each count is binomial with mean 10,000 and s.d. sqrt(60000 * 1/6 * 5/6) = 91.3; the draw is
    // fixed, so five s.d. is a statement about this draw and cannot fail by chance later.
    assert!(counts.iter().all(|&count| count.abs_diff(10_000) < 457), "{counts:?}");
    assert!((0..100).all(|_| stream.below(1) == 0));
}

#[test]
#[should_panic(expected = "below(0)")]
fn an_empty_range_is_refused() {
    Stream::new(Purpose::Data, 1, 0).below(0);
}

#[test]
fn permutations_match_the_second_implementation() {
    assert_eq!(Stream::new(Purpose::Shuffle, 1, 0).permutation(10), [0, 9, 8, 6, 7, 1, 5, 2, 4, 3]);
    assert_eq!(Stream::new(Purpose::Shuffle, 1, 1).permutation(10), [2, 3, 4, 1, 9, 5, 6, 8, 0, 7]);
    assert!(Stream::new(Purpose::Shuffle, 1, 0).permutation(0).is_empty());
    assert_eq!(Stream::new(Purpose::Shuffle, 1, 0).permutation(1), [0]);
}

#[test]
fn every_order_of_four_items_comes_up_equally_often() {
    let mut counts = std::collections::BTreeMap::new();
    for epoch in 0..24_000 {
        *counts.entry(Stream::new(Purpose::Shuffle, 3, epoch).permutation(4)).or_insert(0_u32) += 1;
    }
    assert_eq!(counts.len(), 24);
    // Mean 1000, s.d. sqrt(24000 * 1/24 * 23/24) = 31: five s.d.
    assert!(counts.values().all(|&count| count.abs_diff(1000) < 155), "{counts:?}");
}

#[test]
fn normals_match_the_second_implementation() {
    let mut stream = Stream::new(Purpose::Init, 1, 0);
    let values = [(); 6].map(|()| stream.normal());
    let golden = [
        0.362762725754809,
        1.1400665291760275,
        -0.9194624580020088,
        -0.6462677722196389,
        2.645230042184392,
        0.942418096305705,
    ];
    assert_eq!(values, golden);
}

#[test]
fn normals_keep_their_bits() {
    // From the first run of this code: a change of `kernels::math::f64::ln` by one bit shows here.
    let mut stream = Stream::new(Purpose::Data, 1, 0);
    let digest = (0..100_000).fold(0_u64, |d, _| d.rotate_left(7) ^ stream.normal().to_bits());
    assert_eq!(digest, 0x3411_e22a_228c_6064, "{digest:#018x}");
}

#[test]
fn normals_have_the_moments_of_the_normal_distribution() {
    let mut stream = Stream::new(Purpose::Data, 2, 0);
    let n = 100_000;
    let z: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
    let moment = |power: usize| z.iter().fold(0.0, |s, z| s + (0..power).fold(1.0, |p, _| p * z)) / n as f64;
    // The mean of z^k has variance (E z^2k - (E z^k)^2) / n: 1, 2, 15 and 96 over n. Five s.d.
    for (power, expected, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0_f64)] {
        let off = (moment(power) - expected).abs();
        assert!(off < 5.0 * (variance / n as f64).sqrt(), "moment {power}: off by {off}");
    }
    // Within one standard deviation: 68.27 %.
    let inside = z.iter().filter(|z| z.abs() < 1.0).count() as f64 / n as f64;
    assert!((inside - 0.682689492).abs() < 5.0 * (0.6827 * 0.3173 / n as f64).sqrt(), "{inside}");
}
