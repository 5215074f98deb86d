//! Whether a certificate's names cover a host, as a TLS client would decide it (R2, RFC 9525 section 6.3).

use psl::{List, Psl, Type};

use super::host::{HostName, is_label_text};

/// How a certificate's name covers a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cover {
    /// The names are equal; a wildcard host equal to a wildcard name is this too.
    Exact,
    /// The name is `*.rest` and the host is one label before `.rest`.
    Wildcard,
    /// A TLS client would refuse the certificate for this host.
    No,
}

/// How many labels the `*` of a consumer's wildcard host stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WildcardSpan {
    /// Exactly one, as in an Ingress and as in a certificate.
    OneLabel,
    /// One or more, as in Gateway API, Istio, Gloo, Emissary and F5: no certificate covers all of those.
    ManyLabels,
}

/// The dNSName SANs of one certificate, made ready for comparison once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsNames {
    /// Sorted.
    exact: Vec<String>,
    /// What follows `*.`, sorted.
    wildcard: Vec<String>,
}

impl DnsNames {
    /// Reads SANs as they stand in the certificate; gives the names and, in SAN order, the texts that are void under
    /// R2: a `*` anywhere but as the whole first label, a `*` directly above an ICANN public suffix, text that is not
    /// a DNS name in ASCII. Lower-cases and takes one trailing dot off; a U-label in a SAN is void, since RFC 5280
    /// section 7.2 has A-labels there.
    pub fn read(sans: &[String]) -> (DnsNames, Vec<String>) {
        let mut names = DnsNames::default();
        let mut void = Vec::new();
        for san in sans {
            if !names.add(san) {
                void.push(san.clone());
            }
        }
        names.exact.sort_unstable();
        names.exact.dedup();
        names.wildcard.sort_unstable();
        names.wildcard.dedup();
        (names, void)
    }

    fn add(&mut self, san: &str) -> bool {
        let name = san.strip_suffix('.').unwrap_or(san).to_ascii_lowercase();
        let rest = name.strip_prefix("*.");
        let labels_hold = rest.unwrap_or(&name).split('.').all(|label| !label.is_empty() && is_label_text(label));
        if !labels_hold {
            return false;
        }
        match rest {
            Some(rest) if is_icann_suffix(rest) => return false,
            Some(rest) => self.wildcard.push(rest.to_owned()),
            None => self.exact.push(name),
        }
        true
    }

    /// How these names cover `host`; the best of them counts.
    pub fn cover(&self, host: &HostName, span: WildcardSpan) -> Cover {
        let has = |names: &[String], name: &str| names.binary_search_by(|other| other.as_str().cmp(name)).is_ok();
        let under_wildcard = || !host.parent().is_empty() && has(&self.wildcard, host.parent());
        if host.is_wildcard() {
            if span == WildcardSpan::OneLabel && under_wildcard() { Cover::Exact } else { Cover::No }
        } else if has(&self.exact, host.as_str()) {
            Cover::Exact
        } else if under_wildcard() {
            Cover::Wildcard
        } else {
            Cover::No
        }
    }
}

