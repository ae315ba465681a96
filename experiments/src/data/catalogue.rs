//! The sets that have a name.

/// The names of all sets.
pub fn names() -> impl Iterator<Item = &'static str> {
    ["iris-uci", "digits"].into_iter()
}
