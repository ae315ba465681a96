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
//! | [`kinds`] | network, perceptron, Adaline, ...: one cell and one seed in, one [`outcome::Outcome`] out |
//! | [`trial`], [`engine`] | a trial's identity; trials over the cores, and resume |
//! | [`record`], [`durable`] | a trial's record on the disk; files that are whole or absent |
//! | [`results`], [`table`], [`expect`] | the results folder, the table, and whether they are what was expected |
//! | [`progress`], [`interrupt`], [`provenance`] | what a run says, how it is stopped, where it ran |
//! | [`plot`] | results as pictures |
//! | [`profile`] | where the time of a training step goes, against the roofline |
//! | [`command`] | the commands that messages name, as the program was started |
//! | [`exit`] | exit codes and the error that a verb ends with |
//! | [`cli`] | the verbs |

#![forbid(unsafe_code)]

pub mod cli;
pub mod command;
pub mod data;
pub mod diagnostics;
pub mod durable;
pub mod engine;
pub mod exit;
pub mod expect;
pub mod fit;
pub mod interrupt;
pub mod kinds;
pub mod outcome;
pub mod plot;
pub mod preprocess;
pub mod profile;
pub mod progress;
pub mod provenance;
pub mod record;
pub mod results;
pub mod spec;
pub mod suite;
pub mod sweep;
pub mod table;
pub mod trial;
