//! Releases on real servers: Helm 3 and 4, cert-manager, Traefik, an ACME server.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "e2e/handshake.rs"]
mod handshake;
#[path = "e2e/shop.rs"]
mod shop;
#[path = "support/mod.rs"]
mod support;
#[path = "e2e/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use shop::{CERTIFICATES, HOSTS, ROUTING, Shop, TRIGGER, at_once, changes, whose, with_both};
use world::{bed, wait_for};

/// Of every host.
const ALL_ROUTING: [&str; 3] = [ROUTING; 3];
const ALL_OWN: [&str; 3] = [HOSTS[0].1, HOSTS[1].1, HOSTS[2].1];

#[test]
#[ignore = "needs the test bed"]
fn installed_through_us_a_chart_orders_nothing_is_served_with_the_routing_secret_and_leaves_it_as_it_was() {
    with_both(|helm| {
        let shop = Shop::new("install", helm);
        let before = shop.snapshot(ROUTING);
        shop.with_us("install", &[]).ok();
        shop.serves_routing();
        assert_eq!(shop.named(), ALL_ROUTING);
        shop.canary("canary");
        assert_eq!(shop.names("certificates"), ["canary"]);
        assert_eq!(shop.requested(), ["canary"]);
        assert!(shop.snapshot(ROUTING) == before, "{helm}: the routing secret was touched");
        let manifest = shop.world.helm(helm, &["get", "manifest", "shop", "-n", &shop.world.namespace], &[]).ok();
        assert!(!manifest.contains("kind: Certificate") && manifest.contains("kind: IngressRoute"), "{manifest}");
    });
}

#[test]
#[ignore = "needs the test bed"]
fn installed_without_us_the_same_chart_has_cert_manager_issue_for_every_host() {
    with_both(|helm| {
        let shop = Shop::new("plain", helm);
        shop.without_us("install").ok();
        for leaf in shop.serves_own().values() {
            assert!(whose(leaf).ends_with("by CN=bed-issuing-ca"), "{}", whose(leaf));
        }
        assert_eq!(shop.names("certificates"), CERTIFICATES);
        assert_eq!(shop.requested(), CERTIFICATES);
    });
}

/// The control of every "the routing secret is as it was".
#[test]
#[ignore = "needs the test bed"]
fn pointed_at_the_routing_secret_by_hand_with_its_trigger_kept_an_ingress_has_it_overwritten() {
    with_both(|helm| {
        let shop = Shop::new("control", helm);
        let before = shop.snapshot(ROUTING);
        let operators = shop.leaf(ROUTING).unwrap();
        shop.without_us("install").ok();
        shop.serves_own();
        let patch = json!([{"op": "replace", "path": "/spec/tls/0/secretName", "value": ROUTING}]).to_string();
        shop.world.kubectl(&["patch", "ingress", "shop", "--type=json", "-p", &patch]).ok();
        shop.canary("canary");
        let certificates = shop.names("certificates");
        assert!(certificates.iter().any(|name| name == ROUTING), "the canary came too early: {certificates:?}");
        wait_for("the routing secret overwritten", || (shop.snapshot(ROUTING) != before).then_some(()));
        let leaf = wait_for("another certificate", || shop.leaf(ROUTING).filter(|leaf| *leaf != operators));
        assert!(whose(&leaf).ends_with("by CN=bed-issuing-ca"), "{}", whose(&leaf));
        shop.serves(&shop.host("shop"), &leaf);
        let labels = &shop.get("secret", ROUTING)["metadata"]["labels"];
        assert!(labels.get("epinio.io/routing").is_some(), "the label stays on what is no routing secret any more");
    });
}

/// What a release has in the cluster, as far as it must come back.
fn state(shop: &Shop) -> Value {
    let objects = |kind: &str, names: &[&str]| -> Vec<Value> {
        let objects = names.iter().map(|name| {
            let object = shop.get(kind, name);
            json!({"annotations": object["metadata"]["annotations"], "spec": object["spec"]})
        });
        objects.collect()
    };
    let certificates = CERTIFICATES.map(|name| shop.get("certificate", name)["spec"].take());
    json!({
        "ingresses": objects("ingress", &["api", "shop"]),
        "routes": objects("ingressroutes.traefik.io", &["route"]),
        "certificates": certificates,
    })
}

