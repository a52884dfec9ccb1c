//! Where a link of a service may lead.

use http::Uri;

use crate::error::{Error, ErrorKind};

/// The longest link that is followed, in bytes.
const LONGEST: usize = 16 * 1024;

/// The origins to which links may lead.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    /// The first is the service's.
    pub(super) origins: Vec<Origin>,
    pub(super) ignores_hosts: bool,
}

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    is_https: bool,
    host: String,
    port: u16,
}

impl Origin {
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        let is_https = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let port = uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        Some(Self { is_https, host: uri.host()?.to_ascii_lowercase(), port })
    }

    /// Whether it is the same host, by https and no longer by http.
    fn is_upgrade_of(&self, other: &Self) -> bool {
        let default = |origin: &Self| origin.port == if origin.is_https { 443 } else { 80 };
        let is_same_port = self.port == other.port || default(self) && default(other);
        self.is_https && !other.is_https && self.host == other.host && is_same_port
    }

    fn text(&self) -> String {
        let Self { is_https, host, port } = self;
        let (scheme, default) = if *is_https { ("https", 443) } else { ("http", 80) };
        if *port == default {
            return format!("{scheme}://{host}");
        }
        format!("{scheme}://{host}:{port}")
    }
}

impl Links {
    /// Links to the origin of an address alone.
    #[cfg(any(feature = "alloy", feature = "hubspot"))]
    pub(super) fn of(address: &Uri) -> Self {
        Self { origins: Origin::of(address).into_iter().collect(), ignores_hosts: false }
    }

    /// The origin of the service.
    pub(super) fn home(&self) -> Option<String> {
        self.origins.first().map(Origin::text)
    }

    /// A link of a response of `address`, as a cursor keeps it: path and query if it leads to
    /// the service's own origin, and the whole otherwise. It is not decoded or encoded.
    ///
    /// # Errors
    ///
    /// It leads elsewhere, has a user, or is no link.
    pub(crate) fn resolve(&self, address: &Uri, link: &str) -> Result<String, Error> {
        let link = link.split('#').next().unwrap_or_default();
        if link.len() > LONGEST {
            return Err(refused("it is longer than 16 kB"));
        }
        if link.bytes().any(|byte| byte.is_ascii_control() || byte == b' ') {
            return Err(refused("it has a space or a control character"));
        }
        let here = Origin::of(address).ok_or_else(|| refused("its page has no origin"))?;
        let whole = match scheme(link) {
            Some(_) => link.to_owned(),
            None if link.starts_with("//") => {
                format!("{}:{link}", if here.is_https { "https" } else { "http" })
            }
            None => format!("{}{}", here.text(), absolute_path(address, link)),
        };
        let uri = whole.parse::<Uri>().map_err(|_| refused("it is no address"))?;
        let origin = Origin::of(&uri).ok_or_else(|| refused("it is not http or https"))?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(refused("it has a user"));
        }
        let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let path = match without_dots(path) {
            path if path.starts_with('/') => path,
            query => format!("/{query}"),
        };
        let home = self.origins.first();
        if self.ignores_hosts || home == Some(&origin) {
            return Ok(path);
        }
        if self.origins.contains(&origin) || home.is_some_and(|home| origin.is_upgrade_of(home)) {
            return Ok(format!("{}{path}", origin.text()));
        }
        if home.is_some_and(|home| home.is_upgrade_of(&origin)) {
            return Err(refused("it leads from https to http"));
        }
        Err(refused(
            "it leads to another origin; if that one is trusted with the credentials, call \
             `allow_origin`; behind a proxy, call `ignore_link_hosts`",
        ))
    }
}

/// The scheme of a link, if it has one.
fn scheme(link: &str) -> Option<&str> {
    let (scheme, _) = link.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme.then_some(scheme)
}

/// The path and query of a relative link (RFC 3986, section 5.2).
fn absolute_path(address: &Uri, link: &str) -> String {
    let path = address.path();
    match link.as_bytes().first() {
        Some(b'/') => link.to_owned(),
        Some(b'?') => format!("{path}{link}"),
        None => address.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned(),
        Some(_) => {
            let folder = path.rfind('/').map_or("/", |slash| &path[..=slash]);
            format!("{folder}{link}")
        }
    }
}

