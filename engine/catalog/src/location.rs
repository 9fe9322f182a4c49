//! Which catalog a session uses: the nearest `.lakesh` upwards, an explicit one, or the user's own.
//!
//! It only looks; nothing is created here, and all inputs are arguments.

use std::path::{Path, PathBuf};

use super::path::normalise;

/// The explicit path that means a catalog that lives in this process only.
pub const MEMORY: &str = ":memory:";

/// The name of a catalog's folder inside a project.
const PROJECT_FOLDER_NAME: &str = ".lakesh";

/// The name of lakesh's folder in the user's data folder.
const USER_FOLDER_NAME: &str = "lakesh";

/// How a catalog was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discovery {
    /// The user named it.
    Explicit,
    /// It is the nearest `.lakesh` folder upwards from the working directory.
    WalkedUp,
    /// It is the one in the user's data folder, as there was no nearer one.
    UserData,
}

/// Where a catalog lies and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogLocation {
    /// The catalog's folder, absolute; `None` is a catalog in memory.
    folder: Option<PathBuf>,
    discovery: Discovery,
    /// lakesh's folder in the user's data folder, absolute.
    user_folder: PathBuf,
}

/// Finds the catalog for a working directory.
///
/// An explicit folder (relative to the working directory, or `:memory:`) wins; then the nearest
/// `.lakesh` folder upwards; then `<user_data_folder>/lakesh`, whether it exists or not.
pub fn locate(
    working_directory: &Path,
    explicit: Option<&Path>,
    user_data_folder: &Path,
) -> CatalogLocation {
    let user_folder = normalise(
        &working_directory
            .join(user_data_folder)
            .join(USER_FOLDER_NAME),
    );
    if let Some(path) = explicit {
        let folder = (path != Path::new(MEMORY)).then(|| normalise(&working_directory.join(path)));
        return CatalogLocation {
            folder,
            discovery: Discovery::Explicit,
            user_folder,
        };
    }
    let nearest = working_directory
        .ancestors()
        .map(|folder| folder.join(PROJECT_FOLDER_NAME))
        .find(|candidate| candidate.is_dir());
    let discovery = match nearest {
        Some(_) => Discovery::WalkedUp,
        None => Discovery::UserData,
    };
    CatalogLocation {
        folder: Some(nearest.unwrap_or_else(|| user_folder.clone())),
        discovery,
        user_folder,
    }
}

impl CatalogLocation {
    /// Returns the catalog's folder; `None` for an in-memory catalog.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Returns how the catalog was found.
    pub fn discovery(&self) -> Discovery {
        self.discovery
    }

    /// Returns the folder that holds `.lakesh`; `None` where the catalog belongs to no project.
    pub fn project_folder(&self) -> Option<&Path> {
        let folder = self.folder()?;
        let in_project = folder.file_name()? == PROJECT_FOLDER_NAME;
        in_project.then(|| folder.parent()).flatten()
    }

    /// Returns lakesh's own folder in the user's data folder.
    pub(super) fn user_folder(&self) -> &Path {
        &self.user_folder
    }

    /// Returns whether nobody but the user has business in the folder.
    pub(super) fn is_private(&self) -> bool {
        self.folder.as_deref() == Some(self.user_folder())
    }
}

/// Returns the path of the SQLite file in a catalog's folder.
pub(super) fn database_file(folder: &Path) -> PathBuf {
    folder.join("catalog.db")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::{Discovery, locate};
    use std::path::Path;

    #[test]
    fn the_nearest_folder_upwards_is_found() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let data = root.join("data");
        let deep = root.join("project/a/b");
        fs::create_dir_all(&deep).unwrap();

        let outside = locate(&deep, None, &data);
        assert_eq!(outside.discovery(), Discovery::UserData);
        assert_eq!(outside.folder(), Some(data.join("lakesh").as_path()));
        assert_eq!(outside.project_folder(), None);
        assert!(!data.exists(), "looking creates nothing");

        fs::create_dir(root.join("project/.lakesh")).unwrap();
        fs::write(root.join("project/a/.lakesh"), "a file is not a catalog").unwrap();
        let found = locate(&deep, None, &data);
        assert_eq!(found.discovery(), Discovery::WalkedUp);
        assert_eq!(found.project_folder(), Some(root.join("project").as_path()));
    }

    #[test]
    fn an_explicit_path_wins() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(".lakesh")).unwrap();
        let cases = [
            ("other", Some(root.path().join("other"))),
            ("x/../other", Some(root.path().join("other"))),
            ("/far/away", Some("/far/away".into())),
            (":memory:", None),
        ];
        for (explicit, folder) in cases {
            let found = locate(root.path(), Some(Path::new(explicit)), root.path());
            assert_eq!(found.discovery(), Discovery::Explicit, "{explicit}");
            assert_eq!(found.folder(), folder.as_deref(), "{explicit}");
        }
    }
}
