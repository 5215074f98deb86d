//! The plug-in of the repository's root: how each Helm gets it, what it then does, and how it goes.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::real::{Four, Helm, Output, PROGRAM, Three, chart};
use crate::support::{repository, three};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A Helm that knows nothing of us, with the program on the PATH or not.
fn fresh(program_on_the_path: bool) -> [Helm; 2] {
    [Three, Four].map(|version| {
        let helm = Helm::bare(version, &three());
        if program_on_the_path {
            helm.add_to_path("kubectl-routing_secrets", PROGRAM.as_ref());
        }
        helm
    })
}

/// A checkout of what matters for the plug-in, with one commit.
fn checkout(helm: &Helm) -> PathBuf {
    let folder = helm.path("checkout");
    for name in ["Cargo.toml", "plugin.yaml", "helm/program.sh", "helm4/plugin.yaml"] {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(repository().join(name), path).unwrap();
    }
    git(&folder, &["init", "-q"]);
    commit(&folder);
    folder
}

fn git(folder: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
    let status = Command::new("git").arg("-C").arg(folder).args(identity).args(arguments).status().unwrap();
    assert!(status.success(), "git {arguments:?}");
}

fn commit(folder: &Path) {
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-qm", "a change"]);
}

/// Replaces a text of the checkout's plugin.yaml and commits.
fn change(folder: &Path, from: &str, to: &str) {
    let file = folder.join("plugin.yaml");
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text.matches(from).count(), 1, "{from:?} in {text}");
    fs::write(&file, text.replace(from, to)).unwrap();
    commit(folder);
}

/// Helm 4 wants a signature of everything but a folder on this machine.
fn install(helm: &Helm, from: &str) -> Output {
    let unverified: &[&str] = if helm.version == Four && from.contains("://") { &["--verify=false"] } else { &[] };
    helm.run(&[&["plugin", "install", from], unverified].concat())
}

fn is_listed(helm: &Helm) -> bool {
    let list = helm.run(&["plugin", "list"]);
    let ours = list.text().lines().find(|line| line.split_whitespace().next() == Some("routing-secrets"));
    assert!(ours.is_none_or(|line| line.contains(VERSION)), "{list:?}");
    ours.is_some()
}

/// The plug-in renders as helm with the post-renderer does, and says what it did.
fn works(helm: &Helm) {
    let output = helm.run(&["routing-secrets", "template", "r", &chart("chart"), "-n", "demo"]);
    assert!(output.text().contains("secretName: wild # beside the slot"), "{output:?}");
    assert!(output.stderr.contains("rewritten  Ingress demo/shop (line "), "{output:?}");
    assert!(output.stderr.contains("dropped    Certificate demo/sub (line "), "{output:?}");
}

fn removed(helm: &Helm) {
    helm.run(&["plugin", "uninstall", "routing-secrets"]).text();
    assert!(!is_listed(helm));
    assert!(!helm.run(&["routing-secrets", "template", "r", &chart("chart")]).success);
}

