//! `dyno sql`: runs one SELECT query on the database; prints a table or JSON.

use std::{process::ExitCode, time::Duration};

use dyno_core::units;
use serde_json::Value;

use super::{Failure, args::SqlArgs, exit_code::End, output, table};
use crate::app::{App, SqlBrake, SqlCaller, SqlLimits};

/// Maximum time of a query.
const TIME: Duration = Duration::from_secs(60);

pub(super) fn execute(app: &App, args: &SqlArgs, json: bool) -> Result<ExitCode, Failure> {
    let limits = SqlLimits::new(SqlCaller::Owner, args.limit, TIME);
    let answer = app.results().select(&args.query, limits, &SqlBrake::default())?;
    if json {
        output::json(&answer)?;
        return Ok(End::Good.into());
    }
    let names: Vec<&str> = answer.columns.iter().map(|column| column.name.as_str()).collect();
    let mut rows = table::new(&names).with_empty();
    for row in &answer.rows {
        rows.add_row(row.iter().map(|value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }));
    }
    let more = match answer.truncated {
        true if answer.rows.len() < args.limit as usize => {
            "; there are more, but an answer cannot be larger: select fewer columns"
        }
        true => "; there are more, see --limit",
        false => "",
    };
    output::text(&format!(
        "{rows}\n{} in {:.1} ms{more}",
        units::count(answer.rows.len(), "row"),
        answer.elapsed_ms
    ))?;
    Ok(End::Good.into())
}
