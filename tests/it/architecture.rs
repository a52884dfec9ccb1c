//! The table of rooms in `CONTRIBUTING.md`, held against `src/`: each file has its room, and
//! imports what its room may import, from a row below it. And the files that the documents
//! name are there.
//!
//! An import is a path that begins with `crate`, `super`, `self` or a child module, in a `use`
//! or anywhere else in the code. It leads to the file that defines what it names, also where
//! another file gives the name on. Code under `#[cfg(test)]` does not count.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The path of a module, or of an item in it, from the root of the crate on.
type ModulePath = Vec<String>;

/// A path in the code of a file.
struct Named {
    path: ModulePath,
    /// What a `use` calls it in this file. It is empty outside of a `use`.
    name: String,
}

/// A file imports another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Import {
    from: String,
    to: String,
    path: String,
}

/// Reads the paths in the code of a file.
struct Reader<'a> {
    children: &'a BTreeSet<String>,
    found: Vec<Named>,
}

impl Reader<'_> {
    /// Reads the code of a module of the file.
    fn read(&mut self, module: &[String], code: TokenStream) {
        let tokens = without_tests(code);
        let mut index = 0;
        while index < tokens.len() {
            let (before, here) = (index.checked_sub(1).map(|it| &tokens[it]), &tokens[index]);
            let is_inline =
                before.is_some_and(|it| is(it, "mod")) && is_braced(tokens.get(index + 1));
            if is_inline && let TokenTree::Group(body) = &tokens[index + 1] {
                self.read(&[module, &[here.to_string()]].concat(), body.stream());
                index += 2;
            } else if self.begins_path(before, &tokens[index..]) {
                let is_use = before.is_some_and(|it| is(it, "use"));
                index += self.read_path(module, is_use, &tokens[index..]);
            } else {
                if let TokenTree::Group(group) = here {
                    self.read(module, group.stream());
                }
                index += 1;
            }
        }
    }

    fn begins_path(&self, before: Option<&TokenTree>, tokens: &[TokenTree]) -> bool {
        let is_behind = |sign| before.is_some_and(|it| is(it, sign));
        let first = tokens[0].to_string();
        let is_ours =
            matches!(&*first, "crate" | "super" | "self") || self.children.contains(&first);
        is_ours
            && is_separator(&tokens[1..])
            && !is_behind(":")
            && !is_behind(".")
            && !is_behind("in")
    }

    /// Reads a path such as `super::{a, b::{C, D as E}}`. Gives how many tokens it has.
    fn read_path(&mut self, module: &[String], is_use: bool, tokens: &[TokenTree]) -> usize {
        let mut path = module.to_vec();
        let mut length = 0;
        loop {
            match &tokens[length] {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    let tree = group.stream().into_iter().collect::<Vec<_>>();
                    let mut begin = 0;
                    while begin < tree.len() {
                        begin += self.read_path(&path, is_use, &tree[begin..]) + 1;
                    }
                    return length + 1;
                }
                token => match &*token.to_string() {
                    "crate" => path.clear(),
                    "super" => drop(path.pop()),
                    "self" | "*" => {}
                    name => path.push(name.to_owned()),
                },
            }
            length += 1;
            let is_longer = is_separator(&tokens[length..])
                && tokens
                    .get(length + 2)
                    .is_some_and(|it| is_name(it) || is(it, "*") || is_braced(Some(it)));
            if !is_longer {
                break;
            }
            length += 2;
        }
        let mut name = path.last().cloned().unwrap_or_default();
        if tokens.get(length).is_some_and(|it| is(it, "as")) {
            name = tokens[length + 1].to_string();
            length += 2;
        }
        self.found.push(Named { path, name: if is_use { name } else { String::new() } });
        length
    }
}

fn is(token: &TokenTree, text: &str) -> bool {
    !matches!(token, TokenTree::Group(_)) && token.to_string() == text
}

fn is_name(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(_))
}

fn is_braced(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace)
}

fn is_separator(tokens: &[TokenTree]) -> bool {
    tokens.len() > 2 && is(&tokens[0], ":") && is(&tokens[1], ":")
}

