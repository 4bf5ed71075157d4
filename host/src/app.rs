//! The composition root: what the CLI and the server can ask for.
