//! `experiments run`.

use super::{Global, RunArgs};
use crate::exit::{Exit, Failure};

pub(super) fn run(global: &Global, args: &RunArgs) -> Result<Exit, Failure> {
    Err(Failure::new(Exit::Usage, format!("error: not there yet: {args:?} {global:?}")))
}
