//! The pages of staff, as a browser without script sees them.

mod accounts;
mod factor;
mod forms;
mod frame;
mod links;
mod roles;
mod sessions;
mod sign_in;
mod store;
