//! A grid over dotted keys, resolved into cells.
