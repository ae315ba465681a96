//! The program `experiments` as a library: one TOML file is one question, a run answers it with a
//! table that anybody can make again, byte for byte.
//!
//! | module | holds |
//! |---|---|
//! | [`spec`] | an experiment file: every key, its type and default; [`spec::parse`] gives an [`spec::Experiment`] or all errors at once |
//! | [`suite`] | the shipped experiments; finds an experiment by name or file |
//! | [`sweep`] | a grid over dotted keys, resolved into cells |
//! | [`diagnostics`] | errors with file, line, caret, reason and fix |
//! | [`data`] | the embedded sets, sets on disk, digests, splits |
//! | [`preprocess`] | dividing and standardising, with statistics of the training part |
//! | [`outcome`] | what a trial of any kind hands back |
//! | [`record`], [`durable`] | a trial's record on the disk; files that are whole or absent |
//! | [`exit`] | exit codes and the error that a verb ends with |
//! | [`cli`] | the verbs |

#![forbid(unsafe_code)]

pub mod cli;
pub mod data;
pub mod diagnostics;
pub mod durable;
pub mod exit;
pub mod outcome;
pub mod preprocess;
pub mod record;
pub mod spec;
pub mod suite;
pub mod sweep;
