//! Worker processes: spawned, spoken to, bounded, killed.
