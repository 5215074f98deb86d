//! Traefik's router rules, parsed: which hosts can a router serve (Traefik `pkg/rules`, whose
//! grammar is that of Go expressions with `&&`, `||`, `!` and calls).

use std::collections::HashSet;

/// The syntax of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// Traefik 2: matchers take many values, and values may be templates.
    V2,
    /// Traefik 3: matchers take one value.
    V3,
}

/// The matcher that names a router's TLS hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matcher {
    /// HTTP routers: `Host`, and in v2 its alias `HostHeader`.
    Host,
    /// TCP routers: `HostSNI`.
    HostSni,
}

/// Why a rule does not say which hosts it serves.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// It does not parse.
    #[error("at byte {offset}: {what}")]
    Syntax {
        /// Where, in bytes.
        offset: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A host is given by a regular expression or a template.
    #[error("it gives hosts by a regular expression")]
    RegularExpression,
    /// It serves every host, in one of its branches at least.
    #[error("it serves every host in at least one of its branches")]
    CatchAll,
    /// It says only which hosts it does not serve.
    #[error("it says only which hosts it does not serve")]
    Negated,
}

/// How deep parentheses and negations may nest.
const MAX_DEPTH: usize = 128;

/// The hosts that a router with this rule can serve, as written, in order, each once.
///
/// # Errors
/// When the rule does not parse or leaves the hosts open.
pub fn hosts(rule: &str, syntax: Syntax, matcher: Matcher) -> Result<Vec<String>, RuleError> {
    let mut parser = Parser { rule, at: 0, syntax, matcher };
    let set = parser.alternatives(0)?;
    if parser.at < rule.len() {
        return Err(parser.fault("something follows the end of the rule"));
    }
    match set {
        Set::Every => Err(RuleError::CatchAll),
        Set::Open(why) => Err(why),
        Set::These(hosts) => {
            let mut seen = HashSet::new();
            Ok(hosts.into_iter().filter(|host| seen.insert(host.clone())).collect())
        }
    }
}

/// The hosts that a part of a rule lets through.
enum Set {
    Every,
    These(Vec<String>),
    Open(RuleError),
}

impl Set {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::These(mut hosts), Self::These(more)) => {
                // The intersection would do; all of both is the cautious answer.
                hosts.extend(more);
                Self::These(hosts)
            }
            (Self::These(hosts), _) | (_, Self::These(hosts)) => Self::These(hosts),
            (Self::Open(why), _) | (_, Self::Open(why)) => Self::Open(why),
            (Self::Every, Self::Every) => Self::Every,
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Every, _) | (_, Self::Every) => Self::Every,
            (Self::Open(why), _) | (_, Self::Open(why)) => Self::Open(why),
            (Self::These(mut hosts), Self::These(more)) => {
                hosts.extend(more);
                Self::These(hosts)
            }
        }
    }
}

struct Parser<'r> {
    rule: &'r str,
    at: usize,
    syntax: Syntax,
    matcher: Matcher,
}

