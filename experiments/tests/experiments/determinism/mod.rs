//! The program's promise, tested on the program itself: the same files from every run, on any number of
//! threads, at every instruction level, after any kills.

mod kills;
mod program;
mod same_bytes;
mod surroundings;
