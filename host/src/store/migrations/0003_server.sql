-- Version 3: what a server keeps: who asked for a run and how urgent it is, notes on runs, who changed what, and which
-- plugins an operator has switched off.

-- One row per run that was asked for through a server. While the run's status is `queued`, this is its place in the queue.
CREATE TABLE submissions (
    run_id VARCHAR NOT NULL,
    priority VARCHAR NOT NULL,        -- critical, high, medium, low
    owner VARCHAR NOT NULL,           -- name of the token, or `local`
    submitted_at TIMESTAMP NOT NULL,
    begun_at TIMESTAMP,               -- absent while it is queued
    request_json VARCHAR NOT NULL     -- as it was posted
);

CREATE TABLE annotations (
    run_id VARCHAR NOT NULL,
    tag VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    author VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL
);

-- Calls that changed something, or were refused the right to.
CREATE TABLE audit (
    called_at TIMESTAMP NOT NULL,
    request_id VARCHAR NOT NULL,
    who VARCHAR NOT NULL,             -- name of the token, or `local`
    peer VARCHAR NOT NULL,            -- address
    method VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    status USMALLINT NOT NULL
);

CREATE TABLE disabled_plugins (
    plugin_id VARCHAR NOT NULL,
    who VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL
);
