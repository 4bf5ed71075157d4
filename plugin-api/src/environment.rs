//! Variables of the environment by which a host tells a plugin about what it was granted.

/// The user's home, for a plugin that may read something there: `HOME` is the folder of the launch, or not set.
pub const USER_HOME: &str = "DYNO_USER_HOME";

/// The addresses of what a plugin may connect to: it cannot ask a name server.
/// // eg: `localhost:8000=127.0.0.1:8000,[::1]:8000 models.example.com:443=192.0.2.7:443`
pub const ADDRESSES: &str = "DYNO_CONNECT";
