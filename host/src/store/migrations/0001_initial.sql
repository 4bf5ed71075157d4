-- Version 1 of the database. Migrations are never edited once released; a change is another file.
--
-- Times are UTC. `*_json` columns hold JSON text: no extension is needed to read the database.
-- `run_no` is the key that joins the tables; `runs.id` is the identifier that people see.
-- No table has a key or an index: the one writer keeps them whole, and an index on `samples` would cost more than the
-- samples. Rows arrive in the order of `run_no`, so the smallest and largest value of each row group find a run.

CREATE TABLE runs (
    run_no INTEGER NOT NULL,
    id VARCHAR NOT NULL,              -- a UUID that sorts by time
    created_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP,
    status VARCHAR NOT NULL,          -- queued, running, completed, cancelled, interrupted
    dyno_version VARCHAR NOT NULL,
    suite VARCHAR,
    tags VARCHAR[] NOT NULL,
    hostname VARCHAR NOT NULL,
    cpu_model VARCHAR NOT NULL,
    machine_fingerprint VARCHAR NOT NULL,
    spec_json VARCHAR NOT NULL,
    machine_json VARCHAR NOT NULL
);

CREATE TABLE plugins (
    sha256 VARCHAR NOT NULL,          -- one row per content
    plugin_id VARCHAR NOT NULL,
    version VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,            -- native, wasm
    path VARCHAR NOT NULL,            -- where it was when it was last seen
    descriptor_json VARCHAR,          -- absent in records from elsewhere
    first_seen TIMESTAMP NOT NULL,
    last_seen TIMESTAMP NOT NULL
);

CREATE TABLE cases (
    run_no INTEGER NOT NULL,
    case_no INTEGER NOT NULL,
    plugin_id VARCHAR NOT NULL,
    plugin_version VARCHAR NOT NULL,
    plugin_kind VARCHAR NOT NULL,
    plugin_sha256 VARCHAR NOT NULL,
    plugin_path VARCHAR NOT NULL,
    benchmark VARCHAR NOT NULL,
    category VARCHAR NOT NULL,
    device VARCHAR NOT NULL,
    model_name VARCHAR NOT NULL,      -- parameter `model`, else the benchmark
    batch_size BIGINT,                -- parameter `batch_size`
    "precision" VARCHAR,              -- parameter `precision`, else `dtype`, in the words fp16, fp32, fp64
    params_json VARCHAR NOT NULL,
    status VARCHAR NOT NULL,          -- queued, running, completed, failed, skipped, timed_out, cancelled
    stage VARCHAR,                    -- where it failed or timed out
    reason VARCHAR,                   -- why it did not complete, a sentence
    status_json VARCHAR NOT NULL,
    metrics_json VARCHAR NOT NULL     -- medians by metric
);

CREATE TABLE launches (
    run_no INTEGER NOT NULL,
    case_no INTEGER NOT NULL,
    launch_no INTEGER NOT NULL,
    started_at TIMESTAMP NOT NULL,
    status VARCHAR NOT NULL,
    retaken UINTEGER NOT NULL,        -- samples
    peak_memory_bytes UBIGINT,
    pinned_cpu UINTEGER,
    record_json VARCHAR NOT NULL      -- the launch without samples and environment, with what the plugin wrote
);

CREATE TABLE environments (
    run_no INTEGER NOT NULL,
    case_no INTEGER NOT NULL,
    launch_no INTEGER NOT NULL,
    load_before DOUBLE,               -- load average over one minute
    load_after DOUBLE,
    steal DOUBLE,                     -- share, 0 to 1
    others_busy DOUBLE,               -- share, 0 to 1
    disturbed BOOLEAN NOT NULL,
    environment_json VARCHAR NOT NULL
);

