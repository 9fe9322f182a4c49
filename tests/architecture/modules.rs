//! Which files of a crate import which, by their `use` lines. Names that a module hands on lead to the file
//! that has them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

type ModulePath = Vec<String>;

/// Deep enough for a name that is handed on from room to room.
const MOST_STEPS: usize = 12;

/// The modules of one crate that lie in files of their own, without tests.
pub(super) struct Modules {
    imports: BTreeMap<ModulePath, Vec<Import>>,
}

/// One name that a module imports or hands on.
#[derive(Debug, PartialEq, Eq)]
struct Import {
    /// The whole path, from the crate's root.
    path: ModulePath,
    /// What the module calls it; `*` for all that is there.
    name: String,
    /// Whether it begins with the name of a module below, or else of another crate.
    is_relative: bool,
}

impl Modules {
    /// Reads all files below a crate's `src`.
    pub(super) fn read(source: &Path) -> Self {
        let mut imports = BTreeMap::new();
        read_folder(source, &[], &mut imports);
        Self::new(imports)
    }

    /// Leaves out what comes from other crates.
    fn new(mut imports: BTreeMap<ModulePath, Vec<Import>>) -> Self {
        let modules: BTreeSet<ModulePath> = imports.keys().cloned().collect();
        for (module, imports) in &mut imports {
            imports.retain(|import| {
                !import.is_relative || modules.contains(&import.path[..=module.len()])
            });
        }
        Self { imports }
    }

    pub(super) fn len(&self) -> usize {
        self.imports.len()
    }

    /// Returns the sets of files, two or more, of which each reaches each other.
    pub(super) fn circles(&self) -> Vec<BTreeSet<String>> {
        let reached: BTreeMap<_, _> = self
            .imports
            .keys()
            .map(|module| (module, self.reach(module)))
            .collect();
        let mut circles = BTreeSet::new();
        for (module, others) in &reached {
            let circle: BTreeSet<String> = others
                .iter()
                .filter(|other| reached[*other].contains(*module))
                .map(|other| other.join("::"))
                .collect();
            if circle.len() > 1 {
                circles.insert(circle);
            }
        }
        circles.into_iter().collect()
    }

    fn reach<'a>(&'a self, from: &ModulePath) -> BTreeSet<&'a ModulePath> {
        let mut reached = BTreeSet::new();
        let mut open = self.targets(from);
        while let Some(module) = open.pop() {
            if reached.insert(module) {
                open.extend(self.targets(module));
            }
        }
        reached
    }

    /// The modules that a module's imports lead to.
    fn targets(&self, module: &ModulePath) -> Vec<&ModulePath> {
        let imports = self.imports[module].iter();
        imports
            .filter_map(|import| self.home(&import.path, MOST_STEPS))
            .filter(|home| *home != module)
            .collect()
    }

    /// The module in which a path's last name is at home.
    fn home(&self, path: &[String], steps: usize) -> Option<&ModulePath> {
        let length = (0..=path.len())
            .rev()
            .find(|length| self.imports.contains_key(&path[..*length]))?;
        let (module, imports) = self.imports.get_key_value(&path[..length])?;
        let Some(name) = path.get(length).filter(|_| steps > 0) else {
            return Some(module);
        };
        match imports.iter().find(|import| import.name == *name) {
            Some(import) => self.home(&import.path, steps - 1),
            None => Some(module),
        }
    }
}

fn read_folder(folder: &Path, above: &[String], imports: &mut BTreeMap<ModulePath, Vec<Import>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if stem == "tests" || stem == "testing" || stem.ends_with("_tests") {
            continue;
        }
        if path.is_dir() {
            let module = [above, &[stem]].concat();
            read_folder(&path, &module, imports);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let module = match stem.as_str() {
                "lib" | "main" | "mod" => above.to_vec(),
                _ => [above, &[stem]].concat(),
            };
            let text = fs::read_to_string(&path).unwrap();
            imports.insert(module.clone(), read_imports(&text, &module));
        }
    }
}

