//! The engine as a function, for tests, comparison and TCP.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use geodns_core::{Network, Outcome, Packet, Scratch, Source, Surroundings, respond};
use geodns_sys::{Held, Part, Rows, SharedWords};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyNotImplemented};

use crate::buffer;

/// A reply over TCP, and room for its options behind it.
const OUT_OCTETS: usize = 66_000;

/// Sections as Python gives them: kind, name, memory.
pub(crate) type Sections<'py> = Vec<(u16, String, Bound<'py, PyAny>)>;

/// Answers packets from one generation and the live status words.
#[pyclass(frozen, module = "geodns._native")]
pub(crate) struct Engine {
    held: Held,
    words: SharedWords,
    around: Surroundings,
    room: Mutex<(Scratch, Vec<u8>)>,
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (sections, words, around=None, rows=None))]
    fn new(
        sections: Sections<'_>,
        words: &Bound<'_, PyAny>,
        around: Option<&Around>,
        rows: Option<Rows>,
    ) -> PyResult<Self> {
        let held = hold(sections, rows.unwrap_or_default())?;
        let scratch = Scratch::new(held.generation());
        Ok(Self {
            held,
            words: buffer::words(words)?,
            around: around.map(|around| around.0.clone()).unwrap_or_default(),
            room: Mutex::new((scratch, vec![0; OUT_OCTETS])),
        })
    }

    /// The reply to a packet; None for silence, NotImplemented for the reference engine.
    #[pyo3(signature = (packet, resolver, *, tcp=false, now_s=0))]
    fn respond<'py>(
        &self,
        python: Python<'py>,
        packet: &[u8],
        resolver: &str,
        tcp: bool,
        now_s: u64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let packet = Packet {
            octets: packet,
            source: source(resolver)?,
            tcp,
            now_s,
        };
        let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        let (scratch, out) = &mut *room;
        let generation = self.held.generation();
        let outcome = respond(generation, &self.words, &self.around, packet, scratch, out);
        Ok(match outcome {
            Outcome::Reply(size) => PyBytes::new(python, out.get(..size).unwrap_or(&[])).into_any(),
            Outcome::Drop => python.None().into_bound(python),
            Outcome::Defer => PyNotImplemented::get(python).to_owned().into_any(),
        })
    }

    /// What is counted of the packet answered last: the row of its zone, its family and type,
    /// why its nodes were chosen, and their slots.
    fn seen(&self) -> (u32, u8, u8, Vec<u32>) {
        let room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        let (scratch, _) = &*room;
        let seen = scratch.seen();
        let nodes = scratch.answered().collect();
        (seen.zone, seen.kind, seen.why as u8, nodes)
    }
}

/// What surrounds the lookup.
#[pyclass(frozen, module = "geodns._native")]
pub(crate) struct Around(pub(crate) Surroundings);

#[pymethods]
impl Around {
    #[new]
    #[pyo3(signature = (
        *, nsid=Vec::new(), cookie_secrets=Vec::new(), debug_sources=None, identity=false,
        trusted=None, keepalive=100
    ))]
    fn new(
        nsid: Vec<u8>,
        cookie_secrets: Vec<[u8; 16]>,
        debug_sources: Option<Vec<(IpAddr, u8)>>,
        identity: bool,
        trusted: Option<Vec<(IpAddr, u8)>>,
        keepalive: u16,
    ) -> Self {
        let debug = debug_sources.map(|sources| geodns_core::DebugNames {
            sources: networks(&sources),
            identity,
        });
        Self(Surroundings {
            nsid,
            cookie_secrets,
            debug,
            trusted: trusted.map(|pairs| networks(&pairs)),
            keepalive,
        })
    }
}

/// Load a generation. Errors: ValueError when it must not be served.
pub(crate) fn hold(sections: Sections<'_>, rows: Rows) -> PyResult<Held> {
    let part = |(kind, name, object): (u16, String, Bound<'_, PyAny>)| {
        let octets = buffer::octets(&object)?;
        Ok(Part { kind, name, octets })
    };
    let parts: PyResult<Vec<Part>> = sections.into_iter().map(part).collect();
    Held::counting(parts?, rows).map_err(|fault| PyValueError::new_err(fault.to_string()))
}

fn networks(pairs: &[(IpAddr, u8)]) -> Vec<Network> {
    let network = |(address, prefix_len): &(IpAddr, u8)| Network::new(*address, *prefix_len);
    pairs.iter().map(network).collect()
}

/// The address of a resolver as the socket module gives it, perhaps with a zone.
fn source(text: &str) -> PyResult<Source> {
    let address = text.split('%').next().unwrap_or(text);
    match address.parse::<IpAddr>() {
        Ok(address) => Ok(address.into()),
        Err(error) => Err(PyValueError::new_err(format!("{text}: {error}"))),
    }
}
