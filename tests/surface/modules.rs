//! The modules of a crate, read from its sources, and what a path in one of them leads to.

use std::{collections::BTreeMap, fs, path::Path};

use syn::{Attribute, Item, ItemImpl, ItemMacro, UseTree, Visibility};

use crate::items::{self, gates_of, is_hidden, is_public, name_of, says};

/// The path of a module from the root of the crate on.
pub(crate) type ModulePath = Vec<String>;

/// An item: its module and its name there.
pub(crate) type Definition = (ModulePath, String);

/// A module with its code.
pub(crate) struct Module {
    pub(crate) items: Vec<Item>,
    /// Its own attributes, with its docs, where it is a file.
    pub(crate) attributes: Vec<Attribute>,
    /// The conditions that it and the modules around it have.
    pub(crate) gates: Vec<Attribute>,
}

/// All modules of a crate, without those of tests.
pub(crate) struct Modules(pub(crate) BTreeMap<ModulePath, Module>);

/// What a path leads to.
#[derive(Debug, PartialEq)]
pub(crate) enum Place {
    Module(ModulePath),
    Item(Definition),
}

/// An item of the public surface.
pub(crate) struct Public<'a> {
    /// Where users find it.
    pub(crate) module: ModulePath,
    pub(crate) name: String,
    pub(crate) definition: Definition,
    pub(crate) item: &'a Item,
    pub(crate) gates: Vec<Attribute>,
}

