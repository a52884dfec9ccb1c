use std::{
    fmt::{self, Debug, Formatter},
    sync::{Arc, Mutex, PoisonError},
};

use http::Uri;
use reqwest::Url;

use crate::error::{Error, ErrorKind};

/// The last address without a query, as a URL. A reading that asks by bodies asks one address
/// again and again, and to parse it takes longer than all else of a request that is not sent.
#[derive(Clone, Default)]
pub(super) struct LastUrl(Arc<Mutex<Option<(Uri, Url)>>>);

impl LastUrl {
    /// The same address as a URL.
    ///
    /// # Errors
    ///
    /// It has no scheme or no host.
    pub(super) fn of(&self, uri: &Uri) -> Result<Url, Error> {
        // With a query, each page has its own, and the secret may be in it.
        if uri.query().is_some() {
            return parse(uri);
        }
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, url)) = &*last
            && known == uri
        {
            return Ok(url.clone());
        }
        let url = parse(uri)?;
        *last = Some((uri.clone(), url.clone()));
        Ok(url)
    }
}

fn parse(uri: &Uri) -> Result<Url, Error> {
    Url::parse(&uri.to_string()).map_err(|error| {
        let message = "the request can't be sent: its URI has no host or no scheme";
        Error::new(ErrorKind::Configuration, message).with_source(error)
    })
}

impl Debug for LastUrl {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("LastUrl")
    }
}

#[cfg(test)]
mod tests {
    use http::Uri;

    use super::LastUrl;

    #[test]
    fn each_address_becomes_its_own_url() {
        let last = LastUrl::default();
        let addresses =
            ["http://a.test/x", "http://a.test/x", "http://b.test/x", "http://b.test/x?q=1"];
        for address in addresses.into_iter().chain(["http://b.test/x"]) {
            let uri = address.parse::<Uri>().unwrap();
            assert_eq!(last.of(&uri).unwrap().as_str(), address);
        }
    }

    #[test]
    fn a_path_alone_is_no_address() {
        let error = LastUrl::default().of(&Uri::from_static("/x")).unwrap_err();
        assert!(error.to_string().contains("no host or no scheme"), "{error}");
    }
}
