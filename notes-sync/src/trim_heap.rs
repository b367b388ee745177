//! Returns freed heap memory to the system.
//!
//! The C library keeps freed memory for later allocations, in an arena for each thread. What a fetch has freed
//! remains there, fragmented, while the merge and the push allocate elsewhere: without this, a run would hold the sum
//! of what its steps need instead of the maximum.

/// Returns free memory to the system with [`malloc_trim`](https://man7.org/linux/man-pages/man3/malloc_trim.3.html).
/// This takes a fraction of a millisecond, so call it at the end of a step that used some MiB.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "no safe function gives memory back")]
pub fn give_back() {
    // SAFETY: it takes the allocator's own locks, and touches only memory that is free.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Does nothing: other allocators decide this themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back() {}
