-- Version 6: how long runs took by a clock that nobody sets; why a case was skipped, as a word; and the tables of the
-- original suite as views, so that the statements of its dashboard are answered.

-- Rows are only added. Where a run has several, the largest values count.
CREATE TABLE run_ends (
    run_id VARCHAR NOT NULL,
    elapsed_s DOUBLE NOT NULL,        -- by a monotonic clock; for runs before version 6 by their times
    progress DOUBLE                   -- how far the run had come, 0 to 1; absent where no server ran it
);

INSERT INTO run_ends
SELECT r.id, greatest(epoch(r.finished_at - coalesce(s.begun_at, r.created_at)), 0), NULL
FROM runs r LEFT JOIN submissions s ON s.run_id = r.id
WHERE r.finished_at IS NOT NULL;

-- Earlier versions stored the sentence alone, and these are their sentences.
UPDATE cases SET status_json = replace(status_json, '{"state":"skipped",', '{"state":"skipped","cause":"no_device",')
WHERE status = 'skipped' AND reason LIKE 'device `%` is not available: %';
UPDATE cases SET status_json = replace(status_json, '{"state":"skipped",', '{"state":"skipped","cause":"other_hardware",')
WHERE status = 'skipped' AND reason LIKE '`%` does not run on %; it runs on %';
UPDATE cases SET status_json = replace(status_json, '{"state":"skipped",', '{"state":"skipped","cause":"known_result",')
WHERE status = 'skipped' AND reason LIKE 'incremental: run % has this result already';

-- The original numbers models and hardware. These numbers are computed from what they name, so that no table must be kept;
-- 53 bits, which every reader of JSON takes exactly.
CREATE OR REPLACE VIEW performance_results_view AS
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
    r.created_at,
    c.plugin_id,
    (hash(c.model_name, c.category, c.model_name = c.benchmark) >> 11)::BIGINT AS model_id,
    CASE WHEN c.model_name = c.benchmark THEN 'benchmark' ELSE 'model' END AS model_type,
    (hash(split_part(c.device, ':', 1), CASE WHEN c.device = 'cpu' THEN r.cpu_model ELSE c.device END) >> 11)::BIGINT
        AS hardware_id
FROM cases c
JOIN runs r ON r.run_no = c.run_no
JOIN metrics latency ON latency.run_no = c.run_no AND latency.case_no = c.case_no AND latency.name = 'time'
LEFT JOIN metrics items ON items.run_no = c.run_no AND items.case_no = c.case_no AND items.name = 'items_per_second'
LEFT JOIN metrics memory ON memory.run_no = c.run_no AND memory.case_no = c.case_no AND memory.name = 'peak_memory'
WHERE c.status = 'completed';

-- The newest by its number: times go back when a clock is set.
CREATE OR REPLACE VIEW latest_performance_results AS
SELECT * FROM performance_results_view
QUALIFY row_number() OVER (
    PARTITION BY plugin_id, model_name, test_case, hardware_type, device_name, batch_size, "precision", params, plugin_kind
    ORDER BY result_id DESC
) = 1;

-- A case says something about its model on its hardware where it completed, failed, or was skipped because of either.
-- Not where a result was known already, the request could no longer be met, or the device was taken for too long. Nor where
-- this plugin does not run on the hardware, but a benchmark of the same name in another plugin does.
CREATE OR REPLACE VIEW hardware_compatibility_view AS
WITH told AS (
    SELECT
        c.run_no, c.case_no, c.model_name, c.category, c.benchmark, c.status, c.stage, c.reason,
        split_part(c.device, ':', 1) AS hardware_type,
        CASE WHEN c.device = 'cpu' THEN r.cpu_model ELSE c.device END AS device_name,
        CASE WHEN c.status = 'skipped' THEN coalesce(json_extract_string(c.status_json, '$.cause'), '') ELSE '' END AS cause,
        r.id AS run_id,
        r.created_at
    FROM cases c
    JOIN runs r ON r.run_no = c.run_no
    WHERE c.status IN ('completed', 'failed', 'skipped', 'timed_out') AND coalesce(c.stage, '') <> 'lease'
)
SELECT
    t.run_no::BIGINT * 1000000 + t.case_no AS compatibility_id,
    t.run_id,
    t.model_name,
    t.category AS model_family,
    t.hardware_type,
    t.device_name,
    t.status = 'completed' AS is_compatible,
    t.cause <> 'no_device' AS detection_success,
    t.status = 'completed' OR coalesce(t.stage NOT IN ('spawn', 'load', 'setup'), FALSE) AS initialization_success,
    t.reason AS error_message,
    CASE WHEN t.status <> 'completed' THEN t.status END AS error_type,
    t.created_at,
    (hash(t.model_name, t.category, t.model_name = t.benchmark) >> 11)::BIGINT AS model_id,
    (hash(t.hardware_type, t.device_name) >> 11)::BIGINT AS hardware_id
