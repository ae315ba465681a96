//! Which data a trial reads, and how they are split.

use std::path::PathBuf;

/// Data of one trial: where they come from, what is kept of them, how they are split.
#[derive(Clone, Debug, PartialEq)]
pub struct DatasetSpec {
    /// Where the data come from.
    pub source: Source,
    /// First and last row to keep, counted from 1, both included; classes without a row in them are no classes.
    pub rows: Option<[usize; 2]>,
    /// The columns to keep, in this order; `None`: all.
    pub features: Option<Vec<String>>,
    /// The classes to keep, in this order: the first gets label 0.
    pub classes: Option<Vec<String>>,
    /// A numeric column to predict instead of the class: regression.
    pub target: Option<String>,
    /// Training against test.
    pub split: Split,
    /// Samples of the training part that are put aside to choose by.
    pub validation: Share,
    /// Keep only this many training samples (the first of the split's order).
    pub train: Option<usize>,
    /// Seed of every random choice of the split; apart from the training seeds.
    pub split_seed: u64,
}

impl DatasetSpec {
    /// The same data with `seed` wherever every trial draws its own.
    pub fn for_seed(&self, trial: u64) -> Self {
        let mut spec = self.clone();
        if let Source::Clouds { seed, .. } | Source::Function { seed, .. } = &mut spec.source {
            seed.get_or_insert(trial);
        }
        spec
    }

    /// Whether every trial draws data of its own.
    pub fn depends_on_seed(&self) -> bool {
        match self.source {
            Source::Clouds { seed, .. } => seed.is_none(),
            Source::Function { seed, noise, .. } => seed.is_none() && noise > 0.0,
            _ => false,
        }
    }
}

/// Where data come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A set of the catalogue; full-size sets may name their folder.
    Catalogue {
        /// The set's name, as `fashion-5k`.
        name: String,
        /// Where a full-size set lies; `None`: the folders of the system are searched.
        folder: Option<PathBuf>,
    },
    /// A CSV file with a header line.
    Csv {
        /// The file.
        path: PathBuf,
        /// The column that holds the class; `None` for regression (then `target` names a column).
        class: Option<String>,
    },
    /// One folder per class, images inside.
    Images {
        /// The folder.
        path: PathBuf,
        /// 1 (grey) or 3 (RGB).
        channels: usize,
    },
    /// IDX files, plain or gzipped.
    Idx {
        /// Training samples.
        train: PathBuf,
        /// Their labels.
        train_labels: PathBuf,
        /// Test samples and labels, if any.
        test: Option<(PathBuf, PathBuf)>,
        /// The classes' names; empty: the label numbers.
        class_names: Vec<String>,
    },
    /// A small table written in the experiment file.
    Inline {
        /// One row per sample.
        features: Vec<Vec<f64>>,
        /// Class labels, or
        labels: Vec<u32>,
        /// values to predict (then `labels` is empty).
        values: Vec<f64>,
    },
    /// Two clouds that a hyperplane through the origin's neighbourhood separates with a set margin.
    Clouds {
        /// Samples in all.
        samples: usize,
        /// Features.
        features: usize,
        /// Half the width of the empty strip.
        margin: f64,
        /// Radius of the ball that holds all points.
        radius: f64,
        /// Seed of the points; `None`: the trial's.
        seed: Option<u64>,
    },
    /// A function of one variable, sampled on an even grid.
    Function {
        /// Which function.
        function: Function,
        /// Training samples.
        samples: usize,
        /// Test samples, on an even grid of their own.
        test_samples: usize,
        /// First x.
        from: f64,
        /// Last x.
        to: f64,
        /// Standard deviation of the noise on the training values.
        noise: f64,
        /// Seed of the noise; `None`: the trial's.
        seed: Option<u64>,
    },
}

/// A function of one variable to approximate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// sin(2 pi x)
    Sine,
    /// |x|
    Absolute,
    /// 1 for x >= 0, else 0
    Step,
    /// x^2
    Square,
    /// 0.2 + 0.4 x^2 + 0.3 x sin(15 x) + 0.05 cos(50 x) (Nielsen, ch. 4)
    Nielsen,
}

/// Training against test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Split {
    /// The set's own split; without one, everything is for training.
    Given,
    /// The first n rows for training, the rest for test, not shuffled.
    First(usize),
    /// This share for test, drawn at random.
    Test(Share),
    /// Part `fold` of `folds` for test (a random permutation, cut into equal parts).
    Fold {
        /// Number of parts.
        folds: usize,
        /// Which part is the test part, from 0.
        fold: usize,
    },
}

/// A number of samples, or a part of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Share {
    /// So many samples.
    Count(usize),
    /// So large a part, rounded down.
    Part(f64),
}

impl Share {
    /// The number of samples out of `total`.
    pub fn of(self, total: usize) -> usize {
        match self {
            Self::Count(n) => n,
            Self::Part(part) => (part * total as f64) as usize,
        }
    }
}
