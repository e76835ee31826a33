//! A thread that serves UDP sockets, owned by a Python process.

use std::os::fd::RawFd;
use std::sync::{PoisonError, RwLock};

use geodns_sys::{Deferred, Endpoint, Page, duplicate};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::buffer;
use crate::engine::{Around, Sections, hold};

/// Serves UDP sockets until it is stopped.
#[pyclass(frozen, module = "geodns._native")]
pub(crate) struct UdpServer(RwLock<Option<geodns_sys::UdpServer>>);

#[pymethods]
impl UdpServer {
    #[new]
    #[pyo3(signature = (sockets, words, counters, around, sections=None))]
    fn new(
        sockets: Vec<(RawFd, bool)>,
        words: &Bound<'_, PyAny>,
        counters: &Bound<'_, PyAny>,
        around: &Around,
        sections: Option<Sections<'_>>,
    ) -> PyResult<Self> {
        let held = sections.map(hold).transpose()?;
        let endpoint = |(descriptor, wildcard)| {
            let socket = duplicate(descriptor)?;
            Ok(Endpoint { socket, wildcard })
        };
        let endpoints: PyResult<Vec<Endpoint>> = sockets.into_iter().map(endpoint).collect();
        let (words, page) = (buffer::words(words)?, Page(buffer::counters(counters)?));
        let server = geodns_sys::UdpServer::start(endpoints?, words, page, around.0.clone(), held)?;
        Ok(Self(RwLock::new(Some(server))))
    }

    /// Serve another generation; once this returns, every further reply comes from it.
    fn load(&self, python: Python<'_>, sections: Sections<'_>) -> PyResult<()> {
        let held = hold(sections)?;
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

    /// Send the reply to a question.
    fn answer(&self, question: &Question, reply: &[u8]) -> PyResult<()> {
        self.with(|server| {
            server.answer(&question.0, reply);
            Ok(())
        })
    }

    /// A number that goes up while the thread is well.
    fn pulse(&self) -> PyResult<u64> {
        self.with(|server| Ok(server.pulse()))
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

impl UdpServer {
    fn with<T>(&self, call: impl FnOnce(&geodns_sys::UdpServer) -> PyResult<T>) -> PyResult<T> {
        let server = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match &*server {
            Some(server) => call(server),
            None => Err(PyRuntimeError::new_err("the server has been stopped")),
        }
    }
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
}
