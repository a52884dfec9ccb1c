//! Each public type, trait and function has an example in its docs. Where another example shows
//! it, or where there is nothing to show, `examples.txt` says so.

use std::{collections::BTreeMap, fs, path::Path};

use syn::{Attribute, Expr, ExprLit, ImplItem, Item, Lit, Meta, TraitItem};

use crate::{items::attributes, modules::Modules};

const FILE: &str = "tests/surface/examples.txt";

/// The examples of a crate, by what they stand at: `Read`, `Read::deduplicate`, `http::Client`, the
/// module `rest`.
struct Examples {
    /// Those of the public types, traits and functions. One without an example is there too.
    items: BTreeMap<String, String>,
    /// Those of their methods, and of modules.
    others: BTreeMap<String, String>,
}

impl Examples {
    fn of(modules: &Modules) -> Self {
        let (surface, _) = modules.surface();
        let (mut items, mut others) = (BTreeMap::new(), BTreeMap::new());
        for (path, module) in &modules.0 {
            others.insert(path.join("::"), examples(&module.attributes));
        }
        for public in surface.iter().filter(|it| !matches!(it.item, Item::Const(_))) {
            let path = [&public.module[..], std::slice::from_ref(&public.name)].concat().join("::");
            items.insert(path.clone(), examples(attributes(public.item)));
            let mut method = |name: &syn::Ident, attributes: &[Attribute]| {
                others.insert(format!("{path}::{name}"), examples(attributes));
            };
            if let Item::Trait(item) = public.item {
                for item in &item.items {
                    if let TraitItem::Fn(item) = item {
                        method(&item.sig.ident, &item.attrs);
                    }
                }
            }
            for (_, block) in modules.impls().filter(|(_, block)| block.trait_.is_none()) {
                let name = match &*block.self_ty {
                    syn::Type::Path(path) => path.path.segments.last(),
                    _ => None,
                };
                if name.is_some_and(|it| it.ident == public.definition.1) {
                    for item in &block.items {
                        if let ImplItem::Fn(item) = item {
                            method(&item.sig.ident, &item.attrs);
                        }
                    }
                }
            }
        }
        Self { items, others }
    }

    /// What is wrong with the reasons for those that have none.
    fn breaches(&self, reasons: &[Reason<'_>]) -> Vec<String> {
        let mut breaches = Vec::new();
        let missing = self.items.iter().filter(|(_, examples)| examples.is_empty());
        for (path, _) in missing {
            match reasons.iter().filter(|it| it.path == path).count() {
                0 => breaches.push(format!("`{path}` has no example, and no reason for none")),
                1 => {}
                _ => breaches.push(format!("`{path}` has two reasons")),
            }
        }
        for Reason { path, why } in reasons {
            match self.items.get(*path) {
                None => breaches.push(format!("there is no `{path}`")),
                Some(examples) if !examples.is_empty() => {
                    breaches.push(format!("`{path}` has an example, and needs no reason"));
                }
                Some(_) => {}
            }
            if let Why::Shown { at, by } = why {
                let examples = self.items.get(*at).or_else(|| self.others.get(*at));
                if !examples.is_some_and(|it| it.contains(by)) {
                    breaches.push(format!("`{path}`: no example of `{at}` has `{by}`"));
                }
            }
        }
        breaches
    }
}

/// Why something has no example.
struct Reason<'a> {
    path: &'a str,
    why: Why<'a>,
}

enum Why<'a> {
    /// An example at another place shows it, by this text.
    Shown { at: &'a str, by: &'a str },
    /// There is nothing to show.
    Nothing,
}

/// The lines of a file: `path | shown at | place | text`, or `path | reason`.
fn reasons(text: &str) -> Vec<Reason<'_>> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let reason = |line| {
        let parts = str::split(line, " | ").map(str::trim).collect::<Vec<_>>();
        match parts[..] {
            [path, "shown at", at, by] => Reason { path, why: Why::Shown { at, by } },
            [path, reason] if !reason.is_empty() => Reason { path, why: Why::Nothing },
            _ => panic!("no reason: {line}"),
        }
    };
    lines.map(reason).collect()
}

/// The code in docs that is compiled.
fn examples(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(it) if it.path.is_ident("doc") => match &it.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value() + "\n"),
            _ => None,
        },
        _ => None,
    };
    let docs = attributes.iter().filter_map(line).collect::<String>();
    let (mut examples, mut is_compiled) = (String::new(), None);
    for line in docs.lines() {
        match (line.trim().strip_prefix("```"), is_compiled) {
            (Some(_), Some(_)) => is_compiled = None,
            (Some(language), None) => {
                is_compiled = Some(matches!(language, "" | "rust" | "no_run" | "should_panic"));
            }
            (None, Some(true)) => examples.extend([line, "\n"]),
            (None, _) => {}
        }
    }
    examples
}

#[test]
fn each_public_item_has_an_example_or_a_reason_for_none() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE)).unwrap();
    let breaches = Examples::of(&Modules::of_this_crate()).breaches(&reasons(&text));
    assert!(breaches.is_empty(), "{FILE}: {breaches:#?}");
}

const SOURCE: &str = "
    /// ```
    /// let read = Reader::new().read();
    /// ```
    pub struct Reader;
    impl Reader {
        /// ```
        /// reader.read().at(Place::Begin);
        /// ```
        pub fn read(&self) -> Read { Read }
    }
    /// ```text
    /// No code.
    /// ```
    pub struct Read;
    pub enum Place { Begin }
    pub fn speed() {}
    pub(crate) struct Hidden;";

#[test]
fn an_item_without_an_example_needs_a_reason_that_holds() {
    let modules = Modules::read(&|name| (name == "lib.rs").then(|| SOURCE.to_owned()));
    let breaches = |text: &str| Examples::of(&modules).breaches(&reasons(text)).join("\n");
    let shown =
        "Read | shown at | Reader | .read()\nPlace | shown at | Reader::read | Place::Begin";
    assert_eq!(breaches(&format!("# why\n\n{shown}\nspeed | it is for the docs alone")), "");
    assert_eq!(breaches(shown), "`speed` has no example, and no reason for none");
    let with = |line: &str| breaches(&format!("{shown}\nspeed | it is for the docs\n{line}"));
    assert_eq!(with("Hidden | nothing"), "there is no `Hidden`");
    assert_eq!(with("Reader | nothing"), "`Reader` has an example, and needs no reason");
    assert_eq!(with("speed | nothing"), "`speed` has two reasons");
    let gone = breaches(&format!("{shown}\nspeed | shown at | Reader | speed("));
    assert_eq!(gone, "`speed`: no example of `Reader` has `speed(`");
}
