//! Where the native engine meets the system: shared memory and sockets.
//!
//! All unsafe code of the workspace is here, but for taking a buffer from Python in `py`; each
//! block says why it is sound.

mod batch;
mod held;
mod server;
mod shared;
mod system;
mod tally;

pub use held::{Held, Octets, Part};
pub use server::{Deferred, Endpoint, UdpServer};
pub use shared::{Counters, SharedWords};
pub use system::duplicate;
pub use tally::Page;
