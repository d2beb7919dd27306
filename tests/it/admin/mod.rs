//! The pages of staff, as a browser without script sees them.

mod frame;
