//! Records as files: one format, one file.
