//! Samples in, summaries out.
