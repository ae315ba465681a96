//! `experiments table`.

use super::{Global, TableArgs};
use crate::exit::{Exit, Failure};

pub(super) fn table(global: &Global, args: &TableArgs) -> Result<Exit, Failure> {
    Err(Failure::new(Exit::Usage, format!("error: not there yet: {args:?} {global:?}")))
}