-- All figures are for the whole sample, not per iteration.
CREATE TABLE samples (
    run_no INTEGER NOT NULL,
    case_no INTEGER NOT NULL,
    launch_no INTEGER NOT NULL,
    sample_no INTEGER NOT NULL,
    iterations UBIGINT NOT NULL,
    wall_ns UBIGINT NOT NULL,
    cpu_ns UBIGINT NOT NULL,
    device_ns DOUBLE NOT NULL,        -- 0: the device cannot tell
    items DOUBLE NOT NULL,            -- 0: not reported
    bytes DOUBLE NOT NULL,
    flop DOUBLE NOT NULL,
    checksum UBIGINT NOT NULL,
    preemptions UINTEGER NOT NULL
);

CREATE TABLE metrics (
    run_no INTEGER NOT NULL,
    case_no INTEGER NOT NULL,
    metric_no INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    better VARCHAR NOT NULL,          -- lower, higher
    median DOUBLE NOT NULL,
    low DOUBLE,
    high DOUBLE,
    mean DOUBLE NOT NULL,
    std_dev DOUBLE,
    launches UINTEGER NOT NULL,
    samples UINTEGER NOT NULL,
    summary_json VARCHAR NOT NULL
);

CREATE TABLE comparisons (
    comparison_id VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    baseline_run_no INTEGER NOT NULL,
    candidate_run_no INTEGER NOT NULL,
    record_json VARCHAR NOT NULL
);

-- The views of the original suite, with its column names. Nothing is ever simulated, so that column is always false.
CREATE VIEW performance_results_view AS
SELECT
    c.run_no::BIGINT * 1000000 + c.case_no AS result_id,
    r.id AS run_id,
    c.model_name,
    c.category AS model_family,
    split_part(c.device, ':', 1) AS hardware_type,
    CASE WHEN c.device = 'cpu' THEN r.cpu_model ELSE c.device END AS device_name,
    c.benchmark AS test_case,
    c.batch_size,
    c."precision",
    items.median AS throughput_items_per_second,
    latency.mean / 1e6 AS average_latency_ms,
    memory.median / 1e6 AS memory_peak_mb,
    FALSE AS simulation_mode,
    NULL::VARCHAR AS simulation_details,
    c.metrics_json AS metrics,
    c.params_json AS params,
    c.plugin_kind,
    r.created_at
FROM cases c
JOIN runs r ON r.run_no = c.run_no
JOIN metrics latency ON latency.run_no = c.run_no AND latency.case_no = c.case_no AND latency.name = 'time'
LEFT JOIN metrics items ON items.run_no = c.run_no AND items.case_no = c.case_no AND items.name = 'items_per_second'
LEFT JOIN metrics memory ON memory.run_no = c.run_no AND memory.case_no = c.case_no AND memory.name = 'peak_memory'
WHERE c.status = 'completed';

-- Cases that never came so far say nothing about compatibility.
CREATE VIEW hardware_compatibility_view AS
SELECT
    c.run_no::BIGINT * 1000000 + c.case_no AS compatibility_id,
    r.id AS run_id,
    c.model_name,
    c.category AS model_family,
    split_part(c.device, ':', 1) AS hardware_type,
    CASE WHEN c.device = 'cpu' THEN r.cpu_model ELSE c.device END AS device_name,
    c.status = 'completed' AS is_compatible,
    c.status <> 'skipped' AS detection_success,
    c.status = 'completed' OR coalesce(c.stage NOT IN ('lease', 'spawn', 'load', 'setup'), FALSE) AS initialization_success,
    c.reason AS error_message,
    CASE WHEN c.status <> 'completed' THEN c.status END AS error_type,
    r.created_at
FROM cases c
JOIN runs r ON r.run_no = c.run_no
WHERE c.status IN ('completed', 'failed', 'skipped', 'timed_out');

-- Other parameters, and the other build of a plugin, are other results.
CREATE VIEW latest_performance_results AS
SELECT * FROM performance_results_view
QUALIFY row_number() OVER (
    PARTITION BY model_name, test_case, hardware_type, device_name, batch_size, "precision", params, plugin_kind
    ORDER BY created_at DESC, result_id DESC
) = 1;
