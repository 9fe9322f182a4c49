//! The connection file: where the kernel listens, and the key that signs what it says.

use std::fs;
use std::path::Path;

use jupyter_protocol::ConnectionInfo;
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::read;

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
}
