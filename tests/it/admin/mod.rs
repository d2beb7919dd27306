//! The pages of staff, as a browser without script sees them.

mod accounts;
mod activity;
mod factor;
mod forms;
mod frame;
mod links;
mod lists;
mod overview;
mod providers;
mod roles;
mod sessions;
mod sign_in;
mod store;
