//! Epinio's own choice of a routing secret for a host (R3), shown beside ours and never used: Epinio
//! `internal/domain/match.go`, `helpers/cahash/cahash.go: DecodeOneCert`.

use std::collections::BTreeMap;

use super::glob::{BadPattern, matches};
use crate::secret::{ROUTING_LABEL, RawSecret, first_certificate};

/// The names that Epinio sees in a namespace, each with the secret that it takes for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Domains {
    /// One labelled Secret without a certificate that can be read makes Epinio ignore all of them; its name.
    Disabled(String),
    /// Each SAN, with the last Secret that has it.
    Known(BTreeMap<String, String>),
}

/// What Epinio serves a host with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EpinioChoice {
    /// This Secret, since it has the host's very name.
    Exact(String),
    /// This Secret, for its pattern.
    Pattern {
        /// The SAN that is taken for a pattern.
        pattern: String,
        /// The Secret.
        secret_name: String,
    },
    /// One of these, each with its pattern: they are equally long, and the order of a Go map decides.
    Random(Vec<(String, String)>),
    /// None: no name fits.
    NoMatch,
    /// None: this SAN is no pattern, which ends the search.
    BadPattern(String),
    /// None: this Secret cannot be read, so Epinio ignores all of the namespace.
    Disabled(String),
}

impl Domains {
    /// Reads the Secrets of a namespace in the order of the API server. Epinio looks at nothing but the label and
    /// `tls.crt`: type, key and validity do not matter.
    #[must_use]
    pub fn read<'r>(secrets: impl IntoIterator<Item = &'r RawSecret>) -> Self {
        let mut domains = BTreeMap::new();
        for secret in secrets {
            if !secret.labels.contains_key(ROUTING_LABEL) {
                continue;
            }
            let pem = secret.certificate.as_ref().ok().and_then(Option::as_deref).unwrap_or_default();
            let Some(names) = first_certificate(pem) else { return Self::Disabled(secret.id.name.clone()) };
            domains.extend(names.into_iter().map(|name| (name, secret.id.name.clone())));
        }
        Self::Known(domains)
    }

    /// What Epinio serves the host with: the very name, else the longest pattern (`MatchDo`).
    #[must_use]
    pub fn choose(&self, host: &str) -> EpinioChoice {
        let domains = match self {
            Self::Disabled(secret_name) => return EpinioChoice::Disabled(secret_name.clone()),
            Self::Known(domains) => domains,
        };
        if let Some(secret_name) = domains.get(host) {
            return EpinioChoice::Exact(secret_name.clone());
        }
        let mut longest: Vec<(&String, &String)> = Vec::new();
        for (pattern, secret_name) in domains {
            match matches(pattern, host) {
                Err(BadPattern) => return EpinioChoice::BadPattern(pattern.clone()),
                Ok(false) => {}
                Ok(true) => {
                    let best = longest.first().map_or(0, |(best, _)| best.len());
                    if pattern.len() > best {
                        longest.clear();
                    }
                    if pattern.len() >= best {
                        longest.push((pattern, secret_name));
                    }
                }
            }
        }
        match longest.as_slice() {
            [] => EpinioChoice::NoMatch,
            [(pattern, secret_name), others @ ..] if others.iter().all(|(_, other)| other == secret_name) => {
                EpinioChoice::Pattern { pattern: (*pattern).clone(), secret_name: (*secret_name).clone() }
            }
            all => EpinioChoice::Random(all.iter().map(|&(pattern, name)| (pattern.clone(), name.clone())).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(domains: &[(&str, &str)]) -> Domains {
        Domains::Known(domains.iter().map(|&(name, secret)| (name.to_owned(), secret.to_owned())).collect())
    }

    fn pattern(pattern: &str, secret: &str) -> EpinioChoice {
        EpinioChoice::Pattern { pattern: pattern.to_owned(), secret_name: secret.to_owned() }
    }

    /// Epinio's own tests (`internal/domain/match_test.go`).
    #[test]
    fn r3_epinios_own_four_cases() {
        let house = known(&[("foxhouse", "dog"), ("*house", "cat"), ("*hou*", "fish")]);
        assert_eq!(known(&[]).choose("anything"), EpinioChoice::NoMatch);
        assert_eq!(house.choose("foxhouse"), EpinioChoice::Exact("dog".to_owned()));
        assert_eq!(house.choose("cathouse"), pattern("*house", "cat"));
        assert_eq!(house.choose("houser"), pattern("*hou*", "fish"));
    }

    #[test]
    fn r3_equally_long_patterns_are_left_to_chance() {
        let two = known(&[("a*.example.com", "one"), ("*b.example.com", "two")]);
        assert!(matches!(two.choose("ab.example.com"), EpinioChoice::Random(of) if of.len() == 2));
        let same = known(&[("a*.example.com", "one"), ("*b.example.com", "one")]);
        assert!(matches!(same.choose("ab.example.com"), EpinioChoice::Pattern { .. }), "one Secret either way");
    }
}
