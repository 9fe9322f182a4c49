//! What the system does to the process before and beside `main`: closed streams, and files too large.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether standard output was closed when the process began.
static OUTPUT_WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Looks at standard output before the standard library does, which puts `/dev/null` in the place of a
/// closed stream: results would be lost, and nobody told.
#[cfg(target_os = "linux")]
#[used]
#[allow(
    unsafe_code,
    reason = "nothing in safe code runs before the standard library's own start"
)]
// SAFETY: the C library calls the functions of this section once, before `main`; this one makes a system
// call and stores a boolean, and needs nothing of the standard library that would not be ready.
#[unsafe(link_section = ".init_array")]
static LOOK_AT_OUTPUT: extern "C" fn() = {
    extern "C" fn look() {
        // SAFETY: the call takes two integers and reads the table of open files.
        let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
        OUTPUT_WAS_CLOSED.store(flags == -1, Ordering::Relaxed);
    }
    look
};

/// Says whether standard output was closed when the process began.
pub(crate) fn output_was_closed() -> bool {
    OUTPUT_WAS_CLOSED.load(Ordering::Relaxed)
}

/// Lets a write beyond the greatest file size fail with an error instead of ending the process.
///
/// The signal has a handler, not the word that ignores it: programs that are started begin as usual.
pub(crate) fn survive_large_files() {
    extern "C" fn go_on(_: libc::c_int) {}
    let handler = go_on as extern "C" fn(libc::c_int);
    #[allow(
        unsafe_code,
        reason = "signals that have no meaning for the runtime are the C library's"
    )]
    // SAFETY: the handler does nothing, so it may run at any moment on any thread.
    unsafe {
        libc::signal(libc::SIGXFSZ, handler as libc::sighandler_t);
    }
}