/// The code without the items under `#[cfg(test)]`.
fn without_tests(code: TokenStream) -> Vec<TokenTree> {
    let (mut kept, mut is_test) = (Vec::new(), false);
    for token in code {
        let is_attribute = kept.last().is_some_and(|it| is(it, "#"));
        let text = if is_attribute { token.to_string().replace(' ', "") } else { String::new() };
        if text == "[cfg(test)]" || text.starts_with("[cfg(all(test,") {
            kept.pop();
            is_test = true;
        } else if is_test {
            is_test = !is_braced(Some(&token)) && !is(&token, ";");
        } else {
            kept.push(token);
        }
    }
    kept
}

/// The module that a file is.
fn module(file: &str) -> ModulePath {
    let path = file.trim_end_matches(".rs");
    let path = if path == "lib" { "" } else { path.trim_end_matches("mod") };
    path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The imports of the files, by their names below `src/` and their code.
fn imports(sources: &BTreeMap<String, String>) -> Vec<Import> {
    let modules: BTreeMap<_, _> = sources.keys().map(|file| (module(file), &**file)).collect();
    let mut named = BTreeMap::new();
    for (path, file) in &modules {
        let is_child = |it: &&ModulePath| it.len() == path.len() + 1 && it.starts_with(path);
        let children = modules.keys().filter(is_child).map(|it| it[path.len()].clone()).collect();
        let mut reader = Reader { children: &children, found: Vec::new() };
        reader.read(path, sources[*file].parse().unwrap());
        named.insert(*file, reader.found);
    }
    // The file that defines what a path names.
    let resolve = |path: &ModulePath| {
        let mut path = path.clone();
        for _ in 0..8 {
            let is_module = |length: &usize| modules.contains_key(&path[..*length]);
            let length = (0..=path.len()).rev().find(is_module).unwrap();
            let file = modules[&path[..length]];
            let Some(name) = path.get(length) else { return file };
            let given_on = named[file].iter().find(|it| it.name == *name && it.path != path);
            let Some(given_on) = given_on else { return file };
            path = [&given_on.path, &path[length + 1..]].concat();
        }
        panic!("{path:?} goes in a cycle");
    };
    let mut imports = Vec::new();
    for (file, named) in &named {
        for it in named {
            let (from, to) = ((*file).to_owned(), resolve(&it.path).to_owned());
            let path = format!("crate::{}", it.path.join("::"));
            if to != from {
                imports.push(Import { from, to, path });
            }
        }
    }
    imports
}

/// The files below `src/`, without those of tests.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut sources, mut folders) = (BTreeMap::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with("tests.rs") || path.ends_with("tests") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            if !is_source(&name) {
                continue; // a chapter of the guide
            }
            sources.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    sources
}

/// A document of the project.
fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn is_source(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|it| it == "rs")
}

/// A row of the table.
struct Room {
    /// A file, or a folder with a slash at its end.
    name: String,
    may_import: BTreeSet<String>,
}

