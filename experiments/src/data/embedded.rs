//! The files inside the program.

/// A file as it stands in `experiments/data`.
#[derive(Debug)]
pub struct File {
    /// Its name there.
    pub name: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
}

macro_rules! embedded {
    ($($(#[$doc:meta])* $constant:ident = $name:literal;)*) => {
        $($(#[$doc])* pub static $constant: File = File { name: $name, bytes: include_bytes!(concat!("../../data/", $name)) };)*

        /// All of them.
        pub static FILES: &[&File] = &[$(&$constant),*];
    };
}

embedded! {
    /// UCI's Iris.
    IRIS_UCI = "iris-uci.csv";
    /// Fisher's Iris.
    IRIS_FISHER = "iris-fisher.csv";
    /// Wine.
    WINE = "wine.csv";
    /// Breast cancer.
    BREAST_CANCER = "breast-cancer.csv";
    /// Sonar.
    SONAR = "sonar.csv";
    /// Digits: pixels.
    DIGITS_IMAGES = "digits-images.idx3.gz";
    /// Digits: labels.
    DIGITS_LABELS = "digits-labels.idx1.gz";
    /// Landsat: training patches.
    LANDSAT_TRAIN_IMAGES = "landsat-train-images.idx4.gz";
    /// Landsat: their labels.
    LANDSAT_TRAIN_LABELS = "landsat-train-labels.idx1.gz";
    /// Landsat: test patches.
    LANDSAT_TEST_IMAGES = "landsat-test-images.idx4.gz";
    /// Landsat: their labels.
    LANDSAT_TEST_LABELS = "landsat-test-labels.idx1.gz";
    /// Activity: training windows.
    ACTIVITY_TRAIN_SIGNALS = "activity-train-signals.idx3.gz";
    /// Activity: their labels.
    ACTIVITY_TRAIN_LABELS = "activity-train-labels.idx1.gz";
    /// Activity: test windows.
    ACTIVITY_TEST_SIGNALS = "activity-test-signals.idx3.gz";
    /// Activity: their labels.
    ACTIVITY_TEST_LABELS = "activity-test-labels.idx1.gz";
    /// Fashion: training images.
    FASHION_TRAIN_IMAGES = "fashion-5k-train-images.idx3.gz";
    /// Fashion: their labels.
    FASHION_TRAIN_LABELS = "fashion-5k-train-labels.idx1.gz";
    /// Fashion: test images.
    FASHION_TEST_IMAGES = "fashion-5k-test-images.idx3.gz";
    /// Fashion: their labels.
    FASHION_TEST_LABELS = "fashion-5k-test-labels.idx1.gz";
    /// The photograph.
    TEMPLE = "temple.jpg";
}

/// Digits: samples and labels.
pub static DIGITS: [[&File; 2]; 1] = [[&DIGITS_IMAGES, &DIGITS_LABELS]];
/// Landsat: training and test part.
pub static LANDSAT: [[&File; 2]; 2] =
    [[&LANDSAT_TRAIN_IMAGES, &LANDSAT_TRAIN_LABELS], [&LANDSAT_TEST_IMAGES, &LANDSAT_TEST_LABELS]];
/// Activity: training and test part.
pub static ACTIVITY: [[&File; 2]; 2] =
    [[&ACTIVITY_TRAIN_SIGNALS, &ACTIVITY_TRAIN_LABELS], [&ACTIVITY_TEST_SIGNALS, &ACTIVITY_TEST_LABELS]];
/// Fashion: training and test part.
pub static FASHION_5K: [[&File; 2]; 2] =
    [[&FASHION_TRAIN_IMAGES, &FASHION_TRAIN_LABELS], [&FASHION_TEST_IMAGES, &FASHION_TEST_LABELS]];

/// The digests of all files: lines of SHA-256, two spaces, name.
pub static SHA256SUMS: &str = include_str!("../../data/SHA256SUMS");

/// The digest that `SHA256SUMS` gives for `name`.
pub fn expected_digest(name: &str) -> Option<&'static str> {
    SHA256SUMS
        .lines()
        .filter_map(|line| line.split_once("  "))
        .find(|(_, file)| *file == name)
        .map(|(digest, _)| digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable::sha256_hex;

    #[test]
    fn every_embedded_file_has_its_digest() {
        assert_eq!(FILES.len(), SHA256SUMS.lines().count());
        for file in FILES {
            assert_eq!(Some(sha256_hex(file.bytes).as_str()), expected_digest(file.name), "{}", file.name);
        }
    }
}
