//! `experiments plot`.

use super::{Global, PlotArgs};
use crate::exit::{Exit, Failure};

pub(super) fn plot(global: &Global, args: &PlotArgs) -> Result<Exit, Failure> {
    Err(Failure::new(Exit::Usage, format!("error: not there yet: {args:?} {global:?}")))
}
