//! The threads that serve a worker's sockets, owned by a Python process.

use std::os::fd::{OwnedFd, RawFd};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use geodns_sys::{Counters, Counts, Deferred, Endpoint, Page, Parts, Rows, TcpLimits, duplicate};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::buffer;
use crate::engine::{Around, Sections, hold};

/// Serves UDP and TCP sockets until it is stopped.
#[pyclass(frozen, module = "geodns._native")]
pub(crate) struct Server(RwLock<Option<geodns_sys::Server>>);

#[pymethods]
impl Server {
    #[new]
    #[pyo3(signature = (
        udp, tcp, words, counters, around, sections=None, *, connections=256, idle_s=10.0,
        counts=None, rows=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn new(
        udp: Vec<(RawFd, bool)>,
        tcp: Vec<RawFd>,
        words: &Bound<'_, PyAny>,
        counters: [Bound<'_, PyAny>; 2],
        around: &Around,
        sections: Option<Sections<'_>>,
        connections: u16,
        idle_s: f64,
        counts: Option<[Bound<'_, PyAny>; 2]>,
        rows: Option<Rows>,
    ) -> PyResult<Self> {
        let [udp_page, tcp_page] = counters.map(|each| buffer::counters(&each));
        let counts = counts.map_or([None, None], |both| both.map(Some));
        let [udp_counts, tcp_counts] = counts.map(|each| match each {
            Some(each) => buffer::counters(&each),
            None => Ok(Counters::none()),
        });
        let idle = Duration::try_from_secs_f64(idle_s);
        let parts = Parts {
            udp: udp.into_iter().map(endpoint).collect::<PyResult<_>>()?,
            tcp: tcp.into_iter().map(listener).collect::<PyResult<_>>()?,
            limits: TcpLimits {
                connections: connections.into(),
                idle: idle.map_err(|error| PyValueError::new_err(error.to_string()))?,
            },
            words: buffer::words(words)?,
            pages: [Page(udp_page?), Page(tcp_page?)],
            counts: [Counts(udp_counts?), Counts(tcp_counts?)],
            around: around.0.clone(),
            held: sections
                .map(|sections| hold(sections, rows.unwrap_or_default()))
                .transpose()?,
        };
        let server = geodns_sys::Server::start(parts)?;
        Ok(Self(RwLock::new(Some(server))))
    }

    /// Serve another generation; once this returns, every further reply comes from it.
    #[pyo3(signature = (sections, rows=None))]
    fn load(&self, python: Python<'_>, sections: Sections<'_>, rows: Option<Rows>) -> PyResult<()> {
        let held = hold(sections, rows.unwrap_or_default())?;
        self.with(|server| Ok(python.detach(|| server.load(held))?))
    }

    /// A descriptor that is readable when there are deferred questions.
    fn fileno(&self) -> PyResult<RawFd> {
        self.with(|server| Ok(server.deferred_fd()))
    }

    /// The next question for the reference engine; None if there is none left.
    fn take(&self) -> PyResult<Option<Question>> {
        self.with(|server| Ok(server.take().map(Question)))
    }

    /// Send the reply to a question; None for silence.
    fn answer(&self, question: &Question, reply: Option<&[u8]>) -> PyResult<()> {
        self.with(|server| {
            server.answer(&question.0, reply);
            Ok(())
        })
    }

    /// Numbers that go up while the threads are well.
    fn pulses(&self) -> PyResult<(u64, u64)> {
        self.with(|server| Ok(server.pulses().into()))
    }

    /// Stop serving; nothing else may be called afterwards.
    fn stop(&self, python: Python<'_>) {
        let server = self
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        python.detach(|| drop(server));
    }
}

impl Server {
    fn with<T>(&self, call: impl FnOnce(&geodns_sys::Server) -> PyResult<T>) -> PyResult<T> {
        let server = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match &*server {
            Some(server) => call(server),
            None => Err(PyRuntimeError::new_err("the server has been stopped")),
        }
    }
}

fn endpoint((descriptor, wildcard): (RawFd, bool)) -> PyResult<Endpoint> {
    let socket = listener(descriptor)?;
    Ok(Endpoint { socket, wildcard })
}

fn listener(descriptor: RawFd) -> PyResult<OwnedFd> {
    Ok(duplicate(descriptor)?)
}

/// A question that the reference engine answers.
#[pyclass(frozen, module = "geodns._native")]
pub(crate) struct Question(Deferred);

#[pymethods]
impl Question {
    /// The packet.
    #[getter]
    fn packet(&self) -> &[u8] {
        &self.0.packet
    }

    /// The address it came from.
    #[getter]
    fn resolver(&self) -> String {
        self.0.resolver.to_string()
    }

    /// Whether it came over TCP.
    #[getter]
    fn tcp(&self) -> bool {
        self.0.is_tcp()
    }
}
