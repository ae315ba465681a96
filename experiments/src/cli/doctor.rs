//! `experiments doctor`.

use super::Global;
use crate::exit::{Exit, Failure};

pub(super) fn doctor(global: &Global) -> Result<Exit, Failure> {
    Err(Failure::new(Exit::Usage, format!("error: not there yet: {global:?}")))
}
