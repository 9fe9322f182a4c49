//! What names stand for: entries, schemas and attachments, conflicts, kinds, suggestions.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use lakesh_text::failure::{Failure, FailureKind};

use super::{memory, rich_table, table, view};
use crate::{
    CatalogError, Created, DropBehavior, Entry, EntryKind, ObjectKind, OnConflict, QualifiedName,
};

#[track_caller]
fn check_failure<T>(
    result: Result<T, CatalogError>,
    kind: FailureKind,
    message: &str,
    hint: Option<&str>,
) {
    let failure = Failure::from(result.err().expect("it must fail"));
    assert_eq!(failure.message, message);
    assert_eq!(failure.kind, kind);
    assert_eq!(failure.hints.first().map(String::as_str), hint);
}

#[test]
fn entries_come_back_as_they_were() {
    let catalog = memory();
    let locations = ["/data/a.csv", "s3://bucket/b/", "/data/*/c?.csv"];
    let entries = [
        ("rich", rich_table(locations.map(str::to_owned).to_vec())),
        ("plain", table("/x")),
        ("v", view("SELECT 'ä' -- x\nFROM \"T\"")),
    ];
    for (name, entry) in &entries {
        let created = catalog.create("main", name, entry, OnConflict::Fail);
        assert_eq!(created.unwrap(), Created::New);
        assert_eq!(catalog.get("main", name).unwrap().as_ref(), Some(entry));
    }
    assert_eq!(catalog.get("main", "Rich").unwrap(), None);
    assert_eq!(catalog.get("other", "rich").unwrap(), None);

    let list = catalog.list(None).unwrap();
    let names: Vec<&str> = list.iter().map(|header| header.name.as_str()).collect();
    assert_eq!(names, ["plain", "rich", "v"]);
    let rich = &list[1];
    assert_eq!(rich.format.as_deref(), Some("csv"));
    assert_eq!(rich.location.as_deref(), Some("/data/a.csv"));
    assert_eq!(rich.comment.as_deref(), Some("what `it` is"));
    assert!(rich.managed && !list[0].managed);
    assert_eq!((list[2].kind, &list[2].location), (EntryKind::View, &None));
    assert_eq!(catalog.list(Some("other")).unwrap(), []);
}

#[test]
fn conflicts_end_as_asked() {
    let catalog = memory();
    let create = |entry: &Entry, on_conflict| catalog.create("main", "t", entry, on_conflict);
    create(&table("/a"), OnConflict::Fail).unwrap();
    check_failure(
        create(&table("/b"), OnConflict::Fail),
        FailureKind::Plan,
        "table `t` exists already",
        Some("`IF NOT EXISTS` keeps it, `OR REPLACE` replaces it"),
    );
    let skipped = create(&table("/b"), OnConflict::Skip).unwrap();
    assert_eq!(skipped, Created::Skipped);
    assert_eq!(catalog.get("main", "t").unwrap(), Some(table("/a")));
    let Created::Replaced(old) = create(&table("/b"), OnConflict::Replace).unwrap() else {
        panic!("it must be replaced");
    };
    assert_eq!(old.location.as_deref(), Some("/a"));
    assert_eq!(catalog.get("main", "t").unwrap(), Some(table("/b")));
    for on_conflict in [OnConflict::Skip, OnConflict::Replace] {
        check_failure(
            create(&view("SELECT 1"), on_conflict),
            FailureKind::Plan,
            "`t` is a table, not a view",
            Some("`DROP TABLE t` frees the name"),
        );
    }
}

