//! Returns the machine's name, which is used in commit messages and in the lock.

/// Returns the machine's host name, as `hostname` prints it.
pub fn host_name() -> String {
    imp::host_name()
}

#[cfg(unix)]
mod imp {
    pub fn host_name() -> String {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    }
}

#[cfg(not(unix))]
mod imp {
    pub fn host_name() -> String {
        std::env::var("COMPUTERNAME").unwrap_or_else(|_| "localhost".into())
    }
}
