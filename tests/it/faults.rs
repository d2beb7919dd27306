//! What breaks around the service: it says so honestly, stores nothing half, and goes on by itself when the fault is over.

mod clock;
mod database;
mod process;
mod provider;
