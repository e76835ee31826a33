//! What the native engine decides: pure functions over bytes and words, without I/O or clock.
//!
//! Every function here has a twin of the same meaning in Python; test vectors hold the two
//! together.

#![forbid(unsafe_code)]

pub mod mix;
