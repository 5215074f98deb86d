//! What each stage of the filter costs: `cargo bench`. Whole processes are compared by `compare.sh`.

#![allow(clippy::unwrap_used)]

mod inputs;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write as _;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use routing_secrets::commands::{self, World};
use routing_secrets::inventory::{Inventory, Sources, file};
use routing_secrets::manifest::candidate::search;
use routing_secrets::manifest::stream::split;
use routing_secrets::manifest::{Document, Manifest};
use routing_secrets::plan::apply::apply;
use routing_secrets::plan::build::literals;
use routing_secrets::plan::{Live, Settings, find, plan};
use routing_secrets::secret::judge;

const MEGABYTE: usize = 1 << 20;

fn inventory(others: usize) -> Inventory {
    let text = inputs::secrets(others).unwrap();
    let raws = file::parse("bench", text.as_bytes(), None).unwrap();
    let secrets = raws.into_iter().map(|raw| judge(raw, inputs::now())).collect();
    Inventory::build(secrets, &Sources::default(), inputs::now())
}

fn settings() -> Settings {
    Settings { namespace: Some("demo".to_owned()), ..Settings::default() }
}

/// Without parsing: every byte of every render passes these.
fn reading(criterion: &mut Criterion) {
    let input = inputs::mixed(16 * MEGABYTE);
    let documents = split(input.as_bytes());
    let kinds = literals();
    let mut group = criterion.benchmark_group("reading");
    group.throughput(Throughput::Bytes(input.len() as u64));
    group.bench_function("split", |bencher| bencher.iter(|| split(black_box(input.as_bytes()))));
    group.bench_function("candidate search", |bencher| {
        bencher.iter(|| search(black_box(input.as_bytes()), &documents, &kinds));
    });
    group.finish();
}

/// With parsing: the documents that can hold a consumer pass these.
fn editing(criterion: &mut Criterion) {
    let input = inputs::ingresses(MEGABYTE);
    let documents = split(input.as_bytes());
    let manifest = Manifest::read(input.as_bytes(), &literals()).unwrap();
    let (inventory, settings) = (inventory(20), settings());
    let found = find(&manifest, &settings).unwrap();
    let planned = plan(&manifest, &found, &inventory, &Live::NotKnown, &settings).unwrap();
    let mut group = criterion.benchmark_group("editing");
    group.throughput(Throughput::Bytes(input.len() as u64));
    group.bench_function("parse, one thread", |bencher| {
        bencher.iter(|| {
            for document in &documents {
                black_box(Document::parse(&input.as_bytes()[document.clone()]).unwrap());
            }
        });
    });
    group.bench_function("decide", |bencher| {
        bencher.iter(|| {
            let found = find(black_box(&manifest), &settings).unwrap();
            plan(&manifest, &found, &inventory, &Live::NotKnown, &settings).unwrap()
        });
    });
    group.bench_function("edit and verify, all threads", |bencher| {
        bencher.iter(|| apply(black_box(&manifest), &planned.changes).unwrap());
    });
    group.finish();
}

fn secrets(criterion: &mut Criterion) {
    let text = inputs::secrets(199).unwrap();
    let mut group = criterion.benchmark_group("secrets");
    group.throughput(Throughput::Elements(200));
    group.bench_function("load and judge", |bencher| {
        bencher.iter(|| {
            let raws = file::parse("bench", black_box(text.as_bytes()), None).unwrap();
            let secrets = raws.into_iter().map(|raw| judge(raw, inputs::now())).collect();
            Inventory::build(secrets, &Sources::default(), inputs::now())
        });
    });
    group.finish();
}

/// From the command line to the last byte of output, in this process.
fn whole(criterion: &mut Criterion) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(inputs::secrets(20).unwrap().as_bytes()).unwrap();
    let path = file.path().display().to_string();
    let arguments = ["kubectl-routing_secrets", "post-render", "-n", "demo", "--inventory", &path];
    let mut group = criterion.benchmark_group("whole render");
    for (name, input) in [
        ("2 MB, two in a hundred objects are Ingresses", inputs::mixed(2 * MEGABYTE)),
        ("2 MB of Ingresses", inputs::ingresses(2 * MEGABYTE)),
        ("2 MB without consumers", inputs::plain(2 * MEGABYTE)),
    ] {
        group.throughput(Throughput::Bytes(input.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut stdout = Vec::with_capacity(input.len());
                let code = commands::run(
                    arguments.map(Into::into),
                    &mut World {
                        env: BTreeMap::new(),
                        stdin: &mut black_box(input.as_bytes()),
                        stdout: &mut stdout,
                        stderr: &mut Vec::new(),
                        stdin_is_terminal: false,
                        stdout_is_terminal: false,
                        stderr_is_terminal: false,
                        helm_ancestor: &|| Ok(None),
                        start_threads: &|| {},
                        now: inputs::now(),
                    },
                );
                assert_eq!(code, 0);
                stdout
            });
        });
    }
    group.finish();
}

criterion_group!(stages, reading, editing, secrets, whole);
criterion_main!(stages);
