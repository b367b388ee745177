//! Memory that was needed for a while, given back to the system.
//!
//! The C library keeps what is freed for whoever asks next, a store for each thread. What a fetch took apart lies there
//! in pieces between what stays, while a merge and a push ask for theirs elsewhere: without this a run would hold the
//! sum of what its steps need, and not the most that one of them does.

/// Gives back what is free, see [`malloc_trim`](https://man7.org/linux/man-pages/man3/malloc_trim.3.html). Takes a part
/// of a millisecond, so it is for the end of a step that had some MiB.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "no safe function gives memory back")]
pub fn give_back() {
    // SAFETY: it takes the library's own locks, and touches nothing but memory that is free.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Elsewhere the system's own library decides that.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back() {}
