//! Where the native engine meets the system: shared memory and sockets.
//!
//! All unsafe code of the workspace is here, but for taking a buffer from Python in `py`; each
//! block says why it is sound.

mod answerer;
mod batch;
mod counts;
mod feed;
mod held;
mod host;
mod panics;
mod server;
mod shared;
mod system;
mod tally;
mod tcp;
#[cfg(test)]
mod tests;
mod udp;

pub use counts::Counts;
pub use held::{Held, Octets, Part, Rows};
pub use host::Deferred;
pub use panics::faults;
pub use server::{Parts, Server};
pub use shared::{Counters, SharedWords};
pub use system::duplicate;
pub use tally::Page;
pub use tcp::TcpLimits;
pub use udp::Endpoint;
