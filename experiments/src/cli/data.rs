//! `experiments data`.

use super::{DataVerb, Global};
use crate::exit::{Exit, Failure};

pub(super) fn data(global: &Global, args: &DataVerb) -> Result<Exit, Failure> {
    Err(Failure::new(Exit::Usage, format!("error: not there yet: {args:?} {global:?}")))
}
