DROP TABLE deactivations;
DROP TABLE token_checks;
DROP TABLE standing_orders;
DROP TABLE unlinked_accounts;
