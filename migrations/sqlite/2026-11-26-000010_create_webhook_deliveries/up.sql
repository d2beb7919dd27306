-- What webhooks are told: a row for each webhook and event, which is an entry of the audit log. Without next_attempt_at nothing more is
-- tried: it was delivered, or given up. No foreign key: deliveries and entries have their own time.
CREATE TABLE webhook_deliveries (
    id INTEGER NOT NULL PRIMARY KEY,
    webhook TEXT NOT NULL CHECK (webhook <> ''),
    event_id INTEGER NOT NULL,
    event TEXT NOT NULL CHECK (event <> ''),
    created_at TEXT NOT NULL,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    attempted_at TEXT,
    next_attempt_at TEXT,
    delivered_at TEXT,
    problem TEXT,
    UNIQUE (event_id, webhook),
    CHECK (next_attempt_at IS NULL OR delivered_at IS NULL)
) STRICT;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX webhook_deliveries_delivered ON webhook_deliveries (delivered_at) WHERE delivered_at IS NOT NULL;
CREATE INDEX webhook_deliveries_undelivered ON webhook_deliveries (created_at) WHERE delivered_at IS NULL;
