//! Who runs this process.

/// Returns the number of the current user (`Some(None)` where the system has no numbers for users); `None`
/// where it cannot be found out.
///
/// Whoever makes a file owns it: this asks the system without unsafe code.
#[cfg(unix)]
pub fn current_user() -> Option<Option<u32>> {
    use std::os::unix::fs::MetadataExt;
    let metadata = tempfile::tempfile().ok()?.metadata().ok()?;
    Some(Some(metadata.uid()))
}

/// Returns `Some(None)`: the system has no numbers for users.
#[cfg(not(unix))]
pub fn current_user() -> Option<Option<u32>> {
    Some(None)
}