FROM told t
LEFT JOIN (SELECT DISTINCT model_name, hardware_type FROM told WHERE cause <> 'other_hardware') served
    ON served.model_name = t.model_name AND served.hardware_type = t.hardware_type
WHERE t.cause NOT IN ('known_result', 'request') AND (t.cause <> 'other_hardware' OR served.model_name IS NULL);

CREATE VIEW models AS
SELECT
    (hash(model_name, model_family, is_benchmark) >> 11)::BIGINT AS model_id,
    model_name,
    model_family,
    CASE WHEN is_benchmark THEN 'benchmark' ELSE 'model' END AS model_type,
    string_agg(DISTINCT hardware_type, ', ' ORDER BY hardware_type) AS modality,
    NULL::FLOAT AS parameters_million,
    max(created_at) AS last_updated
FROM (
    SELECT
        c.model_name,
        c.category AS model_family,
        c.model_name = c.benchmark AS is_benchmark,
        split_part(c.device, ':', 1) AS hardware_type,
        r.created_at
    FROM cases c JOIN runs r ON r.run_no = c.run_no
)
GROUP BY model_name, model_family, is_benchmark;

CREATE VIEW hardware_platforms AS
SELECT
    (hash(hardware_type, device_name) >> 11)::BIGINT AS hardware_id,
    hardware_type,
    device_name,
    string_agg(DISTINCT hostname, ', ' ORDER BY hostname) AS platform,
    NULL::FLOAT AS memory_gb,
    FALSE AS simulation_mode,
    NULL::VARCHAR AS simulation_warning,
    max(created_at) AS detection_timestamp
FROM (
    SELECT
        split_part(c.device, ':', 1) AS hardware_type,
        CASE WHEN c.device = 'cpu' THEN r.cpu_model ELSE c.device END AS device_name,
        r.hostname,
        r.created_at
    FROM cases c JOIN runs r ON r.run_no = c.run_no
)
GROUP BY hardware_type, device_name;

CREATE VIEW test_runs AS
SELECT
    r.id AS run_id,
    coalesce(r.suite, c.benchmarks, 'run') AS test_name,
    'performance' AS test_type,
    coalesce(s.begun_at, CASE WHEN r.status <> 'queued' THEN r.created_at END) AS started_at,
    r.finished_at AS completed_at,
    e.elapsed_s AS execution_time_seconds,
    CASE WHEN r.status NOT IN ('queued', 'running') THEN r.status = 'completed' AND coalesce(c.has_result, FALSE) END
        AS success,
    r.spec_json AS metadata
FROM runs r
LEFT JOIN submissions s ON s.run_id = r.id
LEFT JOIN (SELECT run_id, max(elapsed_s) AS elapsed_s FROM run_ends GROUP BY run_id) e ON e.run_id = r.id
LEFT JOIN (
    SELECT
        run_no,
        string_agg(DISTINCT benchmark, ', ' ORDER BY benchmark) AS benchmarks,
        bool_or(status = 'completed' OR status = 'skipped' AND json_extract_string(status_json, '$.cause') = 'known_result')
            AS has_result
    FROM cases GROUP BY run_no
) c ON c.run_no = r.run_no;

CREATE VIEW performance_results AS
SELECT
    result_id, run_id, model_id, hardware_id, test_case, batch_size, "precision", throughput_items_per_second,
    average_latency_ms, memory_peak_mb, simulation_mode, simulation_details, metrics, created_at
FROM performance_results_view;

CREATE VIEW hardware_compatibility AS
SELECT
    compatibility_id, run_id, model_id, hardware_id, is_compatible, detection_success, initialization_success,
    error_message, error_type, created_at
FROM hardware_compatibility_view;
