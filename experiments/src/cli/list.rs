//! `experiments list`.

use super::Global;
use crate::exit::{Exit, Failure};

pub(super) fn list(global: &Global) -> Result<Exit, Failure> {
    Err(Failure::new(Exit::Usage, format!("error: not there yet: {global:?}")))
}
