//! What the macros of the crate write into the public surface.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The signatures that a macro writes into an `impl`, the `impl`s that it writes, and the macros
/// that it calls.
pub(crate) fn heads(tokens: TokenStream) -> Vec<String> {
    let (mut found, mut head) = (Vec::new(), Vec::<TokenTree>::new());
    for token in tokens {
        let is_repetition = head.last().is_some_and(|it| is(it, "$"));
        match &token {
            TokenTree::Group(group) if is_repetition => {
                found.extend(heads(group.stream()));
                head.push(token);
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let head = std::mem::take(&mut head);
                if head.last().is_some_and(|it| is(it, "!")) {
                    let call = [head, without_docs(group.stream()).into_iter().collect()].concat();
                    found.push(text(&call));
                    continue;
                }
                let begin = head.iter().rposition(|it| is(it, "pub") || is(it, "impl"));
                match begin.map(|begin| &head[begin..]) {
                    Some(head @ [first, second, ..]) if is(first, "pub") && is(second, "fn") => {
                        found.push(text(head));
                    }
                    other => {
                        found.extend(other.filter(|it| is(&it[0], "impl")).map(text));
                        found.extend(heads(group.stream()));
                    }
                }
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => {
                let is_alias = head.iter().position(|it| is(it, "type"));
                let is_call = head.iter().any(|it| is(it, "!")).then_some(0);
                found.extend(is_alias.or(is_call).map(|begin| text(&head[begin..])));
                head.clear();
            }
            _ => head.push(token),
        }
    }
    found
}

/// The arguments of a macro without the comments among them.
pub(crate) fn without_docs(tokens: TokenStream) -> TokenStream {
    let mut kept = Vec::<TokenTree>::new();
    for token in tokens {
        match &token {
            TokenTree::Group(it) if it.stream().to_string().starts_with("doc =") => {
                kept.pop();
            }
            _ => kept.push(token),
        }
    }
    kept.into_iter().collect()
}

fn is(token: &TokenTree, text: &str) -> bool {
    !matches!(token, TokenTree::Group(_)) && token.to_string() == text
}

fn text(tokens: &[TokenTree]) -> String {
    tokens.iter().cloned().collect::<TokenStream>().to_string()
}
