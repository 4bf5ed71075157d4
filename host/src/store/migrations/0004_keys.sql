-- Version 4: whose a result is belongs to its key: the noise of A/A comparisons is kept for each plugin, and the latest
-- results of two plugins with a benchmark of one name are both there.

ALTER TABLE noise ADD COLUMN plugin_id VARCHAR;   -- absent: measured before version 4, and no run tells whose it is

-- Where only one plugin was ever run with a benchmark of that name, its noise is that plugin's.
UPDATE noise SET plugin_id = known.plugin_id
FROM (
    SELECT benchmark, min(plugin_id) AS plugin_id FROM cases GROUP BY benchmark HAVING count(DISTINCT plugin_id) = 1
) known
WHERE split_part(noise.label, ' ', 1) = known.benchmark;

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
    c.plugin_id
FROM cases c
JOIN runs r ON r.run_no = c.run_no
JOIN metrics latency ON latency.run_no = c.run_no AND latency.case_no = c.case_no AND latency.name = 'time'
LEFT JOIN metrics items ON items.run_no = c.run_no AND items.case_no = c.case_no AND items.name = 'items_per_second'
LEFT JOIN metrics memory ON memory.run_no = c.run_no AND memory.case_no = c.case_no AND memory.name = 'peak_memory'
WHERE c.status = 'completed';

CREATE OR REPLACE VIEW latest_performance_results AS
SELECT * FROM performance_results_view
QUALIFY row_number() OVER (
    PARTITION BY plugin_id, model_name, test_case, hardware_type, device_name, batch_size, "precision", params, plugin_kind
    ORDER BY created_at DESC, result_id DESC
) = 1;
