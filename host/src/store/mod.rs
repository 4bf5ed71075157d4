//! The DuckDB database: the only place with SQL.
