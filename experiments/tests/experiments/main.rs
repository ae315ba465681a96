//! The program from end to end, and the documents beside it. One program, which is linked once.

mod bad_input;
mod determinism;
mod documentation;
mod documented_commands;
mod experiment_files;
mod line_ends;
mod plot;
mod profile;
