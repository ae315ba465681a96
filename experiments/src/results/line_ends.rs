//! Line ends: digests count bytes, and git with core.autocrlf=true writes CRLF where LF was.

use std::io;
use std::path::Path;

use crate::durable;

/// Says to git, in the results root, that it must not convert anything there.
const ATTRIBUTES: &str = "# SHA256SUMS digests bytes: git leaves line ends as they are.\n* -text\n";

/// Writes `.gitattributes` into the folder of all `results`, unless one is there: it may have been made for a reason.
///
/// # Errors
/// As the operating system says.
pub fn keep_line_ends(results: &Path) -> io::Result<()> {
    let path = results.join(".gitattributes");
    if path.exists() { Ok(()) } else { durable::write(&path, ATTRIBUTES.as_bytes()) }
}