/// Reads the `use` lines of a file, up to its tests.
fn read_imports(text: &str, module: &[String]) -> Vec<Import> {
    let code = text
        .split("#[cfg(test)]\n#[allow(clippy::unwrap_used)]\nmod tests {")
        .next();
    let code = code.unwrap().split("#[cfg(test)]\nmod tests {").next();
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for line in code.unwrap().lines() {
        let line = line.trim();
        let begun = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "]
            .iter()
            .find_map(|begin| line.strip_prefix(begin));
        let text = match (&mut open, begun) {
            (Some(text), _) => {
                text.push(' ');
                text.push_str(line);
                text.clone()
            }
            (None, Some(rest)) => rest.to_owned(),
            (None, None) => continue,
        };
        match text.strip_suffix(';') {
            Some(tree) => {
                open = None;
                for leaf in leaves(tree) {
                    found.extend(import(&leaf, module));
                }
            }
            None => open = Some(text),
        }
    }
    found
}

/// Makes an import of a path with all its parts; `None` where the path leaves the crate.
fn import(leaf: &str, module: &[String]) -> Option<Import> {
    let (path, alias) = match leaf.split_once(" as ") {
        Some((path, alias)) => (path, Some(alias.trim().to_owned())),
        None => (leaf, None),
    };
    let mut parts: Vec<String> = path
        .split("::")
        .map(|part| part.trim().to_owned())
        .collect();
    let above = || Some(module[..module.len().checked_sub(1)?].to_vec());
    let (mut whole, is_relative) = match parts[0].as_str() {
        "crate" => (Vec::new(), false),
        "self" => (module.to_vec(), false),
        "super" => (above()?, false),
        _ => (module.to_vec(), true),
    };
    if !is_relative {
        parts.remove(0);
    }
    while parts.first().is_some_and(|part| part == "super") {
        whole.pop();
        parts.remove(0);
    }
    if parts
        .last()
        .is_some_and(|part| part == "self" || part == "*")
    {
        parts.pop();
    }
    whole.extend(parts);
    let name = alias.or_else(|| whole.last().cloned())?;
    Some(Import {
        path: whole,
        name,
        is_relative,
    })
}

/// Writes out a tree of imports: `a::{b, c::{d, e}}` is `a::b`, `a::c::d`, `a::c::e`.
fn leaves(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((before, inner)) = tree.split_once('{') else {
        return vec![tree.to_owned()];
    };
    let inner = inner.trim_end().strip_suffix('}').unwrap();
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (place, letter) in inner.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    parts
        .into_iter()
        .filter(|part| !part.trim().is_empty())
        .flat_map(leaves)
        .map(|leaf| format!("{before}{leaf}"))
        .collect()
}

#[test]
fn trees_of_imports_are_written_out() {
    assert_eq!(
        leaves("a::{b, c::{d, e as f}, self}"),
        ["a::b", "a::c::d", "a::c::e as f", "a::self"]
    );
    let here = ["x".to_owned(), "y".to_owned()];
    let read = |leaf| import(leaf, &here).map(|import| (import.path.join("::"), import.name));
    let expect = |path: &str, name: &str| Some((path.to_owned(), name.to_owned()));
    assert_eq!(read("super::z::N"), expect("x::z::N", "N"));
    assert_eq!(read("super::super::N as M"), expect("N", "M"));
    assert_eq!(read("crate::a::self"), expect("a", "a"));
    assert!(import("std::fs", &here).unwrap().is_relative);
}

#[test]
fn names_that_are_handed_on_lead_to_their_home() {
    let file = |module: &str, text: &str| {
        let module: ModulePath = module
            .split("::")
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        (module.clone(), read_imports(text, &module))
    };
    let modules = Modules::new(BTreeMap::from([
        file("", "mod a;\nmod b;\npub use a::Thing;\n"),
        file("a", "use std::b;\npub use inner::Thing;\n"),
        file("a::inner", "use crate::b::other;\n"),
        file("b", "use crate::a::Thing;\n"),
        file("c", "use crate::Thing;\n"),
    ]));
    let circle = BTreeSet::from(["a::inner".to_owned(), "b".to_owned()]);
    assert_eq!(modules.circles(), [circle]);
}
