//! The public surface is that of `api.txt`, so that no change of it is an accident.
//!
//! `ACCEPT_PUBLIC_API=1 cargo test --test surface` writes the file. CONTRIBUTING.md says which
//! changes break users.

use std::{collections::BTreeMap, env, fs, path::Path};

use crate::{listing::listing, modules::Modules};

const FILE: &str = "tests/surface/api.txt";
const ACCEPT: &str = "ACCEPT_PUBLIC_API";

/// The lines that only one of two texts has, each with the section that it is in.
fn difference(before: &str, after: &str) -> Vec<String> {
    let (before, after) = (before.lines().collect::<Vec<_>>(), after.lines().collect::<Vec<_>>());
    let mut same = vec![vec![0_u32; after.len() + 1]; before.len() + 1];
    for one in (0..before.len()).rev() {
        for other in (0..after.len()).rev() {
            same[one][other] = if before[one] == after[other] {
                same[one + 1][other + 1] + 1
            } else {
                same[one + 1][other].max(same[one][other + 1])
            };
        }
    }
    let (mut one, mut other) = (0, 0);
    let (mut found, mut section, mut named) = (Vec::new(), "", "");
    while one < before.len() || other < after.len() {
        let is_same = one < before.len() && before.get(one) == after.get(other);
        let is_gone = other == after.len()
            || (one < before.len() && same[one + 1][other] >= same[one][other + 1]);
        if is_same {
            if before[one].starts_with("# ") {
                section = before[one];
            }
            one += 1;
            other += 1;
            continue;
        }
        if named != section {
            found.push(section.to_owned());
            named = section;
        }
        if is_gone {
            found.push(format!("- {}", before[one]));
            one += 1;
        } else {
            found.push(format!("+ {}", after[other]));
            other += 1;
        }
    }
    found
}

/// The surface of a crate with these files.
fn surface_of(files: &[(&str, &str)]) -> String {
    let files = files.iter().copied().collect::<BTreeMap<_, _>>();
    listing(&Modules::read(&|name| files.get(name).map(|text| (*text).to_owned())))
}

/// The features of a manifest, each with what it turns on.
fn features(manifest: &str) -> String {
    let mut lines = manifest.lines().skip_while(|line| *line != "[features]");
    let heading = lines.next().map(|_| "# features\n\n".to_owned());
    let features = lines.take_while(|line| !line.starts_with('['));
    let features = features.filter(|line| !line.starts_with('#') && !line.is_empty());
    heading.into_iter().chain(features.map(|line| format!("{line}\n"))).collect()
}

#[test]
fn a_feature_that_goes_is_noticed() {
    let before =
        "[package]\n\n[features]\n# All.\ndefault = [\"a\"]\na = []\n\n[dependencies]\nb = \"1\"";
    assert_eq!(features(before), "# features\n\ndefault = [\"a\"]\na = []\n");
    assert_ne!(features(&before.replace("a = []\n", "")), features(before));
}

#[test]
fn the_public_surface_is_the_one_that_was_accepted() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let features = features(include_str!("../../Cargo.toml"));
    let now = format!("{features}\n{}", listing(&Modules::of_this_crate()));
    if env::var_os(ACCEPT).is_some() {
        fs::write(&path, &now).unwrap();
    }
    let accepted = fs::read_to_string(&path).unwrap();
    let difference = difference(&accepted, &now);
    assert!(
        difference.is_empty(),
        "the public surface differs from {FILE}:\n\n{}\n\nIf that is meant, run \
         `{ACCEPT}=1 cargo test --test surface`, and commit the file. CONTRIBUTING.md says which \
         changes break users.",
        difference.join("\n")
    );
}

const ROOT: &str = "
    mod engine;
    #[cfg(feature = \"rest\")]
    pub mod http { pub use super::engine::inner::Client; }
    pub use self::engine::{Read, Reader, speed};
    pub use other_crate::Secret;
    mod rest;
    #[cfg(test)]
    mod tests;";

const ENGINE: &str = "
    pub(super) mod inner;
    /// Docs.
    #[derive(Debug, Clone)]
    pub struct Read { pub size: usize, seen: u64 }
    pub(crate) struct Private;
    pub trait Reader: Send {
        type Page;
        fn read(&self, at: u64) -> Self::Page;
        fn size(&self) -> usize { 7 }
        #[doc(hidden)]
        fn hidden(&self) {}
    }
    trait Inner {}
    impl Read {
        pub fn size(mut self, size: usize) -> Self { self.size = size; self }
        pub(crate) fn seen(&self) -> u64 { self.seen }
        setters!(1);
    }
    impl Reader for Read { type Page = (); fn read(&self, at: u64) {} }
    impl Inner for Read {}
    impl Default for Read { fn default() -> Self { todo!() } }
    pub fn speed(mut of: u64) -> f64 { 1.0 }";

