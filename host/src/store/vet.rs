//! Checks which tables and functions a statement from a server's caller uses, on the tree of DuckDB's own parser. DuckDB
//! has neither rights per table nor a memory limit per query, so a forbidden statement is refused before it runs.

use serde_json::Value;

use super::sql_limits::{SqlCaller, SqlError};

/// Table functions that read only their arguments and the catalog. Others read files, run SQL given as text, or show the
/// statistics of any table.
const TABLE_FUNCTIONS: [&str; 10] = [
    "duckdb_columns",
    "duckdb_functions",
    "duckdb_tables",
    "duckdb_types",
    "duckdb_views",
    "generate_series",
    "json_each",
    "json_tree",
    "range",
    "unnest",
];

/// Functions whose value can be far longer than their arguments. DuckDB does not count the memory of such values.
const AMPLIFIERS: [&str; 14] = [
    "array_reduce",
    "array_resize",
    "bar",
    "bitstring",
    "format",
    "generate_series",
    "list_reduce",
    "list_resize",
    "lpad",
    "printf",
    "range",
    "reduce",
    "repeat",
    "rpad",
];

/// Maximum number of `*` in a statement: each can double the columns of the query inside it.
const MOST_STARS: usize = 8;

/// The table of the audit log, which needs the scope `admin`.
const AUDIT: &str = "audit";

/// Refuses a statement that this caller may not run. `tree` is the statement as `json_serialize_sql` returns it.
pub(super) fn vet(tree: &Value, caller: SqlCaller) -> Result<(), SqlError> {
    if caller == SqlCaller::Owner {
        return Ok(());
    }
    let mut stars = 0;
    walk(tree, caller, &mut stars)
}

/// Recursion is safe: the parser bounds the depth of the tree.
fn walk(node: &Value, caller: SqlCaller, stars: &mut usize) -> Result<(), SqlError> {
    match node {
        Value::Array(items) => items.iter().try_for_each(|item| walk(item, caller, stars)),
        Value::Object(fields) => {
            let is = |field: &str, word: &str| fields.get(field).and_then(Value::as_str) == Some(word);
            let is_source = is("type", "TABLE_FUNCTION");
            if is_source {
                check_source(node)?;
            } else if is("class", "FUNCTION") {
                check_function(node)?;
            } else if is("class", "STAR") {
                *stars += 1;
                if *stars > MOST_STARS {
                    return Err(SqlError::TooManyStars(MOST_STARS));
                }
            }
            if caller != SqlCaller::Operator
                && fields
                    .get("table_name")
                    .and_then(Value::as_str)
                    .is_some_and(|it| it.eq_ignore_ascii_case(AUDIT))
            {
                return Err(SqlError::Audit);
            }
            fields.iter().try_for_each(|(name, inner)| match inner {
                // The function of a source is no function of an expression; what it is given may hold some.
                Value::Object(function) if is_source && name == "function" => {
                    function.values().try_for_each(|it| walk(it, caller, stars))
                }
                inner => walk(inner, caller, stars),
            })
        }
        _ => Ok(()),
    }
}

fn check_source(node: &Value) -> Result<(), SqlError> {
    let name = named(&node["function"]);
    if TABLE_FUNCTIONS.contains(&name.as_str()) {
        return Ok(());
    }
    Err(SqlError::NoSource { name, known: TABLE_FUNCTIONS.join(", ") })
}

fn check_function(node: &Value) -> Result<(), SqlError> {
    let name = named(node);
    if AMPLIFIERS.contains(&name.as_str()) { Err(SqlError::Amplifier(name)) } else { Ok(()) }
}

fn named(function: &Value) -> String {
    function["function_name"].as_str().unwrap_or_default().to_lowercase()
}
