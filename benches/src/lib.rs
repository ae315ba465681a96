//! Benches live in `benches/`; this file holds what they share.
