DROP TABLE link_tickets;
DROP TABLE nonces;
