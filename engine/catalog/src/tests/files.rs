//! The catalog's files: made late, movable, and clear errors for those that cannot be used.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lakesh_text::failure::{Failure, FailureKind};
use rusqlite::Connection;

use super::{Home, rich_table, table};
use crate::database::Store;
use crate::{Access, Catalog, CatalogError, DropBehavior, Entry, EntryKind, OnConflict, locate};

fn user_catalog(home: &Home) -> Catalog {
    Catalog::new(
        locate(&home.root, None, &home.user_data()),
        Access::ReadWrite,
    )
}

#[test]
fn only_writes_create() {
    let home = Home::new();
    let catalog = user_catalog(&home);
    assert_eq!(catalog.get("main", "t").unwrap(), None);
    assert_eq!(catalog.list(None).unwrap(), []);
    assert_eq!(catalog.schemas().unwrap()[0].name, "main");
    assert_eq!(catalog.attachments().unwrap(), []);
    assert_eq!(catalog.drop("main", "t", EntryKind::Table).unwrap(), None);
    assert_eq!(catalog.detach("t").unwrap(), None);
    assert_eq!(
        catalog.drop_schema("t", DropBehavior::Cascade).unwrap(),
        None
    );
    assert!(catalog.rename("main", "t", "u", EntryKind::Table).is_err());
    let refused = catalog.create("main", "t", &table("relative"), OnConflict::Fail);
    assert!(refused.is_err());
    assert!(!home.user_data().exists());

    catalog
        .create("main", "t", &table("/a"), OnConflict::Fail)
        .unwrap();
    let folder = home.user_data().join("lakesh");
    assert_eq!(
        fs::read_to_string(folder.join(".gitignore")).unwrap(),
        "*\n"
    );
    assert!(folder.join("catalog.db").is_file());
    assert!(!folder.join("warehouse").exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}

#[test]
fn a_gitignore_that_exists_stays() {
    let home = Home::new();
    let ignore = home.project().join(".lakesh/.gitignore");
    fs::write(&ignore, "catalog.db*\n").unwrap();
    home.catalog().create_schema("s", false).unwrap();
    assert_eq!(fs::read_to_string(ignore).unwrap(), "catalog.db*\n");
}

#[test]
fn a_project_can_be_moved() {
    let home = Home::new();
    let catalog = home.catalog();
    let project = home.project();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let managed = catalog.managed_location("main", "m").unwrap();
    let locations = |project: &Path| {
        vec![
            text(&project.join("data/*.csv")),
            "/elsewhere/x.csv".to_owned(),
            "s3://bucket/x".to_owned(),
            format!("{}/folder/", text(project)),
        ]
    };
    let entry = rich_table(locations(&project));
    catalog
        .create("main", "t", &entry, OnConflict::Fail)
        .unwrap();
    catalog
        .create("main", "m", &table(&text(&managed)), OnConflict::Fail)
        .unwrap();
    let lake = text(&project.join("lake"));
    catalog
        .attach("lake", &lake, &BTreeMap::new(), OnConflict::Fail)
        .unwrap();
    drop(catalog);

    let moved = home.root.join("far/away");
    fs::create_dir(home.root.join("far")).unwrap();
    fs::rename(&project, &moved).unwrap();
    fs::create_dir(moved.join("below")).unwrap();
    let location = locate(&moved.join("below"), None, &home.user_data());
    let catalog = Catalog::new(location, Access::ReadWrite);
    let found = catalog.get("main", "t").unwrap();
    assert_eq!(found, Some(rich_table(locations(&moved))));
    let below = managed.strip_prefix(&project).unwrap();
    let list = catalog.list(None).unwrap();
    assert_eq!(list[0].location, Some(text(&moved.join(below))));
    let attached = catalog.attachment("lake").unwrap().unwrap();
    assert_eq!(attached.location, text(&moved.join("lake")));
}

#[test]
fn managed_tables_get_safe_folders_of_their_own() {
    let home = Home::new();
    let catalog = home.catalog();
    let warehouse = home.project().join(".lakesh/warehouse");
    let long = "ab".repeat(10_000);
    let cases = [
        ("sales", "main", "sales-"),
        ("../../x", "..", "x-"),
        ("/", "/", "table-"),
        ("a\0b=c", "s", "a_b_c-"),
        ("_hidden", "_", "hidden-"),
        ("größe", "s", "gr__e-"),
        (&long, &long, "abab"),
    ];
    for (name, schema, start) in cases {
        let first = catalog.managed_location(schema, name).unwrap();
        let second = catalog.managed_location(schema, name).unwrap();
        assert_ne!(first, second);
        let folder = first.file_name().unwrap().to_str().unwrap();
        assert!(folder.starts_with(start) && folder.len() < 80, "{folder}");
        assert_eq!(first.parent().unwrap().parent(), Some(warehouse.as_path()));
        fs::create_dir(&first).unwrap();
        fs::write(first.join("x"), "x").unwrap();
        catalog.remove_managed(&first).unwrap();
        assert!(!first.exists());
        catalog.remove_managed(&first).unwrap();
    }
    let outside = home.project().join("data/x");
    fs::create_dir_all(&outside).unwrap();
    let sneaky = warehouse.join("main/../../../data/x");
    for location in [&outside, &sneaky, &warehouse, &warehouse.join("main")] {
        assert!(catalog.remove_managed(location).is_err());
    }
    assert!(outside.exists());

    let memory = super::memory();
    let temporary = memory.clone().managed_location("main", "t").unwrap();
    let schema_folder = temporary.parent().unwrap().to_owned();
    assert!(schema_folder.is_dir());
    drop(memory);
    assert!(!schema_folder.exists(), "it goes with its catalog");
}

#[test]
fn a_read_only_session_reads_and_is_refused_to_write() {
    let home = Home::new();
    let reader = home.catalog_with(Access::ReadOnly);
    let denied = reader.create_schema("s", false).unwrap_err();
    assert!(!home.database().exists());
    let failure = Failure::from(denied);
    assert_eq!(failure.kind, FailureKind::Denied);
    let folder = home.project().join(".lakesh");
    assert_eq!(
        failure.message,
        format!("catalog `{}` is read-only", folder.display())
    );
    assert_eq!(reader.get("main", "t").unwrap(), None);
    home.catalog()
        .create("main", "t", &table("/a"), OnConflict::Fail)
        .unwrap();
    assert_eq!(reader.get("main", "t").unwrap(), Some(table("/a")));
    assert!(reader.drop("main", "t", EntryKind::Table).is_err());
    assert!(reader.managed_location("main", "t").is_err());
}

/// Permission bits do not bind a superuser, so the fallback itself is tried as well.
#[test]
fn a_folder_that_cannot_be_written_is_read() {
    let home = Home::new();
    let writer = home.catalog();
    writer
        .create("main", "t", &table("/a"), OnConflict::Fail)
        .unwrap();
    let count = |store: &Store| {
        let query = "SELECT count(*) FROM entries";
        let mut read = |connection: &Connection| {
            Ok(connection.query_row(query, [], |row| row.get::<_, i64>(0))?)
        };
        store.read_snapshot(&home.database(), &mut read).unwrap()
    };
    let log = home.project().join(".lakesh/catalog.db-wal");
    assert!(log.metadata().unwrap().len() > 0);
    assert_eq!(count(writer.store()), Some(1), "with a log");
    drop(writer);
    assert!(!log.exists());
    let reader = home.catalog();
    assert_eq!(count(reader.store()), Some(1), "without a log");
    assert!(!log.exists());

    let folder = home.project().join(".lakesh");
    let mut permissions = fs::metadata(&folder).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&folder, permissions.clone()).unwrap();
    let binds = fs::write(folder.join("probe"), "").is_err();
    let read = reader.get("main", "t");
    let written = reader.create_schema("s", false);
    #[allow(clippy::permissions_set_readonly_false)]
    permissions.set_readonly(false);
    fs::set_permissions(&folder, permissions).unwrap();
    assert_eq!(read.unwrap(), Some(table("/a")));
    match written {
        Ok(_) => assert!(!binds, "nothing may be written where permissions bind"),
        Err(error) => assert!(matches!(error, CatalogError::ReadOnly { .. }), "{error}"),
    }
}

