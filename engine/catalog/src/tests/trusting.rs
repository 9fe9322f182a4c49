//! Which catalogs count as the user's own.

#![allow(clippy::unwrap_used)]

use std::fs;

use super::{Home, table};
use crate::{Access, Catalog, CatalogError, OnConflict, Trust, locate};

fn foreign(reason: &str) -> Trust {
    Trust::Foreign(reason.to_owned())
}

#[test]
fn what_was_made_here_is_ones_own() {
    let home = Home::new();
    let catalog = home.catalog();
    assert_eq!(catalog.trust().unwrap(), Trust::Own);
    catalog.create_schema("s", false).unwrap();
    assert_eq!(home.catalog().trust().unwrap(), Trust::Own);

    fs::rename(home.project(), home.root.join("moved")).unwrap();
    let location = locate(&home.root.join("moved"), None, &home.user_data());
    let moved = Catalog::new(location, Access::ReadWrite);
    assert_eq!(moved.trust().unwrap(), Trust::Own);
}

#[test]
fn what_came_from_elsewhere_is_data_until_trusted() {
    let home = Home::new();
    home.catalog()
        .create("main", "t", &table("/a"), OnConflict::Fail)
        .unwrap();
    let elsewhere = home.root.join("other machine");
    let find = || {
        let location = locate(&home.project(), None, &elsewhere);
        Catalog::new(location, Access::ReadOnly)
    };
    let reason = "it was not made on this machine";
    assert_eq!(find().trust().unwrap(), foreign(reason));
    assert_eq!(find().get("main", "t").unwrap(), Some(table("/a")));

    let named = locate(
        &home.root,
        Some(&home.project().join(".lakesh")),
        &elsewhere,
    );
    let named = Catalog::new(named, Access::ReadWrite);
    assert_eq!(
        named.trust().unwrap(),
        Trust::Own,
        "naming it is trusting it"
    );

    fs::create_dir_all(elsewhere.join("lakesh")).unwrap();
    fs::write(elsewhere.join("lakesh/trusted"), "not json\n{}\n\u{0}\n").unwrap();
    assert_eq!(find().trust().unwrap(), foreign(reason));
    find().trust_catalog().unwrap();
    assert_eq!(find().trust().unwrap(), Trust::Own);
}

#[test]
fn there_must_be_something_to_trust() {
    let home = Home::new();
    let refused = home.catalog().trust_catalog();
    assert!(matches!(refused, Err(CatalogError::Missing { .. })));
    let user = Catalog::new(
        locate(&home.root, None, &home.user_data()),
        Access::ReadWrite,
    );
    assert_eq!(user.trust().unwrap(), Trust::Own);
}

/// Only a superuser can give files away; for others there is nothing to try here.
#[cfg(unix)]
#[test]
fn another_users_catalog_is_data_until_trusted() {
    use std::os::unix::fs::chown;
    let home = Home::new();
    home.catalog().create_schema("s", false).unwrap();
    let give = |path: &std::path::Path| chown(path, Some(54_321), None);
    if give(&home.database()).is_err() {
        return;
    }
    let reason = "it belongs to another user";
    assert_eq!(home.catalog().trust().unwrap(), foreign(reason));
    let named = || {
        let folder = home.project().join(".lakesh");
        let location = locate(&home.root, Some(&folder), &home.user_data());
        Catalog::new(location, Access::ReadWrite)
    };
    assert_eq!(
        named().trust().unwrap(),
        foreign(reason),
        "naming it makes it nobody else's"
    );
    home.catalog().trust_catalog().unwrap();
    assert_eq!(home.catalog().trust().unwrap(), Trust::Own);
    // A trusted catalog's id says nothing about a copy that lies somewhere else.
    fs::rename(home.project(), home.root.join("moved")).unwrap();
    let location = locate(&home.root.join("moved"), None, &home.user_data());
    let moved = Catalog::new(location, Access::ReadWrite);
    assert_eq!(moved.trust().unwrap(), foreign(reason));
}

#[cfg(unix)]
#[test]
fn a_catalog_that_everybody_can_write_to_is_data() {
    use std::os::unix::fs::PermissionsExt;
    let reason = "everybody can write to it";
    for open_folder in [true, false] {
        let home = Home::new();
        home.catalog().create_schema("s", false).unwrap();
        let folder = home.project().join(".lakesh");
        let named = locate(&home.root, Some(&folder), &home.user_data());
        let named = Catalog::new(named, Access::ReadWrite);
        let (path, before) = match open_folder {
            true => (folder.clone(), 0o755),
            false => (home.database(), 0o644),
        };
        let set = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        set(before | 0o022);
        for catalog in [home.catalog(), named.clone()] {
            assert_eq!(catalog.trust().unwrap(), foreign(reason), "{path:?}");
            catalog.trust_catalog().unwrap();
            assert_eq!(catalog.trust().unwrap(), foreign(reason), "{path:?}");
        }
        set(before);
        assert_eq!(named.trust().unwrap(), Trust::Own, "{path:?}");
    }
}
