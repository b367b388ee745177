//! Detects streams that the caller has closed (`>&-`): what is written there is read by nobody, so no message counts as
//! shown.
//!
//! The write itself does not fail. Before `main`, Rust's runtime opens `/dev/null` in place of each standard stream that
//! is closed, since the first file to be opened would become that stream otherwise. A caller that throws the output
//! away, by opening `/dev/null` itself, is another matter: it has asked for that. So it has to be found out before the
//! runtime begins, where the C library lets every part of a program initialise itself.

pub(crate) use imp::was_closed;

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
mod imp {
    use std::os::fd::{BorrowedFd, RawFd};
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    /// The streams that were closed: a bit for each file descriptor.
    static CLOSED: AtomicU32 = AtomicU32::new(0);

    /// Looks before the runtime begins; see `.init_array` in
    /// <https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html#init_fini>.
    #[used]
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
    #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
    #[allow(unsafe_code, reason = "there is no other way to run before the runtime")]
    static BEFORE_MAIN: extern "C" fn() = look;

    extern "C" fn look() {
        for number in 0..=2 {
            if is_closed(number) {
                CLOSED.fetch_or(1 << number, Relaxed);
            }
        }
    }

    #[allow(unsafe_code, reason = "a closed descriptor has no safe type")]
    fn is_closed(number: RawFd) -> bool {
        // SAFETY: the descriptor is only asked about, and never kept. If it is closed, asking fails.
        let stream = unsafe { BorrowedFd::borrow_raw(number) };
        rustix::io::fcntl_getfd(stream) == Err(rustix::io::Errno::BADF)
    }

    /// Whether the standard stream of that number was closed when this process began.
    pub(crate) fn was_closed(number: RawFd) -> bool {
        CLOSED.load(Relaxed) & (1 << number) != 0
    }
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
mod imp {
    /// It is not known here, or writing to a closed stream fails anyway.
    pub(crate) fn was_closed(_: i32) -> bool {
        false
    }
}
