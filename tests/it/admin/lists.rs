//! Lists of users and social accounts: filters, orders, pages, search and export.

mod export;
mod oracle;
mod pages;
mod people;
mod statements;
mod upkeep;
mod weight;
