//! The pages of staff, as a browser without script and as Chromium sees them, and what stands behind them.

mod accounts;
mod activity;
mod api;
mod browser;
mod factor;
mod forms;
mod frame;
mod links;
mod lists;
mod overview;
mod person;
mod person_pages;
mod provider_sign_in;
mod providers;
mod roles;
mod sessions;
mod sign_in;
mod store;
