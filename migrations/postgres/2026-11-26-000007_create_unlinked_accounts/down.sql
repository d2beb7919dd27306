DROP TABLE deactivations;
