use http::Method;

use crate::testing::service::is_segment;

/// What a path leads to. An object type is a part of the path.
#[derive(Clone, Copy)]
pub(super) enum Route<'a> {
    Associations,
    /// The associations of the object with this id to this type.
    AssociationsOfOne(&'a str, &'a str),
    Labels,
    List(&'a str),
    Search(&'a str),
    BatchRead(&'a str),
}

impl<'a> Route<'a> {
    pub(super) fn of(path: &'a str) -> Option<Self> {
        let below = |places: [&str; 2]| places.iter().find_map(|place| path.strip_prefix(place));
        if let Some(path) = below(["/crm/associations/2026-03/", "/crm/v4/associations/"]) {
            let (from, rest) = path.split_once('/')?;
            let (to, action) = rest.split_once('/')?;
            let route = match action {
                "batch/read" => Self::Associations,
                "labels" => Self::Labels,
                _ => return None,
            };
            return [from, to].iter().all(is_segment).then_some(route);
        }
        if let Some(path) = below(["/crm/objects/2026-03/", "/crm/v4/objects/"])
            && let Some((object, to)) = path.split_once("/associations/")
        {
            let (object_type, id) = object.split_once('/')?;
            let route = Self::AssociationsOfOne(id, to);
            return [object_type, id, to].iter().all(is_segment).then_some(route);
        }
        let path = below(["/crm/objects/2026-03/", "/crm/v3/objects/"])?;
        let (object_type, action) = path.split_once('/').unwrap_or((path, ""));
        let route = match action {
            "" if !path.ends_with('/') => Self::List(object_type),
            "search" => Self::Search(object_type),
            "batch/read" => Self::BatchRead(object_type),
            _ => return None,
        };
        is_segment(&object_type).then_some(route)
    }

    pub(super) fn method(self) -> Method {
        match self {
            Self::AssociationsOfOne(..) | Self::Labels | Self::List(_) => Method::GET,
            Self::Associations | Self::Search(_) | Self::BatchRead(_) => Method::POST,
        }
    }
}
