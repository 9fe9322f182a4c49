//! Delta tables whose log names files outside of the table's folder.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::Lake;

/// A file that is nobody's table, and a table in `name` whose only file has this path in its log.
fn table_with(lake: &Lake, name: &str, path: &str) {
    let size = std::fs::metadata(lake.path().join("secret.parquet"))
        .unwrap()
        .len();
    let schema = r#"{\"type\":\"struct\",\"fields\":[{\"name\":\"n\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}"#;
    let entry = format!(
        r#"{{"protocol":{{"minReaderVersion":1,"minWriterVersion":2}}}}
{{"metaData":{{"id":"{name}","format":{{"provider":"parquet","options":{{}}}},"schemaString":"{schema}","partitionColumns":[],"configuration":{{"delta.enableChangeDataFeed":"true"}},"createdTime":1}}}}
{{"add":{{"path":"{path}","partitionValues":{{}},"size":{size},"modificationTime":1,"dataChange":true}}}}
"#
    );
    lake.write(
        &format!("{name}/_delta_log/00000000000000000000.json"),
        entry,
    );
}

fn lake() -> Lake {
    let lake = Lake::project();
    lake.does("copy (select 42::bigint as n) to 'secret.parquet'");
    lake
}

#[test]
fn paths_that_leave_the_table_are_refused_by_name() {
    let lake = lake();
    let secret = lake.path().join("secret.parquet");
    let secret = secret.to_str().unwrap();
    for path in [
        "../secret.parquet",
        "%2e%2e/secret.parquet",
        "%252e%252e/secret.parquet",
        ".\\t./secret.parquet",
        secret,
        &format!("file://{secret}"),
    ] {
        table_with(&lake, "t", path);
        lake.does(
            "set lakesh.outside_files = true;
            create or replace external table t stored as delta location 't'",
        );
        for sql in [
            "select * from 't'",
            "select count(*) from 't'",
            "delete from t where n = 1",
            "update t set n = 2",
            "merge into t using (values (1)) as s (n) on t.n = s.n when matched then delete",
            "insert into t replace where n = 42 values (42)",
            "optimize t",
            "select * from table_changes('t', 0, 0)",
        ] {
            let error = lake.refuses(sql);
            assert!(
                error.contains("lies outside of the table's folder"),
                "{path}: {sql}: {error}"
            );
            assert!(error.contains("secret.parquet"), "{path}: {sql}: {error}");
        }
        // The store takes what is encoded for a name, and finds no such file.
        if !path.contains('%') {
            let rows = lake.rows("set lakesh.outside_files = true; select * from 't'");
            assert_eq!(rows, "42\n", "{path}");
        }
    }
}

#[cfg(unix)]
#[test]
fn links_that_leave_the_table_are_refused_by_name() {
    use std::os::unix::fs::symlink;

    let lake = lake();
    lake.does("copy (select 7::bigint as n) to 'beside/more.parquet'");
    table_with(&lake, "file", "linked.parquet");
    symlink(
        lake.path().join("secret.parquet"),
        lake.path().join("file/linked.parquet"),
    )
    .unwrap();
    table_with(&lake, "folder", "part/more.parquet");
    symlink(lake.path().join("beside"), lake.path().join("folder/part")).unwrap();
    for name in ["file", "folder"] {
        let error = lake.refuses(&format!("select * from '{name}'"));
        assert!(
            error.contains("lies outside of the table's folder"),
            "{error}"
        );
    }

    // A link that stays in the table, and a table that is reached by one, are as good as folders.
    table_with(&lake, "own", "part/secret.parquet");
    std::fs::create_dir(lake.path().join("own/real")).unwrap();
    copied(&lake, "own/real/secret.parquet");
    symlink("real", lake.path().join("own/part")).unwrap();
    symlink(lake.path().join("own"), lake.path().join("reached")).unwrap();
    for name in ["own", "reached"] {
        assert_eq!(
            lake.rows(&format!("select * from '{name}'")),
            "42\n",
            "{name}"
        );
    }
}

fn copied(lake: &Lake, to: impl AsRef<Path>) {
    std::fs::copy(lake.path().join("secret.parquet"), lake.path().join(to)).unwrap();
}

#[test]
fn odd_names_in_the_table_are_read() {
    for (path, file) in [
        ("a%20b.parquet", "a b.parquet"),
        ("a%2520b.parquet", "a%20b.parquet"),
        ("a%3Ab.parquet", "a:b.parquet"),
        ("./a.parquet", "a.parquet"),
        ("b/../a.parquet", "a.parquet"),
        ("name=A..B/a.parquet", "name=A..B/a.parquet"),
    ] {
        let lake = lake();
        table_with(&lake, "t", path);
        let file = Path::new("t").join(file);
        std::fs::create_dir_all(lake.path().join(file.parent().unwrap())).unwrap();
        copied(&lake, file);
        assert_eq!(lake.rows("select * from 't'"), "42\n", "{path}");
    }
}

#[test]
fn outside_files_need_a_trusted_catalog() {
    let lake = lake();
    lake.does("create table mine as select 1 as n");
    // The data folder of somebody who did not make the catalog.
    let elsewhere = lake.temp().join("data");
    let shell = |arguments: &[&'static str]| {
        lake.shell(arguments.iter().copied())
            .variable("XDG_DATA_HOME", elsewhere.to_str().unwrap())
    };
    let set = ["-c", "set lakesh.outside_files = true"];
    let error = shell(&set).run().fails(1);
    assert!(error.contains("is not trusted"), "{error}");
    assert!(error.contains("`lakesh trust`"), "{error}");
    shell(&["trust"]).run().succeeds();
    shell(&set).run().succeeds();
}

#[test]
fn only_a_catalog_that_is_there_can_be_trusted() {
    let lake = Lake::new();
    let error = lake.shell(["trust"]).run().fails(1);
    assert!(error.contains("there is no catalog in `"), "{error}");
    let error = lake.shell(["trust", ":memory:"]).run().fails(2);
    assert!(
        error.contains("a catalog in memory needs no trust"),
        "{error}"
    );
}

#[test]
fn a_catalog_that_everybody_can_write_to_is_not_trusted() {
    let lake = lake();
    lake.does("create table mine as select 1 as n");
    let folder = lake.path().join(".lakesh");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    let error = lake.shell(["trust", ".lakesh"]).run().fails(1);
    assert!(
        error.contains("is still not trusted: everybody can write to it"),
        "{error}"
    );
}