#[test]
#[ignore = "needs the test bed"]
fn a_release_goes_to_the_routing_secret_and_back_twice_without_a_wrong_handshake_at_up_to_50_a_second() {
    // One after the other, for the sake of the rate.
    for helm in ["helm3", "helm4"] {
        let shop = Shop::new("upgrade", helm);
        let routing = shop.snapshot(ROUTING);
        shop.without_us("install").ok();
        let own = shop.serves_own();
        let before = state(&shop);
        let secrets = ALL_OWN.map(|secret| shop.data(secret));
        let requests: BTreeSet<String> = shop.names("certificaterequests").into_iter().collect();
        let watch = shop.traefik.watch(&shop.hosts(), 50);
        let is_as_it_was = |how: &str, canary: &str| {
            assert_eq!(shop.serves_own(), own, "{helm}, {how}");
            assert_eq!(state(&shop), before, "{helm}, {how}");
            shop.canary(canary);
            assert!(ALL_OWN.map(|secret| shop.data(secret)) == secrets, "{helm}, {how}: issued again");
            let new = shop.names("certificaterequests").into_iter().filter(|name| !requests.contains(name));
            let new: Vec<String> = new.filter(|name| !name.starts_with("canary-")).collect();
            assert_eq!(new, [""; 0], "{helm}, {how}");
        };
        let is_switched = || {
            shop.serves_routing();
            assert_eq!(shop.named(), ALL_ROUTING, "{helm}");
            let trigger = &shop.get("ingress", "shop")["metadata"]["annotations"][TRIGGER];
            assert!(trigger.is_null(), "{helm}: {trigger}");
            // The one that the shim made is not the release's; the others are gone.
            let left: Vec<String> =
                shop.names("certificates").into_iter().filter(|name| !name.starts_with("canary-")).collect();
            assert_eq!(left, ["shop-tls"], "{helm}");
        };

        shop.with_us("upgrade", &[]).ok();
        is_switched();
        shop.rollback("1");
        is_as_it_was("after a rollback", "canary-rollback");
        shop.with_us("upgrade", &[]).ok();
        is_switched();
        shop.without_us("upgrade").ok();
        is_as_it_was("after an upgrade without us", "canary-upgrade");

        let operators = shop.leaf(ROUTING).unwrap();
        for (host, seen) in watch.finish() {
            let changes = changes(&seen, &[("its own", &own[&host]), ("the operator's", &operators)]);
            let expected = ["its own", "the operator's", "its own", "the operator's", "its own"];
            assert_eq!(changes, expected, "{helm}, {host}");
            let seconds = (seen[seen.len() - 1].at - seen[0].at).as_secs_f64();
            let rate = seen.len() as f64 / seconds;
            println!("{helm}, {host}: {} handshakes in {seconds:.1} s", seen.len());
            assert!(rate > 25.0, "{helm}, {host}: the machine is too busy to tell, {rate:.1} handshakes a second");
        }
        assert!(shop.snapshot(ROUTING) == routing, "{helm}: the routing secret was touched");
    }
}

/// How an annotation comes to survive a helm upgrade (seen with these versions).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Foreign {
    /// The chart has none, someone has set one.
    ByHand,
    /// Someone has changed the chart's own.
    Changed,
    /// Someone else has applied the same.
    CoOwned,
}

const FOREIGN: [(&str, Foreign); 4] =
    [("helm3", Foreign::ByHand), ("helm4", Foreign::ByHand), ("helm4", Foreign::Changed), ("helm4", Foreign::CoOwned)];