#[test]
fn dropping_renaming_and_altering_want_the_right_kind() {
    let catalog = memory();
    let create = |name, entry: &Entry| catalog.create("main", name, entry, OnConflict::Fail);
    create("t", &table("/a")).unwrap();
    create("v", &view("SELECT 1")).unwrap();
    check_failure(
        catalog.drop("main", "v", EntryKind::Table),
        FailureKind::Plan,
        "`v` is a view, not a table",
        Some("use `DROP VIEW v`"),
    );
    check_failure(
        catalog.drop("main", "t", EntryKind::View),
        FailureKind::Plan,
        "`t` is a table, not a view",
        Some("use `DROP TABLE t`"),
    );
    check_failure(
        catalog.rename("main", "t", "u", EntryKind::View),
        FailureKind::Plan,
        "`t` is a table, not a view",
        Some("use `ALTER TABLE t`"),
    );
    check_failure(
        catalog.rename("main", "t", "v", EntryKind::Table),
        FailureKind::Plan,
        "view `v` exists already",
        Some("`IF NOT EXISTS` keeps it, `OR REPLACE` replaces it"),
    );
    catalog
        .rename("main", "t", "tables", EntryKind::Table)
        .unwrap();
    check_failure(
        catalog.rename("main", "tabels", "u", EntryKind::Table),
        FailureKind::Plan,
        "table `tabels` not found",
        Some("did you mean `tables`?"),
    );
    let before = catalog.list(None).unwrap()[0].created_at;
    let comment = |entry: &mut Entry| {
        if let Entry::Table { definition, .. } = entry {
            definition.comment = Some("new".to_owned());
        }
    };
    catalog
        .alter("main", "tables", EntryKind::Table, comment)
        .unwrap();
    let header = catalog.list(None).unwrap().remove(0);
    assert_eq!(header.comment.as_deref(), Some("new"));
    assert_eq!(header.created_at, before);

    let dropped = catalog.drop("main", "tables", EntryKind::Table).unwrap();
    assert_eq!(dropped.unwrap().name, "tables");
    assert_eq!(
        catalog.drop("main", "tables", EntryKind::Table).unwrap(),
        None
    );
}

#[test]
fn schemas_come_and_go() {
    let catalog = memory();
    assert!(catalog.has_schema("main").unwrap());
    assert_eq!(catalog.schemas().unwrap()[0].name, "main");
    check_failure(
        catalog.create("seles", "t", &table("/a"), OnConflict::Fail),
        FailureKind::Plan,
        "schema `seles` not found",
        None,
    );
    assert!(catalog.create_schema("sales", false).unwrap());
    assert!(!catalog.create_schema("sales", true).unwrap());
    assert!(!catalog.create_schema("main", true).unwrap());
    check_failure(
        catalog.create_schema("sales", false),
        FailureKind::Plan,
        "schema `sales` exists already",
        Some("`IF NOT EXISTS` keeps it"),
    );
    check_failure(
        catalog.create("seles", "t", &table("/a"), OnConflict::Fail),
        FailureKind::Plan,
        "schema `seles` not found",
        Some("did you mean `sales`?"),
    );
    for name in ["a", "b"] {
        catalog
            .create("sales", name, &table("/a"), OnConflict::Fail)
            .unwrap();
    }
    check_failure(
        catalog.drop_schema("sales", DropBehavior::Restrict),
        FailureKind::Plan,
        "schema `sales` is not empty: it holds 2 tables, views, encoders and functions, such as `sales.a`",
        Some("`DROP SCHEMA sales CASCADE` drops them with it"),
    );
    let dropped = catalog.drop_schema("sales", DropBehavior::Cascade).unwrap();
    assert_eq!(dropped.unwrap().len(), 2);
    assert_eq!(catalog.list(None).unwrap(), []);
    assert!(!catalog.has_schema("sales").unwrap());
    assert_eq!(
        catalog
            .drop_schema("sales", DropBehavior::Restrict)
            .unwrap(),
        None
    );
    check_failure(
        catalog.drop_schema("main", DropBehavior::Cascade),
        FailureKind::Plan,
        "schema `main` always exists and cannot be dropped",
        None,
    );
}

