//! Every `console cluster` and `console helm3` block of the README and of docs/, typed against the test bed, in the order of the
//! page; those of Helm 3 last.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "docs/blocks.rs"]
mod blocks;
mod support;
#[path = "e2e/world.rs"]
mod world;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use support::repository;
use world::{World, bed};

/// The namespaces that the pages speak of; each page begins without them.
const NAMESPACES: [&str; 6] = ["team-a", "team-b", "brand-new", "epinio", "workspace", "argocd"];

/// What the README compares with: built by CI beforehand.
fn round_trip() -> PathBuf {
    let program = repository().join("benches/round-trip/target/release/round-trip");
    assert!(program.exists(), "cargo build --release --manifest-path benches/round-trip/Cargo.toml builds it");
    program
}

#[test]
#[ignore = "needs the test bed"]
fn what_the_pages_say_of_a_cluster_is_so() {
    let world = World::new("docs");
    let delete = |wait: &str| {
        world.kubectl(&[&["delete", "namespace", "--ignore-not-found", wait][..], &NAMESPACES].concat()).ok();
    };
    let program = Path::new(env!("CARGO_BIN_EXE_kubectl-routing_secrets"));
    for page in blocks::pages() {
        delete("--wait=true");
        for (fence, helm) in [("console cluster", "helm4"), ("console helm3", "helm3")] {
            let folder = blocks::copy();
            let bin = folder.path().join(".bin");
            fs::create_dir(&bin).unwrap();
            symlink(Path::new(&bed("BED_RUN")).join("bin").join(helm), bin.join("helm")).unwrap();
            symlink(round_trip(), bin.join("round-trip")).unwrap();
            let path = format!("{}:{}:{}", bin.display(), program.parent().unwrap().display(), bed("PATH"));
            let home = |name: &str| (name.to_owned(), folder.path().join(".home").join(name).display().to_string());
            let homes = ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"].map(home);
            let env: Vec<(&str, &str)> = homes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            blocks::check(&page, fence, folder.path(), &path, &env);
        }
    }
    delete("--wait=false");
}
