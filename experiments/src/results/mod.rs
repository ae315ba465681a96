//! The results folder of an experiment: small text files, written whole from the trials' records.
//!
//! | file | holds |
//! |---|---|
//! | `experiment.toml` | the experiment file as it was run |
//! | `lock.toml` | the resolved grid, the trials' identities, the data digests, the contract number |
//! | `results.csv` | one row per cell and seed, full precision ([`Sheet`]) |
//! | `curves.csv` | figures over epochs |
//! | `digests.csv` | SHA-256 of the weights and of whatever else a trial names |
//! | `summary.csv` | mean, spread, order statistics per cell and metric ([`summarise`]) |
//! | `table.md`, `table.tex` | the table |
//! | `SHA256SUMS` | digests of all of these, for `sha256sum --check` |
//! | `local/` | not committed: the trials' records, times, provenance |
//!
//! Above them, in the folder of all results, `.gitattributes` keeps git from converting line ends.
//!
//! No time, date, host name, level or path is in any of them, so they are the same bytes on every machine.
#![forbid(unsafe_code)]

mod folder;
mod line_ends;
mod local;
mod lock;
mod series;
mod sheet;
mod statistics;
mod summary;

pub(crate) use folder::slug;
pub use folder::{Files, Folder};
pub use line_ends::keep_line_ends;
pub use local::{SECONDS, seconds, write_local};
pub use lock::{ids, is_of};
pub use series::{curves_csv, digests_csv};
pub use sheet::{Row, Sheet};
pub use statistics::Statistics;
pub use summary::{SummaryRow, summarise, summary_csv};

/// CSV with LF line ends and quotes only where a field needs them.
fn csv_text<R>(header: &[&str], rows: R) -> Vec<u8>
where
    R: IntoIterator,
    R::Item: IntoIterator<Item = String>,
{
    let mut text = Vec::new();
    push_line(&mut text, header.iter().map(|&field| field.to_owned()));
    for row in rows {
        push_line(&mut text, row);
    }
    text
}

fn push_line(text: &mut Vec<u8>, fields: impl IntoIterator<Item = String>) {
    for (i, field) in fields.into_iter().enumerate() {
        if i > 0 {
            text.push(b',');
        }
        if field.contains(['"', ',', '\n', '\r']) {
            text.push(b'"');
            text.extend(field.replace('"', "\"\"").bytes());
            text.push(b'"');
        } else {
            text.extend(field.bytes());
        }
    }
    text.push(b'\n');
}