/// The rooms of the table, from top to bottom.
fn rooms(text: &str) -> Vec<Room> {
    let rows = text.lines().skip_while(|line| !line.starts_with("| room |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let room = |row: &str| {
        let cells = row.trim_matches('|').split('|').collect::<Vec<_>>();
        let [name, _, may_import] = cells[..] else { panic!("three cells in {row}") };
        let name = quoted(name).next().unwrap_or_else(|| panic!("no room in {row}"));
        Room { name: name.to_owned(), may_import: quoted(may_import).map(str::to_owned).collect() }
    };
    rows.map(room).collect()
}

/// All that the files and the table contradict each other in.
fn breaches(sources: &BTreeMap<String, String>, rooms: &[Room]) -> Vec<String> {
    let imports = imports(sources);
    let room_of = |file: &str| {
        let is_in = |room: &&Room| match room.name.strip_suffix('/') {
            Some(_) => file.starts_with(&room.name),
            None => file == room.name,
        };
        rooms.iter().filter(is_in).max_by_key(|room| room.name.len()).map(|room| &room.name)
    };
    let row_of = |name: &str| rooms.iter().position(|room| room.name == name);
    let mut breaches = Vec::new();
    for file in sources.keys().filter(|file| room_of(file).is_none()) {
        breaches.push(format!("{file} has no room"));
    }
    let mut needed = BTreeSet::new();
    for Import { from, to, path } in &imports {
        let (Some(here), Some(there)) = (room_of(from), room_of(to)) else { continue };
        needed.insert((here, there));
        let may_import = &rooms[row_of(here).unwrap()].may_import;
        if here != there && !may_import.contains(there) {
            breaches.push(format!("{from} imports {path}, and `{here}` may not import `{there}`"));
        }
    }
    for (row, Room { name, may_import }) in rooms.iter().enumerate() {
        if !sources.keys().any(|file| room_of(file) == Some(name)) {
            breaches.push(format!("`{name}` has no file"));
        }
        for below in may_import {
            if row_of(below).is_none_or(|it| it <= row) {
                breaches.push(format!("`{name}` may import `{below}`, which is not below it"));
            } else if !needed.contains(&(name, below)) {
                breaches.push(format!("`{name}` may import `{below}`, and does not"));
            }
        }
    }
    breaches.extend(cycles(&imports));
    breaches
}

/// The files that import each other. A file may name what the `mod.rs` above it defines.
fn cycles(imports: &[Import]) -> Vec<String> {
    let is_face = |it: &&Import| {
        it.to.strip_suffix("mod.rs").is_some_and(|folder| it.from.starts_with(folder))
    };
    let mut left = imports.iter().filter(|it| !is_face(it)).collect::<Vec<_>>();
    loop {
        // What nobody imports, and what imports nothing, is in no cycle.
        let count = left.len();
        let from = left.iter().map(|it| &it.from).collect::<BTreeSet<_>>();
        let to = left.iter().map(|it| &it.to).collect::<BTreeSet<_>>();
        left.retain(|it| to.contains(&it.from) && from.contains(&it.to));
        if left.len() == count {
            break;
        }
    }
    left.iter().map(|it| format!("{} imports {}, in a cycle", it.from, it.path)).collect()
}

/// What the table says, with rows given as (room, rooms that it may import).
fn table(rows: &[(&str, &str)]) -> Vec<Room> {
    let row = |(name, may_import): &(&str, &str)| format!("| `{name}` | | {may_import} |\n");
    rooms(&format!("| room | | |\n|---|---|---|\n{}", rows.iter().map(row).collect::<String>()))
}

fn files(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(name, code)| ((*name).to_owned(), (*code).to_owned())).collect()
}

#[test]
fn each_file_imports_what_the_table_allows_its_room() {
    let breaches = breaches(&sources(), &rooms(&document("CONTRIBUTING.md")));
    assert!(breaches.is_empty(), "{breaches:#?}");
}

#[test]
fn an_import_that_the_table_does_not_allow_is_found_however_it_is_written() {
    let written = [
        "use crate::top::Name;",
        "use crate::{top::Name as Other};",
        "use super::top;",
        "use super::{top::{self, Name}};",
        "fn f() { let _ = crate::top::Name::new(); }",
        "mod inner { use super::super::top::Name; }",
        "impl crate::top::Name {}",
        "use crate::Name; // by way of the root, which gives the name on",
    ];
    let rooms = table(&[("lib.rs", "`top.rs` `low.rs`"), ("top.rs", ""), ("low.rs", "")]);
    let root = "pub use self::{low::Low, top::Name};";
    for code in written {
        let sources = files(&[("lib.rs", root), ("top.rs", ""), ("low.rs", code)]);
        let breaches = breaches(&sources, &rooms);
        assert!(breaches.iter().any(|it| it.starts_with("low.rs imports crate::")), "{code}");
        assert!(breaches.iter().all(|it| it.contains("low.rs")), "{code}: {breaches:?}");
    }
}