fn on_every_way(test: impl Fn(&'static str, Foreign) + Sync) {
    for pair in FOREIGN.chunks(2) {
        at_once(pair, |(helm, way)| test(helm, way));
    }
}

/// A release installed without us, and a trigger that is not only the release's.
fn with_foreign_trigger(helm: &'static str, way: Foreign) -> Shop {
    let shop = Shop::new("foreign", helm).set(&format!("trigger={}", way != Foreign::ByHand));
    shop.without_us("install").ok();
    match way {
        Foreign::ByHand => shop.world.kubectl(&["annotate", "ingress", "shop", &format!("{TRIGGER}=ca")]).ok(),
        Foreign::Changed => {
            let other = format!("{TRIGGER}=self-signed");
            shop.world.kubectl(&["annotate", "--overwrite", "ingress", "shop", &other]).ok()
        }
        Foreign::CoOwned => {
            let same = json!({
                "apiVersion": "networking.k8s.io/v1",
                "kind": "Ingress",
                "metadata": {"namespace": shop.world.namespace, "name": "shop", "annotations": {TRIGGER: "ca"}},
            });
            let arguments = ["apply", "--server-side", "--field-manager=someone", "-f", "-"];
            shop.world.run("kubectl", &arguments, &[], same.to_string().as_bytes()).ok()
        }
    };
    shop.serves_own();
    shop
}

#[test]
#[ignore = "needs the test bed"]
fn r12_an_object_with_a_foreign_trigger_is_left_until_the_command_from_the_report_has_been_run() {
    on_every_way(|helm, way| {
        let shop = with_foreign_trigger(helm, way);
        let before = shop.snapshot(ROUTING);
        let first = shop.with_us("upgrade", &[]);
        if way == Foreign::Changed {
            // An object that is left meets the conflict that it would meet without us.
            for output in [first, shop.without_us("upgrade")] {
                assert!(output.stderr.contains("conflict with \\\"kubectl-annotate\\\""), "{output:?}");
            }
            assert_eq!(shop.named()[0], "shop-tls", "{helm}, {way:?}");
        } else {
            first.ok();
            assert_eq!(shop.named(), ["shop-tls", ROUTING, ROUTING], "{helm}, {way:?}");
        }
        let command = command(&shop);
        shop.canary("canary");
        let is_whole = || shop.snapshot(ROUTING) == before && !shop.names("certificates").contains(&ROUTING.to_owned());
        assert!(is_whole(), "{helm}, {way:?}: the routing secret was touched");

        shop.world.run("sh", &["-c", &command], &[], b"").ok();
        shop.with_us("upgrade", &[]).ok();
        assert_eq!(shop.named(), ALL_ROUTING, "{helm}, {way:?}");
        shop.serves_routing();
        let trigger = &shop.get("ingress", "shop")["metadata"]["annotations"][TRIGGER];
        assert!(trigger.is_null(), "{helm}, {way:?}: {trigger}");
        shop.canary("canary-after");
        assert!(is_whole(), "{helm}, {way:?}: the routing secret was touched after the command");
    });
}

/// The command in the reason for which the Ingress "shop" was left.
fn command(shop: &Shop) -> String {
    let report = shop.report();
    let slots = report["slots"].as_array().unwrap();
    let slot = slots.iter().find(|slot| slot["object"]["name"] == "shop").unwrap();
    assert_eq!(slot["decision"], "left", "{slot}");
    assert_eq!(slot["reason"]["code"], "foreignTrigger", "{slot}");
    let message = slot["reason"]["message"].as_str().unwrap();
    let (_, command) = message.split_once("clear it with: ").expect(message);
    command.to_owned()
}

/// The control: these triggers do survive, and a filter that could not see them would be the end of the secret.
#[test]
#[ignore = "needs the test bed"]
fn r12_with_secrets_from_a_file_a_foreign_trigger_is_not_seen_and_has_the_routing_secret_overwritten() {
    on_every_way(|helm, way| {
        let shop = with_foreign_trigger(helm, way);
        let before = shop.snapshot(ROUTING);
        let secret = shop.world.kubectl(&["get", "secret", ROUTING, "-o", "yaml"]).ok();
        let file = shop.world.write("inventory.yaml", &secret);
        shop.with_us("upgrade", &[("ROUTING_SECRETS_INVENTORY", &file)]).ok();
        let annotations = &shop.get("ingress", "shop")["metadata"]["annotations"];
        assert!(annotations.get(TRIGGER).is_some(), "{helm}, {way:?}: {annotations}");
        wait_for("the routing secret overwritten", || (shop.snapshot(ROUTING) != before).then_some(()));
    });
}

/// The orders in Pebble's log, by their ids, after so many bytes of it.
fn pebbles_orders(after: usize) -> BTreeSet<String> {
    let log = std::fs::read(bed("BED_PEBBLE_LOG")).unwrap();
    let log = String::from_utf8_lossy(&log[after..]).into_owned();
    let id = |line: &str| Some(line.split_once("Added order \"")?.1.split_once("\" to the db")?.0.to_owned());
    log.lines().filter_map(id).collect()
}

/// The orders that Pebble has counted since then, but for those of other namespaces. An order in its log is somebody's
/// as soon as cert-manager has written its URL down.
fn orders_since(mark: usize, shop: &Shop) -> BTreeSet<String> {
    let id = |url: &str| url.rsplit('/').next().unwrap().to_owned();
    let of = "jsonpath={range .items[*]}{.metadata.namespace} {.status.url}{\"\\n\"}{end}";
    wait_for("an owner for every order in Pebble's log", || {
        let counted = pebbles_orders(mark);
        let orders = shop.world.kubectl(&["get", "orders", "-A", "-o", of]).ok();
        let owners: BTreeMap<String, &str> = orders
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(namespace, url)| (id(url), namespace))
            .collect();
        let is_owned = counted.iter().all(|order| owners.contains_key(order));
        let is_ours = |order: &String| owners.get(order) == Some(&shop.world.namespace.as_str());
        is_owned.then(|| counted.into_iter().filter(is_ours).collect())
    })
}

