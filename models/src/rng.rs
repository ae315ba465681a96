//! Random numbers: one keyed ChaCha8 stream per purpose, seed and index.
//!
//! A generator that everything shares ties everything together: let dropout draw one number
//! more and the next epoch's shuffle changes. Here each use has a stream of its own, made from a
//! key that says what it is for, so adding dropout does not move the shuffle, and the numbers of
//! sample 37 do not depend on who drew the numbers of sample 36.
//!
//! The key is 32 bytes, little-endian, and the cipher's nonce and counter start at 0:
//!
//! ```text
//! byte   0        8        16             24       28       32
//!        | purpose | seed   | index        | epoch  | layer  |
//!        | ASCII   | u64    | u64          | u32    | u32    |
//! ```
//!
//! From the cipher come 32-bit words; everything after that is written down below, because the
//! distributions of general crates may change their values from one version to the next (N11).

use kernels::Element;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream of random numbers is for. Each purpose has its own stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// Which observations go to training, validation and test.
    Split,
    /// The start values of the weights and biases.
    Init,
    /// The order of the observations within an epoch.
    Shuffle,
    /// Which units a dropout layer silences.
    Dropout,
    /// Random changes of the inputs.
    Augmentation,
    /// Synthetic data sets.
    Data,
}

impl Purpose {
    /// The first eight bytes of the key: the name in ASCII, cut or filled up with zeros.
    const fn tag(self) -> [u8; 8] {
        match self {
            Self::Split => *b"split\0\0\0",
            Self::Init => *b"init\0\0\0\0",
            Self::Shuffle => *b"shuffle\0",
            Self::Dropout => *b"dropout\0",
            Self::Augmentation => *b"augment\0",
            Self::Data => *b"data\0\0\0\0",
        }
    }
}

/// A stream of random numbers.
///
/// The same key gives the same numbers on every machine and in every version of this contract.
///
/// # Source
/// D. J. Bernstein, "ChaCha, a variant of Salsa20" (2008), with 8 rounds.
///
/// ```
/// use models::rng::{Purpose, Stream};
/// let mut a = Stream::new(Purpose::Shuffle, 1, 0);
/// let mut b = Stream::new(Purpose::Shuffle, 1, 0);
/// assert_eq!(a.next_u64(), b.next_u64());
/// assert_ne!(a.next_u64(), Stream::new(Purpose::Shuffle, 1, 1).next_u64());
/// ```
#[derive(Clone, Debug)]
pub struct Stream {
    words: ChaCha8Rng,
    /// The second normal of the last pair, until it is needed.
    spare_normal: Option<f64>,
}

impl Stream {
    /// The stream of `purpose`, `seed` and `index` (an epoch, a tensor's number, ...).
    pub fn new(purpose: Purpose, seed: u64, index: u64) -> Self {
        Self::for_sample(purpose, seed, 0, 0, index)
    }

    /// The stream of one sample in one layer: `position` counts the samples of the shuffled
    /// `epoch`, so a mask does not depend on the batch or the thread that the sample falls to.
    pub fn for_sample(purpose: Purpose, seed: u64, layer: u32, epoch: u32, position: u64) -> Self {
        let mut key = [0; 32];
        key[0..8].copy_from_slice(&purpose.tag());
        key[8..16].copy_from_slice(&seed.to_le_bytes());
        key[16..24].copy_from_slice(&position.to_le_bytes());
        key[24..28].copy_from_slice(&epoch.to_le_bytes());
        key[28..32].copy_from_slice(&layer.to_le_bytes());
        Self { words: ChaCha8Rng::from_seed(key), spare_normal: None }
    }

    /// The next 32 bits of the cipher.
    pub fn next_u32(&mut self) -> u32 {
        self.words.next_u32()
    }

    /// The next 64 bits: the first word is the low half.
    pub fn next_u64(&mut self) -> u64 {
        let low = u64::from(self.next_u32());
        let high = u64::from(self.next_u32());
        high << 32 | low
    }

    /// A number in [0, 1): the upper 53 of 64 bits times 2^-53, which is exact.
    pub fn uniform(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.next_u64() >> 11) as f64 * STEP
    }

    /// An integer in 0..n, each equally likely.
    ///
    /// The upper half of x n, for x of 64 random bits, lies in 0..n but hits some values once
    /// more than others; drawing again whenever the lower half is below 2^64 mod n evens it out.
    ///
    /// # Panics
    /// If `n` is 0: there is no such integer.
    ///
    /// # Source
    /// D. Lemire, "Fast random integer generation in an interval" (2019), algorithm 5.
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "below(0): no integer lies in an empty range");
        let threshold = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }

    /// A number from the standard normal distribution N(0, 1).
    ///
    /// A point (u, v) is drawn in the square until it falls inside the unit circle, without its
    /// centre; with s = u^2 + v^2 both u sqrt(-2 ln s / s) and v sqrt(-2 ln s / s) are normal and
    /// independent. The first is returned, the second kept for the next call.
    ///
    /// # Source
    /// G. Marsaglia and T. A. Bray, "A convenient method for generating normal
    /// variables" (1964).
    pub fn normal(&mut self) -> f64 {
        if let Some(second) = self.spare_normal.take() {
            return second;
        }
        loop {
            let u = 2.0 * self.uniform() - 1.0;
            let v = 2.0 * self.uniform() - 1.0;
            let s = u * u + v * v;
            if s < 1.0 && s > 0.0 {
                let scale = (-2.0 * Element::ln(s) / s).sqrt();
                self.spare_normal = Some(v * scale);
                return u * scale;
            }
        }
    }

    /// Puts `items` in a random order, each order equally likely.
    ///
    /// From the last place down to the second: exchange it with one of the places up to itself.
    ///
    /// # Source
    /// R. A. Fisher and F. Yates (1938); R. Durstenfeld, algorithm 235 (1964).
    pub fn shuffle<X>(&mut self, items: &mut [X]) {
        for last in (1..items.len()).rev() {
            let chosen = self.below(last as u64 + 1) as usize;
            items.swap(last, chosen);
        }
    }

    /// The numbers 0..n in a random order.
    ///
    /// ```
    /// use models::rng::{Purpose, Stream};
    /// let mut order = Stream::new(Purpose::Shuffle, 7, 0).permutation(5);
    /// order.sort();
    /// assert_eq!(order, [0, 1, 2, 3, 4]);
    /// ```
    pub fn permutation(&mut self, n: u32) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }
}
