DROP TABLE provider_health;
DROP TABLE provider_latencies;
DROP TABLE provider_checks;
DROP TABLE audit_hours;
DROP TABLE audit_blocks;
DROP TABLE audit_kinds;
DROP TABLE hourly_counts;
DROP TABLE daily_counts;