#[test]
fn attachments_share_the_names_of_schemas() {
    let catalog = memory();
    let options = BTreeMap::from([("format".to_owned(), "delta".to_owned())]);
    let attach =
        |name, location, on_conflict| catalog.attach(name, location, &options, on_conflict);
    assert!(attach("lake", "s3://bucket/lake", OnConflict::Fail).unwrap());
    let attached = catalog.attachment("lake").unwrap().unwrap();
    assert_eq!(attached.location, "s3://bucket/lake");
    assert_eq!(attached.options, options);
    assert!(!attach("lake", "/other", OnConflict::Skip).unwrap());
    assert!(attach("lake", "/other", OnConflict::Replace).unwrap());
    assert_eq!(catalog.attachments().unwrap()[0].location, "/other");
    check_failure(
        attach("lake", "/x", OnConflict::Fail),
        FailureKind::Plan,
        "attachment `lake` exists already",
        Some("`DETACH lake` frees the name"),
    );
    check_failure(
        catalog.create_schema("lake", true),
        FailureKind::Plan,
        "attachment `lake` exists already",
        Some("`DETACH lake` frees the name"),
    );
    check_failure(
        catalog.create("lake", "t", &table("/a"), OnConflict::Fail),
        FailureKind::Plan,
        "`lake` is an attachment, not a schema",
        Some("tables cannot be created in an attachment; choose a schema"),
    );
    check_failure(
        catalog.drop_schema("lake", DropBehavior::Cascade),
        FailureKind::Plan,
        "`lake` is an attachment, not a schema",
        Some("use `DETACH lake`"),
    );
    assert!(!catalog.has_schema("lake").unwrap());
    catalog.create_schema("sales", false).unwrap();
    for name in ["main", "sales"] {
        let refused = attach(name, "/x", OnConflict::Replace);
        assert!(matches!(
            refused,
            Err(CatalogError::Exists {
                kind: ObjectKind::Schema,
                ..
            })
        ));
    }
    check_failure(
        catalog.detach("sales"),
        FailureKind::Plan,
        "`sales` is a schema, not an attachment",
        Some("use `DROP SCHEMA sales`"),
    );
    assert_eq!(catalog.detach("lake").unwrap().unwrap().location, "/other");
    assert_eq!(catalog.detach("lake").unwrap(), None);
}

#[test]
fn similar_names_are_found() {
    let catalog = memory();
    assert_eq!(catalog.similar("sales", 3).unwrap(), []);
    catalog.create_schema("archive", false).unwrap();
    for (schema, name) in [("main", "Sales"), ("archive", "sales"), ("main", "orders")] {
        catalog
            .create(schema, name, &table("/a"), OnConflict::Fail)
            .unwrap();
    }
    let similar = catalog.similar("slaes", 5).unwrap();
    assert_eq!(
        similar,
        [
            QualifiedName::new("main", "Sales"),
            QualifiedName::new("archive", "sales")
        ]
    );
    assert_eq!(similar[1].to_string(), "archive.sales");
    let error = catalog.not_found("main", "order", ObjectKind::Table);
    check_failure(
        Err::<(), _>(error),
        FailureKind::Plan,
        "table `order` not found",
        Some("did you mean `orders`?"),
    );
}

#[test]
fn hostile_names_are_kept_or_refused() {
    let catalog = memory();
    let long = "x".repeat(100_000);
    for name in [
        "../x",
        "/",
        "a'b\"c;--",
        "a.b",
        "größe 数",
        "%_",
        "\n",
        &long,
    ] {
        catalog.create_schema(name, false).unwrap();
        catalog
            .create(name, name, &table("/a"), OnConflict::Fail)
            .unwrap();
        assert_eq!(catalog.get(name, name).unwrap(), Some(table("/a")));
        assert_eq!(catalog.list(Some(name)).unwrap()[0].name, name);
    }
    for name in ["", "a\0b"] {
        let refused = catalog.create("main", name, &table("/a"), OnConflict::Fail);
        assert!(matches!(refused, Err(CatalogError::InvalidName { .. })));
        assert!(catalog.create_schema(name, false).is_err());
        assert!(catalog.rename("main", "t", name, EntryKind::Table).is_err());
        assert!(
            catalog
                .attach(name, "/x", &BTreeMap::new(), OnConflict::Fail)
                .is_err()
        );
    }
    check_failure(
        catalog.create("main", "t", &table("relative"), OnConflict::Fail),
        FailureKind::Plan,
        "`relative` cannot be a location: it is not absolute",
        None,
    );
}
