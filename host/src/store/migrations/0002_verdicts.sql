-- Version 2: which commit a run measured, named baselines, comparisons of every design, the noise of A/A comparisons,
-- and changes that somebody accepted.

ALTER TABLE runs ADD COLUMN commit_id VARCHAR;     -- of the folder in which `dyno run` was typed
ALTER TABLE runs ADD COLUMN branch VARCHAR;
ALTER TABLE runs ADD COLUMN dirty BOOLEAN;         -- whether files differed from the commit

-- Nothing was ever written to the table of version 1, whose sides had to be runs.
DROP TABLE comparisons;

CREATE TABLE comparisons (
    comparison_id VARCHAR NOT NULL,   -- a UUID that sorts by time
    created_at TIMESTAMP NOT NULL,
    design VARCHAR NOT NULL,          -- paired, stored
    baseline VARCHAR NOT NULL,
    candidate VARCHAR NOT NULL,
    regressed UINTEGER NOT NULL,      -- metrics
    improved UINTEGER NOT NULL,
    equivalent UINTEGER NOT NULL,
    inconclusive UINTEGER NOT NULL,
    record_json VARCHAR NOT NULL
);

CREATE TABLE baselines (
    name VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    branch VARCHAR,
    created_at TIMESTAMP NOT NULL     -- of several with one name the newest counts
);

-- One row per case of an A/A comparison: how much pairs of equal builds differ on a machine.
CREATE TABLE noise (
    created_at TIMESTAMP NOT NULL,
    machine_fingerprint VARCHAR NOT NULL,
    label VARCHAR NOT NULL,           -- benchmark, parameters, engine, device
    comparisons UINTEGER NOT NULL,
    alarms UINTEGER NOT NULL,
    pairs UINTEGER NOT NULL,
    variance DOUBLE NOT NULL          -- of the effects of pairs: logarithms of ratios
);

CREATE TABLE accepted_changes (
    run_id VARCHAR NOT NULL,          -- the first run of the new level
    benchmark VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL
);
