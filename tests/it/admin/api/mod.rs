//! API clients.

mod clients;

const FAKE: &str = "[providers.fake]\n";
const BOTH: &str = "admin:read admin:write";
