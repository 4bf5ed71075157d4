-- Version 8: launches whose samples were thinned to save space say so.

ALTER TABLE launches ADD COLUMN samples_taken UINTEGER; -- number before thinning; absent while all samples are there
