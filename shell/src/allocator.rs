//! How long freed memory stays with the process.

use std::ffi::c_long;

use libmimalloc_sys::{mi_option_set_default, mi_option_t};

/// `mi_option_purge_delay` of mimalloc's header, which the bindings do not name.
const PURGE_DELAY: mi_option_t = 15;

/// In milliseconds. mimalloc's own 10 give memory back between two batches of one query, and the
/// system fills the same pages with zeros again and again: a sixth of the time of a MERGE.
const DELAY: c_long = 100;

/// Keeps freed memory for a moment, unless `MIMALLOC_PURGE_DELAY` says otherwise.
pub(crate) fn keep_freed_memory() {
    #[allow(
        unsafe_code,
        reason = "the allocator's settings are reached through its C interface"
    )]
    // SAFETY: the call takes two integers and stores one of them; it is made before any other thread
    // is there that could set the option at the same time.
    unsafe {
        mi_option_set_default(PURGE_DELAY, DELAY);
    }
}
