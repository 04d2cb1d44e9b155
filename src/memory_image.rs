//! Keeps the process's memory to itself: it holds passwords and tokens.
//!
//! No core dump is written, and on Linux no process of the same user may read the memory or
//! attach a debugger.

/// Switches core dumps off, for good.
#[cfg(unix)]
pub fn seal() -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let nothing = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, nothing)?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// There is nothing of the kind to switch off.
#[cfg(not(unix))]
pub fn seal() -> std::io::Result<()> {
    Ok(())
}
