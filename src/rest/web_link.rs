//! The header `Link` (RFC 8288).

/// The targets of the links with this relation in a value of the header. `None` if it is no
/// list of links.
pub(crate) fn targets(value: &str, relation: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut remaining = value.trim_start_matches(is_between);
    while !remaining.is_empty() {
        let (target, after) = remaining.strip_prefix('<')?.split_once('>')?;
        let (relations, after) = relations(after)?;
        // The relation `next` may stand beside others, in any case.
        if relations.split_ascii_whitespace().any(|it| it.eq_ignore_ascii_case(relation)) {
            found.push(target.trim().to_owned());
        }
        remaining = after.trim_start_matches(is_between);
    }
    Some(found)
}

/// Whether this stands between two links.
fn is_between(character: char) -> bool {
    character == ',' || is_space(character)
}

fn is_space(character: char) -> bool {
    character == ' ' || character == '\t'
}

/// Reads the parameters of a link: its relations, and what comes behind the link. Only the
/// first `rel` counts (section 3.3).
fn relations(text: &str) -> Option<(String, &str)> {
    let mut relations = None;
    let mut remaining = text.trim_start_matches(is_space);
    while let Some(parameter) = remaining.strip_prefix(';') {
        let parameter = parameter.trim_start_matches(is_space);
        let end = parameter.find(['=', ';', ',']).unwrap_or(parameter.len());
        let (name, after) = parameter.split_at(end);
        let (value, after) = match after.strip_prefix('=') {
            Some(after) => parameter_value(after.trim_start_matches(is_space))?,
            None => (String::new(), after),
        };
        if name.trim_end().eq_ignore_ascii_case("rel") {
            relations.get_or_insert(value);
        }
        remaining = after.trim_start_matches(is_space);
    }
    let is_over = remaining.is_empty() || remaining.starts_with(',');
    is_over.then(|| (relations.unwrap_or_default(), remaining))
}

/// The value of a parameter, and what comes behind it.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',']).unwrap_or(text.len());
        let (value, after) = text.split_at(end);
        return Some((value.trim_end_matches(is_space).to_owned(), after));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::targets;

    fn next(value: &str) -> Option<Vec<String>> {
        targets(value, "next")
    }

    #[test]
    fn the_target_of_a_relation_is_found() {
        for (value, target) in [
            (r#"<https://a.example/x?page=2>; rel="next""#, "https://a.example/x?page=2"),
            (r#"<?a=1,2;b>; title="x, y; rel=prev"; rel=next"#, "?a=1,2;b"),
            (r#"<a>; rel="prev", <b>; rel="next", <c>; rel="last""#, "b"),
            (r#"<a>;rel=prev,<b>;REL=NEXT;title="\"x\"""#, "b"),
            (r#"<b>; rel="last next""#, "b"),
            ("<b> ; rel = \"Next\" ;", "b"),
            (", ,<b>;hreflang;rel=next,", "b"),
            ("<>; rel=next", ""),
        ] {
            assert_eq!(next(value), Some(vec![target.to_owned()]), "{value}");
        }
    }

    #[test]
    fn other_relations_are_passed_over() {
        for value in
            ["", "<a>", "<a>; rel=prev; rel=next", "<a>; rel=nextra", "<a>; title=\"rel=next\""]
        {
            assert_eq!(next(value), Some(Vec::new()), "{value}");
        }
    }

    #[test]
    fn what_is_no_list_of_links_is_told() {
        for value in ["a; rel=next", "<a; rel=next", "<a>; rel=\"next", "<a> <b>", "<a>; x=\"\\"] {
            assert_eq!(next(value), None, "{value}");
        }
    }
}