#[test]
#[ignore = "needs the test bed"]
fn by_pebbles_own_log_a_chart_with_three_hosts_makes_three_acme_orders_without_us_and_none_with_us() {
    let install = |name: &str, helm: &'static str, with_us: bool| {
        let shop = Shop { issuer: "pebble", ..Shop::new(name, helm) };
        let mark = std::fs::metadata(bed("BED_PEBBLE_LOG")).unwrap().len().try_into().unwrap();
        if with_us {
            shop.with_us("install", &[]).ok();
        } else {
            shop.without_us("install").ok();
            let known = || shop.orders().into_keys().collect::<Vec<_>>();
            wait_for("three orders", || (known() == CERTIFICATES).then_some(()));
        }
        // One more, so that an order of the release's would be there by now.
        shop.canary("canary");
        let orders = orders_since(mark, &shop);
        println!(
            "{helm}, {}: {} orders beside the canary's",
            if with_us { "with us" } else { "without us" },
            orders.len() - 1
        );
        let id = |url: &String| url.rsplit('/').next().unwrap().to_owned();
        assert_eq!(orders, shop.orders().values().map(id).collect(), "{helm}: each is an Order's");
        assert_eq!(orders.len(), 1 + if with_us { 0 } else { 3 }, "{helm}");
        shop
    };
    // Kept to the end: an order whose namespace is gone is nobody's.
    with_both(|helm| [install("acme", helm, true), install("acme-plain", helm, false)]);
}

#[test]
#[ignore = "needs the test bed"]
fn helm_routing_secrets_shows_the_diff_upgrades_and_reports() {
    with_both(|helm| {
        let shop = Shop::new("wrapper", helm);
        let repository = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        // Cargo.toml makes it a checkout, which takes the program from the PATH.
        for file in ["Cargo.toml", "plugin.yaml", "helm/program.sh"] {
            let path = shop.world.path("plugin").join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::copy(repository.join(file), path).unwrap();
        }
        let plugin = shop.world.path("plugin").display().to_string();
        shop.world.helm(helm, &["plugin", "install", &plugin], &[]).ok();
        let chart = repository.join("tests/e2e/release-chart").display().to_string();
        let values = format!("{},issuer=ca", shop.values.join(","));
        let run = |line: &[&str]| {
            let all = [&["routing-secrets"], line, &["-n", &shop.world.namespace, "--set", &values]].concat();
            shop.world.helm(helm, &all, &[])
        };
        let output = run(&["upgrade", "--install", "shop", &chart, "--diff"]);
        assert_eq!(output.code, 0, "{output:?}");
        let diff = output.stderr.find(&format!("secretName: {ROUTING}")).expect("the diff");
        assert!(output.stderr.find("\nrewritten  Ingress ").expect("the report") > diff, "{output:?}");
        assert!(!output.stderr.contains("cannot be seen"), "the cluster was read: {output:?}");
        shop.serves_routing();
        assert_eq!(shop.named(), ALL_ROUTING);
        assert!(output.stdout.contains("REVISION: 1\n"), "the dry run made no revision: {output:?}");
        let again = run(&["install", "shop", &chart]);
        assert_eq!(again.code, 1, "{again:?}");
        assert!(again.stderr.contains("a name that is still in use"), "{again:?}");
    });
}
