//! Numbers scaled for reading.
