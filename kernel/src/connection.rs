//! The connection file: where the kernel listens, and the key that signs what it says.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use jupyter_protocol::ConnectionInfo;
use jupyter_protocol::connection_info::Transport;
use lakesh_engine::failure::{Failure, FailureKind};

/// The only way of signing that there is.
const SIGNATURE_SCHEME: &str = "hmac-sha256";

/// Reads a connection file.
pub(crate) fn read(path: &Path) -> Result<ConnectionInfo, Failure> {
    let wrong = |problem: String| {
        Failure::new(
            FailureKind::Usage,
            format!("the connection file `{}` {problem}", path.display()),
        )
    };
    let text = fs::read_to_string(path)
        .map_err(|error| wrong("cannot be read".to_owned()).caused_by(error))?;
    let info: ConnectionInfo = serde_json::from_str(&text)
        .map_err(|error| wrong(format!("is not one: {error}")).caused_by(error))?;
    if !info.key.is_empty() && info.signature_scheme != SIGNATURE_SCHEME {
        let problem = format!("asks for the signature scheme `{}`", info.signature_scheme);
        return Err(wrong(problem).hint(format!("lakesh signs with {SIGNATURE_SCHEME}")));
    }
    Ok(info)
}

/// The files that are the sockets of a kernel on this machine only; none where it listens on ports.
pub(crate) struct SocketFiles(Vec<PathBuf>);

impl SocketFiles {
    /// Names the files, and removes those that a killed kernel has left: a restarted one is given the same.
    pub(crate) fn cleared(info: &ConnectionInfo) -> Self {
        let ports = match info.transport {
            Transport::TCP => Vec::new(),
            Transport::IPC => vec![
                info.shell_port,
                info.iopub_port,
                info.stdin_port,
                info.control_port,
                info.hb_port,
            ],
        };
        let files = ports
            .iter()
            .map(|port| format!("{}-{port}", info.ip).into());
        let files = Self(files.collect());
        for file in files.0.iter().filter(|file| is_abandoned(file)) {
            // One that cannot be removed cannot be bound either, and that is said.
            drop(fs::remove_file(file));
        }
        files
    }

    /// Removes the files of a kernel that has ended.
    pub(crate) fn remove(&self) {
        for file in self.0.iter().filter(|file| is_socket(file)) {
            drop(fs::remove_file(file));
        }
    }
}

fn is_socket(file: &Path) -> bool {
    fs::symlink_metadata(file).is_ok_and(|found| found.file_type().is_socket())
}

/// Tells whether a file is a socket on which nobody listens.
fn is_abandoned(file: &Path) -> bool {
    let refused = |error: std::io::Error| error.kind() == ErrorKind::ConnectionRefused;
    is_socket(file) && UnixStream::connect(file).is_err_and(refused)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::{SocketFiles, read};

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kernel.json");
        std::fs::write(&path, text).unwrap();
        let outcome = match read(&path) {
            Ok(info) => info.shell_url(),
            Err(failure) => failure.message,
        };
        assert!(outcome.contains(expected), "{outcome}");
    }

    #[test]
    fn files_are_checked() {
        let file = |transport: &str, scheme: &str| {
            format!(
                r#"{{"ip": "127.0.0.1", "transport": "{transport}", "shell_port": 1, "iopub_port": 2,
                    "stdin_port": 3, "control_port": 4, "hb_port": 5, "key": "k",
                    "signature_scheme": "{scheme}", "jupyter_session": "x"}}"#
            )
        };
        check(&file("tcp", "hmac-sha256"), "tcp://127.0.0.1:1");
        check(&file("ipc", "hmac-sha256"), "ipc://127.0.0.1-1");
        check(&file("tcp", "hmac-md5"), "signature scheme `hmac-md5`");
        check("{}", "is not one: missing field `ip`");
    }

    #[test]
    fn sockets_that_nobody_listens_on_are_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let at = |port: u16| folder.path().join(format!("k-{port}"));
        let text = format!(
            r#"{{"ip": "{}", "transport": "ipc", "shell_port": 1, "iopub_port": 2, "stdin_port": 3,
                "control_port": 4, "hb_port": 5, "key": "", "signature_scheme": "hmac-sha256"}}"#,
            folder.path().join("k").display()
        );
        std::fs::write(folder.path().join("kernel.json"), text).unwrap();
        let info = read(&folder.path().join("kernel.json")).unwrap();
        drop(UnixListener::bind(at(1)).unwrap());
        let listening = UnixListener::bind(at(2)).unwrap();
        std::fs::write(at(3), "a file of somebody's").unwrap();
        let files = SocketFiles::cleared(&info);
        assert!(!at(1).exists() && at(2).exists() && at(3).exists());
        drop(listening);
        files.remove();
        assert!(!at(2).exists() && at(3).exists());
    }
}
