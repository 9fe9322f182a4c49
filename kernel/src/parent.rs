//! Notices that whoever started the kernel has gone: nobody would stop the kernel then.

use std::time::Duration;

const INTERVAL: Duration = Duration::from_secs(1);

/// Waits until the process that started this one has gone; forever where that does not matter.
pub(crate) async fn gone(watched: bool) {
    if !watched {
        return std::future::pending().await;
    }
    let parent = std::os::unix::process::parent_id();
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        ticks.tick().await;
        if std::os::unix::process::parent_id() != parent {
            return;
        }
    }
}
