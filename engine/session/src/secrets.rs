//! The secrets of a session: where they come from, and which statements use one.

mod held;

use std::collections::BTreeMap;

use datafusion::common::ScalarValue;
use lakesh_text::secret::{Origin, Secret, Secrets, is_secret_name};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Collects what a session is started with: the environment, variables and parameters.
pub(super) fn given(
    environment: &BTreeMap<String, String>,
    variables: &BTreeMap<String, String>,
    parameters: &BTreeMap<String, ScalarValue>,
) -> Secrets {
    let secrets = Secrets::default();
    for (name, value) in environment {
        if is_secret_name(name) {
            hold(&secrets, &Secret::new(value.as_str()), Origin::Named);
        }
        if let Some(password) = password_in(value) {
            hold(&secrets, &Secret::new(password), Origin::Named);
        }
    }
    for (name, value) in variables {
        if is_secret_name(name) {
            hold(&secrets, &Secret::new(value.as_str()), Origin::Named);
        }
    }
    for (name, value) in parameters {
        hold_parameter(&secrets, name, value);
    }
    secrets
}

/// Finds the password of a URL, such as that of a proxy.
fn password_in(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let (credentials, _) = rest.split(['/', '?', '#']).next()?.rsplit_once('@')?;
    credentials.split_once(':').map(|(_, password)| password)
}

pub(super) fn hold_parameter(secrets: &Secrets, name: &str, value: &ScalarValue) {
    if is_secret_name(name)
        && let Some(Some(value)) = value.try_as_str()
    {
        hold(secrets, &Secret::new(value), Origin::Named);
    }
}

pub(super) fn hold(secrets: &Secrets, secret: &Secret, origin: Origin) {
    secrets.hold(secret, origin);
    keep_out_of_dumps();
}

/// Keeps the kernel from writing this process's memory to a file when it fails.
fn keep_out_of_dumps() {
    // Where neither can be had, the secret is as safe as the dumps of the machine.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_dumpable(false);
    if let Ok((_, maximum)) = getrlimit(Resource::RLIMIT_CORE) {
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, maximum);
    }
}
