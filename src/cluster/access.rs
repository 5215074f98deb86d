//! How a cluster is reached: kubectl's flags, over what the helm that runs us was told.

use std::time::Duration;

use super::ClusterError;
use crate::helm::arguments::Token;
use crate::helm::release::KubeAccess;
use crate::output::escape::escape;

/// kubectl's flags for reaching a cluster; what is not given comes from the kubeconfig.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The one kubeconfig file to read instead of `KUBECONFIG`.
    pub kubeconfig: Option<String>,
    /// The context instead of the current one.
    pub context: Option<String>,
    /// The kubeconfig's cluster instead of the context's.
    pub cluster: Option<String>,
    /// The kubeconfig's user instead of the context's.
    pub user: Option<String>,
    /// The API server's address.
    pub server: Option<String>,
    /// The bearer token.
    pub token: Option<Token>,
    /// The user to impersonate.
    pub as_user: Option<String>,
    /// The groups to impersonate.
    pub as_groups: Vec<String>,
    /// The UID to impersonate.
    pub as_uid: Option<String>,
    /// The file with the API server's certificate authorities.
    pub ca_file: Option<String>,
    /// Whether the API server's certificate is not checked.
    pub insecure: Option<bool>,
    /// The name in the API server's certificate.
    pub tls_server_name: Option<String>,
    /// How long one request may take; `None` for the default, zero for no limit.
    pub request_timeout: Option<Duration>,
    /// How many objects a page of a list has; zero for all in one.
    pub chunk_size: Option<u32>,
}

impl Access {
    /// These flags, and helm's where they are not given.
    #[must_use]
    pub fn or_helm(mut self, helm: &KubeAccess) -> Self {
        let or = |own: &mut Option<String>, helm: &Option<String>| {
            if own.is_none() {
                own.clone_from(helm);
            }
        };
        or(&mut self.kubeconfig, &helm.kubeconfig);
        or(&mut self.context, &helm.context);
        or(&mut self.server, &helm.server);
        or(&mut self.ca_file, &helm.ca_file);
        or(&mut self.tls_server_name, &helm.tls_server_name);
        or(&mut self.as_user, &helm.as_user);
        if self.as_groups.is_empty() {
            self.as_groups.clone_from(&helm.as_groups);
        }
        if self.token.is_none() {
            self.token.clone_from(&helm.token);
        }
        self.insecure = self.insecure.or(helm.insecure.then_some(true));
        self
    }
}

/// The value of an option such as kubectl's `--request-timeout`: a number of seconds, or a duration such as `1m30s`,
/// days too.
///
/// # Errors
/// When it is neither.
pub fn duration(option: &str, text: &str) -> Result<Duration, ClusterError> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(Duration::from_secs(seconds.into()));
    }
    let wrong =
        || ClusterError::Option(format!("{option} \"{}\" is no time such as 5, 5s, 1m30s or 30d", escape(text)));
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u32 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |end| digits + end);
        let unit = match &rest[digits..unit_end] {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            "d" => Duration::from_secs(86_400),
            _ => return Err(wrong()),
        };
        total = unit.checked_mul(number).and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
        rest = &rest[unit_end..];
    }
    if text.is_empty() { Err(wrong()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_timeouts_are_read_as_kubectl_reads_them() {
        for (text, expected) in [
            ("0", Some(0)),
            ("5", Some(5000)),
            ("5s", Some(5000)),
            ("1m30s", Some(90_000)),
            ("250ms", Some(250)),
            ("2h", Some(7_200_000)),
            ("30d", Some(2_592_000_000)),
            ("", None),
            ("5x", None),
            ("s", None),
            ("1m30", None),
            ("-1", None),
        ] {
            let found = duration("--request-timeout", text).ok().map(|time| time.as_millis());
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn flags_given_to_us_win_over_helms() {
        let helm = KubeAccess {
            context: Some("helm".to_owned()),
            server: Some("https://helm".to_owned()),
            as_groups: vec!["a".to_owned()],
            insecure: true,
            ..KubeAccess::default()
        };
        let own = Access { context: Some("own".to_owned()), ..Access::default() }.or_helm(&helm);
        assert_eq!(own.context.as_deref(), Some("own"));
        assert_eq!(own.server.as_deref(), Some("https://helm"));
        assert_eq!((own.as_groups, own.insecure), (vec!["a".to_owned()], Some(true)));
    }
}
