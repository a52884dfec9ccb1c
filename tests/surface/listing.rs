//! The public surface as text.
//!
//! Types are written as the sources write them, so a signature is the same as long as its text
//! is. Bodies, docs, private fields and what is hidden from the docs are left out.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, Block, Fields, FnArg, ImplItem, Item, ItemImpl, Meta, Pat, Signature, TraitItem,
    Type, Visibility, parse_quote,
};

use crate::{
    items::{attributes, gates_of, is_hidden},
    macros::{heads, without_docs},
    modules::{Definition, ModulePath, Modules, Place, Public},
};

/// The whole surface of a crate, a section for each module that users see.
pub(crate) fn listing(modules: &Modules) -> String {
    let (surface, foreign) = modules.surface();
    let (mut belonging, calls) = belonging(modules, &surface);
    let mut sections = BTreeMap::<ModulePath, BTreeMap<String, Vec<Item>>>::new();
    for (module, item) in foreign {
        let item = Item::Use(item.clone());
        let section = sections.entry(module).or_default();
        section.entry(String::new()).or_default().push(item);
    }
    for public in &surface {
        let mut items = vec![shown(public)];
        items.extend(belonging.remove(&public.definition).unwrap_or_default());
        let section = sections.entry(public.module.clone()).or_default();
        section.entry(public.name.clone()).or_default().extend(items);
    }
    let mut text = String::new();
    for (module, items) in sections {
        let path = [&["pagestream".to_owned()], &module[..]].concat().join("::");
        let items = items.into_values().flatten().collect();
        text.extend(["# ", &path, "\n\n", &printed(items), "\n"]);
    }
    text += "# macros\n\n";
    text.extend(calls);
    for (name, item) in modules.macros() {
        if item.attrs.iter().any(|it| it.path().is_ident("macro_export")) {
            text.extend(["pub ", &name, "!\n"]);
        }
        for head in heads(item.mac.tokens.clone()) {
            text.extend([&name, "! ", &head, "\n"]);
        }
    }
    text
}

fn printed(items: Vec<Item>) -> String {
    prettyplease::unparse(&syn::File { shebang: None, frontmatter: None, attrs: Vec::new(), items })
}

