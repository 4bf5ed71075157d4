//! Boundary rules.
