//! The Roles of docs/rbac.md: each command as a user who has its Role and nothing else, and with each rule taken away.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;
#[path = "e2e/world.rs"]
mod world;

use std::fs;

use serde_json::{Value, json};
use support::{Tls, repository};
use world::{Output, World, wait_for};

/// A section of the page: the command in its first line, its Role.
struct Section {
    title: String,
    command: Vec<String>,
    role: Value,
}

fn sections() -> Vec<Section> {
    let page = fs::read_to_string(repository().join("docs/rbac.md")).unwrap();
    page.split("\n## ")
        .skip(1)
        .map(|section| {
            let (title, text) = section.split_once('\n').unwrap();
            let line = text.lines().find_map(|line| line.strip_prefix("`kubectl routing-secrets ")).expect(title);
            let command = line.split('`').next().unwrap().split_whitespace().map(str::to_owned).collect();
            let yaml = text.split("```yaml\n").nth(1).expect(title).split("```").next().unwrap();
            Section { title: title.to_owned(), command, role: serde_saphyr::from_str(yaml).expect(title) }
        })
        .collect()
}

impl Section {
    /// Makes the Role, without the rule of this index, and lets `user` have it in the test's namespace; a ClusterRole
    /// everywhere.
    fn grant(&self, world: &World, user: &str, without: Option<usize>) {
        let mut role = self.role.clone();
        let rules = role["rules"].as_array_mut().unwrap();
        if let Some(at) = without {
            rules.remove(at);
        }
        let kind = role["kind"].as_str().unwrap().to_owned();
        role["metadata"] = json!({ "name": user });
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": if kind == "Role" { "RoleBinding" } else { "ClusterRoleBinding" },
            "metadata": { "name": user },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": user },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user }],
        });
        for object in [&role, &binding] {
            let text = object.to_string();
            world.run("kubectl", &["apply", "-n", &world.namespace, "-f", "-"], &[], text.as_bytes()).ok();
        }
    }

    /// The command as `user`, with the test's namespaces in the place of the page's.
    fn run(&self, [world, other]: [&World; 2], user: &str) -> Output {
        let namespace = |word: &'_ String| match word.as_str() {
            "team-a" => world.namespace.clone(),
            "team-b" => other.namespace.clone(),
            word => word.to_owned(),
        };
        let words: Vec<String> = self.command.iter().map(namespace).collect();
        let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
        arguments.extend(["--as", user]);
        world.program(&arguments, &[], b"")
    }
}

/// Whether the run says that something may not be done.
fn is_refused(output: &Output) -> bool {
    let said = format!("{}{}", output.stdout, output.stderr);
    said.contains("may not ") || said.contains("forbidden")
}

#[test]
#[ignore = "needs the test bed"]
fn each_command_works_with_its_role_and_misses_every_rule_of_it() {
    let sections = sections();
    assert!(sections.len() >= 8, "only {} sections", sections.len());
    let mut wrong = String::new();
    for (at, section) in sections.iter().enumerate() {
        let (world, other) = (World::new("rbac"), World::new("rbac-other"));
        let worlds = [&world, &other];
        let years = |tls: Tls| Tls { years: (2020, 2120), issued: true, ..tls };
        world.apply(&[years(Tls::new(&world.namespace, "wild", &["*.apps.example.com"]))]);
        world.apply(&[years(Tls {
            labels: Default::default(),
            ..Tls::new(&world.namespace, "plain", &["*.plain.example.com"])
        })]);
        world.run("kubectl", &["apply", "-n", &world.namespace, "-f", "-"], &[], INGRESS.as_bytes()).ok();
        fs::copy(repository().join("examples/render.yaml"), world.path("render.yaml")).unwrap();
        let rules = section.role["rules"].as_array().unwrap().len();
        // With all of it last: what is done once is not done again.
        for without in (0..rules).map(Some).chain(std::iter::once(None)) {
            let user =
                format!("{}-{at}-{}", world.namespace, without.map_or("all".to_owned(), |rule| rule.to_string()));
            section.grant(&world, &user, without);
            let output = match without {
                // The authorizer learns of a new Role some moments later.
                None => {
                    wait_for(&section.title, || Some(section.run(worlds, &user)).filter(|output| !is_refused(output)))
                }
                Some(_) => section.run(worlds, &user),
            };
            match without {
                None if output.code == 2 => wrong.push_str(&format!("{}: {output:?}\n", section.title)),
                Some(rule) if !is_refused(&output) => {
                    wrong.push_str(&format!("{}: rule {rule} is not needed: {output:?}\n", section.title));
                }
                _ => {}
            }
            let kind = section.role["kind"].as_str().unwrap();
            world.kubectl(&["delete", kind, &format!("{kind}Binding"), &user, "--ignore-not-found"]);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The live object of examples/render.yaml.
const INGRESS: &str = "apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  rules:
  - host: shop.apps.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}
  tls:
  - hosts: [shop.apps.example.com]
    secretName: shop-tls
";