/// The `impl` blocks and the calls of macros that belong to each public item, in an order that
/// does not depend on the files; and the calls that belong to none.
fn belonging(
    modules: &Modules,
    surface: &[Public<'_>],
) -> (BTreeMap<Definition, Vec<Item>>, BTreeSet<String>) {
    let public = surface.iter().map(|it| (it.definition.clone(), it)).collect::<BTreeMap<_, _>>();
    let mut found = BTreeMap::<Definition, Vec<(String, Item)>>::new();
    let mut add = |definition: Definition, item: Item| {
        found.entry(definition).or_default().push((printed(vec![item.clone()]), item));
    };
    for (module, item) in modules.impls() {
        let place = |path: &syn::Path| {
            let path = path.segments.iter().map(|it| it.ident.to_string()).collect::<Vec<_>>();
            match modules.place(module, &path) {
                Some(Place::Item(definition)) => Some(definition),
                _ => None,
            }
        };
        let of_trait = item.trait_.as_ref().and_then(|(path, _)| place(path));
        // A trait that nobody can name says nothing to users.
        if of_trait.as_ref().is_some_and(|it| !public.contains_key(it)) {
            continue;
        }
        let of_type = path_of(&item.self_ty).and_then(place);
        // Nor does such a type. An `impl` for a type of another crate belongs to the trait.
        let Some(owner) = of_type.or(of_trait).filter(|it| public.contains_key(it)) else {
            continue;
        };
        let known = &public[&owner].gates;
        let gates = [&modules.0[module].gates[..], &gates_of(&item.attrs)].concat();
        let gates = gates.into_iter().filter(|it| !known.contains(it)).collect::<Vec<_>>();
        if let Some(item) = of_block(item, gates) {
            add(owner, Item::Impl(item));
        }
    }
    let macros = modules.macros();
    let mut calls = BTreeSet::new();
    for (module, call) in modules.calls() {
        let name = call.mac.path.segments.last().map(|it| it.ident.to_string());
        if !name.is_some_and(|name| macros.contains_key(&name)) {
            continue;
        }
        let names = call.mac.tokens.clone().into_iter().filter_map(|it| match it {
            TokenTree::Ident(name) => modules.place(module, &[name.to_string()]),
            _ => None,
        });
        let owner = names.filter_map(|place| match place {
            Place::Item(definition) if public.contains_key(&definition) => Some(definition),
            _ => None,
        });
        match owner.into_iter().next() {
            Some(owner) => add(owner, Item::Macro(call.clone())),
            None => {
                calls.insert(printed(vec![Item::Macro(call.clone())]));
            }
        }
    }
    let sorted = |(definition, mut items): (Definition, Vec<(String, Item)>)| {
        items.sort_by(|(one, _), (other, _)| one.cmp(other));
        (definition, items.into_iter().map(|(_, item)| item).collect())
    };
    (found.into_iter().map(sorted).collect(), calls)
}

/// The path of a type, also behind a reference.
fn path_of(item: &Type) -> Option<&syn::Path> {
    match item {
        Type::Path(path) => Some(&path.path),
        Type::Reference(reference) => path_of(&reference.elem),
        _ => None,
    }
}

/// An `impl` block without what users do not see. Its methods are in the order of their names.
fn of_block(item: &ItemImpl, gates: Vec<Attribute>) -> Option<ItemImpl> {
    let is_of_trait = item.trait_.is_some();
    let is_public = |it: &Visibility| is_of_trait || matches!(it, Visibility::Public(_));
    let kept = item.items.iter().filter_map(|it| {
        let (name, kept) = match it {
            ImplItem::Fn(it) if !is_of_trait && is_public(&it.vis) && !is_hidden(&it.attrs) => {
                let mut it = it.clone();
                it.attrs = kept(&it.attrs, &gates_of(&it.attrs));
                it.sig = signature(&it.sig);
                it.block = parse_quote!({});
                (it.sig.ident.to_string(), ImplItem::Fn(it))
            }
            ImplItem::Const(it) if is_public(&it.vis) => {
                let mut it = it.clone();
                it.attrs = kept(&it.attrs, &gates_of(&it.attrs));
                it.expr = parse_quote!(_);
                (it.ident.to_string(), ImplItem::Const(it))
            }
            ImplItem::Type(it) => {
                let mut it = it.clone();
                it.attrs = gates_of(&it.attrs);
                (it.ident.to_string(), ImplItem::Type(it))
            }
            ImplItem::Macro(it) if !is_of_trait => {
                let mut it = it.clone();
                it.attrs = Vec::new();
                it.mac.tokens = without_docs(it.mac.tokens);
                (String::new(), ImplItem::Macro(it))
            }
            _ => return None,
        };
        Some((name, kept))
    });
    let kept = kept.collect::<BTreeMap<_, _>>();
    if kept.is_empty() && !is_of_trait {
        return None;
    }
    Some(ItemImpl { attrs: gates, items: kept.into_values().collect(), ..item.clone() })
}

/// An item without what users do not see.
fn shown(public: &Public<'_>) -> Item {
    let attributes = kept(attributes(public.item), &public.gates);
    let mut item = public.item.clone();
    let name = syn::Ident::new(&public.name, proc_macro2::Span::call_site());
    match &mut item {
        Item::Struct(it) => {
            (it.attrs, it.ident) = (attributes, name);
            fields(&mut it.fields, false);
        }
        Item::Enum(it) => {
            (it.attrs, it.ident) = (attributes, name);
            for variant in &mut it.variants {
                variant.attrs = kept(&variant.attrs, &gates_of(&variant.attrs));
                fields(&mut variant.fields, true);
            }
        }
        Item::Trait(it) => {
            (it.attrs, it.ident) = (attributes, name);
            it.items = it.items.iter().filter_map(of_trait).collect();
        }
        Item::Fn(it) => {
            (it.attrs, it.sig.ident) = (attributes, name);
            it.sig = signature(&it.sig);
            *it.block = empty();
        }
        Item::Type(it) => (it.attrs, it.ident) = (attributes, name),
        Item::Const(it) => {
            (it.attrs, it.ident) = (attributes, name);
            it.expr = parse_quote!(_);
        }
        other => panic!("an item of a kind that is not listed: {other:?}"),
    }
    item
}

fn empty() -> Block {
    parse_quote!({})
}

/// A private field shows that it is there, and nothing else.
fn fields(fields: &mut Fields, are_public: bool) {
    let mut has_private = false;
    let is_public = |it: &syn::Field| are_public || matches!(it.vis, Visibility::Public(_));
    for field in fields.iter_mut() {
        field.attrs = gates_of(&field.attrs);
        if !is_public(field) {
            has_private = true;
            field.vis = Visibility::Inherited;
            field.ty = parse_quote!(_);
        }
    }
    if let Fields::Named(named) = fields
        && has_private
    {
        let public = named.named.iter().filter(|it| is_public(it)).cloned();
        let private = parse_quote!(private: _);
        named.named = public.chain([private]).collect();
    }
}

fn of_trait(item: &TraitItem) -> Option<TraitItem> {
    let mut item = item.clone();
    match &mut item {
        TraitItem::Fn(it) => {
            if is_hidden(&it.attrs) {
                return None;
            }
            it.attrs = kept(&it.attrs, &gates_of(&it.attrs));
            it.sig = signature(&it.sig);
            it.default = it.default.as_ref().map(|_| empty());
        }
        TraitItem::Type(it) => {
            if is_hidden(&it.attrs) {
                return None;
            }
            it.attrs = gates_of(&it.attrs);
        }
        TraitItem::Const(it) => it.attrs = gates_of(&it.attrs),
        _ => return None,
    }
    Some(item)
}

/// The gates, and those of the attributes that are promises to users.
fn kept(attributes: &[Attribute], gates: &[Attribute]) -> Vec<Attribute> {
    let mut kept = gates.to_vec();
    for attribute in attributes {
        let is = |name| attribute.path().is_ident(name);
        if is("derive") {
            let Meta::List(list) = &attribute.meta else { continue };
            let text = list.tokens.to_string();
            let names = text.split(',').map(str::trim).filter(|it| !it.is_empty());
            let names = names.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ");
            let names = names.parse::<TokenStream>().expect("it was parsed before");
            kept.push(parse_quote!(#[derive(#names)]));
        } else if is("must_use") {
            // Its text may change.
            kept.push(parse_quote!(#[must_use]));
        } else if is("non_exhaustive") || is("deprecated") {
            kept.push(attribute.clone());
        }
    }
    kept
}

/// A signature with the names of its parameters, and not what a body makes of them.
fn signature(signature: &Signature) -> Signature {
    let mut signature = signature.clone();
    for input in &mut signature.inputs {
        match input {
            FnArg::Receiver(it) => it.mutability = None,
            FnArg::Typed(it) => {
                it.attrs.clear();
                match &mut *it.pat {
                    Pat::Ident(pattern) => pattern.mutability = None,
                    pattern => *pattern = parse_quote!(_),
                }
            }
        }
    }
    signature
}
