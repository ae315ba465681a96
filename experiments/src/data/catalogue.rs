//! The sets that have a name: what they are, where they come from, whose they are.

use super::embedded::{self, File};

/// A set of the catalogue.
#[derive(Debug)]
pub struct Set {
    /// The name in an experiment file.
    pub name: &'static str,
    /// One line about it.
    pub title: &'static str,
    /// How many samples of what shape, for people.
    pub shape: &'static str,
    /// The classes, by label; empty where the CSV file's column names them.
    pub classes: &'static [&'static str],
    /// The licence's short name.
    pub licence: &'static str,
    /// The attribution that the licence asks for.
    pub attribution: &'static str,
    /// Where its bytes are.
    pub store: Store,
}

/// Where a set's bytes are.
#[derive(Clone, Copy, Debug)]
pub enum Store {
    /// A CSV file inside the program; the column that holds the class.
    Csv(&'static File, &'static str),
    /// IDX files inside the program: samples and labels, then those of the test part, if any.
    Idx(&'static [[&'static File; 2]]),
    /// A full-size set on disk: each of [`super::full::FILES`] with the SHA-256 of its decompressed content.
    Disk([&'static str; 4]),
    /// A truth table of two inputs: the outputs of 00, 01, 10, 11.
    Logic([u32; 4]),
}

const FASHION: [&str; 10] = [
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
];
const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
const FISHER: &str =
    "Fisher, R. A. (1936). Iris. UCI Machine Learning Repository. doi:10.24432/C56C76. CC BY 4.0";
const ZALANDO: &str = "Xiao, H., Rasul, K., Vollgraf, R. (2017). Fashion-MNIST. arXiv:1708.07747. MIT licence, \
                       Copyright (c) 2017 Zalando SE";

/// All sets, small tables first.
pub static SETS: [Set; 15] = [
    logic("and", "1 where both inputs are 1", [0, 0, 0, 1]),
    logic("or", "1 where an input is 1", [0, 1, 1, 1]),
    logic("nand", "0 where both inputs are 1", [1, 1, 1, 0]),
    logic("xor", "1 where the inputs differ: no line separates it", [0, 1, 1, 0]),
    Set {
        name: "iris-uci",
        title: "Iris, as UCI and Raschka's book have it",
        shape: "150 x 4",
        classes: &[],
        licence: "CC BY 4.0",
        attribution: FISHER,
        store: Store::Csv(&embedded::IRIS_UCI, "species"),
    },
    Set {
        name: "iris-fisher",
        title: "Iris with Fisher's own values in rows 35 and 38",
        shape: "150 x 4",
        classes: &[],
        licence: "CC BY 4.0",
        attribution: FISHER,
        store: Store::Csv(&embedded::IRIS_FISHER, "species"),
    },
    Set {
        name: "wine",
        title: "Chemistry of wines of three cultivars",
        shape: "178 x 13",
        classes: &[],
        licence: "CC BY 4.0",
        attribution: "Aeberhard, S. and Forina, M. (1992). Wine. UCI Machine Learning Repository. \
                      doi:10.24432/C5PC7J. CC BY 4.0",
        store: Store::Csv(&embedded::WINE, "cultivar"),
    },
    Set {
        name: "breast-cancer",
        title: "Breast Cancer Wisconsin (Diagnostic)",
        shape: "569 x 30",
        classes: &[],
        licence: "CC BY 4.0",
        attribution: "Wolberg, W. et al. (1993). Breast Cancer Wisconsin (Diagnostic). UCI Machine Learning \
                      Repository. doi:10.24432/C5DW2B. CC BY 4.0",
        store: Store::Csv(&embedded::BREAST_CANCER, "diagnosis"),
    },
    Set {
        name: "sonar",
        title: "Sonar returns from a mine or a rock, 60 frequency bands",
        shape: "208 x 60",
        classes: &[],
        licence: "CC BY 4.0",
        attribution: "Sejnowski, T. and Gorman, R. Connectionist Bench (Sonar, Mines vs. Rocks). UCI Machine \
                      Learning Repository. doi:10.24432/C5T01Q. CC BY 4.0",
        store: Store::Csv(&embedded::SONAR, "object"),
    },
    Set {
        name: "digits",
        title: "Handwritten digits, 8 x 8 pixels of 0 to 16 (UCI's test part)",
        shape: "1797 x 1 x 8 x 8",
        classes: &DIGITS,
        licence: "CC BY 4.0",
        attribution: "Alpaydin, E. and Kaynak, C. (1998). Optical Recognition of Handwritten Digits. UCI Machine \
                      Learning Repository. doi:10.24432/C50P49. CC BY 4.0",
        store: Store::Idx(&embedded::DIGITS),
    },
    Set {
        name: "landsat",
        title: "Satellite image patches in four spectral bands (Statlog)",
        shape: "4435 + 2000 x 4 x 3 x 3",
        classes: &[
            "red soil",
            "cotton crop",
            "grey soil",
            "damp grey soil",
            "vegetation stubble",
            "very damp grey soil",
        ],
        licence: "CC BY 4.0",
        attribution: "Srinivasan, A. (1993). Statlog (Landsat Satellite). UCI Machine Learning Repository. \
                      doi:10.24432/C55887. CC BY 4.0. Re-ordered to channel-first",
        store: Store::Idx(&embedded::LANDSAT),
    },
    Set {
        name: "activity",
        title: "Acceleration of a smartphone at the waist, split by person",
        shape: "2120 + 1043 x 3 x 128",
        classes: &["walking", "walking upstairs", "walking downstairs", "sitting", "standing", "laying"],
        licence: "CC BY 4.0",
        attribution: "Reyes-Ortiz, J. et al. (2015). Smartphone-Based Recognition of Human Activities and Postural \
                      Transitions. UCI Machine Learning Repository. doi:10.24432/C54G7M. CC BY 4.0. Cut into windows \
                      of 128 samples, stored as round(720 x g)",
        store: Store::Idx(&embedded::ACTIVITY),
    },
    Set {
        name: "fashion-5k",
        title: "The first 5000 and the first 1000 of Fashion-MNIST",
        shape: "5000 + 1000 x 1 x 28 x 28",
        classes: &FASHION,
        licence: "MIT",
        attribution: ZALANDO,
        store: Store::Idx(&embedded::FASHION_5K),
    },
    Set {
        name: "fashion-mnist",
        title: "Fashion-MNIST, full size",
        shape: "60000 + 10000 x 1 x 28 x 28",
        classes: &FASHION,
        licence: "MIT",
        attribution: ZALANDO,
        store: Store::Disk([
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ]),
    },
    Set {
        name: "mnist",
        title: "MNIST, full size",
        shape: "60000 + 10000 x 1 x 28 x 28",
        classes: &DIGITS,
        licence: "CC BY-SA 3.0",
        attribution: "LeCun, Y., Cortes, C., Burges, C. J. C. The MNIST database of handwritten digits. Usually given as \
                      CC BY-SA 3.0",
        store: Store::Disk([
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ]),
    },
];

const fn logic(name: &'static str, title: &'static str, outputs: [u32; 4]) -> Set {
    Set {
        name,
        title,
        shape: "4 x 2",
        classes: &["0", "1"],
        licence: "none needed",
        attribution: "A truth table",
        store: Store::Logic(outputs),
    }
}

/// The names of all sets.
pub fn names() -> impl Iterator<Item = &'static str> {
    SETS.iter().map(|set| set.name)
}

/// The set called `name`.
pub fn find(name: &str) -> Option<&'static Set> {
    SETS.iter().find(|set| set.name == name)
}

/// Whether the set called `name` lies on disk rather than in the program.
pub fn is_on_disk(name: &str) -> bool {
    find(name).is_some_and(|set| matches!(set.store, Store::Disk(_)))
}