/// Whether `name` itself is a public suffix of the list's ICANN section; its private section (`github.io`) names
/// domains whose owners do hold such wildcard certificates.
fn is_icann_suffix(name: &str) -> bool {
    // The list is kept in Unicode.
    let (unicode, _) = idna::domain_to_unicode(name);
    [name, unicode.as_str()].iter().any(|name| {
        List.suffix(name.as_bytes())
            .is_some_and(|suffix| suffix.typ() == Some(Type::Icann) && suffix.as_bytes() == name.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How one SAN covers one host.
    fn cover(host: &HostName, san: &str, span: WildcardSpan) -> Cover {
        DnsNames::read(&[san.to_owned()]).0.cover(host, span)
    }

    fn one(host: &str, san: &str) -> Cover {
        cover(&HostName::parse(host).unwrap(), san, WildcardSpan::OneLabel)
    }

    #[test]
    fn r2_equal_names_cover_after_normalisation() {
        let cases = [
            ("app.example.com", "app.example.com"),
            ("app.example.com", "APP.Example.COM"),
            ("App.example.com.", "app.example.com"),
            ("app.example.com", "app.example.com."),
            ("bücher.example", "xn--bcher-kva.example"),
            ("bücher.example", "XN--BCHER-KVA.example"),
            ("localhost", "localhost"),
            ("com", "com"),
        ];
        for (host, san) in cases {
            assert_eq!(one(host, san), Cover::Exact, "{host} {san}");
        }
    }

    #[test]
    fn r2_wildcard_covers_exactly_one_label() {
        let cases = [
            ("app.example.com", "*.example.com", Cover::Wildcard),
            ("APP.example.com.", "*.EXAMPLE.com.", Cover::Wildcard),
            ("xn--bcher-kva.example.com", "*.example.com", Cover::Wildcard),
            ("bücher.bücher.example", "*.xn--bcher-kva.example", Cover::Wildcard),
            ("_x.example.com", "*.example.com", Cover::Wildcard),
            ("example.com", "*.example.com", Cover::No),
            ("a.b.example.com", "*.example.com", Cover::No),
            ("app.example.org", "*.example.com", Cover::No),
            ("appexample.com", "*.example.com", Cover::No),
            ("app.example.com", "example.com", Cover::No),
            ("com", "*.com", Cover::No),
        ];
        for (host, san, wanted) in cases {
            assert_eq!(one(host, san), wanted, "{host} {san}");
        }
    }

    #[test]
    fn r2_any_other_star_voids_the_san() {
        for san in [
            "*",
            "*.",
            "f*.example.com",
            "*f.example.com",
            "*.*.example.com",
            "a.*.example.com",
            "**.example.com",
            "example.*",
            "*.example.*",
            "*example.com",
            "xn--*.example.com",
        ] {
            let (names, void) = DnsNames::read(&[san.to_owned()]);
            assert_eq!((names, void), (DnsNames::default(), vec![san.to_owned()]), "{san}");
        }
    }

    #[test]
    fn r2_star_above_an_icann_suffix_voids_the_san() {
        for (host, san) in [
            ("example.com", "*.com"),
            ("example.co.uk", "*.co.uk"),
            ("example.COM", "*.COM."),
            ("a.foo.ck", "*.foo.ck"),
            ("a.xn--55qx5d.cn", "*.xn--55qx5d.cn"),
            ("a.xn--p1ai", "*.xn--p1ai"),
        ] {
            assert_eq!(one(host, san), Cover::No, "{host} {san}");
        }
    }

    #[test]
    fn r2_star_above_a_private_suffix_or_an_unknown_name_is_allowed() {
        for (host, san) in [
            ("a.github.io", "*.github.io"),
            ("a.blogspot.com", "*.blogspot.com"),
            ("a.herokuapp.com", "*.herokuapp.com"),
            ("a.www.ck", "*.www.ck"),
            ("a.localdomain", "*.localdomain"),
            ("a.internal", "*.internal"),
            ("a.127.0.0.1.sslip.io", "*.127.0.0.1.sslip.io"),
        ] {
            assert_eq!(one(host, san), Cover::Wildcard, "{host} {san}");
        }
    }

    #[test]
    fn r2_sans_that_are_no_ascii_dns_names_are_void() {
        let sans = ["", ".", "a..b", "bücher.example", "a b", "a\0.example.com", "https://a", "a/b", "a:443", "*..a"];
        let sans: Vec<String> = sans.into_iter().map(str::to_owned).collect();
        assert_eq!(DnsNames::read(&sans), (DnsNames::default(), sans.clone()));
    }

    #[test]
    fn r2_wildcard_host_needs_the_same_wildcard_san() {
        assert_eq!(one("*.example.com", "*.example.com"), Cover::Exact);
        assert_eq!(one("*.Example.com.", "*.example.com"), Cover::Exact);
        assert_eq!(one("*.a.example.com", "*.example.com"), Cover::No);
        assert_eq!(one("*.example.com", "a.example.com"), Cover::No);
        assert_eq!(one("*.example.com", "example.com"), Cover::No);
        assert_eq!(one("*.com", "*.com"), Cover::No);
    }

    #[test]
    fn r2_wildcard_host_that_spans_labels_is_covered_by_none() {
        let many = |host: &str, san: &str| cover(&HostName::parse(host).unwrap(), san, WildcardSpan::ManyLabels);
        assert_eq!(many("*.example.com", "*.example.com"), Cover::No);
        assert_eq!(many("app.example.com", "*.example.com"), Cover::Wildcard);
        assert_eq!(many("app.example.com", "app.example.com"), Cover::Exact);
    }

    #[test]
    fn r2_exact_beats_wildcard_within_one_certificate() {
        let sans = ["*.example.com".to_owned(), "app.example.com".to_owned(), "z*".to_owned()];
        let (names, void) = DnsNames::read(&sans);
        assert_eq!(void, ["z*"]);
        let host = |text| HostName::parse(text).unwrap();
        assert_eq!(names.cover(&host("app.example.com"), WildcardSpan::OneLabel), Cover::Exact);
        assert_eq!(names.cover(&host("b.example.com"), WildcardSpan::OneLabel), Cover::Wildcard);
    }
}
