-- Version 1 of the database. Migrations are never edited once released; a change is another file.
--
-- Times are UTC. `*_json` columns hold JSON text: no extension is needed to read the database.
-- `run_no` is the key that joins the tables; `runs.id` is the identifier that people see.

CREATE TABLE runs (
    run_no INTEGER NOT NULL,
    id VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP,
    status VARCHAR NOT NULL,          -- queued, running, completed, cancelled, interrupted
    dyno_version VARCHAR NOT NULL,
    suite VARCHAR,
    tags VARCHAR[] NOT NULL,
    hostname VARCHAR NOT NULL,
    machine_fingerprint VARCHAR NOT NULL,
    spec_json VARCHAR NOT NULL,
    machine_json VARCHAR NOT NULL
);

CREATE TABLE plugins (
    sha256 VARCHAR NOT NULL,
    plugin_id VARCHAR NOT NULL,
    version VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,            -- native, wasm
    path VARCHAR NOT NULL,
    first_seen TIMESTAMP NOT NULL
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
    batch_size BIGINT NOT NULL,       -- parameter `batch_size`, else 1
    "precision" VARCHAR NOT NULL,     -- parameter `precision` or `dtype`, else fp32
    params_json VARCHAR NOT NULL,
    status VARCHAR NOT NULL,          -- queued, running, completed, failed, skipped, timed_out, cancelled
    status_json VARCHAR NOT NULL
);

CREATE TABLE launches (
    run_no INTEGER NOT NULL,
    case_no INTEGER NOT NULL,
    launch_no INTEGER NOT NULL,
    started_at TIMESTAMP NOT NULL,
    status VARCHAR NOT NULL,
    retaken INTEGER NOT NULL,
    peak_memory_bytes UBIGINT,
    pinned_cpu INTEGER,
    record_json VARCHAR NOT NULL      -- the launch without samples and environment
);

CREATE TABLE environments (
    run_no INTEGER NOT NULL,
    case_no INTEGER NOT NULL,
    launch_no INTEGER NOT NULL,
    load_before DOUBLE,
    load_after DOUBLE,
    steal DOUBLE,                     -- share, 0 to 1
    others_busy DOUBLE,               -- share, 0 to 1
    disturbed BOOLEAN NOT NULL,
    environment_json VARCHAR NOT NULL
);

-- No key and no index: rows arrive in order, so that the minimum and maximum of each row group find a run.
CREATE TABLE samples (
    run_no INTEGER NOT NULL,
    case_no INTEGER NOT NULL,
    launch_no INTEGER NOT NULL,
    sample_no INTEGER NOT NULL,
    iterations UBIGINT NOT NULL,
    wall_ns UBIGINT NOT NULL,
    cpu_ns UBIGINT NOT NULL,
    device_ns DOUBLE NOT NULL,
    items DOUBLE NOT NULL,
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
    launches INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    summary_json VARCHAR NOT NULL
);

CREATE TABLE comparisons (
    comparison_id VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    baseline_run_no INTEGER NOT NULL,
    candidate_run_no INTEGER NOT NULL,
    record_json VARCHAR NOT NULL
);

-- The views of the original suite, with its column names.
CREATE VIEW performance_results_view AS
SELECT
    row_number() OVER (ORDER BY c.run_no, c.case_no) AS result_id,
    r.id AS run_id,
    c.model_name,
    c.category AS model_family,
    c.device AS hardware_type,
    c.benchmark AS test_case,
    c.batch_size,
    c."precision",
    (SELECT max(m.median) FROM metrics m WHERE m.run_no = c.run_no AND m.case_no = c.case_no AND m.name = 'items_per_second') AS throughput_items_per_second,
    t.mean / 1e6 AS average_latency_ms,
    (SELECT max(m.median) / 1e6 FROM metrics m WHERE m.run_no = c.run_no AND m.case_no = c.case_no AND m.name = 'peak_memory') AS memory_peak_mb,
    FALSE AS simulation_mode,
    c.params_json AS metrics,
    r.created_at
FROM cases c
JOIN runs r ON r.run_no = c.run_no
JOIN metrics t ON t.run_no = c.run_no AND t.case_no = c.case_no AND t.name = 'time';

CREATE VIEW hardware_compatibility_view AS
SELECT
    row_number() OVER (ORDER BY c.run_no, c.case_no) AS compatibility_id,
    r.id AS run_id,
    c.model_name,
    c.device AS hardware_type,
    c.status = 'completed' AS is_compatible,
    c.status NOT IN ('skipped', 'queued') AS detection_success,
    c.status = 'completed' AS initialization_success,
    CASE WHEN c.status = 'completed' THEN NULL ELSE c.status_json END AS error_message,
    CASE WHEN c.status = 'completed' THEN NULL ELSE c.status END AS error_type,
    r.created_at
FROM cases c
JOIN runs r ON r.run_no = c.run_no;

CREATE VIEW latest_performance_results AS
SELECT * EXCLUDE (newest) FROM (
    SELECT *, row_number() OVER (PARTITION BY model_name, hardware_type, test_case, batch_size, "precision" ORDER BY created_at DESC) AS newest
    FROM performance_results_view
)
WHERE newest = 1;
