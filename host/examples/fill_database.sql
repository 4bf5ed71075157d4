-- A database as a server has it after a long time: RUNS runs of CASES cases, each with a launch of SAMPLES samples.
BEGIN;
INSERT INTO runs
SELECT i, format('019a0000-0000-7000-8000-{:012x}', i), TIMESTAMP '2026-01-01' + INTERVAL (i) MINUTE,
       TIMESTAMP '2026-01-01' + INTERVAL (i) MINUTE + INTERVAL 30 SECOND, 'completed', '0.1.0', NULL,
       CASE WHEN i % 10 = 0 THEN ['nightly'] ELSE [] END, 'bench', 'AMD EPYC', 'feedface', SPEC, MACHINE,
       format('{:040x}', i), 'main', FALSE
FROM range(1, RUNS + 1) r(i);
INSERT INTO cases
SELECT i, c, 'cpu-kernels', '0.1.0', 'native', repeat('a', 64), '/plugins/cpu-kernels.so', 'kernel_' || (c % 10), 'linear-algebra',
       'cpu', 'kernel_' || (c % 10), 1 << (c % 6), CASE WHEN c % 3 = 0 THEN 'fp16' ELSE 'fp32' END,
       format('{{"batch_size":{},"n":{}}}', 1 << (c % 6), c), 'completed', NULL, NULL, '{"state":"completed"}', '{"time":1000.0}', NULL
FROM range(1, RUNS + 1) r(i), range(CASES) k(c);
INSERT INTO launches
SELECT i, c, 0, TIMESTAMP '2026-01-01' + INTERVAL (i) MINUTE, 'completed', 0, 10000000, 0, LAUNCH, NULL
FROM range(1, RUNS + 1) r(i), range(CASES) k(c);
INSERT INTO environments
SELECT i, c, 0, 0.1, 0.1, 0.0, 0.0, FALSE, ENVIRONMENT FROM range(1, RUNS + 1) r(i), range(CASES) k(c);
INSERT INTO samples
SELECT i, c, 0, s, 100, 100000 + (i * 7 + c * 13 + s * 29) % 1000 + hash(i, c, s) % NOISE, 100000 + hash(s, c, i) % NOISE,
       0.0, 100.0, 0.0, 0.0, 0, 0
FROM range(1, RUNS + 1) r(i), range(CASES) k(c), range(SAMPLES) t(s);
INSERT INTO metrics
SELECT i, c, m, ['time', 'items_per_second', 'peak_memory'][m + 1], ['ns', 'items/s', 'bytes'][m + 1],
       ['lower', 'higher', 'lower'][m + 1], v, v * 0.99, v * 1.01, v, v * 0.01, 1, SAMPLES,
       format('{{"name":"{}","unit":"{}","better":"{}","launches":1,"samples":10,"median":{},"mean":{},"mad":1.0,"min":{},"max":{},"percentiles":[],"outliers":{{"low_severe":0,"low_mild":0,"high_mild":0,"high_severe":0}}}}',
              ['time', 'items_per_second', 'peak_memory'][m + 1], ['ns', 'items/s', 'bytes'][m + 1],
              ['lower', 'higher', 'lower'][m + 1], v, v, v, v)
FROM (SELECT i, c, m, [1000.0 + (i * 7 + c * 13) % 100, 1e6, 1e7][m + 1] AS v
      FROM range(1, RUNS + 1) r(i), range(CASES) k(c), range(3) n(m));
COMMIT;
CHECKPOINT;