const CLIENT: &str = "
    #[non_exhaustive]
    pub enum Client { Fast(u32), Slow { wait: u64 } }
    macro_rules! setters {
        ($n:literal) => { /// Docs.
            pub fn wait(mut self, seconds: u64) -> Self { self } };
    }
    macro_rules! all { () => { setters! { /// Docs.
        token; } }; }";

const FILES: [(&str, &str); 4] =
    [("lib.rs", ROOT), ("engine/mod.rs", ENGINE), ("engine/inner.rs", CLIENT), ("rest.rs", "")];

/// The surface of the files with one text instead of another.
fn surface_with(old: &str, new: &str) -> String {
    let files = FILES.map(|(name, text)| (name, text.replace(old, new)));
    assert!(files.iter().zip(FILES).any(|((_, new), (_, old))| new != old), "{old}");
    surface_of(&files.each_ref().map(|(name, text)| (*name, &**text)))
}

#[test]
fn a_listing_has_what_users_see_and_nothing_else() {
    let expected = "\
# pagestream

pub use other_crate::Secret;
#[derive(Clone, Debug)]
pub struct Read {
    pub size: usize,
    private: _,
}
impl Default for Read {}
impl Read {
    setters!(1);
    pub fn size(self, size: usize) -> Self {}
}
impl Reader for Read {
    type Page = ();
}
pub trait Reader: Send {
    type Page;
    fn read(&self, at: u64) -> Self::Page;
    fn size(&self) -> usize {}
}
pub fn speed(of: u64) -> f64 {}

# pagestream::http

#[cfg(feature = \"rest\")]
#[non_exhaustive]
pub enum Client {
    Fast(u32),
    Slow { wait: u64 },
}

# macros

all! setters ! token ;
setters! pub fn wait (mut self , seconds : u64) -> Self
";
    assert_eq!(surface_of(&FILES), expected);
}

#[test]
fn each_change_that_users_can_see_is_noticed() {
    let before = surface_of(&FILES);
    let changes = [
        ("size: usize) -> Self {", "size: u64) -> Self {"),
        ("pub fn size(", "pub(crate) fn size("),
        ("pub size: usize", "size: usize"),
        ("fn size(&self) -> usize { 7 }", "fn size(&self) -> usize;"),
        ("fn size(&self) -> usize { 7 }", "fn size(&self) -> usize { 7 } fn more(&self);"),
        ("macro_rules! all", "#[macro_export] macro_rules! all"),
        ("trait Reader: Send", "trait Reader: Send + Sync"),
        ("type Page = ();", "type Page = u64;"),
        ("#[derive(Debug, Clone)]", "#[derive(Debug)]"),
        ("impl Default for Read", "impl Clone for Read"),
        ("Fast(u32)", "Fast(u32, u32)"),
        ("Slow { wait: u64 }", "Slow { wait: u64 }, New"),
        ("#[non_exhaustive]", ""),
        ("feature = \"rest\"", "feature = \"http\""),
        ("Read, Reader, speed", "Read, Reader"),
        ("other_crate::Secret", "other_crate::Key"),
        ("seconds: u64", "seconds: u32"),
        ("setters!(1);", ""),
        ("token;", "key;"),
        ("speed(mut of: u64) -> f64", "speed<T>(mut of: u64) -> f64"),
    ];
    for (old, new) in changes {
        assert!(!difference(&before, &surface_with(old, new)).is_empty(), "{old} becomes {new}");
    }
}

#[test]
#[should_panic(expected = "without a `*`")]
fn a_public_glob_is_no_way_around_the_listing() {
    surface_with("pub use self::engine::{Read, Reader, speed};", "pub use self::engine::*;");
}

#[test]
fn what_users_cannot_see_changes_nothing() {
    let before = surface_of(&FILES);
    let changes = [
        ("{ 7 }", "{ 8 }"),
        ("seen: u64 }", "seen: u32, more: u8 }"),
        ("/// Docs.", "/// Other docs."),
        ("pub(crate) fn seen(&self) -> u64", "pub(crate) fn seen(&self) -> u32"),
        ("mut of: u64", "of: u64"),
        ("pub(crate) struct Private;", ""),
        ("impl Inner for Read {}", ""),
        ("fn hidden(&self) {}", "fn concealed(&self) {}"),
        ("#[derive(Debug, Clone)]", "#[derive(Clone, Debug)]"),
    ];
    for (old, new) in changes {
        assert_eq!(surface_with(old, new), before, "{old} becomes {new}");
    }
}

#[test]
fn a_difference_names_the_lines_and_their_section() {
    let before = "# one\na\nb\n# two\nc\nd\n";
    assert_eq!(difference(before, before), Vec::<String>::new());
    let after = "# one\na\nb\n# two\nc\nD\ne\n";
    assert_eq!(difference(before, after), ["# two", "- d", "+ D", "+ e"]);
    assert_eq!(difference("# one\n", "# one\na\n"), ["# one", "+ a"]);
    assert_eq!(difference("# one\na\n", "# one\n"), ["# one", "- a"]);
}
