//! `experiments check`.

use super::{CheckArgs, Global};
use crate::exit::{Exit, Failure};
use crate::suite;

pub(super) fn check(_global: &Global, args: &CheckArgs) -> Result<Exit, Failure> {
    for name in &args.experiments {
        let experiment = suite::open(name, &args.overrides)?;
        println!("{experiment:#?}");
    }
    Ok(Exit::Done)
}
