//! Which plugin files there are and what they say about themselves. Reads bytes; runs nothing.
