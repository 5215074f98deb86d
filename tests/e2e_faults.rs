//! What the filter does when the API server, or the way to it, is broken: it tries again where that helps, and
//! otherwise fails with one clear line, in time, and with nothing written.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "e2e/proxy.rs"]
mod proxy;
#[path = "support/mod.rs"]
mod support;
#[path = "e2e/world.rs"]
mod world;

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use proxy::{Context, Fault, Proxy, is_list, kubeconfig, status};
use support::Tls;
use world::{Output, World, bed};

const INGRESS: &str = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: shop\n  annotations:\n    cert-manager.io/cluster-issuer: ca\nspec:\n  tls:\n  - hosts: [shop.apps.example.com]\n    secretName: shop-tls\n";

/// What comes out when the secrets are read.
fn rewritten(secret: &str) -> String {
    INGRESS.replace("shop-tls", secret).replace("  annotations:\n    cert-manager.io/cluster-issuer: ca\n", "")
}

/// A namespace with the routing secret `wild`, and the way to it through a proxy.
struct Scene {
    world: World,
    proxy: Proxy,
    config: String,
}

impl Scene {
    fn new(name: &str, rule: impl Fn(&str, usize) -> Fault + Send + Sync + 'static) -> Self {
        let (world, proxy) = (World::new(name), Proxy::new(rule));
        world.apply(&[Tls::new(&world.namespace, "wild", &["*.apps.example.com"])]);
        let config =
            kubeconfig(&world, "config", &[Context::admin("broken", &proxy.server, &bed("BED_CA"), &world.namespace)]);
        Self { world, proxy, config }
    }

    fn filter(&self, arguments: &[&str]) -> Output {
        filter(&self.world, &self.config, arguments)
    }

    /// How often Secrets were listed, and what else was asked for.
    #[track_caller]
    fn assert_requests(&self, lists: usize, others: usize) {
        let seen = self.proxy.seen();
        let (list, other): (Vec<_>, Vec<_>) = seen.iter().partition(|seen| is_list(&seen.target));
        assert_eq!((list.len(), other.len()), (lists, others), "{seen:?}");
    }
}

/// `post-render` of the Ingress. A run that outlives the deadline of 30 s by far is a failure, whatever it gives.
#[track_caller]
fn filter(world: &World, config: &str, arguments: &[&str]) -> Output {
    let all = [&["post-render", "-n", &world.namespace, "--kubeconfig", config], arguments].concat();
    let began = Instant::now();
    let output = world.program(&all, &[], INGRESS.as_bytes());
    assert!(began.elapsed() < Duration::from_secs(50), "took {:?}", began.elapsed());
    output
}

/// A failure is one line that says what is wrong, and nothing on standard output.
#[track_caller]
fn assert_fails(output: &Output, words: &[&str]) {
    assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{output:?}");
    assert_eq!(output.stderr.trim_end().lines().count(), 1, "{output:?}");
    assert!(
        output.stderr.starts_with("routing-secrets: the routing secrets could not be read from the cluster: "),
        "{output:?}"
    );
    for word in words {
        assert!(output.stderr.contains(word), "{word}: {output:?}");
    }
    for token in ["BED_TOKEN_ADMIN", "BED_TOKEN_LISTER", "BED_TOKEN_NOBODY"] {
        assert!(!output.stderr.contains(&bed(token)), "a token is shown");
    }
}

/// `--on-error pass`: the input, below a comment that says why it is unchanged.
#[track_caller]
fn assert_passes(output: Output, words: &str) {
    let output = output.ok();
    let (comment, manifests) = output.split_once('\n').unwrap();
    assert!(comment.starts_with("# routing-secrets: passed on unchanged: ") && comment.contains(words), "{comment}");
    assert_eq!(manifests, INGRESS);
}

#[test]
#[ignore = "needs the test bed"]
fn a_server_that_does_not_answer_is_given_up_after_the_request_timeout_and_not_asked_again() {
    for fault in [|| Fault::Hang, || Fault::HangInBody] {
        let scene = Scene::new("hang", move |_, _| fault());
        let output = scene.filter(&["--request-timeout", "1s"]);
        assert_fails(&output, &[&scene.proxy.server, "did not answer within 1 s", "raise --request-timeout"]);
        scene.assert_requests(1, 0);
    }
}

