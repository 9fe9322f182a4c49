//! Installs the kernel where Jupyter looks for kernels.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use lakesh_engine::failure::{Failure, FailureKind};
use serde_json::json;

/// The name that front ends show.
const DISPLAY_NAME: &str = "SQL (lakesh)";

/// For whom the kernel is installed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Place {
    /// The user.
    #[default]
    User,
    /// The Python environment that is active, or the system's.
    PythonPrefix,
    /// Everybody below this folder, as `PREFIX/share/jupyter/kernels`.
    Prefix(PathBuf),
}

/// What to install.
#[derive(Debug, Clone)]
pub struct Installation {
    /// The program that the kernel is.
    pub program: PathBuf,
    /// For whom.
    pub place: Place,
    /// The kernel's name, which notebooks keep.
    pub name: String,
    /// The name that front ends show.
    pub display_name: Option<String>,
    /// What is passed on to the session, such as `--catalog DIR`.
    pub options: Vec<String>,
}

/// Installs the kernel; returns the folder that it is in.
pub fn install(installation: &Installation) -> Result<PathBuf, Failure> {
    check_name(&installation.name)?;
    let kernels = match &installation.place {
        Place::User => user_data_folder()?,
        Place::PythonPrefix => python_prefix()?.join("share/jupyter"),
        Place::Prefix(prefix) => prefix.join("share/jupyter"),
    };
    let folder = kernels.join("kernels").join(&installation.name);
    write(installation, &folder).map_err(|error| {
        let message = format!("cannot write `{}`: {error}", folder.display());
        Failure::new(FailureKind::InputOutput, message).caused_by(error)
    })?;
    Ok(folder)
}

fn write(installation: &Installation, folder: &Path) -> io::Result<()> {
    let mut words = vec![
        installation.program.display().to_string(),
        "kernel".to_owned(),
        "start".to_owned(),
        "--connection-file".to_owned(),
        "{connection_file}".to_owned(),
    ];
    if !installation.options.is_empty() {
        words.push("--".to_owned());
        words.extend(installation.options.iter().cloned());
    }
    let display_name = installation.display_name.as_deref();
    let specification = json!({
        "argv": words,
        "display_name": display_name.unwrap_or(DISPLAY_NAME),
        "language": "sql",
        "interrupt_mode": "message",
        "metadata": { "debugger": false },
    });
    fs::create_dir_all(folder)?;
    let text = serde_json::to_string_pretty(&specification)?;
    fs::write(folder.join("kernel.json"), text + "\n")
}

/// Refuses names that Jupyter does not find.
fn check_name(name: &str) -> Result<(), Failure> {
    let is_good = !name.is_empty()
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "._-".contains(letter))
        && !name.starts_with('.');
    if is_good {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Usage,
        format!("`{name}` is not a kernel's name"),
    )
    .hint("it takes letters, digits, `.`, `_` and `-`"))
}

/// Where the user's own Jupyter data lies.
fn user_data_folder() -> Result<PathBuf, Failure> {
    if let Some(folder) = env::var_os("JUPYTER_DATA_DIR").filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    if cfg!(target_os = "macos") {
        let home = dirs::home_dir().ok_or_else(no_home)?;
        return Ok(home.join("Library/Jupyter"));
    }
    let data = dirs::data_dir().ok_or_else(no_home)?;
    Ok(data.join("jupyter"))
}

fn no_home() -> Failure {
    Failure::new(FailureKind::InputOutput, "the home folder is not known")
        .hint("`--prefix DIR` installs below a folder")
}

/// The folder of the active Python environment.
fn python_prefix() -> Result<PathBuf, Failure> {
    for variable in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        if let Some(folder) = env::var_os(variable).filter(|folder| !folder.is_empty()) {
            return Ok(folder.into());
        }
    }
    let asked = Command::new("python3")
        .args(["-c", "import sys; sys.stdout.write(sys.prefix)"])
        .output();
    match asked {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).trim().into())
        }
        _ => Err(
            Failure::new(FailureKind::Usage, "no Python environment was found")
                .hint("activate one, or use `--user` or `--prefix DIR`"),
        ),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::{Installation, Place, install};

    fn installation(name: &str, prefix: &std::path::Path) -> Installation {
        Installation {
            program: "/bin/lakesh".into(),
            place: Place::Prefix(prefix.into()),
            name: name.to_owned(),
            display_name: None,
            options: vec!["--catalog".to_owned(), "/lake".to_owned()],
        }
    }

    #[test]
    fn the_specification_starts_the_kernel() {
        let prefix = tempfile::tempdir().unwrap();
        let folder = install(&installation("lakesh", prefix.path())).unwrap();
        assert_eq!(folder, prefix.path().join("share/jupyter/kernels/lakesh"));
        let text = fs::read_to_string(folder.join("kernel.json")).unwrap();
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["argv"][4], "{connection_file}");
        assert_eq!(read["argv"][7], "/lake");
        assert_eq!(read["interrupt_mode"], "message");
        assert_eq!(read["language"], "sql");
    }

    #[test]
    fn names_are_checked() {
        let prefix = tempfile::tempdir().unwrap();
        for name in ["", "../x", "a b", ".hidden"] {
            let failure = install(&installation(name, prefix.path())).unwrap_err();
            assert!(
                failure.message.ends_with("is not a kernel's name"),
                "{failure}"
            );
        }
    }
}