impl Parser<'_> {
    fn fault(&self, what: &'static str) -> RuleError {
        RuleError::Syntax { offset: self.at, what }
    }

    fn skip_blanks(&mut self) {
        let rest = &self.rule[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn take(&mut self, token: &str) -> bool {
        self.skip_blanks();
        let found = self.rule[self.at..].starts_with(token);
        if found {
            self.at += token.len();
            self.skip_blanks();
        }
        found
    }

    fn alternatives(&mut self, depth: usize) -> Result<Set, RuleError> {
        let mut set = self.conjunction(depth)?;
        while self.take("||") {
            set = set.or(self.conjunction(depth)?);
        }
        Ok(set)
    }

    fn conjunction(&mut self, depth: usize) -> Result<Set, RuleError> {
        let mut set = self.operand(depth)?;
        while self.take("&&") {
            set = set.and(self.operand(depth)?);
        }
        Ok(set)
    }

    fn operand(&mut self, depth: usize) -> Result<Set, RuleError> {
        if depth > MAX_DEPTH {
            return Err(self.fault("it is nested too deep"));
        }
        if self.take("!") {
            return Ok(match self.operand(depth + 1)? {
                Set::Every => Set::Every,
                _ => Set::Open(RuleError::Negated),
            });
        }
        if self.take("(") {
            let set = self.alternatives(depth + 1)?;
            return if self.take(")") { Ok(set) } else { Err(self.fault("a parenthesis is not closed")) };
        }
        self.call()
    }

    fn call(&mut self) -> Result<Set, RuleError> {
        self.skip_blanks();
        let rest = &self.rule[self.at..];
        let length = rest.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let name = rest[..length].to_ascii_lowercase();
        if name.is_empty() {
            return Err(self.fault("a matcher is missing"));
        }
        self.at += length;
        if !self.take("(") {
            return Err(self.fault("a matcher has no values"));
        }
        let mut values = Vec::new();
        if !self.take(")") {
            loop {
                values.push(self.string()?);
                if self.take(")") {
                    break;
                }
                if !self.take(",") {
                    return Err(self.fault("a comma or a parenthesis is missing between values"));
                }
            }
        }
        Ok(self.matched(&name, values))
    }

    fn matched(&self, name: &str, values: Vec<String>) -> Set {
        let names_hosts = match self.matcher {
            Matcher::Host => name == "host" || (name == "hostheader" && self.syntax == Syntax::V2),
            Matcher::HostSni => name == "hostsni",
        };
        if matches!(name, "hostregexp" | "hostsniregexp") {
            return Set::Open(RuleError::RegularExpression);
        }
        if !names_hosts {
            return Set::Every;
        }
        if values.iter().any(|value| value == "*") {
            return Set::Every;
        }
        if values.iter().any(|value| value.contains(['{', '}'])) {
            return Set::Open(RuleError::RegularExpression);
        }
        if values.is_empty() { Set::Every } else { Set::These(values) }
    }

    /// A Go string: raw in backticks, or quoted.
    fn string(&mut self) -> Result<String, RuleError> {
        self.skip_blanks();
        let rest = &self.rule[self.at..];
        if let Some(raw) = rest.strip_prefix('`') {
            let end = raw.find('`').ok_or_else(|| self.fault("a backtick is not closed"))?;
            self.at += end + 2;
            return Ok(raw[..end].to_owned());
        }
        let Some(quoted) = rest.strip_prefix('"') else { return Err(self.fault("a value is no string")) };
        let mut text = String::new();
        let mut characters = quoted.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.at += at + 2;
                    return Ok(text);
                }
                '\\' => match characters.next() {
                    Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                    // No host name needs another escape.
                    _ => return Err(self.fault("an escape in a value is not supported")),
                },
                _ => text.push(character),
            }
        }
        Err(self.fault("a quote is not closed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v3(rule: &str) -> Result<Vec<String>, RuleError> {
        hosts(rule, Syntax::V3, Matcher::Host)
    }

    #[test]
    fn r8_hosts_of_rules_in_both_syntaxes() {
        for (rule, expected) in [
            ("Host(`a.x`)", vec!["a.x"]),
            ("host(`a.x`) || HOST(\"b.x\")", vec!["a.x", "b.x"]),
            ("Host(`a.x`) && PathPrefix(`/p,(q)`)", vec!["a.x"]),
            ("(Host(`a.x`) || Host(`b.x`)) && !Path(`/x`)", vec!["a.x", "b.x"]),
            ("Host(`a.x`) && !Host(`b.x`)", vec!["a.x"]),
            ("Host(`a.x`) && HostRegexp(`.*`)", vec!["a.x"]),
            ("Host(`a.x`) || (Host(`a.x`) && Method(`GET`))", vec!["a.x"]),
            ("  Host( `a.x` )  ", vec!["a.x"]),
            ("Host(\"a\\\\.x\")", vec!["a\\.x"]),
        ] {
            assert_eq!(v3(rule), Ok(expected.into_iter().map(str::to_owned).collect()), "{rule}");
        }
        let v2 = hosts("Host(`a.x`, `b.x`) && HostHeader(`c.x`)", Syntax::V2, Matcher::Host);
        assert_eq!(v2, Ok(vec!["a.x".to_owned(), "b.x".to_owned(), "c.x".to_owned()]));
        let sni = hosts("HostSNI(`a.x`)", Syntax::V3, Matcher::HostSni);
        assert_eq!(sni, Ok(vec!["a.x".to_owned()]));
    }

    #[test]
    fn r12_rules_that_leave_the_hosts_open() {
        for (rule, expected) in [
            ("PathPrefix(`/`)", RuleError::CatchAll),
            ("Host(`a.x`) || PathPrefix(`/x`)", RuleError::CatchAll),
            ("Host(`*`)", RuleError::CatchAll),
            ("!Path(`/x`)", RuleError::CatchAll),
            ("HostRegexp(`.*`)", RuleError::RegularExpression),
            ("Host(`a.x`) || HostRegexp(`.*`)", RuleError::RegularExpression),
            ("Host(`{sub:[a-z]+}.x`)", RuleError::RegularExpression),
            ("!Host(`a.x`)", RuleError::Negated),
        ] {
            assert_eq!(v3(rule), Err(expected), "{rule}");
        }
        assert_eq!(hosts("HostSNI(`*`)", Syntax::V3, Matcher::HostSni), Err(RuleError::CatchAll));
    }

    #[test]
    fn r19_what_does_not_parse_names_the_place() {
        for rule in [
            "",
            "Host",
            "Host(`a",
            "Host(\"a",
            "Host(a)",
            "Host(`a`",
            "(Host(`a`)",
            "Host(`a`) x",
            "&&",
            "Host(`a` `b`)",
        ] {
            assert!(matches!(v3(rule), Err(RuleError::Syntax { .. })), "{rule}");
        }
        let deep = format!("{}Host(`a`){}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(matches!(v3(&deep), Err(RuleError::Syntax { .. })));
        assert!(matches!(v3(&"!".repeat(100_000)), Err(RuleError::Syntax { .. })));
        let long = vec!["Host(`a.x`)"; 50_000].join(" || ");
        assert_eq!(v3(&long), Ok(vec!["a.x".to_owned()]));
    }
}
