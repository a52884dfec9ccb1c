mod cursors;
mod json_text;
mod names;
mod redaction;
mod secrets;

use std::{
    fmt::{self, Debug, Formatter},
    fs,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use tokio::time::Instant;

use self::{
    names::{Names, Place},
    redaction::Redaction,
    secrets::{Found, Secrets},
};
use super::har::{self, Entry, Outcome};
use crate::{
    error::{Error, ErrorKind},
    transport::Transport,
};

/// Records what passes a transport, as a HAR file without secrets, for a
/// [`Replay`](super::Replay).
///
/// ```
/// use futures::TryStreamExt;
/// use pagestream::{PaginatorExt, alloy::Action, testing::{Alloy, Recorder, Replay}};
/// use serde_json::Value;
///
/// # futures::executor::block_on(async {
/// let contacts = |transport| {
///     Action::<Value>::builder("crm", "listContacts")
///         .credential_id("66f0c5e2a1b2c3d4e5f60718")
///         .transport(transport)
/// };
///
/// // Once, with the real service and a real key. Then `recorder.save("tests/contacts.har")?`.
/// let recorder = Recorder::new(Alloy::new(7).records(120));
/// let action = contacts(recorder.clone()).api_key("a-real-key").build()?;
/// let records: Vec<_> = action.records().try_collect().await?;
/// let har = recorder.to_har()?;
/// assert!(!har.contains("a-real-key"));
///
/// // In each test, without either.
/// # let contacts = |transport| {
/// #     Action::<Value>::builder("crm", "listContacts")
/// #         .credential_id("66f0c5e2a1b2c3d4e5f60718")
/// #         .transport(transport)
/// # };
/// let replay = Replay::from_har(&har)?;
/// let action = contacts(replay.clone()).api_key("any").build()?;
/// assert_eq!(action.records().try_collect::<Vec<_>>().await?, records);
/// replay.verify();
/// # Ok::<(), pagestream::Error>(()) }).unwrap();
/// ```
///
/// # What is removed
///
/// In place of a secret stands `[secret]`. These values are removed:
///
/// - of the headers `authorization`, `cookie`, `set-cookie` and `proxy-authorization`, and of
///   those whose name has `key`, `token`, `secret`, `signature` or `session` in it, or is that
///   of a secret, as `x-auth`;
/// - in a query or a fragment, also of a link in a response, and in the fields of a JSON body or
///   a form: those whose name is that of a secret, as `api_key`, `access_token`,
///   `client_secret`, `client_assertion` or `password`. A text that is JSON has fields too;
/// - of the names that you add.
///
/// Cursors are not removed: `page_token`, `nextPageToken`, `sync_token` and the like. A value
/// that was removed is removed wherever it occurs in the recording, also percent-encoded,
/// escaped, and in base64, if it has at least 6 characters, in a cookie 12. So is the password
/// of the scheme `Basic`. Nothing is known of a secret in a path, of one in a record under a
/// name of its own, and of names in a body that is neither JSON nor a form: say it with
/// [`redact_value`](Recorder::redact_value).
///
/// What is in memory has the secrets in it until the recorder and its clones are dropped.
#[derive(Clone)]
#[must_use = "it records as the transport of a client"]
pub struct Recorder {
    transport: Arc<dyn Transport>,
    exchanges: Arc<Mutex<Vec<Option<Exchange>>>>,
    names: Names,
    values: Vec<String>,
}

struct Exchange {
    began: SystemTime,
    entry: Entry,
}

impl Recorder {
    /// Records what passes this transport. Clones share the recording.
    pub fn new(transport: impl Transport + 'static) -> Self {
        Self {
            transport: Arc::new(transport),
            exchanges: Arc::default(),
            names: Names::default(),
            values: Vec::new(),
        }
    }

    /// The value of this header is a secret.
    pub fn redact_header(mut self, name: &str) -> Self {
        self.names.redact(Place::Header, name);
        self
    }

    /// The value of this name in a query is a secret.
    pub fn redact_query(mut self, name: &str) -> Self {
        self.names.redact(Place::Query, name);
        self
    }

    /// The value of this field, in the JSON or the form of a body, is a secret, with all that
    /// is in it.
    ///
    /// ```
    /// use pagestream::testing::{Alloy, Recorder};
    ///
    /// let recorder = Recorder::new(Alloy::new(7)).redact_field("email").redact_header("x-tenant");
    /// ```
    pub fn redact_field(mut self, name: &str) -> Self {
        self.names.redact(Place::Field, name);
        self
    }

    /// This text is a secret, wherever it stands.
    pub fn redact_value(mut self, secret: impl Into<String>) -> Self {
        self.values.push(secret.into());
        self
    }

    /// The value of this header is no secret.
    pub fn keep_header(mut self, name: &str) -> Self {
        self.names.keep(Place::Header, name);
        self
    }

    /// The value of this name in a query is no secret but a cursor, for example.
    pub fn keep_query(mut self, name: &str) -> Self {
        self.names.keep(Place::Query, name);
        self
    }

    /// The value of this field of a body is no secret.
    pub fn keep_field(mut self, name: &str) -> Self {
        self.names.keep(Place::Field, name);
        self
    }

    /// The recording as the text of a HAR file, in the order in which the requests began. A
    /// request that nobody waited for is left out.
    ///
    /// # Errors
    ///
    /// [`Configuration`](ErrorKind::Configuration) if a value is removed from a response, and
    /// a later request sends it as something else than a credential, or the other way around:
    /// it is a cursor, and the recording could not be played back. The message says what to
    /// call.
    pub fn to_har(&self) -> Result<String, Error> {
        let exchanges = self.lock();
        let exchanges = exchanges.iter().flatten().collect::<Vec<_>>();
        let original = exchanges.iter().map(|it| it.entry.clone()).collect::<Vec<_>>();
        let mut entries = original.clone();
        let mut removed = Vec::new();
        for (index, entry) in entries.iter_mut().enumerate() {
            let removed = &mut removed;
            let redaction = Redaction { names: &self.names, index, is_in_response: false, removed };
            redaction.redact(entry);
        }
        cursors::check(&original, &self.names, &removed)?;
        let found = removed.iter().map(|it| Found {
            value: &it.value,
            is_cookie: it.place == Place::Header && it.name.to_ascii_lowercase().contains("cookie"),
            was_sent: !it.is_in_response,
        });
        let given = self.values.iter();
        let given = given.map(|value| Found { value, is_cookie: false, was_sent: true });
        let secrets = Secrets::new(found.chain(given));
        for entry in &mut entries {
            remove(&secrets, entry);
        }
        Ok(har::write(exchanges.iter().map(|it| it.began).zip(&entries)))
    }

    /// Writes the recording to a file.
    ///
    /// # Errors
    ///
    /// As of [`to_har`](Self::to_har), and of kind [`Other`](ErrorKind::Other) if the file
    /// can't be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        fs::write(path, self.to_har()?).map_err(|error| {
            let message = format!("the recording {} can't be written", path.display());
            Error::new(ErrorKind::Other, message).with_source(error)
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<Exchange>>> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remove(secrets: &Secrets, entry: &mut Entry) {
    let of_headers = |headers: &mut Vec<(String, String)>| {
        for (_, value) in headers {
            *value = secrets.remove(value);
        }
    };
    let of_body = |body: &Bytes| match std::str::from_utf8(body) {
        Ok(text) => Bytes::from(secrets.remove_from_body(text)),
        Err(_) => secrets.remove_from_bytes(body).into(),
    };
    entry.url = secrets.remove(&entry.url);
    of_headers(&mut entry.headers);
    entry.body = entry.body.as_ref().map(of_body);
    match &mut entry.outcome {
        Outcome::Response { headers, body, .. } => {
            of_headers(headers);
            *body = of_body(body);
        }
        Outcome::Failure { message, .. } => *message = secrets.remove(message),
    }
}

#[async_trait]
impl Transport for Recorder {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let (index, sent) = {
            let mut exchanges = self.lock();
            // Its place, so that the requests are in their order.
            exchanges.push(None);
            (exchanges.len() - 1, request.clone())
        };
        let (began, start) = (SystemTime::now(), Instant::now());
        let result = self.transport.send(request).await;
        let outcome = match &result {
            Ok(response) => Outcome::Response {
                status: response.status(),
                headers: headers(response.headers()),
                body: response.body().clone(),
            },
            Err(error) => Outcome::Failure { kind: error.kind(), message: error.to_string() },
        };
        let entry = Entry {
            number: index + 1,
            method: sent.method().clone(),
            url: match sent.uri().to_string() {
                url if url.starts_with('/') => format!("http://localhost{url}"),
                url => url,
            },
            headers: headers(sent.headers()),
            body: Some(sent.into_body()),
            outcome,
            milliseconds: start.elapsed().as_secs_f64() * 1_000.0,
        };
        if let Some(place) = self.lock().get_mut(index) {
            *place = Some(Exchange { began, entry });
        }
        result
    }
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect()
}

impl Debug for Recorder {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("names", &self.names)
            .field("requests", &self.lock().len())
            .finish_non_exhaustive()
    }
}
