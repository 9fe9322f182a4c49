//! Column mapping by id: proof that the files of a Delta table can be read by name.
//!
//! In mode `id` a file's columns are told by their Parquet field numbers, and the Delta protocol lets
//! their names differ from the table's physical names, as in files that were Iceberg's. The library
//! looks for names only and would fill such columns with NULL. So the files of such a table are looked
//! at, once each, and a table with a column of another name is refused.

use std::collections::BTreeMap;

use datafusion::parquet::schema::types::Type;
use deltalake::DeltaTable;
use deltalake::kernel::{DataType, StructType};
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::path::Path as ObjectPath;

use super::cache::CheckedFiles;
use super::delta::Source;
use super::error::TableError;
use super::parquet_metadata::read_footer;

const MODE: &str = "delta.columnMapping.mode";

/// How many footers are read at a time.
const READS: usize = 16;

/// The physical name of each column at any depth, by its number.
type Names = BTreeMap<i64, String>;

/// Refuses a table in mode `id` that holds a file whose columns have other names than the table's.
pub(super) async fn check_names(
    source: &Source,
    table: &DeltaTable,
    checked: &CheckedFiles,
) -> Result<(), TableError> {
    let snapshot = table
        .snapshot()
        .map_err(|error| source.failed(error))?
        .snapshot();
    if snapshot
        .metadata()
        .configuration()
        .get(MODE)
        .map(String::as_str)
        != Some("id")
    {
        return Ok(());
    }
    let mut names = Names::new();
    collect(&snapshot.schema(), &mut names);
    let names = &names;
    let store = table.object_store();
    let folder = source.location.folder_url();
    let log_store = table.log_store();
    let files: Vec<(String, ObjectPath, u64)> = snapshot
        .file_views(log_store.as_ref(), None)
        .map_ok(|file| {
            let size = u64::try_from(file.size()).unwrap_or_default();
            (file.path().into_owned(), file.object_store_path(), size)
        })
        .try_collect()
        .await
        .map_err(|error| source.failed(error))?;
    let unchecked = files.into_iter().filter_map(|(name, path, size)| {
        let key = format!("{folder}{name}");
        (!checked.contains(&key)).then_some((key, name, path, size))
    });
    futures::stream::iter(unchecked)
        .map(|(key, name, path, size)| {
            let store = store.as_ref();
            async move {
                let footer = read_footer(store, &path, size)
                    .await
                    .map_err(|error| TableError::file(&key, error))?;
                match other_name(footer.file_metadata().schema_descr().root_schema(), names) {
                    None => {
                        checked.insert(key);
                        Ok(())
                    }
                    Some((number, found)) => Err(TableError::ColumnNumbers {
                        location: source.location.display.clone(),
                        file: name,
                        column: found,
                        number,
                    }),
                }
            }
            .boxed()
        })
        .buffer_unordered(READS)
        .try_collect()
        .await
}

/// Collects the numbers and physical names of a table's columns.
fn collect(columns: &StructType, names: &mut Names) {
    for column in columns.fields() {
        let text = |key: &str| column.metadata().get(key).map(ToString::to_string);
        if let (Some(number), Some(name)) = (
            column.column_mapping_id(),
            text("delta.columnMapping.physicalName"),
        ) {
            names.insert(number, name);
        }
        collect_type(column.data_type(), names);
    }
}

fn collect_type(data_type: &DataType, names: &mut Names) {
    match data_type {
        DataType::Struct(columns) => collect(columns, names),
        DataType::Array(array) => collect_type(array.element_type(), names),
        DataType::Map(map) => {
            collect_type(map.key_type(), names);
            collect_type(map.value_type(), names);
        }
        DataType::Primitive(_) | DataType::Variant(_) => {}
    }
}

/// Finds a column of a file that has another name than the table gives to its number.
fn other_name(column: &Type, names: &Names) -> Option<(i64, String)> {
    let information = column.get_basic_info();
    if information.has_id() {
        let number = i64::from(information.id());
        let found = information.name();
        if names.get(&number).is_some_and(|name| name != found) {
            return Some((number, found.to_owned()));
        }
    }
    if column.is_primitive() {
        return None;
    }
    column
        .get_fields()
        .iter()
        .find_map(|inner| other_name(inner, names))
}