#[test]
fn what_is_no_import_is_not_found() {
    let code = "
        // use crate::top::Name;
        const TEXT: &str = \"use crate::top::Name;\";
        pub(in crate::top) fn f() { std::top::g(); other::low::h() }
        #[cfg(test)]
        use crate::top::Name;
        #[cfg(all(test, feature = \"x\"))]
        mod tests { use crate::top::Name; }";
    let sources = files(&[("top.rs", ""), ("low.rs", code), ("lib.rs", "")]);
    let rooms = table(&[("lib.rs", ""), ("top.rs", ""), ("low.rs", "")]);
    assert_eq!(breaches(&sources, &rooms), Vec::<String>::new());
}

#[test]
fn a_table_that_is_wrong_about_the_files_is_found() {
    let import = "use crate::low::Name;";
    let is = |sources: &[(&str, &str)], rows: &[(&str, &str)], expected: &[&str]| {
        let sources = files(&[sources, &[("lib.rs", "")]].concat());
        let rooms = table(&[&[("lib.rs", "")], rows].concat());
        assert_eq!(breaches(&sources, &rooms), expected);
    };
    is(&[("new.rs", "")], &[], &["new.rs has no room"]);
    is(&[], &[("gone.rs", "")], &["`gone.rs` has no file"]);
    is(
        &[("top.rs", ""), ("low.rs", "")],
        &[("top.rs", "`low.rs`"), ("low.rs", "")],
        &["`top.rs` may import `low.rs`, and does not"],
    );
    is(
        &[("top.rs", import), ("low.rs", "")],
        &[("low.rs", ""), ("top.rs", "`low.rs`")],
        &["`top.rs` may import `low.rs`, which is not below it"],
    );
    // The longest name is the room of a file.
    is(
        &[("a/b/c.rs", "use crate::low::Name;"), ("a/d.rs", ""), ("low.rs", "")],
        &[("a/b/", ""), ("a/", "`low.rs`"), ("low.rs", "")],
        &[
            "a/b/c.rs imports crate::low::Name, and `a/b/` may not import `low.rs`",
            "`a/` may import `low.rs`, and does not",
        ],
    );
}

#[test]
fn files_of_one_room_that_import_each_other_are_found() {
    let mut sources = files(&[
        ("lib.rs", ""),
        ("a/mod.rs", "mod x; pub struct Face; use self::x::X;"),
        ("a/x.rs", "use super::Face; pub struct X;"),
        ("a/y.rs", "use super::x::X;"),
    ]);
    let rooms = table(&[("lib.rs", ""), ("a/", "")]);
    assert_eq!(breaches(&sources, &rooms), Vec::<String>::new());
    sources.insert("a/x.rs".to_owned(), "use super::y::Y; pub struct X;".to_owned());
    let found =
        ["a/x.rs imports crate::a::y::Y, in a cycle", "a/y.rs imports crate::a::x::X, in a cycle"];
    assert_eq!(breaches(&sources, &rooms), found);
}

#[test]
fn each_step_of_the_design_names_one_file_and_none_twice() {
    let design = document("DESIGN.md");
    let is_step =
        |line: &&str| line.split_once(". ").is_some_and(|(it, _)| it.parse::<u32>().is_ok());
    let mut named = BTreeSet::new();
    for step in design.lines().filter(is_step) {
        let files = quoted(step).filter(|it| is_source(it)).collect::<Vec<_>>();
        let [file] = files[..] else { panic!("one file in the step: {step}") };
        assert!(named.insert(file), "{file} is in two steps");
    }
    assert!(named.len() > 10, "{named:?}");
}

#[test]
fn each_file_that_the_documents_name_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["DESIGN.md", "CONTRIBUTING.md", "README.md", "tests/README.md"] {
        let text = document(name);
        let is_file = |it: &&str| it.contains('/') && (is_source(it) || it.ends_with('/'));
        for file in quoted(&text).filter(is_file) {
            let is_there =
                ["", "src", "tests", "tests/it"].iter().any(|it| root.join(it).join(file).exists());
            assert!(is_there, "{name} names {file}");
        }
    }
}