impl Modules {
    /// Those of the crate of this test.
    pub(crate) fn of_this_crate() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        Self::read(&|name| fs::read_to_string(root.join(name)).ok())
    }

    /// `source` gives the text of a file by its name below `src/`, if there is one.
    pub(crate) fn read(source: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut modules = Self(BTreeMap::new());
        modules.add_file(Vec::new(), Vec::new(), source);
        modules
    }

    fn add_file(
        &mut self,
        path: ModulePath,
        gates: Vec<Attribute>,
        source: &dyn Fn(&str) -> Option<String>,
    ) {
        let stem = if path.is_empty() { "lib".to_owned() } else { path.join("/") };
        let text = source(&format!("{stem}.rs")).or_else(|| source(&format!("{stem}/mod.rs")));
        let text = text.unwrap_or_else(|| panic!("no file of the module {stem}"));
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{stem}: {error}"));
        self.add(path, (file.attrs, file.items), gates, source);
    }

    fn add(
        &mut self,
        path: ModulePath,
        (attributes, items): (Vec<Attribute>, Vec<Item>),
        gates: Vec<Attribute>,
        source: &dyn Fn(&str) -> Option<String>,
    ) {
        let (mut kept, mut children) = (Vec::new(), Vec::new());
        for item in items {
            let own = gates_of(items::attributes(&item));
            // The guide is in the docs alone.
            if own.iter().any(|gate| says(gate, "test") || says(gate, "doctest")) {
                continue;
            }
            if let Item::Mod(module) = &item {
                let child = [&path[..], &[module.ident.to_string()]].concat();
                let content = module.content.clone().map(|(_, items)| items);
                children.push((child, content, [&gates[..], &own].concat()));
            }
            kept.push(item);
        }
        self.0.insert(path, Module { items: kept, attributes, gates });
        for (path, content, gates) in children {
            match content {
                Some(items) => self.add(path, (Vec::new(), items), gates, source),
                None => self.add_file(path, gates, source),
            }
        }
    }

    /// What a path in the code of a module leads to; `None` where it leads out of the crate.
    pub(crate) fn place(&self, module: &[String], path: &[String]) -> Option<Place> {
        self.place_within(module, path, 16)
    }

    fn place_within(&self, module: &[String], path: &[String], steps: usize) -> Option<Place> {
        let steps = steps.checked_sub(1)?;
        let mut at = module.to_vec();
        let mut path = path;
        loop {
            let Some((first, rest)) = path.split_first() else { return Some(Place::Module(at)) };
            path = rest;
            let child = [&at[..], std::slice::from_ref(first)].concat();
            let is_module = self.0.contains_key(&child);
            match &**first {
                "crate" => at.clear(),
                "super" => drop(at.pop()),
                "self" => {}
                // At its end, a path leads to what is no module, if there is such a thing.
                _ if is_module && !rest.is_empty() => at = child,
                name if self.item(&(at.clone(), name.to_owned())).is_some() => {
                    return Some(Place::Item((at, name.to_owned())));
                }
                name => {
                    let uses = self.uses(&at).into_iter();
                    let of_name = uses.filter(|(it, ..)| it == name).map(|(_, path, _)| path);
                    let given = of_name.filter_map(|path| self.place_within(&at, &path, steps));
                    match given.into_iter().next() {
                        Some(Place::Module(module)) => at = module,
                        Some(item @ Place::Item(_)) => return Some(item),
                        None if is_module => at = child,
                        None => return None,
                    }
                }
            }
        }
    }

    /// An item by its module and name.
    pub(crate) fn item(&self, (module, name): &Definition) -> Option<&Item> {
        let items = self.0.get(module)?.items.iter();
        items.into_iter().find(|item| name_of(item).is_some_and(|it| it == *name))
    }

    /// The names that a module has by `use`, with their paths and the statements.
    fn uses(&self, module: &ModulePath) -> Vec<(String, Vec<String>, &syn::ItemUse)> {
        let mut found = Vec::new();
        for item in &self.0[module].items {
            if let Item::Use(item) = item {
                let mut leaves = Vec::new();
                leaves_of(&item.tree, &[], &mut leaves);
                found.extend(leaves.into_iter().map(|(name, path)| (name, path, item)));
            }
        }
        found
    }

    /// All items that users can name, by where they find them, and the names that come from
    /// other crates.
    pub(crate) fn surface(&self) -> (Vec<Public<'_>>, Vec<(ModulePath, &syn::ItemUse)>) {
        let (mut found, mut foreign) = (Vec::new(), Vec::new());
        for module in self.public_modules() {
            for item in &self.0[&module].items {
                if let Some(name) = name_of(item).filter(|_| is_public(item)) {
                    let definition = (module.clone(), name.clone());
                    found.extend(self.public(module.clone(), name, definition, &[]));
                }
            }
            for item in &self.0[&module].items {
                if let Item::Use(item) = item
                    && matches!(item.vis, Visibility::Public(_))
                {
                    assert!(!has_glob(&item.tree), "name what `pub use` gives on, without a `*`");
                }
            }
            let uses = self.uses(&module).into_iter();
            for (name, path, item) in
                uses.filter(|(.., it)| matches!(it.vis, Visibility::Public(_)))
            {
                match self.place(&module, &path) {
                    Some(Place::Item(definition)) => {
                        let gates = gates_of(&item.attrs);
                        found.extend(self.public(module.clone(), name, definition, &gates));
                    }
                    Some(Place::Module(_)) => panic!("a module is given on as {name}"),
                    None => foreign.push((module.clone(), item)),
                }
            }
        }
        foreign.dedup();
        (found, foreign)
    }

    fn public(
        &self,
        module: ModulePath,
        name: String,
        definition: Definition,
        of_use: &[Attribute],
    ) -> Option<Public<'_>> {
        let item = self.item(&definition)?;
        if is_hidden(items::attributes(item)) {
            return None;
        }
        let mut gates = self.0[&module].gates.clone();
        let of_definition = &self.0[&definition.0].gates;
        let of_item = gates_of(items::attributes(item));
        for gate in of_definition.iter().chain(of_use).chain(&of_item) {
            if !gates.contains(gate) {
                gates.push(gate.clone());
            }
        }
        Some(Public { module, name, definition, item, gates })
    }

    fn public_modules(&self) -> Vec<ModulePath> {
        let mut found = vec![Vec::new()];
        let mut at = 0;
        while let Some(module) = found.get(at).cloned() {
            for item in &self.0[&module].items {
                if let Item::Mod(item) = item
                    && matches!(item.vis, Visibility::Public(_))
                    && !is_hidden(&item.attrs)
                {
                    found.push([&module[..], &[item.ident.to_string()]].concat());
                }
            }
            at += 1;
        }
        found
    }

    /// All `impl` blocks, with their modules.
    pub(crate) fn impls(&self) -> impl Iterator<Item = (&ModulePath, &ItemImpl)> {
        self.0.iter().flat_map(|(path, module)| {
            module.items.iter().filter_map(move |item| match item {
                Item::Impl(item) => Some((path, item)),
                _ => None,
            })
        })
    }

    /// The macros that are called beside items, with their modules.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (&ModulePath, &ItemMacro)> {
        self.0.iter().flat_map(|(path, module)| {
            module.items.iter().filter_map(move |item| match item {
                Item::Macro(item) if item.ident.is_none() => Some((path, item)),
                _ => None,
            })
        })
    }

    /// The macros that the crate defines, by their names.
    pub(crate) fn macros(&self) -> BTreeMap<String, &ItemMacro> {
        let items = self.0.values().flat_map(|module| &module.items);
        let defined = items.filter_map(|item| match item {
            Item::Macro(item) => Some((item.ident.as_ref()?.to_string(), item)),
            _ => None,
        });
        defined.collect()
    }
}

/// The names at the ends of a `use`, each with its path.
fn leaves_of(tree: &UseTree, before: &[String], found: &mut Vec<(String, Vec<String>)>) {
    let with = |name: &dyn ToString| [before, &[name.to_string()]].concat();
    match tree {
        UseTree::Path(path) => leaves_of(&path.tree, &with(&path.ident), found),
        UseTree::Name(name) if name.ident == "self" => {
            found.extend(before.last().map(|last| (last.clone(), before.to_vec())));
        }
        UseTree::Name(name) => found.push((name.ident.to_string(), with(&name.ident))),
        UseTree::Rename(name) => found.push((name.rename.to_string(), with(&name.ident))),
        UseTree::Group(group) => {
            group.items.iter().for_each(|tree| leaves_of(tree, before, found));
        }
        UseTree::Glob(_) => {}
    }
}

fn has_glob(tree: &UseTree) -> bool {
    match tree {
        UseTree::Path(path) => has_glob(&path.tree),
        UseTree::Group(group) => group.items.iter().any(has_glob),
        UseTree::Glob(_) => true,
        UseTree::Name(_) | UseTree::Rename(_) => false,
    }
}
