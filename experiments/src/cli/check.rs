//! `experiments check`.

use super::{CheckArgs, Global};
use crate::exit::{Exit, Failure};

pub(super) fn check(global: &Global, args: &CheckArgs) -> Result<Exit, Failure> {
    Err(Failure::new(Exit::Usage, format!("error: not there yet: {args:?} {global:?}")))
}
