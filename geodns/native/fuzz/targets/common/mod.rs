//! What the targets share.
#![allow(dead_code, reason = "no target needs all of it")]

pub mod budget;
pub mod lawful;
pub mod sections;
pub mod world;
