//! Where the native engine meets the system: shared memory and sockets.
//!
//! All unsafe code of the workspace is here, but for taking a buffer from Python in `py`; each
//! block says why it is sound.

mod held;
mod shared;

pub use held::{Held, Octets, Part};
pub use shared::{Counters, SharedWords};
