//! Where `tests/e2e/bed/obtain.sh` puts what it gets.

use std::fs;
use std::path::PathBuf;

use crate::support::repository;

/// A program of the version that `versions.sh` pins; one that is missing is a failure, as a test that was skipped
/// proves nothing.
#[allow(unreachable_pub)]
pub fn binary(name: &str, pin: &str) -> PathBuf {
    let pins = fs::read_to_string(repository().join("tests/e2e/bed/versions.sh")).unwrap();
    let number = pins.lines().find_map(|line| line.strip_prefix(pin)).expect("versions.sh pins it");
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("ROUTING_SECRETS_CACHE").unwrap_or_else(|| {
        let caches = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
        caches.expect("there is no HOME").join("routing-secrets-testbed")
    });
    let start = format!("{name}-{number}-");
    let parts = fs::read_dir(&cache).into_iter().flatten().map(|entry| entry.unwrap().path());
    let is_part = |path: &PathBuf| {
        let folder = path.file_name().unwrap().to_string_lossy();
        folder.starts_with(&start) && !folder.contains(".tmp.") && path.join("bin").join(name).is_file()
    };
    let found = parts
        .filter(is_part)
        .max()
        .unwrap_or_else(|| panic!("{name} {number} is not in {}: tests/e2e/bed/obtain.sh gets it", cache.display()));
    found.join("bin").join(name)
}