#[test]
#[ignore = "needs the real Helms"]
fn a_checkout_is_installed_with_the_program_of_the_path() {
    for helm in fresh(true) {
        let folder = checkout(&helm);
        assert!(!is_listed(&helm));
        install(&helm, folder.to_str().unwrap()).text();
        assert!(is_listed(&helm));
        works(&helm);
        removed(&helm);
        assert!(folder.join("plugin.yaml").is_file(), "a checkout is only linked");
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn a_repository_is_installed_updated_and_removed() {
    for helm in fresh(true) {
        let folder = checkout(&helm);
        install(&helm, &format!("file://{}", folder.display())).text();
        assert!(is_listed(&helm));
        works(&helm);
        change(&folder, "usage: install,", "usage: changed,");
        let help = |helm: &Helm| helm.run(&["help"]).text().contains("changed, upgrade or template");
        assert!(!help(&helm));
        helm.run(&["plugin", "update", "routing-secrets"]).text();
        assert!(help(&helm));
        works(&helm);
        // The next version, which is neither on the PATH nor can be built, as there is no cargo on it.
        change(&folder, &format!("version: {VERSION}"), "version: 99.0.0");
        let update = helm.run(&["plugin", "update", "routing-secrets"]);
        assert!(!update.success, "{update:?}");
        let sentence = "routing-secrets: kubectl-routing_secrets 99.0.0 is not on the PATH (";
        assert!(format!("{}{}", update.stdout, update.stderr).contains(sentence), "{update:?}");
        helm.run(&["plugin", "uninstall", "routing-secrets"]).text();
        assert!(!is_listed(&helm));
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn a_checkout_without_the_program_is_built() {
    for helm in fresh(false) {
        let folder = checkout(&helm);
        // In place of cargo, which would take minutes: what it is asked for, and where it leaves the program.
        let cargo = helm.write(
            "cargo",
            &format!(
                "#!/bin/sh\necho \"$@\" >>{}\nmkdir -p target/release\ncp {PROGRAM} target/release/\n",
                helm.path("asked").display()
            ),
        );
        fs::set_permissions(&cargo, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        helm.add_to_path("cargo", &cargo);
        install(&helm, folder.to_str().unwrap()).text();
        let asked = fs::read_to_string(helm.path("asked")).unwrap();
        assert_eq!(asked, "build --quiet --release --locked --target-dir target\n");
        works(&helm);
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn an_archive_of_a_release_is_installed_from_a_server_and_brings_its_program() {
    for helm in fresh(false) {
        let archive = helm.path("kubectl-routing_secrets-v0.1.0-linux-amd64.tar.gz");
        // It stands for the program, which is large before a release build.
        let program = helm.write("packed", &format!("#!/bin/sh\nexec {PROGRAM} \"$@\"\n"));
        pack(&program, &archive);
        install(&helm, &serve(&archive)).text();
        assert!(is_listed(&helm));
        works(&helm);
        removed(&helm);
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn an_archive_of_another_platform_says_so() {
    for helm in fresh(true) {
        let archive = helm.path("kubectl-routing_secrets-v0.1.0-windows-amd64.tar.gz");
        pack(&helm.write("other", "no program of this machine"), &archive);
        let output = install(&helm, &serve(&archive));
        assert!(!output.success, "{output:?}");
        let sentence = "the program of this archive does not run here; take this platform's";
        assert!(format!("{}{}", output.stdout, output.stderr).contains(sentence), "{output:?}");
    }
}

/// As `make dist` packs it.
fn pack(program: &Path, archive: &Path) {
    let script = repository().join("release/archive.py");
    let status = Command::new("python3").arg(script).arg(program).arg(archive).status().unwrap();
    assert!(status.success());
}

/// Serves a file on 127.0.0.1, under its own name, until the test ends.
fn serve(file: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/{}", listener.local_addr().unwrap(), file.file_name().unwrap().to_str().unwrap());
    let content = fs::read(file).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).unwrap_or_default() == 0 {
                    break;
                }
                request.push(byte[0]);
            }
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/gzip\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                content.len()
            );
            let body: &[u8] = if request.starts_with(b"HEAD ") { b"" } else { &content };
            // A client that has seen enough closes its end.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        }
    });
    url
}

#[test]
#[ignore = "needs the real Helms"]
fn helm_4s_plugin_is_packaged_signed_verified_and_installed() {
    let helm = Helm::bare(Four, &three());
    helm.add_to_path("kubectl-routing_secrets", PROGRAM.as_ref());
    let keys = helm.path("keys");
    fs::create_dir(&keys).unwrap();
    fs::set_permissions(&keys, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let home = [("GNUPGHOME", keys.to_str().unwrap())];
    let gpg = |arguments: &[&str]| {
        let output = helm.program("/usr/bin/gpg".as_ref(), &[&["--batch", "--quiet"], arguments].concat(), &home);
        assert!(output.success, "{output:?}");
    };
    // A key for this test alone. Helm reads key rings, not what gpg keeps its keys in.
    let user = "Test <test@example.com>";
    gpg(&["--passphrase", "", "--quick-generate-key", user, "rsa2048", "sign", "never"]);
    let ring = |name: &str| keys.join(name).display().to_string();
    let (secret, public) = (ring("secret.gpg"), ring("public.gpg"));
    gpg(&["--output", &secret, "--export-secret-keys"]);
    gpg(&["--output", &public, "--export"]);
    let plugin = repository().join("helm4").display().to_string();
    helm.run(&["plugin", "package", &plugin, "--sign", "--key", "Test", "--keyring", &secret, "-d", "out"]).text();
    let packaged = helm.path(&format!("out/kubectl-routing_secrets-{VERSION}.tgz")).display().to_string();
    let verified = helm.run(&["plugin", "verify", &packaged, "--keyring", &public]);
    assert!(format!("{}{}", verified.stdout, verified.stderr).contains(user), "{verified:?}");
    verified.text();

    // Helm verifies on its own, and takes nothing that was changed afterwards.
    let install = |file: &str| helm.run(&["plugin", "install", file, "--keyring", &public]);
    let changed = helm.path(&format!("changed/kubectl-routing_secrets-{VERSION}.tgz"));
    fs::create_dir(changed.parent().unwrap()).unwrap();
    fs::write(&changed, [fs::read(&packaged).unwrap(), vec![0]].concat()).unwrap();
    fs::copy(format!("{packaged}.prov"), format!("{}.prov", changed.display())).unwrap();
    assert!(!install(changed.to_str().unwrap()).success);
    install(&packaged).text();
    let list = helm.run(&["plugin", "list"]);
    let line = list.text().lines().find(|line| line.starts_with("kubectl-routing_secrets")).unwrap();
    assert!(line.contains("signed"), "{list:?}");
    let render = helm.render(&["-n", "demo"]);
    assert!(render.text().contains("secretName: wild # beside the slot"), "{render:?}");
}