/// The same path without `.` and `..`.
fn without_dots(path: &str) -> String {
    let (path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    if !path.split('/').any(|part| part == "." || part == "..") {
        return format!("{path}{query}");
    }
    let mut parts = Vec::new();
    let all = path.split('/').skip(1).collect::<Vec<_>>();
    for (index, part) in all.iter().enumerate() {
        let is_last = index + 1 == all.len();
        match *part {
            "." | ".." => {
                if *part == ".." {
                    parts.pop();
                }
                if is_last {
                    parts.push("");
                }
            }
            part => parts.push(part),
        }
    }
    format!("/{}{query}", parts.join("/"))
}

fn refused(why: &str) -> Error {
    Error::new(ErrorKind::Contradiction, format!("the service's link is not followed: {why}"))
}

#[cfg(test)]
mod tests {
    use super::{Links, Origin};

    fn resolve(link: &str) -> Result<String, String> {
        let origins = ["https://api.example.com/v2", "https://other.example.com:8443"];
        let origins = origins.iter().filter_map(|it| Origin::of(&it.parse().unwrap())).collect();
        let links = Links { origins, ignores_hosts: false };
        let address = "https://api.example.com/v2/users/list?page=1".parse().unwrap();
        links.resolve(&address, link).map_err(|error| error.to_string())
    }

    #[test]
    fn a_link_to_the_same_origin_is_kept_without_its_host() {
        for (link, path) in [
            ("https://api.example.com/v2/users?after=a%2Fb%3d", "/v2/users?after=a%2Fb%3d"),
            ("HTTPS://API.example.com:443/x", "/x"),
            ("https://api.example.com?page=2", "/?page=2"),
            ("/v3/x?y", "/v3/x?y"),
            ("?page=2", "/v2/users/list?page=2"),
            ("next?page=2#top", "/v2/users/next?page=2"),
            ("../x/./y?z=../a", "/v2/x/y?z=../a"),
            ("../../../..", "/"),
            ("//api.example.com/x", "/x"),
        ] {
            assert_eq!(resolve(link).as_deref(), Ok(path), "{link}");
        }
    }

    #[test]
    fn a_link_to_an_allowed_origin_is_kept_whole() {
        let link = "https://other.example.com:8443/x?y=1";
        assert_eq!(resolve(link).as_deref(), Ok(link));
    }

    #[test]
    fn a_link_that_leads_elsewhere_is_refused() {
        for (link, why) in [
            ("https://evil.example.com/x", "another origin"),
            ("//evil.example.com/x", "another origin"),
            ("https://api.example.com.evil.example/x", "another origin"),
            ("https://api.example.com:444/x", "another origin"),
            ("http://api.example.com/x", "from https to http"),
            ("https://user:secret@api.example.com/x", "a user"),
            ("https://api.example.com@evil.example/x", "another origin"),
            ("ftp://api.example.com/x", "not http"),
            ("javascript:alert(1)", "no"),
            ("/x y", "a space"),
        ] {
            let error = resolve(link).unwrap_err();
            assert!(error.contains(why) || error.contains("a user"), "{link}: {error}");
        }
        assert!(resolve(&format!("/{}", "x".repeat(100_000))).unwrap_err().contains("16 kB"));
    }

    #[test]
    fn http_may_become_https_and_never_the_other_way() {
        let links = Links {
            origins: vec![Origin::of(&"http://api.example.com".parse().unwrap()).unwrap()],
            ignores_hosts: false,
        };
        let address = "http://api.example.com/x".parse().unwrap();
        let link = links.resolve(&address, "https://api.example.com/y");
        assert_eq!(link.unwrap(), "https://api.example.com/y");
    }

    #[test]
    fn behind_a_proxy_only_the_path_counts() {
        let links = Links {
            origins: vec![Origin::of(&"https://proxy.example.com".parse().unwrap()).unwrap()],
            ignores_hosts: true,
        };
        let address = "https://proxy.example.com/x".parse().unwrap();
        assert_eq!(links.resolve(&address, "http://inner:8080/y?z").unwrap(), "/y?z");
    }
}