#[test]
#[ignore = "needs the test bed"]
fn a_server_that_takes_the_connection_and_says_nothing_is_given_up_too() {
    let world = World::new("mute");
    // Nobody accepts, so not even the TLS handshake begins.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("https://{}", mute.local_addr().unwrap());
    let config = kubeconfig(&world, "config", &[Context::admin("mute", &server, &bed("BED_CA"), &world.namespace)]);
    assert_fails(&filter(&world, &config, &["--request-timeout", "1s"]), &[&server, "did not answer within 1 s"]);
    drop(mute);
}

#[test]
#[ignore = "needs the test bed"]
fn without_a_request_timeout_the_deadline_ends_a_read_that_hangs() {
    let scene = Scene::new("deadline", |_, _| Fault::Hang);
    let began = Instant::now();
    let output = scene.filter(&["--request-timeout", "0"]);
    assert!(began.elapsed() >= Duration::from_secs(30), "{:?}", began.elapsed());
    assert_fails(&output, &["took longer than 30 s"]);
}

#[test]
#[ignore = "needs the test bed"]
fn a_live_object_that_cannot_be_read_fails_the_render_too() {
    let scene = Scene::new("live", |target, _| if is_list(target) { Fault::None } else { status(500, "", "Live") });
    let output = scene.filter(&[]);
    assert_fails(&output, &["failed to get ingresses.networking.k8s.io in namespace", "500", "made up: Live"]);
    scene.assert_requests(1, 4);
}

#[test]
#[ignore = "needs the test bed"]
fn an_answer_that_breaks_off_is_asked_for_again() {
    for fault in [|| Fault::Reset, || Fault::Truncate] {
        let once = Scene::new("broken", move |_, nth| if nth == 0 { fault() } else { Fault::None });
        assert_eq!(once.filter(&[]).ok(), rewritten("wild"));
        // The list and the live object, each twice.
        once.assert_requests(2, 2);
        let always = Scene::new("breaks", move |_, _| fault());
        assert_fails(&always.filter(&[]), &[&always.proxy.server, "could not be read"]);
        always.assert_requests(4, 0);
    }
}

#[test]
#[ignore = "needs the test bed"]
fn a_page_in_the_middle_that_breaks_off_is_asked_for_again_and_nothing_is_lost_or_doubled() {
    let scene = Scene::new("pages", |target, nth| match nth {
        1 if is_list(target) => Fault::Reset,
        _ => Fault::None,
    });
    let others = ["a-other", "z-other"].map(|name| Tls::new(&scene.world.namespace, name, &["other.example.org"]));
    scene.world.apply(&others);
    let plan = ["plan", "-n", &scene.world.namespace, "-o", "json", "--candidates", "--chunk-size", "1"];
    let plan = [&plan[..], &["--kubeconfig", &scene.config]].concat();
    let plan = scene.world.program(&plan, &[], INGRESS.as_bytes()).ok();
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["slots"][0]["to"][0]["secretName"], "wild");
    let names: Vec<&str> = plan["slots"][0]["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["secretName"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["a-other", "z-other"]);
    // Three pages and the one that broke off; one live object.
    assert_eq!(plan["reads"], serde_json::json!({"lists": 1, "gets": 1, "requests": 5}));
    scene.assert_requests(4, 1);
}

#[test]
#[ignore = "needs the test bed"]
fn half_the_json_of_an_answer_is_no_list() {
    let scene = Scene::new("half", |_, _| Fault::HalfJson);
    let words = ["failed to list secrets in namespace", "the answer of the API server cannot be read", "column"];
    assert_fails(&scene.filter(&[]), &words);
    scene.assert_requests(1, 0);
}

#[test]
#[ignore = "needs the test bed"]
fn an_answer_that_is_no_list_is_not_taken_for_an_empty_one() {
    for (fault, words) in [
        ((200, "{}"), "the answer of the API server cannot be read"),
        ((200, "{\"message\":\"log in\"}"), "the answer of the API server cannot be read"),
        ((404, "no such page"), "answered 404: no such page"),
    ] {
        let scene = Scene::new("no-list", move |_, _| Fault::Answer(fault.0, "", fault.1.to_owned()));
        assert_fails(&scene.filter(&[]), &["failed to list secrets in namespace", words]);
        scene.assert_requests(1, 0);
    }
}

