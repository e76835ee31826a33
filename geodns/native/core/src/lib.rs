//! What the native engine decides: pure functions over bytes and words, without I/O or clock.
//!
//! Every function here has a twin of the same meaning in Python; test vectors and a comparison
//! of whole replies hold the two together. Nothing on the way of a query allocates or panics.

#![forbid(unsafe_code)]

mod authority;
mod choose;
mod cookie;
mod debug;
mod destination;
mod draw;
mod edns;
mod fault;
mod generation;
mod hints;
mod intervals;
mod key;
mod link;
mod lookup;
mod member;
mod memo;
pub mod mix;
mod name;
mod pool;
mod pools;
mod query;
mod record;
mod refusal;
mod rendezvous;
mod reply;
mod respond;
mod section;
mod seen;
mod source;
mod special;
mod steered;
mod subject;
mod tail;
mod tsig;
mod view;
mod warm;
pub mod wire;
mod words;
mod writer;
mod zone;

pub use debug::DebugNames;
pub use draw::Scratch;
pub use fault::LoadFault;
pub use generation::{Entry, Generation};
pub use respond::{Outcome, Packet, Surroundings, refuse_all, respond};
pub use section::{SNAPSHOT_VERSION, Section};
pub use seen::{Seen, Why};
pub use source::{Network, Source};
pub use warm::warm;
pub use words::Words;