#[test]
fn files_that_cannot_be_used_say_so() {
    let foreign = |connection: &Connection| {
        connection
            .execute_batch("CREATE TABLE t (x); PRAGMA user_version = 1")
            .unwrap();
    };
    let newer = |connection: &Connection| {
        connection.pragma_update(None, "user_version", 99).unwrap();
    };
    let home = Home::new();
    home.catalog().create_schema("s", false).unwrap();
    newer(&Connection::open(home.database()).unwrap());
    check_unusable(&home, "was written by a newer lakesh", "upgrade lakesh");

    let home = Home::new();
    foreign(&Connection::open(home.database()).unwrap());
    check_unusable(&home, "is not a lakesh catalog", "--catalog");

    let home = Home::new();
    fs::write(home.database(), "garbage ".repeat(1000)).unwrap();
    check_unusable(&home, "is damaged", ".recover");

    let home = Home::new();
    home.catalog()
        .create("main", "t", &table("/a"), OnConflict::Fail)
        .unwrap();
    let mut bytes = fs::read(home.database()).unwrap();
    bytes[4096..].fill(0xee);
    fs::write(home.database(), bytes).unwrap();
    check_unusable(&home, "is damaged", ".recover");
}

#[track_caller]
fn check_unusable(home: &Home, message: &str, hint: &str) {
    let before = fs::read(home.database()).unwrap();
    let catalog = home.catalog();
    for error in [
        catalog.get("main", "t").unwrap_err(),
        catalog
            .create("main", "t", &table("/a"), OnConflict::Replace)
            .unwrap_err(),
    ] {
        let failure = Failure::from(error);
        assert_eq!(failure.kind, FailureKind::Execution);
        assert!(failure.message.contains(message), "{}", failure.message);
        assert!(
            failure.message.contains("catalog.db"),
            "{}",
            failure.message
        );
        assert!(failure.hints[0].contains(hint), "{}", failure.hints[0]);
    }
    drop(catalog);
    assert!(
        fs::read(home.database()).unwrap() == before,
        "the file stays as it was"
    );
}