#[test]
#[ignore = "needs the test bed"]
fn a_server_that_is_busy_is_left_alone_for_as_long_as_it_says() {
    for (header, least) in [("Retry-After: 2", 2), ("X-None: 0", 1)] {
        let scene = Scene::new("busy", move |_, nth| match nth {
            0 => status(429, header, "TooManyRequests"),
            _ => Fault::None,
        });
        assert_eq!(scene.filter(&[]).ok(), rewritten("wild"));
        scene.assert_requests(2, 2);
        assert!(scene.proxy.waits()[0] >= Duration::from_secs(least), "{:?}", scene.proxy.waits());
    }
}

#[test]
#[ignore = "needs the test bed"]
fn a_server_that_stays_busy_is_asked_four_times() {
    let scene = Scene::new("too-busy", |_, _| status(429, "Retry-After: 0", "TooManyRequests"));
    assert_fails(&scene.filter(&[]), &["429", "made up: TooManyRequests"]);
    scene.assert_requests(4, 0);
    for (wait, least) in scene.proxy.waits().iter().zip([100, 300, 900]) {
        assert!(*wait >= Duration::from_millis(least), "{:?}", scene.proxy.waits());
    }
}

#[test]
#[ignore = "needs the test bed"]
fn a_server_that_is_busy_for_an_hour_fails_the_render_in_time_and_is_quoted() {
    let scene = Scene::new("hour", |_, _| status(429, "Retry-After: 3600", "TooManyRequests"));
    assert_fails(&scene.filter(&[]), &["429", "made up: TooManyRequests"]);
}

#[test]
#[ignore = "needs the test bed"]
fn a_server_that_fails_twice_and_recovers_is_read() {
    for code in [500, 503] {
        let scene = Scene::new("recovers", move |target, nth| match nth {
            0 | 1 if is_list(target) => status(code, "", "InternalError"),
            _ => Fault::None,
        });
        assert_eq!(scene.filter(&[]).ok(), rewritten("wild"));
        scene.assert_requests(3, 1);
    }
}

#[test]
#[ignore = "needs the test bed"]
fn a_server_that_keeps_failing_is_asked_four_times_and_quoted() {
    let scene = Scene::new("fails", |_, _| status(500, "", "InternalError"));
    assert_fails(&scene.filter(&[]), &["failed to list secrets in namespace", "500", "made up: InternalError"]);
    scene.assert_requests(4, 0);
}

#[test]
#[ignore = "needs the test bed"]
fn a_list_that_went_stale_while_it_was_read_is_read_anew_and_forgets_what_it_had() {
    let scene = Scene::new("stale", |target, nth| match nth {
        1 if is_list(target) => {
            assert!(target.contains("continue="), "{target}");
            // What the first page held is gone by the time that the list is read again.
            let namespace = target.split('/').nth(4).unwrap();
            let delete = ["delete", "secret", "-n", namespace, "early"];
            assert!(Command::new("kubectl").args(delete).status().unwrap().success());
            status(410, "", "Expired")
        }
        _ => Fault::None,
    });
    scene.world.apply(&[Tls::new(&scene.world.namespace, "early", &["*.apps.example.com"])]);
    // Of the two, "early" would be chosen.
    assert_eq!(scene.world.program(&direct(&scene), &[], INGRESS.as_bytes()).ok(), rewritten("early"));
    assert_eq!(scene.filter(&["--chunk-size", "1"]).ok(), rewritten("wild"));
    // First page, 410, and the list of one page.
    scene.assert_requests(3, 1);
}

/// The filter's arguments without the proxy.
fn direct(scene: &Scene) -> [&str; 3] {
    ["post-render", "-n", &scene.world.namespace]
}

#[test]
#[ignore = "needs the test bed"]
fn a_list_that_goes_stale_again_and_again_fails_the_render() {
    let scene = Scene::new("staler", |target, _| match target.contains("continue=") {
        true => status(410, "", "Expired"),
        false => Fault::None,
    });
    scene.world.apply(&[Tls::new(&scene.world.namespace, "other", &["other.example.org"])]);
    let words = ["failed to list secrets in namespace", "the list changed while it was read, twice (410 Expired)"];
    assert_fails(&scene.filter(&["--chunk-size", "1"]), &words);
    scene.assert_requests(4, 0);
}

