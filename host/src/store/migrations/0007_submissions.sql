-- Version 7: what a server does with a run beyond running it, in columns of its own. Until now it was read from the words of
-- the request each time.

ALTER TABLE submissions ADD COLUMN baseline VARCHAR;     -- compared with when the run has ended
ALTER TABLE submissions ADD COLUMN incremental BOOLEAN;  -- whether cases are skipped that have a result already
ALTER TABLE submissions ADD COLUMN cases_sha256 VARCHAR; -- of the cases as they were stored; absent before version 7

-- Only the words of the original suite know `incremental`, and there it is true where nothing is said.
UPDATE submissions SET
    baseline = CASE WHEN json_type(request_json, '$.baseline') = 'VARCHAR'
        THEN json_extract_string(request_json, '$.baseline') END,
    incremental = json_type(request_json) = 'OBJECT'
        AND json_type(request_json, '$.benchmarks') IS NULL
        AND json_type(request_json, '$.requests') IS NULL
        AND json_type(request_json, '$.spec') IS NULL
        AND json_type(request_json, '$.resumes') IS NULL
        AND json_type(request_json, '$.repeats') IS NULL
        AND coalesce(TRY_CAST(json_extract_string(request_json, '$.incremental') AS BOOLEAN), TRUE)
WHERE json_valid(request_json);
