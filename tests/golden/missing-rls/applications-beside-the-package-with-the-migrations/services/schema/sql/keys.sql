-- Run by hand, now and then.
SELECT count(*) FROM api_keys;