#[test]
#[ignore = "needs the test bed"]
fn a_server_with_the_certificate_of_another_ca_is_not_believed() {
    let world = World::new("wrong-ca");
    let mut other = Tls::new(&world.namespace, "other-ca", &["127.0.0.1"]);
    other.ca = true;
    let ca = world.write("other-ca.crt", &other.pem().0);
    let server = bed("BED_SERVER");
    let config = kubeconfig(&world, "config", &[Context::admin("bed", &server, &ca, &world.namespace)]);
    assert_fails(&filter(&world, &config, &[]), &[&server, "could not be read", "certificate"]);
    assert_passes(filter(&world, &config, &["--on-error", "pass"]), "could not be read");
    // The same way without the check: it was the certificate.
    filter(&world, &config, &["--insecure-skip-tls-verify"]).ok();
}

#[test]
#[ignore = "needs the test bed"]
fn a_dead_server_is_named() {
    let world = World::new("dead");
    // A port that was ours a moment ago, so that it is nobody's.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = format!("https://{address}");
    let config = kubeconfig(&world, "config", &[Context::admin("dead", &server, &bed("BED_CA"), &world.namespace)]);
    assert_fails(&filter(&world, &config, &[]), &[&server, "refused", "check that it is up"]);
    assert_passes(filter(&world, &config, &["--on-error", "pass"]), "refused");
}

#[test]
#[ignore = "needs the test bed"]
fn with_on_error_pass_the_manifests_come_back_whole_below_a_comment_that_says_why() {
    type Broken = (&'static str, fn() -> Fault, &'static str);
    let table: [Broken; 6] = [
        ("hang", || Fault::Hang, "did not answer within 1 s"),
        ("reset", || Fault::Reset, "could not be read"),
        ("cut", || Fault::Truncate, "could not be read"),
        ("half", || Fault::HalfJson, "cannot be read"),
        ("fail", || status(500, "", "InternalError"), "answered 500"),
        ("forbid", || status(403, "", "Forbidden"), "may not list secrets"),
    ];
    for (name, fault, words) in table {
        let scene = Scene::new(&format!("pass-{name}"), move |_, _| fault());
        assert_passes(scene.filter(&["--on-error", "pass", "--request-timeout", "1s"]), words);
    }
}

#[test]
#[ignore = "needs the test bed"]
fn what_a_broken_server_says_cannot_break_out_of_the_comment() {
    let body = "{\"message\":\"a\\nkind: Secret\\u001b[31m\\u202e\"}";
    let scene = Scene::new("escape", move |_, _| Fault::Answer(500, "", body.to_owned()));
    let output = scene.filter(&["--on-error", "pass"]).ok();
    let (comment, manifests) = output.split_once('\n').unwrap();
    assert_eq!(manifests, INGRESS);
    assert!(comment.contains("a\\u{a}kind: Secret"), "{comment}");
    assert!(!comment.contains(['\u{1b}', '\u{202e}']), "{comment:?}");
}

/// The two Helms, and a failure that only the filter meets.
#[test]
#[ignore = "needs the test bed"]
fn a_helm_whose_filter_cannot_read_the_secrets_shows_why_and_installs_nothing() {
    let chart = format!("{}/tests/e2e/bed/chart", env!("CARGO_MANIFEST_DIR"));
    for helm in ["helm3", "helm4"] {
        let scene = Scene::new(&format!("faulty-{helm}"), |target, nth| match nth {
            0..4 if is_list(target) => status(500, "", "InternalError"),
            _ => Fault::None,
        });
        let host = format!("app.{}.example", scene.world.namespace);
        scene.world.apply(&[Tls::new(&scene.world.namespace, "mine", &[&host])]);
        let line =
            ["install", "app", &chart, "-n", &scene.world.namespace, "--post-renderer", "kubectl-routing_secrets"];
        let env = [("ROUTING_SECRETS_KUBECONFIG", scene.config.as_str())];
        let failed = scene.world.helm(helm, &line, &env);
        assert_ne!(failed.code, 0, "{failed:?}");
        assert!(failed.stderr.contains("answered 500: made up: InternalError"), "{failed:?}");
        let installed = ["get", "ingresses,secrets,configmaps", "-o", "name"];
        let found = scene.world.kubectl(&installed).ok();
        let found: Vec<&str> = found.lines().filter(|name| !name.ends_with("kube-root-ca.crt")).collect();
        assert_eq!(found, ["secret/mine", "secret/wild"], "{helm}");
        // The server is well again: the same line installs what it should.
        scene.world.helm(helm, &line, &env).ok();
        let slot = ["get", "ingress", "app", "-o", "jsonpath={.spec.tls[0].secretName}"];
        assert_eq!(scene.world.kubectl(&slot).ok(), "mine", "{helm}");
    }
}
