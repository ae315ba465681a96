//! `experiments status`.

use super::{Global, NameArgs};
use crate::exit::{Exit, Failure};

pub(super) fn status(global: &Global, args: &NameArgs) -> Result<Exit, Failure> {
    Err(Failure::new(Exit::Usage, format!("error: not there yet: {args:?} {global:?}")))
}
