//! How much room a database file has.

use std::path::Path;

/// A file, and the disk that it is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// The database's size with its write-ahead log, in bytes.
    pub used_bytes: u64,
    /// What is left on the disk for us, in bytes. `None` where the system does not tell.
    pub free_bytes: Option<u64>,
}

/// The room that the database at `path` has; `None` if there is no such file.
pub(super) fn disk_space(path: &str) -> Option<DiskSpace> {
    let size = |path: &str| std::fs::metadata(path).map(|file| file.len());
    Some(DiskSpace {
        used_bytes: size(path).ok()? + size(&format!("{path}-wal")).unwrap_or(0),
        free_bytes: free_bytes(Path::new(path)),
    })
}

#[cfg(unix)]
fn free_bytes(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_size_and_its_disk_some_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        std::fs::write(&path, [0; 4096]).unwrap();
        std::fs::write(folder.path().join("x.db-wal"), [0; 100]).unwrap();

        let space = disk_space(path.to_str().unwrap()).unwrap();

        assert_eq!(space.used_bytes, 4196);
        assert!(cfg!(not(unix)) || space.free_bytes > Some(0));
        assert_eq!(disk_space("/nonexistent/x.db"), None);
    }
}
