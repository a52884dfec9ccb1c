use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::Result;
use pagestream::{Error, Monitor};

use crate::{
    environment::Environment,
    error::engine_error,
    failures::Failures,
    options::{OnFailure, Options},
    positions::Positions,
    reader::{AnyConnector, Reader},
    request::Request,
};

/// What all partitions of a scan share.
pub(crate) struct Source {
    pub(crate) connector: Arc<dyn AnyConnector>,
    pub(crate) environment: Environment,
    pub(crate) options: Options,
    pub(crate) positions: Positions,
    failures: Option<Failures>,
    /// One for each request: mostly one.
    readers: Mutex<Vec<(Request, Arc<dyn Reader>)>>,
}

impl Source {
    pub(crate) fn new(
        connector: Arc<dyn AnyConnector>,
        environment: Environment,
        options: Options,
        failures: Option<Failures>,
    ) -> Self {
        let failures = failures.filter(|_| options.on_failure == OnFailure::Row);
        let (positions, readers) = (Positions::default(), Mutex::default());
        Self { connector, environment, options, positions, failures, readers }
    }

    /// What reads the parts of a request.
    pub(crate) fn reader(&self, request: &Request) -> Result<Arc<dyn Reader>> {
        let known = self.with_readers(|readers| {
            let mut readers = readers.iter();
            readers.find(|(of, _)| of == request).map(|(_, reader)| Arc::clone(reader))
        });
        if let Some(reader) = known {
            return Ok(reader);
        }
        // It is code of a user, so it runs outside of the lock, perhaps twice.
        let reader = self.connector.open(request, &self.environment);
        let reader = reader.map_err(engine_error)?;
        self.with_readers(|readers| readers.push((request.clone(), Arc::clone(&reader))));
        Ok(reader)
    }

    /// Failures that were set aside become rows. Where nobody wants rows, the first of them is
    /// the query's error: a connector may have set them aside by itself.
    pub(crate) fn take_failures(&self, monitor: &Monitor) -> Option<Error> {
        let errors = monitor.take_failures();
        if let Some(failures) = &self.failures {
            failures.add(&errors);
            return None;
        }
        errors.into_iter().next()
    }

    fn with_readers<T>(&self, f: impl FnOnce(&mut Vec<(Request, Arc<dyn Reader>)>) -> T) -> T {
        f(&mut self.readers.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
