//! Any rule is read without a panic, and every host it is said to serve stands in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use routing_secrets::consumers::rule::{Matcher, Syntax, hosts};

fuzz_target!(|rule: &str| {
    for syntax in [Syntax::V2, Syntax::V3] {
        for matcher in [Matcher::Host, Matcher::HostSni] {
            let Ok(hosts) = hosts(rule, syntax, matcher) else { continue };
            assert!(!hosts.is_empty(), "no host and no error");
            for host in hosts {
                let quoted = host.replace('\\', "\\\\").replace('"', "\\\"");
                assert!(rule.contains(&host) || rule.contains(&quoted), "{host:?} is not in the rule");
                assert!(host != "*" && !host.contains(['{', '}']), "{host:?} is no host");
            }
        }
    }
});
