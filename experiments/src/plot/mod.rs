//! The results folder as pictures.
//!
//! [`write_all`] draws what an experiment's `[[plot]]` tables ask for or, without any, what suits its
//! kind and the files that are there. A picture is a function of the results folder: the same files give
//! the same bytes, although pictures stand outside the numeric contract's promise. Logarithms are `kernels`'.
//!
//! | picture | drawn from | module |
//! |---|---|---|
//! | `curves.svg` | `curves.csv`: a panel per column, a line per cell, a band over seeds | `curves` |
//! | `sweep.svg` | `results.csv`: figures over a swept key, published values dashed | `sweep` |
//! | `start-delta-norm.svg` and such | `results.csv`: figures numbered by layer or shift, over that number | `family` |
//! | `gradient-check.svg` | `curves.csv` over the step h: the V of truncation and rounding | `gradient` |
//! | `activations.svg` | `curves.csv` over z: phi and phi' of every function | `activations` |
//! | `ladder.svg` | `results.csv` of the kind `kernels`: bars in GFLOP/s, % of peak | `ladder` |
//! | `benchmarks/profile/*.svg` | a profile: the roofline, and the time of each layer | `roofline` |
//! | `confusion.svg` | `confusion.csv` of each trial | `confusion` |
//! | `boundary.svg` | `boundary.csv` of each cell's first seed | `boundary` |
//! | `filters.png`, `feature-maps.png`, `mistakes.png`, `images.png` | `filters.csv` and so on | `mosaic` |
//!
//! # Files of a trial
//! They stand under `local/trials/<id>/` and are not committed, so their pictures are drawn where the trials ran.
//!
//! - `confusion.csv`: header `true,<class>,<class>...`; one row per true class: its name, then how many of its
//!   samples were given each class.
//! - `boundary.csv`: header `part,<feature>,<feature>,class`; `part` is `grid` (a lattice point and the class
//!   that the model gives it) or `point` (a sample and its true class).
//! - `filters.csv`, `feature-maps.csv`, `mistakes.csv`, `images.csv`: header `label,channels,height,width,values`; one
//!   picture per row, `values` separated by spaces, channel first, then rows. `label` is the text under the
//!   picture, for a mistake `true > predicted`.
#![forbid(unsafe_code)]
#![expect(
    clippy::disallowed_methods,
    reason = "the signs of zeros that max, min and clamp return are not seen in a picture"
)]

mod activations;
mod axis;
mod boundary;
mod canvas;
mod confusion;
mod curves;
mod error;
mod family;
mod figure;
mod gradient;
mod ladder;
mod lettering;
mod mosaic;
mod names;
mod pictures;
mod read;
mod roofline;
mod sweep;
mod theme;
mod trials;

pub use error::PlotError;
pub use pictures::{write_all, write_figures};
pub use roofline::roofline;

use crate::kinds;
use crate::spec::{Experiment, PlotSpec, Published, Statistic};

/// What an experiment says about its pictures.
struct Subject {
    title: String,
    published: Vec<Published>,
    statistic: Statistic,
    /// The figures that the table shows.
    columns: Vec<String>,
    /// Swept keys whose cells count as one.
    pool: Vec<String>,
}

impl Subject {
    fn of(experiment: &Experiment) -> Self {
        Self {
            title: experiment.title.clone(),
            published: experiment.published.clone(),
            statistic: experiment.table.statistic,
            columns: match &experiment.table.columns[..] {
                [] => kinds::default_columns(experiment.kind).iter().map(|&name| name.to_owned()).collect(),
                columns => columns.to_vec(),
            },
            pool: experiment.table.pool.clone(),
        }
    }

    /// What a statistic runs over: `5 seeds`.
    fn trials(&self, count: usize) -> String {
        if self.pool.is_empty() { format!("{count} seeds") } else { format!("{count} trials") }
    }
}

/// What one picture is asked to show; empty fields leave the choice to the picture.
#[derive(Clone, Debug, Default)]
struct Shown {
    /// The swept key along the x axis.
    x: String,
    /// Metrics or curve columns.
    figures: Vec<String>,
    log_x: bool,
    log_y: bool,
}

impl Shown {
    fn of(spec: &PlotSpec) -> Self {
        let log = |axis: &str| spec.log.iter().any(|named| named == axis);
        Self { x: spec.x.clone(), figures: spec.y.clone(), log_x: log("x"), log_y: log("y") }
    }
}