#[test]
fn a_folder_that_is_a_file_says_so() {
    let home = Home::new();
    let file = home.root.join("file");
    fs::write(&file, "").unwrap();
    let location = locate(&home.root, Some(&file), &home.user_data());
    let catalog = Catalog::new(location, Access::ReadWrite);
    assert_eq!(catalog.get("main", "t").unwrap(), None);
    let message = catalog.create_schema("s", false).unwrap_err().to_string();
    assert!(
        message.starts_with("cannot create the folder `"),
        "{message}"
    );
}

#[test]
fn a_failure_of_the_disk_is_one_of_reading_or_writing() {
    use rusqlite::ffi;
    for code in [
        ffi::SQLITE_FULL,
        ffi::SQLITE_IOERR_WRITE,
        ffi::SQLITE_IOERR_SHMSIZE,
        ffi::SQLITE_CANTOPEN,
    ] {
        let path = PathBuf::from("/c/catalog.db");
        let source = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        let failure = Failure::from(CatalogError::Database { path, source });
        assert_eq!(failure.kind, FailureKind::InputOutput, "{code}");
    }
    let broken = std::io::Error::from_raw_os_error(5);
    let failure = Failure::from(CatalogError::io("remove", Path::new("/c"), broken));
    assert_eq!(failure.kind, FailureKind::InputOutput);
    assert_eq!(failure.message, "cannot remove `/c`: input/output error");
}

#[test]
fn a_catalog_that_was_read_only_for_a_moment_is_written() {
    let home = Home::new();
    let catalog = home.catalog();
    catalog.create_schema("s", false).unwrap();
    catalog.store().open_for_reading();
    catalog
        .create("main", "t", &table("/a"), OnConflict::Fail)
        .unwrap();
    assert_eq!(catalog.get("main", "t").unwrap(), Some(table("/a")));
}

/// SQLite says of both that they cannot be written: only one is a matter of permission.
#[test]
fn a_file_that_cannot_be_opened_is_no_lack_of_permission() {
    let home = Home::new();
    fs::create_dir(home.database()).unwrap();
    let failure = Failure::from(home.catalog().create_schema("s", false).unwrap_err());
    assert_eq!(
        failure.kind,
        FailureKind::InputOutput,
        "{}",
        failure.message
    );
    assert!(
        failure.message.starts_with("cannot write `"),
        "{}",
        failure.message
    );
}

#[test]
fn a_damaged_definition_can_be_dropped() {
    let home = Home::new();
    let catalog = home.catalog();
    catalog
        .create("main", "t", &table("/a"), OnConflict::Fail)
        .unwrap();
    let other = Connection::open(home.database()).unwrap();
    other
        .execute("UPDATE entries SET definition = '{'", [])
        .unwrap();
    let error = catalog.get("main", "t").unwrap_err();
    assert!(matches!(error, CatalogError::BadDefinition { .. }));
    assert!(
        catalog
            .drop("main", "t", EntryKind::Table)
            .unwrap()
            .is_some()
    );
}

