//! `list` over files, as users meet it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use support::{Files, Run, Tls, run};

const REFLECTS: &str = "reflector.v1.k8s.emberstack.com/reflects";

fn secrets() -> Vec<Tls> {
    let mut expired = Tls::new("demo", "expired", &["old.example.org"]);
    expired.years = (2020, 2021);
    let mut expiring = Tls::new("ops", "expiring", &["soon.example.org"]);
    expiring.years = (2020, 2027);
    let mut mirror = Tls::new("demo", "mirror", &["*.apps.example.com"]);
    mirror.labels.clear();
    mirror.annotations.insert(REFLECTS.to_owned(), "ops/wild".to_owned());
    let mut foreign = Tls::new("demo", "foreign", &["x.example.org"]);
    foreign.labels.clear();
    let hosts = ["a.example.org", "b.example.org", "c.example.org", "d.example.org"];
    vec![
        expired,
        expiring,
        mirror,
        foreign,
        Tls::new("ops", "wild", &["*.apps.example.com"]),
        Tls::new("ops", "many", &hosts),
    ]
}

fn listed(arguments: &[&str]) -> Run {
    let files = Files::new(&secrets());
    let inventory = files.inventory();
    run(&[&["list", "--inventory", &inventory], arguments].concat(), &[], b"")
}

/// The cells of a table's rows.
fn rows(run: &Run) -> Vec<Vec<String>> {
    run.text()
        .lines()
        .map(|line| line.split("   ").map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty()).collect())
        .collect()
}

#[test]
fn every_routing_secret_has_a_row_with_its_state() {
    let found = listed(&["-A"]);
    assert_eq!((found.code, found.stderr.as_str()), (0, ""));
    let rows = rows(&found);
    assert_eq!(rows[0], ["NAMESPACE", "NAME", "HOSTS", "ISSUER", "EXPIRES", "ORIGIN", "STATUS"]);
    let names: Vec<&str> = rows[1..].iter().map(|row| row[1].as_str()).collect();
    assert_eq!(
        names,
        ["expired", "mirror", "expiring", "many", "wild"],
        "by namespace and name, none without the label"
    );
    let row = |name: &str| rows.iter().find(|row| row[1] == name).unwrap()[2..].join("|");
    assert_eq!(
        row("expired"),
        "old.example.org|expired|5y328d ago|source|not usable: its certificate expired at 2021-01-01T00:00:00Z"
    );
    assert_eq!(row("expiring"), "soon.example.org|expiring|38d|source|expires soon");
    assert!(row("mirror").contains("|mirror of ops/wild|usable (its certificate is not that of its source ops/wild)"));
    assert_eq!(row("many"), "a.example.org,b.example.org,c.example.org + 1 more|many|3y39d|source|usable");
}

#[test]
fn namespaces_names_and_mirrors_can_be_chosen() {
    let names = |arguments: &[&str]| {
        let found = listed(&[arguments, &["-o", "name"]].concat());
        (found.code, found.text().split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(names(&["-n", "demo"]), (0, "secret/expired secret/mirror".to_owned()));
    assert_eq!(names(&["-n", "demo", "--no-mirrors"]), (0, "secret/expired".to_owned()));
    assert_eq!(names(&["-A", "wild", "many"]), (0, "secret/many secret/wild".to_owned()));
    assert_eq!(names(&["-A", "--source", "demo/foreign"]), (0, "secret/foreign".to_owned()));
    assert_eq!(names(&[]), (0, String::new()), "nothing is in default, and that is no error");
    let missing = listed(&["-A", "wild", "nope"]);
    assert_eq!(missing.code, 1);
    assert!(missing.stderr.contains("there is no routing secret \"nope\"") && missing.text().contains("wild"));
}

#[test]
fn columns_and_order_are_as_asked() {
    let columns = listed(&["-A", "-o", "custom-columns=N:.metadata.name,H:.hosts[0],X:.nothing", "--no-headers"]);
    let found = rows(&columns);
    assert_eq!(found[0], ["expired", "old.example.org", "<none>"]);
    let sorted = listed(&["-A", "--sort-by", "{.notAfter}", "-o", "name"]);
    assert!(sorted.text().starts_with("secret/expired\nsecret/expiring\n"), "{}", sorted.text());
    for (arguments, expected) in [
        (&["-o", "custom-columns=N"][..], "\"N\" is not HEADING:PATH"),
        (&["-o", "table"], "-o \"table\" is not known"),
        (&["--sort-by", "]"], "--sort-by: \"]\" is no path"),
        (&["--source", "x"], "--source \"x\" is not NAMESPACE/NAME"),
        (&["--watch"], "--watch goes with a cluster"),
    ] {
        let failed = listed(arguments);
        assert_eq!((failed.code, failed.stdout.len()), (2, 0));
        assert!(failed.stderr.contains(expected), "{}", failed.stderr);
    }
}

#[test]
fn json_and_yaml_hold_the_same_and_never_a_key() {
    let json = listed(&["-A", "-o", "json"]);
    let value: serde_json::Value = serde_json::from_str(json.text()).unwrap();
    assert_eq!(value["kind"], "RoutingSecretList");
    assert_eq!(value["items"].as_array().unwrap().len(), 5);
    assert_eq!(value["items"][0]["problems"][0]["code"], "expired");
    assert_eq!(
        value["items"][1]["origin"],
        serde_json::json!({"kind": "mirror", "of": {"namespace": "ops", "name": "wild"}, "by": "Reflector"})
    );
    let yaml = listed(&["-A", "-o", "yaml"]);
    let same: serde_json::Value = serde_saphyr::from_str(yaml.text()).unwrap();
    // Each run has certificates of its own.
    let names = |value: &serde_json::Value| -> Vec<serde_json::Value> {
        value["items"].as_array().unwrap().iter().map(|item| item["metadata"].clone()).collect()
    };
    assert_eq!(names(&value), names(&same));
    for run in [json, yaml] {
        assert!(!run.text().contains("PRIVATE") && !run.text().contains("tls.key"));
    }
    let empty = listed(&["-o", "json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(empty.text()).unwrap()["items"], serde_json::json!([]));
}

#[test]
fn colour_is_for_terminals_and_when_asked() {
    assert!(listed(&["-A", "--color", "always"]).text().contains("\u{1b}[31m"));
    assert!(!listed(&["-A"]).text().contains('\u{1b}'));
}

#[test]
fn the_schema_of_the_list_is_current() {
    support::schema_is_current("list-item.json", &schemars::schema_for!(routing_secrets::secret::listed::Listed));
}
