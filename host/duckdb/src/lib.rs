//! DuckDB's library, opened when the host first needs the database instead of whenever the program starts.
//!
//! Loading its 70 MB takes several times as long as everything else that a command like `dyno list` does.

mod error;

pub use error::{OpenError, VERSION};

cfg_select! {
    all(not(feature = "bundled"), target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")) => {
        mod deferred;
        pub use deferred::open;
    }
    _ => {
        /// Does nothing: DuckDB was loaded with the program, or is part of it.
        ///
        /// # Errors
        /// None.
        pub const fn open() -> Result<(), OpenError> {
            Ok(())
        }
    }
}