/// A file that was created and then cut off counts as none.
#[test]
fn an_unfinished_creation_is_finished() {
    let home = Home::new();
    fs::write(home.database(), "").unwrap();
    let catalog = home.catalog();
    assert_eq!(catalog.get("main", "t").unwrap(), None);
    catalog
        .create("main", "t", &table("/a"), OnConflict::Fail)
        .unwrap();
    assert_eq!(catalog.get("main", "t").unwrap(), Some(table("/a")));
}

#[test]
fn a_folder_that_is_no_table_s_goes_and_one_that_is_stays() {
    let home = Home::new();
    let catalog = home.catalog();
    let other = home.catalog();
    let begin = || {
        let folder = catalog.managed_location("main", "t").unwrap();
        let beginning = catalog.begin_managed(&folder).unwrap();
        fs::write(folder.join("x"), "x").unwrap();
        (folder, beginning)
    };
    let notes = || {
        fs::read_dir(home.project().join(".lakesh/warehouse/.dropped"))
            .unwrap()
            .count()
    };

    let (folder, beginning) = begin();
    other.sweep_dropped();
    assert!(folder.join("x").exists(), "somebody is at it");
    // As if its process were killed.
    drop(beginning);
    other.sweep_dropped();
    assert!(!folder.exists());
    assert_eq!(notes(), 0);

    let (folder, beginning) = begin();
    let mut entry = rich_table(vec![folder.display().to_string()]);
    catalog
        .create("main", "t", &entry, OnConflict::Fail)
        .unwrap();
    // Killed before it takes its note back.
    drop(beginning);
    other.sweep_dropped();
    assert!(folder.exists());
    assert_eq!(notes(), 0);

    let (replacing, beginning) = begin();
    if let Entry::Table { definition, .. } = &mut entry {
        definition.locations = vec![replacing.display().to_string()];
    }
    catalog
        .create("main", "t", &entry, OnConflict::Replace)
        .unwrap();
    beginning.finish();
    // Killed before it removes the old folder.
    other.sweep_dropped();
    assert!(!folder.exists() && replacing.exists());

    catalog.drop("main", "t", EntryKind::Table).unwrap();
    assert!(replacing.exists());
    other.sweep_dropped();
    assert!(!replacing.exists());
    assert_eq!(notes(), 0);
}

#[test]
fn a_folder_is_noted_before_it_is_made() {
    let home = Home::new();
    let catalog = home.catalog();
    let other = home.catalog();
    let notes = home.project().join(".lakesh/warehouse/.dropped");
    let count = || fs::read_dir(&notes).map_or(0, |notes| notes.count());

    // Neither folder nor table: whoever is killed after the note leaves a note that the next sweep takes.
    let folder = catalog.managed_location("main", "t").unwrap();
    let beginning = catalog.begin_managed(&folder).unwrap();
    fs::remove_dir(&folder).unwrap();
    other.sweep_dropped();
    assert_eq!(count(), 1, "a note that is locked stays");
    drop(beginning);
    other.sweep_dropped();
    assert_eq!(count(), 0);

    // A folder that cannot be made leaves no note.
    let folder = catalog.managed_location("main", "u").unwrap();
    fs::write(&folder, "in the way").unwrap();
    assert!(catalog.begin_managed(&folder).is_err());
    assert_eq!(count(), 0);
}

#[test]
fn a_folder_that_is_read_goes_with_its_last_reader() {
    let home = Home::new();
    let catalog = home.catalog();
    let other = home.catalog();
    let folder = catalog.managed_location("main", "t").unwrap();
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("x"), "x").unwrap();
    assert!(other.hold_managed(&home.project()).is_none());
    let holds = [
        other.hold_managed(&folder).unwrap(),
        catalog.hold_managed(&folder).unwrap(),
    ];
    catalog.remove_managed(&folder).unwrap();
    assert!(folder.join("x").exists());
    let [first, second] = holds;
    drop(first);
    other.sweep_dropped();
    assert!(folder.join("x").exists());
    drop(second);
    other.sweep_dropped();
    assert!(!folder.exists());
    let notes = home.project().join(".lakesh/warehouse/.dropped");
    assert_eq!(fs::read_dir(notes).unwrap().count(), 0);
    assert!(catalog.hold_managed(&folder).is_none());

    // A note that names something else removes nothing.
    let note = home.project().join(".lakesh/warehouse/.dropped/..+..");
    fs::write(&note, "").unwrap();
    catalog.sweep_dropped();
    assert!(home.project().join(".lakesh").exists());
}
