use crate::testing::credential_names::{is_secret_field, is_secret_header, is_secret_query};

/// Where a name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Header,
    Query,
    Field,
}

impl Place {
    /// For messages and the names of methods.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Query => "query",
            Self::Field => "field",
        }
    }
}

/// The names whose values are removed.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    redacted: Vec<(Place, String)>,
    kept: Vec<(Place, String)>,
}

impl Names {
    pub(super) fn redact(&mut self, place: Place, name: &str) {
        self.redacted.push((place, name.to_owned()));
    }

    pub(super) fn keep(&mut self, place: Place, name: &str) {
        self.kept.push((place, name.to_owned()));
    }

    pub(super) fn is_secret(&self, place: Place, name: &str) -> bool {
        let is_in = |names: &[(Place, String)]| {
            names.iter().any(|(it, known)| *it == place && known.eq_ignore_ascii_case(name))
        };
        let by_default = || match place {
            Place::Header => is_secret_header(name),
            Place::Query => is_secret_query(name),
            Place::Field => is_secret_field(name),
        };
        !is_in(&self.kept) && (is_in(&self.redacted) || by_default())
    }
}
