use super::{
    found::{Code, Flag, Found, Rank},
    seen::{Place, Seen},
    shape::Shape,
};

/// The connections of GraphQL.
pub(super) fn connections(seen: &Seen<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    for info in seen.with_words(&["pageinfo"]) {
        if found.len() >= super::MOST {
            break;
        }
        let Shape::Object(fields) = info.value else { continue };
        let has_flag = matches!(fields.get("hasNextPage"), Some(Shape::Flag(_)));
        if info.name != "pageInfo" || !has_flag && !fields.contains_key("endCursor") {
            continue;
        }
        let at = info.at();
        let cursor = format!("{at}/endCursor");
        // GraphQL has all of its data there.
        let is_graphql = info.object == "/data" || info.object.starts_with("/data/");
        if !is_graphql && fields.contains_key("endCursor") {
            let flag = Flag { place: Place::Body(format!("{at}/hasNextPage")), is_more: true };
            found.push(Found {
                rank: Rank::Connection,
                style: "NextCursor",
                reason: format!("{cursor:?} holds a cursor"),
                records: seen.records_at(),
                code: Code::get(format!("NextCursor::at({cursor:?}).into_query(\"after\")"))
                    .guessed("after")
                    .end(has_flag.then_some(&flag))
                    .records(seen),
            });
        }
        let list = |name: &str| {
            let is_list = |value: &Shape| matches!(value, Shape::List(_));
            seen.fields
                .iter()
                .any(|it| it.object == info.object && it.name == name && is_list(it.value))
        };
        let records = ["nodes", "edges"].into_iter().find(|name| list(name));
        let mut style = format!("Connection::at({:?})", info.object);
        if records == Some("edges") {
            style.push_str(".edges()");
        }
        let mut code = Code::graphql(style)
            .check("the query has the variables $first and $after")
            .check("the query asks for `pageInfo { hasNextPage endCursor }`");
        if records.is_none() {
            code = code.check("the query asks for `nodes`, or call `edges`");
        }
        found.push(Found {
            rank: Rank::Connection,
            style: "Connection",
            reason: format!("{at:?} is the page info of a GraphQL connection"),
            records: records.map(|name| format!("{}/{name}", info.object)),
            code,
        });
    }
    found
}
